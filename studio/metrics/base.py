"""What a metric is: a declaration that starts an accumulator over an epoch's outputs.

Q: Why are names counted through the process, as ``auc``, ``auc_1``?
A: Keras does so where it gives no name of its own; who reads a history by such a key finds it. Only
   what is made in Python counts: in a document, of which any number may be open, a metric has the
   name that the document says, at first the plain one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, Self

import numpy as np

from studio.declare import FLOAT32, Declared, Unread, automatic_name, param, snake
from studio.engine.program import Array, Spec
from studio.limits import TABLE_NUMBERS
from studio.problem import Problem

Better = Literal["more", "less", ""]
Compared = Literal["alike", "classes", ""]
Result = float | Array  # one number, or one for each class or threshold, in a row


class Accumulator(Protocol):
    """A metric's state over one epoch."""

    def update(self, target: Array, output: Array, weight: Array | None) -> None:
        """Take in one batch; `weight` (a number per sample, or per step) or None for all ones."""

    def result(self) -> Result:
        """The value over everything taken in so far; 0.0 over nothing."""


@dataclass(frozen=True)
class Metric(Declared):
    """Base of the metrics.

    Attributes:
        is_masked: whether masked steps of a sequence are left out.
        better: whether more is better or less; empty where that depends on what is watched.
        compares: targets like the outputs, the numbers of classes, or either.
        usual_name: what it is called where no name is given; its kind in Keras's spelling if empty.
        is_counted: whether the next that is made without a name has a number behind it.
    """

    is_masked: ClassVar[bool] = True
    better: ClassVar[Better] = "more"
    compares: ClassVar[Compared] = ""
    usual_name: ClassVar[str] = ""
    is_counted: ClassVar[bool] = False
    family: ClassVar[str] = "metrics"
    unread: ClassVar[Unread] = {"dtype": FLOAT32}
    name: str = param("", "What it is called in the history and in plots", kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.name:  # None as well
            plain = self._plain_name()
            object.__setattr__(self, "name", automatic_name(plain) if self.is_counted else plain)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The inverse of `config`. Without a name it has the plain one, and does not count."""
        return super().from_config({**config, "name": config.get("name") or cls._plain_name()})

    @classmethod
    def _plain_name(cls) -> str:
        return cls.usual_name or snake(cls.__name__)

    def misfit(self, target: Spec, output: Spec) -> Problem | None:
        """What keeps it from comparing such targets and outputs."""
        alike = target.shape == output.shape
        if (self.compares == "alike" and not alike) or (
            self.compares == "classes" and (alike or target.shape[-1] != 1)
        ):
            args = {"metric": self.kind, "target": target, "output": output}
            return Problem(f"metric_{self.compares}", args=args)
        if (count := self.counts(output)) > TABLE_NUMBERS:
            args = {"metric": self.kind, "received": count, "expected": TABLE_NUMBERS}
            return Problem("metric_too_large", args=args)
        return None

    def counts(self, output: Spec) -> int:
        """How many numbers it counts with, as far as that is told and not known of the output."""
        return 1

    def start(self, target: Spec, output: Spec) -> Accumulator:
        """A fresh state, for targets and outputs like these."""
        raise TypeError(f"{self.kind} does not say how it accumulates")


def state_of(accumulator: Accumulator) -> dict[str, Array]:
    """Copies of the numbers an accumulator holds, by the names of its attributes.

    Parts that accumulate for it are looked into, ``part.name``; what is told once, such as the
    declaration or a function, is no state.
    """
    found: dict[str, Array] = {}
    for name, value in vars(accumulator).items():
        if isinstance(value, bool | int | float | np.ndarray | np.generic):
            found[name] = np.array(value)
        elif _is_part(value):
            found |= {f"{name}.{inner}": array for inner, array in state_of(value).items()}
    return found


def put_state(accumulator: Accumulator, state: Mapping[str, Array]) -> None:
    """Give a fresh accumulator of the same metric what `state_of` gave.

    Raises:
        ValueError: it is another metric's.
    """
    own = state_of(accumulator)
    if own.keys() != state.keys():
        raise ValueError(f"a state of {sorted(state)} for one of {sorted(own)}")
    for name, array in state.items():
        *parts, last = name.split(".")
        holder: Any = accumulator
        for part in parts:
            holder = getattr(holder, part)
        plain = not isinstance(getattr(holder, last), np.ndarray | np.generic)
        setattr(holder, last, array.item() if plain else array.copy())


def _is_part(value: Any) -> bool:
    """Whether it is an object of ours that accumulates, not a declaration nor a function."""
    ours = type(value).__module__.startswith("studio.metrics.")
    return ours and hasattr(value, "__dict__") and not isinstance(value, Metric)


def spread_weight(weight: Array, shape: tuple[int, ...]) -> Array:
    """Weights of samples (n,) or (n, 1), or of steps (n, t), for each of (n, …) values."""
    array = np.asarray(weight, np.float64)
    while array.ndim > len(shape) and array.shape[-1] == 1:
        array = array[..., 0]
    array = array.reshape(array.shape + (1,) * (len(shape) - array.ndim))
    return np.broadcast_to(array, shape)


def numbers(values: Array) -> Result:
    """A row of numbers; one alone is no row, as in Keras's histories."""
    return float(values[0]) if values.size == 1 else values


def ratio(part: Array, whole: Array) -> Array:
    """Part by whole, 0 where the whole is."""
    return np.divide(
        part, whole, out=np.zeros_like(np.asarray(whole, np.float64)), where=whole != 0
    )
