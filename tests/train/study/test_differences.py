"""Slopes: right ones pass, wrong ones do not however small the fault, kinks are neither."""

from collections.abc import Callable

import numpy as np
import pytest

from studio.train.study.differences import Compared, Slopes, choose

Rule = Callable[[np.ndarray], np.ndarray]


def compared(function: Rule, gradient: Rule, x: np.ndarray) -> Compared:
    x = np.array(x, np.float64)
    slopes = Slopes(lambda: {"y": function(x)}, {"y": np.ones(np.shape(function(x)))})
    return slopes.compare(x, gradient(x), np.arange(x.size))


@pytest.mark.parametrize(
    ("function", "gradient"),
    [
        (np.sin, np.cos),
        (np.exp, np.exp),
        (lambda x: x**3, lambda x: 3 * x**2),
        (lambda x: 1e6 + 1e-3 * x, lambda x: np.full_like(x, 1e-3)),
        (lambda x: np.sin(300 * x), lambda x: 300 * np.cos(300 * x)),
    ],
)
def test_a_right_gradient_passes(function: Rule, gradient: Rule) -> None:
    found = compared(function, gradient, np.array([0.3, -1.7, 4.0]))
    assert (found.wrong, found.kinks, found.checked) == (0, 0, 3)
    assert found.relative < 1e-5


@pytest.mark.parametrize("fault", [1e-4, -1e-3, 1.0, -2.0])
def test_a_wrong_one_does_not(fault: float) -> None:
    found = compared(np.sin, lambda x: np.cos(x) * (1 + fault), np.array([0.3, -1.2]))
    assert found.wrong == 2
    assert found.relative == pytest.approx(abs(fault) / max(1, abs(1 + fault)), rel=0.01)


def test_the_worst_number_is_told() -> None:
    def gradient(x: np.ndarray) -> np.ndarray:
        wrong = np.cos(x)
        wrong[1, 2] += 0.5
        return wrong

    found = compared(np.sin, gradient, np.linspace(0, 1, 6).reshape(2, 3))
    assert (found.wrong, found.at) == (1, (1, 2))
    assert found.gradient == pytest.approx(np.cos(1.0) + 0.5)
    assert found.measured == pytest.approx(np.cos(1.0), abs=1e-9)


def test_a_gradient_that_is_missing_is_wrong() -> None:
    assert compared(np.sin, np.zeros_like, np.array([0.3])).wrong == 1


def test_a_kink_is_neither_right_nor_wrong() -> None:
    def relu(x: np.ndarray) -> np.ndarray:
        return np.maximum(x, 0)

    found = compared(relu, lambda x: np.where(x > 0, 1.0, 0.0), np.array([0.0, -1.0, 2.0]))
    assert (found.kinks, found.wrong, found.checked) == (1, 0, 3)


def test_a_kink_nearby_does_not_disturb() -> None:
    found = compared(np.abs, np.sign, np.array([3e-6, -3e-6]))
    assert (found.kinks, found.wrong) == (0, 0)


def test_several_kinks_at_one_place_are_one() -> None:
    """What a gradient says there need not even lie between the slopes to both sides."""

    def two(x: np.ndarray) -> np.ndarray:
        return np.maximum(x, 0) * 2 + np.maximum(-x, 0) * -1

    found = compared(two, np.zeros_like, np.array([0.0]))
    assert (found.kinks, found.wrong) == (1, 0)


def _skipping(x: np.ndarray) -> np.ndarray:
    return np.where(x == 0, 0.0, 1.0)


@pytest.mark.parametrize(("fault", "kinks", "wrong"), [(0.0, 1, 0), (1e-3, 0, 3)])
def test_where_the_gradient_alone_jumps_it_is_looked_to_both_sides(
    fault: float, kinks: int, wrong: int
) -> None:
    """As of a step of zeros that is left out: all around it counts."""
    x = np.array([0.0, 1.0, -2.0])

    def gradient() -> np.ndarray:
        return _skipping(x) * np.cos(x) * (1 + fault)

    slopes = Slopes(lambda: {"y": np.sin(x)}, {"y": np.ones(3)})
    found = slopes.compare(x, gradient(), np.arange(3), gradient)
    assert (found.kinks, found.wrong) == (kinks, wrong)
    np.testing.assert_array_equal(x, [0.0, 1.0, -2.0])
    assert slopes.compare(x, gradient(), np.arange(3)).wrong == (wrong or 1)


def test_a_strong_bend_is_no_kink() -> None:
    found = compared(lambda x: 1e3 * x**2 + x, lambda x: 1e3 * x, np.array([1e-3]))
    assert (found.kinks, found.wrong) == (0, 1)


def test_what_is_not_finite_is_wrong() -> None:
    assert compared(lambda x: x * np.nan, np.ones_like, np.array([1.0])).wrong == 1


def test_what_was_moved_is_put_back() -> None:
    x = np.array([0.1, 0.2])
    Slopes(lambda: {"y": x * 3}, {"y": np.ones(2)}).compare(x, np.zeros(2), np.arange(2))
    np.testing.assert_array_equal(x, [0.1, 0.2])


def test_numbers_with_the_largest_gradient_are_among_the_chosen() -> None:
    gradient = np.zeros((100, 50))
    gradient[7, 3], gradient[99, 49] = 2.0, -3.0
    chosen = choose(gradient, 20, np.random.default_rng(0))
    assert len(set(chosen.tolist())) == 20
    assert {7 * 50 + 3, 99 * 50 + 49} <= set(chosen.tolist())
    assert chosen.max() < gradient.size


def test_of_few_numbers_all_are_chosen() -> None:
    assert choose(np.zeros((2, 3)), 24, np.random.default_rng(0)).tolist() == list(range(6))
