"""The lens says what each loss alone would do: held against steps that one loss alone makes."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from studio.declare import declared
from studio.document import edits
from studio.document.analysis import analyse
from studio.document.lowering import lower
from studio.document.model import Document
from studio.document.nesting import layer_at
from studio.document.store import Store
from studio.engine import operator
from studio.engine.gradient import differentiate
from studio.engine.numpy_executor import NumpyExecutor
from studio.examples import EXAMPLES
from studio.losses.probabilistic import BinaryCrossentropy
from studio.losses.regression import MeanSquaredError
from studio.optimizers import CATALOGUE
from studio.optimizers.base import Optimizer
from studio.optimizers.rmsprop import RMSprop
from studio.optimizers.sgd import SGD
from studio.train.arrays import Arrays
from studio.train.feed import as_arrays
from studio.train.step import Losses
from studio.train.study import joined
from studio.train.study.bench import Bench
from studio.train.study.lens import SMALL, LensSample
from studio.train.study.lens_look import look
from studio.train.study.wanted import Tap
from studio.train.trainer import Settings, Trainer
from tests.document.drawn import Drawing, headline, out
from tests.test_systems import batches, compiled

Weights = dict[tuple[str, str], np.ndarray]
NUMPY, ONNXRUNTIME = Settings("numpy", 3), Settings("onnxruntime", 3, 1)
ROWS = 16


def trained(document: Document, optimizer: Optimizer | None = None) -> Document:
    """Every output with a loss; the second counts a fifth."""
    for number, end in enumerate(document.graph.outputs):
        weight = (1.0, 0.2)[number % 2]
        document = edits.plan_output(document, end, loss=MeanSquaredError(), weight=weight)
    return edits.set_optimizer(document, optimizer or SGD(0.1))


def batch_of(document: Document, rows: int = ROWS, high: int = 12) -> Arrays:
    rng = np.random.default_rng(2)
    inputs, targets = {}, {}
    for call in document.graph.inputs:
        spec = document.entry(call).body.spec()
        shape = (rows, *spec.shape[1:])
        whole = spec.dtype.startswith("int")
        inputs[call] = (
            rng.integers(0, high, shape, np.int32) if whole else rng.normal(size=shape).astype("f4")
        )
    for end in document.graph.outputs:
        shape = (rows, *analyse(document).specs[end].shape[1:])
        targets[end.key] = rng.integers(0, 2, shape).astype("f4")
    return Arrays(inputs, targets)


def warm(document: Document, settings: Settings = NUMPY, steps: int = 3) -> Bench:
    """A bench whose model had a few steps, on other samples."""
    trainer, batch = Trainer(document, Store(), settings), batch_of(document)
    for number in range(steps):
        trainer.train_batch(batch_of(document, ROWS + number).take(slice(number, None)))
    return Bench(trainer, batch)


def after_a_step(bench: Bench, scales: Mapping[str, float]) -> Weights:
    """The trained weights after one more step on the bench's batch, by these loss weights."""
    trainer, store = bench.trainer, Store()
    trainer.save()
    store.merge(trainer.store.shared())
    store.step, document = trainer.store.step, bench.document
    for end in document.graph.outputs:
        document = edits.plan_output(document, end, weight=scales[end.key])
    other = Trainer(document, store, trainer.settings)
    step, _ = other.train_batch(bench.batch)
    other.save()
    return {
        (v.layer, v.weight.name): store.ensure(*v.place, 0).value.copy()
        for v in step.variables.values()
        if v.trainable
    }


def alone(bench: Bench, sample: LensSample) -> list[Weights]:
    """By how much a step moves each weight because of each loss, by steps that are made."""
    none = dict.fromkeys(sample.losses, 0.0)
    idle = after_a_step(bench, none)
    found = []
    for key, weight in zip(sample.losses, sample.weights, strict=True):
        moved = after_a_step(bench, {**none, key: weight})
        found.append({place: moved[place] - idle[place] for place in idle})
    return found


def size(bench: Bench, layer: str, name: str, rows: np.ndarray | None = None) -> float:
    (cell,) = (c for (n, _), c in bench.trainer.store.cells(layer).items() if n == name)
    value = cell.value if rows is None else cell.value[rows]
    return max(float(np.linalg.norm(value)), SMALL * np.sqrt(value.size))


