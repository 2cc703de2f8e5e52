"""The last steps of a training can be gone through again, to the last bit."""

from pathlib import Path

import numpy as np
import pytest

from studio.document.model import Document
from studio.document.project import Project, Run
from studio.train.course import Course
from studio.train.data import load_data
from studio.train.feeding import Feeding
from studio.train.recorder import INTERVAL, SHARE, Held, Recorder, damaged
from studio.train.step import Step
from studio.train.trainer import Settings, Trainer
from tests.train.resuming import headline, numbers


class Led:
    """A training of which the test decides when a copy is taken."""

    def __init__(self, document: Document, engine: str, shuffle: bool = True) -> None:
        data, run = load_data(document, Path()), document.plan.run
        self.trainer = Trainer(document, Project(document).store, Settings(engine, 7, 1))
        steps = -(-len(data.train) // run.batch_size)
        self.feeding = Feeding(data.train, run.batch_size, steps, shuffle, 7)
        self.recorder = Recorder(self.trainer, self.feeding)
        self.course = Course(Run("r1"))
        self.batches = self.feeding.batches(self.course)
        self.step: Step = self.trainer.compiled(True, data.train.weighted, data.train.one_hots)[0]

    def train(self, steps: int) -> list[float]:
        found = []
        for _ in range(steps):
            batch = next(self.batches)
            step, results = self.trainer.train_batch(batch)
            self.recorder.stepped()
            found.append(float(results[step.total]))
            course = self.course
            course.batch, course.taken = course.batch + 1, course.taken + 1
            if course.batch == self.feeding.steps:
                course.epoch, course.batch = course.epoch + 1, 0
        return found

    def everything(self) -> dict[str, bytes]:
        held = Held()
        held.take(self.trainer, self.step)
        found = {"step": str(held.step).encode()}
        for name, cell in held.cells.items():
            found[name] = cell.value.tobytes()
            found |= {f"{name}:{slot}": array.tobytes() for slot, array in cell.slots.items()}
            if cell.lag:
                found |= {f"{name}:lag": cell.lag.clock.tobytes() + cell.lag.touched.tobytes()}
        return found


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("kind", ["headline", "numbers"])
def test_steps_are_done_again_bit_for_bit(
    kind: str, shuffle: bool, engine: str, tmp_path: Path
) -> None:
    led = Led(headline() if kind == "headline" else numbers(tmp_path), engine, shuffle)
    led.recorder.keep(led.course, led.step)
    led.train(4)
    led.recorder.keep(led.course, led.step)
    losses = led.train(5)  # into the next epoch
    after = led.everything()
    where = (led.course.epoch, led.course.batch)
    assert where[0] == 1
    again = []
    for each in led.recorder.again(led.step):
        step, results = led.trainer.train_batch(each.batch)
        again.append(float(results[step.total]))
    assert again == losses
    assert led.everything() == after
    last = each.course
    assert (last.epoch, last.batch + 1) == where
    led.train(3)
    beyond = led.everything()
    for each in led.recorder.again(led.step):
        led.trainer.train_batch(each.batch)
    assert led.everything() == beyond, "the copy is still there"


def test_the_learning_rate_of_then_holds(tmp_path: Path) -> None:
    led = Led(numbers(tmp_path), "numpy")
    led.recorder.keep(led.course, led.step)
    led.train(3)
    led.trainer.rate = 0.001
    led.train(3)
    after = led.everything()
    rates = []
    for each in led.recorder.again(led.step):
        rates.append(led.trainer.rate)
        led.trainer.train_batch(each.batch)
    assert rates == [0.05] * 3 + [0.001] * 3
    assert led.everything() == after


def test_copies_take_no_more_than_their_share(tmp_path: Path) -> None:
    now = 0.0
    led = Led(numbers(tmp_path), "numpy")
    recorder = Recorder(led.trainer, led.feeding, lambda: now)
    assert recorder.due()
    recorder.keep(led.course, led.step)
    now = INTERVAL - 0.01
    assert not recorder.due()
    now = INTERVAL
    assert recorder.due()
    recorder.keep(led.course, led.step, began=now - 3.0)  # it took three seconds
    now += 3.0 / SHARE - 0.1
    assert not recorder.due()
    now += 0.2
    assert recorder.due()


def test_without_memory_there_is_no_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    led = Led(numbers(tmp_path), "numpy")
    monkeypatch.setattr(Held, "take", full)
    led.recorder.keep(led.course, led.step)
    assert not led.recorder.ready
    assert not led.recorder.due(), "it is tried again, but not at once"


def test_a_copy_is_small_beside_the_memory_that_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    led = Led(numbers(tmp_path), "numpy")
    left = 100  # bytes
    monkeypatch.setattr("studio.train.recorder.available", lambda: left)
    led.recorder.keep(led.course, led.step)
    assert not led.recorder.ready
    left = 0  # not known
    led.recorder.keep(led.course, led.step)
    assert led.recorder.ready


def test_what_is_damaged_is_named(tmp_path: Path) -> None:
    led = Led(numbers(tmp_path), "numpy")
    led.train(1)
    assert damaged(led.trainer, led.step) == set()
    kernel = next(n for n in led.step.variables if n.endswith("kernel"))
    cell = led.trainer.store.ensure(*led.step.variables[kernel].place, 7)
    cell.slots["velocity"][0, 0] = np.inf
    assert damaged(led.trainer, led.step) == {f"{kernel}/velocity"}
    cell.slots["velocity"][:] = 3e38  # its square is not finite, but it is
    assert damaged(led.trainer, led.step) == set()
