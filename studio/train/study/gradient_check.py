"""Is the gradient that trains a model right? Checked against central differences in float64.

Of the whole model it is the gradient of the total loss that is checked, of a node or a model
inside it that of a random sum of what leaves it, for the values that arrive at it. All is computed
as in training, but in float64, and what is drawn (dropout, noise) stays the same draw throughout.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path as File
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from studio.document.draws import generator
from studio.document.integers import integer_limits
from studio.document.lowering import Lowered, Variable, lower, starts_of
from studio.document.model import Document, LayerId, Path
from studio.document.names import input_names, output_names
from studio.document.nesting import graphs_along
from studio.document.project import Project
from studio.engine.builder import Builder
from studio.engine.gradient import differentiate
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.passes.cut_out import cut_out
from studio.engine.program import Array, Program, Spec
from studio.losses.base import Loss
from studio.problem import Problem, ProblemError
from studio.progress import tell
from studio.train.arrays import Arrays, unpacked
from studio.train.class_weights import balanced
from studio.train.data import load_data
from studio.train.step import Step, step_of
from studio.train.study.differences import Compared, Slopes, choose
from studio.train.trainer import Settings, Trainer

SAMPLES = 4  # of the data, that are computed with
_MOST, _LEAST, _ALL = 24, 6, 900  # numbers of each array that are checked, and of all together
_LENGTH = 7  # of an open axis, where numbers are made up
_INTEGERS = 10  # made up below it where no table says how many there are

Kind = Literal["weight", "input"]


@dataclass(frozen=True)
class Checked:
    """How the gradient by one array does.

    Attributes:
        kind: a weight, or what arrives.
        name: of the weight's state, ``lstm/kernel``, or of what it comes from.
        layer: the one the weight is of; empty where something arrives.
        size: how many numbers the array has.
        reached: whether anything that is differentiated depends on it at all.
        compared: what was found of those that were looked at.
    """

    kind: Kind
    name: str
    layer: LayerId
    size: int
    reached: bool
    compared: Compared


@dataclass(frozen=True)
class GradientCheck:
    """What a check found.

    Attributes:
        path: of the node; empty: of the whole model.
        parts: its weights, then what arrives and is no integer.
        samples: how many were computed with.
        made_up: whether they are random numbers.
        why: what kept the data from being used, where there are any.
        losses: the outputs whose losses are summed; none where a random sum was differentiated.
        seconds: how long it took.
    """

    path: Path
    parts: tuple[Checked, ...]
    samples: int
    made_up: bool = False
    why: Problem | None = None
    losses: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether no number was found wrong."""
        return not self.wrong

    @property
    def wrong(self) -> int:
        return sum(part.compared.wrong for part in self.parts)

    @property
    def checked(self) -> int:
        return sum(part.compared.checked for part in self.parts)

    @property
    def kinks(self) -> int:
        return sum(part.compared.kinks for part in self.parts)

    @property
    def absolute(self) -> float:
        return max((part.compared.absolute for part in self.parts), default=0.0)

    @property
    def flat(self) -> bool:
        """Whether all slopes are 0: then their agreement says next to nothing."""
        return self.checked > 0 and all(part.compared.steepest == 0 for part in self.parts)

    @property
    def relative(self) -> float:
        return max((part.compared.relative for part in self.parts), default=0.0)


def check_gradients(project: Project, base: File, path: Path = ()) -> GradientCheck:
    """Check the gradient of a project, or of one node of it.

    Args:
        project: its weights as they stand; nothing of it changes. Those never initialized are
            drawn by its seed.
        base: the folder relative data paths start from.
        path: of the node, with the calls of the models around it; empty: the whole model.

    Raises:
        ProblemError: what keeps the model from being computed or differentiated;
            ``check_not_computed``, ``check_nothing``.
        Cancelled: as whoever listens to the progress wants it.
    """
    began = time.perf_counter()
    tell("checking", 0, 0)
    document, seed = project.document, project.document.plan.run.seed
    batch, why = _samples(project, base)
    subject = _subject(document, path, batch)
    made_up = batch is None
    if batch is None:
        batch = _made_up(document, subject, seed)
    state, feeds = _values(project, subject, batch)
    feeds |= _arriving(subject, state, feeds)
    parts = tuple(_checked(subject, state, feeds, seed))
    seconds = time.perf_counter() - began
    return GradientCheck(path, parts, len(batch), made_up, why, subject.losses, seconds)


