"""Rows of the recurrent microscope as values: scales, edges, sentences, and numbers gone wrong."""

import numpy as np
import pytest
from PySide6.QtGui import QColor

from studio.train.study.recurrent import Reading, RecurrentSample
from studio.ui.study.time_files import suffix_of, write_picture
from studio.ui.study.time_rows import Curves, fade_of, picture, places, sentence, step_name, told
from studio.ui.theme import tokens

STEPS, UNITS = 6, 3
KEYS = ("c1.output", "c2.output")
NAMES = dict(zip(KEYS, ("main", "aux"), strict=True))


def sample_of(reading, **more):
    return RecurrentSample(
        **{
            "kind": "LSTM",
            "length": STEPS,
            "width": UNITS,
            "steps": np.arange(STEPS),
            "units": np.arange(UNITS),
            "mask": None,
            "losses": dict.fromkeys(KEYS, 0.5),
            "readings": (reading,),
            **more,
        }
    )


RISING = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1]
RISE = np.array(RISING)


def reading_of(first, second, vanished=(None, None), backwards=False):
    """Of gradients whose lengths at the steps are these."""
    norms = {key: np.array(n, float) for key, n in zip(KEYS, (first, second), strict=True)}
    gradients = {key: np.stack([n, 0 * RISE, 0 * RISE], axis=1) for key, n in norms.items()}
    maps = {letter: np.full((STEPS, UNITS), 0.5) for letter in "ifco"}
    states = {letter: np.linspace(-1, 1, STEPS * UNITS).reshape(STEPS, UNITS) for letter in "hc"}
    lost = dict(zip(KEYS, vanished, strict=True))
    return Reading(0, backwards, maps, states, gradients, gradients, norms, lost)


def test_the_curves_share_one_scale_that_reaches_far_below_the_weaker_one():
    reading = reading_of(RISING, [n / 100 for n in RISING])
    curves = picture(sample_of(reading), reading, NAMES).rows[0]
    assert isinstance(curves, Curves)
    assert (curves.low, curves.high) == (-9, -1)
    assert [curve.name for curve in curves.curves] == ["main", "aux"]


def test_the_edge_is_before_the_first_step_that_gets_something():
    reading = reading_of(RISING, RISING[::-1], vanished=(3, None))
    sample = sample_of(reading)
    edge = fade_of(sample, reading, KEYS[0])
    assert (edge.place, edge.before) == (3.0, True)
    assert fade_of(sample, reading, KEYS[1]) is None
    back = reading_of(RISING[::-1], RISING, vanished=(2, None), backwards=True)
    edge = fade_of(sample_of(back), back, KEYS[0])
    assert (edge.place, edge.before) == (3.0, False)


def test_of_thinned_steps_places_lie_between_those_shown():
    sample = sample_of(reading_of(RISING, RISING), steps=np.array([0, 2, 5]))
    assert places(sample, np.array([0, 1, 2, 5])).tolist() == [0.5, 1.0, 1.5, 2.5]


def test_what_becomes_of_a_gradient_is_said_in_words():
    mask = np.array([[False, True, True, True, True, True]])
    reading = reading_of(RISING, [0] * STEPS, vanished=(3, None))
    sample = sample_of(reading, words=("", "a", "b", "c", "d", "e"), mask=mask)
    assert step_name(sample, 3) == "4 “c”"
    assert sentence(sample, reading, KEYS[0], short=True) == "vanishes before step 4 “c”"
    assert "2 of 5 steps" in sentence(sample, reading, KEYS[0])
    assert sentence(sample, reading, KEYS[1]) == "nothing arrives"
    whole = reading_of(RISING, RISING)
    assert sentence(sample_of(whole), whole, KEYS[0]) == "reaches all 6 steps"
    back = reading_of(RISING[::-1], RISING, vanished=(2, None), backwards=True)
    assert sentence(sample_of(back), back, KEYS[0], short=True) == "vanishes after step 3"
    assert "3 of 6 steps" in sentence(sample_of(back), back, KEYS[0])


def test_a_number_is_told_by_step_unit_and_loss():
    reading = reading_of(RISING, RISING)
    shown = picture(sample_of(reading, units=np.array([0, 4, 9])), reading, NAMES)
    forget = next(row for row in shown.rows if row.title == "Forget gate f")
    words = told(shown, 2, forget, 1)
    assert words.startswith("Step 3 of 6 · Forget gate f, unit 5: 0.5")
    assert words.endswith("whole gradient: main 0.0001, aux 0.0001")


def test_gradients_are_shaded_by_their_decades():
    reading = reading_of(RISING, RISING)
    row = next(r for r in picture(sample_of(reading), reading, NAMES).rows[1:] if r.loss == 0)
    image = row.image()
    assert (image.width(), image.height()) == (STEPS, UNITS)
    assert image.pixelColor(5, 0).name() == tokens().series[0]
    assert image.pixelColor(0, 1).name() == tokens().base  # a unit that gets nothing
    depths = [image.pixelColor(x, 0).lightness() for x in range(STEPS)]
    assert depths == sorted(depths, reverse=True)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_are_marked_and_break_nothing(bad, tmp_path):
    reading = reading_of([bad, *RISING[1:]], [bad] * STEPS)
    for maps in (reading.states, reading.gates):
        for values in maps.values():
            values[1, 1] = bad
    sample = sample_of(reading)
    shown = picture(sample, reading, NAMES)
    assert sentence(sample, reading, KEYS[0]) == "is not finite: NaN or infinite"
    mark = QColor(tokens().text)
    for row in shown.rows[1:]:
        image = row.image()
        places = [image.pixelColor(x, y) for x in range(STEPS) for y in range(UNITS)]
        assert mark in places
    for suffix in ("png", "svg", "csv"):
        write_picture(tmp_path / f"x.{suffix}", shown, "lstm")


def test_a_file_has_the_kind_chosen_beside_its_name():
    assert suffix_of("x.svg", "PNG (*.png)") == ".svg"
    assert suffix_of("x", "CSV (*.csv)") == ".csv"
    assert suffix_of("x.v2", "CSV (*.csv)") == ".csv"
    assert suffix_of("x", "") == ".png"
