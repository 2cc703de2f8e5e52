"""Where a plan's table is: what is kept of a file or folder, and whether it changed."""

import hashlib
import os
from functools import lru_cache
from pathlib import Path

from studio.document.plan import PastedSource, Reading, TableSource
from studio.limits import PASTED
from studio.problem import refuse
from studio.train.tables.folders import listed
from studio.train.tables.reading import peek_table


def fingerprint(path: Path) -> tuple[int, str]:
    """A file's size in bytes and its SHA-256, to tell later whether it changed.

    Of a folder: the size of its files together, and the SHA-256 of their names, sizes and times.
    """
    path = Path(path)
    if path.is_dir():
        return _folder_print(path)
    status = path.stat()
    return status.st_size, _digest(path.resolve(), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=16)
def _digest(path: Path, size: int, modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _folder_print(folder: Path) -> tuple[int, str]:
    files = listed(folder)
    lines = "\n".join(f"{file.path}\0{file.size}\0{file.modified}" for file in files)
    return sum(file.size for file in files), hashlib.sha256(os.fsencode(lines)).hexdigest()


def table_source(path: Path, base: Path | None = None, reading: Reading = Reading()) -> TableSource:
    """What a plan keeps of a file: its path, relative to `base` where it lies below, and print.

    Only its first rows are looked at.

    Raises:
        ProblemError: ``file_missing`` or ``file_unreadable``, or what `peek_table` finds.
    """
    peek_table(path, reading)
    whole = Path(path).resolve()
    size, digest = fingerprint(whole)
    below = base is not None and whole.is_relative_to(base.resolve())
    kept = whole.relative_to(base.resolve()) if base is not None and below else whole
    return TableSource(kept.as_posix(), size, digest, reading)


def pasted_source(text: str, name: str = "") -> PastedSource:
    """What a plan keeps of a table that was pasted.

    Raises:
        ProblemError: ``pasted_too_large``.
    """
    if len(text) > PASTED:
        raise refuse("pasted_too_large", received=len(text), expected=PASTED)
    return PastedSource(text, name)