def by_steps(bench: Bench, sample: LensSample) -> dict[tuple[tuple[str, ...], str], list[float]]:
    """What `LensSample.by_weight` must be, where no layer is called twice."""
    moved, found = alone(bench, sample), {}
    for path, name in sample.by_weight:
        layer = layer_at(bench.document, path)
        rows = None
        if name == "embeddings" and bench.document.plan.optimizer.by_number:
            words = bench.document.graph.into(path[-1])[0].source
            rows = np.unique(bench.batch.inputs[words])
        whole = size(bench, layer, name, rows)
        found[path, name] = [float(np.linalg.norm(m[layer, name])) / whole for m in moved]
    return found


@pytest.mark.parametrize("kind", CATALOGUE)
def test_it_is_the_step_that_each_loss_alone_would_make(kind: str) -> None:
    drawn, _ = headline(vocabulary=12)
    bench = warm(trained(drawn, declared("optimizers", kind)(learning_rate=0.01)))
    sample = look(bench)
    assert sample.weights == (1.0, 0.2)
    expected = by_steps(bench, sample)
    assert len(expected) == 14
    for place, found in sample.by_weight.items():
        np.testing.assert_allclose(found, expected[place], rtol=2e-2, atol=2e-7, err_msg=str(place))


@pytest.mark.parametrize(
    "optimizer",
    [
        RMSprop(0.01, momentum=0.5, centered=True),
        SGD(0.05, momentum=0.9, nesterov=True),
        RMSprop(0.01, weight_decay=0.1, use_ema=True),
        SGD(0.05, gradient_accumulation_steps=2),
    ],
    ids=repr,
)
def test_what_an_optimizer_does_anyway_is_nobodys(optimizer: Optimizer) -> None:
    drawn, _ = headline(vocabulary=12)
    bench = warm(trained(drawn, optimizer))
    sample = look(bench)
    if optimizer.gradient_accumulation_steps:  # steps are as if each batch made one
        bench.trainer.document = edits.set_optimizer(bench.document, SGD(0.05))
    for place, expected in by_steps(bench, sample).items():
        np.testing.assert_allclose(sample.by_weight[place], expected, rtol=2e-2, atol=2e-7)


def test_onnxruntime_sees_the_same() -> None:
    drawn, _ = headline(vocabulary=12)
    document = trained(drawn, RMSprop(0.01))
    one, other = look(warm(document)), look(warm(document, ONNXRUNTIME))
    assert one.strengths.keys() == other.strengths.keys()
    norms = {layer: share.norms for layer, share in other.layers.items()}
    for found, expected in (
        (one.strengths, other.strengths),
        (one.by_weight, other.by_weight),
        (one.signals, other.signals),
        (one.magnitudes, other.magnitudes),
        ({k: v.norms for k, v in one.layers.items()}, norms),
    ):
        for key, value in found.items():
            np.testing.assert_allclose(value, expected[key], rtol=1e-3, atol=1e-7, err_msg=str(key))


def test_a_look_changes_nothing() -> None:
    d = Drawing()
    x = d.add("Input", shape=(4,))
    x = d.add("Dropout", d.add("BatchNormalization", d.add("Dense", x, units=5)), rate=0.5)
    d.output(d.add("Dense", x, units=1))
    document = trained(d.document, RMSprop(0.01))
    looked, not_looked = warm(document), warm(document)
    for bench in (looked, not_looked):
        for _ in range(3):
            if bench is looked:
                look(bench)
            bench.trainer.train_batch(bench.batch)
        bench.trainer.save()
    theirs = dict(not_looked.trainer.store.items())
    for key, cell in looked.trainer.store.items():
        np.testing.assert_array_equal(cell.value, theirs[key].value)
        for slot, value in cell.slots.items():
            np.testing.assert_array_equal(value, theirs[key].slots[slot])


def test_dropout_draws_as_the_next_step_will() -> None:
    d = Drawing()
    x = d.add("Dropout", d.add("Input", shape=(6,)), rate=0.5)
    d.output(d.add("Dense", x, units=1))
    bench = warm(trained(d.document))
    sample = look(bench)
    step, results = bench.trainer.train_batch(bench.batch)
    assert sample.values == pytest.approx([float(results[step.losses[k]]) for k in sample.losses])


# -- losses together -----------------------------------------------------------------------------


def test_losses_add_up_to_the_gradient_of_the_total() -> None:
    drawn, _ = headline(vocabulary=12)
    bench = warm(trained(drawn, SGD(0.1)), steps=0)
    sample = look(bench)
    weights = dict(zip(sample.losses, sample.weights, strict=True))
    before = after_a_step(bench, dict.fromkeys(weights, 0.0))
    after = after_a_step(bench, weights)
    for layer, share in sample.layers.items():
        moved = [(after[p] - before[p]) / 0.1 for p in before if p[0] == layer]
        total = sum(float((m.astype("f8") ** 2).sum()) for m in moved)
        norms, cosines = np.array(share.norms), np.array(share.cosines)
        assert norms @ cosines @ norms == pytest.approx(total, rel=1e-3, abs=1e-9)


