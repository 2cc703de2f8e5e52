"""NumPy's .npz files, read as strangers' files are: nothing unpickled, everything bounded."""

import zipfile
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from studio.engine.program import Array
from studio.problem import Problem, refuse

MOST_ARRAYS = 1000
MOST_AXES = 8
_SUFFIX = ".npy"


def read_arrays(path: Path, largest: int) -> dict[str, Array]:
    """The arrays in an .npz file by name, but those without an axis.

    Nothing is unpickled, and sizes are bounded before anything is read: together at most
    `largest` bytes.

    Raises:
        ProblemError: ``file_unreadable``, ``file_too_large``, ``array_refused``; a file that is
            missing raises OSError.
    """
    try:
        with zipfile.ZipFile(path) as file:
            return _members(path, file, largest)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise refuse("file_unreadable", file=path.name, reason=str(error)) from None


def _members(path: Path, file: zipfile.ZipFile, largest: int) -> dict[str, Array]:
    members = [m for m in file.infolist() if m.filename.endswith(_SUFFIX)]
    size = sum(m.file_size for m in members)
    if size > largest or len(members) > MOST_ARRAYS:
        raise refuse("file_too_large", file=path.name, expected=largest // 2**20)
    found = {}
    for member in members:
        name = member.filename.removesuffix(_SUFFIX)
        with file.open(member) as stream:
            try:
                array = _array(stream, member.file_size)
            except (ValueError, zipfile.BadZipFile, EOFError) as error:
                raise refuse("array_refused", file=path.name, column=name, reason=error) from None
        if array.ndim:
            found[name] = array
    return found


def _array(stream: IO[bytes], size: int) -> Array:
    """An array of numbers or texts, once its header says no more than the file holds."""
    version = npy.read_magic(stream)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, dtype = read(stream)
    if dtype.kind not in "buifU" or len(shape) > MOST_AXES:
        raise ValueError(str(Problem("reason_array", args={"received": dtype})))
    count = int(np.prod(shape, dtype=object))
    if count * dtype.itemsize > size:
        raise EOFError(str(Problem("reason_array_short")))
    data = stream.read(count * dtype.itemsize)
    flat = np.frombuffer(data, dtype, count)
    array = flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)
    return np.asarray(array, order="C")
