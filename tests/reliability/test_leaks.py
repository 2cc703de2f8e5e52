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


def measured(asked: dict[str, int]) -> dict[str, dict[str, Any]]:
    """What `tests.reliability.leaks` finds, in a process of its own."""
    words = [str(word) for pair in asked.items() for word in pair]
    ran = subprocess.run(
        [sys.executable, "-m", "tests.reliability.leaks", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    assert ran.returncode == 0, ran.stderr
    return dict(zip(asked, map(json.loads, ran.stdout.splitlines()[-len(asked) :]), strict=True))


@pytest.mark.skipif(sys.platform == "win32", reason="handles come and go there by themselves")
def test_a_window_keeps_nothing(
    amount: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    """Trainings, tabs that are closed, edits: one after the other in one window."""
    asked = {"trainings": amount(1, 100), "tabs": amount(2, 200), "edits": amount(40, 10_000)}
    found = measured(asked)
    trainings, tabs, edits = found.values()
    tell(f"{asked['trainings']} trainings leave {trainings}")
    tell(f"{asked['tabs']} tabs: {tabs['grown']:+.2f} MB, objects more: {tabs['more']}")
    slope = f"{edits['slope']:+.3f} MB/1,000 at last"
    tell(f"{asked['edits']} edits: {edits['grown']:+.2f} MB, {slope}")
    assert max(trainings.values()) <= 0, trainings  # less: something of before ended meanwhile
    assert not tabs["more"], "windows, items or sessions of projects that are closed"
    assert tabs["grown"] <= 10
    assert edits["grown"] <= 5
    if asked["edits"] >= 1000:
        assert edits["slope"] <= 0.1
