"""A sample as a matrix, whatever its axes, and numbers in little room."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF

from studio.train.study.taps import TapSample, measured, side_of
from studio.ui.study.heat_view import HeatView
from studio.ui.study.tap_views import (
    part_index,
    parts,
    picture_of,
    said,
    shape_said,
    share,
    text_said,
    thinned_said,
)


def sample(*shape: int, mask: np.ndarray | None = None, words: tuple[str, ...] = ()) -> TapSample:
    array = np.arange(int(np.prod(shape)), dtype=np.float32).reshape(1, *shape)
    return measured(array, None if mask is None else mask[None], 0, words)


def test_steps_are_across_and_units_down() -> None:
    picture = picture_of(sample(5, 3, mask=np.array([0, 1, 1, 1, 1], bool)))
    assert picture.matrix.shape == (3, 5)
    assert picture.matrix[2, 1] == 5
    assert picture.mask is not None
    assert picture.mask.tolist() == [False, True, True, True, True]
    assert picture.steps


def test_a_row_of_numbers_has_no_steps_unless_it_is_a_text_or_masked() -> None:
    assert picture_of(sample(4)).row
    assert not picture_of(sample(2, words=("a", "b"))).row
    assert picture_of(sample(2, mask=np.ones(2, bool))).steps
    assert picture_of(sample()).matrix.shape == (1, 1)


def test_a_mask_of_steps_within_steps_leaves_out_where_any_is_left_out() -> None:
    mask = np.array([[1, 1], [1, 0], [1, 1]], bool)
    picture = picture_of(sample(3, 2, mask=mask))
    assert picture.mask is not None
    assert picture.mask.tolist() == [True, False, True]


@pytest.mark.parametrize(("shape", "count"), [((4, 5, 3), 3), ((2, 4, 5, 3), 6), ((4, 5, 1), 1)])
def test_pictures_are_shown_channel_by_channel(shape: tuple[int, ...], count: int) -> None:
    found = sample(*shape)
    assert parts(found.values) == count
    for part in range(count):
        *before, channel = part_index(found.values, part)
        picture = picture_of(found, part)
        assert picture.square
        place = (*before, slice(None), slice(None), channel)
        np.testing.assert_array_equal(picture.matrix, found.values[place])


def test_a_flat_picture_is_folded_and_other_rows_where_asked() -> None:
    flat = replace(sample(784), side=28)
    assert picture_of(flat).matrix.shape == (28, 28)
    assert picture_of(flat).square
    assert picture_of(flat, fold=0).row
    odd = picture_of(sample(10), fold=4)
    assert odd.matrix.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 0, 0]]
    assert [side_of((n,)) for n in (784, 783, 64, 0)] == [28, 0, 0, 0]
    assert side_of((28, 28)) == side_of(()) == 0


def test_a_part_that_is_not_there_any_more_is_the_last() -> None:
    assert part_index(np.zeros((4, 5, 3)), 99) == (2,)


def test_numbers_in_little_room() -> None:
    assert said(0.012345) == "0.0123"
    assert said(-12.0) == "\u221212"
    assert said(float("nan")) == "–"
    assert [share(part) for part in (0, 0.0001, 0.5, 0.99999, 1)] == [
        *("0\u2009%", "<\u20090.1\u2009%", "50\u2009%", ">\u200999.9\u2009%", "100\u2009%")
    ]
    assert shape_said(sample(5, 3)) == "float32 · 1 × 5 × 3"


def test_a_text_is_told_without_its_padding() -> None:
    words, signs = sample(3, words=("", "the", "cat")), sample(4, words=("", "c", " ", "t"))
    assert text_said(words) == ""
    assert text_said(replace(words, is_text=True)) == "the cat"
    assert text_said(replace(signs, is_text=True)) == "c t"


def test_that_numbers_are_left_out_is_said_with_which() -> None:
    assert thinned_said(sample(5, 3)) == ""
    assert "100 × 512" in thinned_said(sample(100, 512))
    assert "2 × 8" in thinned_said(sample(100, 512))


# -- under the mouse -----------------------------------------------------------------------------


@pytest.fixture
def heat(qtbot):
    shown = HeatView()
    qtbot.addWidget(shown)
    shown.resize(500, 240)
    shown.show()
    return shown


def told(heat: HeatView, across: float, down: float) -> str:
    """What is said of a point, by shares of the picture."""
    area = heat._area()
    at = QPointF(area.left() + across * area.width(), area.top() + down * area.height())
    place = heat._place_at(at)
    return heat.said_at(*place) if place else ""


def test_a_point_tells_step_word_unit_number_and_that_it_is_masked(heat) -> None:
    words, mask = ("", "the", "cat"), np.array([0, 1, 1], bool)
    heat.show_sample(sample(3, 2, mask=mask, words=words))
    assert told(heat, 0.5, 0.9) == "Step 1 “the”, unit 1: 3"
    assert "mask" in told(heat, 0.1, 0.1)
    assert told(heat, 1.2, 0.5) == ""


def test_thinned_numbers_are_told_by_their_places_in_the_whole(heat) -> None:
    found = sample(100, 512)
    heat.show_sample(found)
    assert told(heat, 0.999, 0.999) == f"Step 98, unit 504: {98 * 512 + 504}"


def test_bars_and_pixels_are_told_too(heat) -> None:
    heat.show_sample(sample(4))
    assert told(heat, 0.9, 0.5) == "[3] = 3"
    heat.show_sample(sample(4, 5, 2), 1)
    assert told(heat, 0.99, 0.01) == "Row 0, column 4: 9"


@pytest.mark.parametrize("shape", [(), (1,), (7,), (300,), (5, 3), (1, 3), (4, 5, 3), (0,), (3, 0)])
def test_whatever_the_shape_it_is_drawn(heat, shape: tuple[int, ...]) -> None:
    array = np.full((2, *shape), np.nan, np.float32)
    heat.show_sample(measured(array, None, 0))
    heat.grab()
    heat.show_sample(measured(np.ones((2, *shape), np.int32), None, 1))
    heat.grab()
    heat.show_sample(None)
    heat.grab()
