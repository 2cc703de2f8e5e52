"""NumPy's .npy and .npz files, read as strangers' are: nothing unpickled, all memory bounded.

Arrays larger than `LARGE` stay in their file, and are memory maps.
"""

import lzma
import re
import sys
import zipfile
import zlib
from math import prod
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from studio.engine.program import Array
from studio.limits import ARRAY_AXES, ARRAYS
from studio.problem import Problem, refuse
from studio.text import legible

LARGE = 2**26  # bytes; what is larger is read by blocks
_SUFFIX = ".npy"
_BLOCK = 2**20  # letters looked at together
_VERSIONS = ((1, 0), (2, 0), (3, 0))
_LONGEST = 2**16  # bytes of a header; ours have a hundred
# Possessive: what was read once is not read in another way, or blanks would take for ever.
_PATTERN = re.compile(
    r"\s*+\{\s*+(?:(?:'descr':\s*+'(?P<descr>[^']{1,20})'"
    r"|'fortran_order':\s*+(?P<fortran>True|False)"
    r"|'shape':\s*+(?P<shape>\([0-9L, ]{0,400}\)))\s*+,?\s*+){3}\}\s*+"
)
BROKEN = (
    ValueError,  # also of headers
    TypeError,  # no dtype is called so
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)


def read_arrays(path: Path, largest: int) -> dict[str, Array]:
    """The arrays in an .npz file by name, but those without an axis.

    Nothing is unpickled, and sizes are bounded before anything is read: together at most
    `largest` bytes, arrays apart that are stored as they are and stay where they are, unread and
    so without a look at their checksums. A large compressed one goes to a temporary file without
    a name.

    Raises:
        ProblemError: ``file_unreadable``, ``file_too_large``, ``array_refused``; a file that is
            missing raises OSError.
    """
    try:
        with zipfile.ZipFile(path) as file:
            return _members(path, file, largest)
    except zipfile.BadZipFile:
        reason = Problem("reason_not_whole")
        raise refuse("file_unreadable", file=path.name, reason=reason) from None
    except (NotImplementedError, RuntimeError) as error:
        raise refuse("file_unreadable", file=path.name, reason=legible(str(error))) from None


def map_array(path: Path) -> Array:
    """The array of an .npy file, as a memory map.

    Raises:
        ProblemError: ``array_refused``; a file that is missing raises OSError.
    """
    with path.open("rb") as file:
        try:
            return _mapped(file, path.stat().st_size)
        except BROKEN as error:
            about = {"file": path.name, "column": path.stem}
            raise refuse("array_refused", **about, reason=legible(str(error))) from None


def _members(path: Path, file: zipfile.ZipFile, largest: int) -> dict[str, Array]:
    members = [m for m in file.infolist() if m.filename.endswith(_SUFFIX)]
    size = sum(m.file_size for m in members if not _stays(m))
    if size > largest or len(members) > ARRAYS:
        raise refuse("file_too_large", file=path.name, expected=largest // 2**20)
    found, room = {}, LARGE
    for member in members:
        name = member.filename.removesuffix(_SUFFIX)
        try:
            array = _member(path, file, member, room)
        except BROKEN as error:
            raise refuse(
                "array_refused", file=path.name, column=name, reason=legible(str(error))
            ) from None
        room -= 0 if isinstance(array, np.memmap) else array.nbytes
        if array.ndim:
            found[name] = array
    return found


def _stays(member: zipfile.ZipInfo) -> bool:
    """Whether an array is large and lies in the file as it is."""
    return member.file_size > LARGE and member.compress_type == zipfile.ZIP_STORED


def _member(path: Path, file: zipfile.ZipFile, member: zipfile.ZipInfo, room: int) -> Array:
    """An array of a file, in memory where there is so much room for it."""
    with file.open(member) as stream:
        if member.file_size <= room:
            return array_of(stream, member.file_size)
        if not _stays(member):
            with TemporaryFile(prefix="layerloom-") as unpacked:
                copyfileobj(stream, unpacked)
                unpacked.seek(0)
                return _mapped(unpacked, member.file_size)
    with path.open("rb") as whole:
        whole.seek(member.header_offset + 26)
        name, extra = (int.from_bytes(whole.read(2), "little") for _ in range(2))
        whole.seek(member.header_offset + 30 + name + extra)
        return _mapped(whole, member.file_size)


def array_of(stream: IO[bytes], size: int) -> Array:
    """An array of numbers or texts, once its header says no more than the file holds."""
    shape, fortran, dtype, length = _header(stream, size)
    flat = np.frombuffer(stream.read(length), dtype)
    _refuse_strange(flat)
    array = flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)
    return np.asarray(array, order="C")


def _mapped(file: IO[bytes], size: int) -> Array:
    """Likewise, of what starts here in a file; its numbers stay there."""
    shape, fortran, dtype, length = _header(file, size)
    if not length:
        return np.empty(shape, dtype)
    order: Any = "F" if fortran else "C"
    found = np.memmap(file, dtype, "r", file.tell(), shape, order)
    _refuse_strange(found.reshape(-1, order=order))
    return found


def _refuse_strange(flat: Array) -> None:
    """Texts must be Unicode; NumPy believes whatever their letters say."""
    if flat.dtype.kind != "U" or not flat.dtype.itemsize:
        return
    letters = flat.view(np.dtype(np.uint32).newbyteorder(flat.dtype.byteorder))
    for start in range(0, len(letters), _BLOCK):
        block = letters[start : start + _BLOCK]
        if np.any((block > sys.maxunicode) | ((block >= 0xD800) & (block < 0xE000))):
            raise ValueError(str(Problem("reason_text")))


def _header(stream: IO[bytes], size: int) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Shape, whether its first axis is the fastest, dtype, and how many bytes follow.

    Read by a pattern: NumPy would have Python's parser look at it, which deep brackets exhaust.
    """
    version = npy.read_magic(stream)
    if version not in _VERSIONS:
        raise ValueError(f"version {version[0]}.{version[1]}")
    length = int.from_bytes(stream.read(2 if version == (1, 0) else 4), "little")
    if length > _LONGEST:
        raise ValueError(str(Problem("reason_too_large", args={"expected": _LONGEST})))
    text = stream.read(length).decode("latin-1")
    found = _PATTERN.fullmatch(text)
    if found is None or not all(found.group("descr", "fortran", "shape")):
        raise ValueError(legible(text.strip(), 80))
    dtype, shape = np.dtype(found["descr"]), tuple(map(int, re.findall("[0-9]+", found["shape"])))
    if dtype.kind not in "buifU" or len(shape) > ARRAY_AXES:
        raise ValueError(str(Problem("reason_array", args={"received": dtype.name})))
    count = prod(shape) * dtype.itemsize
    if count > size:
        raise EOFError(str(Problem("reason_array_short")))
    return shape, found["fortran"] == "True", dtype, count
