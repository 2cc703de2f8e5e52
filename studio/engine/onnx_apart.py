"""ONNX files from anybody, read in a process of its own: see `studio.apart`.

onnx's own code checks, inlines and converts there, and what a file made for one number of samples
computes is tried. Here only what comes back is looked at: bytes, of which each is accounted for.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from studio import apart
from studio.engine.onnx_reader import imported, read_onnx
from studio.engine.operator import table
from studio.engine.program import Array
from studio.limits import ONNX_BYTES
from studio.problem import Problem, ProblemError, refuse

BYTES = 2**28  # of memory, whatever the size of a file
TIMES = 8  # its size, and what it is copied to and fro
SECONDS = 60


def open_onnx(path: str | Path) -> tuple[str, Mapping[str, Array]]:
    """As `read_onnx`, whatever is in the file; it tells that it is reading, and can be cancelled.

    Raises:
        ProblemError: ``file_unreadable``, naming the file and, as its reason, what `read_onnx`
            raises; or how the process that read it ended (`apart.ask`).
    """
    path = Path(path)
    try:
        size = path.stat().st_size
    except OSError as error:
        raise refuse("file_unreadable", file=path.name, reason=error.strerror) from error
    bounds = apart.Bounds(BYTES + TIMES * min(size, ONNX_BYTES), SECONDS, ONNX_BYTES)
    try:
        said, payload = apart.ask(__name__, {"path": str(path.absolute())}, path, bounds)
        return _checked(said, payload)
    except ProblemError as error:
        raise ProblemError([_named(path, problem) for problem in error.problems]) from None


def _named(path: Path, problem: Problem) -> Problem:
    if not problem.code.startswith("onnx_"):
        return problem
    return Problem("file_unreadable", args={"file": path.name, "reason": problem})


def _checked(said: Any, payload: bytearray) -> tuple[str, Mapping[str, Array]]:
    """What came back, which a file may have had a hand in.

    Raises:
        ProblemError: it is not what a file comes to.
    """
    strange = refuse("onnx_unreadable", reason=Problem("reason_onnx_answer"))
    if not isinstance(said, list) or len(said) != 2 or not isinstance(said[0], str):
        raise strange
    text, shapes = said
    expected = {n: s.shape for n, s in imported(text).weights.items()}
    try:
        found = {str(name): tuple(int(d) for d in shape) for name, shape in shapes}
    except (TypeError, ValueError):
        raise strange from None
    if found != expected:
        raise strange
    arrays, at = dict[str, Array](), 0
    for name, shape in found.items():
        count = int(np.prod(shape, dtype=object)) if shape else 1
        if at + 4 * count > len(payload):
            raise strange
        arrays[name] = np.frombuffer(payload, np.float32, count, at).reshape(shape)
        at += 4 * count
    if at != len(payload):
        raise strange
    return text, arrays


# -- in the process ------------------------------------------------------------------------------


def ready() -> None:
    """Load the operators, some of which come with large libraries."""
    table()


def answer(question: Any) -> apart.Answer:
    """Read the file that is asked for."""
    text, weights = read_onnx(question["path"], lambda size: apart.allow(BYTES + TIMES * size))
    arrays: Sequence[Array] = [np.ascontiguousarray(a, np.float32) for a in weights.values()]
    shapes = [[name, array.shape] for name, array in zip(weights, arrays, strict=True)]
    return [text, shapes], arrays
