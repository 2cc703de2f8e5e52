"""Writes programs: ``op.MatMul(a, b)`` appends a node and returns its value."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from studio.engine import shapes
from studio.engine.program import Array, Attribute, Dim, Node, Program, Role, Spec, State
from studio.limits import TABLE_NUMBERS, VALUE_NUMBERS
from studio.problem import refuse


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the program under construction: its name, and what is known of it."""

    name: str
    spec: Spec

    @property
    def shape(self) -> tuple[Dim, ...]:
        return self.spec.shape

    @property
    def dtype(self) -> str:
        return self.spec.dtype

    @property
    def rank(self) -> int:
        return len(self.spec.shape)


Parts = Sequence[Value]


def expect_possible(spec: Spec) -> None:
    """Refuse what nothing computes, before anybody tries; open sizes count as one.

    Raises:
        ProblemError: ``value_too_large``.
    """
    count = prod(d for d in spec.shape if isinstance(d, int))
    if count > VALUE_NUMBERS:
        raise refuse("value_too_large", received=spec, count=count, expected=VALUE_NUMBERS)


def table(shape: Sequence[int], make: Callable[[], Array]) -> Array:
    """Constants of this shape, made if they are not too many.

    Raises:
        ProblemError: ``table_too_large``.
    """
    if (count := prod(shape)) > TABLE_NUMBERS:
        raise refuse("table_too_large", received=count, expected=TABLE_NUMBERS)
    return make()


