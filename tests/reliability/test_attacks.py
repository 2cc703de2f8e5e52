"""Files made to do harm open harmlessly or are refused; nothing they hold runs."""

import sys

import pytest

from tests.reliability.attacks import ATTACKS
from tests.reliability.mutants import asked


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What came of each attack, all tried in one process that is watched."""
    lines, code, errors = asked("attacking", tmp_path_factory.mktemp("attacks"))
    assert code == 0, f"after {lines[-1:]}: {errors}"
    return dict(lines)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is watched as Linux does")
@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack(verdicts: dict[str, str], name: str) -> None:
    assert verdicts[name] == ATTACKS[name].verdict


def test_there_are_many() -> None:
    assert len(ATTACKS) >= 60
