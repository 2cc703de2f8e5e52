"""What a layer is: a declaration that says its ports, its weights, and its mathematics once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from studio.constraints.base import Constraint
from studio.declare import Declared
from studio.engine.builder import Builder, Value
from studio.engine.program import Dim, Program, Role, Spec
from studio.initializers.base import Initializer
from studio.layers.values import Range, joined
from studio.regularizers.base import Regularizer


@dataclass(frozen=True)
class Port:
    """One place where a wire ends or starts.

    Attributes:
        name: its id within the layer.
        many: takes any number of wires, in the order of their slots.
        optional: may stay unwired. Optional ports come last, and are wired in their order: what
            a layer is lowered with is what arrives, without holes.
    """

    name: str
    many: bool = False
    optional: bool = False


@dataclass(frozen=True)
class Weight:
    """One array a layer owns: Keras's name, shape, layout, how it starts and what holds it."""

    name: str
    shape: tuple[int, ...]
    initializer: Initializer
    trainable: bool = True
    role: Role = Role.WEIGHT
    regularizer: Regularizer | None = None
    constraint: Constraint | None = None


@dataclass(frozen=True)
class Example:
    """Parameters and input shapes that every shared test runs."""

    params: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[Spec, ...] = ()
    high: int = 0  # for integer inputs: one above the largest value


class Weights:
    """A layer's weights as values: ``w.kernel``."""

    def __init__(self, values: Mapping[str, Value]) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Value:
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(f"the layer declares no weight called {name!r}") from None

    def within(self, part: str) -> "Weights":
        """Those of a part of the layer: the ones called ``<part>/…``, without that."""
        start = f"{part}/"
        return Weights(
            {n.removeprefix(start): v for n, v in self._values.items() if n.startswith(start)}
        )


class LayerBuilder(Builder):
    """The builder a layer lowers into.

    Attributes:
        training: whether the program trains; Dropout and statistics depend on it.
        frozen: whether the layer being lowered is frozen; BatchNormalization then infers.
        draws: the random inputs asked for, by input name: (source, how many before it there).
        measured: results that cost something, with what measures them; whoever trains adds it.
        heeded: the masks (batch, time) of sequences that recurrent operators read, by the name of
            what each gives of all steps.
    """

    def __init__(self, training: bool = False) -> None:
        super().__init__()
        self.training = training
        self.frozen = False
        self.draws: dict[str, tuple[str, int]] = {}
        self.measured: list[tuple[Regularizer, Value]] = []
        self.heeded: dict[str, Value] = {}
        self._masks: dict[str, Value] = {}
        self._current: dict[str, Value] = {}

    def noise(self, like: Value, shape: tuple[Dim, ...] | None = None) -> Value:
        """Uniform draws in [0, 1) of the shape of `like`, fed from a counter-based generator.

        Keyed by (seed, step, source, call), so that adding a node changes no other draw.

        Args:
            like: what they are for.
            shape: theirs, if it is another than that of `like`.
        """
        source = self._source
        number = sum(1 for other, _ in self.draws.values() if other == source)
        spec = Spec(like.dtype, like.shape if shape is None else shape)
        value = self.input(f"noise/{source}/{number}", spec)
        self.draws[value.name] = (source, number)
        return value

    def current(self, state: Value) -> Value:
        """What a state is by now: what earlier calls of its layer in this program assigned."""
        return self._current.get(state.name, state)

    def assign(self, state: Value, becomes: Value) -> None:
        """Let a state (a running statistic) be `becomes` from here on, and at the next run.

        A layer called twice assigns twice, in the order of its calls; the last one remains.
        """
        self._current[state.name] = becomes

    def program(self, outputs: Sequence[Value]) -> Program:
        """The finished program, with what was assigned."""
        for name, becomes in self._current.items():
            self.states[name] = replace(self.states[name], output=becomes.name)
        return super().program(outputs)

    def mask(self, x: Value) -> Value | None:
        """The mask that travels with `x`: bool, its leading axes (batch, time); or None."""
        return self._masks.get(x.name)

    def set_mask(self, x: Value, mask: Value) -> None:
        """Let `mask` travel with `x`."""
        self._masks[x.name] = mask


Masks = Value | None | tuple[Value | None, ...]


@dataclass(frozen=True)
class Layer(Declared):
    """Base of the layers."""

    category: ClassVar[str] = "Core"
    synonyms: ClassVar[tuple[str, ...]] = ()
    supports_masking: ClassVar[bool] = False
    rearranges: ClassVar[bool] = False  # each value that leaves it is one that arrived
    step_by_step: ClassVar[bool] = False  # takes statistics, of each step apart if distributed
    examples: ClassVar[tuple[Example, ...]] = ()
    family: ClassVar[str] = "layers"

    def inputs(self) -> tuple[Port, ...]:
        """The ports wires end at."""
        return (Port("x"),)

    def outputs(self) -> tuple[Port, ...]:
        """The ports wires start from."""
        return (Port("output"),)

    def weights(self, *x: Spec) -> tuple[Weight, ...]:
        """The arrays it owns, in Keras's order, for inputs like these."""
        return ()

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value | Sequence[Value]:
        """Append the layer's mathematics; the only place where they stand.

        Raises:
            ProblemError: the inputs do not fit; its `fix` may be parameters to set, by name.
        """
        raise TypeError(f"{self.kind} does not say how it is computed")

    def activity(self) -> Regularizer | None:
        """What measures its results, as a term of the loss by sample; its parameter, if any."""
        found: Regularizer | None = getattr(self, "activity_regularizer", None)
        return found

    def heeds_mask(self, arriving: int) -> bool:
        """Whether a mask that arrives counts, with so many values arriving; shown where not."""
        return self.supports_masking

    def range(self, *x: Range | None) -> Range | None:
        """Where its first result's values lie for inputs like these; None where nobody knows."""
        return joined(x) if self.rearranges else None

    def mask(self, op: LayerBuilder, *x: Value) -> Masks:
        """The mask of the result; as in Keras the first input's, where masking is supported.

        One mask is the first result's; a tuple has one, or None, for each result.
        """
        if not self.supports_masking or not x:
            return None
        return next((m for m in map(op.mask, x) if m is not None), None)
