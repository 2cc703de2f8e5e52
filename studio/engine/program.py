"""The one representation everything becomes: a flat list of ONNX operators in order.

A program is a value. Passes are functions Program → Program; executors run it; the ONNX writer
writes it. Names of values are unique within a program and each is written once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Dim = int | str  # a size, or the name of one ("batch", "time")
Array = NDArray[Any]

OPSET = 18
IR_VERSION = 9


@dataclass(frozen=True, slots=True)
class Spec:
    """What is known of a value before it exists: its dtype (NumPy's name) and its shape."""

    dtype: str
    shape: tuple[Dim, ...]

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """What a value takes whose sizes are all known."""
        return prod(d for d in self.shape if isinstance(d, int)) * np.dtype(self.dtype).itemsize

    def __str__(self) -> str:
        return f"{self.dtype}({', '.join(str(d) for d in self.shape)})"


@dataclass(frozen=True, slots=True)
class Node:
    """One use of an operator. An absent optional input or unwanted output is the empty name.

    `source` is whatever the program was made from (a canvas call), for messages and viewers.
    """

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attrs: Mapping[str, "Attribute"] = field(default_factory=dict)
    source: str = ""

    def reads(self) -> Iterator[str]:
        """Its inputs, and what programs inside it read of the one around them."""
        yield from self.inputs
        for inner in self.attrs.values():
            if isinstance(inner, Program):
                own = {*inner.inputs, *inner.consts, *inner.writers()}
                for node in inner.nodes:
                    yield from (name for name in node.reads() if name not in own)


class Role(StrEnum):
    """What a state is, so that savers and optimizers need not guess from its name."""

    WEIGHT = "weight"
    SLOT = "slot"
    STATISTIC = "statistic"
    COUNTER = "counter"
    METRIC = "metric"


@dataclass(frozen=True, slots=True)
class State:
    """A value that outlives a run: read as `input`, left behind as `output`.

    Q: Why pairs of names and no assignment operator?
    A: A program stays a pure function, so it exports as a standard ONNX graph and its gradient is
       a walk. An executor may write `output` over `input` in place where nothing reads it later.
    A state that is only read has `output == input`. One that stands for several has their names in
    `parts`: their numbers follow one another in it.
    """

    input: str
    output: str
    role: Role
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Program:
    """Inputs are fed at each run, states are kept between runs, outputs are given back."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    nodes: tuple[Node, ...]
    consts: Mapping[str, Array]
    specs: Mapping[str, Spec]
    state: tuple[State, ...] = ()

    def astype(self, dtype: str) -> "Program":
        """The same program with every floating-point value in `dtype` (float64 for checks)."""

        def cast(spec: Spec) -> Spec:
            return replace(spec, dtype=dtype) if spec.dtype.startswith("float") else spec

        consts = {
            name: array.astype(dtype) if array.dtype.kind == "f" else array
            for name, array in self.consts.items()
        }
        nodes = tuple(_retarget_cast(node, dtype) for node in self.nodes)
        specs = {name: cast(spec) for name, spec in self.specs.items()}
        return replace(self, nodes=nodes, consts=consts, specs=specs)

    def state_bytes(self, *roles: "Role") -> int:
        """What its states of these roles take; all of them if none is named."""
        kept = (state for state in self.state if not roles or state.role in roles)
        return sum(self.specs[state.input].nbytes for state in kept)

    def writers(self) -> dict[str, Node]:
        """The node that writes each value."""
        return {output: node for node in self.nodes for output in node.outputs if output}

    def readers(self) -> dict[str, list[Node]]:
        """The nodes that read each value."""
        found: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in node.inputs:
                found.setdefault(name, []).append(node)
        return found

    def results(self) -> Iterator[str]:
        """Every name that must exist after a run: the outputs, then what the states leave."""
        yield from self.outputs
        for state in self.state:
            yield state.output


# A program is the attribute of an operator that runs it for each step, such as Scan; it may read
# values of the program around it by name.
Attribute = int | float | str | tuple[int, ...] | tuple[float, ...] | tuple[str, ...] | Program


def _retarget_cast(node: Node, dtype: str) -> Node:
    if node.op != "Cast" or not str(node.attrs["to"]).startswith("float"):
        return node
    return replace(node, attrs={**node.attrs, "to": dtype})
