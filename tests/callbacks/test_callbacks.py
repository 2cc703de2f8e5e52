"""Callbacks decide what Keras's decide, and files they write bring a training back."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.callbacks import (
    BackupAndRestore,
    Callback,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TerminateOnNaN,
)
from studio.layers import Dense, Dropout, Input
from studio.models import Model, load_model
from studio.problem import ProblemError
from tests import references

RECORDED = references.meta("callbacks")
X = np.random.default_rng(0).random((40, 3)).astype(np.float32)
Y = X.sum(1, keepdims=True)


def made(optimizer: str = "adam") -> Model:
    x = Input((3,))
    model = Model(x, Dense(1, kernel_initializer="ones")(Dropout(0.2)(Dense(4)(x))))
    model.compile(optimizer, "mse", metrics=["mae", "r2_score"])
    return model


class Told(Model):
    """A model that is nothing but a learning rate and the number of an epoch as weights."""

    def __init__(self) -> None:
        self.rate, self.epoch, self.stop_training = 0.1, 0, False

    learning_rate = property(
        lambda self: self.rate, lambda self, value: setattr(self, "rate", value)
    )

    @property
    def optimizer(self) -> Any:
        return self

    def get_weights(self) -> Any:
        return self.epoch

    def set_weights(self, weights: Any) -> None:
        self.epoch = weights


def epochs(callback: Callback, values: list[float]) -> tuple[Told, list[float]]:
    model, rates = Told(), []
    callback.set_model(model)
    callback.on_train_begin({})
    for epoch, value in enumerate(values):
        model.epoch = epoch
        callback.on_epoch_end(epoch, {"val_loss": value})
        rates.append(model.rate)
        if model.stop_training:
            break
    return model, rates


@pytest.mark.parametrize("facts", RECORDED["stopping"], ids=lambda f: str(f["config"]))
def test_early_stopping_as_keras(facts: dict[str, Any]) -> None:
    model, rates = epochs(callback := EarlyStopping(**facts["config"]), facts["values"])
    assert (len(rates) - 1 if model.stop_training else -1) == facts["stopped"]
    assert callback.best_weights == facts["best"]
    callback.on_train_end({})
    assert model.epoch == facts["best"]


@pytest.mark.parametrize("facts", RECORDED["plateau"], ids=lambda f: str(f["config"]))
def test_the_rate_falls_as_keras(facts: dict[str, Any]) -> None:
    _, rates = epochs(ReduceLROnPlateau(**facts["config"]), facts["values"])
    assert rates == pytest.approx(facts["rates"], rel=1e-6)


def test_a_metric_says_which_way_is_better() -> None:
    callback = EarlyStopping(monitor="val_mae", patience=1, restore_best_weights=True)
    callback.set_model(made())
    assert callback.improves(0.1, 0.2)
    callback.monitor = "val_r2_score"
    assert callback.improves(0.2, 0.1)
    callback.monitor = "val_other"
    with pytest.raises(ProblemError, match="mode="):
        callback.improves(0.2, 0.1)


def test_early_stopping_brings_the_best_weights_back() -> None:
    model, weights = made("sgd"), []
    keep = LambdaCallback(on_epoch_end=lambda epoch, logs: weights.append(model.get_weights()))
    rise = LearningRateScheduler(lambda epoch: 0.01 if epoch < 3 else 5.0)
    stop = EarlyStopping(monitor="loss", patience=2, restore_best_weights=True)
    history = model.fit(X, Y, epochs=20, callbacks=[rise, keep, stop], verbose=0)
    assert len(history.epoch) < 20
    best = int(np.argmin(history.history["loss"]))
    for found, expected in zip(model.get_weights(), weights[best], strict=True):
        np.testing.assert_array_equal(found, expected)
    assert history.history["learning_rate"][:4] == [0.01, 0.01, 0.01, 5.0]


def test_a_rate_that_a_callback_sets_is_the_next_steps() -> None:
    model = made("sgd")
    seen: list[Any] = []
    zero = LearningRateScheduler(lambda epoch, rate: rate if epoch < 2 else 0.0)
    keep = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(model.get_weights()))
    model.fit(X, Y, epochs=4, callbacks=[zero, keep], verbose=0)
    for before, after, still in zip(seen[0], seen[1], seen[3], strict=True):
        np.testing.assert_array_equal(after, still)
        assert (before != after).any()
    assert model.optimizer.learning_rate == 0.0


def test_no_number_ends_training(capsys: pytest.CaptureFixture[str]) -> None:
    model = made("sgd")
    model.optimizer.learning_rate = 1e30
    with np.errstate(all="ignore"):
        history = model.fit(X, Y, batch_size=4, epochs=9, callbacks=[TerminateOnNaN()], verbose=0)
    assert history.epoch == [0]  # Keras, too, reports the epoch that was broken off
    assert not np.isfinite(history.history["loss"][0])
    assert "not a finite number" in capsys.readouterr().out
    with pytest.raises(ProblemError, match="Lower the learning rate"):
        TerminateOnNaN(raise_error=True).on_train_batch_end(0, {"loss": float("nan")})


def test_the_history_as_a_table(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    log = CSVLogger(path, separator=";")
    history = made().fit(X, Y, epochs=2, validation_split=0.2, callbacks=[log], verbose=0)
    made().fit(X, Y, epochs=1, callbacks=[CSVLogger(path, ";", append=True)], verbose=0)
    with path.open(newline="") as file:
        rows = list(csv.reader(file, delimiter=";"))
    assert rows[0] == ["epoch", *sorted(history.history)]
    assert [row[0] for row in rows[1:]] == ["0", "1", "0"]
    assert float(rows[2][1]) == history.history[rows[0][1]][1]
    assert rows[3][-1] == "NA"


def test_checkpoints_are_projects(tmp_path: Path) -> None:
    model = made()
    every = ModelCheckpoint(tmp_path / "all" / "{epoch:02d}-{loss:.2f}.loom")
    best = ModelCheckpoint(tmp_path / "best.loom", monitor="loss", save_best_only=True)
    often = ModelCheckpoint(tmp_path / "often.loom", save_freq=3)
    worst = LearningRateScheduler(lambda epoch: 0.01 if epoch < 2 else 3.0)
    weights: list[Any] = []
    keep = LambdaCallback(on_epoch_end=lambda epoch, logs: weights.append(model.get_weights()))
    model.fit(X, Y, epochs=3, callbacks=[worst, keep, every, best, often], verbose=0)
    assert len(list((tmp_path / "all").iterdir())) == 3
    assert (tmp_path / "often.loom").exists()
    for found, expected in zip(
        load_model(tmp_path / "best.loom").get_weights(), weights[1], strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_checkpoints_of_weights_alone_are_loaded_into_the_model(tmp_path: Path) -> None:
    model, weights = made(), list[Any]()
    alone = ModelCheckpoint(tmp_path / "{epoch}.weights.npz", save_weights_only=True)
    keep = LambdaCallback(on_epoch_end=lambda epoch, logs: weights.append(model.get_weights()))
    model.fit(X, Y, epochs=2, callbacks=[alone, keep], verbose=0)
    for epoch, expected in enumerate(weights, start=1):
        model.load_weights(tmp_path / f"{epoch}.weights.npz")
        for found, weight in zip(model.get_weights(), expected, strict=True):
            np.testing.assert_array_equal(found, weight)


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop"])
def test_a_training_that_was_cut_off_goes_on_bit_for_bit(tmp_path: Path, optimizer: str) -> None:
    whole = made(optimizer)
    start = whole.get_weights()
    expected = whole.fit(X, Y, epochs=5, seed=3, verbose=0)

    def cut(epoch: int, logs: Any) -> None:
        if epoch == 2:
            raise KeyboardInterrupt

    first = made(optimizer)
    first.set_weights(start)
    backup = BackupAndRestore(tmp_path / "backup")
    watching = [backup, LambdaCallback(on_epoch_begin=cut)]
    with pytest.raises(KeyboardInterrupt):
        first.fit(X, Y, epochs=5, seed=3, callbacks=watching, verbose=0)
    second = made(optimizer)
    again = BackupAndRestore(tmp_path / "backup")
    history = second.fit(X, Y, epochs=5, seed=3, callbacks=[again], verbose=0)
    assert history.epoch == [2, 3, 4]
    assert history.history["loss"] == expected.history["loss"][2:]
    for found, wanted in zip(second.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert not list((tmp_path / "backup").iterdir())


def test_a_damaged_backup_falls_back_to_the_one_before(tmp_path: Path) -> None:
    kept = BackupAndRestore(tmp_path, double_checkpoint=True, delete_checkpoint=False)
    made().fit(X, Y, epochs=3, callbacks=[kept], verbose=0)
    newest, _ = sorted(tmp_path.iterdir(), reverse=True)
    newest.write_bytes(b"damaged")
    history = made().fit(X, Y, epochs=3, callbacks=[BackupAndRestore(tmp_path)], verbose=0)
    assert history.epoch == [2]


def test_a_backup_of_another_model_is_refused(tmp_path: Path) -> None:
    kept = BackupAndRestore(tmp_path, delete_checkpoint=False)
    made().fit(X, Y, callbacks=[kept], verbose=0)
    x = Input((3,))
    other = Model(x, Dense(1)(x))
    other.compile("sgd", "mse")
    with pytest.raises(ProblemError, match="another model"):
        other.fit(X, Y, callbacks=[BackupAndRestore(tmp_path)], verbose=0)


@pytest.mark.parametrize(
    "make",
    [
        lambda: EarlyStopping(mode="up"),
        lambda: ReduceLROnPlateau(factor=1.0),
        lambda: ModelCheckpoint("model.keras"),
        lambda: ModelCheckpoint("model.loom", save_weights_only=True),
        lambda: ModelCheckpoint("model.weights.npz"),
        lambda: ModelCheckpoint("model.loom", save_freq=0),
    ],
)
def test_what_means_nothing_is_refused(make: Any) -> None:
    with pytest.raises(ProblemError):
        make()


def test_a_schedule_gives_floats() -> None:
    schedule = LearningRateScheduler(lambda epoch: "fast")
    schedule.set_model(Told())
    with pytest.raises(ProblemError, match="'fast'"):
        schedule.on_epoch_begin(0, {})


def test_what_is_not_there_is_warned_of() -> None:
    callback = EarlyStopping(monitor="val_loss")
    with pytest.warns(UserWarning, match="EarlyStopping watches val_loss"):
        made().fit(X, Y, callbacks=[callback], verbose=0)
    path = ModelCheckpoint("{other}.loom")
    with pytest.raises(ProblemError, match="names other"):
        made().fit(X, Y, callbacks=[path], verbose=0)
