"""Opens files, and says of each whether what happened is what is promised.

A file opens, can be analysed, and is written again the same; or one problem names the file, the
place and the reason. Nothing else is raised or warned of, nothing is written, no code runs; it
takes little time and little memory. All this is watched from within a process of its own, which
a file may crash:

    python -m tests.reliability.opening FOLDER KIND:FIRST:LAST …    # mutants of the seeds there
"""

import encodings
import importlib
import json
import os
import pkgutil
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

from studio.declare import declared, registry
from studio.document.analysis import analyse
from studio.document.canonical import canonical
from studio.document.project import Project
from studio.formats import clipboard, document_json, loom
from studio.formats.document_json import file_problem
from studio.formats.journal import recovery
from studio.formats.strict_json import MalformedError
from studio.problem import ProblemError
from studio.text import LANGUAGES, set_language, without_tricks
from studio.train import checkpoints, keeper, reproduction
from studio.train.profiles import profile
from studio.train.tables import read_table
from tests.reliability.mutating import Mutator

SECONDS = 2.0
HANG = 20.0  # seconds of the processor after which it is no use to wait
MEMORY = 256 * 2**20
LARGE = 50_000  # rows
LONGEST = 2_000  # characters of what is said

Again = Callable[[], None]  # whether what was opened is written and opened again the same
Opener = Callable[[Path], Again]


# -- what opening is -------------------------------------------------------------------------------


def open_project(path: Path) -> Again:
    project = loom.load(path)
    analyse(project.document)
    canonical(project.document)
    return partial(save_again, project, path.with_name("again.loom"))


def save_again(project: Project, path: Path) -> None:
    first = loom.to_bytes(project, path.parent)
    path.write_bytes(first)
    assert loom.to_bytes(loom.load(path), path.parent) == first


def open_nodes(path: Path) -> Again:
    part = clipboard.from_text(path.read_text(encoding="utf-8", errors="replace"))
    analyse(part.document)

    def again() -> None:
        first = clipboard.to_text(part)
        assert clipboard.to_text(clipboard.from_text(first)) == first

    return again


def open_step(path: Path) -> Again:
    step = reproduction.read(path)
    analyse(step.document)

    def again() -> None:
        one, two = path.with_name("one.step"), path.with_name("two.step")
        reproduction.write(one, step)
        reproduction.write(two, reproduction.read(one))
        assert _contents(one) == _contents(two)

    return again


def open_checkpoint(path: Path) -> Again:
    place = path.parent
    checkpoints.interrupted(place)
    kept = checkpoints.read(place)
    analyse(kept.document)

    def again() -> None:
        first = _checkpoint(kept)
        (place / checkpoints.FILE).write_bytes(first)
        second = _checkpoint(checkpoints.read(place))
        assert _contents(BytesIO(first)) == _contents(BytesIO(second))

    return again


def _checkpoint(kept: checkpoints.Kept) -> bytes:
    out = BytesIO()
    keeper.write(out, kept)
    return out.getvalue()


def _contents(file: Any) -> dict[str, bytes]:
    """Of a zip, whatever the time it was written."""
    with zipfile.ZipFile(file) as found:
        return {name: found.read(name) for name in found.namelist()}


def open_journal(path: Path) -> Again:
    try:
        told, _ = recovery._told(path)
    except MalformedError as error:  # told so by whoever recovers
        raise file_problem(str(path), error) from error
    analyse(told.now.document)

    def again() -> None:
        value = document_json.to_json(told.now.document)
        assert document_json.read_document(value) == told.now.document

    return again


def open_table(path: Path) -> Again:
    table = read_table(path)
    if table.rows < LARGE:  # what is larger is looked at while somebody waits, and may stop it
        for column in [*table.columns, *table.arrays][:8]:
            profile(table, column)

    def again() -> None:
        read_table.__globals__["_read"].cache_clear()
        other = read_table(path)
        assert (other.rows, [*other.columns]) == (table.rows, [*table.columns])
        assert table.rows >= LARGE or all(
            [*other.columns[c]] == [*cells] for c, cells in table.columns.items()
        )

    return again


OPENERS: dict[str, Opener] = {
    "project": open_project,
    "nodes": open_nodes,
    "step": open_step,
    "checkpoint": open_checkpoint,
    "journal": open_journal,
    "arrays": open_table,
    "text": open_table,
    "records": open_table,
}
FILES = {"checkpoint": checkpoints.FILE, "journal": "journal-1"}  # what they must be called
NAMED = {"nodes": ""}  # what has no file of its own that messages could name


# -- what must not happen meanwhile ----------------------------------------------------------------

_NEVER = (
    *("exec", "compile", "marshal", "pickle.find_class", "code.__new__", "ctypes.", "shutil."),
    *("subprocess.", "socket.", "urllib.", "tempfile.", "webbrowser.", "winreg.", "os.system"),
    *("os.exec", "os.spawn", "os.posix_spawn", "os.fork", "os.startfile", "os.remove", "os.rename"),
    *("os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown"),
)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_done: list[str] = []
_watching = False


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if not _watching:
        return
    if event == "open":
        _, mode, flags = args
        writes = (flags or 0) & _WRITES or (isinstance(mode, str) and set(mode) & set("wax+"))
        # A file without a name, for what is too large for memory, is nobody's; nor is a number.
        if writes and not isinstance(args[0], int) and args[0] != tempfile.gettempdir():
            _done.append(f"open {args[0]!r} {mode}")
    elif event == "import":
        _done.append(f"import {args[0]}")
    elif event.startswith(_NEVER):
        _done.append(f"{event} {str(args)[:200]}")


