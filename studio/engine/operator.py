"""What the engine knows of each operator, and the table of all of them.

An operator is a kernel (NumPy), a gradient rule (in operators), a shape rule (onnx's own, or a
function here) and, where ONNX does not define it, a body in standard operators.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from studio.engine.program import Attribute, Spec

if TYPE_CHECKING:
    from studio.engine.builder import Builder, Value

DOMAIN = "layerloom"  # of the operators ONNX does not define

Buffer = NDArray[Any]
Call = Callable[[], object]


@dataclass(frozen=True)
class Binding:
    """Everything a kernel needs to become one call: fixed buffers and fixed attributes.

    Absent optional inputs and unwanted outputs are None. `scratch(shape, dtype)` lends memory that
    is the kernel's own while its call runs, and anybody's afterwards; `own(array)` counts what it
    keeps, `passes(count)` bytes it takes for itself while its call runs. `known[i]`: does input i
    hold its value already, the same at every run?
    """

    attrs: Mapping[str, Attribute]
    inputs: tuple[Buffer | None, ...]
    outputs: tuple[Buffer | None, ...]
    scratch: Callable[[tuple[int, ...], Any], Buffer]
    known: tuple[bool, ...] = ()
    own: Callable[[Buffer], Buffer] = lambda array: array
    passes: Callable[[int], None] = lambda count: None

    def attr(self, name: str, default: Any) -> Any:
        return self.attrs.get(name, default)

    def input(self, index: int) -> Buffer:
        """The input that must be there."""
        found = self.optional(index)
        assert found is not None, f"input {index} is absent"
        return found

    def optional(self, index: int) -> Buffer | None:
        return self.inputs[index] if index < len(self.inputs) else None

    def fixed(self, index: int) -> tuple[int, ...] | None:
        """The numbers of an input that decides what the call does: axes, bounds; None if absent.

        Raises:
            ValueError: its value is only known when the program runs.
        """
        found = self.optional(index)
        if found is not None and not self.known[index]:
            raise ValueError(f"input {index} must be a constant, but it is computed or fed")
        return None if found is None else as_tuple(found)

    @property
    def out(self) -> Buffer:
        found = self.outputs[0]
        assert found is not None, "the first output is unwanted"
        return found


class Kernel(Protocol):
    """Looks at the buffers once and returns what to call at every run.

    Q: Why two steps?
    A: Shapes, views, scratch and branches are decided when a step is compiled. What is left in
       the training loop is a flat list of calls that write into memory that already exists.
    """

    def __call__(self, b: Binding, /) -> Call: ...


class GradientRule(Protocol):
    """Appends operators to `op`; gives one gradient per input, None where none flows."""

    def __call__(
        self, op: "Builder", node: "GradientNode", grads: tuple["Value | None", ...], /
    ) -> Sequence["Value | None"]: ...


@dataclass(frozen=True)
class GradientNode:
    """A node with its values, as a gradient rule sees it; `needs[i]`: is input i's wanted?"""

    op: str
    inputs: tuple["Value | None", ...]
    outputs: tuple["Value | None", ...]
    attrs: Mapping[str, Attribute]
    needs: tuple[bool, ...]

    @property
    def x(self) -> "Value":
        return self.input(0)

    @property
    def y(self) -> "Value":
        found = self.outputs[0]
        assert found is not None
        return found

    def input(self, index: int) -> "Value":
        found = self.inputs[index]
        assert found is not None, f"input {index} of {self.op} is absent"
        return found

    def optional(self, index: int) -> "Value | None":
        return self.inputs[index] if index < len(self.inputs) else None

    def number(self, name: str, default: float) -> float:
        """An attribute that is a number."""
        value = self.attrs.get(name, default)
        assert isinstance(value, int | float), f"{self.op}: {name} is {value!r}"
        return value


ShapeRule = Callable[[Sequence[Spec | None], Mapping[str, Attribute], Sequence[Any]], list[Spec]]


@dataclass(frozen=True)
class Operator:
    """One row of the table.

    Attributes:
        name: ONNX's name, or ours in the domain `DOMAIN`.
        kernel: runs it in NumPy.
        gradient: None means that it has none: building a step through it fails by name.
        shape: None means onnx's own rule.
        body: appends its meaning in standard operators; only for operators ONNX does not define.
        view: gives the output as a view of the first input, when that is contiguous; it begins at
            the attribute ``start``, if there is one.
        elementwise: the output may be written over a dying input of the same spec.
        over: the first so many outputs are the first inputs with a few places changed: as the new
            values of states they are written over the old ones.
        training: the variant with a reserve (more outputs) that a gradient walk puts in its place.
        passing: how often as much as its result a call takes for itself while it runs.
        constant: the gradient is zero everywhere it exists; the walk stops here silently.
    """

    name: str
    kernel: Kernel
    gradient: GradientRule | None = None
    shape: ShapeRule | None = None
    body: Callable[..., Sequence["Value | None"]] | None = None
    view: Callable[[Binding], Buffer] | None = None
    elementwise: bool = False
    over: int = 0
    training: str = ""
    passing: float = 0.0
    constant: bool = False

    @property
    def standard(self) -> bool:
        """Whether ONNX defines it."""
        return self.body is None and self.name not in _OURS


_FAMILIES = (
    "elementwise",
    "mathematics",
    "smooth",
    "reduction",
    "norms",
    "matrix",
    "einsum",
    "crossentropy",
    "ctc",
    "normalization",
    "channels",
    "part",
    "shape",
    "gather",
    "rearrange",
    "ranking",
    "resize",
    "distinct",
    "rows",
    "conv",
    "pool",
    "lstm",
    "gru",
    "rnn",
)
_OURS = {
    "GatherGrad",
    "Distinct",
    "Part",
    "SoftmaxCrossentropyGrad",
    "TakeRows",
    "OneHotMatMul",
    "OneHotMatMulGrad",
    *("ConvLast", "ConvTransposeLast", "ConvKernelGradLast", "MaxPoolLast", "MaxPoolGradLast"),
    *("AveragePoolLast", "AveragePoolGradLast"),
}
_table: dict[str, Operator] = {}


def register(operator: Operator) -> None:
    """Put one operator in the table; names are unique."""
    assert operator.name not in _table, f"operator {operator.name} is declared twice"
    _table[operator.name] = operator


def load() -> Iterator[None]:
    """Load the operators, a module a step: all at once they take a tenth of a second."""
    for family in _FAMILIES:
        import_module(f"studio.engine.operators.{family}")
        yield


@cache
def table() -> Mapping[str, Operator]:
    """Every operator the engine runs, by name."""
    for _ in load():
        pass
    return _table


def operator(name: str) -> Operator:
    """The operator called `name`.

    Raises:
        KeyError: naming the operator, when the engine does not have it.
    """
    try:
        return table()[name]
    except KeyError:
        raise KeyError(f"the engine has no operator {name}") from None


def ufunc(function: Callable[..., Any]) -> Kernel:
    """The kernel of a NumPy function that takes its inputs and then ``out``."""

    def bind(b: Binding) -> Call:
        return partial(function, *b.inputs, out=b.out)

    return bind


def like_first(inputs: Sequence[Spec | None], _: Mapping[str, Attribute], __: Any) -> list[Spec]:
    """The shape rule of what gives one result like its first input, where onnx has none for it."""
    assert inputs[0] is not None
    return [inputs[0]]


def as_tuple(value: Any) -> tuple[int, ...]:
    """Axes given as an attribute or a constant array, as a tuple of ints."""
    return tuple(int(v) for v in np.atleast_1d(value))
