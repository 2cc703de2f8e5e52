"""P3: who is killed loses at most the act under way, and nothing that training learnt."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

_ROOT = Path(__file__).parent.parent.parent
_SEED = 10


@pytest.mark.skipif(os.name == "nt", reason="Windows has neither fork nor SIGKILL")
def test_killed_sessions_are_had_again(
    tmp_path: Path, amount: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    command = [sys.executable, "-m", "tests.reliability.killed_sessions"]
    trials = amount(12, 1_000)
    done = subprocess.run(
        [*command, str(tmp_path), str(trials), str(_SEED)],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    tell(
        f"{found['trials']:,} sessions killed (seed {_SEED}) after {found['acts']:,} acts, "
        f"{found['left']:,} with something unsaved, each given to one process of three that "
        f"looked at once; had again wrongly: {len(found['wrong'])}"
    )
    assert found["wrong"] == {}
    assert found["trials"] >= trials
    assert found["acts"] > trials
