"""Embedding tables are trained by rows, and nobody notices: not who reads, stops, shares, edits."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from studio.callbacks import Callback
from studio.document import edits
from studio.document.store import Store
from studio.engine.onnxruntime_executor import OnnxRuntimeExecutor
from studio.layers import Dense, Embedding, Flatten, Input, concatenate
from studio.layers.cell import Cell
from studio.models import Model, load_model
from studio.optimizers import SGD, Adagrad, Adam, RMSprop
from studio.optimizers.base import Optimizer
from studio.train.feed import as_arrays
from studio.train.step import build_step
from studio.train.trainer import Settings, Trainer

ROWS = 40
LAZY = (SGD(0.05), Adagrad(0.05), RMSprop(0.01))
RNG = np.random.default_rng(5)
X = [RNG.integers(0, ROWS, (64, 3)).astype(np.int32) for _ in range(2)]
Y = RNG.normal(size=(64, 1)).astype(np.float32)
START = RNG.normal(size=(ROWS, 4)).astype(np.float32) / 4


def twins(optimizer: Optimizer, table: Embedding | None = None) -> Model:
    """Two texts, one table called twice."""
    table = Embedding(ROWS, 4, name="table") if table is None else table
    texts = [Input(shape=(3,), dtype="int32") for _ in range(2)]
    read = Flatten()(concatenate([table(text) for text in texts]))
    model = Model(texts, Dense(1, name="head")(read))
    model.compile(optimizer, "mse")
    kernel = np.linspace(-1, 1, 24, dtype=np.float32).reshape(24, 1)
    model.set_weights([START, kernel, np.zeros(1)])
    return model


def table_of(model: Model) -> Cell:
    return next(c for key, c in model.project.store.items() if key.weight == "embeddings")


@contextmanager
def whole_tables() -> Iterator[None]:
    """Inside, every row is updated in every step."""
    with pytest.MonkeyPatch.context() as patch:
        for kind in (SGD, Adagrad, RMSprop):
            patch.setattr(kind, "lazy", Optimizer.lazy)
        yield


def batch(number: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Few samples, so that most rows are left alone."""
    some = slice(2 * number, 2 * number + 2)
    return [x[some] for x in X], Y[some]


def train(model: Model, steps: range) -> None:
    for number in steps:
        model.train_on_batch(*batch(number))


def settled(model: Model) -> dict[str, np.ndarray]:
    cell = table_of(model).copy()
    cell.settle()
    return {"value": cell.value, **cell.slots}


def alike(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-5, atol=1e-7)


def identical(one: Model, other: Model) -> None:
    a, b = table_of(one), table_of(other)
    np.testing.assert_array_equal(a.value, b.value)
    for slot in a.slots:
        np.testing.assert_array_equal(a.slots[slot], b.slots[slot])
    assert (a.lag is None) == (b.lag is None)
    if a.lag and b.lag:
        np.testing.assert_array_equal(a.lag.clock, b.lag.clock)
        np.testing.assert_array_equal(a.lag.touched, b.lag.touched)


@pytest.mark.parametrize("optimizer", LAZY, ids=lambda o: o.kind)
def test_twins_trained_by_rows_end_as_if_all_rows_were_updated(optimizer: Optimizer) -> None:
    by_rows = twins(optimizer)
    train(by_rows, range(20))
    operators = {n.op for n in build_step(by_rows.document, True).program.nodes}
    assert f"{optimizer.kind}Rows" in operators
    with whole_tables():
        whole = twins(optimizer)
        train(whole, range(20))
    assert table_of(whole).lag is None
    alike(settled(by_rows), settled(whole))
    for mine, theirs in zip(by_rows.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-7)


def test_reading_between_steps_changes_nothing() -> None:
    """Evaluation, prediction, reading weights and saving leave not a bit different."""
    undisturbed, disturbed = twins(RMSprop(0.01)), twins(RMSprop(0.01))
    train(undisturbed, range(8))
    for number in range(8):
        train(disturbed, range(number, number + 1))
        disturbed.evaluate(X, Y, verbose=0)
        disturbed.predict(X)
        disturbed.get_weights()
    identical(undisturbed, disturbed)
    one, other = (m.fit(X, Y, epochs=2, verbose=0, seed=1) for m in (undisturbed, disturbed))
    assert one.history == other.history


