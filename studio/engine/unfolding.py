"""What a file's operators come to on inputs of these shapes: shapes followed, branches chosen.

A file works out sizes as it runs: a Reshape's target from a Shape, which branch an If takes, how
often a Loop runs. With symbols for sizes that cannot be followed, so it is tried with numbers for
them, twice: what is the same both times is so always, what differs is a size.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import combinations_with_replacement

import numpy as np

from studio.engine.careful_trial import CarefulTrial
from studio.engine.program import OPSET, Array, Attribute, Dim, Node, Program, Spec
from studio.limits import ONNX_NODES
from studio.problem import ProblemError, refuse

_SMALL = 64  # numbers that may stand for the nodes that make them
# Pairs of sizes that are no multiples of each other's; the coarse ones can be halved five times.
_BATCH = (5, 11)
_STEPS = ((3, 5), (5, 8), (7, 9), (10, 11), (12, 17), (14, 19))
_SCALES = (32, 8, 1)

Pair = tuple[int, int]


@dataclass(frozen=True)
class Straight:
    """Operators one after another, without branches and loops.

    Attributes:
        nodes: in order.
        consts: the constants of the file, and what was worked out of sizes.
        specs: of every value, sizes by the symbols of the inputs.
    """

    nodes: tuple[Node, ...]
    consts: Mapping[str, Array]
    specs: Mapping[str, Spec]


def unfolded(
    nodes: Sequence[Node],
    consts: Mapping[str, Array],
    outputs: Sequence[str],
    given: Mapping[str, Spec],
) -> Straight:
    """The operators for inputs, and weights, like `given`.

    Raises:
        ValueError: an operator does not fit, or a branch or a loop depends on what is fed.
        ProblemError: ``onnx_operator``, when a loop is too long.
    """
    problem: ProblemError | None = None
    for scale in _SCALES:
        walk = _Walk(_numbers(given, scale), given, outputs)
        try:
            return walk.through(nodes, consts)
        except ProblemError as error:
            if error.problems[0].code != "operator_refused":
                raise
            problem = problem or error
    assert problem is not None
    about = problem.problems[0].args
    raise ValueError(f"{about['operator']}: {about['reason']}")


def _numbers(given: Mapping[str, Spec], scale: int) -> dict[str, Pair]:
    """Two sizes for each symbol; the first axes', of which any number may come, are small."""
    first = {spec.shape[0] for spec in given.values() if spec.rank}
    found, steps = dict[str, Pair](), iter(_STEPS)
    for symbol in dict.fromkeys(d for spec in given.values() for d in spec.shape):
        if isinstance(symbol, str):
            if symbol in first and _BATCH not in found.values():
                found[symbol] = _BATCH
            else:
                low, high = next(steps, (len(found) + 23, 2 * len(found) + 29))
                found[symbol] = (low * scale, high * scale)
    return found


