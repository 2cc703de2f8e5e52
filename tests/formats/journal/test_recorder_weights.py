"""Weights that undoing brings back are had again, also where no file of the project has them."""

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from studio.document import edits
from studio.document.model import CallId, LayerId
from studio.formats.journal import keeping, recovery
from studio.formats.journal import recorder as recorders
from studio.formats.journal.recovery import Found, recover
from studio.text import set_language
from tests.formats.journal.failing import Failing
from tests.formats.journal.sitting import Sitting, epochs, train, until, weights
from tests.formats.journal.test_recorder import opened_trained


@pytest.fixture(params=["large", "small"])
def opened(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Sitting:
    """A trained project from a file, too large to be copied because of one edit, or not."""
    if request.param == "large":
        monkeypatch.setattr(recorders, "COPIED", 100)
    return opened_trained(tmp_path)[2]


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sitting:
    monkeypatch.setattr(recorders, "COPIED", 100)
    return opened_trained(tmp_path)[2]


def hidden(sitting: Sitting) -> tuple[CallId, LayerId]:
    """The call and the layer of the Dense of 7 units."""
    graph = sitting.document.graph
    names = {sitting.document.entry(call).name: call for call in graph.calls}
    return names["dense"], graph.calls[names["dense"]].layer


def remove(sitting: Sitting) -> None:
    call, _ = hidden(sitting)
    sitting.history.commit("remove", edits.remove_calls(sitting.document, [call]))


def resize(sitting: Sitting) -> None:
    _, layer = hidden(sitting)
    sitting.history.commit("resize", edits.set_parameters(sitting.document, layer, units=5))


def assert_has_all(found: Found, sitting: Sitting) -> None:
    had = found.recovered()
    assert had.problems == ()
    assert weights(had.project) == weights(sitting.project)
    assert had.project.store.step == sitting.project.store.step
    found.discard()


@pytest.mark.parametrize("edit", [remove, resize])
@pytest.mark.parametrize("undone", [True, False])
def test_what_was_changed_when_it_was_saved_can_be_undone_after_a_crash(
    opened: Sitting, edit: Callable[[Sitting], None], undone: bool
) -> None:
    """The file written has no weights of it; they were gone, and nothing was said."""
    edit(opened)
    opened.save()
    if undone:
        opened.history.undo()
    opened.epochs(9)
    assert_has_all(opened.leave(), opened)


def test_where_the_system_ends_the_session_they_are_written_before(large: Sitting) -> None:
    remove(large)
    large.save()
    large.history.undo()
    large.recorder.close(discard=False)
    (found,) = recover(large.root)
    assert_has_all(found, large)


@pytest.mark.parametrize("edit", [remove, resize])
def test_what_was_changed_when_something_else_was_trained_can_be_undone_after_a_crash(
    opened: Sitting, edit: Callable[[Sitting], None]
) -> None:
    edit(opened)
    opened.project.store.step = 77
    opened.recorder.trained(opened.project)
    opened.history.undo()
    assert_has_all(opened.leave(), opened)


def test_only_what_the_file_lacks_is_written(large: Sitting) -> None:
    _, layer = hidden(large)
    remove(large)
    large.save()
    large.epochs(9)
    found = large.leave()
    (path,) = found.place.glob("kept-*.weights")
    header = path.read_bytes().split(b"}}")[0]
    assert layer.encode() + b"/kernel" in header
    assert header.count(b"/kernel") == 1
    assert found.recovered().learnt is False
    found.discard()


def test_what_each_save_lacks_is_written(large: Sitting) -> None:
    resize(large)
    large.save()
    large.wait()
    large.history.undo()
    remove(large)
    large.save()
    large.wait()
    large.save()
    large.wait()
    large.history.undo()
    large.epochs(9)
    assert_has_all(large.leave(), large)


def test_one_that_was_recovered_goes_on_likewise(large: Sitting) -> None:
    remove(large)
    large.save()
    large.epochs(9)
    again = Sitting.going_on(large.leave())
    again.history.undo()
    again.history.undo()
    again.save(again.path)
    again.epochs(12)
    remove(again)
    again.save(again.path)
    again.epochs(11)
    assert_has_all(again.leave(), again)


def test_what_could_not_be_written_is_said(large: Sitting, monkeypatch: pytest.MonkeyPatch) -> None:
    large.wait()
    replace = Failing(monkeypatch, "replace", errno.ENOSPC)
    remove(large)
    save_file_only(large, replace)
    large.epochs(9)
    until(lambda: large.told)
    large.recorder.close(discard=False)
    (found,) = recover(large.root)
    (problem,) = found.recovered().problems
    assert problem.code == "journal_weights_missing"
    assert "Weights of dense are lost" in str(problem)
    set_language("zh_CN")
    assert "dense 的部分权重" in str(problem)
    again = Sitting.going_on(found)
    replace.on = False
    again.epochs(12)
    found = again.leave()
    assert found.recovered().problems == ()  # it was said, and is no news
    found.discard()


def save_file_only(sitting: Sitting, replace: Failing) -> None:
    """Save, where the project's file can be written and nothing else."""
    real = sitting.recorder.saved

    def saved(path: Path) -> None:
        replace.on = True
        real(path)

    sitting.recorder.saved = saved  # type: ignore[method-assign]
    sitting.save()


def test_what_nothing_leads_back_to_is_not_missed(
    large: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    large.wait()
    replace = Failing(monkeypatch, "replace", errno.ENOSPC)
    _, layer = hidden(large)
    remove(large)
    save_file_only(large, replace)
    monkeypatch.setattr(recovery, "_NAMED", 0)
    large.epochs(9)
    large.recorder.close(discard=False)
    (found,) = recover(large.root)
    so_far = found.story
    assert so_far is not None
    assert so_far.missing == (layer,)
    assert "…" in str(found.recovered().problems[0])
    so_far.past = [step for step in so_far.past if layer not in step.document.layers]
    assert found.recovered().problems == ()
    found.discard()


def test_a_crash_before_they_are_written_is_said(large: Sitting) -> None:
    large.wait()
    remove(large)
    with large.recorder._lock:  # which its thread needs
        large.save()
        large.history.undo()
        shutil.copytree(large.root / "a", large.root / "b")
    large.recorder.close()
    (found,) = recover(large.root)
    assert [p.code for p in found.recovered().problems] == ["journal_weights_missing"]
    found.discard()


def test_of_too_many_arrays_those_are_written_that_are_needed(
    opened: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.wait()
    _, layer = hidden(opened)
    monkeypatch.setattr(keeping, "TENSORS", 9)
    remove(opened)
    opened.project.store.step = 77
    opened.recorder.trained(opened.project)
    opened.epochs(9)
    found = opened.leave()
    had = found.recovered()
    assert [p.code for p in had.problems] == ["journal_weights_missing"]
    assert epochs(had.project.document) == 9
    there = {key: value for key, value in weights(opened.project).items() if key[0] != layer}
    assert weights(had.project) == there
    found.discard()


def test_what_is_trained_after_that_counts(large: Sitting) -> None:
    remove(large)
    large.save()
    large.history.undo()
    train(large.project, 9)
    large.recorder.trained(large.project)
    large.save()
    remove(large)
    large.save()
    large.history.undo()
    assert_has_all(large.leave(), large)


def test_a_file_that_went_leaves_what_it_lacked(large: Sitting) -> None:
    remove(large)
    large.save()
    large.history.undo()
    _, layer = hidden(large)
    found = large.leave()
    assert large.path is not None
    large.path.unlink()
    had = found.recovered()
    assert {key[0] for key in weights(had.project)} == {layer}
    found.discard()
