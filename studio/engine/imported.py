"""What an ONNX file computes, as operators of the table: a value that layers are made of.

`onnx_reader` makes it from a file's text; here nothing knows of protobuf.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

from studio.engine.builder import Builder, Value
from studio.engine.gradient import differentiate
from studio.engine.operator import operator
from studio.engine.program import Array, Node, Spec
from studio.engine.unfolding import Straight, flat, unfolded
from studio.problem import ProblemError, refuse

MOVES = {"Identity", "Cast", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten"}
_CARRIES = MOVES | {"Concat", "Expand", "Gather", "Pad", "Slice", "Split", "Tile"}
_STATISTICS = {"BatchNormalization": (3, 4)}
_TRIES = 200_000  # operators differentiated until all is frozen that may have to be
_KEPT = 16  # sets of inputs for which what a file comes to is remembered


@dataclass(frozen=True)
class Imported:
    """What a file computes.

    Attributes:
        inputs: what is fed, with what the file says of its shape.
        outputs: what is given back.
        nodes: the operators in order, as `Program.nodes`; an If and a Loop hold theirs.
        consts: the arrays that never change.
        weights: the spec of each array that training may change, and of running statistics.
        frozen: the weights it may not, with the reason: the operator without a gradient, or
            ``statistics``.
    """

    inputs: Mapping[str, Spec]
    outputs: tuple[str, ...]
    nodes: tuple[Node, ...]
    consts: Mapping[str, Array]
    weights: Mapping[str, Spec]
    frozen: Mapping[str, str]
    _stuck: dict[tuple[tuple[str, Spec], ...], Mapping[str, str]] = field(
        default_factory=dict, repr=False, compare=False
    )
    _found: dict[tuple[tuple[str, Spec], ...], Straight | ValueError] = field(
        default_factory=dict, repr=False, compare=False
    )

    def straight(self, given: Mapping[str, Spec]) -> Straight:
        """What it comes to on inputs and weights like these.

        Raises:
            ValueError: the inputs do not fit.
            ProblemError: a loop is too long; ``onnx_batch``.
        """
        key = tuple(given.items())
        if key not in self._found:
            if len(self._found) >= _KEPT:
                self._found.clear()
            try:
                self._found[key] = self._unfolded(given)
            except ValueError as error:  # as long to find out as what it comes to, so kept
                self._found[key] = error
        found = self._found[key]
        if isinstance(found, ValueError):
            raise found
        return found

    def _unfolded(self, given: Mapping[str, Spec]) -> Straight:
        try:
            return unfolded(self.nodes, self.consts, self.outputs, given)
        except (ProblemError, MemoryError):
            raise
        except Exception as error:  # a kernel, of attributes and shapes that no exporter writes
            count = self._made_for(given) if isinstance(error, ValueError) else None
            if count is not None:
                raise refuse("onnx_batch", received=count) from error
            if isinstance(error, ValueError):
                raise
            raise ValueError(f"{type(error).__name__}: {error}") from error

    def _made_for(self, given: Mapping[str, Spec]) -> int | None:
        """The number of samples the file declares, where it is asked to take any."""
        for name, spec in self.inputs.items():
            first = spec.shape[0] if spec.shape else None
            if isinstance(first, int) and not isinstance(given[name].shape[0], int):
                return first
        return None

    def append(self, op: Builder, given: Mapping[str, Value], tell: bool = False) -> list[Value]:
        """The nodes once more, on these inputs and weights; gives the outputs.

        If `tell`, the source of each is its number among those it comes to.

        Raises:
            ValueError: the inputs do not fit.
            ProblemError: a loop is too long.
        """
        straight = self.straight({name: value.spec for name, value in given.items()})
        values = {name: op.const(array) for name, array in straight.consts.items()} | dict(given)
        for i, node in enumerate(straight.nodes):
            with op.at(str(i)) if tell else nullcontext():
                found = op.call(
                    node.op,
                    [values[name] if name else None for name in node.inputs],
                    outputs=len(node.outputs),
                    specs=_specs(node, straight.specs),
                    **node.attrs,
                )
            values |= {name: v for name, v in zip(node.outputs, found, strict=False) if name}
        return [values[name] for name in self.outputs]

    def frozen_on(self, given: Mapping[str, Spec]) -> Mapping[str, str]:
        """As `frozen`, and for want of a gradient in the form an operator has on inputs like these.

        Raises:
            ValueError: the inputs do not fit.
            ProblemError: a loop is too long; ``onnx_batch``.
        """
        key = tuple(given.items())
        if key not in self._stuck:
            if len(self._stuck) >= _KEPT:
                self._stuck.clear()
            try:
                self._stuck[key] = self._tried(given)
            except (ValueError, MemoryError):
                raise
            except Exception as error:  # a rule, of what no exporter writes
                raise ValueError(f"{type(error).__name__}: {error}") from error
        return self._stuck[key]

    def _tried(self, given: Mapping[str, Spec]) -> Mapping[str, str]:
        """Differentiate, and stop at what refuses, until nothing does."""
        straight, stops = self.straight(given), set[int]()
        while True:
            frozen = {**frozen_weights(straight.nodes, self.weights, self.outputs, stops)}
            frozen |= {n: why for n, why in self.frozen.items() if n not in frozen}
            op = Builder()
            values = {name: op.input(name, spec) for name, spec in given.items()}
            ends = [y for y in self.append(op, values, tell=True) if y.dtype.startswith("float")]
            try:
                differentiate(op, {y: y for y in ends}, [values[n] for n in self._free(frozen)])
            except ProblemError as error:
                place = int(error.problems[0].where)
                assert place not in stops, "an operator that is asked nothing refuses nothing"
                stops.add(place)
                if len(stops) * len(straight.nodes) > _TRIES:
                    return {**dict.fromkeys(self.weights, straight.nodes[place].op), **frozen}
            else:
                return frozen

    def _free(self, frozen: Mapping[str, str]) -> list[str]:
        return [name for name in self.weights if name not in frozen]

    def rows(self, name: str) -> int | None:
        """The fewest rows of the tables in which the integers of an input are looked up."""
        same, found = {name}, list[int]()
        for node in flat(self.nodes):
            moved = node.inputs if node.op == "Concat" else node.inputs[:1]
            if node.op in _CARRIES and not same.isdisjoint(moved):
                same.update(node.outputs)
            if node.op == "Gather" and node.inputs[1] in same and not node.attrs.get("axis", 0):
                table = self.weights.get(node.inputs[0])
                found += [int(table.shape[0])] if table else []
        return min(found, default=None)


def _specs(node: Node, known: Mapping[str, Spec]) -> list[Spec] | None:
    """What is known of a node's results, if it is of all."""
    found = [known.get(name) for name in node.outputs]
    told = [spec for spec in found if spec is not None]
    return told if len(told) == len(found) else None


def frozen_weights(
    nodes: Sequence[Node],
    weights: Mapping[str, Spec],
    outputs: Sequence[str],
    stuck: Collection[int] = (),
) -> dict[str, str]:
    """The weights that may not change, each with an operator without a gradient behind it.

    Those of a normalisation that are statistics have that for a reason. The operators of the
    numbers in `stuck` have none, whatever the table says.
    """
    wanted, stops = set(outputs), dict[str, str]()
    for i, node in reversed(list(enumerate(flat(nodes)))):
        if wanted.isdisjoint(node.outputs):
            continue
        wanted.update(node.inputs)
        rule = operator(node.op)
        if rule.constant:
            continue
        ahead = next((stops[name] for name in node.outputs if name in stops), "")
        smooth = (rule.gradient or rule.training) and i not in stuck
        stop = ahead or ("" if smooth else node.op)
        for place, name in enumerate(node.inputs):
            reason = stop or ("statistics" if place in _STATISTICS.get(node.op, ()) else "")
            if reason:
                stops.setdefault(name, reason)
    return {name: stops[name] for name in weights if name in stops}
