"""What the lens shows of a graph, as values, and the colours it is painted in."""

from itertools import combinations
from math import inf, nan

import pytest

from studio.document.model import Wire
from studio.examples import EXAMPLES
from studio.ui.canvas.loss_inks import LEVELS, ink
from studio.ui.canvas.tints import DECADES, Tints, depth, percent, top_of
from studio.ui.theme import THEMES, apply_theme, contrast
from tests.ui.looked import call, headline_sample


@pytest.fixture(scope="module")
def document():
    return EXAMPLES["headline"]()


def tints(document, isolated=None, way=()):
    sample = headline_sample(document)
    return Tints.of(sample, document.graph, way, isolated, top_of(sample))


def wire(document, start, end):
    return next(
        w
        for w in document.graph.wires
        if (w.source, w.target) == (call(document, start), call(document, end))
    )


def test_each_loss_has_a_band_on_each_node_that_can_be_trained(document):
    nodes = tints(document).nodes
    assert [b.loss for b in nodes[call(document, "lstm")]] == [0, 1]
    assert all(band.depth > 0 for band in nodes[call(document, "lstm")])
    assert [b.depth > 0 for b in nodes[call(document, "embedding")]] == [False, True]
    assert call(document, "concatenate") not in nodes
    assert call(document, "main_input") not in nodes


def test_a_loss_is_shown_alone(document):
    nodes = tints(document, isolated=1).nodes
    assert [b.loss for b in nodes[call(document, "lstm")]] == [1]
    assert nodes[call(document, "dense")][0].depth == 0


def test_what_is_ten_times_as_strong_is_deeper_by_one_part_of_the_scale():
    assert depth(0.1, -1) == 1
    assert depth(0.01, -1) == pytest.approx(1 - 1 / DECADES)
    assert depth(0.0, -1) == 0
    assert 0 < depth(1e-30, -1) < 0.1  # it arrives, however weakly
    assert depth(inf, -1) == depth(nan, -1) == 1


def test_the_scale_stays_while_the_strongest_is_a_little_weaker(document):
    sample = headline_sample(document)
    assert top_of(sample) == -1  # 0.034 is the strongest
    assert top_of(sample, 0) == 0
    assert top_of(sample, 1) == -1
    assert top_of(sample, -2) == -1


def test_a_loss_flows_back_only_through_wires_to_what_it_reaches(document):
    """Of the two that read the LSTM the auxiliary output is not reached by the main loss."""
    shown = tints(document)
    losses = {
        end: [b.loss for b in shown.along(wire(document, "lstm", end))]
        for end in ("aux_output", "concatenate")
    }
    assert losses == {"aux_output": [1], "concatenate": [0]}
    assert shown.along(wire(document, "main_input", "embedding")) == []
    assert shown.along(Wire("c98", "output", "c99", "x")) == []


def test_inside_a_model_only_its_own_calls_are_shown(document):
    inner = tints(document, way=("c77",))
    assert not inner.nodes
    assert not inner.values
    assert not inner.ends


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "0 %"),
        (0.000002, "2e-4 %"),
        (0.00002, "0.002 %"),
        (0.0123, "1.2 %"),
        (0.00996, "1.0 %"),
        (0.5, "50 %"),
        (12.0, "1200 %"),
        (nan, "nan"),
    ],
)
def test_shares_are_said_in_two_digits(share, said):
    assert percent(share) == said


@pytest.mark.parametrize("theme", THEMES)
def test_text_can_be_read_on_every_tint_and_every_number(qapp, theme):
    apply_theme(qapp, theme)
    for number in range(8):
        drawn = ink(number)
        assert len(drawn.fills) == LEVELS
        for fill in drawn.fills:
            assert contrast(THEMES[theme].text, fill.color().name()) >= 4.5
        assert contrast(drawn.on.name(), drawn.colour.name()) >= 4.5
        weak, strong = (f.color().name() for f in (drawn.fills[0], drawn.fills[-1]))
        assert contrast(weak, strong) >= 1.25


def test_no_two_losses_are_told_apart_by_colour_alone(qapp):
    drawn = [ink(number) for number in range(7)]
    for a, b in combinations(drawn, 2):
        assert a.letter != b.letter
        assert a.dashes != b.dashes
        assert a.colour != b.colour