@pytest.mark.parametrize(
    "name",
    [
        *("batch_normalization_each_step", "mask_into_nested", "masked_loss_weighted_steps"),
        *("nested_two_by_two", "nested_output_and_own", "reuse_twice", "states_masked"),
        *("tweets", "twice_the_same_output", "video_masked"),
    ],
)
def test_nested_shared_and_masked_layers_are_measured_as_they_are_trained(name: str) -> None:
    """The gradient of each loss by each layer, all calls together, by steps that are made."""
    model, first = compiled(name, SGD(0.1)), batches(name)[0]
    trainer = Trainer(model.document, model.project.store, NUMPY)
    bench = Bench(trainer, as_arrays(model.document, **first))
    trainer.train_batch(bench.batch)
    sample = look(bench)
    for number, moved in enumerate(alone(bench, sample)):
        for layer, share in sample.layers.items():
            squares = [(m.astype("f8") ** 2).sum() for (of, _), m in moved.items() if of == layer]
            expected = np.sqrt(sum(squares)) / 0.1
            assert share.norms[number] == pytest.approx(expected, rel=1e-3, abs=1e-6)
    assert sample.layers


def test_gradients_of_calls_add_up_to_that_of_the_layer() -> None:
    document = shared()[0]
    found = []
    for apart in (False, True):
        lowered = lower(document, True, apart=apart)
        op, parts = lowered.op, Losses(document, lowered, frozenset())
        names = {v.value.name: v.value for v in lowered.variables.values()}
        wrt = [use.value for use in lowered.uses.values()] if apart else list(names.values())
        total = parts.total()
        assert total is not None
        gradients = differentiate(op, {total: op.const(1.0, total.dtype)}, wrt)
        program = op.program([g for g in gradients if g is not None]).astype("float64")
        runner, rng = NumpyExecutor(program), np.random.default_rng(0)
        runner.load({s.input: rng.normal(size=program.specs[s.input].shape) for s in program.state})
        batch = batch_of(document)
        feeds = {v.name: batch.inputs[c] for c, v in lowered.inputs.items()}
        feeds |= {v.name: batch.targets[k] for k, v in parts.targets.items()}
        feeds |= {v.name: np.array(1.0) for v in parts.scales.values()}
        feeds = {n: np.asarray(f, program.specs[n].dtype) for n, f in feeds.items()}
        results = runner.run(feeds)
        of = [u.variable for u in lowered.uses.values()] if apart else list(names)
        sums: dict[str, np.ndarray] = {}
        for name, gradient in zip(of, gradients, strict=True):
            sums[name] = sums.get(name, 0) + results[gradient.name]
        found.append(sums)
    assert found[0].keys() == found[1].keys()
    for name, value in found[0].items():
        np.testing.assert_allclose(found[1][name], value, rtol=1e-10)


def shared(twice: bool = True) -> tuple[Document, str, str]:
    """One Dense read by two calls, on inputs of their own; or two, with the same weights."""
    d = Drawing()
    x, y = d.add("Input", shape=(3,)), d.add("Input", shape=(3,))
    one = d.add("Dense", x, units=4, activation="tanh")
    other = d.again(one, y) if twice else d.add("Dense", y, units=4, activation="tanh")
    d.output(d.add("Dense", d.add("Concatenate", one, other), units=1))
    return trained(d.document), one, other


def test_each_call_of_a_shared_layer_counts_what_it_alone_adds() -> None:
    document, one, other = shared()
    bench = warm(document, steps=0)
    sample = look(bench)
    apart, first, second = shared(twice=False)
    twin = warm(apart, steps=0)
    look(twin)
    ends = document.graph.outputs[0].call, apart.graph.outputs[0].call
    for ours, theirs in ((one, first), (one, second), ends):
        for (name, _), cell in bench.trainer.store.cells(document.graph.calls[ours].layer).items():
            twin.trainer.store.put(apart.graph.calls[theirs].layer, name, cell.value)
    twin.trainer.forget()
    expected = look(twin)
    assert sample.strengths[(one,)] == pytest.approx(expected.strengths[(first,)], rel=1e-5)
    assert sample.strengths[(other,)] == pytest.approx(expected.strengths[(second,)], rel=1e-5)
    assert sample.strengths[(one,)] != sample.strengths[(other,)]


