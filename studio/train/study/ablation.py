"""What does a part of a model do for it? The validation without it, against the validation as is.

Without an input or a branch the model computes with something in the place of what leaves it: its
mean over the training rows, zeros, or what belongs to another sample. Nothing is learnt anew, so
this shows what the model as trained makes of the part. Without a loss it has to be trained anew:
a copy is, a few epochs from the first weights, with the loss and without it.
"""

import csv
import io
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path as File
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from studio.document import edits
from studio.document.analysis import obstacles
from studio.document.draws import generator
from studio.document.lowering import Lowered, lower, raise_first, starts_of
from studio.document.model import CallId, Document, Endpoint, Path
from studio.document.muting import needed
from studio.document.names import output_names
from studio.document.nesting import file_inside, full_name
from studio.document.project import Project
from studio.document.store import Store
from studio.engine.builder import Builder, Value
from studio.engine.engines import choose, executor
from studio.engine.executor import Executor
from studio.engine.passes.cut_out import cut_out
from studio.engine.program import Array, Node, Program
from studio.engine.threads import available
from studio.layers.input import Input
from studio.problem import Problem, ProblemError, refuse
from studio.progress import tell
from studio.train.arrays import Arrays, batches
from studio.train.class_weights import balanced
from studio.train.data import load_data
from studio.train.events import BatchDone
from studio.train.fit import FitPlan, fit
from studio.train.means import Logs, Means
from studio.train.step import Step, step_of
from studio.train.trainer import Settings, Trainer

ROWS = 5000  # that validate, and that means are of; drawn where there are more
EPOCHS = 3  # of a training without a loss
_WIDER = 4  # times the batch size: without a backward pass as much fits into memory

How = Literal["mean", "zeros", "shuffled"]
HOWS: tuple[How, ...] = ("mean", "zeros", "shuffled")
Kind = Literal["input", "branch", "loss"]
Rows = Literal["validation", "training"]


@dataclass(frozen=True)
class Without:
    """What is left out.

    Attributes:
        kind: an input, one or several calls, or a loss.
        calls: the paths of the input or of the calls; none of a loss.
        output: the endpoint key of the output whose loss it is.
        how: what stands in the place of what leaves the calls: its mean over the training rows (of
            integers the commonest at each place), zeros, or what leaves them for another sample.
    """

    kind: Kind
    calls: tuple[Path, ...] = ()
    output: str = ""
    how: How = "mean"


@dataclass(frozen=True)
class Baseline:
    """The model as it is.

    Attributes:
        logs: losses and metrics by Keras's keys.
        rows: how many were judged, of `of`.
        which: whether they validate; without such rows those that train are looked at.
    """

    logs: Mapping[str, float]
    rows: int
    of: int
    which: Rows


@dataclass(frozen=True)
class Effect:
    """What becomes of the rows that are judged without something.

    Attributes:
        before: with it: as in `Baseline`; of a loss, after as many epochs with all losses.
        after: without it.
        change: how much greater the total loss is without it; negative: it does better. Of a loss,
            how much greater all others together: its own is no longer trained for.
        epochs: how many were trained; 0 where nothing was.
    """

    without: Without
    before: Mapping[str, float]
    after: Mapping[str, float]
    change: float
    epochs: int = 0
    seconds: float = 0.0


def single(document: Document, how: How = "mean") -> tuple[Without, ...]:
    """Everything of the main graph that can be left out by itself.

    Its inputs; the calls that another one reads; the losses, where there are two at least.
    """
    graph, found = document.graph, list[Without]()
    used = needed(graph, {})
    for call in graph.order():
        body = document.entry(call).body
        read = call in used and any(wire.target in used for wire in graph.out_of(call))
        if read and not graph.calls[call].muted:
            kind: Kind = "input" if isinstance(body, Input) else "branch"
            found.append(Without(kind, ((call,),), how=how))
    plans = document.plan.outputs
    losses = [e.key for e in graph.outputs if e.key in plans and plans[e.key].loss is not None]
    if len(losses) > 1:
        found += [Without("loss", output=key) for key in losses]
    return tuple(found)


