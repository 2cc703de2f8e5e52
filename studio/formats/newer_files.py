"""Project files of later versions: how they are told, what is said of them, and that they stay."""

import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

from studio.document.project import Newer
from studio.formats import strict_json
from studio.formats.archive import DAMAGED
from studio.formats.document_json import FORMAT
from studio.formats.strict_json import MalformedError
from studio.limits import JSON_BYTES
from studio.problem import Problem, refuse
from studio.text import listed

_BEGINS = re.compile(rb'\{\s*"format": ([0-9]{1,9}),')  # as every version so far has written it
_WRITER = re.compile(rb"Layerloom ([0-9][0-9A-Za-z.+-]{0,40})")


def format_of(path: Path) -> int | None:
    """The number of a project file's format; None where it is no such file, or a damaged one."""
    try:
        if not path.is_file():
            return None
        with zipfile.ZipFile(path) as file, file.open("document.json") as member:
            data = member.read(100)
            found = _BEGINS.match(data)
            if found is not None:
                return int(found[1])
            value = strict_json.loads(data + member.read(JSON_BYTES), "document.json")
    except (OSError, KeyError, MalformedError, *DAMAGED):
        return None
    number = value.get("format") if isinstance(value, dict) else None
    return number if isinstance(number, int) else None


def spare_newer(path: Path) -> None:
    """Refuse to write over a project's file of a later version.

    Raises:
        ProblemError: ``newer_stays``.
    """
    number = format_of(path)
    if number is not None and number > FORMAT:
        raise refuse("newer_stays", file=str(path), received=number, expected=FORMAT)


def writer_of(comment: bytes) -> str:
    """The version that a file's comment says wrote it; empty where it does not say."""
    found = _WRITER.fullmatch(comment)
    return found[1].decode() if found else ""


def newer_problem(newer: Newer, file: str) -> Problem:
    """What to tell whoever opens a file of a later version."""
    args: dict[str, object] = {"file": file, "program": newer.writer and f" {newer.writer}"}
    args |= {"received": newer.format, "expected": FORMAT}
    args["places"] = listed_places((*newer.kept, *newer.passed))
    return Problem("newer_file", args=args, severity="warning")


def lost_problem(places: Sequence[str], file: str) -> Problem:
    """What to tell whoever has saved such a project with changes."""
    return Problem(
        "newer_lost", args={"file": file, "places": listed_places(places)}, severity="warning"
    )


def astray_problems(moved: Sequence[tuple[Path, Path]], file: str) -> list[Problem]:
    """What to tell whoever has saved a copy that does not find its data: where that is, and
    where it has to be.
    """
    places = ({"here": str(here), "there": str(there)} for here, there in moved)
    args = ({"file": file, **place} for place in places)
    return [Problem("newer_astray", args=each, severity="warning") for each in args]


def listed_places(places: Sequence[str]) -> str:
    """Some places in a file, without the name of the member most of them are in."""
    return listed([place.removeprefix("document.json.") for place in places])
