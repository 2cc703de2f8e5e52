"""A training in another process that is led: steps, NaN, breakpoints set while it goes on."""

from itertools import pairwise
from pathlib import Path

import numpy as np

from studio.document import edits
from studio.document.plan import Breakpoints
from studio.train.events import BatchDone, EpochDone, Finished, Hit, Paused, Started
from studio.train.reproduction import read, replay
from studio.train.worker import TrainingProcess
from tests.train.resuming import headline
from tests.train.test_worker import begun, ended, until
from tests.train.test_worker import process as process_fixture

process = process_fixture


def test_a_step_is_one_batch(process: list[TrainingProcess]) -> None:
    trainer = begun(headline(epochs=500), process)
    until(trainer, Started)
    trainer.pause()
    *_, first = until(trainer, Paused)
    assert isinstance(first, Paused)
    places = [(first.epoch, first.batch)]
    for _ in range(7):  # five make an epoch, with its validation
        trainer.step()
        said = until(trainer, Paused)
        done = [(e.epoch, e.batch) for e in said if isinstance(e, BatchDone)]
        if not any(isinstance(e, EpochDone) for e in said):
            assert done == places[-1:], "it is told, however soon it comes after the one before"
        places += [(e.epoch, e.batch) for e in said if isinstance(e, Paused)]
    assert all(one < other for one, other in pairwise(places))
    assert len(places) == 8
    trainer.stop()
    assert ended(trainer).stopped


def test_nan_ends_it_and_the_step_is_kept(process: list[TrainingProcess], tmp_path: Path) -> None:
    document = edits.set_rate(headline(epochs=500), 1e37)
    trainer = begun(document, process, checkpoints=tmp_path / "kept", steps=tmp_path / "steps")
    said = until(trainer, Finished)
    (hit,) = [e for e in said if isinstance(e, Hit)]
    assert hit.kind == "not_finite"
    assert Path(hit.reproduction).parent == tmp_path / "steps"
    finished = said[-1]
    assert isinstance(finished, Finished)
    assert (finished.run.ended, finished.stopped) == ("not_finite", False)
    cells = [cell for layer in finished.weights.values() for cell in layer.values()]
    assert all(np.isfinite(cell.value).all() for cell in cells)
    assert finished.step == hit.epoch * 5 + hit.batch
    assert replay(read(hit.reproduction)).equal


def test_breakpoints_can_be_set_while_it_trains(
    process: list[TrainingProcess], tmp_path: Path
) -> None:
    trainer = begun(headline(epochs=500), process, steps=tmp_path)
    until(trainer, EpochDone)
    trainer.break_at(Breakpoints(gradient_norm=1e-9))
    said = until(trainer, Paused)
    (hit,) = [e for e in said if isinstance(e, Hit)]
    assert hit.kind == "gradient_norm"
    assert hit.layer
    trainer.break_at(Breakpoints())
    trainer.resume()
    until(trainer, EpochDone)
    trainer.stop()
    assert not any(isinstance(e, Hit) for e in until(trainer, Finished))