def test_a_project_goes_on_bit_for_bit_where_it_was_saved(tmp_path: Path) -> None:
    at_once, halves = twins(RMSprop(0.01)), twins(RMSprop(0.01))
    train(at_once, range(20))
    train(halves, range(11))
    halves.save(tmp_path / "m.loom")
    again = load_model(tmp_path / "m.loom")
    identical(halves, again)
    train(again, range(11, 20))
    identical(at_once, again)


def test_two_models_may_train_one_table_each_at_a_step_of_its_own() -> None:
    """What a row misses is counted by the table: the optimizers' steps differ."""

    def both() -> Model:
        table = Embedding(ROWS, 4)
        one = twins(RMSprop(0.01), table)
        text = Input(shape=(3,), dtype="int32")
        other = Model(text, Dense(1)(Flatten()(table(text))))
        other.compile(RMSprop(0.02), "mse")
        other.set_weights([START, np.ones((12, 1)), np.zeros(1)])
        for number in range(12):
            train(one, range(number, number + 1))
            if number > 8:
                x, y = batch(number)
                other.train_on_batch(x[0], y)
        return one

    by_rows = both()
    with whole_tables():
        whole = both()
    alike(settled(by_rows), settled(whole))


@pytest.mark.parametrize(
    "then",
    [RMSprop(0.01, rho=0.5), RMSprop(0.01, momentum=0.5), Adam(0.01), SGD(0.05), Adagrad(0.05)],
    ids=repr,
)
def test_another_optimizer_finds_what_it_would_have_found(then: Optimizer) -> None:
    """On the canvas the optimizer changes and slots stay: other decays, or the dense update."""

    def changed() -> Model:
        model = twins(RMSprop(0.01))
        train(model, range(8))
        model.project.document = edits.set_optimizer(model.document, then)
        train(model, range(8, 14))
        model.project.document = edits.set_optimizer(model.document, RMSprop(0.01))
        train(model, range(14, 18))
        return model

    by_rows = changed()
    with whole_tables():
        whole = changed()
    alike(settled(by_rows), settled(whole))


def test_a_frozen_table_does_not_age() -> None:
    def thawed() -> Model:
        model = twins(RMSprop(0.01))
        for trainable, steps in ((True, range(4)), (False, range(4, 8)), (True, range(8, 12))):
            model.get_layer("table").trainable = trainable
            train(model, steps)
        return model

    by_rows = thawed()
    with whole_tables():
        whole = thawed()
    alike(settled(by_rows), settled(whole))


def test_another_vocabulary_size_starts_anew_and_undo_brings_the_old_one_back() -> None:
    model = twins(RMSprop(0.01))
    train(model, range(4))
    before, document = table_of(model).copy(), model.document
    store, settings = model.project.store, Settings(seed=0)
    (layer,) = (i for i, entry in document.layers.items() if entry.name == "table")
    larger = edits.set_parameters(document, layer, input_dim=ROWS + 5)
    x, y = batch(4)
    for current in (larger, document):
        trainer = Trainer(current, store, settings)
        trainer.train_batch(as_arrays(current, x, y))
        trainer.save()
        sizes = {shape for _, shape in store.cells(layer)}
    assert sizes == {(ROWS, 4), (ROWS + 5, 4)}
    old, new = (store.cells(layer)["embeddings", (n, 4)] for n in (ROWS, ROWS + 5))
    assert before.lag is not None
    assert (old.lag and old.lag.clock, new.lag and new.lag.clock) == (before.lag.clock + 1, 1)


def test_a_reset_forgets_what_was_missed_and_given_weights_do_not() -> None:
    model = twins(RMSprop(0.01))
    train(model, range(4))
    store = model.project.store
    snapshot = store.snapshot()
    store.reset_optimizer()
    assert (table_of(model).slots, table_of(model).lag) == ({}, None)
    store.restore(snapshot)
    missed = table_of(model).lag
    assert missed is not None
    model.set_weights(model.get_weights())
    assert table_of(model).lag is missed
    assert set(table_of(model).slots) == {"velocity"}


