"""Names for the columns of a table whose file gives none, or one name to two of them."""

from collections.abc import Sequence

from studio.problem import Problem

COLUMN = "column {}"  # what one without a name is called, by its number from 1
MOST_WARNINGS = 10


def numbered(width: int) -> list[str]:
    """Names of columns that have none."""
    return [COLUMN.format(number) for number in range(1, width + 1)]


def named(file: str, first: Sequence[str]) -> tuple[list[str], tuple[Problem, ...]]:
    """The names in a first row, each made one of its own, and warnings of what was changed."""
    names: dict[str, int] = {}  # and how many would have been called so
    warnings = []
    for number, cell in enumerate(first, 1):
        plain = cell.strip()
        name = _own(plain or COLUMN.format(number), names)
        if name != plain:
            code = "header_twice" if plain else "header_empty"
            args = {"file": file, "column": plain, "number": number, "name": name}
            warnings.append(Problem(code, args=args, severity="warning"))
    return list(names), tuple(warnings[:MOST_WARNINGS])


def _own(name: str, names: dict[str, int]) -> str:
    """A name that none has yet, and which is then taken."""
    found = name
    while found in names:
        names[name] += 1
        found = f"{name} ({names[name]})"
    names[found] = 1
    return found
