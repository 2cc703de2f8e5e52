"""What a model shows of itself in Keras's words, built in Python or loaded from a file."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.layers import LSTM, Add, Dense, Embedding, Input, TimeDistributed, concatenate
from studio.models import Model, load_model, model_from_json
from studio.problem import ProblemError

X = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)


def two() -> Model:
    """Two inputs, two outputs, a model used as a layer."""
    words, numbers = Input((6,), dtype="int32", name="words"), Input((4,), name="numbers")
    inner = Input((3,))
    part = Model(inner, Dense(3, activation="tanh", name="within")(inner), name="part")
    read = LSTM(3, name="read")(Embedding(9, 2, name="table")(words))
    both = concatenate([read, numbers])
    first = Dense(2, name="first")(both)
    return Model([words, numbers], [first, part(read)], name="both")


@pytest.fixture(params=["built", "loaded"])
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Model:
    made = two()
    if request.param == "built":
        return made
    made.save(tmp_path / "m.loom")
    return load_model(tmp_path / "m.loom")


def test_ends_and_shapes(model: Model) -> None:
    assert [t.name for t in model.inputs] == ["words", "numbers"] == model.input_names
    assert [t.name for t in model.outputs] == ["first", "part"] == model.output_names
    assert model.input_shape == [(None, 6), (None, 4)]
    assert model.output_shape == [(None, 2), (None, 3)]
    assert model.input == model.inputs
    assert model.output == model.outputs


def test_layers_know_what_they_were_called_on_and_gave(model: Model) -> None:
    table, read = model.get_layer("table"), model.get_layer("read")
    assert table.input.shape == (None, 6)
    assert table.output.shape == (None, 6, 2)
    assert read.input.name == "table"
    assert read.output.shape == (None, 3)
    assert model.get_layer("words").input.shape == model.get_layer("words").output.shape
    joined = next(layer for layer in model.layers if layer.name.startswith("concatenate"))
    assert [t.name for t in joined.input] == ["read", "numbers"]


def test_a_part_of_a_model_is_a_model_with_the_same_weights(model: Model) -> None:
    part = Model(model.inputs[0], model.get_layer("read").output)
    words = np.arange(12).reshape(2, 6) % 9
    assert part.predict(words).shape == (2, 3)
    model.get_layer("table").set_weights([np.zeros((9, 2))])
    zeros = part.predict(words)
    np.testing.assert_array_equal(zeros[0], zeros[1])
    more = Model(part.input, Dense(1)(part.output))
    assert more.get_layer("read") is model.get_layer("read")


def test_layers_by_name_or_place(model: Model) -> None:
    assert model.get_layer(index=0) is model.layers[0]
    assert model.get_layer("read").name == "read"
    for wrong, said in (
        ({}, "name or an index"),
        ({"name": "read", "index": 1}, "name or an index"),
        ({"index": 99}, "0 to"),
        ({"index": -1}, "0 to"),
        ({"name": "write"}, "read"),
    ):
        with pytest.raises(ProblemError, match=said):
            model.get_layer(**wrong)


def test_a_layer_called_twice_has_no_single_output() -> None:
    x, dense = Input((4,)), Dense(4, name="twice")
    model = Model(x, dense(dense(x)))
    with pytest.raises(ProblemError, match="called 2 times"):
        _ = model.get_layer("twice").output
    assert model.output.shape == (None, 4)


def test_a_loaded_model_with_merges_and_wrappers_has_tensors(tmp_path: Path) -> None:
    x = Input((5, 3))
    steps = TimeDistributed(Dense(2), name="each")(x)
    made = Model(x, Add(name="sum")([steps, steps]))
    made.save(tmp_path / "m.loom")
    loaded = load_model(tmp_path / "m.loom")
    assert [t.name for t in loaded.get_layer("sum").input] == ["each", "each"]
    again = Model(loaded.inputs, loaded.outputs)
    data = np.ones((2, 5, 3))
    np.testing.assert_array_equal(again.predict(data), made.predict(data))


def test_the_configuration_rebuilds_it_with_fresh_weights(model: Model) -> None:
    model.compile("adam", ["mse", "mae"])
    text = model.to_json(indent=1)
    assert json.loads(text) == model.get_config()
    for again in (model_from_json(text), Model.from_config(model.get_config())):
        assert again.get_config() == model.get_config()
        assert [w.shape for w in again.get_weights()] == [w.shape for w in model.get_weights()]
    with pytest.raises(ProblemError, match="JSON"):
        model_from_json("{")
    with pytest.raises(ProblemError):
        Model.from_config({"class_name": "Functional"})


def test_the_table_with_what_is_inside(model: Model) -> None:
    lines: list[str] = []
    model.get_layer("table").trainable = False
    model.summary(print_fn=lines.append, expand_nested=True, show_trainable=True)
    rows = lines[0].splitlines()
    assert rows[2].endswith("Trainable")
    marks = {row.split()[0]: row.split()[-1] for row in rows if "(" in row and "type" not in row}
    assert (marks["table"], marks["read"], marks["words"]) == ("N", "Y", "-")
    at = next(i for i, row in enumerate(rows) if row.startswith("part "))
    assert "  within (Dense)" in "\n".join(rows[at + 1 : at + 3])
    lines.clear()
    model.summary(print_fn=lines.append, layer_range=("table", "re.*"))
    assert [w for w in ("words", "table", "read", "first (") if w in lines[0]] == [
        "words",
        "table",
        "read",
    ]
    with pytest.raises(ProblemError, match="layer_range"):
        model.summary(layer_range=("table", "nothing"))
    with pytest.warns(UserWarning, match="line_length"):
        model.summary(line_length=80, print_fn=lines.append)


def test_dicts_name_the_ends() -> None:
    x, y = Input((4,)), Input((4,), name="b")
    model = Model({"b": y, "a": x}, {"sum": Add()([x, y]), "one": Dense(1)(x)})
    assert (model.input_names, model.output_names) == (["a", "b"], ["one", "sum"])
    model.compile("sgd", {"one": "mse", "sum": "mae"}, metrics={"one": ["mae"]})
    data, targets = {"a": X, "b": X}, {"one": X[:, :1], "sum": X}
    history = model.fit(data, targets, verbose=0).history
    assert list(history) == ["loss", "one_loss", "one_mae", "sum_loss"]
    found = model.predict(data)
    assert list(found) == ["one", "sum"]
    np.testing.assert_allclose(found["sum"], 2 * X, rtol=1e-6)
    given = model({"a": X, "b": X})
    np.testing.assert_array_equal(given["one"], found["one"])
    with pytest.raises(ProblemError, match="Give both one name"):
        Model({"c": y}, Dense(1)(y))


def test_called_on_numbers_it_predicts() -> None:
    x = Input((4,))
    model = Model(x, Dense(2)(x))
    np.testing.assert_array_equal(model(X, training=False), model.predict(X))
    np.testing.assert_array_equal(model(X.tolist()), model.predict(X))
    assert model(Input((4,)), training=False).shape == (None, 2)
    with pytest.raises(ProblemError, match="training=True"):
        model(X, training=True)


def test_a_model_may_be_made_frozen() -> None:
    x = Input((4,))
    assert not Model(x, Dense(2)(x), trainable=False).trainable_weights


@pytest.mark.parametrize("name", ["m.keras", "m.h5", "m"])
def test_a_project_is_saved_under_its_own_suffix_only(name: str, tmp_path: Path) -> None:
    x = Input((4,))
    model = Model(x, Dense(2)(x))
    with pytest.raises(ProblemError, match=r"m\.loom"):
        model.save(tmp_path / name)
    assert not list(tmp_path.iterdir())
    model.save(tmp_path / "m.loom")
    with pytest.raises(ProblemError, match="already"):
        model.save(tmp_path / "m.loom", overwrite=False)


@pytest.mark.parametrize(
    "given", [{"jit_compile": True}, {"run_eagerly": True}, {"steps_per_execution": 8}], ids=str
)
def test_what_changes_no_result_is_taken_with_a_warning(given: dict[str, Any]) -> None:
    x = Input((4,))
    model = Model(x, Dense(1)(x))
    with pytest.warns(UserWarning, match=next(iter(given))):
        model.compile("sgd", "mse", **given)
    model.compile("sgd", "mse", jit_compile="auto", run_eagerly=False, auto_scale_loss=True)
    assert model.fit(X, X[:, :1], verbose=0).history["loss"]


def test_one_batch_and_a_number_of_them() -> None:
    x = Input((4,))
    model = Model(x, Dense(1)(x))
    model.compile("sgd", "mse", metrics=["mae"])
    y = X[:, :1]
    assert model.test_on_batch(X, y) == model.evaluate(X, y, verbose=0)
    assert model.test_on_batch(X, y, return_dict=True).keys() == {"loss", "mae"}
    np.testing.assert_array_equal(model.predict_on_batch(X), model.predict(X))
    assert len(model.predict(X, batch_size=2, steps=2)) == 4
    first = model.evaluate(X[:2], y[:2], verbose=0, return_dict=True)
    assert model.evaluate(X, y, batch_size=2, steps=1, verbose=0, return_dict=True) == first
    for wrong in (0, 1.5):
        with pytest.raises(ProblemError, match="steps"):
            model.predict(X, steps=wrong)
