"""What is done is written down: each act at once, what training learnt, saves."""

import errno
import os
import threading
import time
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from studio.document import edits
from studio.document.project import Project
from studio.formats import arrays, loom
from studio.formats.journal import keeping
from studio.formats.journal import recorder as recorders
from studio.formats.journal.recovery import recover
from studio.formats.journal.story import Kept
from tests.document.drawn import headline, layer
from tests.formats.examples import fill, two_outputs
from tests.formats.journal.failing import Failing
from tests.formats.journal.sitting import Sitting, epochs, labels, train, until, weights


def opened_trained(folder: Path) -> tuple[Path, Project, Sitting]:
    """The file of a project that was trained, what it holds, and a sitting that opened it."""
    path, project = folder / "p.loom", two_outputs()
    train(project, 5)
    project.runs.clear()
    loom.save(path, project)
    return path, project, Sitting(folder / "root", loom.load(path), path)


def test_acts_are_had_again_and_can_be_undone(sitting: Sitting) -> None:
    sitting.epochs(1, 2, 3, 4)
    sitting.history.undo()
    sitting.history.undo()
    sitting.history.redo()
    found = sitting.leave()
    assert found.problem is None
    assert found.story is not None
    assert (found.story.acts, found.story.label) == (7, "3 epochs")
    again = Sitting.going_on(found)
    assert epochs(again.document) == 3
    again.history.redo()
    assert epochs(again.document) == 4
    for expected in (3, 2, 1, epochs(headline()[0])):
        again.history.undo()
        assert epochs(again.document) == expected
    assert again.history.undo_label is None
    assert not again.history.modified
    again.recorder.close()


def test_what_goes_on_is_had_again_a_second_time(sitting: Sitting) -> None:
    sitting.epochs(1, 2)
    again = Sitting.going_on(sitting.leave())
    again.epochs(3)
    again.history.undo()
    found = again.leave()
    had = found.recovered()
    assert found.story is not None
    assert found.story.acts == 4
    assert labels(found) == ["", "1 epochs", "2 epochs"]
    assert [step.label for step in had.future] == ["3 epochs"]
    assert epochs(had.project.document) == 2
    found.discard()
    assert list(sitting.root.iterdir()) == []


def test_an_act_is_in_the_file_when_record_returns(sitting: Sitting) -> None:
    sitting.wait()
    (path,) = sitting.root.glob("a/journal-*")
    for number in range(1, 30):
        sitting.epochs(number)
        assert f'"{number} epochs"'.encode() in path.read_bytes().splitlines()[-1]
    sitting.recorder.close()


def test_closing_leaves_nothing(sitting: Sitting) -> None:
    sitting.epochs(1)
    sitting.recorder.close()
    assert list(sitting.root.iterdir()) == []
    assert not any(thread.name == "journal" for thread in threading.enumerate())


def test_closing_at_once_leaves_nothing(tmp_path: Path) -> None:
    for _ in range(20):
        Sitting(tmp_path / "root", Project()).recorder.close()
    assert not list(tmp_path.rglob("a*"))


def test_closing_does_not_wait_until_weights_are_written(tmp_path: Path) -> None:
    sitting, real, pieces = Sitting(tmp_path, two_outputs()), arrays.write, 0
    train(sitting.project, 3)

    def slow(file: Any, given: Any) -> None:
        nonlocal pieces
        real(file, given)
        while True:  # as if there were no end to them
            pieces += 1
            file.write(b"more")
            time.sleep(0.001)

    with mock.patch.object(arrays, "write", slow):
        sitting.recorder.trained(sitting.project)
        until(lambda: pieces)
        sitting.recorder.close()
    assert list(tmp_path.iterdir()) == []
    assert sitting.told == []


def test_of_what_nobody_changed_nothing_is_left(sitting: Sitting) -> None:
    sitting.wait()
    sitting.recorder.close(discard=False)
    assert recover(sitting.root) == []
    assert list(sitting.root.iterdir()) == []


