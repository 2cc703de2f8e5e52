"""The recurrent microscope: what it shows is what definitions and finite differences give."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from studio import layers
from studio.document.model import Document
from studio.document.store import Store
from studio.engine.numpy_executor import NumpyExecutor
from studio.examples.headline import headline
from studio.examples.tweets import tweets
from studio.layers.base import Layer
from studio.models import Model
from studio.train.arrays import Arrays
from studio.train.data import load_data
from studio.train.study.bench import Bench
from studio.train.study.microscope import cut
from studio.train.study.recurrent import (
    VANISHED,
    RecurrentSample,
    examined,
    sampled,
)
from studio.train.study.recurrent_calls import recurrent_paths
from studio.train.study.wanted import Wanted
from studio.train.trainer import Settings, Trainer
from tests.train.study.cells import Nudge, read

T, WIDTH, UNITS = 6, 3, 2
DRAW = np.random.default_rng(7)
HOLES = np.array([False, True, True, False, True, True])
ALL = np.ones(T, bool)
SCALES = (1.0, 0.3)  # of the two losses
NAMES = ("kernel", "recurrent_kernel", "bias")

Weights = Mapping[str, np.ndarray]
Nudged = Callable[[Nudge | None, float], np.ndarray]  # the weighted losses with a state nudged


def drawn(*shape: int) -> np.ndarray:
    """Numbers that float32 holds exactly, since data comes in it."""
    return DRAW.normal(size=shape).astype(np.float32).astype(np.float64)


def reader(kind: str, **config: object) -> Layer:
    make = {"LSTM": layers.LSTM, "GRU": layers.GRU, "SimpleRNN": layers.SimpleRNN}[kind]
    return make(UNITS, **config)


class Heads:
    """Two dense heads on something, each with a loss; in the model and in NumPy."""

    def __init__(self, inputs: object, y: object) -> None:
        heads = [layers.Dense(1, name=f"head_{n}")(y) for n in range(2)]
        self.model = Model(inputs, heads)
        self.model.compile("sgd", "mse", loss_weights=list(SCALES))
        self.weights = [drawn(*w.shape) for w in self.model.get_weights()]
        self.model.set_weights(self.weights)
        self.targets = [drawn(*y.shape[1:-1], 1) for _ in range(2)]

    def losses(self, y: np.ndarray, counts: np.ndarray | None = None) -> np.ndarray:
        """The weighted losses of one sample's values (…, units), of those that count."""
        *_, v0, b0, v1, b1 = self.weights
        pairs = zip(((v0, b0), (v1, b1)), self.targets, SCALES, strict=True)
        errors = [s * (y @ v + b - t) ** 2 for (v, b), t, s in pairs]
        return np.array([(e if counts is None else e[counts]).mean() for e in errors])

    def seen(self, path: tuple[str, ...], *x: np.ndarray) -> RecurrentSample:
        """The layer at a path, in float64."""
        document = self.model.document
        batch = Arrays(
            {c: a[None] for c, a in zip(document.graph.inputs, x, strict=True)},
            {e.key: t[None] for e, t in zip(document.graph.outputs, self.targets, strict=True)},
        )
        program = cut(document, path, batch.weighted, batch.one_hots)
        assert program is not None
        trainer = Trainer(document, self.model.project.store, Settings("numpy"))
        runner = NumpyExecutor(program.program.astype("float64"))
        runner.load({n: doubled(a) for n, a in trainer.state(program.step).items()})
        feeds = {n: doubled(a) for n, a in trainer.feeds(program.step, batch).items()}
        layer = document.entry(path[-1]).body if len(path) == 1 else None
        turned = bool(getattr(layer, "go_backwards", False))
        return examined(program, runner.run(feeds), turned)


