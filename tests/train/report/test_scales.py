"""Axes: where values stand and where ticks are."""

import numpy as np
import pytest

from studio.train.report.scales import Scale, fitting, ticks


@pytest.mark.parametrize("scale", [Scale(-2.0, 6.0), Scale(0.01, 100.0, True)])
def test_a_place_leads_back_to_its_value(scale):
    for value in (scale.low, 0.5, 3.0, scale.high):
        assert scale.value(scale.place(value)) == pytest.approx(value)
    assert scale.place(scale.low) == pytest.approx(0)
    assert scale.place(scale.high) == pytest.approx(1)


def test_what_is_not_positive_has_no_place_on_a_logarithmic_axis():
    places = Scale(0.1, 10.0, True).places(np.array([0.0, -1.0, 1.0]))
    assert np.isnan(places[:2]).all()
    assert places[2] == pytest.approx(0.5)


def test_an_axis_has_room_for_every_finite_value_and_none_below_zero_for_losses():
    scale = fitting([np.array([0.01, 2.0, np.inf]), np.array([np.nan, 1.0])])
    assert scale.low == 0.0
    assert 2.0 < scale.high < 2.3
    assert fitting([np.array([-1.0, 1.0])]).low < -1.0
    log = fitting([np.array([0.0, 0.01, 2.0])], log=True)
    assert log.log
    assert 0 < log.low < 0.01
    assert log.high > 2.0


@pytest.mark.parametrize("log", [False, True])
def test_axes_of_nothing_and_of_one_value_can_be_drawn(log):
    for values in ([], [np.array([np.nan])], [np.array([3.0])], [np.array([0.0])]):
        scale = fitting(values, log)
        assert scale.high > scale.low
        assert ticks(scale, 4)


def test_ticks_are_round_and_not_too_many():
    assert ticks(Scale(0.0, 1.0), 5) == [
        (0.0, "0.0"),
        (pytest.approx(0.2), "0.2"),
        (pytest.approx(0.4), "0.4"),
        (pytest.approx(0.6), "0.6"),
        (pytest.approx(0.8), "0.8"),
        (1.0, "1.0"),
    ]
    assert [words for _, words in ticks(Scale(0, 80_000), 4)] == ["0", "20k", "40k", "60k", "80k"]
    assert [words for _, words in ticks(Scale(0, 2.5e6), 3)] == ["0", "1M", "2M"]
    assert [words for _, words in ticks(Scale(0.001, 10.0, True), 5)] == [
        "0.001",
        "0.01",
        "0.1",
        "1",
        "10",
    ]


@pytest.mark.parametrize(
    ("low", "high"), [(0.123451, 0.123459), (1e-9, 5e-9), (3e8, 3.00001e8), (0.7, 0.84), (0, 0.3)]
)
def test_neighbours_are_told_apart(low, high):
    found = ticks(Scale(low, high), 2)
    assert len(found) >= 2
    assert len({words for _, words in found}) == len(found)
    for value, words in found:
        shown = float(words.rstrip("kM")) * {"k": 1e3, "M": 1e6}.get(words[-1], 1)
        assert shown == pytest.approx(value, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("high", [1.4, 2.0, 7.3, 50.0, 3000.0])
def test_epochs_are_whole(high):
    found = ticks(Scale(0.0, high), 6, whole=True)
    assert found
    assert all(value == int(value) and words.rstrip("k").isdigit() for value, words in found)


@pytest.mark.parametrize("log", [False, True])
def test_no_range_gives_hundreds_of_ticks(log):
    rng = np.random.default_rng(0)
    for _ in range(300):
        low, span = 10 ** rng.uniform(-8, 8), 10 ** rng.uniform(-6, 8)
        found = ticks(Scale(low, low * (1 + span), log), 5)
        assert len(found) <= 16
        values = [value for value, _ in found]
        assert values == sorted(set(values))
        assert all(low * 0.999 <= v <= low * (1 + span) * 1.001 for v in values)
