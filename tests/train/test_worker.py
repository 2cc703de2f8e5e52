"""Training in another process: what arrives, what does not wait, and what its death says."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.document import edits
from studio.document.model import Document
from studio.document.plan import GeneratedSource, TableSource
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.formats import loom
from studio.train.checkpoints import FILE, exists, interrupted
from studio.train.events import (
    BatchDone,
    Checkpointed,
    EpochDone,
    Event,
    Failed,
    Finished,
    Paused,
    Resumed,
    Speed,
    Started,
    Warned,
)
from studio.train.study.seen import Seen
from studio.train.study.wanted import Tap, Wanted
from studio.train.trainee import failure
from studio.train.worker import TrainingProcess, train_project
from tests.train.resuming import expect_equal, headline


def small(epochs: int = 1) -> Document:
    """The headline example with a small table and few rows."""
    document = EXAMPLES["headline"]()
    document = edits.set_data(document, source=GeneratedSource("headline", rows=160))
    for layer, entry in document.layers.items():
        if entry.kind == "Embedding":
            document = edits.set_parameters(document, layer, output_dim=8)
    return edits.set_run(document, epochs=epochs)


@pytest.fixture
def process() -> Iterator[list[TrainingProcess]]:
    started: list[TrainingProcess] = []
    yield started
    for each in started:
        each.kill()


def until(process: TrainingProcess, kind: type[Event], seconds: float = 60) -> list[Event]:
    found: list[Event] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found += process.poll()
        if any(isinstance(e, kind) for e in found):
            return found
        time.sleep(0.02)
    raise AssertionError(f"no {kind.__name__} within {seconds} s, but {found}")


def test_it_learns_what_training_here_learns(process: list[TrainingProcess]) -> None:
    there, here = Project(small()), Project(small())
    process.append(TrainingProcess(there))
    process[0].start()
    finished = until(process[0], Finished)[-1]
    assert isinstance(finished, Finished)
    local = list(train_project(here, threads=finished.run.settings["threads"]))[-1]
    assert isinstance(local, Finished)
    assert finished.run.history == local.run.history
    for layer, cells in local.weights.items():
        for key, cell in cells.items():
            np.testing.assert_array_equal(finished.weights[layer][key].value, cell.value)
    assert finished.fitted == local.fitted
    assert process[0].poll() == []


def test_it_stops_when_asked(process: list[TrainingProcess]) -> None:
    process.append(TrainingProcess(Project(small(epochs=500))))
    process[0].start()
    until(process[0], EpochDone)
    process[0].stop()
    finished = until(process[0], Finished)[-1]
    assert isinstance(finished, Finished)
    assert finished.stopped


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_its_death_is_told_once_and_by_name(process: list[TrainingProcess]) -> None:
    process.append(TrainingProcess(Project(small(epochs=500))))
    process[0].start()
    until(process[0], Started)
    assert process[0].pid is not None
    os.kill(process[0].pid, signal.SIGKILL)
    failed = until(process[0], Failed)[-1]
    assert isinstance(failed, Failed)
    assert failed.problems[0].code == "trainer_killed"
    assert "SIGKILL" in str(failed.problems[0])
    assert process[0].poll() == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_a_file_cut_off_under_it_is_told_apart_and_named(process: list[TrainingProcess]) -> None:
    process.append(TrainingProcess(Project(small(epochs=500))))
    # What it was sent draws its rows; here it is known by a file.
    job = process[0]._job
    named = edits.set_data(job.project.document, source=TableSource("data/rows.csv"))
    process[0]._job = replace(job, project=replace(job.project, document=named))
    process[0].start()
    until(process[0], Started)
    assert process[0].pid is not None
    os.kill(process[0].pid, signal.SIGBUS)
    failed = until(process[0], Failed)[-1]
    assert isinstance(failed, Failed)
    assert failed.problems[0].code == "trainer_cut_off"
    assert "SIGBUS" in str(failed.problems[0])
    assert "(rows.csv)" in str(failed.problems[0])


def test_a_problem_of_the_model_arrives_as_one(process: list[TrainingProcess]) -> None:
    document = small()
    (call, *_) = document.graph.inputs
    document = edits.remove_calls(document, [call])
    process.append(TrainingProcess(Project(document)))
    process[0].start()
    failed = until(process[0], Failed)[-1]
    assert isinstance(failed, Failed)
    assert failed.problems
    assert not failed.report


# -- pause, stop, checkpoints --------------------------------------------------------------------


def begun(document: Document, process: list[TrainingProcess], **options: Any) -> TrainingProcess:
    found = TrainingProcess(Project(document), **options)
    process.append(found)
    found.start()
    return found


def ended(process: TrainingProcess) -> Finished:
    finished = until(process, Finished)[-1]
    assert isinstance(finished, Finished)
    return finished


def at_once(document: Document, threads: int) -> Finished:
    *_, finished = train_project(Project(document), threads=threads)
    assert isinstance(finished, Finished)
    return finished


def threads_of(finished: Finished) -> int:
    return int(finished.run.settings["threads"])


def test_a_pause_changes_nothing(process: list[TrainingProcess], tmp_path: Path) -> None:
    document = headline(epochs=12)
    trainer = begun(document, process, checkpoints=tmp_path / "kept")
    until(trainer, Started)
    for _ in range(4):
        trainer.pause()
        said = until(trainer, Paused)
        assert isinstance(said[-1], Paused)
        assert any(isinstance(e, Checkpointed) for e in said), "a pause is a safe place"
        time.sleep(0.1)
        assert not any(isinstance(e, BatchDone | EpochDone) for e in trainer.poll())
        trainer.resume()
        until(trainer, Resumed)
    finished = ended(trainer)
    expect_equal(at_once(document, threads_of(finished)), finished)


def test_what_is_wanted_is_seen_while_it_trains_and_at_once_in_a_pause(
    process: list[TrainingProcess],
) -> None:
    document = small(400)
    trainer = begun(document, process)
    trainer.look(Wanted(lens=True))
    lens = seen_with(trainer, lambda seen: seen.at in ("batch", "epoch")).lens
    assert lens is not None
    assert any(all(strengths) for strengths in lens.strengths.values())
    trainer.pause()
    asked = seen_with(trainer, lambda seen: seen.at == "asked")
    assert asked.lens is not None
    assert not asked.taps
    tap = Tap.of(document.graph.outputs[0])
    trainer.look(Wanted(taps=(tap,)))
    asked = seen_with(trainer, lambda seen: seen.at == "asked" and seen.lens is None)
    assert asked.taps.keys() == {tap}
    trainer.stop()
    assert ended(trainer).stopped


def seen_with(trainer: TrainingProcess, condition: Callable[[Seen], bool]) -> Seen:
    """What is seen first that fulfils a condition."""
    while True:
        for event in until(trainer, Seen):
            if isinstance(event, Seen) and condition(event):
                return event


def test_a_pause_ends_with_a_stop(process: list[TrainingProcess]) -> None:
    trainer = begun(headline(epochs=500), process)
    until(trainer, EpochDone)
    trainer.pause()
    until(trainer, Paused)
    trainer.stop()
    assert ended(trainer).stopped


def test_it_stops_with_the_best_weights_where_that_is_asked(
    process: list[TrainingProcess],
) -> None:
    document = headline(epochs=500)
    rate = replace(document.plan.optimizer, learning_rate=0.5)
    trainer = begun(edits.set_optimizer(document, rate), process)
    epochs = 0
    while epochs < 5:
        epochs += sum(isinstance(e, EpochDone) for e in until(trainer, EpochDone))
    trainer.stop(keep_best=True)
    finished = ended(trainer)
    assert finished.stopped
    assert finished.best is None
    assert finished.run.weights is not None
    for layer, cells in finished.run.weights.items():
        for key, cell in cells.items():
            np.testing.assert_array_equal(cell.value, finished.weights[layer][key].value)


def test_a_checkpoint_is_written_when_asked_for(
    process: list[TrainingProcess], tmp_path: Path
) -> None:
    trainer = begun(headline(epochs=500), process, checkpoints=tmp_path)
    until(trainer, EpochDone)
    trainer.checkpoint()
    (kept,) = (e for e in until(trainer, Checkpointed) if isinstance(e, Checkpointed))
    assert (tmp_path / FILE).stat().st_size == kept.size
    trainer.kill()
    assert (tmp_path / FILE).exists()


def test_it_says_its_speed(process: list[TrainingProcess]) -> None:
    trainer = begun(headline(epochs=2000), process)
    until(trainer, Started)
    until(trainer, Speed)
    *_, speed = (e for e in until(trainer, Speed) if isinstance(e, Speed))
    assert speed.batches > 0
    assert speed.samples == pytest.approx(speed.batches * 16)
    assert speed.memory > 2**20


# -- ends that nobody asked for ------------------------------------------------------------------

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")


@posix
@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_killed_at_random_it_goes_on_bit_for_bit(
    engine: str, process: list[TrainingProcess], tmp_path: Path
) -> None:
    """Checkpoints are written without a break, so that some are killed while they are."""
    document = headline(epochs=40, engine=engine, checkpoint_minutes=1e-9)
    place, rng, kills, finished = tmp_path / "kept", np.random.default_rng(3), 0, None
    while finished is None:
        trainer = begun(document, process, checkpoints=place, resume=exists(place))
        if kills == 3:
            finished = ended(trainer)
            break
        until(trainer, Started)
        time.sleep(rng.uniform(0.0, 0.2))
        assert trainer.pid is not None
        os.kill(trainer.pid, signal.SIGKILL)
        kills += 1
        (failed,) = (e for e in until(trainer, Failed) if isinstance(e, Failed))
        assert failed.problems[0].code in ("trainer_killed", "trainer_killed_kept")
        assert failed.problems[0].code.endswith("kept") == exists(place)
    expect_equal(at_once(document, threads_of(finished)), finished)


@posix
def test_a_checkpoint_half_written_leaves_the_one_before(
    process: list[TrainingProcess], tmp_path: Path
) -> None:
    place = tmp_path / "kept"
    document = headline(epochs=30)
    trainer = begun(document, process, checkpoints=place)
    until(trainer, EpochDone)
    trainer.checkpoint()
    until(trainer, Checkpointed)
    trainer.kill()
    whole = (place / FILE).read_bytes()
    (place / f".{FILE}.0123abcd.tmp").write_bytes(whole[:999])
    again = begun(document, process, checkpoints=place, resume=True)
    until(again, Started)
    assert [path.name for path in place.iterdir()] == [FILE], "nobody's, and in the way"
    finished = ended(again)
    expect_equal(at_once(document, threads_of(finished)), finished)


@posix
def test_a_trainer_that_was_stopped_is_told_of_and_goes_on(
    process: list[TrainingProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.train.worker.SILENCE", 2.0)
    document = headline(epochs=20)
    trainer = begun(document, process)
    until(trainer, EpochDone)
    assert trainer.pid is not None
    os.kill(trainer.pid, signal.SIGSTOP)
    (warned,) = (e for e in until(trainer, Warned) if isinstance(e, Warned))
    assert warned.problem.code == "trainer_silent"
    assert str(trainer.pid) in str(warned.problem)
    time.sleep(0.5)
    assert not trainer.poll(), "once is enough"
    os.kill(trainer.pid, signal.SIGCONT)
    finished = ended(trainer)
    expect_equal(at_once(document, threads_of(finished)), finished)


@posix
def test_a_stopped_trainer_can_be_killed(process: list[TrainingProcess], tmp_path: Path) -> None:
    trainer = begun(headline(epochs=500), process, checkpoints=tmp_path)
    until(trainer, EpochDone)
    trainer.checkpoint()
    until(trainer, Checkpointed)
    assert trainer.pid is not None
    os.kill(trainer.pid, signal.SIGSTOP)
    trainer.kill()
    assert not trainer.alive
    assert exists(tmp_path)


@posix
def test_without_a_window_it_writes_down_where_it_is_and_ends(tmp_path: Path) -> None:
    """The window dies; nobody listens; the trainer keeps what it has and goes."""
    document = headline(epochs=100_000)
    loom.save(tmp_path / "p.loom", Project(document))
    code = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from studio.formats import loom\n"
        "from studio.train.events import EpochDone\n"
        "from studio.train.worker import TrainingProcess\n"
        "if __name__ == '__main__':\n"
        "    here = Path(sys.argv[1])\n"
        "    trainer = TrainingProcess(loom.load(here / 'p.loom'), checkpoints=here / 'kept')\n"
        "    trainer.start()\n"
        "    while not any(isinstance(e, EpochDone) for e in trainer.poll()):\n"
        "        time.sleep(0.01)\n"
        "    print(trainer.pid, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    script = tmp_path / "window.py"
    script.write_text(code)
    window = subprocess.run(
        [sys.executable, script, tmp_path],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert window.returncode == -signal.SIGKILL, window.stderr
    pid = int(window.stdout)
    end = time.monotonic() + 30
    while alive(pid) and time.monotonic() < end:
        time.sleep(0.05)
    assert not alive(pid)
    found = interrupted(tmp_path / "kept")
    assert found is not None
    assert found.run.epochs >= 1


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def test_want_of_memory_is_told_in_a_sentence() -> None:
    problem = failure(MemoryError()).problems[0]
    assert problem.code == "trainer_memory"
    assert "smaller batch" in str(problem)
    full = failure(OSError(28, "No space left on device", "/tmp/x")).problems[0]
    assert "No space left on device" in str(full)
    assert "ZeroDivisionError" in failure(ZeroDivisionError("1/0")).report


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is set as Linux does")
def test_a_trainer_without_memory_says_so(
    process: list[TrainingProcess], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import resource

    monkeypatch.setenv("LAYERLOOM_MEMORY", "100G")  # the machine has less than was allowed
    document = headline(epochs=500)
    place = tmp_path / "kept"
    trainer = begun(document, process, checkpoints=place)
    until(trainer, EpochDone)
    trainer.checkpoint()
    until(trainer, Checkpointed)
    trainer.kill()
    kept = (place / FILE).read_bytes()
    for layer, entry in document.layers.items():
        if entry.kind == "Embedding":
            document = edits.set_parameters(document, layer, output_dim=2**16)  # 2.6 GB
    trainer = begun(document, process, checkpoints=place)
    while trainer.pid is None:
        time.sleep(0.01)
    resource.prlimit(trainer.pid, resource.RLIMIT_AS, (2**31, 2**31))
    failed = until(trainer, Failed)[-1]
    assert isinstance(failed, Failed)
    assert [problem.code for problem in failed.problems] == ["trainer_memory"], failed.report
    assert (place / FILE).read_bytes() == kept


def test_a_process_that_cannot_be_started_says_so(
    process: list[TrainingProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*given: Any) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr("multiprocessing.context.SpawnProcess.start", refuse)
    trainer = begun(headline(), process)
    failed = until(trainer, Failed)[-1]
    assert isinstance(failed, Failed)
    assert failed.problems[0].code == "trainer_not_started"
    assert "Cannot allocate memory" in str(failed.problems[0])


def test_starting_does_not_wait_for_the_process(process: list[TrainingProcess]) -> None:
    project = Project(headline(epochs=500))
    project.store.put("l1", "kernel", np.zeros((4096, 4096), np.float32))  # 64 MB on their way
    trainer = TrainingProcess(project)
    process.append(trainer)
    began = time.perf_counter()
    trainer.start()
    assert time.perf_counter() - began < 0.05
    until(trainer, EpochDone)


def test_a_trainer_never_loads_qt() -> None:
    code = (
        "import sys, studio.train.worker, studio.models, studio.cli\n"
        "assert not [m for m in sys.modules if m.startswith(('PySide6', 'pyqtgraph'))]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