@contextmanager
def watched(size: int) -> Iterator[None]:
    """Note what no file may do, and let memory grow by no more than is promised."""
    global _watching
    grown = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (grown + MEMORY + 2 * size, resource.RLIM_INFINITY))
    signal.setitimer(signal.ITIMER_PROF, HANG)  # ends the process
    _done.clear()
    _watching = True
    try:
        yield
    finally:
        _watching = False
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)


def warm_up(seeds: dict[str, list[Path]], folder: Path) -> None:
    """Open what is whole, so that all that is imported late is there; and then watch."""
    for family in ("layers", "losses", "optimizers", "metrics", "initializers", "regularizers"):
        for kind in registry(family):
            declared(family, kind)
    for family in ("constraints", "optimizers.schedules"):
        for kind in registry(family):
            declared(family, kind)
    for found in pkgutil.iter_modules(encodings.__path__):
        with suppress(ImportError):  # those of another system
            importlib.import_module(f"encodings.{found.name}")
    for kind, paths in seeds.items():
        for path in paths:
            wrong = tried(kind, path.read_bytes(), "".join(path.suffixes), folder)
            assert not wrong, f"{path}: {wrong}"
    sys.addaudithook(_audit)


# -- one file --------------------------------------------------------------------------------------


def tried(kind: str, data: bytes, suffix: str, folder: Path) -> str:
    """What is wrong with how a file is opened, as `judged`; it lies there alone."""
    for old in folder.iterdir():
        old.unlink()
    path = folder / FILES.get(kind, f"file{suffix}")
    path.write_bytes(data)
    return judged(OPENERS[kind], path, len(data), NAMED.get(kind, path.name))


def judged(opener: Opener, path: Path, size: int, name: str) -> str:
    """What is wrong with how a file is opened; "refused" for a good refusal, else empty.

    Args:
        size: in bytes, twice of which it may take in memory besides what any may.
        name: what a refusal must say.
    """
    began = time.process_time()
    refusal, again = None, None
    try:
        with warnings.catch_warnings(), watched(size):
            warnings.simplefilter("error")
            try:
                again = opener(path)
            except ProblemError as error:
                refusal = error
    except BaseException as error:
        return "raised " + _short(error)
    took = time.process_time() - began
    if _done:
        return f"did {_done[:3]}"
    if took > SECONDS:
        return f"took {took:.1f} s"
    if refusal is not None:
        return _ill_said(refusal, name) or "refused"
    assert again is not None
    try:
        again()
    except BaseException as error:
        return "opened, but then " + _short(error)
    return ""


def _short(error: BaseException) -> str:
    lines = "".join(traceback.format_exception(error)).splitlines()
    return f"{type(error).__name__}: {str(error)[:200]}\n" + "\n".join(lines[-14:])


def _ill_said(error: ProblemError, name: str) -> str:
    """What is wrong with a refusal, in any language."""
    if len(error.problems) != 1:
        return f"refused by {len(error.problems)} problems"
    for language in LANGUAGES:
        set_language(language)
        said = str(error.problems[0])
        if name not in said:
            return f"refused without the file's name: {said[:300]}"
        if len(said) > LONGEST or "problems." in said or without_tricks(said) != said:
            return f"refused illegibly: {said[:300]!r} … {len(said)}"
    set_language("en")
    return ""


# -- many ------------------------------------------------------------------------------------------


def mutant(kind: str, number: int, seeds: dict[str, list[Path]]) -> tuple[bytes, str]:
    """A damaged file, and what its name ends with."""
    mutator = Mutator(f"{kind} {number}", [path.read_bytes() for path in seeds[kind]])
    path = mutator.draw.choice(seeds[kind])
    return mutator.mutant(path.read_bytes()), "".join(path.suffixes)


def try_all(
    folder: Path, parts: list[str], one: Callable[[str, int], str], deadly: Collection[str] = ()
) -> None:
    """Try mutants: a line of JSON for each that is not as it should be, others are counted.

    Args:
        folder: here ``progress`` says which it is, should it end the process.
        parts: ``KIND:FIRST:LAST`` each.
        one: tries the mutant of a kind and number, as `judged` does.
        deadly: kinds of which any may end the process: what was counted is said after each.
    """
    with (folder / "progress").open("w") as progress:
        for part in parts:
            kind, first, last = part.split(":")
            counts = {"opened": 0, "refused": 0}
            for number in range(int(first), int(last)):
                progress.seek(0)
                progress.write(f"{kind}:{number}:{last} \n")
                progress.flush()
                found = one(kind, number)
                if found in ("", "refused"):
                    counts[found or "opened"] += 1
                else:
                    print(json.dumps({"mutant": f"{kind}:{number}", "found": found}), flush=True)
                if kind in deadly:
                    print(json.dumps(counts), flush=True)
                    counts = {"opened": 0, "refused": 0}
            print(json.dumps(counts), flush=True)


def main(folder: Path, parts: list[str]) -> None:
    """Try mutants of the seeds that lie in the folder."""
    seeds = {p.name: sorted(p.iterdir()) for p in sorted((folder / "seeds").iterdir())}
    place = folder / "place"
    place.mkdir(exist_ok=True)
    warm_up(seeds, place)
    try_all(folder, parts, lambda kind, number: tried(kind, *mutant(kind, number, seeds), place))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
