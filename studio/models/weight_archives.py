"""A model's weights alone in a file: an .npz archive, or taken from a project."""

from collections.abc import Iterable
from io import BytesIO
from math import prod
from pathlib import Path
from typing import Any
from zipfile import ZipFile, ZipInfo

import numpy as np

from studio.engine.program import Array
from studio.formats.atomic import write_bytes
from studio.limits import TENSORS
from studio.problem import ProblemError, refuse
from studio.train.array_files import BROKEN, array_of

ARCHIVE = ".weights.npz"
_ROOM = 2**20  # bytes for the headers of arrays
_DAMAGED = (*BROKEN, RuntimeError, NotImplementedError)  # of locked members, and of odd packings


def archive_path(given: Any, overwrite: bool) -> Path:
    """Where weights may be written.

    Raises:
        ProblemError: ``weights_suffix``, ``file_exists``.
    """
    path = Path(given)
    if not path.name.endswith(ARCHIVE):
        raise refuse("weights_suffix", received=path.name, name=path.name.partition(".")[0])
    if not overwrite and path.exists():
        raise refuse("file_exists", file=str(path))
    return path


def write_archive(path: Path, weights: dict[str, Array]) -> None:
    """Write arrays by their names, in order, or leave the old file as it was."""
    data = BytesIO()
    np.savez(data, **weights)  # type: ignore[arg-type]  # a name holds a "/": never an argument's
    write_bytes(path, data.getvalue())


def read_archive(path: Path, shapes: Iterable[tuple[int, ...]]) -> list[Array]:
    """The arrays of an archive in the order they were written.

    Nothing is unpickled. What packed ones claim to come to is refused before it is unpacked, where
    neither their file is so large nor weights of these `shapes`, which are what is looked for.

    Raises:
        ProblemError: ``weights_archive``: it is none; ``file_too_large``; a file that is missing
            raises OSError.
    """
    most = path.stat().st_size + 8 * sum(map(prod, shapes)) + _ROOM
    try:
        with ZipFile(path) as file:
            members = file.infolist()
            if sum(m.file_size for m in members) > most or len(members) > TENSORS:
                raise refuse("file_too_large", file=path.name, expected=most // 2**20)
            return [_member(file, member) for member in members]
    except _DAMAGED as error:
        if isinstance(error, ProblemError):
            raise
        raise refuse("weights_archive", file=path.name) from error


def _member(file: ZipFile, member: ZipInfo) -> Array:
    with file.open(member) as stream:
        return array_of(stream, member.file_size)