def doubled(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def named(weights: Sequence[np.ndarray]) -> Weights:
    return dict(zip(NAMES, weights, strict=True))


def assert_flows(reading: object, losses: Nudged, valid: np.ndarray = ALL) -> None:
    """The gradients of a reading are what nudged states do to the losses."""
    small, compared = 1e-6, 0
    for state, found in (("h", reading.gradients), ("c", reading.memory)):
        for t, u in np.ndindex(T, UNITS):
            ours = [into[t, u] for into in found.values()]
            if not valid[t]:
                assert not any(ours)
            elif found:
                ends = [losses((state, t, u), by) for by in (small, -small)]
                np.testing.assert_allclose(ours, (ends[0] - ends[1]) / (2 * small), atol=1e-8)
                compared += 1
    assert compared
    for key, norm in reading.norms.items():
        np.testing.assert_allclose(norm, np.linalg.norm(reading.gradients[key], axis=1))


CASES = [
    *(
        (kind, sequences, backwards, masked, {})
        for kind in ("LSTM", "GRU", "SimpleRNN")
        for sequences in (False, True)
        for backwards in (False, True)
        for masked in (False, True)
    ),
    ("GRU", False, False, True, {"reset_after": False}),
    ("GRU", True, True, False, {"reset_after": False}),
]


@pytest.mark.parametrize(("kind", "sequences", "backwards", "masked", "config"), CASES)
def test_what_flows_back_is_what_differences_say(
    kind: str, sequences: bool, backwards: bool, masked: bool, config: Mapping[str, object]
) -> None:
    valid = HOLES if masked else ALL
    x = layers.Input((T, WIDTH))
    layer = reader(kind, return_sequences=sequences, go_backwards=backwards, **config)
    heads = Heads(x, layer(layers.Masking()(x) if masked else x))
    w, values = named(heads.weights[:3]), np.where(valid[:, None], drawn(T, WIDTH), 0)

    def losses(nudge: Nudge | None = None, by: float = 0.0) -> np.ndarray:
        h = read(kind, w, values, valid, backwards, nudge, by).h[:: -1 if backwards else 1]
        # As in Keras the steps come as they were read, the mask as it arrived.
        return heads.losses(h, valid) if sequences else heads.losses(h[-1])

    (path,) = recurrent_paths(heads.model.document)
    sample = heads.seen(path, values)
    (seen,) = sample.readings
    expected = read(kind, w, values, valid, backwards)
    assert (sample.kind, sample.length, sample.width) == (kind, T, UNITS)
    assert seen.backwards == backwards
    assert bool(seen.memory) == (kind == "LSTM")
    assert (sample.mask is None) != masked
    assert sample.mask is None or (sample.mask[0] == HOLES).all()
    assert list(seen.gates) == {"LSTM": [*"ifco"], "GRU": [*"zrh"]}.get(kind, [])
    for name, gate in seen.gates.items():
        np.testing.assert_allclose(gate, expected.gates[name], atol=1e-12)
    np.testing.assert_allclose(seen.states["h"][valid], expected.h[valid], atol=1e-12)
    np.testing.assert_allclose(list(sample.losses.values()), losses() / SCALES, atol=1e-12)
    assert_flows(seen, losses, valid)


# -- where the layer stands ------------------------------------------------------------------------


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
def test_both_directions_are_read_apart(sequences: bool, masked: bool) -> None:
    valid, x = HOLES if masked else ALL, layers.Input((T, WIDTH))
    layer = layers.Bidirectional(reader("LSTM", return_sequences=sequences))
    heads = Heads(x, layer(layers.Masking()(x) if masked else x))
    w = named(heads.weights[:3]), named(heads.weights[3:6])
    values = np.where(valid[:, None], drawn(T, WIDTH), 0)

    def losses(side: int) -> Nudged:
        def nudged(nudge: Nudge | None, by: float) -> np.ndarray:
            f, b = (
                read("LSTM", w[n], values, valid, bool(n), nudge if n == side else None, by).h
                for n in range(2)
            )
            if sequences:
                return heads.losses(np.concatenate([f, b], axis=1), valid)
            return heads.losses(np.concatenate([f[-1], b[0]]))

        return nudged

    (path,) = recurrent_paths(heads.model.document)
    readings = heads.seen(path, values).readings
    assert [r.backwards for r in readings] == [False, True]
    for side, reading in enumerate(readings):
        assert_flows(reading, losses(side), valid)


def test_each_step_of_a_wrapper_is_a_sequence() -> None:
    x = layers.Input((3, T, WIDTH))
    heads = Heads(x, layers.TimeDistributed(reader("GRU"))(x))
    w, values = named(heads.weights[:3]), drawn(3, T, WIDTH)

    def losses(row: int) -> Nudged:
        def nudged(nudge: Nudge | None, by: float) -> np.ndarray:
            ends = [
                read("GRU", w, values[n], ALL, False, nudge if n == row else None, by).h[-1]
                for n in range(3)
            ]
            return heads.losses(np.array(ends))

        return nudged

    (path,) = recurrent_paths(heads.model.document)
    readings = heads.seen(path, values).readings
    assert [r.number for r in readings] == [0, 1, 2]
    for row, reading in enumerate(readings):
        assert_flows(reading, losses(row))


def test_a_shared_layer_is_looked_into_at_one_call() -> None:
    """Within a model that is called twice, so that the paths differ only in their first part."""
    x = layers.Input((T, WIDTH))
    inner = Model(x, reader("LSTM")(x))
    a, b = layers.Input((T, WIDTH)), layers.Input((T, WIDTH))
    heads = Heads([a, b], layers.concatenate([inner(a), inner(b)]))
    w, values = named(heads.weights[:3]), (drawn(T, WIDTH), drawn(T, WIDTH))

    def losses(side: int) -> Nudged:
        def nudged(nudge: Nudge | None, by: float) -> np.ndarray:
            ends = [
                read("LSTM", w, values[n], ALL, False, nudge if n == side else None, by).h[-1]
                for n in range(2)
            ]
            return heads.losses(np.concatenate(ends))

        return nudged

    paths = recurrent_paths(heads.model.document)
    assert [len(path) for path in paths] == [2, 2]
    for side, path in enumerate(paths):
        (reading,) = heads.seen(path, *values).readings
        assert_flows(reading, losses(side))


def test_what_reads_on_from_given_states_hands_its_gradient_to_them() -> None:
    a, b = layers.Input((T, WIDTH)), layers.Input((T, WIDTH))
    _, h, c = layers.LSTM(UNITS, return_state=True)(a)
    heads = Heads([a, b], layers.LSTM(UNITS)(b, initial_state=[h, c]))
    w = named(heads.weights[:3]), named(heads.weights[3:6])
    values = drawn(T, WIDTH), drawn(T, WIDTH)

    def losses(side: int) -> Nudged:
        def nudged(nudge: Nudge | None, by: float) -> np.ndarray:
            at = [nudge if n == side else None for n in range(2)]
            first = read("LSTM", w[0], values[0], ALL, False, at[0], by)
            starts = first.h[-1], first.c[-1]
            return heads.losses(read("LSTM", w[1], values[1], ALL, False, at[1], by, starts).h[-1])

        return nudged

    paths = recurrent_paths(heads.model.document)
    for side, path in enumerate(paths):
        (reading,) = heads.seen(path, *values).readings
        assert_flows(reading, losses(side))


def test_one_layer_after_itself_is_told_apart() -> None:
    """Called on what it gave: the gradient of the first call flows through the second."""
    x = layers.Input((T, UNITS))
    layer = reader("SimpleRNN", return_sequences=True)
    heads = Heads(x, layer(layer(x)))
    w, values = named(heads.weights[:3]), drawn(T, UNITS)

    def losses(side: int) -> Nudged:
        def nudged(nudge: Nudge | None, by: float) -> np.ndarray:
            at = [nudge if n == side else None for n in range(2)]
            once = read("SimpleRNN", w, values, ALL, False, at[0], by).h
            return heads.losses(read("SimpleRNN", w, once, ALL, False, at[1], by).h)

        return nudged

    for side, path in enumerate(recurrent_paths(heads.model.document)):
        (reading,) = heads.seen(path, values).readings
        assert_flows(reading, losses(side))


def test_directions_have_the_functions_of_their_layer() -> None:
    """Of functions with numbers of their own each direction has its half; as two layers have."""
    config = {"activation": "elu", "recurrent_activation": "hard_sigmoid"}
    x, y = layers.Input((T, WIDTH)), layers.Input((T, WIDTH))
    together = Heads(x, layers.Bidirectional(reader("LSTM", **config))(x))
    ways = [reader("LSTM", **config)(y), reader("LSTM", go_backwards=True, **config)(y)]
    apart = Heads(y, layers.concatenate(ways))
    apart.model.set_weights(together.weights)
    apart.targets = together.targets
    values = drawn(T, WIDTH)
    (path,) = recurrent_paths(together.model.document)
    for one, other in zip(
        together.seen(path, values).readings,
        recurrent_paths(apart.model.document),
        strict=True,
    ):
        (alone,) = apart.seen(other, values).readings
        assert one.backwards == alone.backwards
        for ours, theirs in ((one.gradients, alone.gradients), (one.memory, alone.memory)):
            for into, same in zip(ours.values(), theirs.values(), strict=True):
                np.testing.assert_allclose(into, same, rtol=1e-9, atol=1e-15)
        for letter, gate in one.gates.items():
            np.testing.assert_allclose(gate, alone.gates[letter], rtol=1e-9, atol=1e-15)


def test_a_layer_of_a_model_in_a_wrapper_is_looked_into() -> None:
    step = layers.Input((T, WIDTH))
    inner = Model(step, reader("SimpleRNN")(step))
    x = layers.Input((2, T, WIDTH))
    heads = Heads(x, layers.TimeDistributed(inner)(x))
    w, values = named(heads.weights[:3]), drawn(2, T, WIDTH)

    def losses(row: int) -> Nudged:
        def nudged(nudge: Nudge | None, by: float) -> np.ndarray:
            at = [nudge if n == row else None for n in range(2)]
            pairs = zip(values, at, strict=True)
            ends = [read("SimpleRNN", w, v, ALL, False, a, by).h[-1] for v, a in pairs]
            return heads.losses(np.array(ends))

        return nudged

    (path,) = recurrent_paths(heads.model.document)
    assert len(path) == 2
    for row, reading in enumerate(heads.seen(path, values).readings):
        assert_flows(reading, losses(row))


# -- on a bench ------------------------------------------------------------------------------------


def bench_of(document: Document, engine: str = "numpy") -> Bench:
    data = load_data(document, Path())
    trainer = Trainer(document, Store(), Settings(engine))
    return Bench(trainer, data.train, data.validation, data.fitted)


def lstm_of(document: Document) -> tuple[str, ...]:
    return recurrent_paths(document)[0]


def test_a_headline_has_its_words_under_the_steps() -> None:
    document = headline()
    bench = bench_of(document)
    sample = sampled(bench, Wanted(recurrent=lstm_of(document), sample=2))
    assert sample is not None
    assert (sample.length, len(sample.words), sample.sample) == (100, 100, 2)
    (text,) = (c for c in document.graph.inputs if document.entry(c).name == "main_input")
    row = bench.validation.inputs[text][2]
    words = ("", "?", *bench.fitted[text].words)
    assert sample.words == tuple(words[n] for n in np.asarray(row))
    assert any(sample.words)
    assert list(sample.losses) == [e.key for e in document.graph.outputs]


def test_characters_fed_as_places_of_ones_are_words_too() -> None:
    document = tweets()
    bench = bench_of(document)
    first, second = (
        sampled(bench, Wanted(recurrent=path, rows="training"))
        for path in recurrent_paths(document)
    )
    assert first is not None
    assert second is not None
    assert first.words != second.words  # one layer, two calls, each its own text
    assert all(len(word) <= 1 for word in first.words)
    assert len(first.words) == 140


def test_both_engines_see_the_same() -> None:
    document = headline()
    path = lstm_of(document)
    ours, theirs = (
        sampled(bench_of(document, engine), Wanted(recurrent=path))
        for engine in ("numpy", "onnxruntime")
    )
    assert ours is not None
    assert theirs is not None
    (one,), (other,) = ours.readings, theirs.readings
    for key, into in one.gradients.items():
        np.testing.assert_allclose(into, other.gradients[key], rtol=1e-4, atol=1e-9)
    for letter, gate in one.gates.items():
        np.testing.assert_allclose(gate, other.gates[letter], rtol=1e-4, atol=1e-6)


def test_other_loss_weights_scale_what_flows_back() -> None:
    document = headline()
    bench, path = bench_of(document), lstm_of(document)
    main, aux = (e.key for e in document.graph.outputs)
    plain = sampled(bench, Wanted(recurrent=path))
    doubled = sampled(bench, Wanted(recurrent=path, scales={aux: 0.4}))
    assert plain is not None
    assert doubled is not None
    before, after = plain.readings[0].norms, doubled.readings[0].norms
    np.testing.assert_allclose(after[main], before[main])
    np.testing.assert_allclose(after[aux], 2 * before[aux], rtol=1e-4)


def test_where_a_gradient_vanishes_is_said() -> None:
    document = headline()
    sample = sampled(bench_of(document), Wanted(recurrent=lstm_of(document)))
    assert sample is not None
    (reading,) = sample.readings
    for key, norm in reading.norms.items():
        at = reading.vanished[key]
        assert at is not None
        assert norm[at] >= VANISHED * norm.max()
        assert (norm[:at] < VANISHED * norm.max()).all()


def test_a_loss_that_does_not_reach_the_layer_gives_nothing() -> None:
    x, other = layers.Input((T, WIDTH)), layers.Input((4,))
    near, far = layers.Dense(1)(layers.LSTM(UNITS)(x)), layers.Dense(1)(other)
    model = Model([x, other], [near, far])
    model.compile("sgd", "mse")
    document = model.document
    keys = [e.key for e in document.graph.outputs]
    data = Arrays(
        dict(zip(document.graph.inputs, (drawn(2, T, WIDTH), drawn(2, 4)), strict=True)),
        {key: drawn(2, 1) for key in keys},
    )
    bench = Bench(Trainer(document, model.project.store), data)
    sample = sampled(bench, Wanted(recurrent=lstm_of(document)))
    assert sample is not None
    (reading,) = sample.readings
    assert reading.gradients[keys[0]].any()
    assert not reading.gradients[keys[1]].any()
    assert reading.vanished[keys[1]] is None


def test_of_long_sequences_and_many_units_some_are_shown() -> None:
    x = layers.Input((600, 1))
    model = Model(x, layers.Dense(1)(layers.SimpleRNN(300)(x)))
    model.compile("sgd", "mse")
    document = model.document
    data = Arrays(
        {document.graph.inputs[0]: drawn(1, 600, 1)}, {document.graph.outputs[0].key: drawn(1, 1)}
    )
    bench = Bench(Trainer(document, model.project.store), data)
    sample = sampled(bench, Wanted(recurrent=lstm_of(document)))
    assert sample is not None
    (reading,) = sample.readings
    assert (sample.length, sample.width) == (600, 300)
    assert reading.states["h"].shape == (len(sample.steps), len(sample.units)) == (512, 256)
    assert (sample.steps[0], sample.steps[-1]) == (0, 599)
    assert (np.diff(sample.steps) > 0).all()
    assert [len(norm) for norm in reading.norms.values()] == [600]


def test_a_call_that_is_muted_or_gone_shows_nothing() -> None:
    document = headline()
    path = lstm_of(document)
    bench = bench_of(document)
    assert sampled(bench, Wanted(recurrent=("c99",))) is None
    assert sampled(bench, Wanted()) is None
    (text,) = (c for c in document.graph.inputs if document.entry(c).name == "main_input")
    assert sampled(bench, Wanted(recurrent=(text,))) is None
    assert path != (text,)


def test_without_losses_gates_and_states_are_shown_all_the_same() -> None:
    x = layers.Input((T, WIDTH))
    model = Model(x, reader("LSTM")(x))
    document = model.document
    data = Arrays({document.graph.inputs[0]: drawn(2, T, WIDTH)})
    bench = Bench(Trainer(document, model.project.store), data)
    sample = sampled(bench, Wanted(recurrent=lstm_of(document)))
    assert sample is not None
    (reading,) = sample.readings
    assert list(reading.gates) == [*"ifco"]
    assert reading.gradients == reading.norms == sample.losses == {}


def looked_at(model: Model, steps: int) -> RecurrentSample:
    document = model.document
    data = Arrays(
        {document.graph.inputs[0]: drawn(1, steps, WIDTH)},
        {document.graph.outputs[0].key: drawn(1, 1)},
    )
    bench = Bench(Trainer(document, model.project.store), data)
    sample = sampled(bench, Wanted(recurrent=lstm_of(document)))
    assert sample is not None
    return sample


def test_what_has_vanished_altogether_is_nothing_and_not_what_was_left_last() -> None:
    x = layers.Input((30, WIDTH))
    model = Model(x, layers.Dense(1)(reader("SimpleRNN")(x)))
    model.compile("sgd", "mse")
    kernel, _, *others = model.get_weights()
    model.set_weights([kernel, 1e-3 * np.eye(UNITS), *others])
    (norm,) = looked_at(model, 30).readings[0].norms.values()
    assert norm[-1] > 1e-6
    alive = int(np.count_nonzero(norm))
    assert 8 < alive < 16
    assert (norm[:-alive] == 0).all()
    assert (np.diff(norm[-alive:]) > 0).all()


def test_a_gradient_that_is_not_finite_does_not_count_as_one_that_arrives() -> None:
    x = layers.Input((T, WIDTH))
    model = Model(x, layers.Dense(1)(reader("GRU")(x)))
    model.compile("sgd", "mse")
    *others, head, bias = model.get_weights()
    model.set_weights([*others, np.full_like(head, np.nan), bias])
    (reading,) = looked_at(model, T).readings
    assert all(np.isnan(norm).all() for norm in reading.norms.values())
    assert list(reading.vanished.values()) == [None]
