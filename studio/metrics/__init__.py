"""What is watched while training: ``studio.metrics.AUC()`` and its kin, Keras's names."""

from typing import Any

from studio.declare import declared

CATALOGUE = {
    "Accuracy": "accuracy",
    "BinaryAccuracy": "accuracy",
    "CategoricalAccuracy": "accuracy",
    "SparseCategoricalAccuracy": "accuracy",
    "AUC": "auc",
}
ALIASES = {"acc": "Accuracy"}
__all__ = [*CATALOGUE]


def __getattr__(name: str) -> Any:
    if name in CATALOGUE:
        return declared("metrics", name)
    raise AttributeError(f"studio.metrics has no {name!r}; it has {', '.join(CATALOGUE)}")
