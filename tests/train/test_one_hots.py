"""One-hots fed as the places of their ones: nobody notices, but the clock."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.onnxruntime_executor import OnnxRuntimeExecutor
from studio.engine.program import Array
from studio.layers import (
    GRU,
    LSTM,
    Bidirectional,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Input,
    Masking,
    SimpleRNN,
    TimeDistributed,
    concatenate,
)
from studio.models import Model
from studio.optimizers import SGD
from studio.problem import ProblemError
from studio.train import one_hots
from studio.train.arrays import Arrays, OneHots, unpacked
from studio.train.feed import as_arrays, input_arrays
from studio.train.one_hots import places_of, read_by_index
from studio.train.step import build_step
from studio.train.trainer import Settings, Trainer

TIME, DEPTH = 5, 7
Net = Callable[[Any], Any]


def model(net: Net, inputs: int = 1, shape: tuple[int | None, ...] = (TIME, DEPTH)) -> Model:
    """Some one-hots through `net` to one number."""
    x = [Input(shape=shape, name=f"x{i}") for i in range(inputs)]
    made = Model(x, Dense(1, name="head")(net(x if inputs > 1 else x[0])))
    made.compile(SGD(0.1), "mse")
    return made


@contextmanager
def small_is_enough() -> Iterator[None]:
    """Inside, the smallest arrays are looked at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(one_hots, "_ENOUGH", 1)
        yield


def hot(places: Array, depth: int = DEPTH) -> Array:
    return unpacked(OneHots(places, depth))


# -- which arrays are ------------------------------------------------------------------------------


