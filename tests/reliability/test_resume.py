"""P10: a training that is paused, cancelled or killed at any moment ends as if it never had been.

In every bit: weights, slots of the optimizer, history, and the draws that come of the step count.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from random import Random

import psutil
import pytest

from studio.document import edits
from studio.document.building import add
from studio.document.model import Document, Endpoint
from studio.document.plan import ArrayColumn, ClassColumn, GeneratedSource
from studio.document.project import Project
from studio.engine.threads import VARIABLE
from studio.examples import EXAMPLES
from studio.formats import loom
from studio.layers.conv2d import Conv2D
from studio.layers.dense import Dense
from studio.layers.flatten import Flatten
from studio.layers.input import Input
from studio.layers.max_pooling2d import MaxPooling2D
from studio.layers.reshape import Reshape
from studio.losses.probabilistic import CategoricalCrossentropy
from studio.train.checkpoints import exists
from studio.train.control import Orders
from studio.train.events import BatchDone, EpochDone, Event, Failed, Finished, Paused, Started
from studio.train.job import Job, train
from studio.train.worker import TrainingProcess
from tests.train.resuming import arrays, digest, expect_equal, finish, headline, numbers, whole

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
ROOT = Path(__file__).parents[2]
OFTEN = {"checkpoint_minutes": 1e-9}  # without a break: some are cut off while they are written


# -- five models ---------------------------------------------------------------------------------


def dense(folder: Path) -> Document:
    """The guide's first model, on few pictures."""
    document = edits.set_data(EXAMPLES["digits"](), source=GeneratedSource("digits", rows=300))
    return edits.set_run(document, epochs=8, batch_size=16, **OFTEN)


def two_in_two_out(folder: Path) -> Document:
    """Texts into a table of which only the rows that were met are updated, two losses."""
    return headline(epochs=25, **OFTEN)


def shared_lstm(folder: Path) -> Document:
    """Two texts read by one LSTM."""
    document = edits.set_data(EXAMPLES["tweets"](), source=GeneratedSource("tweets", rows=60))
    for layer, entry in document.layers.items():
        if entry.kind == "LSTM":
            document = edits.set_parameters(document, layer, units=8)
    return edits.set_run(document, epochs=3, batch_size=8, **OFTEN)


def conv(folder: Path) -> Document:
    document, image = add(Document(), Input(shape=(784,)), name="image")
    document, last = add(document, Reshape(target_shape=(28, 28, 1)), image)
    document, last = add(document, Conv2D(filters=4, kernel_size=(3, 3), activation="relu"), last)
    document, last = add(document, MaxPooling2D(pool_size=(3, 3)), last)
    document, last = add(document, Flatten(), last)
    document, last = add(document, Dense(units=10, activation="softmax"), last)
    end = Endpoint(last, "output")
    document = edits.mark_output(document, end)
    document = edits.plan_output(document, end, loss=CategoricalCrossentropy())
    document = edits.set_data(
        document,
        source=GeneratedSource("digits", rows=120),
        inputs={image: ArrayColumn("image", divisor=255.0)},
        targets={end.key: ClassColumn("digit", one_hot=True)},
    )
    return edits.set_run(document, epochs=6, batch_size=8, **OFTEN)


def dropout(folder: Path) -> Document:
    """Draws, running statistics, running means of the weights; data from files."""
    return numbers(folder, epochs=40, **OFTEN)


MODELS = (dense, two_in_two_out, shared_lstm, conv, dropout)


# -- four ways to cut ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Whole:
    """A training nobody cut; `seconds` it took."""

    document: Document
    finished: Finished
    seconds: float


def at_once(document: Document) -> Whole:
    began = time.monotonic()
    finished = whole(document)
    return Whole(document, finished, time.monotonic() - began)


def told_at(model: Whole, place: Path, draw: Random, tell: Callable[[Orders], None]) -> Finished:
    """What a training becomes that is told something after a batch, in this process."""
    orders, done, when = Orders(), 0, draw.randrange(1, model.finished.step)

    def say(event: Event) -> None:
        if isinstance(event, Paused):
            threading.Timer(0.01, orders.say, ["resume"]).start()

    job = Job(Project(model.document), checkpoints=place)
    for event in train(job, orders, say=say, threads=1):
        done += isinstance(event, BatchDone)
        if isinstance(event, BatchDone) and done == when:
            tell(orders)
    assert isinstance(event, Finished)
    return event


def pause(model: Whole, place: Path, draw: Random) -> Finished | None:
    """It waits a moment, and goes on; where it waits, it is written down."""
    said: list[str] = []

    def paused(orders: Orders) -> None:
        said.append("pause")
        orders.say("pause")

    found = told_at(model, place, draw, paused)
    assert said
    assert exists(place)
    return found


def cancel(model: Whole, place: Path, draw: Random) -> Finished | None:
    """Nobody listens any more: it is written down where it is, and gone on with from there."""
    left = told_at(model, place, draw, Orders.abandon)
    assert left.step < model.finished.step
    assert exists(place)
    return rest(model, place)


