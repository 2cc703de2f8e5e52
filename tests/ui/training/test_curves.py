"""What curves are called, how they look, and how they are smoothed."""

import numpy as np
import pytest

from studio.train.report.quantities import VALIDATION, quantities
from studio.ui.canvas.loss_inks import ink
from studio.ui.theme import apply_theme
from studio.ui.training.curves import (
    Shown,
    Smoother,
    lines,
    run_style,
    styles,
)


@pytest.mark.parametrize("theme", ["light", "dark", "contrast"])
def test_every_curve_has_a_look_of_its_own(qapp, theme):
    apply_theme(qapp, theme)
    names = [f"{out}_{m}" for out in ("aux", "main") for m in ("loss", "accuracy", "auc")]
    keys = quantities({"loss": 0, **{k: 0 for n in names for k in (n, VALIDATION + n)}})
    assert keys[:3] == ["loss", "aux_loss", "main_loss"]
    looks = styles(keys)
    losses = [looks[k] for k in keys[:3]]
    assert len({s.marker for s in losses}) == len({s.color.name() for s in losses}) == 3
    rest = [looks[k] for k in keys[3:]]
    assert len({(s.marker, s.color.name()) for s in rest}) == 4
    assert looks["aux_accuracy"].color == looks["aux_loss"].color
    assert looks["loss"].pen().style() != looks["loss"].pen(dashed=True).style()
    runs = [run_style(n) for n in range(7)]
    assert len({(s.marker, s.color.name()) for s in runs}) == 7
    apply_theme(qapp, "light")


def test_an_output_whose_name_begins_like_another_keeps_its_own():
    keys = ["loss", "main_loss", "main_output_loss", "main_output_accuracy"]
    looks = styles(keys)
    assert looks["main_output_accuracy"].color == looks["main_output_loss"].color
    assert looks["main_output_accuracy"].color != looks["main_loss"].color


def test_an_output_has_the_colour_its_loss_has_under_the_lens():
    keys = ["loss", "aux_loss", "gone_loss", "main_loss", "main_accuracy"]
    looks = styles(keys, ["main", "aux"])
    colours = [looks[key].color for key in ("main_loss", "aux_loss", "gone_loss")]
    assert colours == [ink(number).colour for number in range(3)]


def naive(values, weight):
    """TensorBoard's: a moving average divided by what its start lacks."""
    mean, found = 0.0, []
    for n, value in enumerate(values, 1):
        mean = mean * weight + value * (1 - weight)
        found.append(mean / (1 - weight**n))
    return found


def test_smoothing_goes_on_where_it_was_as_a_history_grows():
    values = list(np.random.default_rng(0).random(40))
    smoother = Smoother()
    assert list(smoother.smooth("r1", "loss", values)) == values
    smoother.reset(0.8)
    for count in (1, 7, 8, 40):
        found = smoother.smooth("r1", "loss", values[:count])
        assert found == pytest.approx(naive(values[:count], 0.8))
    assert smoother.smooth("r1", "loss", [5.0, 1.0]) == pytest.approx(naive([5.0, 1.0], 0.8))
    assert smoother.smooth("r2", "loss", [2.0])[0] == 2.0


def test_what_is_not_finite_does_not_spoil_what_comes_after():
    smoother = Smoother(0.5)
    found = smoother.smooth("r1", "loss", [float("nan"), 1.0, float("inf"), 1.0])
    assert np.isnan(found[0])
    assert found[1:] == pytest.approx([1.0, 1.0, 1.0])


def test_lines_of_several_runs_are_told_apart_by_colour(qapp):
    history = {"loss": [1.0, 0.5], "val_loss": [1.1, 0.6]}
    runs = [Shown("r1", "a", history, hue=0), Shown("r2", "b", {"loss": [2.0]}, hue=1)]
    found = lines(runs, "loss", {}, Smoother())
    assert [(line.run, line.dashed) for line in found] == [
        ("r1", False),
        ("r1", True),
        ("r2", False),
    ]
    assert found[0].style.color == found[1].style.color != found[2].style.color
