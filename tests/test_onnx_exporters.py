"""Files as PyTorch's and TensorFlow's exporters write them: equal to onnxruntime, and trained.

The structures are theirs, rebuilt here: sizes worked out by Shape, Gather and Concat, constants as
nodes, channels moved to and fro, an If around a Squeeze, a Loop for a cell that ONNX lacks.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.engine.onnx_reader import imported, read_onnx
from studio.layers import Dense, Flatten, Input, OnnxModel
from studio.models import Model
from studio.problem import ProblemError

F, INT = TensorProto.FLOAT, TensorProto.INT64
RNG = np.random.default_rng(5)


@pytest.fixture(autouse=True)
def _read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in the files is tried here; tests/engine/test_onnx_apart.py has the process."""
    monkeypatch.setattr("studio.layers.functional.open_onnx", read_onnx)


START = RNG.bit_generator.state


@pytest.fixture(autouse=True)
def _same_numbers() -> None:
    RNG.bit_generator.state = START


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape, scale=0.5).astype(np.float32)


class File:
    """A graph under construction; an operand is a name, or an array that becomes an initializer."""

    def __init__(self, opset: int) -> None:
        self.opset = opset
        self.nodes: list[onnx.NodeProto] = []
        self.arrays: dict[str, np.ndarray] = {}

    def __call__(self, op: str, *operands: object, outputs: int = 1, **attrs: object) -> str:
        name = f"/{op}_{len(self.nodes)}"
        inputs = [self._operand(name, i, operand) for i, operand in enumerate(operands)]
        names = [f"{name}_output_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, name, **attrs))
        return names[0]

    def _operand(self, name: str, place: int, operand: object) -> str:
        if isinstance(operand, str):
            return operand
        self.arrays[f"{name}.{place}"] = np.asarray(operand)
        return f"{name}.{place}"

    def constant(self, values: object, dtype: str = "int64") -> str:
        """A Constant node, as PyTorch writes numbers."""
        value = numpy_helper.from_array(np.array(values, dtype))
        return self("Constant", value=value)

    def model(self, result: str, shape: tuple, rank: int) -> onnx.ModelProto:
        """The file with an input x and the output y."""
        self.nodes.append(helper.make_node("Identity", [result], ["y"]))
        graph = helper.make_graph(
            self.nodes,
            "main_graph",
            [helper.make_tensor_value_info("x", F, shape)],
            [helper.make_tensor_value_info("y", F, [None] * rank)],
            [numpy_helper.from_array(array, name) for name, array in self.arrays.items()],
        )
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8
        )


def attention(opset: int) -> onnx.ModelProto:
    """Two heads over an open batch, as PyTorch writes them: heads and sizes from a Shape."""
    op = File(opset)
    shape = op("Shape", "x")
    batch = op("Gather", shape, op.constant(0), axis=0)
    width = op("Gather", shape, op.constant(2), axis=0)
    head = op("Cast", op("Cast", op("Div", width, op.constant(2)), to=INT), to=INT)
    axis = [] if opset < 13 else [op.constant([0])]
    given = {"axes": [0]} if opset < 13 else {}

    def vector(size: str) -> str:
        return op("Unsqueeze", size, *axis, **given)

    def heads() -> str:
        projected = op("Add", normal(6), op("MatMul", "x", normal(6, 6)))
        target = op(
            "Concat", vector(batch), op.constant([4]), op.constant([2]), vector(head), axis=0
        )
        return op("Transpose", op("Reshape", projected, target), perm=[0, 2, 1, 3])

    query, key, value = heads(), heads(), heads()
    scale = op("Sqrt", op("Cast", head, to=F))
    scores = op("Div", op("MatMul", query, op("Transpose", key, perm=[0, 1, 3, 2])), scale)
    mask = np.triu(np.full((4, 4), -np.inf, np.float32), 1)
    mixed = op("MatMul", op("Softmax", op("Add", scores, mask), axis=-1), value)
    target = op("Concat", vector(batch), op.constant([4]), vector(width), axis=0)
    joined = op("Reshape", op("Transpose", mixed, perm=[0, 2, 1, 3]), target)
    return op.model(op("MatMul", joined, normal(6, 3)), ("batch", 4, 6), 3)


def pictures(opset: int) -> onnx.ModelProto:
    """Channels last outside and first inside, and a BatchNormalization folded into two vectors."""
    op = File(opset)
    first = op("Transpose", "x", perm=[0, 3, 1, 2])
    conv = op("Conv", first, normal(4, 3, 3, 3), normal(4), pads=[1, 1, 1, 1])
    scaled = op("Add", op("Mul", conv, normal(1, 4, 1, 1)), normal(1, 4, 1, 1))
    pooled = op("MaxPool", op("Relu", scaled), kernel_shape=[2, 2], strides=[2, 2])
    last = op("Transpose", pooled, perm=[0, 2, 3, 1])
    flat = op("Reshape", last, op.constant([-1, 16]))
    return op.model(op("Add", op("MatMul", flat, normal(16, 2)), normal(2)), ("N", 4, 4, 3), 2)