def test_of_what_was_undone_nothing_is_left(sitting: Sitting) -> None:
    sitting.epochs(1)
    sitting.history.undo()
    sitting.recorder.close(discard=False)
    assert recover(sitting.root) == []


def test_the_file_of_the_project_is_never_touched(tmp_path: Path) -> None:
    path = tmp_path / "p.loom"
    loom.save(path, fill(two_outputs()))
    before, status = path.read_bytes(), path.stat()
    sitting = Sitting(tmp_path / "root", loom.load(path), path)
    sitting.epochs(1, 2)
    sitting.recorder.trained(sitting.project)
    found = sitting.leave()
    assert found.file == "same"
    found.recovered()
    assert path.read_bytes() == before
    now = path.stat()
    assert (now.st_mtime_ns, now.st_ctime_ns, now.st_nlink) == (
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_nlink,
    )


# -- saving --------------------------------------------------------------------------------------


def test_after_saving_nothing_is_left(tmp_path: Path, sitting: Sitting) -> None:
    sitting.epochs(1, 2)
    sitting.save(tmp_path / "p.loom")
    sitting.wait()
    sitting.recorder.close(discard=False)
    assert recover(sitting.root) == []


def test_acts_are_counted_since_the_last_save(tmp_path: Path, sitting: Sitting) -> None:
    sitting.epochs(1, 2)
    sitting.save(tmp_path / "p.loom")
    sitting.epochs(3)
    found = sitting.leave()
    assert found.story is not None
    assert (found.story.acts, found.story.path) == (1, tmp_path / "p.loom")
    assert found.file == "same"
    again = Sitting.going_on(found)
    assert again.history.modified
    again.history.undo()
    assert not again.history.modified  # that is what the file holds
    again.history.undo()
    assert again.history.modified
    again.recorder.close()


def test_what_became_of_the_file_is_told(tmp_path: Path, sitting: Sitting) -> None:
    path = tmp_path / "p.loom"
    sitting.save(path)
    sitting.epochs(3)
    found = sitting.leave()
    assert found.file == "same"
    loom.save(path, Project())
    assert found.file == "changed"
    path.unlink()
    assert found.file == "missing"
    assert epochs(found.recovered().project.document) == 3
    found.discard()


def test_a_project_without_a_file_has_none(sitting: Sitting) -> None:
    sitting.epochs(3)
    found = sitting.leave()
    assert found.file == "none"
    found.discard()


# -- what training learnt ------------------------------------------------------------------------


def test_what_training_learnt_is_had_again(tmp_path: Path) -> None:
    sitting = Sitting(tmp_path, two_outputs())
    for seed in (3, 4):
        train(sitting.project, seed)
        sitting.recorder.trained(sitting.project)
        sitting.wait()
    found = sitting.leave()
    had = found.recovered()
    assert had.learnt
    assert had.problems == ()
    assert weights(had.project) == weights(sitting.project)
    assert had.project.store.step == 4
    assert [run.history["loss"][0] for run in had.project.runs] == [3.0, 4.0]
    kept = [path.name for path in found.place.iterdir() if "kept" in path.name]
    assert {name.split(".")[0] for name in kept} == {"kept-2"}  # the one before is gone
    found.discard()


def test_who_asks_hears_when_it_is_on_the_disk(tmp_path: Path) -> None:
    sitting, heard = Sitting(tmp_path, two_outputs()), threading.Event()
    train(sitting.project, 3)

    def kept() -> None:
        (journal,) = tmp_path.glob("a/journal-*")
        assert b'"kept"' in journal.read_bytes().splitlines()[-1]
        heard.set()

    sitting.recorder.trained(sitting.project, kept)
    assert heard.wait(20)
    sitting.recorder.close()


def test_training_after_training_is_kept_once_it_can_be(tmp_path: Path) -> None:
    sitting, heard = Sitting(tmp_path, two_outputs()), list[int]()
    for seed in range(1, 9):
        train(sitting.project, seed)
        sitting.recorder.trained(sitting.project, lambda seed=seed: heard.append(seed))
    found = sitting.leave()
    assert heard == list(range(1, 9))
    assert weights(found.recovered().project) == weights(sitting.project)
    found.discard()


