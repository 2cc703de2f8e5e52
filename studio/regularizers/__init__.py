"""What large weights cost: ``studio.regularizers.L2(1e-4)`` and its kin, Keras's names."""

from typing import Any

from studio.declare import declared

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


def __getattr__(name: str) -> Any:
    kind = ALIASES.get(name, name)  # Keras has l2 beside L2
    if kind in CATALOGUE:
        return declared("regularizers", kind)
    raise AttributeError(f"studio.regularizers has no {name!r}; it has {', '.join(CATALOGUE)}")
