"""Any damaged file opens as what it still is, or is refused by one sentence: nothing else."""

import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reliability import seeds
from tests.reliability.mutants import tried

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
        found, strange = tried("opening", tmp_path, parts)
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
