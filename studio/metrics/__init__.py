"""What is watched while training: ``studio.metrics.AUC()`` and its kin, Keras's names."""

from typing import Any

from studio.declare import public

CATALOGUE = {
    "Accuracy": "accuracy",
    "BinaryAccuracy": "accuracy",
    "CategoricalAccuracy": "accuracy",
    "SparseCategoricalAccuracy": "accuracy",
    "SparseTopKCategoricalAccuracy": "accuracy",
    "TopKCategoricalAccuracy": "accuracy",
    "AUC": "auc",
    "FalseNegatives": "confusion",
    "FalsePositives": "confusion",
    "Precision": "confusion",
    "Recall": "confusion",
    "TrueNegatives": "confusion",
    "TruePositives": "confusion",
    "PrecisionAtRecall": "trade_off",
    "RecallAtPrecision": "trade_off",
    "SensitivityAtSpecificity": "trade_off",
    "SpecificityAtSensitivity": "trade_off",
    "F1Score": "f_score",
    "FBetaScore": "f_score",
    "BinaryIoU": "iou",
    "IoU": "iou",
    "MeanIoU": "iou",
    "OneHotIoU": "iou",
    "OneHotMeanIoU": "iou",
    "ConcordanceCorrelation": "regression",
    "PearsonCorrelation": "regression",
    "R2Score": "regression",
    "RootMeanSquaredError": "regression",
    "BinaryCrossentropy": "losses",
    "CategoricalCrossentropy": "losses",
    "CategoricalHinge": "losses",
    "CosineSimilarity": "losses",
    "Hinge": "losses",
    "KLDivergence": "losses",
    "LogCoshError": "losses",
    "MeanAbsoluteError": "losses",
    "MeanAbsolutePercentageError": "losses",
    "MeanSquaredError": "losses",
    "MeanSquaredLogarithmicError": "losses",
    "Poisson": "losses",
    "SparseCategoricalCrossentropy": "losses",
    "SquaredHinge": "losses",
}
_SHORT = {
    "bce": "BinaryCrossentropy",
    "mae": "MeanAbsoluteError",
    "mape": "MeanAbsolutePercentageError",
    "mse": "MeanSquaredError",
    "msle": "MeanSquaredLogarithmicError",
}
ALIASES = {
    **_SHORT,
    **{name.upper(): kind for name, kind in _SHORT.items()},
    "acc": "Accuracy",
    "f1_score": "F1Score",
    "fbeta_score": "FBetaScore",
    "logcosh": "LogCoshError",
    "r2_score": "R2Score",
}
__all__ = [*CATALOGUE]
_OF_ROWS = {k for k, file in CATALOGUE.items() if file in ("losses", "accuracy")} - {"Accuracy"}
_OF_ROWS |= {"ConcordanceCorrelation", "PearsonCorrelation"}


def __getattr__(name: str) -> Any:
    return public("metrics", name, _function)


def _function(name: str, kind: str) -> Any:
    """Keras has those that give a number for each row as functions, too."""
    from studio.metrics.functions import MetricFunction

    return MetricFunction(name, "metrics", kind) if kind in _OF_ROWS else None
