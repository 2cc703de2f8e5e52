"""Files of which a damaged one could end the process are gone through in another one first."""

import os
from pathlib import Path

import pytest

from studio.problem import ProblemError
from studio.train.tables import peek_table, read_table, sound
from tests.reliability.table_mutants import parquet, sheet, workbook


@pytest.fixture(autouse=True)
def _anew() -> None:
    sound._gone_through.cache_clear()


def test_two_cells_at_the_corners_of_a_sheet_end_no_process_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "corners.xlsx"
    path.write_bytes(workbook(sheet([("A1", "1"), ("XFD1048576", "2")])))
    with pytest.raises(
        ProblemError, match=r"corners\.xlsx.*was not opened.*reaches to row 1,048,576"
    ):
        read_table(path)


def test_a_workbook_that_ends_the_process_says_what_may_be_the_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(workbook(sheet([("A1", "1"), ("D1000000", "2")])))
    sound.expect_sound(path)
    sound._gone_through.cache_clear()
    monkeypatch.setattr(sound, "MEMORY", 2**20)
    with pytest.raises(ProblemError, match=r"a\.xlsx.*was not opened.*Ctrl\+End") as caught:
        sound.expect_sound(path)
    assert caught.value.problems[0].code == "workbook_ended"


def test_what_is_sound_is_read(tmp_path: Path) -> None:
    for name, data in (("a.parquet", parquet()), ("a.xlsx", workbook())):
        (tmp_path / name).write_bytes(data)
        assert read_table(tmp_path / name).rows > 5
        assert peek_table(tmp_path / name, rows=3).rows == 3


def test_a_file_is_gone_through_once_until_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr("studio.apart.ask", lambda *about: asked.append(about))
    path = tmp_path / "a.parquet"
    path.write_bytes(parquet())
    for _ in range(2):
        sound.expect_sound(path)
    assert len(asked) == 1
    sound.expect_sound(path, rows=3)  # what is read then is not all
    os.utime(path, ns=(1, 1))
    sound.expect_sound(path)
    assert len(asked) == 3


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ProblemError) as caught:
        read_table(tmp_path / "nothing.parquet")
    assert caught.value.problems[0].code == "file_missing"