def of_calls(document: Document, calls: Sequence[Path], how: How = "mean") -> Without:
    """These calls left out together; of an output that nothing else reads it is the loss."""
    last = [path[-1] for path in calls]
    if len(calls) == 1 and len(calls[0]) == 1:
        graph = document.graph
        losses = [w for w in single(document, how) if w.kind == "loss"]
        own = [w for w in losses if Endpoint.parse(w.output).call == last[0]]
        if own and not graph.out_of(last[0]):
            return own[0]
    inputs = {c for graph in document.graphs.values() for c in graph.inputs}
    kind: Kind = "input" if len(calls) == 1 and last[0] in inputs else "branch"
    return Without(kind, tuple(calls), how=how)


def name_of(document: Document, without: Without) -> str:
    """What is left out, as users call it."""
    if without.kind == "loss":
        return output_names(document)[Endpoint.parse(without.output)]
    return ", ".join(_call_name(document, path[-1]) for path in without.calls)


def _call_name(document: Document, call: CallId) -> str:
    """A call's name; of several calls of one layer, with what it reads: ``lstm ← tweet_a``."""
    name, (_, graph) = full_name(document, call), edits.graph_of(document, call)
    layer = graph.calls[call].layer
    if sum(other.layer == layer for other in graph.calls.values()) < 2:
        return name
    sources = (graph.calls[start.call].layer for start in starts_of(document, graph, call))
    return f"{name} ← {', '.join(document.layers[source].name for source in sources)}"


def as_csv(document: Document, effects: Iterable[Effect]) -> bytes:
    """Effects as a table: a line for each, with every loss and metric before and after."""
    effects = list(effects)
    keys = list(dict.fromkeys(key for effect in effects for key in effect.after))
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    sides = (f"{key} {when}" for key in keys for when in ("before", "after"))
    writer.writerow(["without", "kind", "instead", "epochs", "change", *sides])
    for effect in effects:
        without = effect.without
        instead = "" if without.kind == "loss" else without.how
        logs = (effect.before, effect.after)
        values = [log.get(key, "") for key in keys for log in logs]
        start = [name_of(document, without), without.kind, instead, effect.epochs, effect.change]
        writer.writerow([*start, *values])
    return table.getvalue().encode("utf-8")


# -- the worker ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Begin:
    """A project to leave parts out of, and the folder relative data paths start from."""

    project: Project
    base: File


@dataclass(frozen=True)
class Leave:
    """Something to leave out of the project that was begun with."""

    without: Without
    epochs: int = EPOCHS


class Ablator:
    """Answers `Begin` by a `Baseline`, then each `Leave` by an `Effect`: see `Aside`."""

    def __init__(self, threads: int = 0) -> None:
        self._threads = threads or max(1, available() - 1)  # a window keeps one core
        self._bench: Bench | None = None

    def __call__(self, asked: Begin | Leave) -> Baseline | Effect:
        """What was asked for.

        Raises:
            ProblemError: what keeps the model from being computed, trained or its data from being
                read; ``ablation_no_losses``, ``ablation_not_computed``.
            Cancelled: as whoever listens to the progress wants it.
        """
        if isinstance(asked, Begin):
            self._bench = Bench(asked.project, asked.base, self._threads)
            return self._bench.baseline()
        assert self._bench is not None, "something was begun"
        return self._bench.effect(asked.without, asked.epochs)


