"""Curves and areas against counting pairs by hand, ties and missing kinds included."""

from math import isnan

import numpy as np
import pytest

from studio.train.evaluation.ranking import calibrate, rank, thinned, thresholds


def pairs_in_order(truth, scores) -> float:
    """The share of pairs (positive, negative) in the right order; a tie counts half."""
    found, count = 0.0, 0
    for up in scores[truth]:
        for down in scores[~truth]:
            found += 1.0 if up > down else 0.5 if up == down else 0.0
            count += 1
    return found / count


def average_precision(truth, scores) -> float:
    """Threshold by threshold: what it adds to the recall × its precision."""
    found, before = 0.0, 0.0
    for threshold in sorted(set(scores), reverse=True):
        said = scores >= threshold
        recall = (said & truth).sum() / truth.sum()
        found += (recall - before) * (said & truth).sum() / said.sum()
        before = recall
    return found


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("levels", [3, 1000])  # with many ties, with few
def test_areas_are_what_counting_gives(seed: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, levels, 60) / levels
    truth = rng.random(60) < 0.3 + 0.4 * scores
    found = rank(truth, scores)
    assert found.auc == pytest.approx(pairs_in_order(truth, scores), abs=1e-15)
    assert found.average_precision == pytest.approx(average_precision(truth, scores), abs=1e-14)
    # Nothing is thinned here, so the area under the drawn points is the same.
    drawn = np.trapezoid(found.true_positive_rate, found.false_positive_rate)
    assert drawn == pytest.approx(found.auc, abs=1e-14)


def test_by_hand() -> None:
    truth = np.array([False, False, True, True])
    found = rank(truth, np.array([0.1, 0.4, 0.35, 0.8]))
    assert found.auc == 0.75
    assert found.average_precision == pytest.approx(1 / 2 * 1 + 1 / 2 * 2 / 3)
    assert found.false_positive_rate.tolist() == [0, 0, 0.5, 0.5, 1]
    assert found.true_positive_rate.tolist() == [0, 0.5, 0.5, 1, 1]
    assert found.recall.tolist() == [0.5, 0.5, 1, 1]
    assert found.precision.tolist() == [1, 0.5, pytest.approx(2 / 3), 0.5]


def test_all_scores_equal_are_chance() -> None:
    found = rank(np.array([True, False, True, False]), np.full(4, 0.3))
    assert found.auc == 0.5
    assert found.average_precision == 0.5
    assert found.true_positive_rate.tolist() == [0, 1]


@pytest.mark.parametrize("kind", [True, False])
def test_one_kind_alone_has_no_roc(kind: bool) -> None:
    found = rank(np.full(5, kind), np.linspace(0, 1, 5))
    assert isnan(found.auc)
    assert len(found.true_positive_rate) == 0
    assert isnan(found.average_precision) is not kind
    assert (found.positives, found.negatives) == ((5, 0) if kind else (0, 5))


def test_nothing_at_all() -> None:
    found = rank(np.zeros(0, bool), np.zeros(0))
    assert isnan(found.auc)
    assert isnan(found.average_precision)


def test_a_million_in_time_and_exact() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random(1_000_000).round(3)
    truth = rng.random(1_000_000) < scores
    found = rank(truth, scores)
    places = (scores * 1000).round().astype(int)
    ups, downs = (np.bincount(places[t], minlength=1001) for t in (truth, ~truth))
    below = np.append(0, np.cumsum(downs)[:-1])
    expected = (ups * (below + downs / 2)).sum() / ups.sum() / downs.sum()
    assert found.auc == pytest.approx(expected, abs=1e-12)
    assert len(found.recall) <= 401


def test_thinning_keeps_both_ends_and_the_shape() -> None:
    x = np.linspace(0, 1, 5001)
    y = np.sqrt(x)
    kept = thinned(x, y, 400)
    assert len(kept) <= 401
    assert (kept[0], kept[-1]) == (0, 5000)
    assert np.abs(np.interp(x, x[kept], y[kept]) - y).max() < 2e-3