@pytest.mark.parametrize(
    ("optimizer", "table"),
    [
        (RMSprop(momentum=0.5), None),
        (RMSprop(centered=True), None),
        (RMSprop(epsilon=0.0), None),
        (SGD(momentum=0.5), None),
        (Adagrad(initial_accumulator_value=0.0, epsilon=0.0), None),
        (Adam(), None),
        (RMSprop(), Embedding(ROWS, 4, embeddings_regularizer="l2")),
    ],
    ids=str,
)
def test_where_every_row_moves_every_row_is_updated(
    optimizer: Optimizer, table: Embedding | None
) -> None:
    model = twins(optimizer, table)
    step = build_step(model.document, True)
    assert not [n.op for n in step.program.nodes if n.op.endswith("Rows")]
    assert not step.lags
    train(model, range(1))
    assert table_of(model).lag is None


@pytest.mark.parametrize("optimizer", LAZY, ids=lambda o: o.kind)
def test_onnxruntime_runs_the_training_program(optimizer: Optimizer) -> None:
    model = twins(optimizer)
    trainer = Trainer(model.document, Store(), Settings(seed=2))
    batches = [as_arrays(model.document, *batch(number)) for number in range(6)]
    step, ours = trainer.compiled(True, frozenset())
    theirs = OnnxRuntimeExecutor(step.program, threads=1)
    theirs.load(ours.state())
    for number, arrays in enumerate(batches):
        feeds = trainer.feeds(step, arrays)
        feeds |= {"learning_rate": np.float32(optimizer.learning_rate)}
        feeds |= {"step": np.float32(number + 1)}
        ours.run(feeds)
        theirs.run(feeds)
    one, other = ours.state(), theirs.state()
    for name in step.variables:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-5, atol=1e-6)


def test_a_large_table_costs_a_step_nothing_but_its_memory() -> None:
    """No call of the plan reads or writes the whole table: each buffer of its size is a state."""
    text = Input(shape=(3,), dtype="int32")
    model = Model(text, Dense(1)(Flatten()(Embedding(200_000, 16)(text))))
    model.compile("rmsprop", "mse")
    x, y = batch(0)
    trainer = Trainer(model.document, model.project.store, Settings())
    step, runner = trainer.compiled(True, frozenset())
    trainer.train_batch(as_arrays(model.document, x[0], y))
    (plan,) = runner._plans.values()  # type: ignore[attr-defined]
    assert plan.sizes.arena < 1 << 20
    pairs = [s for s in step.program.state if step.program.specs[s.input].shape[:1] == (200_000,)]
    assert len(pairs) == 3
    assert all(plan.buffers[s.output] is plan.buffers[s.input] for s in pairs)


def test_a_table_and_what_is_kept_for_it_are_in_memory_once() -> None:
    """The Store holds the arrays that training writes; who evaluates or predicts reads them."""
    model = twins(RMSprop(0.01))
    train(model, range(2))
    model.evaluate(X, Y, verbose=0)
    cell, trainer = table_of(model), model._trainer
    assert trainer is not None
    assert cell.lag is not None
    held = {id(a) for a in (cell.value, *cell.slots.values(), cell.lag.touched)}
    training, reading = (
        {id(a) for a in trainer.compiled(is_training, frozenset())[1].lend().values()}
        for is_training in (True, False)
    )
    assert held <= training
    assert id(cell.value) in reading
    train(model, range(2, 4))
    assert id(table_of(model).value) in held


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_weights_set_while_training_are_trained_on(engine: str) -> None:
    """As in Keras: a callback's change is not overwritten by the arrays of the step before."""
    model = twins(SGD(0.0))

    class Setter(Callback):
        def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
            model.set_weights([w + 1 for w in model.get_weights()])

    before = model.get_weights()
    model.fit(X, Y, epochs=3, verbose=0, callbacks=[Setter()], engine=engine)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_allclose(new, old + 3, rtol=1e-6)


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_an_error_in_a_callback_loses_no_batch(engine: str) -> None:
    """What was learnt lies in the model's own arrays from step to step, and `predict` sees it."""
    model, seen = twins(SGD(0.1)), list[float]()

    class Breaking(Callback):
        def on_train_batch_end(self, batch: int, logs: Mapping[str, float] | None = None) -> None:
            seen.append(float(model.predict(X, verbose=0)[0, 0]))
            if batch == 1:
                raise RuntimeError("enough")

    before = model.get_weights()
    with pytest.raises(RuntimeError):
        model.fit(X, Y, batch_size=4, verbose=0, callbacks=[Breaking()], engine=engine)
    assert seen[0] != seen[1]
    assert any((old != new).any() for old, new in zip(before, model.get_weights(), strict=True))
