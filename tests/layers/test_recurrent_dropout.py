"""What recurrent layers drop, by draws that are given to Keras and to us."""

from pathlib import Path

import numpy as np
import pytest

from studio.engine.onnx_writer import to_onnx
from studio.engine.program import Spec
from studio.layers import LSTM, Bidirectional, Dense, Input
from studio.layers.base import Layer
from studio.layers.bidirectional import Bidirectional as BidirectionalLayer
from studio.layers.recurrent import Recurrent
from studio.models import Model, load_model
from tests import references
from tests.document.drawn import layer
from tests.layers.building import Built, build, layer_of
from tests.layers.replay import Arrays, replay

RECORDING = "recurrent_dropout"
CASES = references.meta(RECORDING)["cases"]
SEQUENCE = Spec("float32", ("batch", 4, 3))
RATES = {"dropout": 0.4, "recurrent_dropout": 0.3}


def layers_of(case: str) -> list[Layer]:
    found = [layer_of(spec) for spec in CASES[case]["chain"]]
    assert all(found)
    return [made for made in found if made]


def cell_of(made: Layer) -> Recurrent:
    inner = made.layer if isinstance(made, BidirectionalLayer) else made
    assert isinstance(inner, Recurrent)
    return inner


@pytest.mark.parametrize("case", CASES)
def test_it_drops_what_keras_drops(case: str) -> None:
    layers = layers_of(case)
    cell = cell_of(layers[-1])

    def drawn(built: Built, arrays: Arrays) -> dict[str, np.ndarray]:
        """Keras's draws of each gate, in ONNX's order, as they are asked for."""
        given = [arrays[f"u{i}"] for i in range(CASES[case]["draws"])]
        assert len(given) == len(built.op.draws)
        found = {}
        for name, draws in zip(built.op.draws, given, strict=True):
            by_gate = draws[list(cell.gates)] if len(draws) > 1 else draws
            shape = built.program.specs[name].shape
            across = by_gate if len(shape) > 2 else by_gate.swapaxes(0, 1)
            wanted = tuple(draws.shape[1] if d == "batch" else d for d in shape)
            found[name] = across.reshape(wanted)
        return found

    replay(RECORDING, case, layers, drawn)


def written(made: Layer) -> bytes:
    return to_onnx(build([made], [SEQUENCE]).program)


@pytest.mark.parametrize("kind", ["SimpleRNN", "GRU", "LSTM"])
def test_nothing_is_dropped_outside_training(kind: str) -> None:
    plain, dropping = layer(kind, units=2), layer(kind, units=2, **RATES)
    assert written(dropping) == written(plain)
    one, other = (layer("Bidirectional", layer=made) for made in (plain, dropping))
    assert written(other) == written(one)


@pytest.mark.parametrize("name", RATES)
def test_a_rate_of_one_is_refused_with_a_remedy(name: str) -> None:
    (problem,) = layer("LSTM", **{name: 1.0}).problems()
    assert (problem.code, problem.fix) == ("rate_one", {name: 0.5})


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_a_model_that_drops_trains_and_is_exported_plain(engine: str, tmp_path: Path) -> None:
    x = Input((None, 3))
    steps = Bidirectional(LSTM(4, return_sequences=True, **RATES))(x)
    model = Model(x, Dense(1)(LSTM(4, **RATES)(steps)))
    model.compile("adam", "mse")
    rng = np.random.default_rng(0)
    data, target = rng.normal(size=(24, 5, 3)), rng.normal(size=(24, 1))
    model.fit(data, target, epochs=3, verbose=0, engine=engine, seed=1)
    assert len(np.unique(model.predict(data))) == len(data)
    np.testing.assert_array_equal(model.predict(data), model.predict(data))
    assert model.export(tmp_path / "m.onnx")
    assert model.export(tmp_path / "step.onnx", training=True)


def test_both_engines_drop_alike(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    data, target = rng.normal(size=(24, 5, 3)), rng.normal(size=(24, 1))
    x = Input((5, 3))
    Model(x, Dense(1)(LSTM(4, **RATES)(x))).save(tmp_path / "m.loom")
    histories = []
    for engine in ("numpy", "onnxruntime"):
        model = load_model(tmp_path / "m.loom")
        model.compile("sgd", "mse")
        fitted = model.fit(data, target, epochs=3, verbose=0, engine=engine, seed=1)
        histories.append(fitted.history["loss"])
    np.testing.assert_allclose(*histories, rtol=1e-5)
