"""A journal is never longer than it is read, and no act is lost for that."""

import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from studio.document import edits
from studio.document.history import History
from studio.document.project import Project
from studio.formats import strict_json
from studio.formats.journal import file, lines, recovery, story
from studio.formats.journal import recorder as recorders
from studio.formats.journal.recovery import recover
from studio.limits import JOURNAL_BYTES, JSON_BYTES
from tests.document.drawn import headline
from tests.formats.journal.sitting import Sitting, epochs, labels, until
from tests.formats.journal.test_recovery import left


def test_what_is_written_anew_leaves_room_for_the_largest_act() -> None:
    """The document, its last acts, what is added until that is noticed, and one act."""
    assert JSON_BYTES + 2 * story.STEP_BYTES + recorders.LONG + JSON_BYTES < JOURNAL_BYTES


@pytest.mark.parametrize("long", [4_000, 2**22])
def test_a_journal_stays_as_short_as_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, long: int
) -> None:
    """Acts beyond that were written, and not read again; nothing was said."""
    most = 20_000
    for module in (file, recovery):
        monkeypatch.setattr(module, "JOURNAL_BYTES", most)
    monkeypatch.setattr(recorders, "LONG", long)
    monkeypatch.setattr(story, "STEP_BYTES", 3_000)
    sitting = Sitting(tmp_path / "root", Project(headline()[0]))
    for number in range(1, 301):
        sitting.epochs(number)
        with suppress(FileNotFoundError):  # one that was written anew has taken its place
            assert all(path.stat().st_size <= most for path in sitting.root.glob("a/journal-*"))
    found = sitting.leave()
    assert found.problem is None
    assert epochs(found.recovered().project.document) == 300
    assert labels(found)[-3:] == ["298 epochs", "299 epochs", "300 epochs"]
    found.discard()


def test_an_act_too_large_to_be_read_is_had_again_all_the_same(
    sitting: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As part of a journal that is written anew; nobody is told that nothing is kept."""
    real = strict_json.refuse_large

    def refuse_large(data: bytes, place: str) -> None:
        real(data, place)
        if b'"label":"many moves","patch"' in data:
            raise strict_json.malformed(place, "too_many", received=9, expected=8)

    monkeypatch.setattr(strict_json, "refuse_large", refuse_large)
    sitting.epochs(1, 2)
    sitting.wait()
    calls = dict.fromkeys(sitting.document.graph.calls, (7.0, 8.0))
    sitting.history.commit("many moves", edits.move_calls(sitting.document, calls))
    sitting.epochs(3)
    found = sitting.leave()
    had = found.recovered()
    assert sitting.told == []
    assert found.problem is None
    assert labels(found)[1:] == ["3 epochs"]
    assert {c.position for c in had.project.document.graph.calls.values()} == {(7.0, 8.0)}
    assert found.story is not None
    assert found.story.acts == 4
    found.discard()


def test_what_can_be_read_no_further_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = left(tmp_path, acts=6)
    each = path.read_bytes().splitlines(keepends=True)
    whole = sum(map(len, each[:-2]))
    for most in (whole, whole + 1, whole + 60, whole + len(each[-2])):
        monkeypatch.setattr(recovery, "JOURNAL_BYTES", most)
        (found,) = recover(tmp_path)
        assert found.problem is not None
        assert found.problem.code == "journal_damaged"
        assert epochs(found.recovered().project.document) == 4 + (most == whole + len(each[-2]))
        found.leave()
    monkeypatch.setattr(recovery, "JOURNAL_BYTES", path.stat().st_size)
    (found,) = recover(tmp_path)
    assert found.problem is None
    found.discard()


def test_a_document_that_cannot_be_written_is_told(
    sitting: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file can hold it either; once it is smaller again, all is kept again."""
    monkeypatch.setattr(strict_json, "JSON_BYTES", 8_000)
    monkeypatch.setattr(lines, "JSON_BYTES", 8_000)
    sitting.epochs(1)
    sitting.wait()
    sitting.history.commit("long", edits.rename_layer(sitting.document, "l2", "n" * 9_000))
    until(lambda: sitting.told)
    assert sitting.told[0] is not None
    assert sitting.told[0].code == "journal_not_written"
    sitting.history.undo()
    until(lambda: sitting.told[-1] is None)
    found = sitting.leave()
    assert labels(found) == ["", "1 epochs"]
    found.discard()


def test_what_two_acts_at_once_came_to_is_not_taken_for_one_of_them(tmp_path: Path) -> None:
    """Where hearing of one act causes another, a journal may hear of both as of one."""
    history = History(headline()[0])
    sitting = Sitting(tmp_path / "root", Project(history.document))
    sitting.epochs(1)
    sitting.history._listeners.clear()
    before = sitting.document
    sitting.epochs(2, 3)
    sitting.recorder.record("3 epochs", before, sitting.document)
    sitting.history.subscribe(sitting._on_change)
    sitting.history.undo()  # to where it never was
    sitting.wait()
    shutil.copytree(tmp_path / "root", tmp_path / "copy")
    for root in (tmp_path / "copy", tmp_path / "root"):
        if root.name == "root":
            sitting.recorder.close(discard=False)
        (found,) = recover(root)
        had = found.recovered()
        assert epochs(had.project.document) == 2
        assert (had.past, had.future) == ([], [])
        found.leave()
    sitting = Sitting.going_on(recover(tmp_path / "root")[0])
    sitting.epochs(5)
    sitting.history.undo()
    assert [step.label for step in sitting.leave().recovered().future] == ["5 epochs"]
