"""What cannot be written down is told, and comes later; nobody is kept from working."""

import errno
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from studio.document import edits
from studio.document.project import Project
from studio.formats.journal import recorder as recorders
from studio.formats.journal import story
from studio.formats.journal.recovery import recover
from studio.text import set_language
from tests.document.drawn import headline
from tests.formats.examples import two_outputs
from tests.formats.journal.failing import Failing
from tests.formats.journal.sitting import Sitting, epochs, labels, train, until, weights


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EFBIG, errno.EACCES])
def test_what_could_not_be_written_comes_later(
    sitting: Sitting, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    sitting.epochs(1)
    sitting.wait()
    write, sync = (Failing(monkeypatch, name, code) for name in ("write", "fsync"))
    write.on = sync.on = True
    sitting.epochs(2, 3)
    sitting.history.undo()
    time.sleep(0.2)  # it is tried again meanwhile
    (problem,) = sitting.told  # and told once
    assert problem is not None
    assert problem.code == "journal_not_written"
    assert os.strerror(code) in str(problem)
    assert str(sitting.root) in str(problem)
    set_language("zh_CN")
    assert os.strerror(code) in str(problem)
    write.on = sync.on = False
    until(lambda: sitting.told[-1] is None)
    found = sitting.leave()
    had = found.recovered()
    assert found.problem is None
    assert epochs(had.project.document) == 2
    assert [step.label for step in had.future] == ["3 epochs"]
    found.discard()


def test_what_fails_while_nothing_is_to_be_done_is_tried_again_without_another_act(
    sitting: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    sitting.epochs(1)
    sitting.wait()
    time.sleep(0.1)  # its thread sleeps
    write = Failing(monkeypatch, "write", errno.ENOSPC)
    write.on = True
    sitting.epochs(2)
    write.on = False
    until(lambda: sitting.told[-1] is None)
    sitting.recorder.close()


def test_the_next_act_brings_what_was_missed(
    sitting: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also before the journal is written anew."""
    sitting.epochs(1)
    sitting.wait()
    monkeypatch.setattr(recorders, "RETRY", 1000.0)
    write = Failing(monkeypatch, "write", errno.ENOSPC)
    write.on = True
    sitting.epochs(2, 3)
    write.on = False
    sitting.epochs(4)
    shutil.copytree(sitting.root / "a", sitting.root / "b")  # as it is now
    (found,) = recover(sitting.root)
    assert labels(found) == ["", "1 epochs", "4 epochs"]
    assert epochs(found.recovered().project.document) == 4
    found.discard()
    sitting.recorder.close()


def test_half_a_line_is_written_over(sitting: Sitting, monkeypatch: pytest.MonkeyPatch) -> None:
    sitting.epochs(1)
    sitting.wait()
    real, broken = os.write, [True]

    def write(handle: int, data: bytes) -> int:
        if broken and b'"2 epochs"' in data:
            broken.pop()
            real(handle, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(handle, data[:100])  # by pieces, as a full disk does it

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        patch.setattr(recorders, "RETRY", 1000.0)
        sitting.epochs(2, 3)
        assert not broken
        (path,) = sitting.root.glob("a/journal-*")
        assert path.read_bytes().count(b'"3 epochs"') == 1
        sitting.epochs(4)
    found = sitting.leave()
    assert epochs(found.recovered().project.document) == 4
    found.discard()


def test_a_disk_that_is_full_from_the_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = Failing(monkeypatch, "fsync", errno.ENOSPC)
    sync.on = True
    sitting = Sitting(tmp_path, Project())
    sitting.epochs(1, 2)
    until(lambda: sitting.told)
    sitting.epochs(3)
    assert len(sitting.told) == 1
    sync.on = False
    found = sitting.leave()
    assert sitting.told[-1] is None
    assert labels(found) == ["", "1 epochs", "2 epochs", "3 epochs"]
    found.discard()


def test_weights_that_cannot_be_written_come_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sitting, heard = Sitting(tmp_path, two_outputs()), list[int]()
    sitting.wait()
    replace = Failing(monkeypatch, "replace", errno.ENOSPC)
    replace.on = True
    train(sitting.project, 3)
    sitting.recorder.trained(sitting.project, lambda: heard.append(3))
    until(lambda: sitting.told)
    assert heard == []
    sitting.epochs(7)  # acts are written all the same
    replace.on = False
    until(lambda: heard)
    found = sitting.leave()
    assert weights(found.recovered().project) == weights(sitting.project)
    assert not list(found.place.glob(".*"))  # nothing half written
    found.discard()


def test_a_folder_that_somebody_removes_is_made_again(tmp_path: Path) -> None:
    sitting = Sitting(tmp_path / "root", two_outputs())
    train(sitting.project, 3)
    sitting.recorder.trained(sitting.project)
    sitting.epochs(1)
    sitting.wait()
    shutil.rmtree(tmp_path / "root")
    sitting.epochs(2)
    until(lambda: list((tmp_path / "root").glob("a/journal-*")))
    sitting.epochs(3)
    found = sitting.leave()
    had = found.recovered()
    assert epochs(had.project.document) == 3
    assert weights(had.project) == weights(sitting.project)
    assert had.learnt
    found.discard()


def test_a_fault_of_ours_keeps_nobody_from_working(
    sitting: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    sitting.epochs(1)
    sitting.wait()
    with monkeypatch.context() as patch:
        patch.setattr(story, "plain_patch", lambda _: {}["nothing"])
        sitting.epochs(2, 3)
        until(lambda: sitting.told)
        assert "nothing" in str(sitting.told[0])
        assert len(sitting.told) == 1
    until(lambda: sitting.told[-1] is None)
    found = sitting.leave()
    assert epochs(found.recovered().project.document) == 3
    found.discard()


def test_a_place_where_nothing_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "root").write_text("a file")
    sitting = Sitting(tmp_path / "root", Project())
    sitting.epochs(1)
    until(lambda: sitting.told)
    assert sitting.told[0] is not None
    assert sitting.told[0].code == "journal_not_written"
    (tmp_path / "root").unlink()
    until(lambda: sitting.told[-1] is None)
    found = sitting.leave()
    assert epochs(found.recovered().project.document) == 1
    found.discard()


def test_what_no_project_file_may_hold_is_had_again(tmp_path: Path) -> None:
    """A number that makes no sense is mended later; what was done meanwhile is not lost."""
    sitting = Sitting(tmp_path, Project(headline()[0]))
    document = edits.rename_layer(sitting.document, "l2", "half a letter \ud800")
    sitting.history.commit("odd", document)
    sitting.history.commit(
        "nan", edits.plan_output(document, document.graph.outputs[0], weight=float("nan"))
    )
    sitting.epochs(5)
    found = sitting.leave()
    document = found.recovered().project.document
    assert epochs(document) == 5
    assert document.layers["l2"].name == "half a letter \ud800"
    assert np.isnan(document.plan.outputs[document.graph.outputs[0].key].weight)
    found.discard()
