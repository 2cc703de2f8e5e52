"""What a journal comes to is a true part of what a window's history was."""

import errno
import random
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from studio.document import edits, history
from studio.document.history import History, Step
from studio.document.model import Document
from studio.document.project import Project
from studio.formats.journal import file, recorder, story
from studio.formats.journal.lines import decoded
from studio.formats.journal.recovery import Recovered, recover
from studio.formats.journal.story import Story, told, written
from tests.document.drawn import headline, layer
from tests.document.test_patch import laid_out
from tests.formats.journal.failing import Failing
from tests.formats.journal.sitting import Sitting


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story, "STEPS", 4)


def do(of: History, draw: random.Random) -> None:
    """One act, to be done, undone or redone; sometimes several."""
    chance = draw.random()
    if chance < 0.4:
        document = edits.set_run(of.document, epochs=draw.randrange(1, 10**9))
        if chance < 0.1:  # which counts an id up: undoing does not count it down
            document, _ = edits.add_layer(document, layer("Dense", units=3))
        of.commit(f"act {document.plan.run.epochs}", document)
    elif chance < 0.5:
        for _ in range(draw.randrange(12)):
            of.undo()
    elif chance < 0.75:
        of.undo()
    else:
        of.redo()


def assert_is_part(had: Story | Recovered, of: History, merged: bool = False) -> None:
    """What can be undone and redone is of that history, next to where it is.

    `merged`: steps may be missing in between, where acts were written as one.
    """
    assert laid_out(had.now.document) == laid_out(of.document)
    assert_are_steps([*had.past, had.now], [*of._past, of._now], merged)
    assert_are_steps([*had.future, had.now], [*of._future, of._now], merged)


def assert_are_steps(found: Sequence[Step], there: Sequence[Step], merged: bool) -> None:
    """The last steps are these; nothing shows what the farthest is called."""
    assert len(found) <= len(there)
    key = [shown(step.document) for step in there]
    at = [key.index(shown(step.document)) for step in found]
    assert at == sorted(at)
    if not merged:
        assert at == list(range(len(there) - len(found), len(there)))


def shown(document: Document) -> int:
    """Tells documents apart, whatever their counters of ids."""
    return document.plan.run.epochs


@pytest.mark.parametrize("seed", range(20))
def test_a_journal_written_anew_at_any_time_tells_what_was_there(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    draw = random.Random(seed)
    for module in (history, story):
        monkeypatch.setattr(module, "LIMIT", 9)
    monkeypatch.setattr(story, "STEP_BYTES", draw.choice((0, 400, 1_000, 2**22)))
    of = History(headline()[0])
    so_far = Story.beginning(of.document, Path("/some/p.loom"))
    records = list(written(so_far))

    def follow(old: Document, new: Document) -> None:
        label, act = of.last
        so_far.took(act, label, new)
        records.append(story.act(act, label, old, new, 0.0))

    of.subscribe(follow)
    for _ in range(60):
        do(of, draw)
        if draw.random() < 0.1:
            records[:] = written(so_far)
        found, followed = told([decoded(record) for record in records])
        assert followed
        assert_is_part(found, of)
        assert_labels(found, of)


def assert_labels(had: Story | Recovered, of: History) -> None:
    """What is offered is called what it was called."""
    names = {shown(step.document): step.label for step in (*of._past, of._now, *of._future)}
    offered = ([*had.past, had.now][1:], had.future)
    for step in (step for steps in offered for step in steps):
        assert step.label == names[shown(step.document)]


@pytest.mark.parametrize("seed", range(12))
def test_what_is_recovered_is_a_true_part_whatever_fails_and_however_short_a_journal_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    draw = random.Random(seed)
    monkeypatch.setattr(story, "STEP_BYTES", draw.choice((400, 2_000)))
    monkeypatch.setattr(recorder, "LONG", draw.choice((1_000, 2**22)))
    monkeypatch.setattr(file, "JOURNAL_BYTES", draw.choice((9_000, 20_000)))
    monkeypatch.setattr(recorder, "RETRY", draw.choice((0.01, 1000.0)))
    write = Failing(monkeypatch, "write", errno.ENOSPC)
    sitting, merged = Sitting(tmp_path / "root", Project(headline()[0])), False
    sitting.wait()
    for number in range(80):
        do(sitting.history, draw)
        if draw.random() < 0.1:
            write.on, merged = not write.on, True
        if draw.random() < 0.3:
            time.sleep(0.003)
        if not sitting.recorder._lacks and not number % 3:
            copy = tmp_path / "copies" / str(number)
            copy.mkdir(parents=True)
            with sitting.recorder._lock:  # the one that counts stays where it is
                name = file.path_of(Path(), max(file.numbers(sitting.root / "a")))
                shutil.copyfile(sitting.root / "a" / name, copy / name)
            assert_is_recovered(copy.parent, sitting.history, merged)
    write.on = False
    sitting.recorder.close(discard=False)
    assert_is_recovered(sitting.root, sitting.history, merged=False)


def assert_is_recovered(root: Path, of: History, merged: bool) -> None:
    for found in recover(root):
        assert found.problem is None
        had = found.recovered()
        assert_is_part(had, of, merged)
        assert_labels(had, of)
        found.discard()