def recurrent(opset: int) -> onnx.ModelProto:
    """Both directions, from states of zeros as large as the batch, and a bias in two halves."""
    op = File(opset)
    turned = op("Transpose", "x", perm=[1, 0, 2])
    batch = op("Slice", op("Shape", "x"), *map(op.constant, ([0], [1], [0])))
    size = op("Concat", op.constant([2]), batch, op.constant([4]), axis=0)
    state = op("ConstantOfShape", size, value=numpy_helper.from_array(np.zeros(1, np.float32)))
    bias = np.concatenate([normal(2, 16), np.zeros((2, 16), np.float32)], axis=1)
    weights = normal(2, 16, 3), normal(2, 16, 4), bias
    gates = {"hidden_size": 4, "direction": "bidirectional"}
    steps = op("LSTM", turned, *weights, "", state, state, outputs=3, **gates)
    joined = op("Reshape", op("Transpose", steps, perm=[2, 0, 1, 3]), op.constant([0, 0, -1]))
    return op.model(op("MatMul", joined, normal(8, 2)), ("batch", 5, 3), 3)


def chosen(opset: int) -> onnx.ModelProto:
    """An axis is taken away if it is 1, which it always is here."""
    op = File(opset)
    product = op("MatMul", "x", normal(3, 1))
    size = op("Gather", op("Shape", product), op.constant(1), axis=0)
    branches = {}
    for name in ("then_branch", "else_branch"):
        inner = File(opset)
        if name == "then_branch":
            given = {"axes": [1]} if opset < 13 else {}
            result = inner("Squeeze", product, *([] if given else [inner.constant([1])]), **given)
        else:
            result = inner("Identity", product)
        info = helper.make_tensor_value_info(result, F, None)
        branches[name] = helper.make_graph(inner.nodes, name, [], [info])
    taken = op("If", op("Equal", size, op.constant(1)), **branches)
    given = {"axes": [1]} if opset < 13 else {}
    column = op("Unsqueeze", taken, *([] if given else [op.constant([1])]), **given)
    return op.model(op("MatMul", column, normal(1, 2)), ("batch", 3), 2)


def looped(opset: int) -> onnx.ModelProto:
    """A cell run by a Loop that counts its steps and stacks what each gives."""
    op, body = File(opset), File(opset)
    turned = op("Transpose", "x", perm=[1, 0, 2])
    batch = op("Slice", op("Shape", "x"), *map(op.constant, ([0], [1], [0])))
    state = op("Expand", np.zeros((), np.float32), op("Concat", batch, op.constant([4]), axis=0))
    one = body("Constant", value=numpy_helper.from_array(np.array(1, np.int32)))
    later = body("Add", "time", one)
    seen = body("MatMul", body("Gather", turned, "time", axis=0), "kernel")
    new = body("Tanh", body("Add", seen, body("MatMul", "h", "recurrent")))
    most = body("Constant", value=numpy_helper.from_array(np.array(5, np.int32)))
    goes = body("Less", later, most)
    body.nodes += [
        helper.make_node("Identity", [name], [copy])
        for name, copy in ((new, "stacked"), ("kernel", "kernel_on"), ("recurrent", "recurrent_on"))
    ]
    kinds = {"i": INT, "go": TensorProto.BOOL, "time": TensorProto.INT32, later: TensorProto.INT32}

    def infos(*names: str) -> list[onnx.ValueInfoProto]:
        kinds[goes] = TensorProto.BOOL
        shapes = {n: [] for n in ("i", "go", "time")}
        return [helper.make_tensor_value_info(n, kinds.get(n, F), shapes.get(n)) for n in names]

    graph = helper.make_graph(
        body.nodes,
        "body",
        infos("i", "go", "time", "h", "kernel", "recurrent"),
        infos(goes, later, new, "kernel_on", "recurrent_on", "stacked"),
    )
    start = np.array(0, np.int32)
    carried = start, state, normal(3, 4), normal(4, 4)
    op("Loop", op.constant(7), np.array(True), *carried, outputs=5, body=graph)
    last = op("Slice", op.nodes[-1].output[4], *map(op.constant, ([-1], [9], [0])))
    axis = {"axes": [0]} if opset < 13 else {}
    squeezed = op("Squeeze", last, *([] if axis else [op.constant([0])]), **axis)
    return op.model(op("MatMul", squeezed, normal(4, 2)), ("batch", 5, 3), 2)


