"""The program of a look through the lens: forward as in training, then back from each loss alone.

What it gives are lengths, as scalars: of values, of each loss's gradient by them, of weights, and
of the steps that each loss alone would make.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from studio.document.lowering import Lowered, Variable, lower, raise_first
from studio.document.model import Document, LayerId, Path
from studio.engine.builder import Builder, Value
from studio.engine.gradient import differentiate, reached
from studio.engine.program import Node, Program, Role, Spec
from studio.optimizers.base import Optimizer
from studio.optimizers.common import turn
from studio.problem import ProblemError
from studio.train.arrays import Placed, Weighted
from studio.train.step import Losses, Step, described
from studio.train.study.alone import Alone, Rows, looked
from studio.train.study.joined import Joined
from studio.train.study.wanted import Tap
from studio.train.update import RATE, STEP, Lagging, Update, rows

Names = tuple[str, ...]  # of scalars, one of each loss; empty where nothing arrives
_LINE, _ROW, _COLUMN, _NOTHING = (
    np.array(shape, np.int64) for shape in ((-1,), (1, -1), (-1, 1), ())
)


@dataclass(frozen=True)
class Measured:
    """Where a look finds what it tells of a weight as a call uses it.

    Attributes:
        size, count: the length of the weight, and how many numbers that is; of a table that is
            only looked up in, of the rows that the batch names.
        steps: the lengths of the steps the losses would make.
    """

    size: str
    count: str
    steps: Names


@dataclass(frozen=True)
class Compared:
    """Likewise of a weight, all of its uses together.

    Attributes:
        norms: the lengths of the losses' gradients.
        cosines: of each two of them, by their numbers.
    """

    norms: Names
    cosines: Mapping[tuple[int, int], str]


@dataclass(frozen=True)
class LensStep:
    """A program that looks, and the names of what it gives.

    Attributes:
        losses: the outputs' endpoint keys.
        values: by tap, the length of a value and how many numbers it has.
        signals: by tap, of floats only, the lengths of the losses' gradients by it.
        uses: of each weight as a call uses it, if a loss reaches it there.
        layers: of each layer's weights that a loss reaches.
        resting: the trained weights no loss reaches, as calls use them.
    """

    step: Step
    losses: tuple[str, ...]
    values: Mapping[Tap, tuple[str, str]]
    signals: Mapping[Tap, Names]
    uses: Mapping[tuple[Path, str], Measured]
    layers: Mapping[LayerId, Sequence[Compared]]
    resting: tuple[tuple[Path, str], ...]

    @property
    def program(self) -> Program:
        return self.step.program

    @property
    def variables(self) -> Mapping[str, Variable]:
        return self.step.variables


def build_lens(
    document: Document, weighted: Weighted = frozenset(), one_hots: Placed = frozenset()
) -> LensStep:
    """The program of a look; its arguments are those of `studio.train.step.build_step`.

    Raises:
        ProblemError: what keeps the document from being lowered or differentiated.
    """
    raise_first(document.plan.optimizer.problems())
    lowered = lower(document, True, one_hots, apart=True)
    parts = Losses(document, lowered, weighted)
    return _Looking(document, lowered, parts).done()


@dataclass
class _Looking:
    document: Document
    lowered: Lowered
    parts: Losses
    update: Update = field(default_factory=Update)
    given: dict[str, Value] = field(default_factory=dict)  # what the program gives
    joined: Joined = field(default_factory=Joined)

    def done(self) -> LensStep:
        lowered, parts = self.lowered, self.parts
        weighted = parts.weighted()
        taps = {Tap(*place): value for place, value in lowered.values.items()}
        floats = {tap: v for tap, v in taps.items() if v.dtype.startswith("float")}
        try:
            back = self._back(weighted.values(), floats.values())
        except ProblemError:  # before all weights something has no gradient: training asks for none
            active = reached(self.op.nodes, {use.value.name for use in lowered.uses.values()})
            floats = {tap: v for tap, v in floats.items() if v.name in active}
            back = self._back(weighted.values(), floats.values())
        writers = {output: node for node in self.op.nodes for output in node.outputs}
        self._scalars()
        signals = {tap: self._lengths([b[v.name] for b in back]) for tap, v in floats.items()}
        values = {tap: self._value(value) for tap, value in taps.items()}
        uses: dict[tuple[Path, str], Measured] = {}
        layers: dict[LayerId, list[Compared]] = {}
        for name, variable in lowered.variables.items():
            mine = {place: use for place, use in lowered.uses.items() if use.variable == name}
            arriving = {p: [b[use.value.name] for b in back] for p, use in mine.items()}
            arriving = {p: found for p, found in arriving.items() if any(found)}
            if arriving:
                with self.op.at("", f"lens/{name}"):
                    measured = _Weight(self, name, variable, arriving, writers)
                    uses |= measured.uses()
                    layers.setdefault(variable.layer, []).append(measured.compared())
        for place, steps in self._joined_steps().items():
            uses[place] = replace(uses[place], steps=steps)
        return LensStep(
            self._step(list(parts.losses.values())),
            tuple(weighted),
            values,
            signals,
            uses,
            layers,
            tuple(place for place in lowered.uses if place not in uses),
        )

    @property
    def op(self) -> Builder:
        return self.lowered.op

    @property
    def optimizer(self) -> Optimizer:
        return self.document.plan.optimizer

    def scalar(self, value: Value) -> str:
        """The name of a value that the program is to give."""
        self.given[value.name] = value
        return value.name

    def length(self, value: Value) -> str:
        """The name of its length."""
        found: Value = self.op.ReduceL2(value, keepdims=0)
        return self.scalar(found)

    def count(self, value: Value) -> str:
        """The name of how many numbers it has."""
        found: Value = self.op.Size(value)
        return self.scalar(found)

    def _back(
        self, losses: Iterable[Value], values: Iterable[Value]
    ) -> list[dict[str, Value | None]]:
        """The gradients of each loss by these values and all uses of weights, by their names."""
        op, uses = self.op, (use.value for use in self.lowered.uses.values())
        wrt, found = list(dict.fromkeys((*values, *uses))), list[dict[str, Value | None]]()
        for loss in losses:
            with op.at("", "lens"):
                gradients = differentiate(op, {loss: op.const(1.0, loss.dtype)}, wrt)
            found.append({value.name: g for value, g in zip(wrt, gradients, strict=True)})
        return found

    def _lengths(self, values: Sequence[Value | None]) -> Names:
        with self.op.at("", "lens"):
            return tuple(self.length(value) if value else "" for value in values)

    def _value(self, value: Value) -> tuple[str, str]:
        with self.op.at("", "lens"):
            plain = value.dtype.startswith("float")
            wide = value if plain else self.op.Cast(value, to="float32")
            return self.length(wide), self.count(value)

    def _joined_steps(self) -> dict[tuple[Path, str], Names]:
        """The lengths of the steps of small weights."""
        with self.op.at("", "lens"):
            found = self.joined.changes(self.op, self.optimizer, self.rate, self.number)
        return {place: self._lengths(changes) for place, changes in found.items()}

    def _scalars(self) -> None:
        """The learning rate and the number of the step."""
        for name in (RATE, STEP):
            self.op.input(name, Spec("float32", ()))
        with self.op.at("", "lens"):
            now = turn(self.op, self.optimizer, self.op.value(STEP))
        self.rate, self.number = self.op.value(RATE), now.number if now else self.op.value(STEP)

    def _step(self, losses: Sequence[Value]) -> Step:
        """The program, which leaves every state as it is."""
        program = self.op.program([*losses, *self.given.values()])
        states = tuple(replace(state, output=state.input) for state in program.state)
        program = replace(program, state=states)
        step = described(program, self.lowered, self.parts, self.update)
        return replace(step, outputs={})


class _Weight:
    """What is measured of one weight: by its uses, and all of them together.

    Of a table that is only looked up in, the rows that are named are worked on, and no others: it
    may have a million.
    """

    def __init__(
        self,
        looking: _Looking,
        name: str,
        variable: Variable,
        arriving: Mapping[tuple[Path, str], Sequence[Value | None]],
        writers: Mapping[str, Node],
    ) -> None:
        self.looking, self.op, self.name = looking, looking.op, name
        self.weight, self.arriving = variable.value, arriving
        self.slots = self._kept()
        self.pairs = self._looked_up(writers)
        self.lag = self._lag() if self.pairs and looking.optimizer.lazy() else None

    def uses(self) -> dict[tuple[Path, str], Measured]:
        """Of each call that uses it; of small weights without the steps, which come `joined`."""
        if self.pairs:
            return {place: self._by_rows(found) for place, found in self.pairs.items()}
        size, count = self.looking.length(self.weight), self.looking.count(self.weight)
        if Joined.takes(self.looking.optimizer, self.weight):
            for place, gradients in self.arriving.items():
                self.looking.joined.add(place, self.weight, self.slots, gradients)
            return dict.fromkeys(self.arriving, Measured(size, count, ()))
        alone = self._alone(self.weight, self.slots)
        return {
            place: Measured(size, count, self._steps(alone, gradients))
            for place, gradients in self.arriving.items()
        }

    def compared(self) -> Compared:
        """Of all calls together."""
        totals, op = self._totals(), self.op
        norms = tuple(self.looking.length(g) if g else "" for g in totals)
        reaching = [(k, g, n) for k, (g, n) in enumerate(zip(totals, norms, strict=True)) if g]
        units = {
            k: op.Reshape(op.Div(g, op.Max(op.value(n), 1e-30)), _LINE)
            for k, g, n in reaching
            if len(reaching) > 1
        }
        cosines = {}
        for i, j in ((i, j) for i in units for j in units if j < i):
            product = op.MatMul(op.Reshape(units[i], _ROW), op.Reshape(units[j], _COLUMN))
            cosines[i, j] = self.looking.scalar(op.Reshape(product, _NOTHING))
        return Compared(norms, cosines)

    # -- inside ----------------------------------------------------------------------------------

    def _kept(self) -> dict[str, Value]:
        """What the optimizer keeps of it, by its own names."""
        optimizer, found = self.looking.optimizer, dict[str, Value]()
        for slot in optimizer.slots():
            state = f"{self.name}/{slot}"
            self.looking.update.slots[state] = (self.name, slot)
            found[slot] = self.op.state(state, self.weight.spec, Role.SLOT)
        return found

    def _lag(self) -> tuple[Value, Value]:
        """How many updates the table has had, and after which one each row was written."""
        decay = self.looking.optimizer.lazy() or {}
        found = Lagging(f"{self.name}/clock", f"{self.name}/touched", decay)
        self.looking.update.lags[self.name] = found
        clock = self.op.state(found.clock, Spec("int32", ()), Role.COUNTER)
        shape = self.weight.shape[:1]
        return clock, self.op.state(found.touched, Spec("int32", shape), Role.COUNTER)

    def _alone(self, weight: Value, slots: Mapping[str, Value]) -> Alone:
        looking = self.looking
        return Alone(self.op, looking.optimizer, weight, slots, looking.rate, looking.number)

    def _steps(self, alone: Alone, gradients: Sequence[Value | None]) -> Names:
        return tuple(self.looking.length(alone.change(g)) if g else "" for g in gradients)

    def _looked_up(
        self, writers: Mapping[str, Node]
    ) -> dict[tuple[Path, str], list[Sequence[Value]]]:
        """For each use and loss, indices and what arrives there; empty where more is done."""
        if not self.looking.optimizer.by_number:
            return {}
        found = {}
        for place, gradients in self.arriving.items():
            found[place] = [rows(self.op, writers, g) if g else [] for g in gradients]
            if any(g and not p for g, p in zip(gradients, found[place], strict=True)):
                return {}
        return found

    @property
    def _size(self) -> int:
        return int(self.weight.shape[0])

    def _by_rows(self, pairs: Sequence[Sequence[Value]]) -> Measured:
        """Of one use, whichever rows each loss reaches."""
        steps, size, count = list[str](), "", ""
        for parts in pairs:
            if not parts:
                steps.append("")
                continue
            found = looked(self.op, parts, self._size)
            named = Rows.named(self.op, found.indices, self._size)
            weight = named.of(self.op, self.weight)
            alone = self._alone(weight, self._kept_of(named))
            change = alone.change(named.summed(self.op, found.arriving))
            steps.append(self.looking.length(change))
            if not size:
                size = self.looking.length(named.once(self.op, weight))
                count = self.looking.scalar(named.count(self.op, weight))
        return Measured(size, count, tuple(steps))

    def _kept_of(self, named: Rows) -> dict[str, Value]:
        """What the optimizer keeps of some rows, with what they have missed made up for."""
        op, found = self.op, {s: named.of(self.op, value) for s, value in self.slots.items()}
        if self.lag is None:
            return found
        clock, touched = self.lag
        missed = op.Cast(op.Sub(clock, named.of(op, touched)), to=self.weight.dtype)
        for slot, decay in (self.looking.optimizer.lazy() or {}).items():
            factor = op.Pow(op.const(decay, self.weight.dtype), missed)
            found[slot] = op.Mul(found[slot], op.Unsqueeze(factor, np.array([1], np.int64)))
        return found

    def _totals(self) -> list[Value | None]:
        """The whole gradient of each loss; of a table by the same rows for each."""
        each = list(zip(*self.arriving.values(), strict=True))
        if not self.pairs:
            return [_total(self.op, [g for g in gradients if g]) for gradients in each]
        summed = [_by_indices(self.op, parts) for parts in zip(*self.pairs.values(), strict=True)]
        like = {name: pair for found in summed for name, pair in found.items()}
        return [self._total_of_rows(found, like) if found else None for found in summed]

    def _total_of_rows(self, found: "_Pairs", like: "_Pairs") -> Value:
        op, parts = self.op, list[Value]()
        for name, (indices, other) in like.items():
            arriving = found[name][1] if name in found else op.Mul(other, 0.0)
            parts += [indices, arriving]
        line = looked(op, parts, self._size)
        return Rows.named(op, line.indices, self._size).summed(op, line.arriving)


_Pairs = dict[str, tuple[Value, Value]]  # by the name of indices, them and what arrives there


def _by_indices(op: Builder, uses: Sequence[Sequence[Value]]) -> _Pairs:
    """What arrives at a table in all of its uses, summed where the indices are the same."""
    found: _Pairs = {}
    for pairs in uses:
        for indices, arriving in zip(pairs[::2], pairs[1::2], strict=True):
            if indices.name in found:
                arriving = op.Add(found[indices.name][1], arriving)
            found[indices.name] = indices, arriving
    return found


def _total(op: Builder, values: Sequence[Value]) -> Value | None:
    found: Value | None = None
    for value in values:
        found = value if found is None else op.Add(found, value)
    return found
