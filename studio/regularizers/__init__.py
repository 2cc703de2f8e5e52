"""What large weights cost: ``studio.regularizers.L2(1e-4)`` and its kin, Keras's names."""

from typing import Any

from studio.declare import declared, public

CATALOGUE = {
    "L1": "norms",
    "L2": "norms",
    "L1L2": "norms",
    "OrthogonalRegularizer": "orthogonal",
}
ALIASES = {
    "l1": "L1",
    "l2": "L2",
    "l1_l2": "L1L2",
    "orthogonal_regularizer": "OrthogonalRegularizer",
}
__all__ = [*CATALOGUE]


def __getattr__(name: str) -> Any:  # Keras has other spellings of the classes
    return public("regularizers", name, lambda _, kind: declared("regularizers", kind))
