"""What training makes small: ``studio.losses.BinaryCrossentropy()`` and its kin, Keras's names."""

from typing import Any

from studio.declare import public

CATALOGUE = {
    "BinaryCrossentropy": "probabilistic",
    "BinaryFocalCrossentropy": "probabilistic",
    "CategoricalCrossentropy": "probabilistic",
    "CategoricalFocalCrossentropy": "probabilistic",
    "CategoricalGeneralizedCrossEntropy": "probabilistic",
    "KLDivergence": "probabilistic",
    "Poisson": "probabilistic",
    "SparseCategoricalCrossentropy": "probabilistic",
    "CosineSimilarity": "regression",
    "Huber": "regression",
    "LogCosh": "regression",
    "MeanAbsoluteError": "regression",
    "MeanAbsolutePercentageError": "regression",
    "MeanSquaredError": "regression",
    "MeanSquaredLogarithmicError": "regression",
    "CategoricalHinge": "margins",
    "Hinge": "margins",
    "SquaredHinge": "margins",
    "CTC": "sequence",
    "Circle": "metric_learning",
    "Dice": "overlap",
    "Tversky": "overlap",
}
_SHORT = {
    "bce": "BinaryCrossentropy",
    "kld": "KLDivergence",
    "mae": "MeanAbsoluteError",
    "mape": "MeanAbsolutePercentageError",
    "mse": "MeanSquaredError",
    "msle": "MeanSquaredLogarithmicError",
}
ALIASES = {**_SHORT, **{name.upper(): kind for name, kind in _SHORT.items()}}
__all__ = [*CATALOGUE]


def __getattr__(name: str) -> Any:
    return public("losses", name, _function)


def _function(name: str, kind: str) -> Any:
    from studio.losses.functions import LossFunction

    return LossFunction(name, "losses", kind)