@given(
    places=st.lists(st.integers(0, DEPTH), min_size=1, max_size=90).map(np.array),
    dtype=st.sampled_from(["float32", "float64", "float16", "int8", "uint8", "int64", "bool"]),
    block=st.sampled_from([1, 100, 1 << 20]),
)
def test_one_hots_are_their_places(places: Array, dtype: str, block: int) -> None:
    with small_is_enough(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(one_hots, "_BLOCK", block)
        found = places_of(hot(places).astype(dtype))
    assert found is not None
    assert (found.depth, found.places.dtype) == (DEPTH, np.uint8)
    np.testing.assert_array_equal(found.places, places)
    np.testing.assert_array_equal(unpacked(found), hot(places))


@given(
    places=st.lists(st.integers(0, DEPTH), min_size=1, max_size=90).map(np.array),
    where=st.floats(0, 0.999),
    value=st.sampled_from([2.0, -1.0, 0.5, 1.0 + 1e-7, 1e-30, np.nan, np.inf, -np.inf, 1.0]),
    number=st.integers(0, DEPTH - 1),
)
def test_one_other_number_anywhere_is_noticed(
    places: Array, where: float, value: float, number: int
) -> None:
    array = hot(places)
    row = int(where * len(places))
    array[row, number] = value
    still = value == 1 and places[row] in (DEPTH, number)
    with small_is_enough(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(one_hots, "_BLOCK", 10 * DEPTH * 4)
        assert (places_of(array) is not None) == still


def test_places_take_as_few_bytes_as_they_need() -> None:
    with small_is_enough():
        for depth, dtype in ((255, np.uint8), (256, np.uint16), (70_000, np.uint32)):
            found = places_of(hot(np.array([0, depth - 1, depth]), depth))
            assert found is not None
            assert found.places.dtype == dtype
            assert found.places.tolist() == [0, depth - 1, depth]


def test_a_view_of_one_hots_is_read_where_it_lies() -> None:
    places = np.arange(12).reshape(3, 4) % DEPTH
    turned = np.swapaxes(hot(places), 0, 1)
    with small_is_enough():
        found = places_of(turned)
    assert found is not None
    np.testing.assert_array_equal(found.places, places.T)


def test_small_samples_vectors_and_texts_stay_as_they_are() -> None:
    assert places_of(hot(np.zeros((3, 2), int))) is None  # 14 numbers a sample
    assert places_of(np.zeros(5000, np.float32)) is None
    assert places_of(np.zeros((0, 5000), np.float32)) is None
    assert places_of(np.full((2, 5000), "0")) is None


def test_of_other_arrays_only_a_few_rows_are_looked_at() -> None:
    asked: list[int] = []

    class Watched(np.ndarray[Any, Any]):
        def __ne__(self, other: object) -> Any:
            asked.append(len(self))
            return super().__ne__(other)

    picture = np.random.default_rng(0).random((500, 5000), np.float32).view(Watched)
    assert places_of(picture) is None
    assert asked == [16]


# -- which inputs are ------------------------------------------------------------------------------


def inner(net: Net) -> Model:
    x = Input(shape=(TIME, DEPTH))
    return Model(x, net(x))


NETS: dict[str, tuple[Net, bool]] = {
    "Dense": (lambda x: Flatten()(Dense(3, activation="tanh")(x)), True),
    "LSTM": (LSTM(3), True),
    "LSTM backwards": (LSTM(3, go_backwards=True), True),
    "GRU": (GRU(3), True),
    "GRU, steps": (lambda x: Flatten()(GRU(3, reset_after=False, return_sequences=True)(x)), True),
    "RNN": (SimpleRNN(3, use_bias=False), True),
    "both ways": (Bidirectional(LSTM(2)), True),
    "TimeDistributed": (lambda x: LSTM(2)(TimeDistributed(Dense(3, "relu"))(x)), True),
    "a model within": (lambda x: inner(LSTM(3))(x), True),
    "a model within, each step": (
        lambda x: Flatten()(TimeDistributed(stepwise())(x)),
        True,
    ),
    "several readers": (lambda x: concatenate([LSTM(2)(x), Flatten()(x), GRU(2)(x)]), True),
    "joined before": (lambda x: LSTM(2)(concatenate([x, x])), False),
    "Masking": (lambda x: LSTM(3)(Masking()(x)), True),
    "Masking, both ways": (lambda x: Bidirectional(GRU(2))(Masking()(x)), True),
    "Masking, each step": (
        lambda x: Flatten()(TimeDistributed(Dense(2))(Masking()(x))),
        True,
    ),
    "Masking alone": (lambda x: Flatten()(Masking()(x)), False),
    "Flatten": (lambda x: Flatten()(x), False),
}


def stepwise() -> Model:
    x = Input(shape=(DEPTH,))
    return Model(x, Dense(2, activation="tanh")(x))


@pytest.mark.parametrize("name", NETS)
def test_only_inputs_that_a_layer_reads_by_index(name: str) -> None:
    net, profits = NETS[name]
    document = model(net).document
    (call,) = document.graph.inputs
    assert read_by_index(document, call) == profits


def test_initial_states_are_not_read_by_index() -> None:
    x, state = Input(shape=(TIME, DEPTH)), Input(shape=(DEPTH,))
    made = Model([x, state], Dense(1)(GRU(DEPTH)(x, initial_state=state)))
    document = made.document
    assert [read_by_index(document, call) for call in document.graph.inputs] == [True, False]


def test_integers_for_an_embedding_are_left_alone() -> None:
    text = Input(shape=(5000,), dtype="int32")
    made = Model(text, Dense(1)(Flatten()(Embedding(2, 1)(text))))
    (found,) = input_arrays(made.document, np.zeros((2, 5000), np.int32)).inputs.values()
    assert isinstance(found, np.ndarray)


# -- the same numbers ------------------------------------------------------------------------------


def steps(made: Model, inputs: dict[str, Any], y: Array) -> list[Array]:
    """Outputs and weights of three steps of a fresh trainer, then the outputs after them."""
    trainer = Trainer(made.document, made.project.store, Settings(seed=3))
    (end,) = made.document.graph.outputs
    found, batch = list[Array](), Arrays(inputs, {end.key: y})
    for _ in range(3):
        step, results = trainer.train_batch(batch)
        trainer.save()
        found += [results[step.outputs[end.key]], *made.get_weights()]
    step, results = trainer.test_batch(batch)
    return [*found, results[step.outputs[end.key]]]


@pytest.mark.parametrize("name", NETS)
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_places_and_one_hots_give_the_same(name: str, data: st.DataObject) -> None:
    """Outputs, gradients (of which SGD's weights consist) and weights after three steps."""
    batch = data.draw(st.sampled_from([1, 3]))
    drawn = st.lists(st.integers(0, DEPTH), min_size=batch * TIME, max_size=batch * TIME)
    places = np.array(data.draw(drawn)).reshape(batch, TIME)
    y = np.linspace(-1, 1, batch, dtype=np.float32)[:, None]
    made = model(NETS[name][0])
    start = made.get_weights()
    (call,) = made.document.graph.inputs
    found = []
    for column in (OneHots(places, DEPTH), hot(places)):
        made.set_weights(start)
        found.append(steps(made, {call: column}, y))
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-6)


def test_forward_is_bit_exact() -> None:
    rng = np.random.default_rng(2)
    places = rng.integers(0, DEPTH + 1, (6, TIME))
    for name in ("Dense", "LSTM", "GRU", "RNN", "both ways", "Masking"):
        made = model(NETS[name][0])
        dense = made.predict(hot(places))
        with small_is_enough():
            np.testing.assert_array_equal(made.predict(hot(places)), dense)


def test_a_program_fed_places_runs_on_either_engine() -> None:
    made = model(NETS["several readers"][0])
    (call,) = made.document.graph.inputs
    step = build_step(made.document, False, frozenset(), frozenset({(call, DEPTH)}))
    assert str(step.program.specs["x0"]) == f"int32(batch, {TIME})"
    (end,) = made.document.graph.outputs
    rng = np.random.default_rng(3)
    feeds = {
        "x0": rng.integers(0, DEPTH + 1, (4, TIME)).astype(np.int32),
        step.targets[end.key]: np.zeros((4, 1), np.float32),
        step.scales[end.key]: np.array(1, np.float32),
    }
    state = {
        s.input: rng.normal(size=step.program.specs[s.input].shape).astype(np.float32)
        for s in step.program.state
    }
    found = []
    for runner in (NumpyExecutor(step.program), OnnxRuntimeExecutor(step.program)):
        runner.load(state)
        found.append(runner.run(feeds))
    for name, array in found[0].items():
        np.testing.assert_allclose(array, found[1][name], rtol=1e-5, atol=1e-6)


# -- from Python -----------------------------------------------------------------------------------


def two_texts() -> tuple[Model, list[Array], Array]:
    """Two texts of 140 characters, one LSTM, and Dropout that must draw the same."""
    shared = LSTM(4)

    def net(x: list[Any]) -> Any:
        return Dropout(0.3)(concatenate([shared(one) for one in x]))

    rng = np.random.default_rng(4)
    places = rng.integers(0, 31, (2, 20, 140))
    return model(net, 2, (140, 30)), [hot(p, 30) for p in places], rng.normal(size=(20, 1))


def test_fit_evaluate_and_predict_take_either() -> None:
    made, x, y = two_texts()
    start, found = made.get_weights(), []
    for places in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            if not places:
                patch.setattr("studio.train.feed.places_of", lambda array: None)
            kinds = {type(column) for column in as_arrays(made.document, x, y).inputs.values()}
            assert kinds == ({OneHots} if places else {np.ndarray})
            made.set_weights(start)
            made.compile(SGD(0.1), "mse")  # draws start anew
            history = made.fit(x, y, 8, epochs=2, verbose=0, validation_split=0.2, seed=1).history
            later = [made.train_on_batch([a[:3] for a in x], y[:3]), made.evaluate(x, y, verbose=0)]
            found.append([*history.values(), later, made.predict(x, 7), *made.get_weights()])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_training_repeats_bit_for_bit() -> None:
    made, x, y = two_texts()
    start, found = made.get_weights(), []
    for _ in range(2):
        made.set_weights(start)
        made.compile(SGD(0.1), "mse")
        made.fit(x, y, 8, epochs=2, verbose=0, seed=1)
        found.append(made.get_weights())
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_arrays_in_files_are_left_alone(tmp_path: Path) -> None:
    made, x, _ = two_texts()
    paths = [tmp_path / f"{number}.npy" for number in range(2)]
    for path, array in zip(paths, x, strict=True):
        np.save(path, array)
    mapped = [np.load(path, mmap_mode="r") for path in paths]
    found = input_arrays(made.document, mapped)
    assert not found.one_hots
    # One of each goes well, too: of a pool of blocks, places are taken as the rest is read.
    np.testing.assert_array_equal(made.predict([x[0], mapped[1]]), made.predict(x))


def test_what_does_not_fit_is_refused_as_ever() -> None:
    made, (a, b), y = two_texts()
    for wrong, code in (
        ([a, b[:, 1:]], "input_shape"),
        ([a, b[..., 1:]], "input_shape"),
        ([a, b[:, 0]], "input_shape"),
        ([a, b[:5]], "samples_differ"),
        ([a[:0], b[:0]], "no_samples"),
        ([a, np.where(b == 1, np.nan, b)], "not_finite"),
        ([a, b.astype(str)], "not_numbers"),
    ):
        with pytest.raises(ProblemError) as error:
            as_arrays(made.document, wrong, y[: len(wrong[0])])
        assert error.value.problems[0].code == code


def test_the_exported_model_takes_one_hots_still(tmp_path: Path) -> None:
    made, x, y = two_texts()
    made.fit(x, y, verbose=0)
    made.export(tmp_path / "m.onnx")
    exported = onnx.load(tmp_path / "m.onnx")
    for value in exported.graph.input:
        tensor = value.type.tensor_type
        assert tensor.elem_type == onnx.TensorProto.FLOAT
        assert [d.dim_value for d in tensor.shape.dim][1:] == [140, 30]
    assert "OneHot" not in {node.op_type for node in exported.graph.node}
