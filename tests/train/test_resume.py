"""A training that was cut off goes on as if it had never been: in every bit, from any batch."""

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.document import edits
from studio.document.model import Document
from studio.document.plan import EarlyStopping, ReduceLROnPlateau
from studio.document.project import Project, Run
from studio.layers.dense import Dense
from studio.optimizers.rmsprop import RMSprop
from studio.problem import ProblemError
from studio.train import arrays as train_arrays
from studio.train import checkpoints
from studio.train.control import Orders
from studio.train.events import (
    BatchDone,
    Checkpointed,
    EpochDone,
    Event,
    Finished,
    Paused,
    Resumed,
    Started,
    Warned,
)
from studio.train.job import Job, train
from tests.train.resuming import (
    arrays,
    cut_off,
    expect_equal,
    finish,
    gone_on,
    headline,
    numbers,
    whole,
)

WATCHED: dict[str, Any] = {
    "early_stopping": EarlyStopping(patience=2, min_delta=0.01, restore_best_weights=True),
    "reduce_lr": ReduceLROnPlateau(patience=1, min_delta=0.5, cooldown=1),
}


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_a_text_model_goes_on_from_any_batch(engine: str, tmp_path: Path) -> None:
    document = headline(engine=engine, **WATCHED)
    expected = whole(document)
    assert any("touched" in key for key in arrays(expected)), "some rows are updated lazily"
    for batches in range(1, 15, 1 if engine == "numpy" else 3):
        place = tmp_path / str(batches)
        cut_off(document, batches, place)
        expect_equal(expected, gone_on(document, place))


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_statistics_draws_and_means_go_on_from_any_batch(engine: str, tmp_path: Path) -> None:
    document = numbers(tmp_path, engine=engine)
    expected = whole(document)
    for batches in range(1, 18, 1 if engine == "numpy" else 3):
        place = tmp_path / str(batches)
        cut_off(document, batches, place)
        expect_equal(expected, gone_on(document, place))