# -- thresholds ----------------------------------------------------------------------------------


def test_every_threshold_counts_what_lies_above_it() -> None:
    rng = np.random.default_rng(3)
    scores = rng.integers(0, 21, 200) / 20
    truth = rng.random(200) < scores
    found = thresholds(truth, scores.astype(np.float32).astype(float), 0, 1, 0.5)
    for place in (0, 37, 100, 500, 999, 1000):
        threshold = np.float32(place / 1000)
        said = scores.astype(np.float32) > threshold
        cut = found.cut(place)
        assert cut.counts == (
            ((~truth & ~said).sum(), (~truth & said).sum()),
            ((truth & ~said).sum(), (truth & said).sum()),
        )
    assert found.cut(found.usual).threshold == 0.5


def test_shares_of_a_threshold_by_hand() -> None:
    truth = np.array([1, 1, 1, 0, 0, 0, 0, 0], bool)
    scores = np.array([0.9, 0.8, 0.2, 0.7, 0.1, 0.1, 0.1, 0.1])
    cut = thresholds(truth, scores, 0, 1, 0.5).cut(500)
    assert cut.counts == ((4, 1), (1, 2))
    assert cut.precision == pytest.approx(2 / 3)
    assert cut.recall == pytest.approx(2 / 3)
    assert cut.f1 == pytest.approx(2 / 3)
    assert cut.specificity == 0.8
    assert cut.accuracy == 0.75


def test_above_every_score_nothing_is_said_and_precision_is_not_known() -> None:
    cut = thresholds(np.array([True, False]), np.array([0.2, 0.1]), 0, 1, 0.5).cut(1000)
    assert isnan(cut.precision)
    assert cut.recall == 0
    assert cut.f1 == 0


def test_the_best_thresholds_are_the_best_of_all() -> None:
    rng = np.random.default_rng(5)
    scores = rng.random(300)
    truth = rng.random(300) < scores**2
    found = thresholds(truth, scores, 0, 1, 0.5)
    cuts = [found.cut(place) for place in range(1001)]
    assert found.cut(found.best_f1).f1 == max(c.f1 for c in cuts)
    youden = [c.recall + c.specificity for c in cuts]
    assert youden[found.best_youden] == max(youden)


def test_scores_that_are_all_one_number_have_thresholds_around_it() -> None:
    found = thresholds(np.array([True, False]), np.array([2.0, 2.0]), 2.0, 2.0, 0.5)
    assert (found.values[0], found.values[-1]) == (1.5, 2.5)
    assert found.cut(0).true_positives == 1
    assert found.cut(1000).true_positives == 0


# -- calibration ---------------------------------------------------------------------------------


def test_calibration_by_hand() -> None:
    said = np.array([0.05, 0.05, 0.95, 0.85, 1.0])
    truth = np.array([False, True, True, True, False])
    found = calibrate(truth, said)
    assert found is not None
    assert found.counts.tolist() == [2, 0, 0, 0, 0, 0, 0, 0, 1, 2]
    assert found.said[0] == pytest.approx(0.05)
    assert found.seen[0] == 0.5
    assert isnan(found.seen[5])
    gaps = [0.45, 0.15, abs(0.975 - 0.5)]
    expected = (2 * gaps[0] + gaps[1] + 2 * gaps[2]) / 5
    assert found.expected_error == pytest.approx(expected)
    assert found.largest_error == pytest.approx(gaps[2])
    brier = (0.05**2 + 0.95**2 + 0.05**2 + 0.15**2 + 1) / 5
    assert found.brier == pytest.approx(brier)


def test_honest_probabilities_are_calibrated() -> None:
    rng = np.random.default_rng(1)
    said = rng.random(200_000)
    found = calibrate(rng.random(200_000) < said, said)
    assert found is not None
    assert found.expected_error < 0.01
    assert found.counts.sum() == 200_000


def test_nothing_has_no_calibration() -> None:
    assert calibrate(np.zeros(0, bool), np.zeros(0)) is None
