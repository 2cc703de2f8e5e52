"""The README's table of what is proven is that of the tests."""

import subprocess
import sys

from tests.proven import MISSING, NOTES, NUMBERS, README, in_readme, left_out


def test_the_readme_says_what_the_tests_prove() -> None:
    script = "from tests.proven import proven, table; print(table(proven()))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=README.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == in_readme(), "write it anew: python -m tests.proven"


def test_a_layer_of_which_nothing_is_proven_says_why() -> None:
    layers = in_readme().partition("**Losses**")[0].splitlines()
    rows = {row.split(" | ")[0].removeprefix("| "): row for row in layers if row.startswith("| ")}
    without = {entry for entry, row in rows.items() if "–" in row}
    assert without == {f"{entry}{NUMBERS[entry]}" for entry in NOTES}


def test_the_readme_says_what_is_left_out_and_why() -> None:
    assert in_readme(MISSING) == left_out(), "write it anew: python -m tests.proven"