def test_a_table_that_two_calls_look_up_in_is_one_gradient() -> None:
    d = Drawing()
    words, more = (d.add("Input", shape=(5,), dtype="int32") for _ in range(2))
    one = d.add("Embedding", words, input_dim=12, output_dim=3)
    other = d.again(one, more)
    pooled = [d.add("GlobalAveragePooling1D", call) for call in (one, other)]
    d.output(d.add("Dense", d.add("Concatenate", *pooled), units=1))
    d.output(d.add("Dense", pooled[0], units=1))
    bench = warm(trained(d.document, RMSprop(0.01)))
    sample = look(bench)
    layer = d.document.graph.calls[one].layer
    bench.trainer.document = edits.set_optimizer(bench.document, SGD(1.0))
    moved = [m[layer, "embeddings"] for m in alone(bench, sample)]
    share = sample.layers[layer]
    assert share.norms == pytest.approx([float(np.linalg.norm(m)) for m in moved], rel=1e-3)
    cosine = (moved[0] * moved[1]).sum() / share.norms[0] / share.norms[1]
    assert share.cosines[0][1] == share.cosines[1][0] == pytest.approx(cosine, abs=1e-3)
    assert sample.strengths[(other,)][1] == 0.0  # the second output reads the first call alone
    assert min(sample.strengths[(one,)]) > 0


# -- where nothing arrives -----------------------------------------------------------------------


def test_what_a_loss_does_not_reach_is_exactly_nothing() -> None:
    drawn, ids = headline(vocabulary=12)
    sample = look(warm(trained(drawn, RMSprop(0.01))))
    aux, main = (sample.losses.index(out(ids[n]).key) for n in ("aux_output", "main_output"))
    for name in ("dense0", "dense1", "dense2", "main_output"):
        strengths = sample.strengths[(ids[name],)]
        assert strengths[aux] == 0.0
        assert strengths[main] > 0
        assert sample.signals[Tap.of(out(ids[name]))][aux] == 0.0
    assert sample.strengths[(ids["aux_output"],)][main] == 0.0
    assert Tap.of(out(ids["main_input"])) not in sample.signals  # integers have no gradient
    assert Tap.of(out(ids["main_input"])) in sample.magnitudes
    assert sample.resting == ()


@pytest.mark.parametrize("settings", [NUMPY, ONNXRUNTIME], ids=lambda s: s.engine)
def test_the_guides_reason_for_an_auxiliary_loss_is_seen(settings: Settings) -> None:
    """Cut off from the main loss, LSTM and Embedding are trained by the auxiliary one alone."""
    drawn, ids = headline(vocabulary=12)
    for end in drawn.graph.outputs:
        drawn = edits.plan_output(drawn, end, loss=BinaryCrossentropy())
    bench = warm(edits.set_optimizer(drawn, RMSprop(0.01)), settings)
    layer = drawn.graph.calls[ids["dense0"]].layer
    bench.trainer.save()
    (kernel,) = (c.value for (n, _), c in bench.trainer.store.cells(layer).items() if n == "kernel")
    cut = kernel.copy()
    cut[:3] = 0  # the rows that read the LSTM's three units
    bench.trainer.store.put(layer, "kernel", cut)
    bench.trainer.forget()
    sample = look(bench)
    aux, main = (sample.losses.index(out(ids[n]).key) for n in ("aux_output", "main_output"))
    for name in ("lstm", "embedding"):
        strengths = sample.strengths[(ids[name],)]
        assert strengths[main] == 0.0
        assert strengths[aux] > 1e-4
        assert sample.signals[Tap.of(out(ids[name]))][main] == 0.0
        assert sample.signals[Tap.of(out(ids[name]))][aux] > 0
    assert sample.strengths[(ids["dense0"],)][main] > 0


def test_a_weight_no_loss_reaches_rests() -> None:
    drawn, ids = headline(vocabulary=12)
    document = trained(drawn)
    document = edits.plan_output(document, out(ids["aux_output"]), loss=None)
    sample = look(warm(document))
    assert sample.losses == (out(ids["main_output"]).key,)
    path = (ids["aux_output"],)
    assert set(sample.resting) == {(path, "kernel"), (path, "bias")}
    assert sample.strengths[path] == (0.0,)


