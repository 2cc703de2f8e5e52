"""The recurrent microscope: gates, states and gradients are those of definitions and differences."""

from collections.abc import Mapping

import numpy as np
import pytest

from studio import layers
from studio.document.model import Document
from studio.engine.numpy_executor import NumpyExecutor
from studio.layers.base import Layer
from studio.models import Model
from studio.train.arrays import Arrays
from studio.train.study.microscope import cut
from studio.train.study.recurrent import RecurrentSample, examined
from studio.train.trainer import Settings, Trainer
from tests.train.study.cells import Nudge, read

T, WIDTH, UNITS = 6, 3, 2
DRAW = np.random.default_rng(7)


def drawn(*shape: int) -> np.ndarray:
    """Numbers that float32 holds exactly, since data comes in it."""
    return DRAW.normal(size=shape).astype(np.float32).astype(np.float64)


X = drawn(T, WIDTH)
HOLES = np.array([False, True, True, False, True, True])


def reader(kind: str, **config: object) -> Layer:
    make = {"LSTM": layers.LSTM, "GRU": layers.GRU, "SimpleRNN": layers.SimpleRNN}[kind]
    return make(UNITS, **config)


def built(layer: Layer, masked: bool) -> Model:
    """A layer read by two heads, each with a loss."""
    x = layers.Input((T, WIDTH), name="x")
    y = layer(layers.Masking()(x) if masked else x)
    heads = [layers.Dense(1, name=f"head_{n}")(y) for n in range(2)]
    model = Model(x, heads)
    model.compile("sgd", "mse", loss_weights=[1.0, 0.3])
    return model


def set_weights(model: Model) -> dict[str, np.ndarray]:
    """Weights drawn, and given, by layer and name."""
    drawn = [DRAW.normal(size=w.shape).astype(np.float32) for w in model.get_weights()]
    model.set_weights(drawn)
    return drawn


def looked_at(model: Model, x: np.ndarray, targets: list[np.ndarray]) -> RecurrentSample:
    """The recurrent layer of a model, in float64."""
    document = model.document
    call = next(c for c in document.graph.calls if is_recurrent(document, c))
    keys = [e.key for e in document.graph.outputs]
    batch = Arrays(
        {document.graph.inputs[0]: x[None]},
        {key: target[None] for key, target in zip(keys, targets, strict=True)},
    )
    program = cut(document, (call,), batch.weighted, batch.one_hots)
    assert program is not None
    trainer = Trainer(document, model.project.store, Settings("numpy"))
    runner = NumpyExecutor(program.step.program.astype("float64"))
    runner.load({n: a.astype(np.float64) for n, a in trainer.state(program.step).items()})
    feeds = trainer.feeds(program.step, batch)
    double = {n: f.astype(np.float64) if f.dtype.kind == "f" else f for n, f in feeds.items()}
    body = document.entry(call).body
    turned = bool(getattr(body, "go_backwards", False))
    return examined(program, runner.run(double), turned)


def is_recurrent(document: Document, call: str) -> bool:
    return document.entry(call).kind in ("LSTM", "GRU", "SimpleRNN", "Bidirectional")


CASES = [
    (kind, sequences, backwards, masked, {})
    for kind in ("LSTM", "GRU", "SimpleRNN")
    for sequences in (False, True)
    for backwards in (False, True)
    for masked in (False, True)
] + [
    ("GRU", sequences, False, masked, {"reset_after": False})
    for sequences, masked in ((False, True), (True, False))
]


@pytest.mark.parametrize(("kind", "sequences", "backwards", "masked", "config"), CASES)
def test_what_flows_back_is_what_differences_say(
    kind: str, sequences: bool, backwards: bool, masked: bool, config: Mapping[str, object]
) -> None:
    layer = reader(kind, return_sequences=sequences, go_backwards=backwards, **config)
    model = built(layer, masked)
    *weights, v0, b0, v1, b1 = set_weights(model)
    names = ("kernel", "recurrent_kernel", "bias")
    w = {n: a.astype(np.float64) for n, a in zip(names, weights, strict=True)}
    heads = [(v0.astype(np.float64), b0, 1.0), (v1.astype(np.float64), b1, 0.3)]
    valid = HOLES if masked else np.ones(T, bool)
    x = np.where(valid[:, None], X, 0)
    targets = [drawn(T, 1) if sequences else drawn(1) for _ in heads]

    def losses(nudge: Nudge | None = None, by: float = 0.0) -> np.ndarray:
        found = read(kind, w, x, valid, backwards, nudge, by)
        order = np.arange(T)[:: -1 if backwards else 1]
        y = np.array(found.h)[order]  # as read, which is how Keras gives them
        counts = valid if sequences else np.array([True])
        y = y if sequences else y[-1:]
        errors = [
            (y @ v + b - t.reshape(-1, 1)) ** 2 for (v, b, _), t in zip(heads, targets, strict=True)
        ]
        return np.array([s * e[counts].mean() for (_, _, s), e in zip(heads, errors, strict=True)])

    sample = looked_at(model, x, targets)
    (seen,) = sample.readings
    expected = read(kind, w, x, valid, backwards)
    assert seen.backwards == backwards
    for name, gate in seen.gates.items():
        np.testing.assert_allclose(gate, expected.gates[name], atol=1e-12)
    np.testing.assert_allclose(seen.states["h"][valid], np.array(expected.h)[valid], atol=1e-12)
    np.testing.assert_allclose(list(sample.losses.values()), losses() / [1, 0.3], atol=1e-12)
    for state, found in (("h", seen.gradients), ("c", seen.memory)):
        for t, u in np.ndindex(T, UNITS):
            if found and valid[t]:
                small = 1e-6
                ends = [losses((state, t, u), by) for by in (small, -small)]
                by_differences = (ends[0] - ends[1]) / (2 * small)
                ours = [into[t, u] for into in found.values()]
                np.testing.assert_allclose(ours, by_differences, atol=1e-8)
    assert bool(seen.memory) == (kind == "LSTM")
    for key, norm in seen.norms.items():
        np.testing.assert_allclose(norm, np.linalg.norm(seen.gradients[key], axis=1))
        assert (norm[~valid] == 0).all()