def normalized_by_hand(opset: int) -> onnx.ModelProto:
    """A LayerNormalization in ten operators, GELU by Erf, a learnt token and positions."""
    op = File(opset)
    batch = op("Slice", op("Shape", "x"), *map(op.constant, ([0], [1], [0])))
    size = op("Concat", batch, op.constant([1]), op.constant([6]), axis=0)
    token = op("Expand", normal(1, 1, 6), size)
    tokens = op("Concat", token, op("MatMul", "x", normal(3, 6)), axis=1)
    placed = op("Add", tokens, normal(1, 5, 6))
    apart = op("Sub", placed, op("ReduceMean", placed, axes=[-1]))
    spread = op("ReduceMean", op("Pow", apart, np.float32(2)), axes=[-1])
    deviation = op("Sqrt", op("Add", spread, np.float32(1e-5)))
    normed = op("Add", op("Mul", op("Div", apart, deviation), normal(6)), normal(6))
    bent = op("Add", op("Erf", op("Div", normed, np.float32(2**0.5))), np.float32(1))
    gelu = op("Mul", op("Mul", normed, bent), np.float32(0.5))
    return op.model(op("ReduceMean", gelu, axes=[1], keepdims=0), ("batch", 4, 3), 2)


# By structure: its weights, by their number of elements, in any order.
STRUCTURES: dict[Callable[[int], onnx.ModelProto], list[int]] = {
    attention: [6, 6, 6, 18, 36, 36, 36],
    pictures: [2, 4, 4, 4, 32, 108],
    recurrent: [16, 32, 96, 128],
    chosen: [2, 3],
    looped: [8, 12, 16],
    normalized_by_hand: [6, 6, 6, 18, 30],
}


def shape_of(model: onnx.ModelProto) -> tuple[int, ...]:
    return tuple(d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim[1:])


@pytest.mark.parametrize("opset", [9, 11, 13, 17])
@pytest.mark.parametrize("make", STRUCTURES, ids=lambda f: f.__name__)
def test_it_runs_as_onnxruntime_does_and_trains(
    make: Callable[[int], onnx.ModelProto], opset: int, tmp_path: Path
) -> None:
    if make is not attention and make is not pictures:
        opset = max(opset, 11)  # where a Slice takes its bounds as inputs, and branches may differ
    model = make(opset)
    onnx.checker.check_model(model)
    onnx.save(model, tmp_path / "m.onnx")
    x = Input(shape_of(model))
    body = OnnxModel(tmp_path / "m.onnx", name="body")
    whole = Model(x, body(x))
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    for batch in (1, 3):
        data = normal(batch, *shape_of(model))
        (expected,) = session.run(None, {"x": data})
        np.testing.assert_allclose(whole.predict(data, verbose=0), expected, rtol=1e-4, atol=1e-5)
    before = body.get_weights()
    assert sorted(w.size for w in before) == STRUCTURES[make]
    whole.compile(optimizer="adam", loss="mean_squared_error")
    losses = whole.fit(data, expected / 2, epochs=9, verbose=0, batch_size=3).history["loss"]
    assert losses[-1] < losses[0]
    same = [(a == b).all() for a, b in zip(before, body.get_weights(), strict=True)]
    assert sum(same) <= (make is attention)  # whose scores no bias of the keys changes


@pytest.mark.parametrize("make", STRUCTURES, ids=lambda f: f.__name__)
def test_it_is_exported_and_comes_back(
    make: Callable[[int], onnx.ModelProto], tmp_path: Path
) -> None:
    model = make(13)
    onnx.save(model, tmp_path / "m.onnx")
    x = Input(shape_of(model))
    first = Model(x, OnnxModel(tmp_path / "m.onnx")(x))
    first.export(tmp_path / "again.onnx")  # which proves it on onnxruntime
    x = Input(shape_of(model))
    second = Model(x, OnnxModel(tmp_path / "again.onnx")(x))
    data = normal(2, *shape_of(model))
    np.testing.assert_allclose(
        second.predict(data, verbose=0), first.predict(data, verbose=0), rtol=1e-5, atol=1e-6
    )


