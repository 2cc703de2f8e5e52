"""``losses``: the five losses, their reductions, sample weights and gradients.

``meta["cases"][case]``: ``loss`` (Keras's name), ``weighted``, and ``refused``: the error where
Keras refuses the shapes (then only the inputs are recorded). Arrays of a case: ``y_true``,
``y_pred``, ``sample_weight`` (if weighted), ``value`` (the default reduction,
sum_over_batch_size), ``values`` (reduction None, weights applied), ``sum``, and ``gradient``: of
``value`` with respect to ``y_pred``. The default reduction divides by the number of values, never
by the sum of the weights.

What is easily missed:
- Probabilities are clipped to [1e-7, 1 - 1e-7], in float32 [1.0000000116860974e-07,
  0.9999998807907104]; the gradient is 0 outside, and one half of the usual one exactly on a
  bound (JAX's min and max split a tie), as the cases ``*_ties`` show. 1 - 2**-24 is outside.
- The categorical losses first divide by the sum over the last axis, then clip; the gradient goes
  through that division.
- Binary cross-entropy averages over the last axis before weights apply; the weights (n,) of an
  (n, 1) output meet values of shape (n,), as do weights (n, 1), whose last axis is squeezed.
- For values of shape (n, t), of a rank-3 output, weights (n,) are refused unless n == t, where
  they apply to the *time* axis by broadcasting (``*_rank3_square``); weights (n, t) and
  (n, 1) do what one expects.
- Labels (n,) for an (n, 1) output are expanded; labels (n, 1) suit a sparse loss.
- mean_absolute_error's gradient is -1/n where prediction and target are equal: |x| has the slope
  1 at 0 on JAX.
"""

from collections.abc import Callable
from typing import Any

import jax
import keras
import numpy as np

from tests.references.recording import Array, Recording, floats, seeded

EDGES = np.array([0, 1, 1e-8, 1e-7, 2e-7, 0.5, 1 - 2.0**-24, 1 - 2.0**-22, 0.25, 0.9], np.float32)
TIES = np.array([1e-7, 1 - 2.0**-23], np.float32)
SHORT = {
    "binary_crossentropy": "binary",
    "categorical_crossentropy": "categorical",
    "sparse_categorical_crossentropy": "sparse",
    "mean_squared_error": "squared",
    "mean_absolute_error": "absolute",
}
Pair = tuple[Array, Array]


def wrapped(name: str, reduction: str | None) -> Any:
    """The loss as ``compile`` makes it from a name, with a reduction of our choice."""
    kind = "".join(word.capitalize() for word in name.split("_"))
    return getattr(keras.losses, kind)(reduction=reduction)


def record_case(
    recording: Recording, name: str, loss: str, pair: Pair, weight: Array | None = None
) -> None:
    y_true, y_pred = pair
    recording.put(f"{name}/y_true", y_true)
    recording.put(f"{name}/y_pred", y_pred)
    if weight is not None:
        recording.put(f"{name}/sample_weight", weight)
    facts: dict[str, Any] = {"loss": loss, "weighted": weight is not None}
    recording.meta.setdefault("cases", {})[name] = facts

    def value(predictions: Any, reduction: str | None = "sum_over_batch_size") -> Any:
        return wrapped(loss, reduction)(y_true, predictions, weight)

    try:
        total, gradient = jax.value_and_grad(value)(jax.numpy.asarray(y_pred))
    except (ValueError, TypeError) as error:
        facts["refused"] = f"{type(error).__name__}: {str(error).splitlines()[0]}"
        return
    recording.put(f"{name}/value", total)
    recording.put(f"{name}/values", value(y_pred, None))
    recording.put(f"{name}/sum", value(y_pred, "sum"))
    recording.put(f"{name}/gradient", gradient)


def probabilities(rng: np.random.Generator, *shape: int) -> Array:
    exponents = np.exp(rng.uniform(-3, 3, shape))
    return (exponents / exponents.sum(-1, keepdims=True)).astype(np.float32)


def one_hot(ids: Array, classes: int) -> Array:
    return np.eye(classes, dtype=np.float32)[ids]


