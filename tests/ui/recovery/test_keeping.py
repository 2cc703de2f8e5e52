"""What goes on in a session is written down: acts, saves, trainings."""

import time

import pytest

from studio.document import edits
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.formats.journal import recover
from studio.train import checkpoints
from studio.ui.recovery.keeping import Keeping
from studio.ui.session import Session
from studio.ui.trainer import Phase, Training
from tests.benchmarks.canvas import residual


@pytest.fixture(autouse=True)
def state(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))  # the trainer's process inherits it


@pytest.fixture
def root(tmp_path):
    return tmp_path / "recovery"


def small(epochs):
    document = EXAMPLES["digits"]()
    return Project(edits.set_run(document, epochs=epochs))


@pytest.fixture
def kept(qapp, root):
    """A session that is kept, with its training."""
    made = []

    def keep(project, session=None):
        session = session or Session(project)
        training, keeping = Training(session), Keeping(root, session)
        keeping.watch(training)
        made.append((training, keeping))
        return session, training, keeping

    yield keep
    for training, keeping in made:
        training.kill()
        keeping.close()


def test_acts_are_told_in_their_order_where_one_causes_another(kept, root):
    session, _, keeping = kept(Project(EXAMPLES["headline"]()))
    layer = next(iter(session.document.layers))

    def once_more(old, new):
        if new.layers[layer].name == "one":
            session.commit("Second", edits.rename_layer(new, layer, "two"))

    session.changed.connect(once_more)
    session.commit("First", edits.rename_layer(session.document, layer, "one"))
    keeping.close(kept=True)
    (found,) = recover(root)
    assert found.recovered().now.document == session.document
    found.discard()


def test_what_a_training_learnt_is_safe_before_its_checkpoints_go(kept, root, qtbot):
    _, training, keeping = kept(small(1))
    with qtbot.waitSignal(training.finished, timeout=60_000):
        training.start()
    place = training._place
    assert training.interrupted() is None, "it is over"
    qtbot.waitUntil(lambda: not training._outdated, timeout=20_000)
    assert not checkpoints.exists(place)
    keeping.close(kept=True)
    (found,) = recover(root)
    recovered = found.recovered()
    assert [run.ended for run in recovered.project.runs] == ["done"]
    assert recovered.learnt
    assert not found.story.training
    found.discard()


@pytest.mark.parametrize("kept", [True, False])
def test_a_window_that_goes_right_after_a_training_leaves_no_checkpoint(
    open_window, root, qtbot, kept
):
    window = open_window(small(1), kept_in=root)
    training = window.training.training
    with qtbot.waitSignal(training.finished, timeout=60_000):
        training.start()
    window.desk.leave(kept)
    assert not checkpoints.exists(training._place)
    found = recover(root)
    assert [each.story.training for each in found] == ([""] if kept else [])
    assert all(each.recovered().learnt for each in found)
    for each in found:
        each.discard()


def test_a_training_of_a_project_without_a_file_can_be_gone_on_with(kept, root, qtbot, monkeypatch):
    _, training, keeping = kept(small(500))
    training.start()
    qtbot.waitUntil(lambda: training.phase is Phase.TRAINING, timeout=60_000)
    training.leave(seconds=20)
    assert not training.running
    keeping.close(kept=True)
    monkeypatch.setattr(checkpoints, "_PROCESS", "0" * 16)  # another process
    (found,) = recover(root)
    again, resumed, _ = kept(None, Session.recovered(found, found.recovered(), None))
    interrupted = resumed.interrupted()
    assert interrupted is not None
    assert interrupted.epochs == 500
    resumed.start(resume=True)
    qtbot.waitUntil(lambda: resumed.progress.steps > 0, timeout=60_000)
    assert resumed.progress.steps >= interrupted.batch
    resumed.kill()
    resumed.give_up()
    assert resumed.interrupted() is None
    assert not checkpoints.exists(resumed.place)
    assert again.path is None


def test_no_name_from_a_journal_leads_out_of_the_folder_of_checkpoints():
    assert checkpoints.named("untitled-0123456789abcdef-2").name == "untitled-0123456789abcdef-2"
    for name in ("..", "untitled-../../x-1", "", "/etc", "untitled-0123456789abcdef-2/.."):
        assert checkpoints.named(name) is None


def test_an_edit_of_a_large_model_is_not_held_up(kept, monkeypatch):
    session, _, keeping = kept(Project(residual(1000)))
    layer = next(k for k, e in session.document.layers.items() if e.kind == "Dense")
    record, taken = keeping._recorder.record, []

    def timed(*given):
        began = time.thread_time()
        record(*given)
        taken.append(time.thread_time() - began)

    monkeypatch.setattr(keeping._recorder, "record", timed)
    for units in range(9, 40):
        session.commit("Units", edits.set_parameters(session.document, layer, units=units))
    assert min(taken) < 0.001, "a busy machine takes longer, but not each time"
