"""Where a training is, on the disk: to go on from after it was cut off, bit for bit.

Checkpoints are no part of a project's file. Each project has a folder of its own in the system's
place for the state of programs (on Linux ``~/.local/state/layerloom/training/``), named after the
path of its file; in it one file, ``checkpoint.zip``, which is wholly the one before or wholly the
new one at any moment. It is removed when the training has ended; what nobody came back to for
`KEPT_DAYS`, the next training removes.

=========================  =======================================================================
``course.json``            `Course`: epoch, batch, counters, history; settings; what data it was
``document.json``          the document that is trained
``preprocess.json``        what preprocessing learnt
``weights.safetensors``    the weights and, in ``state``, all that is kept beside them, unsettled
``state.safetensors``      (see `studio.formats.arrays`)
``best_weights`` …         the same of the best epoch, where there is one
``sums.safetensors``       the losses and metrics of the epoch that goes on
=========================  =======================================================================
"""

import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, get_type_hints

import platformdirs

from studio.document.model import Document
from studio.document.preprocess import Fitted
from studio.document.project import Project, Run
from studio.document.store import Store
from studio.formats import archive, arrays, document_json
from studio.formats.archive import Archive
from studio.formats.runs import numbers, plain_numbers, plain_run, read_run
from studio.formats.strict_json import MalformedError, malformed
from studio.formats.values import member, only, plain
from studio.formats.values import read as read_value
from studio.problem import refuse
from studio.train.course import Course

FORMAT = 1
KEPT_DAYS = 30
FILE = "checkpoint.zip"
SUMS = "sums.safetensors"
_UNTITLED = re.compile("untitled-[0-9a-f]{16}-[0-9]{1,9}")
_PROCESS = secrets.token_hex(8)  # its number will be another's one day


# -- places --------------------------------------------------------------------------------------


def place_of(project_file: Path | None, number: int = 1) -> Path:
    """The folder of a project's checkpoints; it need not be there.

    Args:
        project_file: where the project is; None: it has no file yet, and what is kept is found
            again by this process alone.
        number: which of the projects without a file.
    """
    if project_file is None:
        return _root() / f"untitled-{_PROCESS}-{number}"
    whole = os.path.realpath(project_file)
    return _root() / hashlib.sha256(os.fsencode(whole)).hexdigest()[:20]


def named(name: str) -> Path | None:
    """The folder of checkpoints that another process gave a project without a file; None: of
    another name than such a folder has.
    """
    return _root() / name if _UNTITLED.fullmatch(name) else None


def exists(place: Path) -> bool:
    """Whether a training was cut off here."""
    return (place / FILE).is_file()


def discard(place: Path) -> None:
    """Remove what is kept there: nobody will go on from it."""
    shutil.rmtree(place, ignore_errors=True)


def sweep(now: float | None = None) -> None:
    """Remove what nobody came back to for `KEPT_DAYS`."""
    oldest = (time.time() if now is None else now) - KEPT_DAYS * 86_400
    with suppress(OSError):
        for place in _root().iterdir():
            with suppress(OSError):
                newest = max((f.stat().st_mtime for f in place.iterdir()), default=0.0)
                if newest < oldest:
                    discard(place)


def _root() -> Path:
    return platformdirs.user_state_path("layerloom", appauthor=False) / "training"


# -- reading -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class About:
    """How a training is done that a checkpoint is of; the parts of `Settings` and `FitPlan`.

    Attributes:
        data: the `fingerprint` of the samples.
        with_best: whether there are weights of a best epoch.
    """

    epochs: int
    engine: str
    threads: int
    seed: int
    data: str = ""
    with_best: bool = False


@dataclass(frozen=True)
class Interrupted:
    """A training that was cut off, as far as it can be told without reading all of it.

    Attributes:
        run: what its epochs gave until then.
        epoch, batch: what comes next, counted from 0.
        epochs: how many there were to be.
        written: when it was written down, in seconds since 1970.
        size: of the file, in bytes.
    """

    run: Run
    epoch: int
    batch: int
    epochs: int
    written: float
    size: int


@dataclass(frozen=True)
class Kept:
    """A training as it was written down.

    Attributes:
        document: what is trained, with the plan as it was.
        store: weights and all that is kept beside them.
        course: where it was.
        fitted: what preprocessing learnt.
        about: how it was trained, and on what.
    """

    document: Document
    store: Store
    course: Course
    fitted: Mapping[str, Fitted]
    about: About

    def project(self) -> Project:
        """The model as it was then, as a project of its own."""
        return Project(self.document, self.store, dict(self.fitted))


def interrupted(place: Path) -> Interrupted | None:
    """What can be gone on with; None where there is nothing, or nothing that can be read."""
    path = place / FILE
    try:
        status = path.stat()
        with archive.opened(path) as file:
            course, about = _course(file.json("course.json"))
    except (OSError, MalformedError):
        return None
    return Interrupted(
        course.run, course.epoch, course.batch, about.epochs, status.st_mtime, status.st_size
    )


def read(place: Path) -> Kept:
    """What is written down there.

    Raises:
        ProblemError: ``checkpoint_missing``, ``checkpoint_damaged``.
    """
    path = place / FILE
    try:
        with archive.opened(path) as file:
            course, about = _course(file.json("course.json"))
            document = document_json.read_document(file.json("document.json"))
            fitted = read_value(
                Mapping[str, Fitted], file.json("preprocess.json"), "preprocess.json"
            )
            store = _store(file, "")
            best = _store(file, "best_").shared() if about.with_best else None
            means, _ = arrays.read_tensors(file.stored(SUMS), SUMS)
    except FileNotFoundError as error:
        raise refuse("checkpoint_missing") from error
    except (OSError, MalformedError) as error:
        raise refuse("checkpoint_damaged", file=str(path), reason=error) from error
    course = replace(course, best=best, means=means)
    return Kept(document, store, course, fitted, about)


def plain_course(course: Course, about: About) -> dict[str, Any]:
    """``course.json``."""
    found = {f.name: getattr(course, f.name) for f in fields(course) if f.name not in _APART}
    return {
        "format": FORMAT,
        "about": plain(about),
        "run": plain_run(course.run),
        "course": plain_numbers(found),
    }


_APART = ("run", "best", "means")  # of a course: members of their own


def _course(value: Any) -> tuple[Course, About]:
    """The inverse of `plain_course`, without what lies apart."""
    place = "course.json"
    found = only(value, ("format", "about", "run", "course"), place)
    if found.get("format") != FORMAT:
        raise malformed(place, "expected", expected=str(FORMAT), received=found.get("format"))
    run = read_run(member(found, "run", place), f"{place}.run")
    names = tuple(f.name for f in fields(Course) if f.name not in _APART)
    where = only(numbers(member(found, "course", place)), names, place)
    hints = get_type_hints(Course)
    values = {name: read_value(hints[name], v, f"{place}.{name}") for name, v in where.items()}
    return Course(run, **values), read_value(About, member(found, "about", place), place)


def _store(file: Archive, prefix: str) -> Store:
    weights, state = (file.stored(f"{prefix}{n}.safetensors") for n in ("weights", "state"))
    return arrays.read(weights, state)