def losses() -> Recording:
    recording = Recording()
    rng = seeded(3)
    pairs: dict[str, dict[str, Pair]] = {name: {} for name in SHORT}

    binary = pairs["binary_crossentropy"]
    edges = np.concatenate([EDGES, EDGES])[:, None]
    sides = np.repeat(np.array([0, 1], np.float32), len(EDGES))[:, None]
    ties = np.concatenate([TIES, TIES])[:, None]
    binary["column"] = (rng.integers(0, 2, (6, 1)).astype(np.float32), rng.random((6, 1)))
    binary["labels_rank1"] = (binary["column"][0][:, 0], binary["column"][1])
    binary["table"] = (rng.integers(0, 2, (5, 3)).astype(np.float32), rng.random((5, 3)))
    binary["soft_labels"] = (rng.random((5, 3)), rng.random((5, 3)))
    binary["integer_labels"] = (rng.integers(0, 2, (6, 1)).astype(np.int32), rng.random((6, 1)))
    binary["edges"] = (sides, edges)
    binary["ties"] = (np.array([[0], [0], [1], [1]], np.float32), ties)
    binary["rank3"] = (rng.integers(0, 2, (2, 3, 4)).astype(np.float32), rng.random((2, 3, 4)))
    binary["rank3_square"] = (
        rng.integers(0, 2, (3, 3, 1)).astype(np.float32),
        rng.random((3, 3, 1)),
    )

    flat, deep = rng.integers(0, 4, 6), rng.integers(0, 4, (2, 3))
    table, sequence = probabilities(rng, 6, 4), probabilities(rng, 2, 3, 4)
    odd = np.array(
        [[0, 0, 1, 0], [1, 0, 0, 0], [1e-8, 0.5, 0.25, 0.25], [0.3, 0.3, 0.3, 0.3], [2, 1, 1, 0]],
        np.float32,
    )
    odd = np.concatenate([odd, odd])
    chosen = np.array([0, 0, 0, 1, 3, 2, 1, 2, 0, 0])
    edge_ties = np.array([[TIES[1], 1 - TIES[1]], [TIES[1], 1 - TIES[1]]], np.float32)
    for name in ("categorical_crossentropy", "sparse_categorical_crossentropy"):
        hot = one_hot if name[0] == "c" else lambda ids, _: ids.astype(np.int32)
        pairs[name] = {
            "table": (hot(flat, 4), table),
            "edges": (hot(chosen, 4), odd),
            "ties": (hot(np.array([0, 1]), 2), edge_ties),
            "rank3": (hot(deep, 4), sequence),
            "rank3_square": (hot(rng.integers(0, 4, (3, 3)), 4), probabilities(rng, 3, 3, 4)),
        }
    pairs["categorical_crossentropy"]["soft_labels"] = (probabilities(rng, 6, 4), table)
    sparse = pairs["sparse_categorical_crossentropy"]
    sparse["labels_column"] = (flat[:, None].astype(np.int32), table)
    sparse["labels_rank3"] = (deep[..., None].astype(np.int32), sequence)

    for name in ("mean_squared_error", "mean_absolute_error"):
        target = floats(rng, 5, 3, scale=2)
        prediction = floats(rng, 5, 3, scale=2)
        prediction[1] = target[1]  # equal values
        pairs[name] = {
            "table": (target, prediction),
            "column": (floats(rng, 6, 1), floats(rng, 6, 1)),
            "labels_rank1": (floats(rng, 6), floats(rng, 6, 1)),
            "rank3": (floats(rng, 2, 3, 4), floats(rng, 2, 3, 4)),
            "rank3_square": (floats(rng, 3, 3, 2), floats(rng, 3, 3, 2)),
        }

    for loss, group in pairs.items():
        for kind, (y_true, y_pred) in group.items():
            pair = (y_true, y_pred.astype(np.float32))
            if pair[0].dtype == np.float64:
                pair = (y_true.astype(np.float32), pair[1])
            name = f"{SHORT[loss]}_{kind}"
            record_case(recording, name, loss, pair)
            n = len(y_pred)
            weight = rng.uniform(0, 2, n).astype(np.float32)
            weight[0] = 0
            record_case(recording, f"{name}_weighted", loss, pair, weight)
            record_case(recording, f"{name}_weighted_column", loss, pair, weight[:, None])
            if y_pred.ndim == 3:
                each = rng.uniform(0, 2, y_pred.shape[:2]).astype(np.float32)
                record_case(recording, f"{name}_weighted_steps", loss, pair, each)
    return recording


RECORDINGS: dict[str, Callable[[], Recording]] = {"losses": losses}
