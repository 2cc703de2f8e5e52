"""Learning rates that change: ``studio.optimizers.schedules.CosineDecay(0.1, 1000)`` and its kin.

One stands where an optimizer takes a learning rate, and gives it for each step.
"""

from typing import Any

from studio.declare import public

CATALOGUE = {
    "ExponentialDecay": "decay",
    "PiecewiseConstantDecay": "piecewise",
    "PolynomialDecay": "decay",
    "InverseTimeDecay": "decay",
    "CosineDecay": "cosine",
    "CosineDecayRestarts": "cosine",
}
__all__ = [*CATALOGUE]


def __getattr__(name: str) -> Any:
    return public("optimizers.schedules", name)
