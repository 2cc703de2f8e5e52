"""What training makes small: ``studio.losses.BinaryCrossentropy()`` and its kin, Keras's names."""

from typing import Any

from studio.declare import declared

CATALOGUE = {
    "BinaryCrossentropy": "probabilistic",
    "CategoricalCrossentropy": "probabilistic",
    "SparseCategoricalCrossentropy": "probabilistic",
    "MeanSquaredError": "regression",
    "MeanAbsoluteError": "regression",
}
ALIASES = {
    "mse": "MeanSquaredError",
    "MSE": "MeanSquaredError",
    "mae": "MeanAbsoluteError",
    "MAE": "MeanAbsoluteError",
    "bce": "BinaryCrossentropy",
}
__all__ = [*CATALOGUE]


def __getattr__(name: str) -> Any:
    if name in CATALOGUE:
        return declared("losses", name)
    raise AttributeError(f"studio.losses has no {name!r}; it has {', '.join(CATALOGUE)}")
