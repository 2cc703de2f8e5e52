"""Early stopping and the plateau decide what Keras's decide: alone, in a run, and handed on."""

from typing import Any

import numpy as np
import pytest

from studio import callbacks
from studio.document import edits
from studio.document.model import Document
from studio.document.plan import EarlyStopping, ReduceLROnPlateau
from studio.document.store import Store
from studio.layers import Dense, Input
from studio.models import Model
from studio.optimizers import SGD
from studio.optimizers.schedules import ExponentialDecay
from studio.problem import ProblemError
from studio.train.events import Event, Finished, Warned
from studio.train.feed import as_arrays
from studio.train.fit import FitPlan, fit
from studio.train.stopping import Patience, Plateau
from studio.train.trainer import Settings, Trainer
from tests import references

RECORDED = references.meta("callbacks")
X = np.random.default_rng(0).random((40, 3)).astype(np.float32)
Y = X.sum(1, keepdims=True)
HELD = (X[:7] + 0.1, Y[:7])


def config(facts: dict[str, Any]) -> dict[str, Any]:
    unread = ("verbose", "restore_best_weights")
    return {name: value for name, value in facts["config"].items() if name not in unread}


@pytest.mark.parametrize("handed_on", [False, True], ids=["alone", "handed on"])
@pytest.mark.parametrize("facts", RECORDED["stopping"], ids=lambda f: str(f["config"]))
def test_it_stops_where_keras_does(facts: dict[str, Any], handed_on: bool) -> None:
    patience, stopped, best = Patience(**config(facts)), -1, None
    for epoch, value in enumerate(facts["values"]):
        if handed_on:
            counts = patience.counts()
            patience = Patience(**config(facts))
            patience.take_up(counts)
        better, stop = patience.look(epoch, value)
        best = epoch if better else best
        if stop:
            stopped = epoch
            break
    assert stopped == facts["stopped"]
    if facts["best"] is not None:
        assert best == facts["best"]


@pytest.mark.parametrize("handed_on", [False, True], ids=["alone", "handed on"])
@pytest.mark.parametrize("facts", RECORDED["plateau"], ids=lambda f: str(f["config"]))
def test_the_rate_falls_where_keras_lowers_it(facts: dict[str, Any], handed_on: bool) -> None:
    plateau, rate, rates = Plateau(**config(facts)), 0.1, []
    for value in facts["values"]:
        if handed_on:
            counts = plateau.counts()
            plateau = Plateau(**config(facts))
            plateau.take_up(counts)
        rate = plateau.look(value, rate)
        rates.append(rate)
    assert rates == pytest.approx(facts["rates"], rel=1e-6)


# -- in a run ------------------------------------------------------------------------------------


def made(rate: Any = 0.3, metrics: Any = ("mae",)) -> Model:
    x = Input((3,))
    model = Model(x, Dense(1)(Dense(4, activation="tanh")(x)))
    model.compile(SGD(rate, momentum=0.9), "mse", metrics=list(metrics))
    return model


def run(document: Document, plan: FitPlan, store: Store) -> list[Event]:
    trainer = Trainer(document, store, Settings(seed=3))
    held = as_arrays(document, *HELD)
    return list(fit(trainer, as_arrays(document, X, Y), held, plan))


