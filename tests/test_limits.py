"""One table of limits: in code, in the README, and nowhere else."""

import re
from pathlib import Path

from studio import limits

_README = Path(__file__).parent.parent / "README.md"


def table() -> list[str]:
    """The limits as the README's table: to be pasted there when one changes."""
    lines = ["| What | At most | Of what |", "|---|---:|---|"]
    parts = [limit.part for limit in limits.LIMITS.values()]
    for i, limit in enumerate(limits.LIMITS.values()):
        first = parts.index(limit.part) == i
        amount = f"{_number(limit.number, limit.unit)} {limit.unit}".replace("iB bytes", "iB")
        lines.append(f"| {limit.part + ' ' if first else ''}| {amount} | {limit.bounds} |")
    return lines


def _number(number: int, unit: str) -> str:
    if unit == "bytes":
        for size, name in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
            if number >= size:
                return f"{round(number / size, 2):g} {name}"
    return f"{number:,}"


def test_each_limit_is_the_constant_of_its_name() -> None:
    for name, limit in limits.LIMITS.items():
        assert getattr(limits, name) == limit.number > 0
        assert limit.name == name
        assert limit.unit
        assert limit.bounds


def test_each_constant_is_in_the_table() -> None:
    named = {name for name, value in vars(limits).items() if isinstance(value, int)}
    assert named == set(limits.LIMITS)


def test_the_parts_of_the_table_stand_together() -> None:
    parts = [limit.part for limit in limits.LIMITS.values()]
    assert parts == sorted(parts, key=parts.index)


def test_the_readme_shows_the_table() -> None:
    shown = [line for line in _README.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    assert "\n".join(table()) in "\n".join(shown), "\n".join(table())


def test_each_limit_bounds_something() -> None:
    """A number that no module reads is a promise that nobody keeps."""
    sources = [p for p in (_README.parent / "studio").rglob("*.py") if p.name != "limits.py"]
    read = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    assert [name for name in limits.LIMITS if not re.search(rf"\b{name}\b", read)] == []
