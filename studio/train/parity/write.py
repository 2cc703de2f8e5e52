"""A comparison to take away: a page, values for a program, a table."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from math import isfinite
from pathlib import Path
from typing import Any

from studio.formats.atomic import write_text
from studio.problem import refuse
from studio.text import text
from studio.train.parity.report import KINDS, RELATIVE, SMALL, TIMES, Kind, Report, Row
from studio.train.report.html import Markup, element, facts, joined, table
from studio.train.report.page import page
from studio.train.written import error

SUFFIXES = (".html", ".json", ".csv")
COLUMNS = ("name", "shape", "difference", "relative", "rounding", "allowed", "verdict")
Colours = tuple[Mapping[str, str], Mapping[str, str]]  # of a light page, and of a dark one


def check_suffix(path: Path) -> None:
    """Refuse a name that does not say what to write.

    Raises:
        ProblemError: ``parity_suffix``.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise refuse("parity_suffix", file=str(path))


def write(report: Report, path: Path, colours: Colours) -> None:
    """Write a report as its name says.

    Raises:
        ProblemError: ``parity_suffix``, ``file_not_written``.
    """
    check_suffix(path)
    makers: Mapping[str, Callable[[], str]] = {
        ".html": lambda: as_page(report, colours),
        ".json": lambda: json.dumps(as_json(report), ensure_ascii=False, indent=2) + "\n",
        ".csv": lambda: as_table(report),
    }
    write_text(path, makers[path.suffix.lower()]())


def as_json(report: Report) -> dict[str, Any]:
    """Values by name; numbers that are none, or endless, as null."""
    found = asdict(report)
    found["notes"] = [{"code": note.code, "text": str(note)} for note in report.notes]
    found["compared"] = [
        {k: v if not isinstance(v, float) or isfinite(v) else None for k, v in row.items()}
        for row in found["compared"]
    ]
    return {"equal": report.ok, **found}


def as_table(report: Report) -> str:
    """A line for each row, as CSV with the names of the columns on top."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(("kind", *COLUMNS))
    for row in report.compared:
        shape = "x".join(map(str, row.shape))
        writer.writerow((row.kind, *({**asdict(row), "shape": shape}[name] for name in COLUMNS)))
    return out.getvalue()


def as_lines(report: Report) -> Iterator[str]:
    """For a terminal: of each kind what is apart, else what comes nearest to it; the verdict."""
    for kind in KINDS:
        worst = report.worst(kind)
        if worst is not None:
            yield heading(report, kind)
            apart = [row for row in report.of(kind) if row.verdict != "equal"]
            yield from (f"  {_line(row)}" for row in apart)
            if not apart:
                yield f"  {text('parity.nearest')} {_line(worst)}"
    yield from (f"{text('parity.note')} {note}" for note in report.notes)
    yield report.sentence()


def heading(report: Report, kind: Kind) -> str:
    """A kind, and how many of it are equal."""
    rows = report.of(kind)
    apart = sum(row.verdict != "equal" for row in rows)
    key = "parity.head_apart" if apart else "parity.head_equal"
    return text(key, kind=text(f"parity.kind_{kind}"), count=len(rows), apart=apart)


def _line(row: Row) -> str:
    name, shape, *numbers, verdict = cells(row)
    difference, _, _, allowed = numbers
    about = {"name": name, "shape": shape, "difference": difference, "allowed": allowed}
    return text("parity.line", verdict=verdict, **about)


def as_page(report: Report, colours: Colours) -> str:
    """A page in the language in use."""
    verdict = element("p", report.sentence(), class_="good" if report.ok else "bad")
    body = [
        element("h1", text("parity.title_of", name=report.project)),
        verdict,
        facts(
            (
                (f"{report.keras}, {report.backend}", text("parity.keras")),
                (str(report.rows), text("parity.rows")),
                (str(report.steps), text("parity.steps")),
                (str(len(report.compared)), text("parity.comparisons")),
            )
        ),
        element("ul", *(element("li", str(note)) for note in report.notes)),
        element("p", rule(), class_="quiet"),
        *_parts(report),
    ]
    return page(text("parity.title_of", name=report.project), joined(body), *colours)


def rule() -> str:
    """What makes a verdict."""
    said = {"relative": RELATIVE, "times": TIMES, "small": SMALL}
    return text("parity.rule", **{name: f"{value:g}" for name, value in said.items()})


def cells(row: Row) -> tuple[str, ...]:
    """What a row says, a text for each of `COLUMNS`."""
    numbers = (row.difference, row.relative, row.rounding, row.allowed)
    there = row.verdict != "missing"
    shape = " × ".join(map(str, row.shape)) or text("parity.number")
    said = (error(n) if there else "–" for n in numbers)
    return (row.name, shape, *said, text(f"parity.{row.verdict}_one"))


def _parts(report: Report) -> Iterator[Markup]:
    """A heading and a table for each kind there is."""
    titles = [text(f"parity.column_{name}") for name in COLUMNS]
    for kind in KINDS:
        rows = report.of(kind)
        if rows:
            lines = [(*cells(row)[:-1], _verdict(row)) for row in rows]
            yield element("h2", heading(report, kind))
            yield table(titles, lines, numbers=(2, 3, 4, 5))


def _verdict(row: Row) -> Markup:
    tone = "good" if row.verdict == "equal" else "bad"
    return element("span", cells(row)[-1], class_=tone)