class Builder:
    """A program under construction.

    Numbers given as operands become constants in the dtype of the first operand that is no
    condition, so ``op.Mul(x, 0.5)`` works in float32 and float64 alike; arrays keep theirs.
    """

    def __init__(self) -> None:
        self.inputs: list[Value] = []
        self.nodes: list[Node] = []
        self.consts: dict[str, Array] = {}
        self.specs: dict[str, Spec] = {}
        self.states: dict[str, State] = {}
        self.origins: dict[int, int] = {}  # of nodes on a way back, the node each goes back through
        self._interned: dict[tuple[str, tuple[int, ...], bytes], Value] = {}
        self._shape_of: dict[str, Value] = {}
        self._numbers: dict[str, int] = {}  # for each stem the first number that may be free
        self._source = ""
        self._stem = ""

    @classmethod
    def continuing(cls, program: Program) -> "Builder":
        """A builder that goes on where `program` ends."""
        op = cls()
        op.specs = dict(program.specs)
        op.inputs = [op.value(name) for name in program.inputs]
        op.nodes = list(program.nodes)
        op.consts = dict(program.consts)
        op.states = {state.input: state for state in program.state}
        return op

    def scan(
        self,
        step: "Callable[[Builder, Parts, Parts], tuple[Parts, Parts]]",
        states: Parts,
        sequences: Parts,
        backwards: bool = False,
    ) -> tuple[Parts, Parts]:
        """Append a loop over the first axis of `sequences`: ONNX's Scan.

        Args:
            step: given a builder, the states and one slice of each sequence, appends one step; it
                may read values appended before. Gives the new states, and the slices of results.
            states: before the first step.
            sequences: one axis more than what `step` is given of them.
            backwards: from the last slice to the first; the results stay in place.

        Returns:
            The states after the last step, and the results, each with the sequences' first axis.
        """
        name = self._fresh("Scan")
        inner = Builder()
        inner.specs, inner._stem = dict(self.specs), name
        starts = [inner.input(inner._fresh("state"), s.spec) for s in states]
        slices = [inner.input(inner._fresh("slice"), Spec(s.dtype, s.shape[1:])) for s in sequences]
        news, results = step(inner, starts, slices)
        outputs: list[Value] = []
        for value in (*news, *results):  # a graph's are all different, and none of its inputs
            again = value in outputs or value in inner.inputs or value.name in self.specs
            outputs.append(inner.Identity(value) if again else value)
        length = sequences[0].shape[:1]
        found = self.call(
            "Scan",
            (*states, *sequences),
            specs=[*(s.spec for s in states), *(Spec(r.dtype, length + r.shape) for r in results)],
            body=inner.program(outputs),
            num_scan_inputs=len(sequences),
            scan_input_directions=(int(backwards),) * len(sequences),
            scan_output_directions=(int(backwards),) * len(results),
        )
        return found[: len(states)], found[len(states) :]

    # -- values ---------------------------------------------------------------------------------

    def input(self, name: str, spec: Spec) -> Value:
        """A value fed at each run."""
        value = self._declare(name, spec)
        self.inputs.append(value)
        return value

    def state(self, name: str, spec: Spec, role: Role) -> Value:
        """A value kept between runs; only read until `update` names what it becomes."""
        value = self._declare(name, spec)
        self.states[name] = State(name, name, role)
        return value

    def update(self, state: Value, becomes: Value) -> None:
        """`state` is `becomes` at the next run. A state has one writer."""
        old = self.states[state.name]
        if old.output != old.input:
            raise ValueError(f"state {state.name} is already written by {old.output}")
        if becomes.spec != state.spec:
            raise ValueError(f"state {state.name} is {state.spec}, it cannot become {becomes.spec}")
        self.states[state.name] = State(old.input, becomes.name, old.role)

    def const(self, array: Any, dtype: str | None = None) -> Value:
        """A constant; equal ones are one value."""
        array = np.asarray(array, dtype)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._interned:
            value = self._declare(self._fresh("const"), Spec(array.dtype.name, array.shape))
            self.consts[value.name] = array
            self._interned[key] = value
        return self._interned[key]

    def value(self, name: str) -> Value:
        """The value already called `name`."""
        return Value(name, self.specs[name])

    # -- nodes ----------------------------------------------------------------------------------

    def __getattr__(self, op: str) -> Callable[..., Value]:
        if op.startswith("_") or not op[0].isupper():
            raise AttributeError(op)

        def append(*operands: Any, **attrs: Any) -> Value:
            return self.call(op, operands, **attrs)[0]

        return append

    def call(
        self,
        op: str,
        operands: Sequence[Any],
        outputs: int = 1,
        specs: Sequence[Spec] | None = None,
        **attrs: Attribute,
    ) -> tuple[Value, ...]:
        """Append a node with several outputs, or with specs known better than by its rule."""
        values = self._operands(operands)
        if specs is None:
            specs = shapes.infer(
                op,
                [v.spec if v else None for v in values],
                attrs,
                [self.consts.get(v.name) if v else None for v in values],
                outputs,
            )
        results = tuple(self._declare(self._fresh(op), spec) for spec in specs)
        names = tuple(v.name if v else "" for v in values)
        self.nodes.append(Node(op, names, tuple(r.name for r in results), attrs, self._source))
        return results

    def reserve(self, stem: str, spec: Spec) -> Value:
        """A new value that a node already appended is about to write."""
        return self._declare(self._fresh(stem), spec)

    def like(self, x: Value, shape: Value) -> Value:
        """`x` reshaped to the shape of the value `shape`, whatever sizes are still unknown."""
        if x.shape == shape.shape:
            return x
        return self.call("Reshape", (x, self.shape_of(shape)), specs=[Spec(x.dtype, shape.shape)])[
            0
        ]

    def shape_of(self, x: Value) -> Value:
        """The shape of `x` as an int64 vector: a constant where every size is known."""
        if all(isinstance(d, int) for d in x.shape):
            return self.const(x.shape, "int64")
        if x.name not in self._shape_of:
            self._shape_of[x.name] = self.Shape(x)
        return self._shape_of[x.name]

    @contextmanager
    def at(self, source: str, name: str = "") -> Iterator[None]:
        """Nodes appended inside are marked as made from `source`; `name` starts their names."""
        before = self._source, self._stem
        self._source, self._stem = source, name or source
        try:
            yield
        finally:
            self._source, self._stem = before

    def program(self, outputs: Sequence[Value]) -> Program:
        """The finished program."""
        return Program(
            tuple(v.name for v in self.inputs),
            tuple(v.name for v in outputs),
            tuple(self.nodes),
            dict(self.consts),
            dict(self.specs),
            tuple(self.states.values()),
        )

    # -- inside ---------------------------------------------------------------------------------

    def _operands(self, operands: Sequence[Any]) -> list[Value | None]:
        dtypes = [o.dtype for o in operands if isinstance(o, Value)]
        # A condition (of Where) says nothing of the numbers beside it.
        dtype = next((d for d in dtypes if d != "bool"), dtypes[0] if dtypes else "float32")
        return [
            o
            if o is None or isinstance(o, Value)
            else self.const(o, None if isinstance(o, np.ndarray) else dtype)
            for o in operands
        ]

    def _declare(self, name: str, spec: Spec) -> Value:
        expect_possible(spec)
        if name in self.specs:
            raise ValueError(f"the program already has a value called {name!r}")
        self.specs[name] = spec
        return Value(name, spec)

    def _fresh(self, stem: str) -> str:
        prefix = f"{self._stem}/{stem}" if self._stem else stem
        number = self._numbers.get(prefix, 0)
        while (name := f"{prefix}_{number}" if number else prefix) in self.specs:
            number += 1
        self._numbers[prefix] = number + 1
        return name
