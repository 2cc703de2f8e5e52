"""What is found after a crash, whose it is, and what of a damaged journal can be had."""

import errno
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.document.model import Document
from studio.document.project import Project
from studio.formats import loom
from studio.formats.journal.lines import decoded, encoded, lines
from studio.formats.journal.recovery import recover
from studio.formats.journal.story import FORMAT, Story, told, written
from studio.formats.strict_json import MalformedError
from studio.problem import ProblemError
from tests.document.drawn import headline
from tests.document.test_patch import laid_out
from tests.formats.examples import fill, two_outputs
from tests.formats.journal.sitting import Sitting, epochs
from tests.formats.test_newer import grow, later, opened
from tests.reliability.random_edits import Hand


def left(root: Path, acts: int = 5, project: Project | None = None) -> Path:
    """A journal that was left, of so many acts; where its file is."""
    sitting = Sitting(root, project or Project(headline()[0]))
    sitting.epochs(*range(1, acts + 1))
    sitting.wait()
    sitting.recorder.close(discard=False)
    (path,) = (root / "a").glob("journal-*")
    return path


def records(path: Path) -> list[dict[str, Any]]:
    return [decoded(line[42:]) for line in path.read_bytes().splitlines()]


def rewrite(path: Path, changed: list[dict[str, Any]]) -> None:
    """As if it had been written so: every check is right."""
    path.write_bytes(lines(map(encoded, changed))[0])


def test_nowhere_is_nothing(tmp_path: Path) -> None:
    assert recover(tmp_path / "nowhere") == []
    (tmp_path / "file").write_text("x")
    assert recover(tmp_path / "file") == []


def test_what_is_open_is_nobody_elses(tmp_path: Path) -> None:
    sitting = Sitting(tmp_path, Project())
    sitting.epochs(1)
    sitting.wait()
    assert recover(tmp_path) == []
    sitting.recorder.close()


def test_what_was_found_is_its_finders(tmp_path: Path) -> None:
    left(tmp_path)
    (found,) = recover(tmp_path)
    assert recover(tmp_path) == []
    found.leave()
    (again,) = recover(tmp_path)
    sitting = Sitting.going_on(again)
    assert recover(tmp_path) == []
    sitting.recorder.close()
    assert list(tmp_path.iterdir()) == []


def test_what_was_left_stays_whoever_looks_at_it(tmp_path: Path) -> None:
    path = left(tmp_path)
    data = path.read_bytes()
    for _ in range(3):
        (found,) = recover(tmp_path)
        found.recovered()
        found.leave()
    assert path.read_bytes() == data


def test_the_latest_comes_first(tmp_path: Path) -> None:
    for name in "bca":
        left(tmp_path)
        (tmp_path / "a").rename(tmp_path / (name + name))
        (tmp_path / "a.lock").rename(tmp_path / (name + name + ".lock"))
    found = recover(tmp_path)
    assert [each.place.name for each in found] == ["aa", "cc", "bb"]
    for each in found:
        each.discard()


