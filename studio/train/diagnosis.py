"""Where in a step NaN or infinity arose: the step is run once more, value by value.

Q: Why not just the first value in program order that is not finite?
A: Infinity is a number like others where it does no harm: a mask before a softmax, the start of a
   maximum. So what came out wrong, the loss or a weight, is traced back through values that are
   not finite to those that only finite ones went into; the first of these is where it arose.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from studio.document.model import Document, Path
from studio.engine.interpreter import interpreted
from studio.engine.operator import table
from studio.engine.program import Array, Node, Program
from studio.train.events import Where
from studio.train.places import Places
from studio.train.step import Step
from studio.train.trainer import symbols
from studio.train.update import RATE

_EACH_STEP = 4  # axes of what a recurrent node gives at each step: time, direction, batch, units

Place = tuple[int, ...]  # of a number in an array


@dataclass(frozen=True)
class Origin:
    """Where it arose; the parts are those of `studio.train.events.Hit`."""

    where: Where
    value: float
    place: Path = ()
    layer: str = ""
    operator: str = ""
    weight: str = ""
    output: str = ""
    sample: int | None = None
    time: int | None = None


@dataclass(frozen=True)
class _Bad:
    """A value with a number that is not finite.

    Attributes:
        node: the number of the node that gives it; -1 where it was fed or kept.
        at: the first such number; of what is computed from the last step to the first, the last.
    """

    name: str
    node: int
    at: Place
    value: float


def finite(array: Array) -> bool:
    """Whether all of its numbers are; nearly always by one product, which is fast."""
    if array.dtype.kind != "f":
        return True
    flat = array.reshape(-1)
    with np.errstate(all="ignore"):
        return bool(math.isfinite(np.dot(flat, flat)) or np.isfinite(flat).all())


def diagnosed(
    document: Document, step: Step, feeds: Mapping[str, Array], states: Mapping[str, Array]
) -> Origin | None:
    """Where it arises in this step; None where the step gives nothing that is not finite.

    Args:
        document: what the step is of.
        step: of training.
        feeds: what it is fed.
        states: what it starts from.
    """
    found = _walk(step.program, feeds, states)
    roots = _roots(step, found)
    if not roots:
        return None
    first = min(roots, key=lambda name: found[name].node)
    told = _Telling(document, step, symbols(step.program, feeds), found)
    return told.origin(found[first], roots[first])


def strongest(
    document: Document, step: Step, feeds: Mapping[str, Array], states: Mapping[str, Array]
) -> Origin:
    """The weight with the longest gradient in this step, and the sample with the largest loss."""
    gradients = {name: state for state, name in step.gradients.items()}
    outputs = {name: key for key, name in step.origins.each.items()}
    norms: dict[str, float] = {}
    largest = -math.inf
    spot: Place = ()
    for _, _, values in interpreted(step.program, feeds, states):
        for name in values.keys() & gradients.keys():
            norms[gradients[name]] = float(np.linalg.norm(values[name].astype(np.float64)))
        for name in values.keys() & outputs.keys():
            costs = values[name] * feeds[step.scales[outputs[name]]]
            if costs.size and (cost := float(costs.max())) > largest:
                at = np.unravel_index(int(costs.argmax()), costs.shape)
                largest, spot = cost, tuple(map(int, at))
    state, norm = max(norms.items(), key=lambda found: found[1])
    sample, time = (*spot[:2], None, None)[:2]
    about = Places(document, step).of_weight(state)
    return Origin("backward", norm, sample=sample, time=time, **about)


def _walk(
    program: Program, feeds: Mapping[str, Array], states: Mapping[str, Array]
) -> dict[str, _Bad]:
    """Every value that is not finite throughout, by name, in program order."""
    given = {name: np.asarray(a) for name, a in {**feeds, **states}.items()}
    found = {name: bad for name, a in given.items() if (bad := _bad(name, -1, a, False))}
    for number, node, values in interpreted(program, feeds, states):
        for name, array in values.items():
            array = _one_way(node, array)
            if bad := _bad(name, number, array, _from_the_end(node)):
                found[name] = bad
    return found


def _bad(name: str, node: int, array: Array, last: bool) -> _Bad | None:
    if finite(array):
        return None
    places = np.flatnonzero(~np.isfinite(array))
    at = np.unravel_index(places[-1 if last else 0], array.shape)
    return _Bad(name, node, tuple(map(int, at)), float(array[at]))


def _from_the_end(node: Node) -> bool:
    """Whether a node goes through its steps from the last to the first."""
    backwards = node.attrs.get("direction") == "reverse"
    return _recurrent(node) and (node.op.endswith("Grad") != backwards)


def _one_way(node: Node, array: Array) -> Array:
    """What a node that goes both ways gives on the way there, if that is not finite already."""
    if node.attrs.get("direction") != "bidirectional" or array.ndim != _EACH_STEP:
        return array
    there = array[:, :1]
    return array if finite(there) else there


def _recurrent(node: Node) -> bool:
    return node.op.removesuffix("Training").removesuffix("Grad") in ("LSTM", "GRU", "RNN")


def _roots(step: Step, found: Mapping[str, _Bad]) -> dict[str, str]:
    """What only finite values went into, with the end each was traced back from.

    The loss says enough, where it is not finite; else what states become, one after the other.
    """
    states = [s.output for s in step.program.state if s.output != s.input]
    ends = [step.total] if step.total in found else [name for name in states if name in found]
    roots: dict[str, str] = {}
    seen: set[str] = set()
    for end in ends:
        waiting = [end]
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            node = found[name].node
            inputs = step.program.nodes[node].inputs if node >= 0 else ()
            behind = [i for i in inputs if i in found]
            waiting += behind
            if not behind:
                roots.setdefault(name, end)
    return roots


class _Telling:
    """Says of a value of a step where it is, in the words of the canvas."""

    def __init__(
        self,
        document: Document,
        step: Step,
        sizes: Mapping[str, int],
        found: Mapping[str, _Bad],
    ) -> None:
        self.step, self.sizes, self.found = step, sizes, found
        self.places = Places(document, step)
        self.plain = {o.training: o.name for o in table().values() if o.training}

    def origin(self, bad: _Bad, end: str) -> Origin:
        """All about a value from which the trouble came, which ended at `end`."""
        if bad.node < 0:
            return self._fed(bad)
        node, origins = self.step.program.nodes[bad.node], self.step.origins
        where: Where = "update"
        about: dict[str, Any] = {}
        if bad.node >= origins.update:
            about = self._of_weight(self._state(end))
        elif bad.node >= origins.gradient:
            where, about = "backward", self.places.of_node(origins.back.get(bad.node, -1))
            about = about or self._of_weight(self._state(end))
            if weight := self._weight_of_gradient(bad.name):
                about |= {"weight": weight}
        else:
            where = "loss" if bad.node >= origins.losses else "forward"
            about = self.places.of_node(bad.node)
        operator = self.plain.get(node.op, node.op)
        sample, time = self._spot(bad, node, about.get("place", ()))
        return Origin(where, bad.value, operator=operator, sample=sample, time=time, **about)

    def _fed(self, bad: _Bad) -> Origin:
        """Of what a step started from: data, or weights."""
        step, name = self.step, bad.name
        for call, fed in step.inputs.items():
            if fed == name:
                about = self.places.named((call,))
                time = bad.at[1] if len(bad.at) == 3 else None
                return Origin("input", bad.value, sample=bad.at[0], time=time, **about)
        kinds: tuple[tuple[Where, Mapping[str, str]], ...] = (
            ("target", step.targets),
            ("sample_weight", step.weights),
        )
        for where, names in kinds:
            for key, fed in names.items():
                if fed == name:
                    about = self.places.of_output(key)
                    time = bad.at[1] if self._steps(key) and len(bad.at) > 1 else None
                    return Origin(where, bad.value, sample=bad.at[0], time=time, **about)
        if name in step.variables or name in step.slots:
            return Origin("weights", bad.value, **self._of_weight(name))
        if key := next((key for key, fed in step.scales.items() if fed == name), ""):
            return Origin("loss", bad.value, **self.places.of_output(key))  # its weight
        return Origin("update" if name == RATE else "", bad.value)

    def _state(self, end: str) -> str:
        """The state that becomes a value; none where it is the loss."""
        return next((s.input for s in self.step.program.state if s.output == end), "")

    def _of_weight(self, state: str) -> dict[str, Any]:
        """A weight, or what is kept beside it, by the state's name."""
        name = self.step.slots[state][0] if state in self.step.slots else state
        return self.places.of_weight(name)

    def _weight_of_gradient(self, name: str) -> str:
        """The weight a value is the gradient of, as its layer calls it; empty if of none."""
        step = self.step
        state = next((s for s, gradient in step.gradients.items() if gradient == name), "")
        return step.variables[state].weight.name if state else ""

    def _steps(self, output: str) -> bool:
        """Whether an output is a sequence."""
        return self.step.specs[output][1].rank == 3

    # -- samples and steps -----------------------------------------------------------------------

    def _spot(self, bad: _Bad, node: Node, place: Path) -> tuple[int | None, int | None]:
        """Which sample and which step of it."""
        if by_steps := _recurrent(node) and node.outputs[0] in self.found:
            bad = self.found[node.outputs[0]]  # what it gives at each step
        names = dict(self._axes(bad))
        sample, time = names.get("sample"), names.get("time")
        shape = self.step.program.specs[bad.name].shape
        if by_steps:
            time = bad.at[0]
        if time is None and len(shape) == 3 and shape in self._shapes(place):
            time = bad.at[1]
        if time is None and sample is not None:
            time = self._time_of_result(place, sample)
        return sample, time

    def _axes(self, bad: _Bad) -> Iterator[tuple[str, int]]:
        """What the first number of a batch's axis says; time may be folded into it."""
        for at, dim in zip(bad.at, self.step.program.specs[bad.name].shape, strict=True):
            if dim == "batch":
                yield "sample", at
            elif isinstance(dim, str) and "batch" in (parts := dim.split("*")):
                sizes = [self.sizes[p] if p in self.sizes else int(p) for p in parts]
                numbers = dict(zip(parts, map(int, np.unravel_index(at, sizes)), strict=True))
                yield "sample", numbers.pop("batch")
                if len(numbers) == 1:
                    yield "time", next(iter(numbers.values()))

    def _shapes(self, place: Path) -> list[tuple[int | str, ...]]:
        """Of what leaves a call, if those are sequences."""
        return [self.step.program.specs[name].shape for name in self.places.values(place)]

    def _time_of_result(self, place: Path, sample: int) -> int | None:
        """The first step of what leaves the call that is not finite in the same sample."""
        for name in self.places.values(place):
            shape = self.step.program.specs[name].shape
            bad = self.found.get(name)
            if bad and len(shape) == 3 and shape[0] == "batch" and bad.at[0] == sample:
                return bad.at[1]
        return None