# -- what is checked -----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Subject:
    """A program to differentiate, as part of the one that computes everything.

    Attributes:
        step: the whole forward program, and what its feeds are called.
        part: what lies between the starts and the ends.
        starts: the values that arrive at it, with what each is called.
        weights: the trained ones, by state name.
        losses: see `GradientCheck`.
    """

    step: Step
    part: Program
    starts: Mapping[str, str]
    weights: Mapping[str, Variable]
    losses: tuple[str, ...]


def _subject(document: Document, path: Path, batch: Arrays | None) -> _Subject:
    lowered = lower(document, training=True)
    step = step_of(document, lowered, weighted=batch.weighted if batch else frozenset())
    losses: tuple[str, ...] = ()
    if path:
        ends, starts = _around(document, lowered, path)
    else:
        names, called = input_names(document), output_names(document)
        starts = {v.name: names[call] for call, v in lowered.inputs.items() if _floats(v.spec)}
        ends = [step.total] if step.total else [v.name for v in lowered.outputs.values()]
        losses = tuple(called[e] for e in lowered.outputs if e.key in step.losses)
    part = cut_out(step.program, list(starts), _floating(step.program, ends))
    read = {state.input for state in part.state}
    weights = {n: v for n, v in lowered.variables.items() if n in read and v.weight.trainable}
    if not path:  # what training leaves alone has no gradient there
        weights = {name: v for name, v in weights.items() if v.trainable}
    if not part.outputs or not (weights or _floating(step.program, starts)):
        raise ProblemError(Problem("check_nothing", path[-1] if path else ""))
    return _Subject(step, part, starts, weights, losses)


def _around(document: Document, lowered: Lowered, path: Path) -> tuple[list[str], dict[str, str]]:
    """The values that leave a node, and those that arrive at it with what they come from.

    Raises:
        ProblemError: ``check_not_computed``.
    """
    *within, call = path
    graphs = graphs_along(document, tuple(within))
    graph = document.graphs[graphs[-1]]
    there = len(graphs) > len(within) and call in graph.calls
    name = document.layers[graph.calls[call].layer].name if there else call
    ends = [value.name for (where, _), value in lowered.values.items() if where == path]
    if not there or not ends:
        raise ProblemError(Problem("check_not_computed", call, {"name": name}))
    starts = {}
    for start in starts_of(document, graph, call):
        value = lowered.values[(*within, start.call), start.port]
        starts[value.name] = document.layers[graph.calls[start.call].layer].name
    return [name for name in ends if name not in starts], starts


def _floating(program: Program, names: Iterable[str]) -> list[str]:
    return [name for name in names if _floats(program.specs[name])]


def _floats(spec: Spec) -> bool:
    return spec.dtype.startswith("float")


# -- with which numbers --------------------------------------------------------------------------


def _samples(project: Project, base: File) -> tuple[Arrays | None, Problem | None]:
    """Some training samples; or what keeps the data from being used, if there are any."""
    document = project.document
    if document.plan.data.source is None:
        return None, None
    try:
        data = balanced(document, load_data(document, base, project.fitted or None).train)
    except ProblemError as error:
        return None, error.problems[0]
    few = data.take(slice(0, SAMPLES))
    return replace(few.unpacked(), inputs={k: unpacked(v) for k, v in few.inputs.items()}), None


def _made_up(document: Document, subject: _Subject, seed: int) -> Arrays:
    """Random samples: normal floats, integers within tables, targets that the losses take."""
    step, limits = subject.step, integer_limits(document)
    inputs, targets = {}, {}
    for call, name in step.inputs.items():
        spec, rng = step.program.specs[name], generator(seed, "check", call)
        if _floats(spec):
            inputs[call] = np.asarray(rng.normal(size=_shape(spec)), spec.dtype)
        else:
            drawn = rng.integers(0, limits.get(call, _INTEGERS), _shape(spec))
            inputs[call] = np.asarray(drawn, spec.dtype)
    for key in step.targets:
        loss = document.plan.outputs[key].loss
        assert loss is not None, "a target is of a loss"
        target, output = step.specs[key]
        targets[key] = _target(loss, target, output, generator(seed, "check", key))
    return Arrays(inputs, targets)


def _shape(spec: Spec) -> tuple[int, ...]:
    first, *others = spec.shape
    sizes = (d if isinstance(d, int) else _LENGTH for d in others)
    return (SAMPLES if isinstance(first, str) else first, *sizes)


