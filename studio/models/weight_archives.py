"""A model's weights alone in a file: an .npz archive, or taken from a project."""

import zlib
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from studio.engine.program import Array
from studio.formats.atomic import write_bytes
from studio.problem import refuse

ARCHIVE = ".weights.npz"
# What NumPy and the libraries below it raise; RuntimeError is also of brackets that are too deep.
_DAMAGED = (
    *(ValueError, TypeError, KeyError, EOFError, SyntaxError, RuntimeError),
    *(NotImplementedError, BadZipFile, zlib.error),
)


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


def read_archive(path: Path) -> list[Array]:
    """The arrays of an archive in the order they were written.

    Raises:
        ProblemError: ``weights_archive``: it is none; a file that is missing raises OSError.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            return [archive[name] for name in archive.files]
    except _DAMAGED as error:
        raise refuse("weights_archive", file=path.name) from error