def test_what_the_file_held_is_had_again_whatever_became_of_it(tmp_path: Path) -> None:
    path, project, sitting = opened_trained(tmp_path)
    sitting.epochs(1)
    found = sitting.leave()
    path.unlink()
    had = found.recovered()
    assert not had.learnt  # the file had it
    assert weights(had.project) == weights(project)
    found.discard()


def test_of_large_files_that_are_only_edited_nothing_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorders, "COPIED", 100)
    path, project, sitting = opened_trained(tmp_path)
    sitting.epochs(1)
    found = sitting.leave()
    assert not list(found.place.glob("kept*"))
    had = found.recovered()
    assert weights(had.project) == weights(project)
    assert had.problems == ()
    train(project, 6)
    project.runs.clear()
    loom.save(path, project)  # by somebody else
    had = found.recovered()
    assert [p.code for p in had.problems] == ["journal_other_weights"]
    path.unlink()
    assert weights(found.recovered().project) == {}
    found.discard()


def test_a_project_without_weights_takes_none_from_a_file_that_changed(tmp_path: Path) -> None:
    path = tmp_path / "p.loom"
    loom.save(path, two_outputs())
    sitting = Sitting(tmp_path / "root", loom.load(path), path)
    sitting.epochs(1)
    again = Sitting.going_on(sitting.leave())
    again.epochs(2)
    found = again.leave()
    loom.save(path, fill(two_outputs()))  # by somebody else
    had = found.recovered()
    assert weights(had.project) == {}
    assert had.problems == ()
    found.discard()


def test_weights_that_come_with_an_act_are_kept(tmp_path: Path) -> None:
    """As of an ONNX file that is put in, or of nodes that are pasted."""
    sitting = Sitting(tmp_path, Project())
    sitting.epochs(1)
    document, call = edits.add_layer(sitting.document, layer("Dense", units=2))
    owner = document.graph.calls[call].layer
    sitting.project.store.put(owner, "kernel", np.ones((3, 2), np.float32))
    sitting.history.commit("insert", document)
    found = sitting.leave()
    had = found.recovered()
    assert had.learnt
    assert {key[0] for key in weights(had.project)} == {owner}
    found.discard()


def test_weights_are_written_once_when_nothing_is_new(tmp_path: Path) -> None:
    sitting = Sitting(tmp_path, fill(two_outputs()))
    call = list(sitting.document.graph.calls)[-1]
    for _ in range(3):
        sitting.history.commit("delete", edits.remove_calls(sitting.document, [call]))
        sitting.history.undo()
        sitting.wait()
    sitting.epochs(1)
    found = sitting.leave()
    assert {path.name.split(".")[0] for path in found.place.glob("kept*")} == {"kept-1"}
    found.discard()


def test_saving_makes_what_was_learnt_saved(tmp_path: Path) -> None:
    sitting = Sitting(tmp_path / "root", two_outputs())
    train(sitting.project, 3)
    sitting.project.runs.clear()
    sitting.recorder.trained(sitting.project)
    sitting.save(tmp_path / "p.loom")  # perhaps before it was written down
    sitting.wait()
    sitting.recorder.close(discard=False)
    assert recover(tmp_path / "root") == []


