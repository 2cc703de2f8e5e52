"""Where a node snaps to while it is dragged: edges and middles it could share with those around."""

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF

REACH = 6.0  # pixels within which it snaps
_OVERHANG = 12.0  # of a guide beyond the nodes it joins


class Snap:
    """A rectangle on its way among others that stand still.

    Nodes of one height of their upper edges have their first ports at one height: the wire
    between them is straight.
    """

    def __init__(self, moving: QRectF, still: list[QRectF]) -> None:
        self._moving = moving
        boxes = [(r.left(), r.right(), r.top(), r.bottom()) for r in still]
        self._still = np.array(boxes, np.float64).reshape(-1, 4)

    def at(self, shift: QPointF, reach: float) -> tuple[QPointF, list[QLineF]]:
        """The shift that lines it up, near to one wanted; and the guides that show with what."""
        rect = self._moving.translated(shift)
        across = _nearest(self._still[:, :2], (rect.left(), rect.right()), reach)
        down = _nearest(self._still[:, 2:], (rect.top(), rect.bottom()), reach)
        shift = shift + QPointF(across, down)
        return shift, self._guides(self._moving.translated(shift), bool(reach))

    def _guides(self, rect: QRectF, wanted: bool) -> list[QLineF]:
        """A line along every edge or middle that is shared now."""
        if not wanted:
            return []
        lines = []
        box = (rect.left(), rect.right(), rect.top(), rect.bottom())
        for mine, theirs, along, horizontal in (
            (box[:2], self._still[:, :2], self._still[:, 2:], False),
            (box[2:], self._still[:, 2:], self._still[:, :2], True),
        ):
            reach = box[2:] if not horizontal else box[:2]
            found = []
            for value, column in zip(_marks(*mine), _columns(theirs), strict=True):
                shared = along[np.abs(column - value) < 0.5]
                if len(shared):
                    low = min(float(shared[:, 0].min()), reach[0]) - _OVERHANG
                    high = max(float(shared[:, 1].max()), reach[1]) + _OVERHANG
                    ends = (low, value, high, value) if horizontal else (value, low, value, high)
                    found.append(QLineF(*ends))
            # Of nodes of one size the middles meet with the edges: that goes without saying.
            lines += [found[0], found[2]] if len(found) == 3 else found
        return lines


def _marks(low: float, high: float) -> tuple[float, float, float]:
    """An extent's two ends, its middle between them."""
    return low, (low + high) / 2, high


def _columns(extents: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    return extents[:, 0], extents.mean(1), extents[:, 1]


def _nearest(extents: NDArray[np.float64], mine: tuple[float, float], reach: float) -> float:
    """How far to move, at most `reach`, for two ends or two middles to meet; 0 where none do."""
    if not len(extents):
        return 0.0
    away = np.concatenate(
        [column - value for column, value in zip(_columns(extents), _marks(*mine), strict=True)]
    )
    best = float(away[np.abs(away).argmin()])
    return best if abs(best) <= reach else 0.0
