"""Arrays that look like pictures: their pixels, and PNG files without any library of pictures."""

import struct
import zlib
from math import isqrt

import numpy as np

from studio.engine.program import Array

_LEAST, _MOST = 8, 1024  # pixels of a side
_FRAME = 16  # the least side of a film's frame
_FRAMES = 8  # of a film shown


def picture(array: Array) -> Array | None:
    """The grey or coloured picture an array of one row looks like, uint8 (height, width[, 3]).

    A square number of greys in a row, greys by height and width, with colours last; or a film:
    a few of its frames side by side. None for anything else.
    """
    if array.dtype.kind not in "buif" or not array.size:
        return None
    found = _pixels(array)
    if found is None or not all(_LEAST <= side <= _MOST for side in found.shape[:2]):
        return None
    return _bytes(found)


def _pixels(array: Array) -> Array | None:
    side = isqrt(array.shape[-1])
    square = side * side == array.shape[-1]
    if array.ndim == 1:
        return array.reshape(side, side) if square else None
    if array.ndim == 2 and square and side >= _FRAME:
        shown = array[:: -(-len(array) // _FRAMES)].reshape(-1, side, side)
        return np.concatenate(list(shown), axis=1)
    if array.ndim == 2:
        return array
    if array.ndim == 3 and array.shape[-1] in (1, 3):
        return array[..., 0] if array.shape[-1] == 1 else array
    return None


def _bytes(array: Array) -> Array:
    """Numbers as bytes from 0 to 255, by their own range unless they are bytes."""
    if array.dtype == np.uint8:
        return array
    values = np.nan_to_num(array.astype(np.float64))
    low, high = values.min(), values.max()
    return np.asarray((values - low) / max(high - low, 1e-12) * 255, np.uint8)


def png(pixels: Array) -> bytes:
    """A PNG file of bytes (height, width), grey, or (height, width, 3)."""
    height, width = pixels.shape[:2]
    colour = 2 if pixels.ndim == 3 else 0
    rows = np.ascontiguousarray(pixels, np.uint8).reshape(height, -1)
    filtered = np.concatenate([np.zeros((height, 1), np.uint8), rows], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(filtered.tobytes())), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)
