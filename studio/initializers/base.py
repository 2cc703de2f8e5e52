"""What an initializer is: a declaration that fills an array from a generator."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from studio.declare import Declared
from studio.engine.program import Array


@dataclass(frozen=True)
class Initializer(Declared):
    """Base of the initializers."""

    family: ClassVar[str] = "initializers"

    def fill(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        """A float32 array of this shape, drawn from `rng`."""
        raise TypeError(f"{self.kind} does not say how it fills")


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Fan-in and fan-out as Keras counts them (keras/src/initializers/random_initializers.py)."""
    if len(shape) < 2:
        size = shape[0] if shape else 1
        return size, size
    field = int(np.prod(shape[:-2], dtype=np.int64))
    return shape[-2] * field, shape[-1] * field
