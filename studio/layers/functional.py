"""The functional API's half that needs no model: ``Dense(64)(x)`` records a call.

A handle has identity: calling it twice shares its weights. The declaration it wraps has none.
"""

import itertools
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from inspect import Parameter, Signature
from typing import Any, ClassVar
from zlib import crc32

import numpy as np

from studio.declare import declared, snake
from studio.engine.program import Array, Spec
from studio.layers.base import Layer, Weight
from studio.layers.cell import Cell, Cells
from studio.layers.input import Input as InputLayer
from studio.layers.shapes import shapes_of
from studio.problem import ProblemError, refuse

_names: Counter[str] = Counter()
_sequence = itertools.count()


def automatic_name(stem: str) -> str:
    """Keras's automatic names: ``dense``, ``dense_1``, … counted through the process."""
    number = _names[stem]
    _names[stem] += 1
    return f"{stem}_{number}" if number else stem


def clear_session() -> None:
    """Start counting automatic names from the beginning, as Keras's function of this name."""
    _names.clear()


@dataclass(frozen=True, eq=False)
class Tensor:
    """What a call gives, before there are numbers: symbolic, with a history.

    Attributes:
        spec: dtype and shape, the batch first.
        call: the call it came from.
        port: which of the call's outputs it is.
    """

    spec: Spec
    call: "Recorded"
    port: str

    @property
    def shape(self) -> tuple[int | None, ...]:
        """As Keras shows it: None where the size is open."""
        return tuple(d if isinstance(d, int) else None for d in self.spec.shape)

    @property
    def dtype(self) -> str:
        return self.spec.dtype

    @property
    def name(self) -> str:
        return self.call.handle.name

    def __repr__(self) -> str:
        return f"<Tensor {self.name}: {self.spec}>"


@dataclass(frozen=True, eq=False)
class Recorded:
    """One call of a handle: what it was called on, and when."""

    handle: "Handle"
    inputs: tuple[tuple[str, Tensor], ...]  # (port, what arrives), in order
    number: int = field(default_factory=lambda: next(_sequence))


