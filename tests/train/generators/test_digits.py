"""Drawn digits look like digits: all differ, and lines can be drawn between them."""

import numpy as np

from studio.train.generators.digits import BLOCK, SIDE, WAYS, digits, draw


def test_a_picture_is_bytes_of_dark_paper_and_light_ink() -> None:
    table = digits(300, 0)
    pictures = table.array("image")
    assert pictures.dtype == np.uint8
    assert pictures.shape == (300, SIDE * SIDE)
    assert set(table.texts("digit")) == set("0123456789")
    ink = (pictures > 128).mean(axis=1)
    assert ink.min() > 0.02  # nothing is empty,
    assert ink.max() < 0.4  # nothing a blot,
    sides = pictures.reshape(-1, SIDE, SIDE)
    edges = np.concatenate([sides[:, (0, -1)], sides[:, :, (0, -1)].transpose(0, 2, 1)], axis=1)
    assert (edges > 128).mean() < 0.02  # and hardly anything cut off
    assert len(np.unique(pictures, axis=0)) == 300


def test_blocks_are_drawn_on_without_a_seam() -> None:
    shown = np.arange(BLOCK + 20) % 10
    pictures = draw(shown, np.random.default_rng(0))
    assert (pictures[-20:] > 128).any(axis=1).all()


def test_digits_can_be_told_apart_but_not_by_their_means_alone() -> None:
    """The nearest mean reads most of them; a network reads more (see the example's test)."""
    table = digits(3000, 1)
    x, y = table.array("image").astype(float), np.array(table.texts("digit"), int)
    means = np.stack([x[:2000][y[:2000] == digit].mean(axis=0) for digit in range(10)])
    nearest = ((x[2000:, None] - means) ** 2).sum(axis=-1).argmin(axis=1)
    accuracy = (nearest == y[2000:]).mean()
    assert 0.5 < accuracy < 0.9


def test_every_digit_is_written_in_several_ways() -> None:
    assert len(WAYS) == 10
    assert all(len(ways) > 1 for ways in WAYS)
