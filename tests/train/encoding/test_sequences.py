"""Columns whose cells hold several numbers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.document.model import Document
from studio.document.plan import Binding, ClassColumn, SequenceColumn
from studio.layers.dense import Dense
from studio.layers.flatten import Flatten
from studio.layers.input import Input
from studio.layers.lstm import LSTM
from studio.losses.probabilistic import BinaryCrossentropy
from studio.losses.regression import MeanSquaredError
from studio.train.data import check_data, load_data
from studio.train.prediction import encode_row
from tests.train.tables_and_models import bound, chain, mended, refused, textual, written

ROWS = ("s,y", "1 2 3,0", '"[4, 5]",1', "6;7;8;9,0", "-1.5,1")
SEQUENCE, LABEL = SequenceColumn("s", 3), ClassColumn("y")
PADDED = [[1, 2, 3], [0, 4, 5], [7, 8, 9], [0, 0, -1.5]]


def steps(*shape: int) -> Document:
    layers = (Input(shape), Flatten(), Dense(1, "sigmoid"))
    return chain(*layers, loss=BinaryCrossentropy())[0]


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_numbers_in_a_cell_are_steps(tmp_path: Path, shape: tuple[int, ...]) -> None:
    written(tmp_path, ROWS)
    found = load_data(bound(steps(*shape), SEQUENCE, LABEL), tmp_path)
    (x,) = found.train.inputs.values()
    np.testing.assert_array_equal(x, np.float32(PADDED).reshape(4, *shape))
    assert x.dtype == np.float32


def test_any_length_goes_where_the_input_leaves_it_open(tmp_path: Path) -> None:
    written(tmp_path, ROWS)
    layers = (Input((None, 1)), LSTM(2), Dense(1, "sigmoid"))
    document = chain(*layers, loss=BinaryCrossentropy())[0]
    (x,) = load_data(bound(document, SEQUENCE, LABEL), tmp_path).train.inputs.values()
    np.testing.assert_array_equal(x[..., 0], PADDED)


def test_the_other_ends(tmp_path: Path) -> None:
    written(tmp_path, ROWS)
    binding = SequenceColumn("s", 3, "post", "post")
    (x,) = load_data(bound(steps(3), binding, LABEL), tmp_path).train.inputs.values()
    np.testing.assert_array_equal(x, [[1, 2, 3], [4, 5, 0], [6, 7, 8], [-1.5, 0, 0]])


def test_whole_numbers_may_look_up_vectors(tmp_path: Path) -> None:
    written(tmp_path, ("s,y", "1 2 3 4,0", "9,1"))
    (x,) = load_data(bound(textual(), SEQUENCE, LABEL), tmp_path).train.inputs.values()
    np.testing.assert_array_equal(x, [[2, 3, 4], [0, 0, 9]])
    assert x.dtype == np.int32
    written(tmp_path, ("s,y", "1 2.5,0", "10 1,1", "11,0"))
    wrong = refused(bound(textual(), SEQUENCE, LABEL), tmp_path)
    assert [(p.code, p.args["row"]) for p in wrong] == [
        ("cell_not_whole", 2),
        ("sequence_outside_and_more", 3),
    ]


def test_sequences_may_be_what_is_aimed_at(tmp_path: Path) -> None:
    written(tmp_path, ("s,t", "1 2 3,4 5", "2 3 4,5 6"))
    document = chain(Input((3,)), Dense(2), loss=MeanSquaredError())[0]
    found = load_data(bound(document, SEQUENCE, SequenceColumn("t", 2)), tmp_path)
    (y,) = found.train.targets.values()
    np.testing.assert_array_equal(y, [[4, 5], [5, 6]])


def test_cells_that_are_no_sequences_are_named(tmp_path: Path) -> None:
    written(tmp_path, ("s,y", "1 2,0", "hello,1", "1 x,0", "inf,1", ",0"))
    (empty,) = refused(bound(steps(3), SEQUENCE, LABEL), tmp_path)
    assert empty.code == "cell_empty"
    written(tmp_path, ("s,y", "1 2,0", "hello,1", "1 x,0", "inf,1"))
    wrong = refused(bound(steps(3), SEQUENCE, LABEL), tmp_path)
    assert [(p.code, p.args["row"]) for p in wrong] == [
        ("cell_not_sequence_and_more", 3),
        ("sequence_outside", 5),
    ]


@pytest.mark.parametrize(
    ("document", "binding", "code"),
    [
        (lambda: steps(5), SEQUENCE, "sequence_length"),
        (lambda: steps(3, 2), SEQUENCE, "sequence_needs_one_axis"),
    ],
)
def test_a_misfit_is_mended_with_one_click(
    tmp_path: Path, document: Any, binding: Binding, code: str
) -> None:
    written(tmp_path, ROWS)
    wrong = bound(document(), binding, LABEL)
    (problem,) = refused(wrong, tmp_path)
    assert problem.code == code
    assert check_data(mended(wrong, problem), tmp_path) == []


def test_one_typed_by_hand_may_be_empty() -> None:
    document = bound(steps(3), SEQUENCE, LABEL)
    for cell, expected in (("7, 8", [0, 7, 8]), ("", [0, 0, 0])):
        (x,) = encode_row(document, {}, {"s": cell}).values()
        np.testing.assert_array_equal(x, [expected])
