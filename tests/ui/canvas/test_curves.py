"""The geometry of wires, as arrays."""

import numpy as np
import pytest
from PySide6.QtCore import QPointF

from studio.ui.canvas.curves import bezier, bounds, curve, distances, flatten, side


def test_a_box_is_around_all_of_a_curve():
    points = np.array([bezier(0, 0, 100, 60), bezier(50, 10, -80, 40)])
    found = bounds(points)
    for box, row in zip(found, points, strict=True):
        rect = curve(row).boundingRect()
        assert box[0] <= rect.left()
        assert box[1] <= rect.top()
        assert box[2] >= rect.right()
        assert box[3] >= rect.bottom()


def test_a_point_is_as_far_from_a_curve_as_from_its_nearest_piece():
    points = np.array([bezier(0, 0, 100, 0), bezier(0, 50, 100, 50)])
    lines = flatten(points)
    assert distances(lines, QPointF(50, 10)) == pytest.approx([10, 40])
    assert distances(lines, QPointF(130, 0))[0] == pytest.approx(30)


def test_sides_of_a_line_have_opposite_signs():
    start, end = np.array([0.0, 0.0]), np.array([10.0, 0.0])
    above, below, on = side(start, end, np.array([[5.0, 3.0], [5.0, -3.0], [7.0, 0.0]]))
    assert above > 0 > below
    assert on == 0
