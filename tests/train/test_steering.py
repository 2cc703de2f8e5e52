"""A training that is led: step by step, looked at while it waits, stopped at breakpoints."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from studio.document import edits
from studio.document.model import Document
from studio.document.plan import Breakpoints
from studio.document.project import Project
from studio.optimizers.schedules.decay import ExponentialDecay
from studio.optimizers.sgd import SGD
from studio.train.control import Orders
from studio.train.events import (
    BatchDone,
    EpochDone,
    Event,
    Finished,
    Hit,
    Paused,
    Resumed,
    Warned,
)
from studio.train.hit_words import about_weights
from studio.train.job import Job, train
from studio.train.remedies import HUGE, fixes, likely
from studio.train.study.seen import Seen
from studio.train.study.wanted import Wanted
from tests.train.resuming import expect_equal, headline, numbers, whole

Led = Callable[[Event, Orders], None]


def led(document: Document, lead: Led, orders: Orders | None = None) -> list[Event]:
    """Trained where `lead` is told of each event as it happens and may say words."""
    orders, said = orders or Orders(), list[Event]()

    def say(event: Event) -> None:
        said.append(event)
        lead(event, orders)

    for event in train(Job(Project(document)), orders, say=say, threads=1, attended=True):
        say(event)
    return said


def steps(found: list[Event]) -> list[str]:
    """The order of what matters here, in short."""
    names = {BatchDone: "batch", EpochDone: "epoch", Paused: "wait", Resumed: "on", Hit: "hit"}
    return [names[type(e)] for e in found if type(e) in names]


def test_single_steps_are_waited_after_and_change_nothing(tmp_path: Path) -> None:
    document, taken = numbers(tmp_path), 0  # six batches an epoch, then a validation

    def lead(event: Event, orders: Orders) -> None:
        nonlocal taken
        if isinstance(event, Paused):
            taken += 1
            orders.say("step" if taken <= 8 else "resume")

    orders = Orders()
    orders.say("pause")
    found = led(document, lead, orders)
    first = ["wait", *["batch", "wait"] * 5, "batch", "epoch", "wait", *["batch", "wait"] * 2]
    assert steps(found)[: len(first)] == first
    assert steps(found)[len(first) :] == ["on", *["batch"] * 4, "epoch", *["batch"] * 6, "epoch"]
    where = [(e.epoch, e.batch) for e in found if isinstance(e, Paused)]
    assert where == [*((0, batch) for batch in range(6)), (1, 0), (1, 1), (1, 2)]
    finished = found[-1]
    assert isinstance(finished, Finished)
    expect_equal(whole(document), finished)


def test_a_step_while_it_trains_ends_in_waiting(tmp_path: Path) -> None:
    def lead(event: Event, orders: Orders) -> None:
        if isinstance(event, BatchDone) and (event.epoch, event.batch) == (0, 2):
            orders.say("step")
        if isinstance(event, Paused):
            orders.say("stop")

    found = led(numbers(tmp_path), lead)
    assert steps(found) == ["batch"] * 4 + ["wait"]
    assert isinstance(found[-1], Finished)
    assert found[-1].stopped


def test_a_pause_within_a_validation_waits_though_steps_do_not(tmp_path: Path) -> None:
    document = numbers(tmp_path)
    orders = Orders()
    orders.say("pause")
    said = 0

    def lead(event: Event, orders: Orders) -> None:
        nonlocal said
        if isinstance(event, Paused):
            said += 1
            orders.say("step" if said == 1 else "resume")

    assert steps(led(document, lead, orders))[:4] == ["wait", "batch", "wait", "on"]


def test_what_is_wanted_while_it_waits_is_shown_at_once(tmp_path: Path) -> None:
    document = numbers(tmp_path)

    def lead(event: Event, orders: Orders) -> None:
        match event:
            case BatchDone(0, 1):
                orders.say("pause")
            case Paused():
                orders.say(Wanted(lens=True))
            case Seen():
                orders.say("resume")

    found = led(document, lead)
    at = next(i for i, e in enumerate(found) if isinstance(e, Paused))
    assert isinstance(found[at + 1], Seen)
    assert isinstance(found[at + 2], Resumed)
    expect_equal(whole(document), found[-1])  # type: ignore[arg-type]


# -- breakpoints ---------------------------------------------------------------------------------


def test_it_waits_at_a_gradient_that_is_long(tmp_path: Path) -> None:
    document = edits.set_run(numbers(tmp_path), breakpoints=Breakpoints(gradient_norm=1e-6))
    hits: list[Hit] = []

    def lead(event: Event, orders: Orders) -> None:
        if isinstance(event, Hit):
            hits.append(event)
        if isinstance(event, Paused):
            if len(hits) == 2:
                orders.say(Breakpoints(gradient_norm=1e6))
            orders.say("resume")

    found = led(document, lead)
    assert steps(found)[:6] == ["hit", "batch", "wait", "on", "hit", "batch"]
    assert [(h.kind, h.epoch, h.batch) for h in hits] == [("gradient_norm", 0, n) for n in (0, 1)]
    assert hits[0].value > 1e-6
    assert hits[0].where == "backward"
    assert hits[0].weight in ("kernel", "bias", "gamma", "beta")
    assert hits[0].remedies[0] in ("lower_rate", "clip")
    assert hits[0].row is not None
    expect_equal(whole(numbers(tmp_path)), found[-1])  # type: ignore[arg-type]


def test_the_sample_with_the_largest_loss_is_told(tmp_path: Path) -> None:
    document = edits.set_run(numbers(tmp_path), breakpoints=Breakpoints(gradient_norm=1e-6))
    targets = np.load(tmp_path / "y.npy")
    targets[17] = 1e4
    np.save(tmp_path / "y.npy", targets)
    hits = [e for e in led(document, _goes_on) if isinstance(e, Hit) and e.epoch == 0]
    assert 17 in [hit.row for hit in hits]
    (hit,) = [hit for hit in hits if hit.row == 17]
    assert hit.value == max(h.value for h in hits)


def _goes_on(event: Event, orders: Orders) -> None:
    if isinstance(event, Paused):
        orders.say("resume")


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_where_nobody_attends_a_hit_is_told_once_and_training_goes_on(engine: str) -> None:
    document = headline(engine=engine)
    stops = Breakpoints(gradient_norm=1e-6, rising="loss", epochs=1)
    job = Job(Project(edits.set_run(document, breakpoints=stops)))
    found = list(train(job, threads=1))
    kinds = [e.kind for e in found if isinstance(e, Hit)]
    assert kinds.count("gradient_norm") == 1
    assert kinds.count("diverging") <= 1
    expect_equal(whole(document), found[-1])  # type: ignore[arg-type]


def test_a_loss_that_rises_while_another_falls(tmp_path: Path) -> None:
    document = diverging(tmp_path)
    stops = Breakpoints(rising="val_loss", falling="loss", epochs=2)
    document = edits.set_run(document, breakpoints=stops)
    found = led(document, _goes_on)
    hits = [e for e in found if isinstance(e, Hit)]
    assert hits
    finished = found[-1]
    assert isinstance(finished, Finished)
    rising, falling = (np.diff(finished.run.history[k]) for k in ("val_loss", "loss"))
    wanted = [
        epoch + 1
        for epoch in range(1, len(rising))
        if (rising[epoch - 1 : epoch + 1] > 0).all() and (falling[epoch - 1 : epoch + 1] < 0).all()
    ]
    assert [h.epoch for h in hits] == wanted
    assert hits[0].value == finished.run.history["val_loss"][hits[0].epoch]
    assert hits[0].remedies == ("early_stopping", "lower_rate")


def diverging(folder: Path) -> Document:
    """Few rows and many parameters: what is learnt of them says nothing of others."""
    document = numbers(folder, rows=24, epochs=40)
    return edits.set_rate(document, 0.01)


def test_a_rate_out_of_all_proportion_comes_back_to_the_usual_one(tmp_path: Path) -> None:
    """A tenth of 1e30 helps nobody; and that weights grew beyond all use is told."""
    document = edits.set_rate(numbers(tmp_path), 1e30)
    (hit,) = [e for e in led(document, _goes_on) if isinstance(e, Hit)]
    assert hit.heaviest > HUGE
    assert "weights had grown to" in about_weights(hit)[0]
    assert hit.remedies[0] == "lower_rate"
    assert hit.remedies[-1] == "fresh_weights", "they grew in this run: it can be done again"
    lower = next(fix for fix in fixes(document, hit) if fix.code == "lower_rate")
    assert lower.edit(document).plan.optimizer.learning_rate == 0.001


def test_a_rate_near_the_usual_one_is_a_tenth_of_it(tmp_path: Path) -> None:
    document = edits.set_rate(numbers(tmp_path), 0.001)
    hit = Hit("not_finite", 0, 3, float("nan"), remedies=("lower_rate",))
    (lower,) = fixes(document, hit)
    assert lower.edit(document).plan.optimizer.learning_rate == 0.0001


def test_weights_that_were_huge_when_it_began_are_to_be_reset_first(tmp_path: Path) -> None:
    hit = Hit("not_finite", 0, 0, float("nan"), "forward", heaviest=1e30)
    assert likely(numbers(tmp_path), hit)[0] == "fresh_weights"


def test_no_breakpoints_no_looking(tmp_path: Path) -> None:
    document = edits.set_run(numbers(tmp_path), breakpoints=Breakpoints(not_finite=False))
    (only,) = [e for e in train(Job(Project(document)), threads=1) if isinstance(e, Finished)]
    expect_equal(whole(numbers(tmp_path)), only)


def test_where_memory_is_short_it_is_told_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No copies at all: no place is named, and the weights are the best epoch's."""
    monkeypatch.setattr("studio.train.recorder.available", lambda: 1)
    document = edits.set_optimizer(
        numbers(tmp_path, epochs=60), SGD(ExponentialDecay(1e-3, 1, 1.5))
    )
    found = led(document, _goes_on)
    (hit,) = [e for e in found if isinstance(e, Hit)]
    assert (hit.kind, hit.where, hit.place) == ("not_finite", "", ())
    finished = found[-1]
    assert isinstance(finished, Finished)
    assert finished.run.ended == "not_finite"
    for layer, cells in finished.weights.items():
        for key, cell in cells.items():
            assert finished.run.weights is not None
            np.testing.assert_array_equal(cell.value, finished.run.weights[layer][key].value)


def test_a_validation_that_is_infinite_is_told_once_and_ends_nothing(tmp_path: Path) -> None:
    document = numbers(tmp_path)
    targets = np.load(tmp_path / "y.npy")
    targets[-1] = 1e30  # its square is no float32
    np.save(tmp_path / "y.npy", targets)
    found = led(document, lambda event, orders: None)
    (warned,) = [event.problem for event in found if isinstance(event, Warned)]
    assert (warned.code, warned.args["epoch"]) == ("validation_not_finite", 1)
    assert steps(found).count("epoch") == 3
    assert found[-1].run.ended == "done"
