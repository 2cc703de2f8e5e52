"""What the cells of a column are taken for."""

import subprocess
import sys

import pytest

from studio.train.tables.kinds import kind_of, sequence

KINDS = [
    ("integer", ["1", " -2 ", "", "+30"]),
    ("number", ["1", "2.5", "NA", "-1e3"]),
    ("date", ["2024-01-02", "2024-01-03 10:00", ""]),
    ("date", ["13/1/2024", "2/1/2024"]),
    ("date", ["2024年1月2日", "2024年12月3日"]),
    ("image", ["cat/1.PNG", "dog/2.jpeg"]),
    ("sequence", ["1 2 3", "[4, 5]", "6;7", "(8)"]),
    ("class", ["yes", "no", "yes", "no"]),
    ("class", ["NA", "None", "NA", "None"]),
    ("text", ["one", "two", "three", "four"]),
    ("text", ["1,234", "2,345", "12,345"]),  # one number each, as Americans write it
    ("text", ["1 2", "x", "3 4"]),
    ("class", ["", "", "", ""]),
]


@pytest.mark.parametrize(("kind", "cells"), KINDS)
def test_kinds(kind: str, cells: list[str]) -> None:
    assert kind_of(cells) == kind


def test_sequences() -> None:
    assert sequence(" [1, 2.5; -3] ") == [1, 2.5, -3]
    assert sequence("") == []
    assert sequence("1 x") is None


def test_what_reads_a_format_is_imported_with_its_first_file() -> None:
    program = (
        "import sys, studio.train.tables, studio.train.encoding, studio.train.profiles;"
        "print({'PIL', 'arro3', 'python_calamine'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr


@pytest.mark.parametrize("cell", ["1" * 10**6 + "x", " " * 10**6 + "x", "1 " * 10**6 + "x"])
def test_a_long_cell_is_looked_at_once(cell: str) -> None:
    """By a pattern that tries every way to part it, this would take hours."""
    assert kind_of([cell, cell]) in ("text", "class")
