"""``later_losses``: every loss of Keras's, with its options and reductions.

``meta["cases"][case]``: ``loss`` (the class), ``config``, ``pair`` (whose inputs), ``weight`` (the
name of its sample weights, empty without) and ``shape`` (of the values without reduction). Arrays:
``PAIR/y_true``, ``PAIR/y_pred`` and ``PAIR/WEIGHT``; and for each case ``CASE`` alone, flat: the
loss under the reductions ``sum_over_batch_size``, ``sum`` and ``mean_with_sample_weight``, then its
gradient for the first, then the values.

What is easily missed:
- ``ignore_class`` makes a mask of the loss's own: the mean is over what counts.
- The hinge losses take targets for −1 and 1 only if *all* of the batch are 0 or 1.
- Dice and Tversky without axes compare the batch as a whole; weights then multiply one number.
- ``CTC`` gives what is impossible a probability of e^−100000, and counts labels that are not 0.
- In ``Circle`` a sample without another of its label has a loss of 0, and does not count.
- ``BinaryFocalCrossentropy`` clips for the logarithm only, not for its factor.
"""

from collections.abc import Callable
from typing import Any

import jax
import keras
import numpy as np

from tests.references.losses import one_hot, probabilities
from tests.references.recording import Array, Recording, floats, seeded

# Repeated labels, short ones, none at all, and those for which seven steps are just enough.
SPOKEN = np.array([[1, 2, 3, 1], [1, 1, 0, 0], [2, 0, 0, 0], [0] * 4, [3, 3, 3, 0], [2] * 4])
REDUCTIONS = ("sum_over_batch_size", "sum", "mean_with_sample_weight")
LOGITS: dict[str, Any] = {"from_logits": True}
SMOOTH: dict[str, Any] = {"label_smoothing": 0.2}
CASES: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "BinaryCrossentropy": [
        ("binary", LOGITS),
        ("binary", SMOOTH),
        ("logits_of_ones", {**LOGITS, **SMOOTH}),
        ("binary_steps", {"axis": 1}),
    ],
    "BinaryFocalCrossentropy": [
        ("binary", {}),
        ("binary", {"apply_class_balancing": True, "alpha": 0.4, "gamma": 1.5}),
        ("logits_of_ones", {**LOGITS, **SMOOTH}),
        ("binary", {"gamma": 0.0}),
        ("binary_steps", {}),
    ],
    "CategoricalCrossentropy": [
        ("classes", SMOOTH),
        ("logits", LOGITS),
        ("logits", {**LOGITS, **SMOOTH}),
        ("classes_steps", {"axis": 1}),
    ],
    "CategoricalFocalCrossentropy": [
        ("classes", {}),
        ("classes", {"alpha": 0.5, "gamma": 1.0, **SMOOTH}),
        ("classes", {"alpha": [0.1, 0.2, 0.3, 0.4]}),
        ("logits", LOGITS),
        ("classes_steps", {"axis": 1}),
    ],
    "SparseCategoricalCrossentropy": [
        ("numbered_logits", LOGITS),
        ("numbered", {"ignore_class": 1}),
        ("numbered_logits", {**LOGITS, "ignore_class": 2}),
        ("numbered_steps", {"ignore_class": 0}),
        ("unlabelled", {"ignore_class": -1}),
    ],
    "CategoricalGeneralizedCrossEntropy": [("ranked", {}), ("ranked", {"q": 0.2})],
    "KLDivergence": [("classes", {}), ("shares", {}), ("classes_steps", {})],
    "Poisson": [("counts", {})],
    "CosineSimilarity": [("numbers", {}), ("numbers_steps", {"axis": 1})],
    "Huber": [("numbers", {}), ("numbers", {"delta": 0.3})],
    "LogCosh": [("numbers", {}), ("numbers_steps", {})],
    "MeanAbsolutePercentageError": [("numbers", {}), ("counts", {})],
    "MeanSquaredLogarithmicError": [("counts", {}), ("numbers", {})],
    "MeanSquaredError": [("numbers_steps", {})],
    "MeanAbsoluteError": [("numbers_steps", {})],
    "CategoricalHinge": [("classes", {}), ("logits", {})],
    "Hinge": [("binary", {}), ("numbers", {}), ("signs", {})],
    "SquaredHinge": [("binary", {}), ("numbers", {}), ("signs", {})],
    "Dice": [
        ("binary", {}),
        ("binary_steps", {}),
        ("binary_steps", {"axis": [1, 2]}),
        ("binary_steps", {"axis": -1}),
    ],
    "Tversky": [
        ("binary", {}),
        ("binary_steps", {"alpha": 0.3, "beta": 0.9}),
        ("binary_steps", {"axis": [-1]}),
    ],
    "CTC": [("spoken", {})],
    "Circle": [
        ("embedded", {}),
        ("embedded", {"gamma": 10.0, "margin": 0.2}),
        ("embedded", {"remove_diagonal": False}),
    ],
}