def of_one_sample(mixed: bool) -> onnx.ModelProto:
    """Attention traced with one sample: it is in every target, beside or within other axes.

    Args:
        mixed: the mean over the samples is taken, too.
    """
    op = File(17)
    kept = op("Slice", "x", *map(op.constant, ([1], [4], [1])))
    turned = op("Transpose", op("Concat", normal(1, 1, 6), kept, axis=1), perm=[1, 0, 2])

    def heads() -> str:
        apart = op("Reshape", op("MatMul", turned, normal(6, 6)), op.constant([4, 2, 3]))
        return op("Transpose", apart, perm=[1, 0, 2])

    query, key, value = heads(), heads(), heads()
    scores = op("Softmax", op("MatMul", query, op("Transpose", key, perm=[0, 2, 1])), axis=-1)
    mixed_up = op("Transpose", op("MatMul", scores, value), perm=[1, 0, 2])
    rows = op("Gemm", op("Reshape", mixed_up, op.constant([4, 6])), normal(6, 5), normal(5))
    steps = op("Transpose", op("Reshape", rows, op.constant([4, 1, 5])), perm=[1, 0, 2])
    flat = op("Reshape", steps, op.constant([1, 20]))
    result = op("Sub", flat, op("ReduceMean", flat, axes=[0])) if mixed else flat
    return op.model(result, (1, 4, 6), 2)


def test_what_was_traced_with_one_sample_runs_for_any_number(tmp_path: Path) -> None:
    onnx.save(of_one_sample(mixed=False), tmp_path / "m.onnx")
    x = Input((4, 6))
    model = Model(x, OnnxModel(tmp_path / "m.onnx")(x))
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    data = normal(5, 4, 6)
    expected = [session.run(None, {"x": data[i : i + 1]})[0] for i in range(5)]
    found = model.predict(data, verbose=0, batch_size=3)
    np.testing.assert_allclose(found, np.concatenate(expected), rtol=1e-4, atol=1e-5)


def test_what_mixes_samples_is_not_believed_to_run_for_any_number(tmp_path: Path) -> None:
    onnx.save(of_one_sample(mixed=True), tmp_path / "m.onnx")
    layer = OnnxModel(tmp_path / "m.onnx")
    with pytest.raises(ProblemError) as caught:
        layer(Input((4, 6)))
    (problem,) = caught.value.problems
    assert (problem.code, problem.args["received"]) == ("onnx_batch", 1)


def test_an_imported_classifier_gets_a_new_head(tmp_path: Path) -> None:
    """First the head alone, then all of it."""
    onnx.save(pictures(13), tmp_path / "m.onnx")
    x = Input((4, 4, 3))
    body = OnnxModel(tmp_path / "m.onnx", name="body", trainable=False)
    model = Model(x, Dense(3, activation="softmax", name="head")(Flatten()(body(x))))
    data, labels = normal(60, 4, 4, 3), np.arange(60) % 3
    data[..., 0] += labels[:, None, None]
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    before = body.get_weights()
    model.fit(data, labels, epochs=3, verbose=0, seed=1)
    assert all((a == b).all() for a, b in zip(before, body.get_weights(), strict=True))
    body.trainable = True
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(data, labels, batch_size=12, epochs=80, verbose=0, seed=1).history
    assert history["loss"][-1] < 0.7 * history["loss"][0]
    assert all((a != b).any() for a, b in zip(before, body.get_weights(), strict=True))


def test_a_loop_over_any_number_of_steps_is_refused_when_it_is_wired(tmp_path: Path) -> None:
    model = looped(13)
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "time"
    count = model.graph.node[[n.op_type for n in model.graph.node].index("Loop")]
    sizes = helper.make_node("Shape", ["x"], ["sizes"])
    index = helper.make_node("Constant", [], ["one"], value_int=1)
    steps = helper.make_node("Gather", ["sizes", "one"], ["steps"])
    count.input[0] = "steps"
    for node in (steps, index, sizes):
        model.graph.node.insert(0, node)
    onnx.save(model, tmp_path / "m.onnx")
    layer = OnnxModel(tmp_path / "m.onnx")
    assert layer(Input((5, 3))).shape == (None, 2)
    with pytest.raises(ProblemError, match="Loop"):
        layer(Input((None, 3)))


def test_a_bias_with_a_half_of_zeros_learns_as_one(tmp_path: Path) -> None:
    onnx.save(recurrent(13), tmp_path / "m.onnx")
    text, weights = read_onnx(tmp_path / "m.onnx")
    (bias,) = (w for w in weights.values() if w.shape == (2, 16))
    assert bias.any()
    assert [a.shape for a in imported(text).consts.values() if a.size == 32] == [(2, 16)]


def test_a_branch_in_a_file_of_one_sample_does_not_keep_it_from_being_read(tmp_path: Path) -> None:
    model = chosen(13)
    (first, _) = model.graph.input[0].type.tensor_type.shape.dim
    first.dim_value = 1
    onnx.save(model, tmp_path / "m.onnx")
    x = Input((3,))
    found = Model(x, OnnxModel(tmp_path / "m.onnx")(x)).predict(normal(4, 3), verbose=0)
    assert found.shape == (4, 2)
