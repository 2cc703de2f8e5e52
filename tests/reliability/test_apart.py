"""ONNX files from anybody, and tables and pictures that libraries read: nothing bad comes of any.

Most is tried in one process that does what the processes apart do, and is watched; some of it as
it is done, with a process for each file.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from studio.engine.onnx_apart import open_onnx
from studio.problem import ProblemError
from studio.train.tables import read_table
from tests.reliability.attacks_onnx import ATTACKS
from tests.reliability.mutants import asked, tried
from tests.reliability.opening_apart import DEADLY, SUFFIXES, mutant

SHARES = {"onnx": 76, "parquet": 8, "workbook": 8, "picture": 8}  # of a hundred mutants
SHORT, LONG = 500, 25_000
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is watched as Linux does")


# -- attacks ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What came of each attack, all tried in one process that is watched."""
    lines, code, errors = asked("opening_apart", tmp_path_factory.mktemp("attacks"), "attacks")
    assert code == 0, f"after {lines[-1:]}: {errors}"
    return dict(lines)


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


def test_a_damaged_file_opens_or_is_refused_by_a_sentence(
    tmp_path: Path, amount: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    total = amount(SHORT, LONG)
    parts = [f"{kind}:0:{total * share // 100}" for kind, share in SHARES.items()]

    def ended(kind: str, number: int) -> str:
        """It is tried as it is really done."""
        if kind not in DEADLY:
            return "not to be"
        path = tmp_path / f"ended{SUFFIXES[kind]}"
        path.write_bytes(mutant(kind, number))
        really(kind, path)
        return ""

    counts, wrong = tried("opening_apart", tmp_path, parts, ended)
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
