"""ONNX files as layers: what we write comes back, trains, is saved and is written again."""

import base64
import zlib
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.engine.onnx_reader import imported, normalized, read_onnx
from studio.layers import (
    GRU,
    LSTM,
    BatchNormalization,
    Bidirectional,
    Concatenate,
    Dense,
    Embedding,
    Flatten,
    Input,
    LayerNormalization,
    OnnxModel,
    RepeatVector,
)
from studio.models import Model, load_model
from studio.problem import ProblemError

F = TensorProto.FLOAT


@pytest.fixture(autouse=True)
def _read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in the files is tried here; tests/engine/test_onnx_apart.py has the process."""
    monkeypatch.setattr("studio.layers.functional.open_onnx", read_onnx)


def dense() -> Model:
    x = Input((7,))
    return Model(x, Dense(3, activation="softmax")(Dense(5, activation="relu")(x)))


def text() -> Model:
    x = Input((None,), dtype="int32")
    return Model(x, Dense(2)(LSTM(4)(Embedding(9, 3)(x))))


def masked() -> Model:
    x = Input((None,), dtype="int32")
    return Model(x, Dense(2)(Bidirectional(GRU(4))(Embedding(9, 3, mask_zero=True)(x))))


def normalizing() -> Model:
    x = Input((4, 3))
    return Model(x, Dense(2)(BatchNormalization()(LayerNormalization()(Flatten()(x)))))


def two() -> Model:
    a, b = Input((3,), name="a"), Input((3,), name="b")
    shared = Dense(4, activation="tanh")
    return Model([a, b], [Dense(2)(shared(a)), Dense(1)(shared(b))])


MODELS = {m.__name__: m for m in (dense, text, masked, normalizing, two)}


def inputs(model: Model, batch: int = 5) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    document, found = model.document, []
    for call in document.graph.inputs:
        spec = document.entry(call).body.spec()  # type: ignore[union-attr]
        shape = (batch, *(d if isinstance(d, int) else 6 for d in spec.shape[1:]))
        whole = spec.dtype.startswith("int")
        array = rng.integers(0, 9, shape) if whole else rng.normal(size=shape)
        found.append(array.astype(spec.dtype))
    return found


def around(path: Path, model: Model) -> Model:
    """A model of one layer: the file."""
    arrays = inputs(model)
    symbols = [
        Input(tuple(d if d != 6 else None for d in x.shape[1:]), dtype=x.dtype.name, name=f"in_{i}")
        for i, x in enumerate(arrays)
    ]
    results = OnnxModel(path, name="file")(symbols)
    return Model(symbols, list(results) if isinstance(results, tuple) else results)


def answers(model: Model, arrays: list[np.ndarray]) -> list[np.ndarray]:
    found = model.predict(arrays if len(arrays) > 1 else arrays[0], verbose=0)
    return list(found) if isinstance(found, list | tuple) else [found]


@pytest.mark.parametrize("name", MODELS)
def test_what_is_exported_comes_back_and_is_exported_equal(name: str, tmp_path: Path) -> None:
    model = MODELS[name]()
    model.export(tmp_path / "first.onnx")
    again = around(tmp_path / "first.onnx", model)
    arrays = inputs(model)
    expected = answers(model, arrays)
    for found, wanted in zip(answers(again, arrays), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)
    again.export(tmp_path / "second.onnx")
    third = around(tmp_path / "second.onnx", model)
    for found, wanted in zip(answers(third, arrays), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)
    kinds = [
        [n.op_type for n in onnx.load(tmp_path / file).graph.node if n.op_type != "Identity"]
        for file in ("first.onnx", "second.onnx")
    ]
    assert sorted(kinds[0]) == sorted(kinds[1])


def moved() -> dict[str, Model]:
    """Models whose integers are moved about before a table of 4 rows looks them up."""
    x = Input((3,), dtype="int32")
    ways = {
        "repeated": RepeatVector(3)(x),
        "joined": Concatenate()([x, x]),
    }
    return {name: Model(x, Embedding(4, 2)(way)) for name, way in ways.items()}


@pytest.mark.parametrize("name", ["repeated", "joined"])
def test_which_integers_a_file_takes_is_known_wherever_they_go(name: str, tmp_path: Path) -> None:
    """Else a proof feeds others, which onnxruntime refuses and the NumPy engine takes."""
    path = tmp_path / "m.onnx"
    moved()[name].export(path)
    (port,) = imported(read_onnx(path)[0]).inputs
    assert imported(read_onnx(path)[0]).rows(port) == 4
    around(path, moved()[name]).export(tmp_path / "again.onnx")


def test_its_weights_train_and_are_saved_without_the_file(tmp_path: Path) -> None:
    first = dense()
    first.export(tmp_path / "m.onnx")
    x = Input((7,))
    body = OnnxModel(tmp_path / "m.onnx", name="body")
    model = Model(x, Dense(1, name="head")(body(x)))
    assert len(body.trainable_weights) == 4
    before = body.get_weights()
    model.compile(optimizer="sgd", loss="mean_squared_error")
    data = np.random.default_rng(0).normal(size=(32, 7)).astype(np.float32)
    history = model.fit(data, data[:, :1], epochs=5, verbose=0, seed=1).history["loss"]
    assert history[-1] < history[0]
    assert all((a != b).any() for a, b in zip(before, body.get_weights(), strict=True))
    model.save(tmp_path / "m.loom")
    (tmp_path / "m.onnx").unlink()
    again = load_model(tmp_path / "m.loom")
    np.testing.assert_array_equal(again.predict(data, verbose=0), model.predict(data, verbose=0))
    assert isinstance(again.get_layer("body"), OnnxModel)


def test_a_frozen_file_keeps_its_weights_under_a_new_head(tmp_path: Path) -> None:
    dense().export(tmp_path / "m.onnx")
    x = Input((7,))
    body = OnnxModel(tmp_path / "m.onnx", trainable=False)
    model = Model(x, Dense(1)(body(x)))
    model.compile(optimizer="adam", loss="mean_squared_error")
    before = body.get_weights()
    data = np.ones((8, 7), np.float32)
    model.fit(data, data[:, :1], epochs=2, verbose=0)
    for old, new in zip(before, body.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


# -- files from elsewhere ------------------------------------------------------------------------


def file_of(
    nodes: list, opset: int = 18, arrays: dict | None = None, rank: int = 2
) -> onnx.ModelProto:
    """A file with an input x of three numbers, an output y, and W among the arrays."""
    arrays = {"W": np.eye(3, dtype=np.float32)} if arrays is None else arrays
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", F, ["N", 3])],
        [helper.make_tensor_value_info("y", F, ["N", "K", "L"][:rank])],
        [numpy_helper.from_array(a, n) for n, a in arrays.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


def layer_of(model: onnx.ModelProto, tmp_path: Path) -> Model:
    onnx.save(model, tmp_path / "x.onnx")
    x = Input((3,))
    return Model(x, OnnxModel(tmp_path / "x.onnx", name="file")(x))


DATA = np.array([[1.0, -2.0, 3.0], [0.5, 0.0, -1.0]], np.float32)


@pytest.mark.parametrize("opset", [*range(7, 26)])
def test_files_of_every_opset_run(opset: int, tmp_path: Path) -> None:
    nodes = [
        helper.make_node("MatMul", ["x", "W"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Softmax", ["b"], ["y"], axis=1),
    ]
    found = layer_of(file_of(nodes, opset), tmp_path).predict(DATA, verbose=0)
    powers = np.exp(np.maximum(DATA, 0))
    np.testing.assert_allclose(found, powers / powers.sum(1, keepdims=True), rtol=1e-6)


CONSTANTS = {
    "value": numpy_helper.from_array(np.array([2.0], np.float32)),
    "value_float": 2.0,
    "value_floats": [2.0],
}


@pytest.mark.parametrize("form", CONSTANTS)
def test_constants_have_many_forms(form: str, tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Constant", [], ["two"], **{form: CONSTANTS[form]}),
        helper.make_node("Mul", ["x", "two"], ["y"]),
    ]
    found = layer_of(file_of(nodes, arrays={}), tmp_path).predict(DATA, verbose=0)
    np.testing.assert_array_equal(found, 2 * DATA)


def test_operators_that_newer_onnx_defines_by_others_run(tmp_path: Path) -> None:
    model = file_of([helper.make_node("Gelu", ["x"], ["y"])], 20, {})
    found = layer_of(model, tmp_path).predict(DATA, verbose=0)
    np.testing.assert_allclose(found[0, :2], [0.841345, -0.0455003], rtol=1e-5)


def test_shapes_computed_in_the_file_are_followed(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Gather", ["shape", "zero"], ["batch"]),
        helper.make_node("Concat", ["batch", "one", "minus"], ["target"], axis=0),
        helper.make_node("Reshape", ["x", "target"], ["y"]),
    ]
    numbers = {n: np.array([v]) for n, v in (("zero", 0), ("one", 1), ("minus", -1))}
    model = layer_of(file_of(nodes, arrays=numbers, rank=3), tmp_path)
    assert model.predict(DATA, verbose=0).shape == (2, 1, 3)


def test_dropout_of_a_file_drops_nothing(tmp_path: Path) -> None:
    model = layer_of(file_of([helper.make_node("Dropout", ["x"], ["y"])], 13, {}), tmp_path)
    np.testing.assert_array_equal(model.predict(DATA, verbose=0), DATA)


def test_what_has_no_gradient_freezes_the_weights_before_it_and_is_told(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("MatMul", ["x", "W"], ["a"]),
        helper.make_node("ReduceProd", ["a", "axes"], ["b"], keepdims=1),
        helper.make_node("Mul", ["b", "late"], ["y"]),
    ]
    arrays = {"W": np.eye(3, dtype=np.float32), "late": np.ones((1, 3), np.float32)}
    arrays["axes"] = np.array([1])
    with pytest.warns(UserWarning, match="ReduceProd"):
        model = layer_of(file_of(nodes, arrays=arrays), tmp_path)
    (layer,) = [layer for layer in model.layers if layer.name == "file"]
    assert [v.name for v in layer.trainable_weights] == ["late"]


def refused(model: onnx.ModelProto, tmp_path: Path) -> tuple[str, str]:
    onnx.save(model, tmp_path / "x.onnx")
    with pytest.raises(ProblemError) as caught:
        read_onnx(tmp_path / "x.onnx")
    (problem,) = caught.value.problems
    return problem.code, str(problem)


def test_what_cannot_be_run_is_refused_by_operator_and_opset(tmp_path: Path) -> None:
    nodes = [helper.make_node("NonMaxSuppression", ["x", "x"], ["y"])]
    code, told = refused(file_of(nodes, 17, {}), tmp_path)
    assert code == "onnx_operator_numbers"
    assert "NonMaxSuppression" in told
    assert "17" in told


def test_operators_of_other_domains_are_refused_by_name(tmp_path: Path) -> None:
    model = file_of([helper.make_node("Magic", ["x"], ["y"], domain="com.acme")], 18, {})
    model.opset_import.append(helper.make_opsetid("com.acme", 1))
    code, told = refused(model, tmp_path)
    assert (code, "com.acme.Magic" in told) == ("onnx_operator", True)


@pytest.mark.parametrize("opset", [1, 6])
def test_too_old_files_are_refused(opset: int, tmp_path: Path) -> None:
    node = helper.make_node("Relu", ["x"], ["y"])
    assert refused(file_of([node], opset, {}), tmp_path)[0] == "onnx_version"


def test_half_precision_is_refused_by_name(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Cast", ["h"], ["f"], to=F),
        helper.make_node("Mul", ["x", "f"], ["y"]),
    ]
    code, told = refused(file_of(nodes, arrays={"h": np.ones(3, np.float16)}), tmp_path)
    assert (code, "float16" in told) == ("onnx_type", True)


@pytest.mark.parametrize("data", [b"", b"no protobuf at all", b"\x08\x09"])
def test_damaged_files_are_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(data)
    with pytest.raises(ProblemError) as caught:
        read_onnx(tmp_path / "x.onnx")
    assert caught.value.problems[0].code == "onnx_unreadable"


def test_arrays_in_other_files_are_read_within_the_folder_only(tmp_path: Path) -> None:
    model = file_of([helper.make_node("MatMul", ["x", "W"], ["y"])])
    folder = tmp_path / "inner"
    folder.mkdir()
    onnx.save(
        model,
        folder / "x.onnx",
        save_as_external_data=True,
        location="x.bin",
        size_threshold=0,
    )
    _, weights = read_onnx(folder / "x.onnx")
    np.testing.assert_array_equal(weights["W"], np.eye(3))
    (folder / "x.bin").rename(tmp_path / "x.bin")
    for location in ("x.bin", "../x.bin"):
        moved = onnx.load(folder / "x.onnx", load_external_data=False)
        for entry in moved.graph.initializer[0].external_data:
            entry.value = location if entry.key == "location" else entry.value
        (folder / "x.onnx").write_bytes(moved.SerializeToString())
        with pytest.raises(ProblemError) as caught:
            read_onnx(folder / "x.onnx")
        assert caught.value.problems[0].code == "onnx_outside"


def test_a_damaged_project_says_so_at_the_layer() -> None:
    from studio.layers.onnx_model import OnnxModel as Declaration

    (problem,) = Declaration("no base64").problems()
    assert problem.code == "onnx_unreadable"
    assert [p.name for p in Declaration("no base64").inputs()] == ["x"]


def test_what_is_read_twice_is_the_same() -> None:
    nodes = [helper.make_node("MatMul", ["x", "W"], ["y"])]
    first, weights = normalized(file_of(nodes))
    assert normalized(file_of(nodes))[0] == first
    assert list(imported(first).weights) == list(weights) == ["W"]


def test_names_from_files_are_saved_whatever_signs_are_in_them(tmp_path: Path) -> None:
    nodes = [helper.make_node("MatMul", ["x", "net@v2/W:0"], ["y"])]
    model = layer_of(file_of(nodes, arrays={"net@v2/W:0": 2 * np.eye(3, dtype="f")}), tmp_path)
    model.save(tmp_path / "m.loom")
    found = load_model(tmp_path / "m.loom").predict(DATA, verbose=0)
    np.testing.assert_array_equal(found, 2 * DATA)


def test_resetting_gives_back_the_numbers_of_the_file(tmp_path: Path) -> None:
    from studio.formats import loom

    dense().export(tmp_path / "m.onnx")
    x = Input((7,))
    body = OnnxModel(tmp_path / "m.onnx", name="body")
    model = Model(x, Dense(1, name="head")(body(x)))
    before = body.get_weights()
    model.compile(optimizer="adam", loss="mean_squared_error")
    data = np.random.default_rng(0).normal(size=(32, 7)).astype(np.float32)
    for _ in range(2):  # trained, saved, and trained again
        model.fit(data, data[:, :1], epochs=2, verbose=0)
        model.save(tmp_path / "m.loom")
        model = load_model(tmp_path / "m.loom")
    project = loom.load(tmp_path / "m.loom")
    (layer,) = (k for k, entry in project.document.layers.items() if entry.name == "body")
    store = project.store.anew([layer])
    assert list(store.shared()) == [layer]
    found = {name: cell.value for (name, _), cell in store.cells(layer).items()}
    names = [v.name for v in body.weights]
    for name, old in zip(names, before, strict=True):
        np.testing.assert_array_equal(found[name], old)
    trained = load_model(tmp_path / "m.loom").get_layer("body").get_weights()
    assert all((a != b).any() for a, b in zip(before, trained, strict=True))


def test_what_tensorflow_writes_for_gelu_is_read(tmp_path: Path) -> None:
    """It is no operator of ONNX, so that onnxruntime refuses it."""
    nodes = [helper.make_node("Erfc", ["x"], ["y"])]
    found = layer_of(file_of(nodes, 15, {}), tmp_path).predict(DATA, verbose=0)
    np.testing.assert_allclose(found[0], [0.157299, 1.995322, 2.20905e-5], atol=1e-6)


def test_a_text_that_unpacks_to_too_much_is_refused() -> None:
    bomb = base64.b64encode(zlib.compress(bytes(2**26 + 1), 9)).decode()
    assert len(bomb) < 2**19
    with pytest.raises(ProblemError) as caught:
        imported(bomb)
    assert caught.value.problems[0].code == "onnx_unreadable"


def test_a_loop_that_comes_to_too_many_operators_is_refused(tmp_path: Path) -> None:
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Add", ["h", "h"], ["k"])],
        "body",
        [
            helper.make_tensor_value_info(name, kind, [])
            for name, kind in (("i", TensorProto.INT64), ("go", TensorProto.BOOL))
        ]
        + [helper.make_tensor_value_info("h", F, None)],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("k", F, None),
        ],
    )
    nodes = [helper.make_node("Loop", ["count", "", "x"], ["y"], body=body)]
    for count, runs in ((3, True), (10**9, False)):
        model = file_of(nodes, 18, {"count": np.array(count)})
        if runs:
            found = layer_of(model, tmp_path).predict(DATA, verbose=0)
            np.testing.assert_array_equal(found, 8 * DATA)
        else:
            with pytest.raises(ProblemError) as caught:
                layer_of(model, tmp_path)
            assert caught.value.problems[0].args["operator"] == "Loop"


def test_arrays_that_are_no_weights_do_not_train(tmp_path: Path) -> None:
    """Numbers of formulas, masks, and scales of what is fed."""
    nodes = [
        helper.make_node("Sub", ["x", "mean"], ["a"]),
        helper.make_node("Div", ["a", "spread"], ["b"]),
        helper.make_node("MatMul", ["b", "W"], ["c"]),
        helper.make_node("Add", ["c", "bias"], ["d"]),
        helper.make_node("Mul", ["d", "factor"], ["e"]),
        helper.make_node("Add", ["e", "mask"], ["f"]),
        helper.make_node("Max", ["f", "floor"], ["y"]),
    ]
    arrays = {
        "mean": np.array([0.1, 0.2, 0.3], np.float32),
        "spread": np.array([1, 2, 3], np.float32),
        "W": np.eye(3, dtype=np.float32),
        "bias": np.zeros(3, np.float32),
        "factor": np.array([0.5], np.float32),
        "mask": np.array([0, 0, -1e9], np.float32),
        "floor": np.full(3, -4, np.float32),
    }
    layer = layer_of(file_of(nodes, arrays=arrays), tmp_path).get_layer("file")
    assert [v.name for v in layer.trainable_weights] == ["W", "bias"]


def test_a_large_array_that_never_changes_lies_with_the_weights(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Unsqueeze", ["x", "one"], ["a"]),
        helper.make_node("Max", ["a", "many"], ["y"]),
    ]
    many = np.linspace(-1, 1, 999, dtype=np.float32).reshape(1, 333, 3)
    layer = layer_of(
        file_of(nodes, arrays={"many": many, "one": np.array([1])}, rank=3), tmp_path
    ).get_layer("file")
    assert (len(layer.weights), layer.trainable_weights) == (1, [])


def test_what_has_no_gradient_in_its_form_freezes_the_weights_before_it(tmp_path: Path) -> None:
    """A Pad has one, but not where it mirrors."""
    nodes = [
        helper.make_node("MatMul", ["x", "W"], ["a"]),
        helper.make_node("Pad", ["a", "pads"], ["b"], mode="reflect"),
        helper.make_node("MatMul", ["b", "V"], ["y"]),
    ]
    arrays = {"W": np.eye(3, dtype=np.float32), "pads": np.array([0, 1, 0, 1])}
    arrays["V"] = np.ones((5, 1), np.float32)
    with pytest.warns(UserWarning, match="Pad"):
        model = layer_of(file_of(nodes, arrays=arrays), tmp_path)
    layer = model.get_layer("file")
    assert [v.name for v in layer.trainable_weights] == ["V"]
    model.compile("sgd", "mse")
    before = layer.get_weights()
    model.fit(DATA, np.ones((2, 1), np.float32), verbose=0)
    changed = [(a != b).any() for a, b in zip(before, layer.get_weights(), strict=True)]
    assert changed == [name.name == "V" for name in layer.weights]


def without_numbers(tmp_path: Path) -> Path:
    """A project whose file lacks what the ONNX file gave, as of one that was put together so."""
    from studio.document.store import Store
    from studio.formats import loom

    dense().export(tmp_path / "m.onnx")
    x = Input((7,))
    model = Model(x, Dense(1, name="head")(OnnxModel(tmp_path / "m.onnx", name="body")(x)))
    model.compile(optimizer="sgd", loss="mean_squared_error")
    model.project.store = Store()
    loom.save(tmp_path / "lost.loom", model.project)
    return tmp_path / "lost.loom"


DATA7 = np.ones((4, 7), np.float32)


@pytest.mark.parametrize(
    "use",
    [
        lambda m, tmp_path: m.predict(DATA7, verbose=0),
        lambda m, tmp_path: m.evaluate(DATA7, DATA7[:, :1], verbose=0),
        lambda m, tmp_path: m.fit(DATA7, DATA7[:, :1], verbose=0),
        lambda m, tmp_path: m.train_on_batch(DATA7, DATA7[:, :1]),
        lambda m, tmp_path: m.export(tmp_path / "out.onnx"),
        lambda m, tmp_path: m.get_layer("body").get_weights(),
    ],
    ids=["predict", "evaluate", "fit", "train_on_batch", "export", "get_weights"],
)
def test_a_file_whose_numbers_are_lost_is_not_computed_with_others(use, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    model = load_model(without_numbers(tmp_path))
    for _ in range(2):  # being refused makes none up
        with pytest.raises(ProblemError, match=r"numbers for .* are not here"):
            use(model, tmp_path)
    assert not (tmp_path / "out.onnx").exists()


def test_lost_numbers_of_a_file_can_be_set_again_or_drawn(tmp_path: Path) -> None:
    from studio.document.analysis import analyse

    model = load_model(without_numbers(tmp_path))
    wanted = OnnxModel(tmp_path / "m.onnx")
    wanted(Input((7,)))
    model.get_layer("body").set_weights(wanted.get_weights())
    whole = Model(x := Input((7,)), wanted(x)).predict(DATA7, verbose=0)
    head = model.get_layer("head").get_weights()
    np.testing.assert_allclose(model.predict(DATA7, verbose=0), whole @ head[0] + head[1], 1e-6)

    drawn = load_model(without_numbers(tmp_path))
    weights = analyse(drawn.document).weights
    for layer, owned in weights.items():
        for weight in owned:
            drawn.project.store.initialize(layer, weight, 0)
    assert np.isfinite(drawn.predict(DATA7, verbose=0)).all()