@dataclass
class _Walk:
    """The operators walked through once, with two sizes for each symbol."""

    sizes: Mapping[str, Pair]
    given: Mapping[str, Spec]
    outputs: Sequence[str]
    trials: tuple[CarefulTrial, CarefulTrial] = field(init=False)
    nodes: list[Node] = field(default_factory=list)
    consts: dict[str, Array] = field(default_factory=dict)
    copies: int = 0  # of the insides of branches and loops
    taken: int = 0  # operators looked at, among them those whose results are known

    def __post_init__(self) -> None:
        first, second = (
            CarefulTrial({name: self._concrete(spec, i) for name, spec in self.given.items()})
            for i in (0, 1)
        )
        self.trials = first, second

    def _concrete(self, spec: Spec, i: int) -> Spec:
        shape = tuple(self.sizes[d][i] if isinstance(d, str) else d for d in spec.shape)
        return Spec(spec.dtype, shape)

    def through(self, nodes: Sequence[Node], consts: Mapping[str, Array]) -> Straight:
        for name, array in consts.items():
            self._const(name, array)
        for node in nodes:
            self._take(node)
        first, second = (trial.specs for trial in self.trials)
        specs = {
            name: Spec(spec.dtype, tuple(map(self._named, spec.shape, second[name].shape)))
            for name, spec in first.items()
            if name in second and spec.rank == second[name].rank
        }
        return Straight(tuple(self.nodes), self.consts, {**specs, **self.given})

    def _const(self, name: str, array: Array) -> None:
        self.consts[name] = array
        for trial in self.trials:
            trial.const(name, array)

    def _take(self, node: Node) -> None:
        self.taken += 1
        if self.taken > ONNX_NODES:
            raise refuse("onnx_operator", operator="Loop", opset=OPSET)
        match node.op:
            case "If":
                self._branch(node)
            case "Loop":
                self._loop(node)
            case _:
                self._plain(node)

    def _plain(self, node: Node) -> None:
        """One operator, or the numbers it gives where they are few and always the same."""
        for trial in self.trials:
            trial.take(node)
        found = {name: self._known(name) for name in node.outputs if name}
        small = all(a is not None and a.size <= _SMALL for a in found.values())
        if small and not set(self.outputs).intersection(found):
            self.consts |= {name: array for name, array in found.items() if array is not None}
        else:
            self.nodes.append(node)

    def _known(self, name: str) -> Array | None:
        """The value that a name has whatever the sizes; None where that depends."""
        first, second = (trial.known.get(name) for trial in self.trials)
        if first is None or second is None or first.shape != second.shape:
            return None
        return first if np.array_equal(first, second, equal_nan=first.dtype.kind == "f") else None

    def _decided(self, node: Node, name: str) -> Array:
        """A value that a branch or a loop depends on.

        Raises:
            ValueError: it depends on what is fed, or on sizes that may be any.
        """
        found = self._known(name)
        if found is None:
            raise ValueError(f"{node.op}: it depends on what is fed, or on a size that may be any")
        return found

    def _branch(self, node: Node) -> None:
        """The branch that is always taken."""
        held = bool(self._decided(node, node.inputs[0]))
        body = node.attrs["then_branch" if held else "else_branch"]
        assert isinstance(body, Program)
        results = self._inside(body, {})
        for name, result in zip(node.outputs, results, strict=True):
            if name:
                self._plain(Node("Identity", (result,), (name,), {}, node.source))

    def _loop(self, node: Node) -> None:
        """Its steps one after another; what each gives is stacked at the end."""
        body = node.attrs["body"]
        assert isinstance(body, Program)
        most, condition, *carried = node.inputs
        count = int(self._decided(node, most)) if most else ONNX_NODES
        goes_on = bool(self._decided(node, condition)) if condition else True
        kept = len(carried)
        gathered: list[list[str]] = [[] for _ in body.outputs[1 + kept :]]
        step = 0
        while goes_on and step < count:
            number = f"{node.outputs[0] or node.outputs[-1]}/step {step}"
            self._const(number, np.array(step, np.int64))
            self._const(f"{number}/goes on", np.array(True))
            names = (number, f"{number}/goes on", *carried)
            goes, *results = self._inside(body, dict(zip(body.inputs, names, strict=True)))
            carried = results[:kept]
            for pile, result in zip(gathered, results[kept:], strict=True):
                pile.append(result)
            goes_on, step = bool(self._decided(node, goes)), step + 1
        for name, result in zip(node.outputs, carried, strict=False):
            if name:
                self._plain(Node("Identity", (result,), (name,), {}, node.source))
        for name, pile in zip(node.outputs[kept:], gathered, strict=True):
            if name:
                self._stack(node, name, pile)

    def _stack(self, node: Node, name: str, pile: Sequence[str]) -> None:
        if not pile:
            raise ValueError(f"{node.op}: it never runs, so that what it gives has no shape")
        self._const(f"{name}/axis", np.array([0], np.int64))
        slices = [f"{name}/{i}" for i in range(len(pile))]
        for result, piece in zip(pile, slices, strict=True):
            self._plain(Node("Unsqueeze", (result, f"{name}/axis"), (piece,), {}, node.source))
        self._plain(Node("Concat", tuple(slices), (name,), {"axis": 0}, node.source))

    def _inside(self, body: Program, names: Mapping[str, str]) -> list[str]:
        """A copy of what is inside a branch or a loop; gives its outputs."""
        self.copies += 1
        own = {*body.consts, *(o for node in body.nodes for o in node.outputs if o)}
        renaming = {name: f"{name}/{self.copies}" for name in own} | dict(names)
        for name, array in body.consts.items():
            self._const(renaming[name], array)
        for node in body.nodes:
            self._take(renamed(node, renaming))
        return [renaming.get(name, name) for name in body.outputs]

    def _named(self, first: Dim, second: Dim) -> Dim:
        """A size by the symbols of the inputs, from what it is for two sizes of each."""
        assert isinstance(first, int) and isinstance(second, int)
        if first == second:
            return first
        for symbol, pair in self.sizes.items():
            times, rest = _line(pair, (first, second))
            if rest == 0 and times > 0:
                return _times(symbol, times)
        for a, b in combinations_with_replacement(self.sizes, 2):
            product = self.sizes[a][0] * self.sizes[b][0], self.sizes[a][1] * self.sizes[b][1]
            times, rest = _line(product, (first, second))
            if rest == 0 and times.denominator == 1:
                return _times(f"{a}*{b}", times)
        for symbol, pair in self.sizes.items():
            times, rest = _line(pair, (first, second))
            if times.denominator == rest.denominator == 1 and times > 0:
                return f"{_times(symbol, times)}{int(rest):+d}"
        return f"size_{first}_{second}"  # equal sizes are called alike