def _target(loss: Loss, target: Spec, output: Spec, rng: np.random.Generator) -> Array:
    shape = _shape(target)
    if not _floats(target):
        return rng.integers(0, loss.limit(output) or 2, shape)
    if loss.probabilities == "shared":
        weights = np.exp(rng.normal(size=shape))
        return np.asarray(weights / weights.sum(axis=-1, keepdims=True))
    low, high = max(loss.takes[0], -2.0), min(loss.takes[1], 2.0)
    if loss.probabilities == "each":
        low, high = 0.0, 1.0
    return rng.uniform(low, high, shape)


def _values(
    project: Project, subject: _Subject, batch: Arrays
) -> tuple[dict[str, Array], dict[str, Array]]:
    """The states and feeds of the whole program, in float64."""
    document, step = project.document, subject.step
    settings = Settings("numpy", document.plan.run.seed)
    trainer = Trainer(document, project.store, settings)
    state = {n: np.array(a, np.float64) for n, a in trainer.state(step).items()}
    feeds = trainer.feeds(step, batch)
    return state, {n: _doubled(a) for n, a in feeds.items()}


def _doubled(array: Array) -> Array:
    return array.astype(np.float64) if array.dtype.kind == "f" else np.asarray(array)


def _arriving(
    subject: _Subject, state: Mapping[str, Array], feeds: Mapping[str, Array]
) -> dict[str, Array]:
    """What the whole program gives for the starts of the part."""
    before = cut_out(subject.step.program, [], list(subject.starts)).astype("float64")
    return _runner(before, state).run(_only(before, feeds)) if subject.starts else {}


# -- the check -----------------------------------------------------------------------------------


def _checked(
    subject: _Subject, state: Mapping[str, Array], feeds: dict[str, Array], seed: int
) -> list[Checked]:
    forward = subject.part.astype("float64")
    runner, feeds = _runner(forward, state), _only(forward, feeds)
    rng = generator(seed, "check")
    seeds = {
        n: np.ones(()) if subject.losses else rng.normal(size=np.shape(value))
        for n, value in runner.run(feeds).items()
    }
    labels: dict[str, tuple[Kind, str, LayerId]]
    labels = {n: ("weight", n, v.layer) for n, v in subject.weights.items()}
    floats = (n for n in subject.starts if n in feeds and feeds[n].dtype.kind == "f")
    labels |= {n: ("input", subject.starts[n], "") for n in floats}
    again = _gradients(subject.part, list(labels), state, feeds, seeds)
    gradients = again()
    slopes = Slopes(lambda: runner.run(feeds), seeds)
    each = max(_LEAST, min(_MOST, _ALL // max(1, len(labels))))
    found = []
    for done, (name, (kind, label, layer)) in enumerate(labels.items()):
        tell("checking", done, len(labels))
        array = state[name] if name in state else feeds[name]
        gradient = gradients.get(name)
        known = np.zeros_like(array) if gradient is None else gradient
        chosen = choose(known, each, generator(seed, "check", name))
        anew = None if gradient is None else partial(_of, again, name)
        compared = slopes.compare(array, known, chosen, anew)
        found.append(Checked(kind, label, layer, array.size, gradient is not None, compared))
    return found


def _gradients(
    part: Program,
    wrt: Sequence[str],
    state: Mapping[str, Array],
    feeds: Mapping[str, Array],
    seeds: Mapping[str, NDArray[np.float64]],
) -> Callable[[], dict[str, Array]]:
    """What gives the gradient of Σ seed · output by each array that one leads to, as they stand."""
    op = Builder.continuing(part)
    arriving = {op.value(n): op.input(f"seed/{n}", part.specs[n]) for n in part.outputs}
    found = differentiate(op, arriving, [op.value(name) for name in wrt])
    known = {name: g for name, g in zip(wrt, found, strict=True) if g is not None}
    program = op.program(list(known.values())).astype("float64")
    given = {**feeds, **{f"seed/{n}": seed for n, seed in seeds.items()}}
    runner = _runner(program, state)

    def gradients() -> dict[str, Array]:
        results = runner.run(given)
        return {name: results[value.name] for name, value in known.items()}

    return gradients


def _of(gradients: Callable[[], Mapping[str, Array]], name: str) -> Array:
    """That of one array, computed anew."""
    return gradients()[name]


def _runner(program: Program, state: Mapping[str, Array]) -> NumpyExecutor:
    """What runs a program; it writes no state, so it reads these very arrays at each run."""
    runner = NumpyExecutor(program, threads=1)  # of few samples: more would wait for each other
    runner.load({s.input: state[s.input] for s in program.state})
    return runner


def _only(program: Program, feeds: Mapping[str, Array]) -> dict[str, Array]:
    return {name: feeds[name] for name in program.inputs}
