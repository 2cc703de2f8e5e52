"""fit as a generator: what it says, when it stops, what it keeps."""

import numpy as np
import pytest

from studio.document import edits
from studio.document.model import Document, Endpoint
from studio.document.store import Store
from studio.layers.dense import Dense
from studio.layers.dropout import Dropout
from studio.layers.input import Input
from studio.losses.regression import MeanSquaredError
from studio.metrics.accuracy import Accuracy
from studio.problem import ProblemError
from studio.train.arrays import Arrays, batches, shuffled
from studio.train.events import (
    BatchDone,
    BatchStarted,
    EpochDone,
    EpochStarted,
    Event,
    Finished,
    Started,
)
from studio.train.fit import Asked, FitPlan, fit
from studio.train.trainer import Settings, Trainer


def regression(dropout: float = 0.0) -> tuple[Document, str, Endpoint]:
    """Three numbers → Dense → (Dropout) → one number, trained on squares."""
    document, x = edits.add_layer(Document(), Input(shape=(3,)))
    document, hidden = edits.add_layer(document, Dense(units=8, activation="tanh"))
    document = edits.connect(document, Endpoint(x, "output"), Endpoint(hidden, "x"))
    last = hidden
    if dropout:
        document, last = edits.add_layer(document, Dropout(rate=dropout))
        document = edits.connect(document, Endpoint(hidden, "output"), Endpoint(last, "x"))
    document, y = edits.add_layer(document, Dense(units=1))
    document = edits.connect(document, Endpoint(last, "output"), Endpoint(y, "x"))
    end = Endpoint(y, "output")
    document = edits.mark_output(document, end)
    document = edits.plan_output(document, end, loss=MeanSquaredError(), metrics=(Accuracy(),))
    return document, x, end


def data(x: str, end: Endpoint, rows: int = 50) -> Arrays:
    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(rows, 3)).astype(np.float32)
    targets = (inputs.sum(1, keepdims=True) > 0).astype(np.float32)
    return Arrays({x: inputs}, {end.key: targets})


def events(plan: FitPlan, dropout: float = 0.0, **options: object) -> list[Event]:
    document, x, end = regression(dropout)
    trainer = Trainer(document, Store(), Settings(seed=4))
    arrays = data(x, end)
    return list(fit(trainer, arrays, arrays.take(slice(0, 20)), plan, **options))  # type: ignore[arg-type]


def test_it_says_everything_in_order() -> None:
    found = events(FitPlan(epochs=2, batch_size=20))
    epoch = [EpochStarted, *[BatchStarted, BatchDone] * 3, EpochDone]
    assert [type(e) for e in found] == [Started, *epoch, *epoch, Finished]
    started, finished = found[0], found[-1]
    assert isinstance(started, Started)
    assert isinstance(finished, Finished)
    assert (started.samples, started.validation_samples, started.batches) == (50, 20, 3)
    keys = ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert list(finished.run.history) == keys
    assert finished.step == 6


def test_the_best_epoch_is_the_least_validation_loss_and_its_weights_are_kept() -> None:
    found = events(FitPlan(epochs=6, batch_size=10))
    finished = found[-1]
    assert isinstance(finished, Finished)
    losses = finished.run.history["val_loss"]
    assert finished.run.best_epoch == int(np.argmin(losses))
    assert (finished.best is None) == (finished.run.best_epoch == 5)
    marks = [e.epoch for e in found if isinstance(e, EpochDone) and e.best]
    assert marks[-1] == finished.run.best_epoch


def test_the_weights_kept_are_those_of_the_best_epoch() -> None:
    document, x, end = regression()
    arrays = data(x, end)
    store = Store()
    document = edits.set_optimizer(document, type(document.plan.optimizer)(learning_rate=3.0))
    trainer = Trainer(document, store, Settings(seed=4))
    held = arrays.take(slice(0, 20))
    finished = list(fit(trainer, arrays.take(slice(20, 50)), held, FitPlan(epochs=8)))[-1]
    assert isinstance(finished, Finished)
    assert finished.best is not None, "a rate of 3 must not end at its best epoch"
    store.restore(finished.best)
    trainer.forget()
    best = finished.run.history["val_loss"][finished.run.best_epoch]
    assert trainer.evaluate(held, 32)["loss"] == pytest.approx(best, rel=1e-6)


def test_it_stops_before_the_next_batch_when_asked() -> None:
    count = iter(range(100))
    found = events(FitPlan(epochs=3, batch_size=10), control=Asked(lambda: next(count) >= 4))
    assert sum(isinstance(e, BatchDone) for e in found) == 3
    finished = found[-1]
    assert isinstance(finished, Finished)
    assert finished.stopped
    assert finished.run.history == {}


def test_dropout_draws_depend_on_step_and_seed_alone() -> None:
    one = events(FitPlan(epochs=2, batch_size=20), dropout=0.5)
    two = events(FitPlan(epochs=2, batch_size=20), dropout=0.5)
    assert [e.logs for e in one if isinstance(e, EpochDone)] == [
        e.logs for e in two if isinstance(e, EpochDone)
    ]


def test_training_in_two_halves_is_training_at_once() -> None:
    """Dropout, slots and shuffling go on where they stopped: bit for bit."""
    document, x, end = regression(dropout=0.3)
    arrays = data(x, end)
    whole, halves = Store(), Store()
    list(fit(Trainer(document, whole, Settings(seed=4)), arrays, None, FitPlan(epochs=4)))
    for first, last in ((0, 2), (2, 4)):
        trainer = Trainer(document, halves, Settings(seed=4))
        list(fit(trainer, arrays, None, FitPlan(epochs=last, initial_epoch=first)))
    assert whole.step == halves.step
    for (key, a), (other, b) in zip(whole.items(), halves.items(), strict=True):
        assert key == other
        np.testing.assert_array_equal(a.value, b.value)
        for slot in a.slots:
            np.testing.assert_array_equal(a.slots[slot], b.slots[slot])


def test_steps_per_epoch_go_on_through_the_data() -> None:
    found = events(FitPlan(epochs=3, batch_size=20, steps_per_epoch=2))
    assert sum(isinstance(e, BatchDone) for e in found) == 6


def test_validation_frequency_leaves_epochs_out() -> None:
    found = events(FitPlan(epochs=4, validation_freq=2))
    finished = found[-1]
    assert isinstance(finished, Finished)
    assert len(finished.run.history["val_loss"]) == 2
    assert len(finished.run.history["loss"]) == 4


def test_batches_cover_every_sample_once() -> None:
    arrays = Arrays({"x": np.arange(10)})
    order = shuffled(10, seed=0, epoch=3)
    found = [batch.inputs["x"] for batch in batches(arrays, 4, order)]
    assert [len(b) for b in found] == [4, 4, 2]
    assert sorted(np.concatenate(found)) == list(range(10))
    assert not np.array_equal(order, shuffled(10, seed=0, epoch=4))


def test_a_number_that_no_project_could_hold_is_refused_before_anything_is_learnt() -> None:
    assert FitPlan(batch_size=2**63 - 1).batch_size == 2**63 - 1
    for name in ("epochs", "batch_size", "validation_batch_size"):
        with pytest.raises(ProblemError, match=f"{name} takes a whole number of at most"):
            FitPlan(**{name: 10**30})