@pytest.mark.parametrize("shuffle", [True, False])
def test_data_read_by_blocks_go_on_from_any_batch(
    shuffle: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.train.tables.array_tables.LARGE", 0)
    monkeypatch.setattr("studio.train.streamed.BLOCK", 64)
    monkeypatch.setattr(train_arrays, "POOL", 3)
    document = numbers(tmp_path, rows=90, shuffle=shuffle)
    expected = whole(document)
    for batches in range(1, 27, 1 if shuffle else 4):
        place = tmp_path / str(batches)
        cut_off(document, batches, place)
        expect_equal(expected, gone_on(document, place))


def test_it_is_cut_off_time_and_again(tmp_path: Path) -> None:
    document, place = headline(**WATCHED), tmp_path / "kept"
    expected, resume, found = whole(document), False, None
    while found is None:
        orders, done = Orders(), 0
        events = train(Job(Project(document), None, None, place, resume), orders, threads=1)
        for event in events:
            if isinstance(event, BatchDone):
                done += 1
                if done == 2:
                    orders.say("checkpoint")
            found = event if isinstance(event, Finished) else None
            if isinstance(event, Checkpointed):
                break
        events.close()  # type: ignore[attr-defined]
        resume = True
    expect_equal(expected, found)


def test_what_is_watched_and_not_there_goes_on(tmp_path: Path) -> None:
    document = headline(early_stopping=EarlyStopping("val_nothing", mode="min", patience=1))
    expected = whole(document)
    for batches in (4, 7, 11):
        cut_off(document, batches, tmp_path / str(batches))
        expect_equal(expected, gone_on(document, tmp_path / str(batches)))


def test_early_stopping_goes_on_counting(tmp_path: Path) -> None:
    stopping = EarlyStopping(patience=2, min_delta=10.0, restore_best_weights=True)
    document = headline(epochs=20, early_stopping=stopping)
    expected = whole(document)
    assert (expected.run.ended, expected.run.epochs) == ("early", 3)
    cut_off(document, 11, tmp_path / "kept")
    expect_equal(expected, gone_on(document, tmp_path / "kept"))


def test_it_says_where_it_goes_on_and_what_was_before(tmp_path: Path) -> None:
    document = headline()
    cut_off(document, 7, tmp_path)
    found = checkpoints.interrupted(tmp_path)
    assert found is not None
    assert (found.epoch, found.batch, found.epochs) == (1, 2, 3)
    assert found.run.epochs == 1
    events = train(Job(Project(document), checkpoints=tmp_path, resume=True), threads=1)
    started = next(iter(events))
    assert isinstance(started, Started)
    assert (started.epoch, started.batch, started.epochs) == (1, 2, 3)
    assert started.run.history == found.run.history
    kept = checkpoints.read(tmp_path).project()
    assert kept.document == document
    assert kept.store.step == 7


def test_a_pause_is_no_training() -> None:
    orders, said = Orders(), []

    def say(event: Event) -> None:
        said.append(type(event))
        if isinstance(event, Paused):
            threading.Timer(1.0, orders.say, ["resume"]).start()

    began = time.monotonic()
    for event in train(Job(Project(headline(epochs=2))), orders, say=say, threads=1):
        if isinstance(event, EpochDone) and event.epoch == 0:
            orders.say("pause")
    assert said == [Paused, Resumed]
    assert isinstance(event, Finished)
    assert event.run.seconds < time.monotonic() - began - 0.95


# -- what is refused -----------------------------------------------------------------------------


def refused(document: Document, place: Path) -> str:
    with pytest.raises(ProblemError) as error:
        gone_on(document, place)
    return error.value.problems[0].code


def test_another_document_is_refused_by_what_differs(tmp_path: Path) -> None:
    document = headline()
    cut_off(document, 3, tmp_path)
    (layer,) = (i for i, entry in document.layers.items() if entry.name == "main_output")
    other = edits.set_parameters(document, layer, use_bias=False)
    assert isinstance(other.layers[layer].body, Dense)
    assert refused(other, tmp_path) == "checkpoint_of_another"
    with pytest.raises(ProblemError, match="another run settings"):
        gone_on(edits.set_run(document, batch_size=8), tmp_path)
    moved = edits.move_calls(document, {next(iter(document.graph.calls)): (7.0, 7.0)})
    assert moved != document
    assert gone_on(edits.set_run(moved, epochs=4), tmp_path).run.epochs == 4


def test_other_data_are_refused(tmp_path: Path) -> None:
    document, place = numbers(tmp_path), tmp_path / "kept"
    cut_off(document, 3, place)
    x = np.load(tmp_path / "x.npy")
    x[17, 2] += 1
    np.save(tmp_path / "x.npy", x)
    assert refused(document, place) == "checkpoint_other_data"


def test_nothing_and_what_is_damaged_are_refused(tmp_path: Path) -> None:
    document = headline()
    assert refused(document, tmp_path) == "checkpoint_missing"
    assert checkpoints.interrupted(tmp_path) is None
    cut_off(document, 3, tmp_path)
    path = tmp_path / checkpoints.FILE
    data = path.read_bytes()
    for damaged in (b"", data[:1000], data[: len(data) // 2] + b"\0" * 9 + data[len(data) // 2 :]):
        path.write_bytes(damaged)
        assert refused(document, tmp_path) == "checkpoint_damaged"


# -- what cannot be written ----------------------------------------------------------------------


def test_a_full_disk_is_warned_of_once_and_the_checkpoint_before_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = headline(checkpoint_minutes=1e-9)
    expected = whole(document)
    orders, warned, kept = Orders(), [], b""
    written = __import__("studio.formats.arrays", fromlist=["write"]).write

    def full(*given: Any) -> None:
        raise OSError(28, "No space left on device")

    for event in train(Job(Project(document), checkpoints=tmp_path), orders, threads=1):
        if isinstance(event, Checkpointed) and not kept:
            kept = (tmp_path / checkpoints.FILE).read_bytes()
            monkeypatch.setattr("studio.formats.arrays.write", full)
        if isinstance(event, BatchDone):
            orders.say("checkpoint")
        if isinstance(event, Warned):
            warned.append(event.problem)
    monkeypatch.setattr("studio.formats.arrays.write", written)
    assert isinstance(event, Finished)
    expect_equal(expected, event)
    assert [problem.code for problem in warned] == ["checkpoint_not_written"]
    assert "No space left" in str(warned[0])
    assert (tmp_path / checkpoints.FILE).read_bytes() == kept
    assert list(tmp_path.iterdir()) == [tmp_path / checkpoints.FILE]
    expect_equal(expected, gone_on(document, tmp_path))


def test_want_of_memory_for_a_checkpoint_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = headline(epochs=2)

    def none(*given: Any) -> None:
        raise MemoryError

    monkeypatch.setattr("studio.train.keeper.Keeper._copy", none)
    orders, warned = Orders(), []
    for event in train(Job(Project(document), checkpoints=tmp_path), orders, threads=1):
        if isinstance(event, EpochDone):
            orders.say("checkpoint")
        warned += [event.problem.code] if isinstance(event, Warned) else []
    assert warned == ["checkpoint_not_written"]
    assert not checkpoints.exists(tmp_path)


@pytest.mark.parametrize("minutes", [0.0, -1.0])
def test_every_no_minutes_or_less_there_is_no_checkpoint(
    tmp_path: Path, minutes: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.train.keeper.FIRST", 0.0)
    job = Job(Project(headline(checkpoint_minutes=minutes)), checkpoints=tmp_path)
    for event in train(job, Orders(), threads=1):
        assert not isinstance(event, Checkpointed)
    assert not checkpoints.exists(tmp_path)


def test_the_first_checkpoint_does_not_wait_for_the_interval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A training killed within its first minute could not be gone on with."""
    monkeypatch.setattr("studio.train.keeper.FIRST", 0.0, raising=False)
    job = Job(Project(headline(epochs=3, checkpoint_minutes=60.0)), checkpoints=tmp_path)
    kept = [e for e in train(job, Orders(), threads=1) if isinstance(e, Checkpointed)]
    assert [(e.epoch, e.batch) for e in kept] == [(0, 0)]


# -- more epochs ---------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_more_epochs_of_a_run_are_one_longer_run(engine: str) -> None:
    watched = {**WATCHED, "early_stopping": EarlyStopping(patience=50)}
    document = headline(engine=engine, epochs=5, **watched)
    expected = whole(document)
    project = Project(edits.set_run(document, epochs=3))
    first = finish(Job(project))
    project.keep_run(first.run)
    project.fitted = dict(first.fitted)
    second = finish(Job(project, epochs=2, more="r1"))
    expect_equal(expected, second)
    project.keep_run(second.run)
    assert [run.id for run in project.runs] == ["r1"]


def test_the_best_epoch_may_be_one_of_those_before() -> None:
    document = headline(epochs=6)
    document = edits.set_optimizer(document, RMSprop(learning_rate=0.3))
    expected = whole(document)
    assert expected.run.best_epoch < 2, "at such a rate it soon gets worse"
    project = Project(edits.set_run(document, epochs=2))
    first = finish(Job(project))
    project.keep_run(first.run)
    project.fitted = dict(first.fitted)
    second = finish(Job(project, epochs=4, more="r1"))
    assert second.run.best_epoch == expected.run.best_epoch
    assert second.run.history == expected.run.history
    for each in (second.run.weights, second.best):
        assert each is not None
        for layer, cells in (expected.run.weights or {}).items():
            for key, cell in cells.items():
                np.testing.assert_array_equal(each[layer][key].value, cell.value)


def test_a_run_made_since_keeps_its_id(tmp_path: Path) -> None:
    document = headline(epochs=1)
    cut_off(document, 3, tmp_path)
    project = Project(document, runs=[Run("r1", created="2001-01-01"), Run("r4")])
    assert finish(Job(project, checkpoints=tmp_path, resume=True)).run.id == "r5"


def test_more_epochs_after_early_stopping_are_counted_anew() -> None:
    document = headline(epochs=20, early_stopping=EarlyStopping(patience=2, min_delta=10.0))
    project = Project(document)
    first = finish(Job(project))
    project.keep_run(first.run)
    project.fitted = dict(first.fitted)
    second = finish(Job(project, epochs=9, more="r1"))
    assert second.run.epochs == first.run.epochs + 3
    losses = second.run.history["val_loss"]
    assert second.run.best_epoch in (0, int(np.argmin(losses)))
    assert losses[second.run.best_epoch] <= losses[0], "the best of all, not of those after"


def test_a_run_without_a_pace_has_more_epochs_too() -> None:
    document = headline(epochs=6)
    document = edits.set_optimizer(document, RMSprop(learning_rate=0.3))
    project = Project(edits.set_run(document, epochs=3))
    first = finish(Job(project))
    project.keep_run(replace(first.run, pace={}, weights=None, document=None, ended=""))
    project.fitted = dict(first.fitted)
    second = finish(Job(project, epochs=3, more="r1"))
    expected = whole(document)
    assert second.run.history == expected.run.history
    assert second.run.best_epoch == expected.run.best_epoch


def test_another_number_to_watch_begins_anew() -> None:
    project = Project(headline(epochs=2))
    first = finish(Job(project))
    project.keep_run(first.run)
    project.fitted = dict(first.fitted)
    watch = EarlyStopping("val_main_output_auc", patience=9)
    project.document = edits.set_run(project.document, early_stopping=watch)
    second = finish(Job(project, epochs=2, more="r1"))
    assert second.run.monitor == "val_main_output_auc"
    assert second.run.best_epoch >= 2


def test_more_epochs_of_another_model_are_refused() -> None:
    document = headline(epochs=1)
    project = Project(document)
    project.keep_run(finish(Job(project)).run)
    (layer,) = (i for i, entry in document.layers.items() if entry.name == "main_output")
    project.document = edits.set_parameters(document, layer, use_bias=False)
    with pytest.raises(ProblemError, match="other layers or wires"):
        finish(Job(project, epochs=1, more="r1"))