class Bench:
    """A project, its rows, and what it computes with them: loaded once, asked again and again."""

    def __init__(self, project: Project, base: File, threads: int = 0) -> None:
        self.document, self.store, self.threads = project.document, project.store, threads
        raise_first(obstacles(self.document))
        if not any(plan.loss for plan in self.document.plan.outputs.values()):
            raise refuse("ablation_no_losses")
        run = self.document.plan.run
        self.settings = Settings(run.engine, run.seed, threads)
        self.batch_size = _WIDER * run.batch_size
        data = load_data(self.document, base, project.fitted or None)
        self.train, held = data.train, data.validation
        self.which: Rows = "training" if held is None else "validation"
        self.of = len(data.train if held is None else held)
        self.rows = self._some(data.train if held is None else held)
        self._means: dict[str, Array] = {}  # of values, by name
        self._trained: dict[tuple[str, int], Logs] = {}  # by the loss left out, and epochs
        self._as_is: Logs | None = None

    def baseline(self) -> Baseline:
        """The model as it is."""
        if self._as_is is None:
            self._as_is = self._judged(self.store)
        return Baseline(self._as_is, len(self.rows), self.of, self.which)

    def effect(self, without: Without, epochs: int = EPOCHS) -> Effect:
        """What becomes of the rows that are judged."""
        began, before = time.perf_counter(), self.baseline().logs
        if without.kind == "loss":
            before, after = self._after("", epochs), self._after(without.output, epochs)
            name = f"{name_of(self.document, without)}_loss"
            own = self.document.plan.outputs[without.output].weight
            change = _gap(before, after, "loss") - own * _gap(before, after, name)
        else:
            epochs, after = 0, self._judged(self.store, without)
            change = _gap(before, after, "loss")
        return Effect(without, before, after, change, epochs, time.perf_counter() - began)

    def _some(self, data: Arrays) -> Arrays:
        """At most `ROWS` of some rows, in a random order.

        So whoever is given what belongs to the sample before is given any other's.
        """
        order = generator(self.settings.seed, "ablation").permutation(len(data))[:ROWS]
        if not data.streamed:
            return data.take(order)
        # Read in their order, a block at a time, then put into the other.
        return data.take(np.sort(order)).loaded().take(np.argsort(np.argsort(order)))

    # -- without values --------------------------------------------------------------------------

    def _judged(self, store: Store, without: Without | None = None) -> Logs:
        """Losses and metrics on the rows, with other values in the place of what is left out."""
        lowered = lower(self.document, one_hots=self.rows.one_hots)
        values = _values(self.document, lowered, without) if without else []
        before = cut_out(lowered.op.program(values), [], [value.name for value in values])
        others = {value.name: _read_instead(lowered.op, value) for value in values}
        step = step_of(self.document, lowered, weighted=self.rows.weighted)
        trainer = Trainer(self.document, store, self.settings)
        runner = self._runner(trainer, step, step.program)
        stand_in = self._stand_in(trainer, step, before, without.how) if without else None
        means = Means(trainer)
        for batch in self._told(self.rows, "ablating" if without else "evaluating"):
            feeds = trainer.feeds(step, batch)
            if stand_in is not None:
                feeds |= {others[n]: a for n, a in stand_in(feeds, len(batch)).items()}
            means.add(step, batch, runner.run(feeds))
        return means.logs()

    def _runner(self, trainer: Trainer, step: Step, program: Program) -> Executor:
        engine = choose(self.settings.engine, step.program).engine
        runner = executor(engine, program, self.threads)
        state = trainer.state(step)
        runner.load({s.input: state[s.input] for s in program.state})
        return runner

    def _stand_in(self, trainer: Trainer, step: Step, before: Program, how: How) -> "_StandIn":
        """What gives, for the feeds of a batch, what stands in the place of some values.

        Args:
            before: gives the values themselves.
        """
        runner = self._runner(trainer, step, before)

        def present(feeds: Mapping[str, Array]) -> Mapping[str, Array]:
            return runner.run({name: feeds[name] for name in before.inputs})

        def shuffled(feeds: Mapping[str, Array], size: int) -> Mapping[str, Array]:
            # Rows are in a random order, so whoever comes before is any other. In a wrapper a
            # sample may have several, one for each step.
            given = present(feeds).items()
            return {n: np.roll(a, max(1, len(a) // size), axis=0) for n, a in given}

        def same(feeds: Mapping[str, Array], size: int) -> Mapping[str, Array]:
            return {n: np.broadcast_to(fixed[n], a.shape) for n, a in present(feeds).items()}

        if how == "shuffled":
            return shuffled
        if missing := [name for name in before.outputs if name not in self._means]:
            some = self._some(self.train)
            gained = (present(trainer.feeds(step, b)) for b in self._told(some, "averaging"))
            self._means |= averages(gained, missing)
        fixed = {name: self._means[name] for name in before.outputs}
        if how == "zeros":
            fixed = {name: np.zeros_like(array) for name, array in fixed.items()}
        return same

    def _told(self, rows: Arrays, doing: str) -> Iterator[Arrays]:
        """The batches of some rows, with word of how many are done."""
        done = 0
        for batch in batches(rows, self.batch_size):
            tell(doing, done, len(rows))
            yield batch
            done += len(batch)

    # -- without a loss --------------------------------------------------------------------------

    def _after(self, left: str, epochs: int) -> Logs:
        """The rows judged after a copy was trained from the first weights, without one loss."""
        if (left, epochs) not in self._trained:
            document, run = self.document, self.document.plan.run
            files = [layer for layer in document.layers if file_inside(document, layer)]
            store = self.store.anew(files)
            if left:
                document = edits.plan_output(document, Endpoint.parse(left), loss=None)
            trainer = Trainer(document, store, self.settings)
            plan = FitPlan(epochs, run.batch_size, run.shuffle)
            steps = epochs * -(-len(self.train) // run.batch_size)
            doing, done = "retraining" if left else "retraining_all", 0
            for event in fit(trainer, balanced(document, self.train), None, plan, keep_best=False):
                if isinstance(event, BatchDone):
                    done += 1
                    tell(doing, done, steps)
            self._trained[left, epochs] = self._judged(store)
        return self._trained[left, epochs]


def _gap(before: Mapping[str, float], after: Mapping[str, float], key: str) -> float:
    return after[key] - before[key]


_StandIn = Callable[[Mapping[str, Array], int], Mapping[str, Array]]


def _values(document: Document, lowered: Lowered, without: Without) -> list[Value]:
    """What leaves the calls that are left out.

    Raises:
        ProblemError: ``ablation_not_computed``.
    """
    found = []
    for path in without.calls:
        leaving = [value for (where, _), value in lowered.values.items() if where == path]
        if not leaving:
            name = name_of(document, without)
            raise ProblemError(Problem("ablation_not_computed", path[-1], {"name": name}))
        found += leaving
    return list({value.name: value for value in found}.values())


def _read_instead(op: Builder, value: Value) -> str:
    """Let what reads a value so far read an input instead; gives the input's name.

    The model's outputs stay what they are: their losses are appended later.
    """
    other = op.input(f"{value.name}/left_out", value.spec).name
    op.nodes[:] = [_reading(node, value.name, other) for node in op.nodes]
    return other


def _reading(node: Node, old: str, new: str) -> Node:
    if old not in node.reads():
        return node
    attrs = {
        key: replace(inner, nodes=tuple(_reading(n, old, new) for n in inner.nodes))
        if isinstance(inner, Program)
        else inner
        for key, inner in node.attrs.items()
    }
    return replace(node, inputs=tuple(new if n == old else n for n in node.inputs), attrs=attrs)


def averages(batches: Iterable[Mapping[str, Array]], names: Sequence[str]) -> dict[str, Array]:
    """The mean of each value over the samples of all batches; of integers the commonest number at
    each place, the least of those as common.
    """
    found: dict[str, list[Array]] = {name: [] for name in names}
    sums: dict[str, NDArray[np.float64]] = {}
    count = 0
    for batch in batches:
        count += len(batch[names[0]])
        for name in names:
            if batch[name].dtype.kind == "f":
                total = batch[name].sum(axis=0, dtype=np.float64)
                sums[name] = sums[name] + total if name in sums else total
                found[name] = [batch[name][:0]]  # for its dtype
            else:
                found[name].append(batch[name])
    return {
        name: np.asarray(sums[name] / count, arrays[0].dtype)
        if name in sums
        else _commonest(np.concatenate(arrays))
        for name, arrays in found.items()
    }


def _commonest(rows: Array) -> Array:
    ordered = np.sort(rows, axis=0)
    found, run = ordered[0], np.ones(ordered.shape[1:], int)
    longest = run
    for before, here in pairwise(ordered):
        run = np.where(here == before, run + 1, 1)
        found, longest = np.where(run > longest, here, found), np.maximum(run, longest)
    return np.asarray(found)
