"""Files made to do harm open harmlessly or are refused; nothing they hold runs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reliability.attacks import ATTACKS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What came of each attack, all tried in one process that is watched."""
    folder = tmp_path_factory.mktemp("attacks")
    command = [sys.executable, "-m", "tests.reliability.attacking", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    found = dict(json.loads(line) for line in done.stdout.splitlines())
    assert done.returncode == 0, (
        f"ended by {done.returncode} at what follows",
        *found,
        done.stderr,
    )
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="memory is watched as Linux does")
@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack(verdicts: dict[str, str], name: str) -> None:
    assert verdicts[name] == ATTACKS[name].verdict


def test_there_are_many() -> None:
    assert len(ATTACKS) >= 60
