"""``later_metrics``: every metric of Keras's but the plain accuracies, over batches of an epoch.

``meta["cases"]`` is a list of {``metric`` (the class), ``config``, ``pair`` (whose inputs),
``weight`` ("samples", "steps" or empty), ``name`` (as in a history), ``better`` ("up", "down" or
empty: which way it improves), ``results`` (after each update)}. Arrays: ``PAIR/y_true``,
``PAIR/y_pred`` and ``PAIR/WEIGHT``; updates are of `SIZES` rows.

``meta["several"]``: two epochs with metrics of several numbers: ``history``, ``types`` (the axes of
a value), what ``evaluate`` gave after them, and the ``csv`` that CSVLogger wrote.

``meta["twins"]``: settings of ``compile`` with metrics of one name, and the history's keys.

``meta["keys"]``: the history's key of each name ``metrics=[name]`` may be given.

What is easily missed:
- A metric given by name is called as the name was written: "AUC", "auc", "mse".
- IoU counts weights as whole numbers.
- ConcordanceCorrelation subtracts the mean of the predictions from the targets.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tests.references.losses import one_hot, probabilities
from tests.references.recording import Array, Recording, floats, seeded

SIZES = (5, 5, 2)
NAMES = (
    "AUC",
    "auc",
    "mse",
    "MSE",
    "mean_squared_error",
    "Precision",
    "f1_score",
    "acc",
    "r2_score",
)
STEPS: dict[str, Any] = {"thresholds": [0.2, 0.5, 0.9]}
MACRO: dict[str, Any] = {"average": "macro"}
CASES: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "TopKCategoricalAccuracy": [("classes", {"k": 2}), ("classes_steps", {"k": 2})],
    "SparseTopKCategoricalAccuracy": [("ranked", {"k": 2}), ("classes_ranked", {"k": 1})],
    "TruePositives": [("binary", {}), ("binary", {"thresholds": 0.3}), ("binary", STEPS)],
    "TrueNegatives": [("binary", {}), ("binary_steps", {})],
    "FalsePositives": [("binary", {"thresholds": 0.7})],
    "FalseNegatives": [("binary", {}), ("binary", STEPS)],
    "Precision": [
        ("binary", {"thresholds": [0.3, 0.5, 0.8]}),
        ("classes", {"thresholds": [0.1, 0.4], "top_k": 2}),
        ("column", {"thresholds": [0.4]}),
        ("binary", {}),
        ("column", {"thresholds": 0.4}),
        ("classes", {"top_k": 2}),
        ("classes", {"class_id": 1}),
        ("classes", {"top_k": 2, "class_id": 0}),
        ("binary_steps", {}),
    ],
    "Recall": [("binary", {}), ("classes", {"top_k": 2}), ("classes", {"class_id": 2})],
    "SensitivityAtSpecificity": [
        ("binary", {"specificity": 0.6}),
        ("classes", {"specificity": 0.5, "num_thresholds": 9, "class_id": 1}),
    ],
    "SpecificityAtSensitivity": [("binary", {"sensitivity": 0.6}), ("edges", {"sensitivity": 0.4})],
    "PrecisionAtRecall": [
        ("binary", {"recall": 0.6}),
        ("binary", {"recall": 0.5, "num_thresholds": 1}),
    ],
    "RecallAtPrecision": [("binary", {"precision": 0.6})],
    "AUC": [
        ("binary", {}),
        ("binary", {"curve": "PR"}),
        ("binary", {"curve": "PRGAIN"}),
        ("binary", {"curve": "PR", "summation_method": "minoring"}),
        ("binary", {"summation_method": "majoring", "num_thresholds": 7}),
        ("binary", {"thresholds": [0.2, 0.5, 0.9]}),
        ("binary", {"thresholds": [0.25, 0.5, 0.75]}),
        ("binary", {"multi_label": True}),
        ("binary", {"multi_label": True, "label_weights": [1.0, 2.0, 0.5], "curve": "PR"}),
        ("binary", {"label_weights": [1.0, 2.0, 0.5]}),
        ("numbers_of_ones", {"from_logits": True}),
    ],
    "F1Score": [
        ("classes", {}),
        ("binary", {"threshold": 0.5}),
        ("classes", MACRO),
        ("classes", {"average": "micro"}),
        ("classes", {"average": "weighted"}),
        ("binary", {**MACRO, "threshold": 0.5}),
        ("column", {"threshold": 0.5}),
    ],
    "FBetaScore": [
        ("classes", {"beta": 2.0, "threshold": 0.3}),
        ("classes", {**MACRO, "beta": 2.0}),
        ("column", {"threshold": 0.3, "beta": 0.5}),
    ],
    "BinaryIoU": [("column", {}), ("binary", {"target_class_ids": [1], "threshold": 0.3})],
    "IoU": [
        ("numbers_of_classes", {"num_classes": 4, "target_class_ids": [0, 2]}),
        ("classes_ranked", {"num_classes": 4, "target_class_ids": [1], "sparse_y_pred": False}),
    ],
    "MeanIoU": [
        ("numbers_of_classes", {"num_classes": 4}),
        ("classes_ranked", {"num_classes": 4, "sparse_y_pred": False, "ignore_class": 1}),
    ],
    "OneHotIoU": [("classes", {"num_classes": 4, "target_class_ids": [0, 3]})],
    "OneHotMeanIoU": [("classes", {"num_classes": 4}), ("classes_steps", {"num_classes": 4})],
    "R2Score": [
        ("numbers", {}),
        ("numbers", {"class_aggregation": "variance_weighted_average"}),
        ("numbers", {"num_regressors": 3}),
    ],
    "RootMeanSquaredError": [("numbers", {}), ("numbers_steps", {})],
    "PearsonCorrelation": [("numbers", {})],
    "ConcordanceCorrelation": [("numbers", {}), ("numbers_steps", {})],
    "MeanSquaredError": [("numbers", {}), ("numbers_steps", {})],
    "MeanAbsoluteError": [("numbers", {})],
    "MeanAbsolutePercentageError": [("numbers", {})],
    "MeanSquaredLogarithmicError": [("numbers", {})],
    "LogCoshError": [("numbers", {})],
    "CosineSimilarity": [("numbers", {}), ("numbers_steps", {"axis": 1})],
    "Hinge": [("binary", {}), ("numbers", {})],
    "SquaredHinge": [("binary", {})],
    "CategoricalHinge": [("classes", {})],
    "KLDivergence": [("classes", {})],
    "Poisson": [("binary", {})],
    "BinaryCrossentropy": [("binary", {}), ("numbers_of_ones", {"from_logits": True})],
    "CategoricalCrossentropy": [
        ("classes", {}),
        ("classes", {"label_smoothing": 0.2}),
        ("classes_steps", {"axis": 1}),
    ],
    "SparseCategoricalCrossentropy": [
        ("ranked", {}),
        ("numbered_logits", {"from_logits": True}),
        ("ranked", {"ignore_class": 1}),
    ],
}


def pairs() -> dict[str, tuple[Array, Array]]:
    """Targets and outputs of an epoch of 12 rows."""
    rng, rows = seeded(41), sum(SIZES)
    scores = rng.random((rows, 3)).astype(np.float32)
    ones = (rng.random((rows, 3)) < 0.2 + 0.6 * scores).astype(np.float32)
    ids, deep = rng.integers(0, 4, rows), rng.integers(0, 4, (rows, 3))
    table = probabilities(rng, rows, 4)
    edges = np.resize(np.array([0, 1, 0.5, 1 / 199, 198 / 199], np.float32), (rows, 1))
    logits = floats(rng, rows, 4, scale=4)
    return {
        "binary": (ones, scores),
        "binary_steps": (ones[..., None], scores[..., None]),
        "column": (ones[:, :1], scores[:, :1]),
        "edges": (ones[:, 1:2], edges),
        "numbers_of_ones": (ones, floats(rng, rows, 3, scale=4)),
        "classes": (one_hot(ids, 4), table),
        "classes_steps": (one_hot(deep, 4), probabilities(rng, rows, 3, 4)),
        "classes_ranked": (ids.astype(np.int32), table),
        "ranked": (ids.astype(np.int32), table),
        "numbered_logits": (ids.astype(np.int32), logits),
        "numbers_of_classes": (ids[:, None], rng.integers(0, 5, (rows, 1)).astype(np.float32)),
        "numbers": (floats(rng, rows, 3, scale=2), floats(rng, rows, 3, scale=2)),
        "numbers_steps": (floats(rng, rows, 2, 3), floats(rng, rows, 2, 3)),
    }


def results(kind: str, config: dict[str, Any], arrays: dict[str, Array], weight: str) -> Any:
    """The metric, and its value after each batch."""
    keras.utils.clear_session()
    metric, found, at = getattr(keras.metrics, kind)(**config), [], 0
    for size in SIZES:
        rows = slice(at, at + size)
        given = arrays[weight][rows] if weight else None
        metric.update_state(arrays["y_true"][rows], arrays["y_pred"][rows], given)
        result = np.asarray(metric.result())
        found.append(float(result.reshape(())) if result.size == 1 else result.tolist())
        at += size
    return metric, found


def put_pairs(recording: Recording) -> dict[str, dict[str, Array]]:
    rng, found = seeded(42), {}
    for name, (y_true, y_pred) in pairs().items():
        arrays = {"y_true": y_true, "y_pred": y_pred.astype(np.float32)}
        arrays["samples"] = rng.uniform(0, 3, len(y_pred)).astype(np.float32)
        if y_pred.ndim == 3:
            arrays["steps"] = rng.uniform(0, 2, y_pred.shape[:2]).astype(np.float32)
        for key, value in arrays.items():
            recording.put(f"{name}/{key}", value)
        found[name] = arrays
    return found


def keys() -> dict[str, str]:
    """What metrics=[name] is called in a history."""
    found = {}
    for name in NAMES:
        symbol = keras.Input((1,))
        model = keras.Model(symbol, keras.layers.Dense(1, activation="sigmoid")(symbol))
        model.compile(loss="mse", metrics=[name])
        data = np.array([[0.0], [1.0], [1.0]], np.float32)
        found[name] = next(k for k in model.fit(data, data, verbose=0).history if k != "loss")
    return found


def several() -> dict[str, Any]:
    """A history with metrics of several numbers, as ``fit`` and CSVLogger give it."""
    x = np.linspace(0, 1, 24, dtype=np.float32).reshape(6, 4)[:, ::-1].copy()
    y = one_hot(np.array([0, 1, 2, 0, 1, 2]), 3)
    symbol = keras.Input((4,))
    model = keras.Model(symbol, keras.layers.Dense(3, activation="softmax")(symbol))
    weights = [np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3), np.zeros(3, np.float32)]
    model.set_weights(weights)
    watched = [keras.metrics.F1Score(), keras.metrics.Recall([0.2, 0.4])]
    model.compile(keras.optimizers.SGD(0.5), "categorical_crossentropy", metrics=watched)
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "history.csv"
        options = {"epochs": 2, "batch_size": 4, "shuffle": False, "verbose": 0}
        writing = [keras.callbacks.CSVLogger(str(table))]
        history = model.fit(x, y, validation_data=(x, y), callbacks=writing, **options).history
        lines = table.read_text()
    evaluated = model.evaluate(x, y, verbose=0)
    return {
        "history": {key: np.array(values).tolist() for key, values in history.items()},
        "types": {key: np.ndim(values[0]) for key, values in history.items()},
        "evaluate": [np.asarray(value).tolist() for value in evaluated],
        "csv": lines,
    }


TWINS: list[dict[str, Any]] = [
    {"metrics": ["mse", "mse", "mae"]},
    {"metrics": ["mse", "mae"], "weighted_metrics": ["mse", "mse", "Poisson"]},
    {"weighted_metrics": ["mse", "mse", "mse"]},
]


def twins() -> list[Any]:
    """The keys of a history where metrics of one name are watched."""
    found, data = [], np.eye(2, dtype=np.float32)
    for settings in TWINS:
        symbol = keras.Input((2,))
        model = keras.Model(symbol, keras.layers.Dense(2)(symbol))
        model.compile("sgd", "mse", **settings)
        history = model.fit(data, data, sample_weight=np.ones(2), verbose=0).history
        found.append([settings, list(history)])
    return found


# What a process makes in turn: models of one or two outputs, compiled with what is made for them.
# A pair is a metric that is an object, of a class and with parameters.
AUTOMATIC: list[dict[str, Any]] = [
    {"metrics": [["AUC", {}], ["AUC", {}]]},
    {"outputs": 2, "metrics": [[["AUC", {}]], [["AUC", {}]]]},
    {"metrics": [["Precision", {}]], "weighted_metrics": [["Precision", {}], ["AUC", {}]]},
    {
        "outputs": 2,
        "metrics": {"o2": [["AUC", {}]], "o1": ["AUC", ["Recall", {}]]},
        "weighted_metrics": [["AUC", {}], [["AUC", {"name": "auc"}], ["Recall", {}], "Recall"]],
    },
    {"metrics": [["AUC", {"name": "auc"}], ["AUC", {}], "auc", "mse", ["MeanSquaredError", {}]]},
    {"metrics": [["F1Score", {}], ["F1Score", {}], ["TruePositives", {}], ["BinaryIoU", {}]]},
    {"metrics": [["BinaryIoU", {}], ["TruePositives", {}], ["AUC", {}]]},
]


def made(metrics: Any, catalogue: Any) -> Any:
    """The objects of a case of `AUTOMATIC`, made in the order they are written in."""
    if isinstance(metrics, dict):
        return {name: made(value, catalogue) for name, value in metrics.items()}
    if isinstance(metrics, list) and len(metrics) == 2 and isinstance(metrics[1], dict):
        return getattr(catalogue, metrics[0])(**metrics[1])
    return [made(value, catalogue) for value in metrics] if isinstance(metrics, list) else metrics


def automatic() -> list[Any]:
    """The keys of the histories of `AUTOMATIC`, one case after the other in one process."""
    keras.utils.clear_session()
    found, data, twos = [], np.eye(2, dtype=np.float32), np.ones(2)
    for case in AUTOMATIC:
        names = [f"o{i + 1}" for i in range(case.get("outputs", 1))]
        symbol = keras.Input((2,))
        outputs = [keras.layers.Dense(2, activation="sigmoid", name=n)(symbol) for n in names]
        model = keras.Model(symbol, outputs)
        watched = {k: made(v, keras.metrics) for k, v in case.items() if k != "outputs"}
        model.compile("sgd", ["mse"] * len(names), **watched)
        target, weight = [data] * len(names), [twos] * len(names)
        history = model.fit(data, target, sample_weight=weight, verbose=0).history
        found.append([case, list(history)])
    return found


def later_metrics() -> Recording:
    recording = Recording()
    inputs, cases = put_pairs(recording), []
    for kind, listed in CASES.items():
        for pair, config in listed:
            for weight in ("", "samples", "steps"):
                if weight and weight not in inputs[pair]:
                    continue
                try:
                    metric, found = results(kind, config, inputs[pair], weight)
                except (ValueError, TypeError):
                    continue  # weights that Keras does not take for values of this shape
                facts = {"metric": kind, "config": config, "pair": pair, "weight": weight}
                better = getattr(metric, "_direction", "")
                cases.append({**facts, "name": metric.name, "better": better, "results": found})
    recording.meta |= {"cases": cases, "keys": keys(), "several": several(), "twins": twins()}
    recording.meta["automatic"] = automatic()
    return recording


RECORDINGS: dict[str, Callable[[], Recording]] = {"later_metrics": later_metrics}