def test_signals_are_the_gradients_by_values_times_these() -> None:
    d = Drawing()
    x = d.add("Input", shape=(3,))
    y = d.output(d.add("Dense", x, units=1))
    bench = warm(trained(d.document), steps=0)
    sample = look(bench)
    step, results = bench.trainer.test_batch(bench.batch)
    key = out(y).key
    values, target = results[step.outputs[key]], bench.batch.targets[key]
    slope = 2 * (values - target) / len(target)
    expected = np.linalg.norm(slope) * np.linalg.norm(values)
    assert sample.signals[Tap.of(out(y))] == pytest.approx([expected], rel=1e-5)
    kernel = next(
        c.value
        for (n, _), c in bench.trainer.store.cells(d.document.graph.calls[y].layer).items()
        if n == "kernel"
    )
    fed = bench.batch.inputs[x]
    expected = np.linalg.norm(slope @ kernel.T) * np.linalg.norm(fed)
    assert sample.signals[Tap.of(out(x))] == pytest.approx([expected], rel=1e-5)
    assert sample.magnitudes[Tap.of(out(x))] == pytest.approx(np.sqrt((fed**2).mean()), rel=1e-5)


# -- inside and around ---------------------------------------------------------------------------


def test_models_and_wrappers_are_their_insides_together() -> None:
    document = EXAMPLES["video"]()
    bench = warm(trained(document), steps=0)
    sample = look(bench)
    (outer,) = {path[:1] for path in sample.strengths if len(path) > 1}
    inside = [path for path in sample.strengths if path[:1] == outer and len(path) == 2]
    assert len(inside) == 3
    sizes = [size_of_call(bench, path) for path in inside]
    steps = [sample.strengths[p][0] * s for p, s in zip(inside, sizes, strict=True)]
    assert sample.strengths[outer][0] == pytest.approx(
        np.hypot.reduce(steps) / np.hypot.reduce(sizes)
    )
    for path, length in zip(inside, sizes, strict=True):
        layer = layer_at(document, path)
        step = 0.1 * sample.layers[layer].norms[0]
        assert sample.strengths[path][0] == pytest.approx(step / length, rel=1e-4)


def size_of_call(bench: Bench, path: tuple[str, ...]) -> float:
    layer = layer_at(bench.document, path)
    names = [name for (name, _), _ in bench.trainer.store.cells(layer).items()]
    return float(np.hypot.reduce([size(bench, layer, name) for name in names]))


def test_other_loss_weights_can_be_tried() -> None:
    drawn, ids = headline(vocabulary=12)
    bench = warm(trained(drawn, SGD(0.1)))
    plain, tried = look(bench), look(bench, {out(ids["aux_output"]).key: 0.6})
    aux = plain.losses.index(out(ids["aux_output"]).key)
    before, after = plain.weights[aux], tried.weights[aux]
    assert after == 0.6
    for path, strengths in plain.strengths.items():
        other = tried.strengths[path]
        assert other[1 - aux] == strengths[1 - aux]
        assert other[aux] == pytest.approx(strengths[aux] * after / before, rel=1e-4)


def test_what_has_no_gradient_before_all_weights_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Training does not ask for it, so the lens must not refuse."""
    d = Drawing()
    x = d.add("Input", shape=(4,))
    bent = d.add("Activation", x, activation="tanh")
    y = d.output(d.add("Dense", bent, units=1))
    bench = warm(trained(d.document))
    monkeypatch.setitem(operator._table, "Tanh", replace(operator.operator("Tanh"), gradient=None))
    sample = look(bench)
    assert sample.strengths[(y,)][0] > 0
    assert set(sample.signals) == {Tap.of(out(y))}
    assert Tap.of(out(bent)) in sample.magnitudes


def test_the_mean_of_looks_has_each_number_of_theirs() -> None:
    drawn, ids = headline(vocabulary=12)
    bench = warm(trained(drawn))
    one = look(bench)
    bench.batch = batch_of(drawn, ROWS + 3)
    other = look(bench)
    mean, path = LensSample.mean([one, other]), (ids["lstm"],)
    expected = np.mean([one.strengths[path], other.strengths[path]], axis=0)
    assert mean.strengths[path] == pytest.approx(expected)
    tap = Tap.of(out(ids["lstm"]))
    assert mean.magnitudes[tap] == pytest.approx((one.magnitudes[tap] + other.magnitudes[tap]) / 2)
    layer = drawn.graph.calls[ids["lstm"]].layer
    squares = [np.square(look.layers[layer].norms) for look in (one, other)]
    assert mean.layers[layer].norms == pytest.approx(np.sqrt(np.mean(squares, axis=0)))


@pytest.mark.parametrize("kind", ["RMSprop", "Adam", "Ftrl", "SGD"])
def test_large_weights_are_measured_as_small_ones_are(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn, _ = headline(vocabulary=12)
    document = trained(drawn, declared("optimizers", kind)(learning_rate=0.01))
    together = look(warm(document))
    monkeypatch.setattr(joined, "MOST", 0)
    each = look(warm(document))
    for place, strengths in together.by_weight.items():
        np.testing.assert_allclose(each.by_weight[place], strengths, rtol=1e-5, err_msg=str(place))