class Handle:
    """A layer with identity: a name, whether it trains, and its weights."""

    declaration_class: ClassVar[type[Layer]]

    def __init__(
        self, *args: Any, name: str | None = None, trainable: bool = True, **params: Any
    ) -> None:
        known = [p.name for p in self.declaration_class.params()]
        if len(args) > len(known):
            raise refuse("too_many_arguments", kind=type(self).__name__, expected=len(known))
        ignored = _ignore_input_length(type(self).__name__, params)
        values = {**dict(zip(known, args, strict=False)), **ignored}
        for key in values:
            if key not in known:
                raise refuse("unknown_parameter", kind=type(self).__name__, name=key)
        self._start(self.declaration_class(**values), name, trainable)

    def _start(self, declaration: Layer, name: str | None, trainable: bool) -> None:
        problems = declaration.problems()
        if problems:
            raise ProblemError(problems)
        self.declaration = declaration
        stem = "input_layer" if isinstance(declaration, InputLayer) else snake(declaration.kind)
        self.name = name or automatic_name(stem)
        self.trainable = trainable
        self.cells: Cells = {}
        self.declared_weights: tuple[Weight, ...] = ()

    @classmethod
    def around(
        cls, declaration: Layer, name: str, trainable: bool, cells: Cells, weights: Sequence[Weight]
    ) -> "Handle":
        """A handle around what a document holds."""
        handle: Handle = object.__new__(handle_class(declaration.kind))
        handle.declaration, handle.name, handle.trainable = declaration, name, trainable
        handle.cells, handle.declared_weights = cells, tuple(weights)
        return handle

    def __call__(self, inputs: Tensor | Sequence[Tensor]) -> Tensor | tuple[Tensor, ...]:
        """Use the layer once more: on one tensor, or on several where it merges."""
        given: list[Any] = [inputs] if isinstance(inputs, Tensor) else list(inputs)
        for tensor in given:
            if not isinstance(tensor, Tensor):
                kind = type(self).__name__
                raise refuse("not_a_tensor", kind=kind, received=type(tensor).__name__)
        found = shapes_of(self.declaration, tuple(t.spec for t in given))
        if found.problems:
            raise ProblemError(found.problems)
        if self.declared_weights and self.declared_weights != found.weights:
            raise refuse("twins_disagree", name=self.name)
        self.declared_weights = found.weights
        ports = self.declaration.inputs()
        names = [ports[min(i, len(ports) - 1)].name for i in range(len(given))]
        call = Recorded(self, tuple(zip(names, given, strict=True)))
        outputs = self.declaration.outputs()
        results = tuple(
            Tensor(spec, call, port.name) for spec, port in zip(found.outputs, outputs, strict=True)
        )
        return results[0] if len(results) == 1 else results

    # -- weights --------------------------------------------------------------------------------

    def get_weights(self) -> list[Array]:
        """Copies of the weights, in Keras's order and layout."""
        return [self._cell(weight).value.copy() for weight in self.declared_weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the weights, in Keras's order and layout.

        Raises:
            ProblemError: another number of arrays, or another shape.
        """
        expected = [w.shape for w in self.declared_weights]
        received = [np.shape(w) for w in weights]
        if expected != received:
            raise refuse("weights_differ", name=self.name, expected=expected, received=received)
        for declared_weight, value in zip(self.declared_weights, weights, strict=True):
            cell = self._cell(declared_weight)
            np.copyto(cell.value, np.asarray(value, np.float32))
            cell.trained = True
            cell.slots.clear()

    def count_params(self) -> int:
        """How many numbers the layer owns."""
        return sum(int(np.prod(w.shape, dtype=np.int64)) for w in self.declared_weights)

    def _cell(self, weight: Weight) -> Cell:
        key = (weight.name, weight.shape)
        if key not in self.cells:
            # Asked for before any model was made: a draw of its own for each layer and weight.
            rng = np.random.default_rng([crc32(self.name.encode()), crc32(weight.name.encode())])
            self.cells[key] = Cell(weight.initializer.fill(weight.shape, rng))
        return self.cells[key]

    def get_config(self) -> Mapping[str, Any]:
        """Keras's configuration: the name, whether it trains, and the parameters."""
        return {
            "name": self.name,
            "trainable": self.trainable,
            **self.declaration.config(),
        }

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _ignore_input_length(kind: str, params: dict[str, Any]) -> dict[str, Any]:
    """The guide gives Embedding an ``input_length``; Keras 3 dropped it, and so it says nothing."""
    if kind == "Embedding" and "input_length" in params:
        warnings.warn("Embedding ignores input_length: the Input's shape says it", stacklevel=3)
        return {k: v for k, v in params.items() if k != "input_length"}
    return params


@cache
def handle_class(kind: str) -> type[Handle]:
    """The class behind ``studio.layers.<kind>``: calls its declaration's parameters by name."""
    declaration = declared("layers", kind)
    found = type(
        kind, (Handle,), {"declaration_class": declaration, "__doc__": declaration.__doc__}
    )
    own = [
        Parameter(p.name, Parameter.POSITIONAL_OR_KEYWORD, default=p.default)
        for p in declaration.params()
    ]
    extra = [
        Parameter("name", Parameter.KEYWORD_ONLY, default=None),
        Parameter("trainable", Parameter.KEYWORD_ONLY, default=True),
    ]
    found.__signature__ = Signature([*own, *extra])  # type: ignore[attr-defined]
    found.__module__ = "studio.layers"
    return found


def Input(  # noqa: N802 - Keras's name
    shape: Sequence[int | None], dtype: str = "float32", name: str | None = None
) -> Tensor:
    """A tensor that data will be fed to.

    Args:
        shape: of one sample; None where any length will do.
        dtype: ``float32``, ``int32`` or ``int64``.
        name: how data is bound to it; automatic if None.
    """
    given: Any = shape
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise refuse("shape_no_tuple", received=given)
    handle = handle_class("Input")(shape=tuple(shape), dtype=dtype, name=name)
    declaration = handle.declaration
    assert isinstance(declaration, InputLayer)
    return Tensor(declaration.spec(), Recorded(handle, ()), "output")


@cache
def merge_function(kind: str) -> Callable[..., Any]:
    """``concatenate([a, b], axis=-1)``: the functional form of a merging layer."""

    def merge(inputs: Sequence[Tensor], **params: Any) -> Any:
        return handle_class(kind)(**params)(inputs)

    merge.__name__ = merge.__qualname__ = snake(kind)
    merge.__doc__ = f"The functional form of `{kind}`."
    return merge
