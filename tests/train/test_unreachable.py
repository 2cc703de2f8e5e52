"""Targets that an output's activation never gives: a warning, with the activation as remedy."""

import pickle
from pathlib import Path

import pytest

from studio.document.plan import NumberColumns, Scaling
from studio.layers.dense import Dense
from studio.layers.dropout import Dropout
from studio.layers.input import Input
from studio.losses.regression import MeanSquaredError
from studio.train.data import check_data, load_data
from tests.train.tables_and_models import bound, chain, mended, written

ROWS = ("a,b", "1,-2", "2,0.5", "3,6")


@pytest.mark.parametrize(
    ("activation", "scaling", "expected"),
    [
        ("linear", "none", ""),
        ("leaky_relu", "none", ""),
        ("relu", "none", "0 … ∞"),
        ("sigmoid", "none", "0 … 1"),
        ("tanh", "none", "−1 … 1"),
        ("relu", "standardize", "0 … ∞"),
        ("selu", "standardize", ""),
    ],
)
def test_numbers_out_of_reach(
    tmp_path: Path, activation: str, scaling: Scaling, expected: str
) -> None:
    written(tmp_path, ROWS)
    layers = (Input(shape=(1,)), Dense(units=1, activation=activation), Dropout(rate=0.1))
    document, *_ = chain(*layers, loss=MeanSquaredError())
    document = bound(document, NumberColumns(("a",)), NumberColumns(("b",), scaling))
    found = check_data(document, tmp_path)
    assert [p.code for p in found] == (["target_unreachable"] if expected else [])
    assert [str(p) for p in load_data(document, tmp_path).warnings] == [str(p) for p in found]
    for problem in found:
        assert problem.severity == "warning"
        assert f"only gives {expected}:" in str(problem)
        pickle.loads(pickle.dumps(problem))
        assert check_data(mended(document, problem), tmp_path) == []
