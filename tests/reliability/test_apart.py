"""ONNX files from anybody, and tables and pictures that libraries read: nothing bad comes of any.

Most is tried in one process that does what the processes apart do, and is watched; some of it as
it is done, with a process for each file.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from studio.engine.onnx_apart import open_onnx
from studio.problem import ProblemError
from studio.train.tables import read_table
from tests.reliability.attacks_onnx import ATTACKS
from tests.reliability.opening_apart import SUFFIXES, mutant

ROOT = Path(__file__).parents[2]
SHARES = {"onnx": 76, "parquet": 8, "workbook": 8, "picture": 8}  # of a hundred mutants
SHORT, LONG = 500, 25_000
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is watched as Linux does")


def watched(folder: Path, *asked: str) -> tuple[list[dict], int]:
    """The lines of JSON that the process says, and how it ended."""
    command = [sys.executable, "-m", "tests.reliability.opening_apart", str(folder), *asked]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode in (0, -6, -11), done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()], done.returncode


# -- attacks ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What came of each attack, all tried in one process that is watched."""
    lines, code = watched(tmp_path_factory.mktemp("attacks"), "attacks")
    assert code == 0, [name for name, _ in lines][-1:]
    return dict(lines)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [n for n, a in ATTACKS.items() if a.verdict != "ends"])
def test_an_attack(verdicts: dict[str, str], name: str) -> None:
    assert verdicts[name] == ATTACKS[name].verdict


def test_there_are_many() -> None:
    assert len(ATTACKS) >= 100


def really(kind: str, path: Path) -> None:
    """Open a file as it is done, in a process of its own; it is refused, and nothing is left."""
    before = psutil.Process().children()
    with pytest.raises(ProblemError) as caught:
        open_onnx(path) if kind == "onnx" else read_table(path)
    assert len(caught.value.problems) == 1
    assert path.name in str(caught.value)
    assert psutil.Process().children() == before


@pytest.mark.parametrize("name", [n for n, a in ATTACKS.items() if a.verdict == "ends"])
def test_what_ends_a_process_ends_that_which_is_there_for_it(name: str, tmp_path: Path) -> None:
    attack = ATTACKS[name]
    path = tmp_path / f"file{attack.suffix}"
    path.write_bytes(attack.make(tmp_path))
    really(attack.kind, path)


@pytest.mark.parametrize(
    "name",
    ["a terabyte of zeros", "5,000 functions within one another", "arrays in a pipe", "nothing"],
)
def test_an_attack_in_a_process_of_its_own(name: str, tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    path = tmp_path / "place" / "file.onnx"
    path.write_bytes(ATTACKS[f"onnx: {name}"].make(path.parent))
    really("onnx", path)


# -- mutants ---------------------------------------------------------------------------------------


def tried(folder: Path, parts: list[str]) -> tuple[Counter[str], list[str]]:
    """How many mutants opened, were refused, ended the process; and what was wrong with others.

    Where a table ends the process another goes on with the next, and it is tried as it is done.
    """
    counts: Counter[str] = Counter()
    wrong = []
    while parts:
        lines, code = watched(folder, *parts)
        for found in lines:
            if "mutant" in found:
                wrong.append(f"{found['mutant']}: {found['found']}")
            else:
                counts.update(found)
        if code == 0:
            break
        kind, number, last = (folder / "progress").read_text().split()[0].split(":")
        if kind in ("parquet", "workbook"):
            path = folder / f"ended{SUFFIXES[kind]}"
            path.write_bytes(mutant(kind, int(number)))
            really(kind, path)
            counts["ended"] += 1
        else:
            wrong.append(f"{kind}:{number}: the process ended by {code}")
        rest = [part.split(":")[0] for part in parts].index(kind) + 1
        parts = [f"{kind}:{int(number) + 1}:{last}", *parts[rest:]]
    return counts, wrong


def test_a_damaged_file_opens_or_is_refused_by_a_sentence(
    tmp_path: Path, amount: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    total = amount(SHORT, LONG)
    parts = [f"{kind}:0:{total * share // 100}" for kind, share in SHARES.items()]
    counts, wrong = tried(tmp_path, parts)
    tell(
        f"{total:,} damaged ONNX files, Parquet files, workbooks and pictures: {counts['opened']:,}"
        f" opened, {counts['refused']:,} were refused by a sentence, {counts['ended']} of them"
        f" ended only the process that is there for that, {len(wrong)} neither"
    )
    assert not wrong, "\n\n".join(wrong[:20])
    assert counts["opened"] > total // 10
    assert counts["refused"] > total // 3


def test_the_shares_are_of_a_hundred_and_of_every_kind() -> None:
    assert sum(SHARES.values()) == 100
    assert set(SHARES) == set(SUFFIXES)