PLANS = {
    "stops": (EarlyStopping(patience=2, min_delta=0.01, restore_best_weights=True), None),
    "stops by a metric": (EarlyStopping("val_mae", 0.005, 1, restore_best_weights=True), None),
    "starts late": (EarlyStopping(patience=1, min_delta=0.1, start_from_epoch=4), None),
    "slows": (None, ReduceLROnPlateau(patience=1, min_delta=0.01, factor=0.5, min_lr=0.02)),
    "slows and stops": (
        EarlyStopping(patience=4, min_delta=0.01, restore_best_weights=True),
        ReduceLROnPlateau("val_mae", 0.3, 2, "min", 0.01, 1),
    ),
}


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_does_what_callbacks_do(name: str) -> None:
    early, slower = PLANS[name]
    scripted, model = [], made()
    if early:
        scripted.append(callbacks.EarlyStopping(**vars(early)))
    if slower:
        scripted.append(callbacks.ReduceLROnPlateau(**vars(slower)))
    planned = Store()
    for layer, cells in model.project.store.snapshot().items():
        planned.adopt(layer, cells)
    plan = FitPlan(25, 8, early_stopping=early, reduce_lr=slower)
    finished = run(model.document, plan, planned)[-1]
    assert isinstance(finished, Finished)
    history = model.fit(
        X, Y, 8, epochs=25, validation_data=HELD, callbacks=scripted, verbose=0, seed=3
    ).history
    assert finished.run.history == history
    assert (len(history["loss"]) < 25) == (early is not None) == (finished.run.ended == "early")
    for layer, cells in model.project.store.shared().items():
        for key, cell in cells.items():
            np.testing.assert_array_equal(cell.value, finished.weights[layer][key].value)
    if early and early.restore_best_weights:
        assert finished.best is None
        (watched,) = (c for c in scripted if isinstance(c, callbacks.EarlyStopping))
        assert (finished.run.best_epoch, finished.run.monitor) == (
            watched.best_epoch,
            watched.monitor,
        )


def test_what_is_watched_and_not_there_is_warned_of_once() -> None:
    plan = FitPlan(
        3,
        8,
        early_stopping=EarlyStopping("val_mape", mode="min"),
        reduce_lr=ReduceLROnPlateau("x", mode="min"),
    )
    found = run(made().document, plan, Store())
    warned = [e.problem for e in found if isinstance(e, Warned)]
    assert [problem.code for problem in warned] == ["callback_unwatched"] * 2
    assert "EarlyStopping watches val_mape" in str(warned[0])
    finished = found[-1]
    assert isinstance(finished, Finished)
    assert (finished.run.monitor, finished.run.epochs, finished.run.ended) == (
        "val_loss",
        3,
        "done",
    )
    assert finished.run.best_epoch == int(np.argmin(finished.run.history["val_loss"]))


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        (FitPlan(early_stopping=EarlyStopping("val_mape")), "callback_direction"),
        (FitPlan(reduce_lr=ReduceLROnPlateau(factor=1.5)), "callback_factor"),
        (FitPlan(early_stopping=EarlyStopping(mode="up")), "callback_mode"),  # type: ignore[arg-type]
    ],
)
def test_what_makes_no_sense_is_refused_before_the_first_step(plan: FitPlan, code: str) -> None:
    store = Store()
    with pytest.raises(ProblemError) as error:
        run(made().document, plan, store)
    assert error.value.problems[0].code == code
    assert store.step == 0


def test_a_scheduled_rate_cannot_be_lowered() -> None:
    model = made(ExponentialDecay(0.1, 10, 0.9))
    plan = FitPlan(3, reduce_lr=ReduceLROnPlateau(patience=1, min_delta=10.0))
    trainer = Trainer(model.document, Store(), Settings(seed=3))
    samples = as_arrays(model.document, X, Y)
    with pytest.raises(ProblemError) as error:
        fit(trainer, samples, None, plan)  # not after some epochs
    assert error.value.problems[0].code == "rate_scheduled"


def test_a_metric_of_which_more_is_better_is_watched_so() -> None:
    model = made(metrics=("r2_score",))
    early = EarlyStopping("val_r2_score", patience=30)
    finished = run(model.document, FitPlan(8, 8, early_stopping=early), Store())[-1]
    assert isinstance(finished, Finished)
    assert finished.run.best_epoch == int(np.argmax(finished.run.history["val_r2_score"]))


def test_the_rate_of_the_document_stays() -> None:
    document = made().document
    plan = FitPlan(6, 8, reduce_lr=ReduceLROnPlateau(patience=1, min_delta=10.0))
    finished = run(document, plan, Store())[-1]
    assert isinstance(finished, Finished)
    assert finished.run.settings["optimizer"]["learning_rate"] == 0.3
    assert finished.run.pace["rate"] < 0.3
    assert edits.set_run(document) == document