def kill_trainer(model: Whole, place: Path, draw: Random) -> Finished | None:
    """The process that trains is killed, be it while it writes."""
    trainer = TrainingProcess(Project(model.document), checkpoints=place)
    trainer.start()
    try:
        heard(trainer, Started)
        time.sleep(draw.uniform(0, model.seconds))
        assert trainer.pid is not None
        with suppress(ProcessLookupError):
            os.kill(trainer.pid, signal.SIGKILL)
        ended = heard(trainer, Failed, Finished)
    finally:
        trainer.kill()
    if isinstance(ended, Failed):
        assert ended.problems[0].code in ("trainer_killed", "trainer_killed_kept"), ended
    return rest(model, place) if isinstance(ended, Failed) else None


def kill_window(model: Whole, place: Path, draw: Random) -> Finished | None:
    """The process that has it trained is killed; the one that trains writes down, and ends."""
    project = place.with_suffix(".loom")
    loom.save(project, Project(model.document))
    command = [sys.executable, "-m", "tests.reliability.a_window", str(project), str(place)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as window:
        assert window.stdout is not None
        trainer = int(window.stdout.readline())
        time.sleep(draw.uniform(0, model.seconds))
        window.kill()
    until_gone(trainer)
    return rest(model, place) if window.returncode == -signal.SIGKILL else None


CUTS = (pause, cancel, kill_trainer, kill_window)


def rest(model: Whole, place: Path) -> Finished:
    """What is left of a training; all of it where nothing was written down yet."""
    return finish(Job(Project(model.document), checkpoints=place, resume=exists(place)))


def heard(trainer: TrainingProcess, *kinds: type[Event]) -> Event:
    """The first that it says of these kinds."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        for event in trainer.poll():
            if isinstance(event, kinds):
                return event
            assert not isinstance(event, Failed), event
        time.sleep(0.002)
    raise AssertionError(f"none of {kinds} was said")


def until_gone(pid: int) -> None:
    until = time.monotonic() + 120
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until, "the trainer outlives its window"
        time.sleep(0.005)


# -- the promise ---------------------------------------------------------------------------------


@posix
def test_wherever_it_is_cut_it_ends_the_same(
    tmp_path: Path,
    amount: Callable[[int, int], int],
    tell: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each model in turn, each way to cut in turn: all twenty pairs, five times in the long form.

    A cut that came too late, when the training was over, is no cut: it is made again, earlier.
    """
    monkeypatch.setenv(VARIABLE, "1")  # products on two threads may differ in the last bit
    draw, equal, late = Random(10), Counter[str](), 0
    models = [at_once(make(tmp_path)) for make in MODELS]
    assert any("touched" in key for key in arrays(models[1].finished)), "rows are updated lazily"
    pairs = cycle([(models[i % 5], CUTS[i % 4]) for i in range(20)])
    for number, (model, cut) in enumerate(islice(pairs, amount(4, 100))):
        place, found = tmp_path / f"cut-{number}", None
        while found is None:
            found = cut(model, place, draw)
            late += found is None
        if digest(found) != digest(model.finished):
            expect_equal(model.finished, found)
            raise AssertionError(f"cut {number} by {cut.__name__}: other bits")
        equal[cut.__name__] += 1
    ways = ", ".join(f"{name} {count}" for name, count in equal.items())
    tell(f"{equal.total()} of {equal.total()} cuts give the same SHA-256 ({ways}; {late} too late)")


def test_a_digest_tells_a_single_bit_apart(tmp_path: Path) -> None:
    finished = whole(edits.set_run(dropout(tmp_path), epochs=1))
    before = digest(finished)
    array = arrays(finished)[next(iter(arrays(finished)))]
    array.reshape(-1).view("u1")[0] ^= 1
    assert digest(finished) != before


def test_a_cancelled_training_has_what_the_whole_one_had_there(
    tmp_path: Path,
    amount: Callable[[int, int], int],
    tell: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stopped in its own process at any moment, it is what one is that has so many batches."""
    monkeypatch.setenv(VARIABLE, "1")
    draw, slowest, equal = Random(11), 0.0, 0
    document = two_in_two_out(tmp_path)
    for _ in range(amount(1, 20)):
        trainer = TrainingProcess(Project(document))
        trainer.start()
        heard(trainer, Started)
        time.sleep(draw.uniform(0, 0.5))
        trainer.stop()
        began = time.monotonic()
        stopped = heard(trainer, Finished)
        slowest = max(slowest, time.monotonic() - began)
        assert isinstance(stopped, Finished)
        assert digest(stopped) == digest(stopped_at(document, stopped)), "other bits"
        equal += 1
    tell(f"{equal} of {equal} cancelled trainings equal; the slowest ended after {slowest:.3f} s")


def stopped_at(document: Document, end: Finished) -> Finished:
    """Stopped where another ended: after a batch, or after an epoch with its validation."""
    orders, done, epochs = Orders(), 0, 0
    for event in train(Job(Project(document)), orders, threads=1):
        done += isinstance(event, BatchDone)
        epochs += isinstance(event, EpochDone)
        if (done, epochs) == (end.step, end.run.epochs) and end.stopped:
            orders.say("stop")
    assert isinstance(event, Finished)
    return event