def test_what_was_saved_before_it_was_written_down_is_had_from_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not what was written down of the training before."""
    sitting = Sitting(tmp_path / "root", two_outputs())
    train(sitting.project, 3)
    sitting.recorder.trained(sitting.project)
    sitting.wait()
    replace = Failing(monkeypatch, "replace", errno.ENOSPC)
    train(sitting.project, 4)
    sitting.project.runs.clear()
    loom.save(tmp_path / "p.loom", sitting.project)
    replace.on = True
    sitting.recorder.trained(sitting.project)
    sitting.recorder.saved(tmp_path / "p.loom")
    sitting.epochs(9)
    until(lambda: sitting.told)
    sitting.recorder.close(discard=False)
    (found,) = recover(tmp_path / "root")
    had = found.recovered()
    assert weights(had.project) == weights(sitting.project)
    assert had.problems == ()
    found.discard()


def test_what_is_written_down_late_does_not_hide_what_was_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights from before a training are under the pen while that ends, and is saved."""
    sitting, real = Sitting(tmp_path / "root", fill(two_outputs(), 3)), keeping.keep
    sitting.wait()
    under_way, saved, done = threading.Event(), threading.Event(), list[Kept]()

    def slow(*args: Any) -> Kept:
        under_way.set()
        assert saved.wait(20)
        if done:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # what was saved never is
        done.append(real(*args))
        return done[0]

    monkeypatch.setattr(keeping, "keep", slow)
    sitting.epochs(1)  # the first act: what there is, is written down
    assert under_way.wait(20)
    train(sitting.project, 4)
    sitting.project.runs.clear()
    sitting.recorder.trained(sitting.project)
    sitting.save(tmp_path / "p.loom")
    saved.set()
    sitting.epochs(2)
    until(lambda: sitting.told)
    sitting.recorder.close(discard=False)
    (found,) = recover(tmp_path / "root")
    assert weights(found.recovered().project) == weights(sitting.project)
    found.discard()


def test_damaged_weights_are_told_and_the_files_taken(tmp_path: Path) -> None:
    _, project, sitting = opened_trained(tmp_path)
    train(sitting.project, 6)
    sitting.recorder.trained(sitting.project)
    sitting.epochs(7)
    found = sitting.leave()
    (kept,) = found.place.glob("kept-*.weights")
    data = bytearray(kept.read_bytes())
    data[-1] ^= 1
    kept.write_bytes(data)
    had = found.recovered()
    assert [p.code for p in had.problems] == ["file_unreadable", "journal_other_weights"]
    assert weights(had.project) == weights(project)
    assert epochs(had.project.document) == 7
    found.discard()


def test_a_training_under_way_is_told(tmp_path: Path) -> None:
    sitting, place = Sitting(tmp_path / "root", Project()), tmp_path / "checkpoint"
    place.mkdir()
    sitting.recorder.training(place)
    found = sitting.leave()
    assert found.story is not None
    assert found.story.training == str(place)
    again = Sitting.going_on(found)
    again.recorder.training(None)
    again.wait()
    again.recorder.close(discard=False)
    assert recover(tmp_path / "root") == []


# -- a long journal ------------------------------------------------------------------------------


def test_a_long_journal_is_written_anew_while_acts_go_on(
    sitting: Sitting, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(recorders, "LONG", 20_000)
    sitting.epochs(1, 2)
    sitting.save(tmp_path / "p.loom")
    for round_ in range(30):
        sitting.epochs(*range(10 * round_ + 1, 10 * round_ + 11))
        sitting.history.undo()
        time.sleep(0.005)
    until(lambda: sitting.recorder._file._path.name != "journal-1")  # type: ignore[union-attr]
    sitting.wait()
    sizes = [path.stat().st_size for path in sitting.root.glob("a/journal-*")]
    assert len(sizes) == 1
    assert sizes[0] < 100_000
    found = sitting.leave()
    had = found.recovered()
    assert found.story is not None
    assert found.story.acts == 30 * 11
    assert epochs(had.project.document) == 299
    assert [step.label for step in had.future] == ["300 epochs"]
    assert len(had.past) >= 99
    found.discard()


def test_what_was_saved_is_known_in_a_journal_written_anew(
    sitting: Sitting, tmp_path: Path
) -> None:
    sitting.epochs(1, 2)
    sitting.save(tmp_path / "p.loom")
    sitting.epochs(3)
    sitting.history.undo()
    sitting.history.undo()
    again = Sitting.going_on(sitting.leave())  # which writes it anew
    found = again.leave()
    assert found.story is not None
    assert found.story.acts == 3
    once_more = Sitting.going_on(found)
    assert once_more.history.modified
    once_more.history.redo()
    assert epochs(once_more.document) == 2
    assert not once_more.history.modified
    once_more.recorder.close()
