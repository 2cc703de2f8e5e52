"""Any damaged file opens as what it still is, or is refused by one sentence: nothing else."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reliability import seeds

SHARES = {  # of a hundred mutants
    "project": 42,
    "nodes": 4,
    "step": 8,
    "checkpoint": 8,
    "journal": 6,
    "arrays": 13,
    "text": 11,
    "records": 8,
}
SHORT, LONG = 1_500, 75_000
TOGETHER = 5_000  # tried by one process
ROOT = Path(__file__).parents[2]


def tried(folder: Path, parts: list[str]) -> tuple[Counter[str], list[str]]:
    """How many mutants opened and were refused, and what was wrong with others.

    Where a mutant ends the process that opens it, another goes on with the next.
    """
    counts: Counter[str] = Counter()
    wrong = []
    while parts:
        command = [sys.executable, "-m", "tests.reliability.opening", str(folder), *parts]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        for line in done.stdout.splitlines():
            found = json.loads(line)
            if "mutant" in found:
                wrong.append(f"{found['mutant']}: {found['found']}")
            else:
                counts.update(found)
        if done.returncode == 0:
            break
        kind, number, last = (folder / "progress").read_text().split()[0].split(":")
        wrong.append(
            f"{kind}:{number}: the process ended by {done.returncode}\n{done.stderr[-2000:]}"
        )
        rest = [part.split(":")[0] for part in parts].index(kind) + 1
        parts = [f"{kind}:{int(number) + 1}:{last}", *parts[rest:]]
    return counts, wrong


@pytest.mark.skipif(sys.platform != "linux", reason="memory is watched as Linux does")
def test_a_damaged_file_opens_or_is_refused_by_a_sentence(
    tmp_path: Path, amount: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    seeds.write_all(tmp_path / "seeds")
    total = amount(SHORT, LONG)
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for start in range(0, total, TOGETHER):
        size = min(TOGETHER, total - start)
        parts = [
            f"{kind}:{start * share // 100}:{(start + size) * share // 100}"
            for kind, share in SHARES.items()
        ]
        found, strange = tried(tmp_path, parts)
        counts += found
        wrong += strange
    tell(
        f"{counts.total() + len(wrong):,} damaged files: {counts['opened']:,} opened and were saved"
        f" again the same, {counts['refused']:,} were refused by a sentence, {len(wrong)} neither"
    )
    assert not wrong, "\n\n".join(wrong[:20])
    assert counts["opened"] > total // 10
    assert counts["refused"] > total // 3


def test_the_shares_are_of_a_hundred_and_of_every_kind() -> None:
    assert sum(SHARES.values()) == 100
    assert set(SHARES) == set(seeds.KINDS)
