"""Metrics of several numbers: in histories, tables and callbacks as in Keras, else one a key."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio import callbacks
from studio.layers import Dense, Input
from studio.metrics import F1Score, Recall
from studio.models import Model, load_model
from studio.problem import ProblemError
from studio.train.several import apart, joined
from tests import references

SEVERAL = references.meta("later_metrics")["several"]
X = np.ascontiguousarray(np.linspace(0, 1, 24, dtype=np.float32).reshape(6, 4)[:, ::-1])
Y = np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1, 2]]


def made() -> Model:
    """`tests.references.later_metrics.several`."""
    from studio.optimizers.sgd import SGD

    symbol = Input((4,))
    model = Model(symbol, Dense(3, activation="softmax")(symbol))
    model.set_weights([np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3), np.zeros(3)])
    model.compile(SGD(0.5), "categorical_crossentropy", metrics=[F1Score(), Recall([0.2, 0.4])])
    return model


def fitted(model: Model, *watching: callbacks.Callback, **options: Any) -> callbacks.History:
    plain = {"epochs": 2, "batch_size": 4, "shuffle": False, "verbose": 0}
    return model.fit(X, Y, validation_data=(X, Y), callbacks=watching, **{**plain, **options})


def test_the_history_is_that_of_keras(tmp_path: Path) -> None:
    model, table = made(), tmp_path / "history.csv"
    history = fitted(model, callbacks.CSVLogger(table)).history
    assert list(history) == list(SEVERAL["history"])
    for key, values in SEVERAL["history"].items():
        assert np.ndim(history[key][0]) == SEVERAL["types"][key]
        np.testing.assert_allclose(history[key], values, rtol=1e-5, atol=1e-6, err_msg=key)
    evaluated = model.evaluate(X, Y, verbose=0)
    for found, expected in zip(evaluated, SEVERAL["evaluate"], strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    lines, wanted = table.read_text().splitlines(), SEVERAL["csv"].splitlines()
    assert lines[0] == wanted[0]
    for line, expected in zip(lines[1:], wanted[1:], strict=True):
        np.testing.assert_allclose(numbers(line), numbers(expected), rtol=1e-5, atol=1e-6)
        assert line.count('"""[') == expected.count('"""[') == 4


def numbers(line: str) -> list[float]:
    return [
        float(part)
        for part in line.replace('"', "").translate(str.maketrans("[]", "  ")).split(",")
    ]


def test_a_run_keeps_one_number_a_key_in_the_file(tmp_path: Path) -> None:
    model = made()
    history = fitted(model).history
    model.save(tmp_path / "m.loom")
    (run,) = load_model(tmp_path / "m.loom").project.runs
    assert {"f1_score[0]", "f1_score[2]", "val_recall[1]", "loss"} <= set(run.history)
    np.testing.assert_allclose(run.history["f1_score[2]"], [f1[2] for f1 in history["f1_score"]])


def test_lines_of_an_epoch_show_all_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    fitted(made(), verbose=2)
    assert "f1_score 0.0000 0.0000 0.5000" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["EarlyStopping", "ReduceLROnPlateau"])
def test_what_compares_one_number_says_that_there_are_several(kind: str) -> None:
    with pytest.raises(ProblemError, match="f1_score has 3"):
        fitted(made(), getattr(callbacks, kind)("val_f1_score", mode="max"))


@pytest.mark.parametrize("result", [0.5, np.array([0.25, 0.5, 0.75])])
def test_apart_and_joined_again(result: Any) -> None:
    logs = joined({"loss": 1.0, **apart("x", result)})
    assert list(logs) == ["loss", "x"]
    np.testing.assert_array_equal(logs["x"], result)


def test_more_than_ten_stay_in_order() -> None:
    found = joined(dict(sorted(apart("x", np.arange(12.0)).items())))
    np.testing.assert_array_equal(found["x"], np.arange(12))
