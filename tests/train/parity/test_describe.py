"""A document in Keras's words, read by hand."""

import json

import pytest

from studio import layers
from studio.document.model import Document
from studio.document.muting import mute
from studio.examples import EXAMPLES
from studio.layers import (
    LSTM,
    Bidirectional,
    Dense,
    Dropout,
    Embedding,
    Input,
    OnnxModel,
    RandomFlip,
)
from studio.models import Model
from studio.optimizers import SGD
from studio.optimizers.schedules import ExponentialDecay
from studio.problem import ProblemError
from studio.train.parity.describe import described, in_keras, quiet
from tests.models_of_the_guide import system


def layers_of(said, kind):
    return [about for about in said["layers"].values() if about.get("class_name") == kind]


def test_all_of_it_is_json():
    for make in EXAMPLES.values():
        said = described(make(), 2)
        assert json.loads(json.dumps(said)) == json.loads(json.dumps(described(make(), 2)))


def test_a_shared_layer_stands_once_and_is_called_twice():
    said = described(system("tweets").document, 1)
    calls = [call["layer"] for call in said["graphs"][said["main"]]["calls"]]
    assert len(layers_of(said, "LSTM")) == 1
    (twice,) = {layer for layer in calls if calls.count(layer) == 2}
    assert said["weights"][twice] == ["kernel", "recurrent_kernel", "bias"]


def test_a_model_is_a_layer_and_so_is_a_wrapper():
    said = described(system("video").document, 1)
    (around,) = layers_of(said, "TimeDistributed")
    graph = said["layers"][around["around"]]["graph"]
    inside = said["graphs"][graph]
    assert [list(t) for t in inside["taken"].values()] == [[[16], "float32"]]
    assert len(inside["calls"]) == 3
    assert around["around"] not in said["weights"]


def test_frozen_is_what_is_inside_something_frozen():
    document = system("reuse_frozen_topped").document
    said = described(document, 1)
    dense = [layer for layer in said["layers"] if said["weights"].get(layer)]
    frozen = [layer for layer in dense if layer in said["frozen"]]
    assert (len(dense), len(frozen)) == (4, 3)


def test_losses_are_in_the_order_of_outputs_and_absent_ones_leave_a_gap():
    x = Input(shape=(3,))
    model = Model(x, [Dense(1, name="a")(x), Dense(1, name="b")(x)])
    model.compile(SGD(ExponentialDecay(0.1, 5, 0.5)), loss=[None, "mse"], loss_weights=[1.0, 0.2])
    said = described(model.document, 1)
    none, loss = said["losses"]
    assert none is None
    assert loss["loss"]["class_name"] == "MeanSquaredError"
    assert loss["scale"] == 0.2
    rate = said["optimizer"]["config"]["learning_rate"]
    assert rate["module"] == "keras.optimizers.schedules"
    assert rate["config"]["decay_rate"] == 0.5


def test_class_numbers_go_without_their_axis():
    x = Input(shape=(3,))
    model = Model(x, [Dense(3, activation="softmax")(x), Dense(1)(x)])
    model.compile(loss=["categorical_generalized_cross_entropy", "mse"])
    assert [loss["flat"] for loss in described(model.document, 1)["losses"]] == [True, False]


def call_of(model, kind):
    said = described(model.document, 0)
    ids = [id for id, about in said["layers"].items() if about.get("class_name") == kind]
    calls = said["graphs"][said["main"]]["calls"]
    return next(call for call in calls if call["layer"] in ids)


def test_states_and_masks_go_by_name():
    x, h, c = Input(shape=(4, 3)), Input(shape=(2,)), Input(shape=(2,))
    call = call_of(Model([x, h, c], LSTM(2)(x, initial_state=[h, c])), "LSTM")
    assert len(call["args"]) == 1
    assert len(call["named"]["initial_state"]) == 2
    mask = Input(shape=(4,))
    call = call_of(Model([x, mask], layers.Attention()([x, x, x, mask])), "Attention")
    assert [len(part) for part in call["args"]] == [3]
    assert call["named"]["mask"][1] is None
    call = call_of(
        Model(x, layers.MultiHeadAttention(1, 2, use_causal_mask=True)(x, x)), "MultiHeadAttention"
    )
    assert call["named"] == {"use_causal_mask": True}
    call = call_of(Model([mask], layers.Softmax()(mask, mask)), "Softmax")
    assert list(call["named"]) == ["mask"]


def test_what_is_merged_is_one_list():
    x = Input(shape=(3,))
    call = call_of(Model(x, layers.concatenate([x, x])), "Concatenate")
    assert [len(part) for part in call["args"]] == [2]


def test_parameters_are_those_of_keras():
    said = in_keras(layers.ZeroPadding2D(padding=((1, 2), (3, 4))).declaration)
    assert said["config"]["padding"] == [[1, 2], [3, 4]]
    assert in_keras(layers.ZeroPadding1D(2).declaration)["config"]["padding"] == [2, 2]
    said = in_keras(Bidirectional(LSTM(2, kernel_regularizer="l2")).declaration)
    inner = said["config"]["layer"]
    assert inner["class_name"] == "LSTM"
    assert inner["config"]["kernel_regularizer"]["module"] == "keras.regularizers"
    assert "rms_scaling" not in in_keras(layers.LayerNormalization().declaration)["config"]
    assert "score_mode" not in in_keras(layers.AdditiveAttention().declaration)["config"]


def test_muted_calls_are_passed_by():
    x = Input(shape=(3,))
    document = Model(x, Dense(1)(Dense(3, name="off")(x))).document
    (off,) = (c for c, call in document.graph.calls.items() if document.entry(c).name == "off")
    said = described(mute(document, [off]), 0)
    (call,) = said["graphs"][said["main"]]["calls"]
    assert call["args"] == [{"from": [document.graph.inputs[0], 0]}]
    assert len(layers_of(said, "Dense")) == 1


def test_nothing_random_is_left():
    tokens, picture = Input(shape=(4,), dtype="int32"), Input(shape=(4, 4, 1))
    y = Bidirectional(LSTM(2, dropout=0.3, recurrent_dropout=0.2))(Embedding(9, 3)(tokens))
    y = layers.concatenate([Dropout(0.5)(y), layers.Flatten()(RandomFlip()(picture))])
    document = Model([tokens, picture], Dense(1)(y)).document
    still, silenced = quiet(document)
    assert len(silenced) == 3
    said = described(still, 0)
    assert layers_of(said, "Dropout")[0]["config"]["rate"] == 0
    inner = layers_of(said, "Bidirectional")[0]["config"]["layer"]["config"]
    assert (inner["dropout"], inner["recurrent_dropout"]) == (0, 0)
    assert not layers_of(said, "RandomFlip")
    plain = EXAMPLES["headline"]()
    assert quiet(plain) == (plain, [])


def test_what_keras_does_not_have_is_named(tmp_path):
    x = Input(shape=(3,))
    Model(x, Dense(3)(x)).export(tmp_path / "other.onnx")
    document = Model(x, OnnxModel(tmp_path / "other.onnx", name="read")(x)).document
    with pytest.raises(ProblemError, match=r"no layer like read \(OnnxModel\)"):
        described(document, 0)


def test_a_model_without_an_output_is_refused_before_keras_is_asked():
    with pytest.raises(ProblemError) as caught:
        described(Document(), 1)
    assert [problem.code for problem in caught.value.problems] == ["no_output"]
