"""What a weight must be after each step: ``studio.constraints.MaxNorm(2)`` and its kin."""

from typing import Any

from studio.declare import declared

CATALOGUE = {
    "MaxNorm": "norms",
    "NonNeg": "signs",
    "UnitNorm": "norms",
    "MinMaxNorm": "norms",
}
ALIASES = {
    "max_norm": "MaxNorm",
    "non_neg": "NonNeg",
    "unit_norm": "UnitNorm",
    "min_max_norm": "MinMaxNorm",
}
__all__ = [*CATALOGUE]


def __getattr__(name: str) -> Any:
    kind = ALIASES.get(name, name)  # Keras has max_norm beside MaxNorm
    if kind in CATALOGUE:
        return declared("constraints", kind)
    raise AttributeError(f"studio.constraints has no {name!r}; it has {', '.join(CATALOGUE)}")
