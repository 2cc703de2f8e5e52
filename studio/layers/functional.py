"""The functional API's half that needs no model: ``Dense(64)(x)`` records a call.

A handle has identity: calling it twice shares its weights. The declaration it wraps has none.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from inspect import Parameter, Signature
from pathlib import Path
from typing import Any, ClassVar
from zlib import crc32

import numpy as np

from studio.declare import automatic_name, declared, snake
from studio.engine.onnx_apart import open_onnx
from studio.engine.program import Array, Spec
from studio.layers.base import Layer, Port, Weight
from studio.layers.cell import Cell, Cells
from studio.layers.input import Input as InputLayer
from studio.layers.left_out import without_left_out
from studio.layers.onnx_model import FromFile, frozen_problem, lost_problem
from studio.layers.onnx_model import OnnxModel as OnnxModelLayer
from studio.layers.shapes import shapes_of
from studio.layers.time_distributed import TimeDistributed as TimeDistributedLayer
from studio.problem import ProblemError, refuse, warn

_sequence = itertools.count()


def chosen_name(name: Any, stem: str) -> str:
    """The name somebody gave, or an automatic one."""
    if name is not None and not isinstance(name, str):
        raise refuse("name_text", received=name)
    return name or automatic_name(stem)


# What Python's signs would do, as layers. (Keras makes operations of them, which lose masks.)
SIGNS = {
    "+": "add([a, b]), Rescaling(1.0, offset=2.0)(a)",
    "-": "subtract([a, b]), Rescaling(1.0, offset=-2.0)(a), Rescaling(-1.0)(a)",
    "*": "multiply([a, b]), Rescaling(2.0)(a)",
    "/": "Rescaling(0.5)(a)",
    "**": "multiply([a, a])",
    "@": "dot([a, b], axes=(2, 1))",
    "[]": "Cropping1D((1, 0))(a), Cropping2D(1)(a)",
}


def _no_sign(sign: str) -> Callable[..., Any]:
    """A method that says which layers to use."""

    def refused(*_: Any) -> Any:
        raise refuse("tensor_sign", sign=sign, layers=SIGNS[sign])

    return refused


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

    __array_ufunc__ = None  # of an array and a tensor, the tensor is asked
    __add__ = __radd__ = _no_sign("+")
    __sub__ = __rsub__ = __neg__ = _no_sign("-")
    __mul__ = __rmul__ = _no_sign("*")
    __truediv__ = __rtruediv__ = _no_sign("/")
    __pow__ = __rpow__ = _no_sign("**")
    __matmul__ = __rmatmul__ = _no_sign("@")
    __getitem__ = _no_sign("[]")
    __iter__ = None  # one tensor, not several


@dataclass(frozen=True, eq=False)
class Recorded:
    """One call of a layer or a model: what it was called on, and when."""

    handle: "Operation"
    inputs: tuple[tuple[str, Tensor], ...]  # (port, what arrives), in order
    number: int = field(default_factory=lambda: next(_sequence))


@dataclass(frozen=True)
class Variable:
    """One weight of one layer, as Keras lists them."""

    layer: "Handle"
    weight: Weight

    @property
    def name(self) -> str:
        return self.weight.name

    @property
    def path(self) -> str:
        """The layer's name and the weight's: ``dense/kernel``."""
        return f"{self.layer.name}/{self.weight.name}"

    @property
    def shape(self) -> tuple[int, ...]:
        return self.weight.shape

    @property
    def trainable(self) -> bool:
        return self.layer.trainable and self.weight.trainable

    def numpy(self) -> Array:
        """A copy of its numbers."""
        return self.layer.cell(self.weight).value.copy()

    def assign(self, value: Any) -> None:
        """Set its numbers, for every model that uses the layer."""
        self.layer.assign(self.weight, value)

    def __repr__(self) -> str:
        return f"<Variable {self.path}: float32{self.shape}>"


class Operation:
    """What can be called on tensors: a layer, a wrapper, a model. Its identity is what is shared.

    Attributes:
        name: as Keras names it.
        trainable: whether training changes its weights; what is inside a frozen one is frozen.
    """

    name: str
    trainable: bool

    def ports(self) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
        """The ports it is called on, and those results leave."""
        raise TypeError(f"{type(self).__name__} does not say its ports")

    def use(self, specs: tuple[Spec, ...]) -> tuple[Spec, ...]:
        """What one more call gives for inputs like these.

        Raises:
            ProblemError: the inputs do not fit, or need other weights than earlier calls.
        """
        raise TypeError(f"{type(self).__name__} does not say what it gives")

    def parts(self) -> list["Operation"]:
        """What is directly inside, in Keras's order."""
        return []

    def own_weights(self) -> list[Variable]:
        """The weights that are its own, not of what is inside."""
        return []

    def __call__(
        self,
        inputs: Tensor | Sequence[Tensor] = (),
        *more: Tensor | Sequence[Tensor],
        initial_state: Tensor | Sequence[Tensor] | None = None,
        **named: Any,
    ) -> Any:
        """Use it once more: on one tensor, or on several. Gives one tensor, or a tuple.

        What a recurrent layer starts from, `initial_state`, may also follow in `inputs`.

        Args:
            inputs: one tensor, or those of the first ports.
            more: those of the ports after them, as MultiHeadAttention takes them.
            initial_state: for a recurrent layer.
            named: tensors by the port they go to, such as a mask; and what Keras's attention
                takes at its call, but is a parameter here.
        """
        flat = (tensor for tensors in (inputs, *more, initial_state) for tensor in _listed(tensors))
        given: list[Any] = self._placed(list(flat), self._options(named))
        for tensor in given:
            if not isinstance(tensor, Tensor):
                kind = type(self).__name__
                raise refuse("not_a_tensor", kind=kind, received=type(tensor).__name__)
        ports, ends = self.ports()
        if not _takes(ports, len(given)):
            raise refuse("inputs_count", name=self.name, received=len(given), expected=len(ports))
        specs = self.use(tuple(t.spec for t in given))
        names = [ports[min(i, len(ports) - 1)].name for i in range(len(given))]
        call = Recorded(self, tuple(zip(names, given, strict=True)))
        results = tuple(
            Tensor(spec, call, port.name) for spec, port in zip(specs, ends, strict=True)
        )
        self.remember(given, results)
        return results[0] if len(results) == 1 else results

    # -- its calls ------------------------------------------------------------------------------

    _calls: tuple[tuple[Sequence[Tensor], Sequence[Tensor]], ...] = ()

    def remember(self, given: Sequence[Tensor], results: Sequence[Tensor]) -> None:
        """That it was called: on what, and what it gave."""
        self._calls = (*self._calls, (given, results))

    @property
    def input(self) -> Any:
        """What it was called on, the only time it was: one tensor, or a list."""
        return self._only_call(0)

    @property
    def output(self) -> Any:
        """What it gave, the only time it was called: one tensor, or a list."""
        return self._only_call(1)

    def _only_call(self, side: int) -> Any:
        if len(self._calls) != 1:
            raise refuse("called_once", name=self.name, received=len(self._calls))
        found = list(self._calls[0][side])
        return found[0] if len(found) == 1 else found

    def _options(self, named: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is left of keywords without those that are parameters."""
        return named

    def _placed(self, given: list[Any], named: Mapping[str, Any]) -> list[Any]:
        """The tensors in the order of the ports; a port left out before one that is named is fed
        what the port before it is, as values are their own keys.
        """
        names = [port.name for port in self.ports()[0]]
        for name in named:
            if name not in names[len(given) :]:
                raise refuse("port_unknown", name=self.name, received=name, known=", ".join(names))
        ahead = {names.index(name): tensor for name, tensor in named.items() if tensor is not None}
        for place in range(len(given), max(ahead, default=-1) + 1):
            if place not in ahead and not given:
                raise refuse(
                    "inputs_count", name=self.name, received=len(ahead), expected=len(names)
                )
            given.append(ahead[place] if place in ahead else given[-1])
        return given

    # -- weights --------------------------------------------------------------------------------

    @property
    def weights(self) -> list[Variable]:
        """Every weight once, in Keras's order."""
        inside = (v for part in self.parts() for v in part.weights)
        return list(dict.fromkeys((*self.own_weights(), *inside)))

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes, in Keras's order; none of what is frozen."""
        if not self.trainable:
            return []
        own = (v for v in self.own_weights() if v.weight.trainable)
        inside = (v for part in self.parts() for v in part.trainable_weights)
        return list(dict.fromkeys((*own, *inside)))

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone: frozen ones, and statistics."""
        changed = set(self.trainable_weights)
        return [v for v in self.weights if v not in changed]

    def get_weights(self) -> list[Array]:
        """Copies of all weights, in Keras's order, shapes and layouts (LSTM gates i, f, c, o)."""
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set all weights, in the order `get_weights` gives them.

        Raises:
            ProblemError: another number of arrays, or another shape; nothing is set then.
        """
        variables = self.weights
        expected, received = [v.shape for v in variables], [np.shape(w) for w in weights]
        if expected != received:
            raise refuse("weights_differ", name=self.name, expected=expected, received=received)
        for variable, value in zip(variables, weights, strict=True):
            variable.assign(value)

    def count_params(self) -> int:
        """How many numbers its weights are, each weight counted once."""
        return sum(int(np.prod(v.shape, dtype=np.int64)) for v in self.weights)


def _listed(tensors: Any) -> Sequence[Any]:
    if tensors is None:
        return ()
    return tuple(tensors) if isinstance(tensors, list | tuple) else (tensors,)


def _takes(ports: Sequence[Port], count: int) -> bool:
    """Whether so many tensors can arrive at these ports."""
    if any(p.many for p in ports):
        return count > 0
    return sum(not p.optional for p in ports) <= count <= len(ports)


class Handle(Operation):
    """A layer with identity: a name, whether it trains, and its weights."""

    declaration_class: ClassVar[type[Layer]]

    def __init__(
        self, *args: Any, name: str | None = None, trainable: bool = True, **params: Any
    ) -> None:
        known = [p.name for p in self.declaration_class.params()]
        if len(args) > len(known):
            raise refuse("too_many_arguments", kind=type(self).__name__, expected=len(known))
        named = without_left_out(type(self).__name__, known, params, stacklevel=2)
        values = {**dict(zip(known, args, strict=False)), **named}
        for key in values:
            if key not in known:
                raise refuse("unknown_parameter", kind=type(self).__name__, name=key)
        values = {k: _declared_value(k, v) for k, v in values.items()}
        self._start(self.declaration_class(**values), name, trainable)

    def _start(self, declaration: Layer, name: str | None, trainable: bool) -> None:
        problems = declaration.problems()
        if problems:
            raise ProblemError(problems)
        self.declaration = declaration
        stem = "input_layer" if isinstance(declaration, InputLayer) else snake(declaration.kind)
        self.name = chosen_name(name, stem)
        self.trainable = trainable
        self.called = False
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
        handle.called = True
        return handle

    def ports(self) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
        return self.declaration.inputs(), self.declaration.outputs()

    def _options(self, named: Mapping[str, Any]) -> Mapping[str, Any]:
        """Sets those that are parameters, which a layer that was called before already has."""
        own = {p.name for p in self.declaration.params()} & set(named)
        changed = replace(self.declaration, **{name: named[name] for name in own})
        if self.called and changed != self.declaration:
            raise refuse("call_options", name=self.name, received=", ".join(sorted(own)))
        self.declaration = changed
        return {name: value for name, value in named.items() if name not in own}

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Take from data what a layer like Normalization keeps of it: rows, all or a sample.

        Args:
            data: an array; for Discretization also batches, of which the first `steps` are read.
            steps: all of them if None.

        Raises:
            ProblemError: ``not_adapted``: it keeps nothing; ``adapt_first``: it was called before
                it knew its bins.
        """
        learn = getattr(self.declaration, "adapted", None)
        if learn is not None:
            if self.called:
                raise refuse("adapt_first", name=self.name)
            self.declaration = learn(data, steps)
            return
        statistics = getattr(self.declaration, "statistics", None)
        if statistics is None:
            raise refuse("not_adapted", kind=self.declaration.kind)
        rows = np.asarray(data)
        self.use((Spec("float32", ("batch", *rows.shape[1:])),))
        found = statistics(rows)
        for variable in self.own_weights():
            if variable.name in found:
                variable.assign(found[variable.name])

    def use(self, specs: tuple[Spec, ...]) -> tuple[Spec, ...]:
        found = shapes_of(self.declaration, specs)
        if found.problems:
            raise ProblemError(found.problems)
        self.called = True
        if self.declared_weights and self.declared_weights != found.weights:
            raise refuse("twins_disagree", name=self.name)
        self.declared_weights = found.weights
        return found.outputs

    def own_weights(self) -> list[Variable]:
        return [Variable(self, weight) for weight in self.declared_weights]

    def assign(self, weight: Weight, value: Any) -> None:
        """Set the numbers of one weight, in place, so that whoever shares it sees them.

        What an optimizer keeps for it stays, as in Keras.
        """
        given = np.asarray(value)
        if given.dtype.kind not in "buif":
            raise refuse("not_numbers", name=f"{self.name}/{weight.name}", received=given.dtype)
        if isinstance(weight.initializer, FromFile):  # what a file gave may be gone
            fresh = Cell(np.zeros(weight.shape, np.float32))
            self.cells.setdefault((weight.name, weight.shape), fresh)
        cell = self.cell(weight)
        np.copyto(cell.value, given.astype(np.float32))
        cell.trained = True

    def cell(self, weight: Weight) -> Cell:
        """Where the numbers of one weight are, drawn now if they never were.

        Raises:
            ProblemError: ``file_numbers_lost``.
        """
        key = (weight.name, weight.shape)
        if key not in self.cells:
            if isinstance(weight.initializer, FromFile):
                raise ProblemError(lost_problem(weight))
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


class OnnxModel(Handle):
    """The model of an ONNX file as a layer, its weights those of the file.

    What has an operator without a gradient before it on the way to an output stays as it is, and
    is told in a warning.

    Args:
        path: the file.
        name: automatic if None.
        trainable: False freezes all of its weights.

    Raises:
        ProblemError: what in the file cannot be run, in a sentence.
    """

    declaration_class = OnnxModelLayer

    def __init__(
        self, path: str | Path, *, name: str | None = None, trainable: bool = True
    ) -> None:
        model, weights = open_onnx(path)
        self._start(OnnxModelLayer(model), name, trainable)
        for weight, array in weights.items():
            self.cells[weight, array.shape] = Cell(np.array(array, order="C"), trained=True)
        frozen = frozen_problem(model)
        if frozen is not None:
            warn(frozen)


class TimeDistributed(Operation):
    """Applies a layer, or a model, to every step of a sequence, with the same weights.

    Args:
        layer: a handle or a model; wherever else it is called, the weights are the same.
        name: automatic if None.
        trainable: False freezes what is inside.
    """

    def __init__(
        self, layer: Operation, *, name: str | None = None, trainable: bool = True
    ) -> None:
        if not isinstance(layer, Operation):
            raise refuse("wrapper_layer", kind=type(self).__name__, received=layer)
        self.declaration = TimeDistributedLayer()
        self.layer = layer
        self.name = chosen_name(name, snake(self.declaration.kind))
        self.trainable = trainable

    def ports(self) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
        return self.declaration.inputs(), self.declaration.outputs()

    def use(self, specs: tuple[Spec, ...]) -> tuple[Spec, ...]:
        (whole,) = specs
        inputs, outputs = self.layer.ports()
        if len(outputs) != 1 or not _takes(inputs, 1):
            counts = {"inputs": len(inputs), "outputs": len(outputs)}
            raise refuse("wrapper_one", name=self.layer.name, **counts)
        (result,) = self.layer.use((self.declaration.step(whole),))
        return (self.declaration.steps(whole, result),)

    def parts(self) -> list[Operation]:
        return [self.layer]

    def __repr__(self) -> str:
        return f"<TimeDistributed name={self.name} of {self.layer!r}>"


def _declared_value(name: str, value: Any) -> Any:
    """An argument as a declaration takes it.

    A layer inside another (Bidirectional's) is copied: what counts is its declaration. As in
    Keras, no activation is the linear one, no data format the usual one, and no initializer zeros.
    """
    if isinstance(value, Handle):
        return value.declaration
    if value is None:
        usual = {"activation": "linear", "format": "channels_last", "initializer": "zeros"}
        return usual.get(name.rpartition("_")[2])
    return value


@cache
def handle_class(kind: str) -> type[Handle]:
    """The class behind ``studio.layers.<kind>``: calls its declaration's parameters by name."""
    if kind == OnnxModel.__name__:
        return OnnxModel
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
    shape: Sequence[int | None] | None = None,
    batch_size: int | None = None,
    dtype: str | None = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
) -> Tensor:
    """A tensor that data will be fed to.

    Args:
        shape: of one sample; None where any length will do.
        batch_size: says nothing here: batches of any size go through.
        dtype: ``float32`` (if None), ``int32`` or ``int64``.
        sparse: not here.
        ragged: not here.
        batch_shape: the shape with the batch before it, instead of `shape`.
        name: how data is bound to it; automatic if None.
        tensor: not here.
        optional: not here.
    """
    if batch_shape is not None:
        if shape is not None or batch_size is not None or not len(batch_shape):
            raise refuse("batch_shape", received=batch_shape)
        batch_size, *rest = batch_shape
        shape = tuple(rest)
    if not isinstance(batch_size, int | np.integer | None):  # a dtype that came too early
        raise refuse("argument_whole", name="batch_size", received=batch_size, least=1)
    asked = {"batch_size": batch_size, "sparse": sparse, "ragged": ragged}
    asked |= {"tensor": tensor, "optional": optional}
    without_left_out("Input", (), asked, stacklevel=2)
    given: Any = shape
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise refuse("shape_no_tuple", received=given)
    handle = handle_class("Input")(shape=tuple(given), dtype=dtype or "float32", name=name)
    declaration = handle.declaration
    assert isinstance(declaration, InputLayer)
    made = Tensor(declaration.spec(), Recorded(handle, ()), "output")
    handle.remember([made], [made])
    return made


@cache
def merge_function(kind: str) -> Callable[..., Any]:
    """``concatenate([a, b], axis=-1)``: the functional form of a merging layer."""

    def merge(inputs: Sequence[Tensor], *args: Any, **params: Any) -> Any:
        return handle_class(kind)(*args, **params)(inputs)

    merge.__name__ = merge.__qualname__ = snake(kind)
    merge.__doc__ = f"The functional form of `{kind}`."
    return merge
