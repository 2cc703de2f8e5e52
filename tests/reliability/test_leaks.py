"""P12: whatever is done in a window, it keeps nothing that it needs no more."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


def measured(what: str, count: int) -> dict[str, Any]:
    """What `tests.reliability.leaks` finds, in a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.reliability.leaks", what, str(count)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return found


def test_edits_leave_nothing(
    amount: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    count = amount(40, 10_000)
    found = measured("edits", count)
    tell(f"{count} edits: {found['grown']:+.2f} MB, {found['slope']:+.3f} MB/1,000 at last")
    assert found["grown"] <= 5
    if count >= 1000:
        assert found["slope"] <= 0.1


def test_tabs_that_are_closed_leave_nothing(
    amount: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    count = amount(2, 200)
    found = measured("tabs", count)
    tell(f"{count} times open and closed: {found['grown']:+.2f} MB, objects more: {found['more']}")
    assert not found["more"], "windows, items or sessions of projects that are closed"
    assert found["grown"] <= 10


@pytest.mark.skipif(sys.platform == "win32", reason="handles come and go there by themselves")
def test_trainings_leave_no_file_thread_or_process(
    amount: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    count = amount(1, 100)
    found = measured("trainings", count)
    tell(f"{count} trainings: {found}")
    assert found == {"files": 0, "threads": 0, "processes": 0}
