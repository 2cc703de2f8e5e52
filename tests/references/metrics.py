"""``metrics``: which accuracy Keras chooses, AUC, and means over batches with a smaller last one.

``meta["accuracy"][case]``: ``chosen`` (the metric class ``metrics=["accuracy"]`` became for these
shapes), ``batch_size`` and, recorded with ``evaluate(batch_size=...)`` on a model that returns its
input, ``result`` and ``weighted_result`` (as ``weighted_metrics`` with the sample weights), and
``refused`` where Keras refuses instead. Arrays: ``accuracy_<case>/y_true``, ``.../y_pred``,
``.../sample_weight``.

``meta["auc"][case]``: ``config``, ``sizes`` (rows per update), ``results`` (after each update).
Arrays: ``auc_<case>/y_true``, ``.../y_pred``, ``.../sample_weight`` (where weighted) and, after
the last update, ``.../true_positives``, ``.../false_positives``, ``.../true_negatives``,
``.../false_negatives`` (200 each by default). ``auc_thresholds`` are AUC's own (float64).

What is easily missed:
- The choice: last axis of the prediction is 1: binary (prediction > 0.5 strictly, compared with the
  label); else labels of lower rank, or with a last axis of 1: sparse categorical; else
  categorical (argmax of both; the first of equal values). The result's name is always "accuracy".
- Binary accuracy first averages over the last axes of a row, then over rows; each row has
  the same weight, or the row's sample weight.
- ``metrics`` ignore sample weights, ``weighted_metrics`` use them: total = sum(w*value),
  result = total / sum(w), 0 if that sum is 0.
- AUC: 200 thresholds, i/199 with -1e-7 and 1 + 1e-7 at the ends; counts by buckets, not by
  comparing: bucket = max(ceil(p * 199) - 1, 0), computed in float32; a prediction counts as
  positive for every threshold of index <= bucket (so p must be strictly above the threshold; an
  exact 0 is above the first one). Predictions are clipped to [0, 1] first. Labels are cast to
  bool, then float: any non-zero label is positive. ROC: the sum of (x[i] - x[i+1]) * (y[i] +
  y[i+1]) / 2 with x = fp/(fp + tn), y = tp/(tp + fn), 0 for 0/0: one class only gives 0.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from tests.references.losses import one_hot, probabilities
from tests.references.recording import Array, Recording, refusal, seeded


def nothing(rank: int) -> Callable[[Any, Any], Any]:
    """A loss for evaluating metrics on labels, and weights, that the usual losses would refuse."""

    def loss(_: Any, y_pred: Any) -> Any:
        return keras.ops.mean(y_pred * 0.0, axis=tuple(range(rank, len(y_pred.shape))))

    return loss


def record_accuracy(
    recording: Recording, name: str, y_true: Array, y_pred: Array, weight: Array | None = None
) -> None:
    keras.utils.clear_session()
    y_pred = y_pred.astype(np.float32)
    recording.put(f"accuracy_{name}/y_true", y_true)
    recording.put(f"accuracy_{name}/y_pred", y_pred)
    if weight is None:
        weight = seeded(5, len(y_pred)).uniform(0, 2, len(y_pred)).astype(np.float32)
    recording.put(f"accuracy_{name}/sample_weight", weight)
    symbol = keras.Input(y_pred.shape[1:])
    model = keras.Model(symbol, keras.layers.Activation("linear")(symbol))
    rank = 2 if weight.ndim == 2 and y_pred.ndim == 3 else 1
    model.compile(loss=nothing(rank), metrics=["accuracy"], weighted_metrics=["accuracy"])
    facts: dict[str, Any] = {"batch_size": 4}
    recording.meta.setdefault("accuracy", {})[name] = facts

    def measure() -> None:
        options = {"batch_size": 4, "verbose": 0, "return_dict": True}
        logs = model.evaluate(y_pred, y_true, sample_weight=weight, **options)
        [compiled] = [m for m in model.metrics if m.name == "compile_metrics"]
        facts["chosen"] = type(compiled.metrics[0]).__name__
        facts["result"] = float(logs["accuracy"])
        facts["weighted_result"] = float(logs["weighted_accuracy"])

    if error := refusal(measure):
        facts["refused"] = error


def record_auc(
    recording: Recording,
    name: str,
    y_true: Array,
    y_pred: Array,
    sizes: list[int],
    weight: Array | None = None,
    **config: Any,
) -> None:
    keras.utils.clear_session()
    metric = keras.metrics.AUC(**config)
    y_pred = y_pred.astype(np.float32)
    arrays = {"y_true": y_true, "y_pred": y_pred}
    if weight is not None:
        arrays["sample_weight"] = weight
    results = []
    start = 0
    for size in sizes:
        rows = slice(start, start + size)
        metric.update_state(y_true[rows], y_pred[rows], None if weight is None else weight[rows])
        results.append(float(metric.result()))
        start += size
    if start != len(y_pred):
        raise ValueError(f"{name}: sizes add up to {start}, not {len(y_pred)}")
    for key in ("true_positives", "false_positives", "true_negatives", "false_negatives"):
        arrays[key] = np.array(getattr(metric, key))
    for key, value in arrays.items():
        recording.put(f"auc_{name}/{key}", value)
    facts = {"config": config, "sizes": sizes, "results": results}
    recording.meta.setdefault("auc", {})[name] = facts


def metrics() -> Recording:
    recording = Recording()
    rng = seeded(4)
    column = rng.random((10, 1))
    column[:4, 0] = [0.5, 0.5, 0.5000001, 0.4999999]
    labels = np.array([0, 1, 1, 1, 0, 1, 0, 0, 1, 1], np.float32)[:, None]
    record_accuracy(recording, "binary", labels, column)
    record_accuracy(recording, "binary_labels_rank1", labels[:, 0], column)
    record_accuracy(recording, "binary_integer_labels", labels.astype(np.int32), column)
    record_accuracy(recording, "binary_weight_column", labels, column, (1 + labels * 2))
    record_accuracy(recording, "binary_weights_zero", labels, column, np.zeros(10, np.float32))
    record_accuracy(recording, "binary_soft_labels", labels * 0.5, column)
    many = rng.integers(0, 2, (10, 3, 1)).astype(np.float32)
    record_accuracy(recording, "binary_rank3", many, rng.random((10, 3, 1)))
    each = rng.uniform(0, 2, (10, 3)).astype(np.float32)
    record_accuracy(recording, "binary_rank3_weight_steps", many, rng.random((10, 3, 1)), each)
    table = probabilities(rng, 10, 4)
    table[0] = 0.25  # all equal: the first wins
    ids = rng.integers(0, 4, 10)
    ids[0] = 0
    record_accuracy(recording, "categorical", one_hot(ids, 4), table)
    record_accuracy(recording, "sparse", ids.astype(np.int32), table)
    record_accuracy(recording, "sparse_column", ids[:, None].astype(np.int32), table)
    record_accuracy(recording, "sparse_float_labels", ids.astype(np.float32), table)
    steps = rng.integers(0, 4, (10, 3))
    record_accuracy(recording, "categorical_rank3", one_hot(steps, 4), probabilities(rng, 10, 3, 4))
    record_accuracy(recording, "sparse_rank3", steps.astype(np.int32), probabilities(rng, 10, 3, 4))
    column_steps = steps[..., None].astype(np.int32)
    record_accuracy(recording, "sparse_rank3_column", column_steps, probabilities(rng, 10, 3, 4))

    recording.arrays["auc_thresholds"] = np.array(keras.metrics.AUC().thresholds)
    y_pred = rng.random(70).astype(np.float32)
    y_pred[:8] = [0, 1, 0.5, 1 / 199, 2 / 199, 198 / 199, 1e-8, 1 - 2.0**-24]
    y_pred[8:28] = np.arange(0, 200, 10, dtype=np.float32) / 199
    y_true = (rng.random(70) < 0.2 + 0.6 * y_pred).astype(np.float32)
    weight = rng.uniform(0, 2, 70).astype(np.float32)
    sizes = [32, 32, 6]
    record_auc(recording, "column", y_true[:, None], y_pred[:, None], sizes)
    record_auc(recording, "weighted", y_true[:, None], y_pred[:, None], sizes, weight)
    record_auc(recording, "weight_column", y_true[:, None], y_pred[:, None], sizes, weight[:, None])
    record_auc(recording, "labels_rank1", y_true, y_pred[:, None], sizes)
    record_auc(
        recording, "integer_labels", y_true.astype(np.int32)[:, None], y_pred[:, None], sizes
    )
    record_auc(recording, "one_class", np.ones((6, 1), np.float32), y_pred[:6, None], [4, 2])
    record_auc(recording, "soft_labels", y_pred[::-1, None].copy(), y_pred[:, None], sizes)
    outside = y_pred * 4 - 1.5
    record_auc(recording, "outside", y_true[:, None], outside[:, None], sizes)
    record_auc(recording, "table", y_true.reshape(14, 5), y_pred.reshape(14, 5), [8, 6])
    record_auc(
        recording, "few_thresholds", y_true[:, None], y_pred[:, None], sizes, num_thresholds=11
    )
    record_auc(recording, "pr", y_true[:, None], y_pred[:, None], sizes, curve="PR")
    return recording


RECORDINGS: dict[str, Callable[[], Recording]] = {"metrics": metrics}
