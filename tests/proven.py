"""What the tests prove of each entry of the catalogue, and what is left out, in the README.

``python -m tests.proven`` collects the tests and writes the tables anew; `tests/test_proven.py`
fails while the README has another. A test counts for an entry it is run with; what it shows is in
its name.
"""

import contextlib
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from studio.declare import Declared, snake
from studio.layers.left_out import ACTIVATIONS, PARAMETERS
from studio.left_out import BASE, NAMES, Reason
from tests.left_out import ARGUMENTS

FAMILIES = (
    "layers",
    "losses",
    "metrics",
    "optimizers",
    "initializers",
    "regularizers",
    "constraints",
)
# Column → what the name of a test that belongs there contains.
COLUMNS = {
    "cases equal to Keras": re.compile("keras"),
    "finite differences": re.compile("finite_differences"),
    "on both engines": re.compile("engines|onnxruntime"),
}
# Entry of the layers → why there is nothing in a column of it.
NOTES = {
    "Input": "computes nothing: it says what is fed, and every test of another layer has one.",
    "OnnxModel": "is none of Keras's layers; its numbers are held against onnxruntime's.",
}
NUMBERS = dict(zip(NOTES, "¹²³", strict=False))
README = Path(__file__).parents[1] / "README.md"
PROVEN = ("<!-- proven: written by python -m tests.proven -->", "<!-- /proven -->")
MISSING = ("<!-- left out: written by python -m tests.proven -->", "<!-- /left out -->")
Marks = tuple[str, str]

Counts = Mapping[tuple[str, str, str], int]  # family, entry, column


def catalogue(family: str) -> list[str]:
    """The entries of a family; none where there is no such family."""
    try:
        return list(import_module(f"studio.{family}").CATALOGUE)
    except ModuleNotFoundError:
        return []


def proven() -> Counts:
    """How many tests of each kind there are for each entry."""
    collector = _Collector()
    folders = [str(README.parent / "tests" / family) for family in FAMILIES]
    there = [folder for folder in folders if Path(folder).is_dir()]
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main(["--collect-only", "-q", "-p", "no:xdist", *there], plugins=[collector])
    return collector.counts


class _Collector:
    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str, str]] = Counter()
        self._known = {family: set(catalogue(family)) for family in FAMILIES}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            family = item.path.parent.name
            name = item.name.partition("[")[0]
            given = getattr(item, "callspec", None)
            if given is None or family not in self._known:
                continue
            found = self._entries(family, given.params.values()) | self._named(family, given.id)
            for entry in found:
                for column, words in COLUMNS.items():
                    self.counts[family, entry, column] += bool(words.search(name))

    def _entries(self, family: str, values: Iterable[Any]) -> set[str]:
        """The entries a test is run with: declarations, or lists of them."""
        parts = [p for v in values for p in (v if isinstance(v, list | tuple) else [v])]
        return {p.kind for p in parts if isinstance(p, Declared)} & self._known[family]

    def _named(self, family: str, given: str) -> set[str]:
        """The entries a test's id names: ``Dense-0``, ``lstm_no_bias``."""
        words = {snake(kind): kind for kind in self._known[family]}
        found = set(given.split("-")) & self._known[family]
        for part in given.split("-"):
            begins = [w for w in words if f"{part}_".startswith(f"{w}_")]
            found |= {words[max(begins, key=len)]} if begins else set()
        return found


def table(counts: Counts) -> str:
    """The counts in Markdown, a part for each family."""
    lines = []
    for family in FAMILIES:
        entries = sorted(catalogue(family))
        columns = [c for c in COLUMNS if any(counts.get((family, e, c)) for e in entries)]
        if not columns:
            continue
        lines += [f"**{family.capitalize()}**", "", "| | " + " | ".join(columns) + " |"]
        lines.append("|---" * (len(columns) + 1) + "|")
        for entry in entries:
            cells = [str(counts.get((family, entry, c), 0) or "–") for c in columns]
            note = NUMBERS[entry] if family == "layers" and entry in NOTES else ""
            lines.append(f"| {entry}{note} | " + " | ".join(cells) + " |")
        lines.append("")
        for entry, why in NOTES.items() if family == "layers" else ():
            lines += [f"{NUMBERS[entry]} {entry} {why}", ""]
    return "\n".join(lines).strip()


def left_out() -> str:
    """What Keras has and this does not, and why, in Markdown; a part for each family."""
    lines = _rows("layers", _of_layers())
    for family in (family for family in NAMES if family != "layers"):
        named = [(name if name[0].isupper() else f"`{name}()`", w) for name, w in _names(family)]
        given = [(f"`{name}=`", why) for name, why in sorted(ARGUMENTS.get(family, {}).items())]
        lines += _rows(family, [*named, *given])
    return "\n".join(lines).strip()


def _names(family: str) -> list[tuple[str, Reason]]:
    """Without the base classes, of which there is nothing to say."""
    return sorted((n for n in NAMES[family].items() if n[1] != BASE), key=lambda n: n[0])


def _of_layers() -> list[tuple[str, Reason]]:
    """The layers, their parameters and activations that Keras has."""
    found = [*NAMES["layers"].items()]
    found += [(f'activation "{name}"', why) for name, why in ACTIVATIONS.items()]
    of_kinds: dict[tuple[Reason, str], list[str]] = {}
    for name, each in PARAMETERS.items():
        for p in each:
            kinds = "any other layer" if "*" in p.kinds else ", ".join(p.kinds)
            of_kinds.setdefault((p.why, kinds), []).append(f"`{name}`")
    return [
        *found,
        *((f"{', '.join(names)} of {kinds}", why) for (why, kinds), names in of_kinds.items()),
    ]


def _rows(family: str, left: Sequence[tuple[str, Reason | str]]) -> list[str]:
    """A table of what is left out, by the reason; nothing where there is none."""
    by_reason: dict[str, list[str]] = {}
    for name, why in left:
        by_reason.setdefault(str(why).rstrip("."), []).append(name)
    rows = [
        f"| {', '.join(names)} | {why[0].upper()}{why[1:]}. |" for why, names in by_reason.items()
    ]
    head = [f"**{family.capitalize()}**", "", "| | why |", "|---|---|"]
    return [*head, *rows, ""] if rows else []


def in_readme(marks: Marks = PROVEN) -> str:
    """The table the README has between two marks."""
    return README.read_text("utf-8").partition(marks[0])[2].partition(marks[1])[0].strip()


def main() -> None:
    """Write the tables into the README."""
    for marks, written in ((PROVEN, table(proven())), (MISSING, left_out())):
        begin, end = marks
        before, _, rest = README.read_text("utf-8").partition(begin)
        after = rest.partition(end)[2]
        README.write_text(f"{before}{begin}\n\n{written}\n\n{end}{after}", "utf-8")


if __name__ == "__main__":
    main()