def test_what_somebody_did_not_remove_wholly_is_removed(tmp_path: Path) -> None:
    (tmp_path / "a.lock").touch()
    (tmp_path / "b.lock").touch()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "journal.new").write_bytes(b"half")
    (tmp_path / "b" / "kept-1.weights").write_bytes(b"half")
    assert recover(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_cut_at_any_byte_the_acts_before_are_had(tmp_path: Path) -> None:
    path = left(tmp_path, acts=4)
    data, whole = path.read_bytes(), path.read_bytes().splitlines(keepends=True)
    begins = len(whole[0]) + len(whole[1])
    step = 7  # every byte of the lines themselves is tried in test_lines
    for cut in [*range(begins, len(data), step), *(begins + 1, len(data) - 1)]:
        path.write_bytes(data[:cut])
        acts = sum(sum(map(len, whole[:n])) <= cut for n in range(3, len(whole) + 1))
        found = recover(tmp_path)
        if not acts:
            assert found == []  # nothing that a file has not: it is gone
            (tmp_path / "a").mkdir()
            continue
        assert found[0].problem is None
        assert epochs(found[0].recovered().project.document) == acts
        found[0].leave()


def test_damage_ends_it_there_and_is_told(tmp_path: Path) -> None:
    path = left(tmp_path, acts=6)
    data = bytearray(path.read_bytes())
    data[data.index(b'"4 epochs"') + 1] ^= 1
    path.write_bytes(data)
    (found,) = recover(tmp_path)
    assert found.problem is not None
    assert found.problem.code == "journal_damaged"
    assert epochs(found.recovered().project.document) == 3
    again = Sitting.going_on(found)
    again.epochs(44)
    found = again.leave()
    assert found.problem is None
    assert epochs(found.recovered().project.document) == 44
    found.discard()


@pytest.mark.parametrize("at", [0, 60, 500])
def test_without_a_beginning_nothing_is_had_and_nothing_removed(tmp_path: Path, at: int) -> None:
    path = left(tmp_path)
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    (found,) = recover(tmp_path)
    assert found.story is None
    assert found.problem is not None
    assert found.problem.code == "file_problem"
    assert str(path) in str(found.problem)
    found.leave()
    assert path.read_bytes() == bytes(data)
    (found,) = recover(tmp_path)
    found.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_journal_of_a_newer_version_is_left(tmp_path: Path) -> None:
    path = left(tmp_path)
    head, *rest = records(path)
    rewrite(path, [{**head, "format": FORMAT + 1}, *rest])
    (found,) = recover(tmp_path)
    assert found.story is None
    assert "newer" in str(found.problem)
    found.leave()
    assert path.exists()


@pytest.mark.parametrize(
    "bad",
    [
        {"act": "done"},
        {"act": "done", "label": "x", "time": 0.0, "patch": {"fields": {"layers": 3}}},
        {
            "act": "done",
            "label": "x",
            "time": 0.0,
            "patch": {"fields": {"layers": {"entries": [], "gone": ["l99"]}}},
        },
        {
            "act": "done",
            "label": "x",
            "time": 0.0,
            "patch": {"fields": {"layers": {"entries": [["l99", {"fields": {}}]]}}},
        },
        {"act": "erase", "time": 0.0},
        {"act": "saved", "path": 3, "time": 0.0},
        {"act": "kept", "kept": {"number": "../../x"}, "time": 0.0},
        {"time": 0.0},
    ],
    ids=str,
)
def test_a_record_that_means_nothing_ends_it_there(tmp_path: Path, bad: dict[str, Any]) -> None:
    path = left(tmp_path, acts=4)
    known = records(path)
    rewrite(path, [*known[:-2], bad, *known[-2:]])
    (found,) = recover(tmp_path)
    assert found.problem is not None
    assert found.problem.code == "journal_damaged"
    assert epochs(found.recovered().project.document) == 2
    found.discard()


def test_acts_that_make_no_document_are_left_out(tmp_path: Path) -> None:
    """Whoever wrote them: a window is never given what it could not have made."""
    path = left(tmp_path, acts=4)
    call = {"fields": {"calls": {"entries": [], "gone": ["c2"]}}}
    wrong = {"fields": {"graphs": {"entries": [["g1", call]]}}}
    about = {"act": "done", "label": "x", "time": 0.0}
    known = records(path)
    rewrite(path, [*known, {**about, "patch": wrong}, *({**known[-1]} for _ in range(9))])
    (found,) = recover(tmp_path)
    assert found.problem is not None
    assert found.story is not None
    assert found.story.label == "4 epochs"
    assert "c2" in found.recovered().project.document.graph.calls
    found.discard()


def test_a_document_that_no_file_may_hold_is_had_all_the_same(tmp_path: Path) -> None:
    """Should an act ever make one, what was done is not lost for it."""
    sitting = Sitting(tmp_path, Project(headline()[0]))
    graph = sitting.document.graph
    wire = min(graph.wires)
    graphs = {"g1": replace(graph, wires=graph.wires | {replace(wire, slot=3)})}
    sitting.history.commit("impossible", replace(sitting.document, graphs=graphs))
    sitting.epochs(5)
    found = sitting.leave()
    assert found.problem is None
    had = found.recovered()
    assert (had.now.label, epochs(had.project.document)) == ("5 epochs", 5)
    assert len(had.project.document.graph.wires) == len(graph.wires) + 1
    found.discard()


def test_a_file_of_a_later_version_stays_one_that_is_not_written_over(tmp_path: Path) -> None:
    project, path = opened(tmp_path, later(grow))
    sitting = Sitting(tmp_path / "root", project, path)
    sitting.epochs(5)
    found = sitting.leave()
    assert list(found.place.glob("kept-*"))
    had = found.recovered()
    assert laid_out(had.project.document) == laid_out(sitting.document)
    assert had.project.newer == project.newer
    assert loom.lost(had.project) == loom.lost(sitting.project) != ()
    with pytest.raises(ProblemError) as refused:
        loom.save(path, had.project)
    assert refused.value.problems[0].code == "newer_stays"
    found.discard()


@pytest.mark.parametrize("seed", range(3))
def test_any_story_is_told_again(seed: int) -> None:
    hand = Hand(headline()[0], seed)
    story = Story.beginning(hand.document, Path("/some/p.loom"))
    for number in range(60):
        label, hand.document = hand.edit()
        choice = hand.draw.random()
        if choice < 0.2 and story.past:
            hand.document = story.past[-1].document
            story.took("undone", "", hand.document)
        elif choice < 0.3 and story.future:
            hand.document = story.future[-1].document
            story.took("redone", "", hand.document)
        else:
            story.took("done", f"{label} {number}", hand.document)
        if number == 30:
            story.was_saved(Path("/some/q.loom"), None, kept=True)
    found, followed = told([decoded(record) for record in written(story)])
    assert followed
    for name in ("path", "stamp", "acts", "label", "kept", "training", "when"):
        assert getattr(found, name) == getattr(story, name), name
    for mine, theirs in ((found.past, story.past), (found.future, story.future)):
        assert [step.label for step in mine] == [step.label for step in theirs]
        for each, other in zip(mine, theirs, strict=True):
            assert laid_out(each.document) == laid_out(other.document)
    assert laid_out(found.now.document) == laid_out(story.now.document)
    steps = (*story.past, story.now, *story.future)
    is_there = any(step.document is story.saved for step in steps)
    assert (found.saved is not None) == is_there


def test_a_second_fault_while_it_is_had_again_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading fails, or writing anew: what was left stays as it was, for the next time."""
    path = left(tmp_path, project=fill(two_outputs()))
    before = {p.name: p.read_bytes() for p in path.parent.iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr("studio.formats.journal.file.opened", _refuse)
        (found,) = recover(tmp_path)
        assert found.story is None
        assert found.problem is not None
        assert found.problem.code == "file_unreadable"
        found.leave()
    (found,) = recover(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("studio.formats.journal.keeping.opened", _refuse)
        had = found.recovered()
        assert [p.code for p in had.problems] == ["file_unreadable"]
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", _refuse)
        sitting = Sitting.going_on(found)
        sitting.epochs(7)
        sitting.recorder.close(discard=False)
    assert {p.name: p.read_bytes() for p in path.parent.iterdir()} == before
    (found,) = recover(tmp_path)
    assert epochs(found.recovered().project.document) == 5
    found.discard()


def _refuse(*_: Any, **__: Any) -> Any:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_links_are_not_followed(tmp_path: Path) -> None:
    left(tmp_path / "other")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "a").symlink_to(tmp_path / "other" / "a")
    assert recover(tmp_path / "root") == []
    assert (tmp_path / "other" / "a").exists()
    assert (tmp_path / "root" / "a").is_symlink()


def test_copies_of_a_journal_are_journals(tmp_path: Path) -> None:
    """What a backup brings back can be had, too."""
    left(tmp_path)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    found = recover(tmp_path)
    assert {each.place.name for each in found} == {"a", "b"}
    for each in found:
        each.discard()


def test_two_threads_that_look_find_each_once(tmp_path: Path) -> None:
    for _ in range(10):
        left(tmp_path, acts=1)
        with ThreadPoolExecutor(2) as threads:
            found = list(threads.map(recover, [tmp_path, tmp_path]))
        (one,) = (each for some in found for each in some)
        one.discard()


def test_a_journal_needs_a_document() -> None:
    for few in ([], [{"act": "journal", "format": 1}], [{}, {}], [{"act": "journal"}, {}]):
        with pytest.raises(MalformedError):
            told(few)
    base = [decoded(record) for record in written(Story.beginning(Document(), None))]
    assert told(base)[0].now.document == Document()
    with pytest.raises(MalformedError):
        told([base[0], {**base[1], "document": json.loads("{}")}])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes in folders")
def test_what_somebody_else_put_into_the_folder_neither_holds_up_nor_leads_elsewhere(
    tmp_path: Path,
) -> None:
    """A pipe in the place of a journal was waited for, for ever, at each start."""
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    for name in ("pipe", "link", "locked", "endless"):
        (root / name).mkdir(parents=True)
    os.mkfifo(root / "pipe" / "journal-1")
    (root / "link" / "journal-1").symlink_to("/etc/passwd")
    (root / "endless" / "journal-1").symlink_to("/dev/zero")
    (root / "locked.lock").symlink_to(elsewhere)
    found = recover(root)
    assert {each.place.name for each in found} == {"pipe", "link", "endless"}
    for each in found:
        assert each.story is None
        assert each.problem is not None
        assert each.problem.code == "file_unreadable"
        each.discard()
    assert not elsewhere.exists()
    assert Path("/etc/passwd").exists()
