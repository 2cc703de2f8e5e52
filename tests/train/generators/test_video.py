"""Films whose digits take a course that no single frame tells."""

import numpy as np

from studio.train.generators.video import COURSES, FRAMES, _digits, films


def test_a_film_is_twenty_pictures() -> None:
    table = films(40, 0)
    assert table.array("film").shape == (40, FRAMES, 784)
    assert table.array("film").dtype == np.uint8
    assert set(table.texts("course")) == set(COURSES)


def test_the_digits_follow_their_course() -> None:
    course = np.repeat(np.arange(4), 50)
    shown = _digits(course, np.random.default_rng(0))
    assert shown.min() == 0
    assert shown.max() == 9
    start, middle, end = (
        shown[:, part].mean(axis=1) for part in (slice(4), slice(8, 12), slice(16, 20))
    )
    found = dict(zip(COURSES, (course == number for number in range(4)), strict=True))
    assert (start > end)[found["falls"]].all()
    assert (start < end)[found["rises"]].all()
    assert (middle > np.maximum(start, end))[found["hill"]].all()
    assert (middle < np.minimum(start, end))[found["valley"]].all()
