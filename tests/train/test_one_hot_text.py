"""Texts as one-hots: encoded batch by batch, numbered alike wherever one layer reads them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from studio.document import edits
from studio.document.model import Document, Endpoint
from studio.document.plan import ClassColumn, TableSource, TextColumn
from studio.document.preprocess import PADDING, FittedText, encode_text
from studio.document.store import Store
from studio.layers.dense import Dense
from studio.layers.embedding import Embedding
from studio.layers.flatten import Flatten
from studio.layers.input import Input
from studio.layers.lstm import LSTM
from studio.layers.merge_concatenate import Concatenate
from studio.losses.probabilistic import BinaryCrossentropy
from studio.train.arrays import OneHots, unpacked
from studio.train.bindings import suggest_bindings, with_data
from studio.train.data import load_data
from studio.train.predict import predict
from studio.train.prediction import encode_row
from studio.train.tables import Table
from tests.train.tables_and_models import (
    NO_SPLIT,
    bound,
    chain,
    mended,
    refused,
    textual,
    written,
)

ROWS = ("a,b,same", "ab,ba,1", "aab,ccccc,0", "b,cab,1", "caab,a,0")
CHARACTERS = TextColumn("a", 4, 6, "char", lower=False, one_hot=True)


def reader() -> Document:
    """One text, (4, 6), through an LSTM."""
    layers = (Input(shape=(4, 6)), LSTM(units=3), Dense(units=1, activation="sigmoid"))
    return chain(*layers, loss=BinaryCrossentropy())[0]


def pair(first: TextColumn, second: TextColumn) -> Document:
    """Two texts through one LSTM."""
    document, a = edits.add_layer(Document(), Input(shape=(4, 6)), name="x")
    document, b = edits.add_layer(document, Input(shape=(4, 6)), name="z")
    document, one = edits.add_layer(document, LSTM(units=3))
    document, other = edits.use_layer(document, document.graph.calls[one].layer)
    document, both = edits.add_layer(document, Concatenate())
    document, last = edits.add_layer(document, Dense(units=1, activation="sigmoid"), name="y")
    for start, end in ((a, one), (b, other), (one, both), (other, both), (both, last)):
        document = edits.connect(document, Endpoint(start, "output"), Endpoint(end, "x"))
    output = Endpoint(last, "output")
    document = edits.mark_output(document, output)
    document = edits.plan_output(document, output, loss=BinaryCrossentropy())
    return edits.set_data(
        document,
        source=TableSource("t.csv"),
        inputs={a: first, b: second},
        targets={output.key: ClassColumn("same")},
        split=NO_SPLIT,
    )


def test_one_hots_are_their_places_and_the_depth_is_zeros() -> None:
    hot = unpacked(OneHots(np.array([[5, 1, 2], [3, 0, 5]], np.uint8), 5))
    assert hot.dtype == np.float32
    assert hot.shape == (2, 3, 5)
    np.testing.assert_array_equal(hot.argmax(axis=-1) * hot.any(axis=-1), [[0, 1, 2], [3, 0, 0]])
    np.testing.assert_array_equal(hot.sum(axis=-1), [[0, 1, 1], [1, 1, 0]])


def test_texts_stay_places_of_ones_and_padding_is_zeros(tmp_path: Path) -> None:
    written(tmp_path, ROWS)
    document = bound(reader(), CHARACTERS, ClassColumn("same"))
    data = load_data(document, tmp_path)
    (x,) = data.train.inputs.values()
    assert isinstance(x, OneHots)
    assert x.places.shape == (4, 4)
    assert x.depth == 6
    hot = unpacked(x)
    assert hot.shape == (4, 4, 6)
    fitted = data.fitted[document.graph.inputs[0]]
    assert isinstance(fitted, FittedText)
    assert fitted.words == ("a", "b", "c")
    assert hot[0].argmax(axis=-1).tolist() == [0, 0, 2, 3]  # "ab", padded before
    assert not hot[0, :2].any()


def test_texts_of_one_layer_learn_one_vocabulary(tmp_path: Path) -> None:
    """Alone, column b would number c first."""
    written(tmp_path, ROWS)
    document = pair(CHARACTERS, replace(CHARACTERS, column="b"))
    data = load_data(document, tmp_path)
    first, second = (data.fitted[call] for call in document.graph.inputs)
    assert isinstance(first, FittedText)
    assert isinstance(second, FittedText)
    assert first.words == second.words == ("a", "c", "b")
    assert second.binding.column == "b"
    # What the one learnt before, the other goes on with, and so do both.
    known = {document.graph.inputs[1]: replace(second, words=("z", "a"))}
    again = load_data(document, tmp_path, known).fitted
    assert {f.words for f in again.values() if isinstance(f, FittedText)} == {("z", "a")}


def test_texts_of_one_layer_must_be_read_alike(tmp_path: Path) -> None:
    written(tmp_path, ROWS)
    document = pair(CHARACTERS, replace(CHARACTERS, column="b", lower=True, split="word"))
    (problem,) = refused(document, tmp_path)
    assert problem.code == "vocabularies_differ"
    assert problem.where == document.graph.inputs[1]
    assert load_data(mended(document, problem), tmp_path)


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"one_hot": False}, "text_one_hot_wanted", "float32(batch, 4, 6)"),
        ({"length": 5}, "text_length", "5"),
        ({"vocabulary_size": 7}, "one_hot_vocabulary", "7"),
    ],
)
def test_a_misfit_is_said_and_mended(
    tmp_path: Path, change: dict[str, int], code: str, said: str
) -> None:
    written(tmp_path, ROWS)
    document = bound(reader(), replace(CHARACTERS, **change), ClassColumn("same"))  # type: ignore[arg-type]
    (problem,) = refused(document, tmp_path)
    assert problem.code == code
    assert said in str(problem)
    after = mended(document, problem)
    assert list(after.plan.data.inputs.values()) == [CHARACTERS]


def test_one_hots_are_refused_where_they_cannot_go(tmp_path: Path) -> None:
    written(tmp_path, ROWS)
    document = bound(textual(4, 6), CHARACTERS, ClassColumn("same"))
    (problem,) = refused(document, tmp_path)
    assert problem.code == "text_one_hot_unwanted"
    assert load_data(mended(document, problem), tmp_path)
    flat = chain(Input(shape=(24,)), Dense(units=1, activation="sigmoid"))[0]
    (problem,) = refused(bound(flat, CHARACTERS, None), tmp_path)
    assert problem.code == "text_needs_two_axes"
    target = edits.set_data(document, targets={document.graph.outputs[0].key: CHARACTERS})
    assert "target_text" in [p.code for p in refused(target, tmp_path)]


def test_such_an_input_is_bound_to_characters(tmp_path: Path) -> None:
    path = written(tmp_path, ROWS)
    document = with_data(reader(), [f"x={path}:b", f"y={path}:same"])
    assert list(document.plan.data.inputs.values()) == [replace(CHARACTERS, column="b")]
    words = replace(CHARACTERS, split="word")
    kept = with_data(bound(reader(), words, None), [f"x={path}:b"])
    assert list(kept.plan.data.inputs.values()) == [replace(words, column="b")]
    long = {"text": ["a long text", "another one"] * 5, "n": ["1", "2"] * 5, "y": ["0", "1"] * 5}
    plan = suggest_bindings(reader(), Table("t", long))
    assert list(plan.inputs.values()) == [replace(CHARACTERS, column="text")]


def test_a_text_typed_by_hand_answers_as_its_row_does(tmp_path: Path) -> None:
    written(tmp_path, ROWS)
    document = bound(reader(), CHARACTERS, ClassColumn("same"))
    data, store = load_data(document, tmp_path), Store()
    whole = predict(document, store, data.train.inputs, batch_size=3)["y"]
    typed = predict(document, store, encode_row(document, data.fitted, {"a": "aab"}))["y"]
    np.testing.assert_allclose(typed, whole[1:2], rtol=1e-6)
    unknown = encode_row(document, data.fitted, {"a": "?b"})
    (x,) = unknown.values()
    assert unpacked(x)[0].argmax(axis=-1).tolist() == [0, 0, 1, 3]  # the unknown is 1


def test_one_hots_and_an_embedding_of_unit_rows_say_the_same(tmp_path: Path) -> None:
    """What the integers look up in the identity matrix, but for padding, are the one-hots."""
    fitted = FittedText(CHARACTERS, ("a", "b", "c"))
    numbers = encode_text(fitted, ["abc", "c?", ""])
    layers = (Input(shape=(4,), dtype="int32"), Embedding(6, 6), Flatten())
    document = chain(*layers)[0]
    table = np.eye(6, dtype=np.float32)
    table[0] = 0
    store = Store()
    (call,) = document.graph.inputs
    predict(document, store, {call: numbers})
    ((_, cell),) = store.items()
    cell.value[:] = table
    (found,) = predict(document, store, {call: numbers}).values()
    places = np.where(numbers == PADDING, 6, numbers)
    np.testing.assert_array_equal(found.reshape(3, 4, 6), unpacked(OneHots(places, 6)))
