"""Recurrent layers beyond the shared tests: states, ports, problems, and how Python calls them."""

from pathlib import Path

import numpy as np
import pytest

from studio.engine.program import Spec
from studio.layers import GRU, LSTM, Bidirectional, Dense, Input, SimpleRNN
from studio.layers.base import Layer
from studio.layers.shapes import shapes_of
from studio.models import Model, load_model
from studio.problem import ProblemError
from tests.document.drawn import layer
from tests.layers.building import build

SEQUENCE, STATE = Spec("float32", ("batch", 5, 4)), Spec("float32", ("batch", 3))
KINDS = ("SimpleRNN", "GRU", "LSTM")


def code_of(made: Layer, *inputs: Spec) -> str:
    (problem,) = shapes_of(made, inputs).problems
    return problem.code


def names(made: Layer) -> tuple[list[str], list[str]]:
    return [p.name for p in made.inputs()], [p.name for p in made.outputs()]


# -- ports and problems --------------------------------------------------------------------------


def test_states_are_ports() -> None:
    assert names(layer("LSTM")) == (["x", "initial_h", "initial_c"], ["output"])
    assert names(layer("GRU", return_state=True)) == (["x", "initial_h"], ["output", "state_h"])
    assert names(layer("LSTM", return_state=True))[1] == ["output", "state_h", "state_c"]
    assert [p.optional for p in layer("LSTM").inputs()] == [False, True, True]


def test_both_directions_have_the_ports_of_what_they_copy() -> None:
    inner = layer("LSTM", return_state=True)
    inputs, outputs = names(layer("Bidirectional", layer=inner, merge_mode=None))
    sides = [f"{side}_{{}}_{s}" for side in ("forward", "backward") for s in "hc"]
    assert inputs == ["x", *(s.format("initial") for s in sides)]
    assert outputs == [
        "forward_output",
        "backward_output",
        *(s.format("state") for s in sides),
    ]
    assert names(layer("Bidirectional", layer=layer("GRU")))[1] == ["output"]


def test_a_state_alone_is_not_enough() -> None:
    assert code_of(layer("LSTM", units=3), SEQUENCE, STATE) == "states_missing"
    both = layer("Bidirectional", layer=layer("GRU", units=3))
    assert code_of(both, SEQUENCE, STATE) == "states_missing"
    assert shapes_of(both, (SEQUENCE, STATE, STATE)).problems == ()


