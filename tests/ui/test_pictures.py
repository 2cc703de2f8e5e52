"""Which arrays look like pictures, and what they are shown as."""

import numpy as np
import pytest

from studio.train.generators import generate
from studio.train.pictures import picture
from studio.ui.pictures import pixmap


def test_a_square_number_of_greys_is_a_picture():
    image = np.arange(784, dtype=np.uint8)
    found = picture(image)
    np.testing.assert_array_equal(found, image.reshape(28, 28))


def test_floats_are_shown_by_their_own_range():
    image = np.linspace(-3, 5, 100).reshape(10, 10)
    found = picture(image)
    assert found.dtype == np.uint8
    assert (found.min(), found.max()) == (0, 255)
    assert picture(np.full((9, 9), np.nan)).max() == 0


def test_colours_stay_and_one_colour_is_grey():
    colours = np.random.default_rng(0).integers(256, size=(12, 10, 3)).astype(np.uint8)
    np.testing.assert_array_equal(picture(colours), colours)
    np.testing.assert_array_equal(picture(colours[..., :1]), colours[..., 0])


def test_some_frames_of_a_film_stand_side_by_side():
    film = np.stack([np.full(784, frame, np.uint8) for frame in range(20)])
    found = picture(film)
    assert found.shape == (28, 7 * 28)
    assert found[0, ::28].tolist() == [0, 3, 6, 9, 12, 15, 18]


@pytest.mark.parametrize(
    "array",
    [
        np.zeros(7),
        np.zeros(5),
        np.zeros((3, 4)),
        np.zeros((20, 5, 6, 7)),
        np.zeros((9, 9, 4)),
        np.zeros((2000, 9)),
        np.array(["a"] * 64),
        np.zeros((0, 9)),
    ],
)
def test_anything_else_is_none(array):
    assert picture(array) is None
    assert pixmap(array, 30, 30) is None


def test_a_pixmap_fits_and_keeps_its_proportions(qapp):
    array = generate("digits", 10).array("image")[0]
    shown = pixmap(array, 56, 500)
    assert (shown.width(), shown.height()) == (56, 56)
    image = shown.toImage()
    greys = [image.pixelColor(x, y).red() for x in range(56) for y in range(56)]
    assert np.mean(greys) == pytest.approx(array.mean(), abs=2)
    film = np.tile(array, (20, 1))
    shown = pixmap(film, 56, 140)
    assert (shown.width(), shown.height()) == (140, 20)
