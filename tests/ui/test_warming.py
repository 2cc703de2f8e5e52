"""What is slow the first time is done before somebody waits for it."""

import gc
import os
import subprocess
import sys

import pytest
from PySide6.QtCore import QObject

from studio.declare import registry
from studio.ui.warming import Warming


def said(script: str) -> str:
    """What a fresh interpreter prints: in this one the tests have loaded everything."""
    run = [sys.executable, "-c", script]
    return subprocess.run(run, capture_output=True, text=True, check=True).stdout


def test_everything_forms_list_is_loaded_step_by_step():
    """In a fresh interpreter: here the tests have loaded it."""
    script = (
        "import sys; from studio.ui.warming import steps\n"
        "def loaded(): return {m for m in sys.modules if m.startswith('studio.initializers.')}\n"
        "before = loaded(); count = sum(1 for _ in steps()); print(count, len(loaded() - before))"
    )
    told = said(script)
    count, loaded = map(int, told.split())
    families = ("layers", "losses", "metrics", "optimizers", "initializers")
    assert count > sum(len(registry(family)) for family in families)
    assert loaded > 1


def test_operators_are_loaded_step_by_step():
    """Also in a fresh interpreter: then the first layer is put in without loading anything."""
    script = (
        "import sys; from studio.ui.warming import steps\n"
        "place = 'studio.engine.operators.'\n"
        "def loaded(): return {m for m in sys.modules if m.startswith(place)}\n"
        "most, last = 0, set()\n"
        "for _ in steps(): now = loaded(); most = max(most, len(now - last)); last = now\n"
        "from studio.engine.operator import table\n"
        "table(); print(most, len(last), len(loaded() - last))"
    )
    told = said(script)
    at_once, all_of_them, left = map(int, told.split())
    assert at_once < all_of_them / 2
    assert left == 0


def test_pages_that_nobody_sees_yet_are_loaded_after_the_window_is_there():
    script = (
        "import sys, studio.ui.app; from studio.ui.warming import steps\n"
        "late = {'scipy.sparse', 'studio.ui.study.time_page', 'studio.ui.parity_dialog'}\n"
        "print(late & set(sys.modules)); list(steps()); print(late - set(sys.modules))"
    )
    told = said(script)
    assert told.split("\n")[:2] == ["set()", "set()"]


@pytest.mark.skipif(os.name != "posix", reason="Python starts nothing there")
def test_what_python_starts_beside_the_first_process_is_there():
    script = (
        "from multiprocessing import resource_tracker\n"
        "from studio.ui.warming import steps\n"
        "assert resource_tracker._resource_tracker._pid is None\n"
        "for _ in steps(): pass\n"
        "print(resource_tracker._resource_tracker._pid)"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert int(told.stdout) > 0


def test_the_collector_then_passes_over_what_there_is(qtbot):
    owner = QObject()
    before = gc.get_freeze_count()
    try:
        warming = Warming(owner)
        warming._timer.setInterval(0)
        qtbot.waitUntil(lambda: not warming._timer.isActive(), timeout=20_000)
        assert gc.get_freeze_count() > before + 1000
    finally:
        gc.unfreeze()
