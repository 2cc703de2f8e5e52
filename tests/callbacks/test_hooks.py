"""Which hooks are called, in which order, and what callbacks do there: all as Keras recorded."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.callbacks import (
    BackupAndRestore,
    Callback,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
)
from studio.layers import Dense, Input
from studio.models import Model
from studio.optimizers import SGD
from studio.optimizers.schedules import ExponentialDecay
from studio.problem import ProblemError
from tests import references

RECORDED = references.meta("callbacks")
X = np.zeros((6, 1), np.float32)
HOOKS = [
    n for n in dir(Callback) if n.startswith("on_") and n not in ("on_batch_begin", "on_batch_end")
]


def made(optimizer: Any = "sgd") -> Model:
    x = Input((1,))
    model = Model(x, Dense(1)(x))
    model.compile(optimizer, "mse")
    return model


def telling(found: list[Any], *names: str) -> LambdaCallback:
    """Writes down the hooks and their numbers; the parameters have names of their own."""

    def hook(name: str) -> Any:
        return lambda first, second=None: found.append([name] if second is None else [name, first])

    return LambdaCallback(**{name: hook(name) for name in names or HOOKS})


@pytest.mark.parametrize("method", RECORDED["hooks"])
def test_hooks_are_called_in_keras_order(method: str) -> None:
    found: list[Any] = []
    model, options = made(), {"batch_size": 4, "verbose": 0, "callbacks": [telling(found)]}
    match method:
        case "fit":
            model.fit(X, X, validation_data=(X, X), epochs=2, **options)
        case "evaluate":
            model.evaluate(X, X, **options)
        case "predict":
            model.predict(X, **options)
        case _:
            model.predict(X, steps=1, **options)
    assert found == RECORDED["hooks"][method]


def test_hooks_are_given_what_there_is() -> None:
    model, logs = made(), {}
    watching = LambdaCallback(
        on_test_end=lambda found: logs.update(test=found),
        on_predict_batch_end=lambda number, found: logs.update(predict=found["outputs"]),
        on_epoch_end=lambda number, found: logs.update(epoch=found),
    )
    model.fit(X, X, validation_data=(X, X), callbacks=watching, verbose=0)
    assert set(logs["epoch"]) == {"loss", "val_loss"}
    assert logs["test"] == {"loss": logs["epoch"]["val_loss"]}
    found = model.predict(X, batch_size=6, callbacks=watching, verbose=0)
    np.testing.assert_array_equal(logs["predict"], found)


def test_older_names_of_hooks_are_called_too() -> None:
    found: list[str] = []

    class Older(Callback):
        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            found.append(f"end {batch}")

    made().fit(X, X, batch_size=4, callbacks=[Older()], verbose=0)
    assert found == ["end 0", "end 1"]


def test_functions_in_keras_order_without_names() -> None:
    found: list[Any] = []
    first, second = (lambda e, _, n=n: found.append((n, e)) for n in ("begin", "end"))
    made().fit(X, X, callbacks=[LambdaCallback(first, second)], verbose=0)
    assert found == [("begin", 0), ("end", 0)]
    with pytest.raises(ValueError, match="no hook 'on_lunch'"):
        LambdaCallback(on_lunch=print)


class Saving(Model):
    """A model that writes down the names it is saved under."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def settle(self) -> None:
        """Nothing is trained."""

    def save(self, filepath: Any, *_: Any, **__: Any) -> None:
        self.names.append(Path(filepath).stem)


@pytest.mark.parametrize("facts", RECORDED["checkpoints"], ids=lambda f: str(f["config"]))
def test_checkpoints_are_written_when_keras_writes_them(
    facts: dict[str, Any], tmp_path: Path
) -> None:
    callback = ModelCheckpoint(tmp_path / "{epoch:02d}-{loss:.2f}.loom", **facts["config"])
    callback.set_model(model := Saving())
    callback.on_train_begin({})
    for epoch, value in enumerate(facts["values"]):
        callback.on_epoch_begin(epoch, {})
        for batch in range(3):
            callback.on_train_batch_end(batch, {"loss": value + batch / 100})
        callback.on_epoch_end(epoch, {"loss": value, "val_loss": value})
    assert model.names == facts["saved"]


@pytest.mark.parametrize("kind", RECORDED["scheduled"])
def test_no_callback_sets_a_rate_that_a_schedule_gives(kind: str) -> None:
    watching = {
        "ReduceLROnPlateau": ReduceLROnPlateau("loss", patience=1),
        "LearningRateScheduler": LearningRateScheduler(lambda epoch: 0.1),
    }[kind]
    assert "not settable" in RECORDED["scheduled"][kind]
    model = made(SGD(ExponentialDecay(0.1, 2, 0.5)))
    with pytest.raises(ProblemError) as error:
        model.fit(X, X, epochs=4, callbacks=[watching], verbose=0)
    assert error.value.problems[0].code == "rate_scheduled"


def test_a_schedule_may_give_the_rate_of_an_epoch() -> None:
    schedule = ExponentialDecay(0.1, 1, 0.5)
    watching = LearningRateScheduler(lambda epoch: schedule(epoch))
    history = made().fit(X, X, epochs=3, callbacks=[watching], verbose=0).history
    np.testing.assert_allclose(history["learning_rate"], [0.1, 0.05, 0.025], rtol=1e-6)
    direct = made().fit(X, X, epochs=3, callbacks=[LearningRateScheduler(schedule)], verbose=0)
    assert direct.history == history


def test_a_backup_within_an_epoch_begins_that_epoch_anew(tmp_path: Path) -> None:
    class Cut(Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if self.model.optimizer.iterations == 5:
                raise KeyboardInterrupt

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 1)), rng.normal(size=(12, 1))
    options: dict[str, Any] = {"epochs": 3, "batch_size": 4, "verbose": 0}
    model, keep = made(), BackupAndRestore(tmp_path / "b", save_freq=2)
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, callbacks=[keep, Cut()], **options)
    again, seen = made(), []
    watching = LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.append(epoch))
    again.fit(x, y, callbacks=[BackupAndRestore(tmp_path / "b"), watching], **options)
    assert seen == [1, 2]
    assert not list((tmp_path / "b").glob("*"))
