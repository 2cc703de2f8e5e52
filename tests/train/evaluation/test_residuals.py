"""Residuals block by block against NumPy over all at once."""

from math import isnan

import numpy as np
import pytest

from studio.train.evaluation.residuals import Moments, histogram


def measured(truth, said, block=7):
    moments = Moments()
    for start in range(0, len(truth), block):
        moments.add(truth[start : start + block], said[start : start + block])
    return moments.residuals("y", truth, said, np.arange(len(truth)))


@pytest.mark.parametrize("offset", [0.0, 1e9])  # far from 0, sums of squares would cancel
def test_against_numpy(offset: float) -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=500) + offset
    said = truth + 0.3 * rng.normal(size=500) + 0.1
    gap = said - truth
    found = measured(truth, said)
    assert found.count == 500
    assert found.mean == pytest.approx(gap.mean())
    assert found.mean_absolute == pytest.approx(np.abs(gap).mean())
    assert found.root_mean_square == pytest.approx(np.sqrt((gap**2).mean()))
    assert found.largest == pytest.approx(np.abs(gap).max())
    assert found.median_absolute == pytest.approx(np.median(np.abs(gap)))
    total = ((truth - truth.mean()) ** 2).sum()
    assert found.r2 == pytest.approx(1 - (gap**2).sum() / total, abs=1e-9)
    assert found.bars.sum() == 500


def test_by_hand() -> None:
    found = measured(np.array([3.0, -0.5, 2.0, 7.0]), np.array([2.5, 0.0, 2.0, 8.0]))
    assert found.r2 == pytest.approx(0.9486081370449679)
    assert found.mean_absolute == 0.5
    assert found.root_mean_square**2 == pytest.approx(0.375)


def test_of_many_points_the_ends_are_drawn() -> None:
    truth = np.random.default_rng(0).permutation(10_000).astype(float)
    found = measured(truth, truth + 1, block=1000)
    assert len(found.truth) == 1500
    assert (found.truth[0], found.truth[-1]) == (0, 9999)
    assert (truth[found.rows] == found.truth).all()


def test_one_truth_has_no_r2() -> None:
    found = measured(np.full(4, 2.0), np.array([1.0, 2.0, 3.0, 2.0]))
    assert isnan(found.r2)
    assert found.mean_absolute == 0.5


def test_nothing() -> None:
    found = measured(np.zeros(0), np.zeros(0))
    assert found.count == 0
    assert isnan(found.mean_absolute)
    assert isnan(found.largest)


def test_a_stray_does_not_squeeze_the_histogram() -> None:
    rng = np.random.default_rng(0)
    edges, bars = histogram(np.append(rng.normal(size=1000), 1e6))
    assert edges[-1] < 10
    assert bars.sum() == 1001
    assert bars[-1] >= 1


def test_equal_residuals_have_a_histogram() -> None:
    edges, bars = histogram(np.zeros(3))
    assert bars.sum() == 3
    assert (edges[0], edges[-1]) == (-0.5, 0.5)
