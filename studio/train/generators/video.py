"""Films of handwritten digits whose course is to be told."""

import numpy as np
from numpy.typing import NDArray

from studio.document.draws import generator
from studio.train.generators.digits import draw
from studio.train.tables import Table

FRAMES = 20
COURSES = ("falls", "hill", "rises", "valley")  # as classes are numbered: sorted
UNSTEADY = 0.6  # deviation of a frame's digit from its course


def films(rows: int, seed: int) -> Table:
    """Films of 20 frames, uint8 (films, 20, 784), and the course their digits take.

    Each frame shows a digit. From the first to the last they rise from low to high, fall, climb a
    hill, or cross a valley, and waver on the way, so no single frame tells which: one must read
    the digits and remember them.
    """
    rng = generator(seed, "video")
    course = rng.integers(len(COURSES), size=rows)
    shown = _digits(course, rng)
    pictures = draw(shown.reshape(-1), rng).reshape(rows, FRAMES, -1)
    names = [COURSES[number] for number in course.tolist()]
    return Table("video", {"course": names}, arrays={"film": pictures})


def _digits(course: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """The digits that follow each course, (films, FRAMES)."""
    count = len(course)
    low, high = rng.uniform(0, 3, (count, 1)), rng.uniform(6, 9, (count, 1))
    turn = rng.uniform(0.35, 0.65, (count, 1))
    time = np.linspace(0, 1, FRAMES)
    up = np.broadcast_to(time, (count, FRAMES))
    hill = np.minimum(time / turn, (1 - time) / (1 - turn))
    height = np.choose(course[:, None], [1 - up, hill, up, 1 - hill])
    level = low + (high - low) * height + rng.normal(0, UNSTEADY, height.shape)
    return np.asarray(np.clip(np.rint(level), 0, 9), np.int64)