@pytest.mark.parametrize(
    "wrong",
    [
        Spec("float32", ("batch", 4)),
        Spec("float32", ("batch", 5, 3)),
        Spec("int32", ("batch", 3)),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["SimpleRNN", "GRU"])
def test_a_state_of_another_shape_is_refused(kind: str, wrong: Spec) -> None:
    (problem,) = shapes_of(layer(kind, units=3), (SEQUENCE, wrong)).problems
    assert problem.code == "state_differs"
    assert problem.args["expected"] == STATE
    assert problem.args["received"] == wrong


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_sequence_is_refused(kind: str) -> None:
    assert code_of(layer(kind), STATE) == "expects_rank"
    assert code_of(layer("Bidirectional", layer=layer(kind)), STATE) == "expects_rank"


def test_what_does_not_read_has_no_two_directions() -> None:
    assert [p.code for p in layer("Bidirectional", layer=layer("Dense")).problems()] == [
        "parameter_choice"
    ]
    backwards = layer("Bidirectional", layer=layer("LSTM", go_backwards=True))
    assert [p.code for p in backwards.problems()] == ["bidirectional_backwards"]
    empty = layer("Bidirectional", layer=layer("LSTM", units=0))
    assert [p.code for p in empty.problems()] == ["parameter_min"]
    nothing = layer("Bidirectional", layer=None)
    assert [p.code for p in nothing.problems()] == ["parameter_missing"]
    assert names(nothing) == (["x"], ["output"])


# -- weights and nodes ---------------------------------------------------------------------------


def test_a_gru_that_resets_after_has_two_biases() -> None:
    shapes = [w.shape for w in layer("GRU", units=3).weights(SEQUENCE)]
    assert shapes == [(4, 9), (3, 9), (2, 9)]
    assert layer("GRU", units=3, reset_after=False).weights(SEQUENCE)[2].shape == (9,)


def test_forward_weights_come_first() -> None:
    made = layer("Bidirectional", layer=layer("SimpleRNN", units=3))
    parts = ("kernel", "recurrent_kernel", "bias")
    assert [w.name for w in made.weights(SEQUENCE)] == [
        f"{side}_simple_rnn/{part}" for side in ("forward", "backward") for part in parts
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_each_is_one_node(kind: str) -> None:
    inner = layer(kind, units=3, return_sequences=True, return_state=True)
    for made in (inner, layer("Bidirectional", layer=inner)):
        (node,) = (n for n in build([made], [SEQUENCE]).program.nodes if "hidden_size" in n.attrs)
        assert node.op == {"SimpleRNN": "RNN"}.get(kind, kind)
        expected = "forward" if made is inner else "bidirectional"
        assert node.attrs["direction"] == expected


# -- in Python -----------------------------------------------------------------------------------


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).normal(size=shape).astype(np.float32)


def test_an_encoder_hands_its_states_to_a_decoder(tmp_path: Path) -> None:
    source, target = Input((6, 4)), Input((5, 4))
    _, h, c = LSTM(3, return_state=True)(source)
    read = LSTM(3, return_sequences=True)(target, initial_state=[h, c])
    model = Model([source, target], Dense(1)(read))
    x, t, y = numbers(8, 6, 4), numbers(8, 5, 4), np.ones((8, 5, 1), np.float32)
    other = model.predict([-x, t])
    assert np.abs(model.predict([x, t]) - other).max() > 1e-3
    model.compile("adam", "mse")
    before = model.get_weights()[3]
    model.fit([x, t], y, epochs=2, verbose=0)
    assert np.abs(model.get_weights()[3] - before).max() > 0
    model.save(tmp_path / "m.loom")
    again = load_model(tmp_path / "m.loom")
    np.testing.assert_array_equal(again.predict([x, t]), model.predict([x, t]))


def test_a_single_state_needs_no_list() -> None:
    x, h = Input((5, 4)), Input((3,))
    for made in (GRU(3), SimpleRNN(3)):
        assert made(x, initial_state=h).shape == made([x, h]).shape == (None, 3)
    with pytest.raises(ProblemError):
        LSTM(3)(x, initial_state=h)
    with pytest.raises(ProblemError):
        Dense(3)(x, initial_state=h)


def test_bidirectional_copies_a_handle(tmp_path: Path) -> None:
    inner = LSTM(3, return_sequences=True, return_state=True)
    x = Input((5, 4))
    steps, *states = Bidirectional(inner, merge_mode="sum")(x)
    assert steps.shape == (None, 5, 3)
    assert [s.shape for s in states] == [(None, 3)] * 4
    assert inner.weights == []
    last = Bidirectional(GRU(3))(steps)
    model = Model(x, Dense(1)(last))
    assert [w.shape for w in model.get_weights()[:2]] == [(4, 12), (3, 12)]
    assert len(model.get_weights()) == 6 + 6 + 2
    model.compile("sgd", "mse")
    model.fit(numbers(8, 5, 4), np.ones((8, 1), np.float32), verbose=0)
    model.save(tmp_path / "m.loom")
    again = load_model(tmp_path / "m.loom")
    np.testing.assert_array_equal(again.predict(numbers(2, 5, 4)), model.predict(numbers(2, 5, 4)))
    assert model.export(tmp_path / "m.onnx")


def test_the_inner_layer_goes_by_name_too() -> None:
    assert Bidirectional("gru").declaration == layer("Bidirectional", layer=layer("GRU"))
    with pytest.raises(ProblemError) as caught:
        Bidirectional(Dense(3))
    assert caught.value.problems[0].code == "parameter_choice"
