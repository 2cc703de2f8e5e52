"""Classes are balanced by what Keras's ``class_weight`` does, with scikit-learn's numbers."""

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from studio.document import edits
from studio.document.model import Document, Endpoint
from studio.layers import Dense, Input
from studio.models import Model
from studio.problem import ProblemError
from studio.train.arrays import Arrays, Packed
from studio.train.class_weights import balanced, class_weights
from studio.train.feed import as_arrays, with_class_weights

X = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
RARE = np.array([0] * 8 + [1] * 3 + [2], np.int32)


def made(loss: str, units: int = 3) -> Document:
    """Compiled, and to balance its classes."""
    x = Input((3,))
    model = Model(x, Dense(units, activation="softmax" if units > 1 else "sigmoid")(x))
    model.compile("sgd", loss)
    document = model.document
    for endpoint in document.graph.outputs:
        document = edits.plan_output(document, endpoint, class_weight="balanced")
    return document


def weights(document: Document, y: Any) -> np.ndarray:
    (found,) = balanced(document, as_arrays(document, X, y)).weights.values()
    return found


def test_each_class_counts_the_same_in_the_end() -> None:
    found = weights(made("sparse_categorical_crossentropy"), RARE)
    # sklearn.utils.class_weight.compute_class_weight("balanced", classes=[0, 1, 2], y=RARE)
    table = {0: 0.5, 1: 4 / 3, 2: 4.0}
    np.testing.assert_array_equal(found, np.array([table[c] for c in RARE], np.float32))
    sums = [found[c == RARE].sum() for c in table]
    np.testing.assert_allclose(sums, 4.0)


def test_of_classes_that_are_there_alone() -> None:
    y = np.array([0] * 6 + [2] * 6, np.int32)
    np.testing.assert_array_equal(weights(made("sparse_categorical_crossentropy"), y), 1.0)


def test_one_hots_and_two_classes_likewise() -> None:
    hot = np.eye(3, dtype=np.float32)[RARE]
    one = weights(made("categorical_crossentropy"), hot)
    np.testing.assert_array_equal(one, weights(made("sparse_categorical_crossentropy"), RARE))
    yes = (RARE > 0).astype(np.float32)
    found = weights(made("binary_crossentropy", 1), yes)
    np.testing.assert_array_equal(found, np.where(yes, 12 / 8, 12 / 16).astype(np.float32))


def test_they_are_what_scripts_give_as_class_weight() -> None:
    document = made("sparse_categorical_crossentropy")
    data = as_arrays(document, X, RARE)
    table = {0: 0.5, 1: 4 / 3, 2: 4.0}
    (scripted,) = with_class_weights(document, data, table).weights.values()
    np.testing.assert_array_equal(weights(document, RARE), scripted)


def test_a_target_kept_small_is_unpacked_by_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.train.arrays._UNPACKED", 5)
    eye = np.eye(3, dtype=np.float32)
    packed = Packed(RARE, partial(np.take, eye, axis=0))
    assert class_weights("c1", "y", packed) == {0: 0.5, 1: 4 / 3, 2: 4.0}
    document = made("categorical_crossentropy")
    (end,) = document.graph.outputs
    data = as_arrays(document, X, eye[RARE])
    kept = replace(data, targets={end.key: packed})
    (found,) = balanced(document, kept).weights.values()
    np.testing.assert_array_equal(found, weights(document, eye[RARE]))


def test_numbers_that_are_no_classes_are_refused() -> None:
    document = made("mse", 1)
    for y in (X[:, :1], -RARE[:, None]):
        with pytest.raises(ProblemError, match="no classes"):
            balanced(document, Arrays({}, {_end(document).key: y}))


def test_without_the_wish_nothing_is_weighted() -> None:
    document = made("sparse_categorical_crossentropy")
    plain = edits.plan_output(document, _end(document), class_weight="none")
    data = as_arrays(plain, X, RARE)
    assert isinstance(data, Arrays)
    assert balanced(plain, data) is data


def _end(document: Document) -> Endpoint:
    (end,) = document.graph.outputs
    return end
