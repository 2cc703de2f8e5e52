"""Kernels that multiply several axes by several: matrices from what they read to what they give."""

from dataclasses import dataclass
from math import prod

import numpy as np

from studio.engine.program import Array
from studio.initializers.base import Initializer
from studio.initializers.constant import Zeros
from studio.initializers.random import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
)

_BY_FANS = (
    *(VarianceScaling, GlorotUniform, GlorotNormal, HeUniform, HeNormal),
    *(LecunUniform, LecunNormal),
)


@dataclass(frozen=True)
class Product(Initializer):
    """Draws by how many numbers a kernel reads and gives, which its shape alone does not say.

    Attributes:
        rest: what draws.
        read: the axes of the kernel that it sums over; it gives the others.
    """

    rest: Initializer = Zeros()
    read: tuple[int, ...] = (0,)

    def accept(self, weight: str, shape: tuple[int, ...]) -> None:
        self.rest.accept(weight, shape)

    def fill(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        count = prod(shape[axis] for axis in self.read)
        return self.rest.fill((count, prod(shape) // count), rng).reshape(shape)


def for_product(initializer: Initializer, read: tuple[int, ...]) -> Initializer:
    """The initializer of a kernel that sums over these of its axes."""
    return Product(initializer, read) if isinstance(initializer, _BY_FANS) else initializer