def _line(sizes: Pair, found: Pair) -> tuple[Fraction, Fraction]:
    """What a size is multiplied with, and what is added, to come to another, both times."""
    times = Fraction(found[1] - found[0], sizes[1] - sizes[0])
    return times, found[0] - times * sizes[0]


def _times(symbol: str, factor: Fraction) -> str:
    above = symbol if factor.numerator == 1 else f"{factor.numerator}*{symbol}"
    return above if factor.denominator == 1 else f"{above}/{factor.denominator}"


def renamed(node: Node, names: Mapping[str, str]) -> Node:
    """A node with other names for values, also for those that programs inside it read."""

    def attr(value: Attribute) -> Attribute:
        if not isinstance(value, Program):
            return value
        inner = tuple(renamed(n, names) for n in value.nodes)
        return replace(value, nodes=inner, outputs=tuple(names.get(n, n) for n in value.outputs))

    return replace(
        node,
        inputs=tuple(names.get(name, name) for name in node.inputs),
        outputs=tuple(names.get(name, name) for name in node.outputs),
        attrs={key: attr(value) for key, value in node.attrs.items()},
    )


def flat(nodes: Sequence[Node]) -> list[Node]:
    """The operators with those inside branches and loops among them, for who asks what reads what.

    What goes in and comes out is passed on by an Identity; each inside stands there once.
    """
    found = list[Node]()
    for node in nodes:
        bodies = [value for value in node.attrs.values() if isinstance(value, Program)]
        for body in bodies:
            fed = node.inputs[-len(body.inputs) :] if body.inputs else ()
            pairs = zip(body.inputs, fed, strict=False)
            found += [Node("Identity", (outer,), (inner,)) for inner, outer in pairs if outer]
            found += flat(body.nodes)
            given = body.outputs[-len(node.outputs) :]
            found += [
                Node("Identity", (inner,), (outer,))
                for inner, outer in zip(given, node.outputs, strict=False)
                if outer
            ]
        if not bodies:
            found.append(node)
    return found