def pairs() -> dict[str, tuple[Array, Array]]:
    """Targets and outputs; those of one name serve several losses."""
    rng = seeded(31)
    ones = rng.integers(0, 2, (5, 3)).astype(np.float32)
    steps = rng.integers(0, 2, (3, 4, 2)).astype(np.float32)
    ids, deep = rng.integers(0, 4, 6), rng.integers(0, 4, (2, 3))
    table = probabilities(rng, 6, 4)
    partly = ids[:, None].astype(np.int32)
    partly[[1, 4]] = -1
    return {
        "binary": (ones, rng.random((5, 3))),
        "binary_steps": (steps, rng.random((3, 4, 2))),
        "logits_of_ones": (ones, floats(rng, 5, 3, scale=6)),
        "classes": (one_hot(ids, 4), table),
        "classes_steps": (one_hot(deep, 4), rng.uniform(0.1, 0.9, (2, 3, 4))),
        "logits": (one_hot(ids, 4), floats(rng, 6, 4, scale=6)),
        "numbered": (ids[:, None].astype(np.int32), table),
        "numbered_logits": (ids[:, None].astype(np.int32), floats(rng, 6, 4, scale=6)),
        "numbered_steps": (deep[..., None].astype(np.int32), probabilities(rng, 2, 3, 4)),
        "unlabelled": (partly, table),
        "ranked": (ids.astype(np.int32), table),
        "shares": (probabilities(rng, 6, 4), table),
        "counts": (rng.integers(0, 6, (5, 3)).astype(np.float32), rng.uniform(0.2, 5, (5, 3))),
        "numbers": (floats(rng, 5, 3, scale=2), floats(rng, 5, 3, scale=2)),
        "numbers_steps": (floats(rng, 2, 3, 4), floats(rng, 2, 3, 4)),
        "signs": (ones * 2 - 1, floats(rng, 5, 3, scale=2)),
        "spoken": (SPOKEN.astype(np.int32), floats(rng, len(SPOKEN), 7, 4, scale=3)),
        "embedded": (np.array([0, 1, 5, 1, 0, 5, 0, 9], np.int32), unit(floats(rng, 8, 3))),
    }


def unit(rows: Array) -> Array:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def put_inputs(recording: Recording, rng: np.random.Generator) -> dict[str, dict[str, Array]]:
    """The pairs with weights for each sample, and for each step where there are any."""
    found = {}
    for name, (y_true, y_pred) in pairs().items():
        arrays = {"y_true": y_true, "y_pred": y_pred.astype(np.float32)}
        arrays["samples"] = rng.uniform(0, 2, len(y_pred)).astype(np.float32)
        if y_pred.ndim == 3:
            arrays["samples"] = arrays["samples"][:, None]
            arrays["steps"] = rng.uniform(0, 2, y_pred.shape[:2]).astype(np.float32)
        for key, value in arrays.items():
            recording.put(f"{name}/{key}", value)
        found[name] = arrays
    return found


def put_case(
    recording: Recording, kind: str, config: dict[str, Any], pair: str, arrays: dict[str, Array]
) -> None:
    for weight in ("", "samples", "steps"):
        if weight and weight not in arrays:
            continue

        def value(p: Any, reduction: str | None, weight: str = weight) -> Any:
            loss = getattr(keras.losses, kind)(reduction=reduction, **config)
            return loss(arrays["y_true"], p, arrays.get(weight))

        y_pred = jax.numpy.asarray(arrays["y_pred"])
        try:
            values = np.asarray(value(y_pred, None))
            totals = [float(value(y_pred, reduction)) for reduction in REDUCTIONS]
            gradient = jax.grad(value)(y_pred, REDUCTIONS[0])
        except (ValueError, TypeError):
            continue  # weights that Keras does not take for values of this shape
        cases = recording.meta.setdefault("cases", {})
        case = f"{len(cases)}"
        cases[case] = {
            "loss": kind,
            "config": config,
            "pair": pair,
            "weight": weight,
            "shape": list(values.shape),
        }
        flat = [np.array(totals), np.asarray(gradient).ravel(), values.ravel()]
        recording.put(case, np.concatenate(flat))


def later_losses() -> Recording:
    recording = Recording()
    inputs = put_inputs(recording, seeded(32))
    for kind, cases in CASES.items():
        for pair, config in cases:
            put_case(recording, kind, config, pair, inputs[pair])
    return recording


RECORDINGS: dict[str, Callable[[], Recording]] = {"later_losses": later_losses}
