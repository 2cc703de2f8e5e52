"""Data looked at beside the window: small in a thread, large in a process, never in its way."""

import time

import psutil
import pytest

from studio.document import edits
from studio.document.plan import GeneratedSource, Split, TableSource
from studio.train import table_view
from studio.train.look import Looker
from studio.ui.looks import Looks

ROWS = 60_000


@pytest.fixture
def folder(tmp_path):
    for name in ("one.csv", "two.csv"):
        rows = "".join(f"some words {i},{i % 24},{i % 2}\n" for i in range(ROWS))
        (tmp_path / name).write_text("headline,hour,popular\n" + rows)
    return tmp_path


@pytest.fixture
def looks(qapp):
    made = Looks()
    made.shown, made.over = [], []
    made.seen.connect(made.shown.append)
    made.ended.connect(made.over.append)
    yield made
    made.close()


def of(session, name):
    return edits.set_data(session.document, source=TableSource(name))


def pid_of(looks, seconds=20):
    """The number of the process, once there is one."""
    end = time.monotonic() + seconds
    while looks.pid is None:
        assert time.monotonic() < end
        time.sleep(0.005)
    return looks.pid


def gone(pid, seconds=5):
    end = time.monotonic() + seconds
    while psutil.pid_exists(pid) and time.monotonic() < end:
        time.sleep(0.01)
    return not psutil.pid_exists(pid)


def test_a_small_table_takes_no_process(qtbot, looks, session, tmp_path):
    looks.ask(session.document, tmp_path, {})
    qtbot.waitUntil(lambda: bool(looks.over), timeout=20_000)
    assert looks.pid is None
    assert [ending.how for ending in looks.over] == ["seen"]
    assert looks.shown[-1].table.rows == 4000
    assert not looks.busy


def test_a_table_that_is_looked_at_again_was_not_read(qtbot, looks, session, tmp_path, monkeypatch):
    """Else what trains beside it would be told of as time that the file took."""
    looks.ask(session.document, tmp_path, {})
    qtbot.waitUntil(lambda: bool(looks.over), timeout=20_000)
    slowly = Looker.look
    monkeypatch.setattr(Looker, "look", lambda *args: time.sleep(0.3) or slowly(*args))
    other = edits.set_data(session.document, split=Split("random", 0.3))
    looks.ask(session.document, tmp_path, {})
    looks.ask(other, tmp_path, {})
    qtbot.waitUntil(lambda: len(looks.over) == 2, timeout=20_000)
    assert looks.shown[-1].document is other
    assert [ending.read for ending in looks.over] == [True, False]
    assert looks.over[-1].seconds >= 0.3


def test_a_large_table_shows_its_beginning_and_then_all_of_it(qtbot, looks, session, folder):
    told = []
    looks.told.connect(lambda *args: told.append(args))
    looks.ask(of(session, "one.csv"), folder, {})
    qtbot.waitUntil(lambda: bool(looks.over), timeout=60_000)
    assert [look.table.rows for look in looks.shown] == [table_view.PEEKED, ROWS]
    assert [look.table.whole for look in looks.shown] == [False, True]
    assert {"reading", "counting"} <= {doing for doing, _, _ in told}
    assert all(done <= total for _, done, total in told if total)
    pid = looks.pid
    looks.ask(of(session, "one.csv"), folder, {})
    qtbot.waitUntil(lambda: len(looks.over) == 2, timeout=60_000)
    assert looks.pid == pid  # it still has the table
    assert looks.shown[-1].table is looks.shown[-2].table
    assert [ending.read for ending in looks.over] == [True, False]


def test_a_reading_that_is_cancelled_ends_its_process(qtbot, looks, session, folder):
    looks.ask(of(session, "one.csv"), folder, {})
    qtbot.waitUntil(lambda: bool(looks.shown), timeout=20_000)
    pid = looks.pid
    looks.cancel()
    assert looks.over[-1].how == "cancelled"
    assert looks.pid is None
    assert gone(pid)
    looks.ask(of(session, "one.csv"), folder, {})  # as after an edit: it is not read on
    qtbot.waitUntil(lambda: len(looks.shown) == 2, timeout=20_000)
    assert looks.pid is None
    assert not looks.shown[-1].table.whole
    looks.ask(of(session, "one.csv"), folder, {}, again=True)
    qtbot.waitUntil(lambda: looks.over[-1].how == "seen", timeout=60_000)
    assert looks.shown[-1].table.whole


def test_another_table_ends_the_reading_of_the_first(qtbot, looks, session, folder):
    looks.ask(of(session, "one.csv"), folder, {})
    pid = pid_of(looks)
    looks.ask(of(session, "two.csv"), folder, {})
    assert gone(pid)
    qtbot.waitUntil(lambda: bool(looks.over), timeout=60_000)
    assert {look.table.name for look in looks.shown} == {"two.csv"}
    second = pid_of(looks)
    looks.ask(edits.set_data(session.document, source=GeneratedSource("headline")), folder, {})
    assert gone(second)
    qtbot.waitUntil(lambda: len(looks.over) == 2, timeout=20_000)
    assert looks.shown[-1].table.rows == 4000


def test_a_project_saved_elsewhere_has_its_table_still(qtbot, looks, session, folder):
    document = of(session, str(folder / "one.csv"))
    looks.ask(document, folder, {})
    qtbot.waitUntil(lambda: bool(looks.over), timeout=60_000)
    pid, seen = looks.pid, len(looks.shown)
    looks.ask(document, folder.parent, {})
    assert looks.pid == pid
    qtbot.waitUntil(lambda: len(looks.over) == 2, timeout=60_000)
    assert [look.table.whole for look in looks.shown[seen:]] == [True]


def test_what_is_asked_while_it_reads_is_answered_last(qtbot, looks, session, folder):
    looks.ask(of(session, "one.csv"), folder, {})
    unbound = edits.set_data(of(session, "one.csv"), inputs={}, targets={})
    looks.ask(unbound, folder, {})
    qtbot.waitUntil(lambda: bool(looks.over), timeout=60_000)
    assert looks.shown[-1].document is unbound
    assert len(looks.over) == 1


def test_a_reader_that_is_killed_is_told_of(qtbot, looks, session, folder):
    looks.ask(of(session, "one.csv"), folder, {})
    psutil.Process(pid_of(looks)).kill()
    qtbot.waitUntil(lambda: bool(looks.over), timeout=20_000)
    assert looks.over[-1].how == "broke"
    assert looks.pid is None


def test_nothing_is_left_when_it_goes_away(qtbot, session, folder):
    made = Looks()
    made.ask(of(session, "one.csv"), folder, {})
    pid = pid_of(made)
    made.deleteLater()
    qtbot.waitUntil(lambda: not psutil.pid_exists(pid), timeout=10_000)


def test_closed_it_can_be_asked_again(qtbot, looks, session, tmp_path):
    looks.ask(session.document, tmp_path, {})
    looks.close()
    assert not looks.over
    looks.ask(session.document, tmp_path, {})
    qtbot.waitUntil(lambda: bool(looks.over), timeout=20_000)
    assert looks.shown[-1].table is not None
