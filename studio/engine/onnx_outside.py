"""Arrays of an ONNX file that lie in other files, which must lie beside it and be what they seem.

Taken is a regular file of one name, within the folder of the ONNX file, that holds what is told.
Not taken: what a link leads to, another name of a file elsewhere, a device, a pipe, and a place
that is told in words nobody knows.
"""

import os
import stat
from collections.abc import Callable
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
import onnx
from onnx import helper

from studio.engine.onnx_bounds import tensors
from studio.problem import ProblemError, refuse

_KEYS = {"location", "offset", "length", "checksum"}
_DIGITS = 19  # of a number of bytes


def load_outside(
    model: onnx.ModelProto, folder: Path, most: int, needed: Callable[[int], None]
) -> None:
    """Read the arrays kept in other files.

    Args:
        model: which gets them.
        folder: of its file.
        most: bytes of all of them.
        needed: told how many bytes they are before any is read.

    Raises:
        ProblemError: ``onnx_outside``, ``onnx_type``.
    """
    outside = [t for t in tensors(model) if t.data_location == onnx.TensorProto.EXTERNAL]
    places = [_place(tensor, folder) for tensor in outside]
    whole = sum(size for *_, size in places)
    if whole > most:
        raise refuse("onnx_outside", name=outside[0].name)
    if outside:
        needed(whole)
    for tensor, (path, start, size) in zip(outside, places, strict=True):
        try:
            data = _read(path, start, size)
        except (OSError, ValueError):
            data = b""
        if len(data) != size:
            raise refuse("onnx_outside", name=tensor.name)
        tensor.raw_data = data
        tensor.data_location = onnx.TensorProto.DEFAULT
        del tensor.external_data[:]


def _place(tensor: onnx.TensorProto, folder: Path) -> tuple[Path, int, int]:
    """The file of an array, its first byte there, and how many."""
    problem = refuse("onnx_outside", name=tensor.name)
    about = {entry.key: entry.value for entry in tensor.external_data}
    if len(about) != len(tensor.external_data) or not about.keys() <= _KEYS:
        raise problem
    start, length = (_bytes(about.get(key, ""), problem) for key in ("offset", "length"))
    size = _size(tensor)
    if "length" in about and about["length"] and length != size:
        raise problem
    return _inside(folder, about.get("location", ""), problem), start, size


def _bytes(told: str, problem: ProblemError) -> int:
    if not told:
        return 0
    if not (told.isascii() and told.isdecimal() and len(told) <= _DIGITS):
        raise problem
    return int(told)


def _size(tensor: onnx.TensorProto) -> int:
    """Bytes of an array, as its dtype and shape say."""
    count = 1
    for dim in tensor.dims:
        if dim < 0:
            raise refuse("onnx_outside", name=tensor.name)
        count *= dim
    try:
        dtype: np.dtype[Any] = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.data_type))
    except (KeyError, TypeError, ValueError):
        raise refuse("onnx_type", name=tensor.name, received=tensor.data_type) from None
    return count * dtype.itemsize


def _inside(folder: Path, location: str, problem: ProblemError) -> Path:
    """A path below the folder, said in plain names, none of which is a link."""
    posix, windows = PurePosixPath(location), PureWindowsPath(location)
    parts = [p for p in location.replace("\\", "/").split("/") if p != "."]
    if posix.is_absolute() or windows.anchor or "\0" in location:
        raise problem
    if not parts or any(part in ("", "..") for part in parts):
        raise problem
    path = folder
    for part in parts:
        path = path / part
        if path.is_symlink():
            raise problem
    return path


def _read(path: Path, start: int, size: int) -> bytes:
    """So many bytes of a regular file; fewer where it is none, or has not so many.

    Raises:
        OSError, ValueError: it cannot be opened.
    """
    asked = os.O_RDONLY | getattr(os, "O_BINARY", 0)
    # A pipe nobody writes to would keep whoever opens it waiting.
    asked |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with os.fdopen(os.open(path, asked), "rb") as file:
        about = os.fstat(file.fileno())
        plain = stat.S_ISREG(about.st_mode) and about.st_nlink == 1
        if not plain or start + size > about.st_size:
            return b""
        file.seek(start)
        return file.read(size)
