"""Confusion and what follows from it, by hand and by another way of counting."""

from math import isnan

import numpy as np
import pytest

from studio.train.evaluation.classes import PairCounter, per_class

TRUTH = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 2])
SAID = np.array([0, 0, 1, 1, 2, 2, 2, 2, 0, 1])


def counted(truth, said, classes):
    counter = PairCounter(classes)
    for start in range(0, len(truth), 4):
        counter.add(truth[start : start + 4], said[start : start + 4])
    return counter.confusion()


def test_a_matrix_by_hand() -> None:
    found = counted(TRUTH, SAID, 3)
    assert found.matrix().tolist() == [[2, 1, 0], [0, 1, 1], [1, 1, 3]]
    assert found.total == 10
    assert found.accuracy == 0.6
    assert found.balanced_accuracy == pytest.approx((2 / 3 + 1 / 2 + 3 / 5) / 3)
    f1 = [2 * 2 / 6, 2 * 1 / 5, 2 * 3 / 9]
    assert found.macro_f1 == pytest.approx(sum(f1) / 3)
    assert found.matrix(np.array([2, 0])).tolist() == [[3, 1], [0, 2]]


def test_matthews_is_the_correlation_of_two_classes() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 400)
    said = np.where(rng.random(400) < 0.7, truth, 1 - truth)
    found = counted(truth, said, 2)
    assert found.matthews == pytest.approx(np.corrcoef(truth, said)[0, 1], abs=1e-12)


def test_one_class_alone_has_no_correlation() -> None:
    found = counted(np.zeros(5, int), np.zeros(5, int), 3)
    assert isnan(found.matthews)
    assert found.accuracy == 1
    assert found.balanced_accuracy == 1
    assert found.macro_f1 == 1


def test_each_class_by_hand() -> None:
    one, two, three = per_class(counted(TRUTH, SAID, 3), ("a", "b", "c"))
    assert (one.support, one.predicted) == (3, 3)
    assert (one.precision, one.recall) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert (two.precision, two.recall, two.f1) == (pytest.approx(1 / 3), 0.5, pytest.approx(0.4))
    assert (three.precision, three.recall) == (0.75, 0.6)


def test_a_class_that_is_not_there_has_no_recall() -> None:
    *_, absent = per_class(counted(TRUTH, SAID, 4), ("a", "b", "c", "d"))
    assert absent.support == 0
    assert isnan(absent.precision)
    assert isnan(absent.recall)
    assert isnan(absent.f1)


def test_many_classes_are_counted_by_pairs() -> None:
    rng = np.random.default_rng(2)
    truth, said = rng.integers(0, 5000, (2, 20_000))
    said = np.where(rng.random(20_000) < 0.5, truth, said)
    found = counted(truth, said, 5000)
    assert found.total == 20_000
    assert found.accuracy == (truth == said).mean()
    assert (found.support == np.bincount(truth, minlength=5000)).all()
    assert found.matrix(np.arange(5))[2, 2] == ((truth == 2) & (said == 2)).sum()
