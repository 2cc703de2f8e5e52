"""What a weight must be after each step: ``studio.constraints.MaxNorm(2)`` and its kin."""

from typing import Any

from studio.declare import declared, public

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


def __getattr__(name: str) -> Any:  # Keras has other spellings of the classes
    return public("constraints", name, lambda _, kind: declared("constraints", kind))
