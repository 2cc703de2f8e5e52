"""Numbers as colours."""

import numpy as np
import pytest
from PySide6.QtGui import QColor

from studio.ui.study.heat import Scale, heat, scale_of
from studio.ui.theme import THEMES, contrast, painted_in


def colours(values: list[list[float]], scale: Scale) -> list[list[str]]:
    image = heat(np.array(values), scale)
    across, down = image.width(), image.height()
    return [[image.pixelColor(x, y).name() for x in range(across)] for y in range(down)]


@pytest.mark.parametrize("theme", THEMES)
def test_zero_is_the_ground_and_the_ends_are_two_colours(qapp, theme: str) -> None:
    with painted_in(theme):
        t = THEMES[theme]
        ((zero, most, least),) = colours([[0, 2, -2]], Scale(-2, 2))
        assert (zero, most, least) == tuple(
            QColor(name).name() for name in (t.base, t.series[0], t.series[1])
        )
        ((half,),) = colours([[1]], Scale(-2, 2))
        assert 1 < contrast(half, t.base) < contrast(most, t.base)


@pytest.mark.parametrize("theme", THEMES)
def test_what_is_no_number_stands_apart_from_every_number(qapp, theme: str) -> None:
    with painted_in(theme):
        t = THEMES[theme]
        ((nan, inf, beyond, most),) = colours([[np.nan, -np.inf, 99, 1]], Scale(-1, 1))
        assert nan == inf == QColor(t.text).name()
        assert beyond == most
        assert min(contrast(nan, other) for other in (t.base, t.series[0], t.series[1])) > 2.5


def test_a_scale_reaches_as_far_as_finite_numbers_do_and_has_zero() -> None:
    assert scale_of(np.array([1, 3, np.inf])) == Scale(0, 3)
    assert scale_of(np.array([-1, -3, np.nan])) == Scale(-3, 0)
    assert scale_of(np.array([-1.0, 2])) == Scale(-1, 2)
    assert scale_of(np.zeros(3)) == scale_of(np.array([np.nan])) == Scale(0, 1)
    assert scale_of(np.array([True, False])) == Scale(0, 1)
