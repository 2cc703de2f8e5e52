"""The strands of the lens along wires: in dashes, with arrows, of what is in sight."""

import numpy as np
import pytest
from PySide6.QtCore import QRectF

from studio.document.model import Wire
from studio.ui.canvas.strands import Course, arranged, dashed
from studio.ui.canvas.tints import Band
from studio.ui.canvas.wires import WireLayer

_FIRST, _SECOND = Wire("c1", "output", "c2", "x"), Wire("c2", "output", "c3", "x")


def _course() -> Course:
    """A wire of two lines, 10 to the right and 30 down, and one of 8 to the right."""
    lines = np.array([[0, 0, 10, 0], [10, 0, 10, 30], [100, 0, 108, 0]], float)
    return Course(np.array([0, 0, 1]), lines, 2)


def test_how_long_wires_are_and_what_lies_at_a_share_of_them() -> None:
    along = _course()
    assert along.total.tolist() == [40, 8]
    assert along.before.tolist() == [0, 10, 0]
    points, ways = along.at(np.array([0, 0, 1]), np.array([0.125, 0.5, 0.5]))
    assert points.tolist() == [[5, 0], [10, 10], [104, 0]]
    assert ways.tolist() == [[1, 0], [0, 1], [1, 0]]


def test_dashes_go_on_around_corners() -> None:
    owners, lines = dashed(_course(), np.array([2.0, 0.0]), (3.0, 1.0), 0.0)
    # Dashes of 6 and gaps of 2: the second begins at 8, two before the corner.
    assert owners.tolist() == [0] * len(lines)
    found = sorted(map(tuple, lines.tolist()))
    expected = [(0, 0, 6, 0), (8, 0, 10, 0), (10, 0, 10, 4), (10, 6, 10, 12), (10, 14, 10, 20)]
    assert found == [*expected, (10, 22, 10, 28)]


@pytest.mark.parametrize("dashes", [(3.0, 1.5), (0.9, 1.1), (2.2, 0.9, 0.7, 0.9)])
def test_dashes_cover_the_share_that_a_pen_would(dashes: tuple[float, ...]) -> None:
    line = np.array([[0, 0, 4000, 3000]], float)
    _, lines = dashed(Course(np.array([0]), line, 1), np.array([1.5]), dashes, 0.0)
    covered = np.hypot(lines[:, 2] - lines[:, 0], lines[:, 3] - lines[:, 1]).sum()
    assert covered / 5000 == pytest.approx(sum(dashes[::2]) / sum(dashes), abs=2e-3)


def test_a_strand_without_dashes_is_whole_and_its_lines_overlap() -> None:
    owners, lines = dashed(_course(), np.array([1.0, 1.0]), (), 0.5)
    assert owners.tolist() == [0, 0, 1]
    assert lines.tolist() == [[-0.5, 0, 10.5, 0], [10, -0.5, 10, 30.5], [99.5, 0, 108.5, 0]]


def test_strands_lie_beside_each_other_and_a_short_wire_has_no_arrows() -> None:
    bands = [Band(0, 1.0, 1.0), Band(1, 0.0, 0.0)]
    places = arranged([bands, bands, []], np.array([100.0, 30.0, 100.0]))
    wires, losses, widths, offsets, arrows = places.T
    assert (wires.tolist(), losses.tolist()) == ([0, 0, 1, 1], [0, 1, 0, 1])
    assert offsets[1] - offsets[0] == pytest.approx(widths[0] / 2 + 1.5 + widths[1] / 2)
    assert arrows[:2] == pytest.approx([0.43, 0.57])
    assert np.isnan(arrows[2:]).all()


def test_no_wires_no_strands() -> None:
    assert arranged([], np.empty(0)).shape == (0, 5)
    none = Course(np.empty(0, np.intp), np.empty((0, 4)), 0)
    assert dashed(none, np.empty(0), (3.0, 1.5), 0.3)[1].shape == (0, 4)


def test_pieces_of_wires_follow_one_another_from_start_to_end() -> None:
    layer = WireLayer()
    ends = {_FIRST: (0.0, 0.0, 100.0, 40.0), _SECOND: (0.0, 300.0, 900.0, 340.0)}
    bends = {_SECOND: ((400.0, 200.0),)}
    layer.show_wires(ends, dict.fromkeys(ends, "float"), frozenset(), bends)
    wires, owners, lines = layer.pieces([QRectF(-10, -10, 1000, 500)], 1.0)
    assert wires == [_FIRST, _SECOND]
    for number, wire in enumerate(wires):
        mine = lines[owners == number]
        np.testing.assert_allclose(mine[1:, :2], mine[:-1, 2:])
        assert (*mine[0, :2], *mine[-1, 2:]) == pytest.approx(ends[wire])
    layer.conceal(frozenset({_FIRST}))
    wires, owners, _ = layer.pieces([QRectF(-10, -10, 1000, 500)], 1.0)
    assert (wires, set(owners.tolist())) == ([_SECOND], {0})
    assert layer.pieces([QRectF(5000, 5000, 10, 10)], 1.0)[0] == []
