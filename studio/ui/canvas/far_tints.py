"""The lens from far away: nodes and wires in the colours of the losses, in a few calls.

What does not change from one painting to the next is kept in arrays.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter

from studio.document.model import Wire
from studio.ui.canvas.boxes import Rects, array, draw_lines, draw_rects
from studio.ui.canvas.loss_inks import greys, ink
from studio.ui.canvas.tinting import columns
from studio.ui.canvas.tints import Tints

if TYPE_CHECKING:
    from studio.ui.canvas.scene import CanvasScene

_LEAST = 3.0  # pixels between the ends of a wire below which nobody sees it
_DEPTHS = 4

Ground = tuple[int, int] | Literal["nothing", "plain"]
"""What a band is painted with: a loss and its depth; nothing arrives; there is nothing to train."""


@dataclass(frozen=True)
class FarTints:
    """What the lens shows from far away of wires and nodes.

    Attributes:
        tints, wires, far: what it is made of; with others it is made anew.
        grounds: the bands on the nodes, by what they are painted with.
        depths: of the wires' strands, (wires, losses), 0 where there is none.
    """

    tints: Tints
    wires: list[Wire]
    far: object
    grounds: dict[Ground, Rects]
    depths: NDArray[np.float64]

    @classmethod
    def of(cls, scene: "CanvasScene", tints: Tints) -> "FarTints":
        """Those of what the scene shows; the same again while nothing changed."""
        before, wires = scene.far_tints, scene.wires.listed
        if (
            before is not None
            and before.tints is tints
            and before.wires is wires
            and before.far is scene.far
        ):
            return before
        return cls(tints, wires, scene.far, _grounds(scene, tints), _depths(tints, wires))


def _grounds(scene: "CanvasScene", tints: Tints) -> dict[Ground, Rects]:
    found: dict[Ground, list[QRectF]] = {}
    for call, item in scene.items_by_call.items():
        bands, body = tints.nodes.get(call, ()), item.body_rect()
        if not bands:
            found.setdefault("plain", []).append(body)
        for band, rect in zip(bands, columns(body, bands), strict=True):
            depth = min(int(band.depth * _DEPTHS), _DEPTHS - 1)
            found.setdefault((band.loss, depth) if band.depth else "nothing", []).append(rect)
    return {key: array(rects) for key, rects in found.items()}


def _depths(tints: Tints, wires: list[Wire]) -> NDArray[np.float64]:
    depths = np.zeros((len(wires), len(tints.losses)))
    for row, wire in enumerate(wires):
        for band in tints.along(wire):
            depths[row, band.loss] = band.depth
    return depths


def paint_tinted(
    scene: "CanvasScene", tints: Tints, painter: QPainter, visible: QRectF, zoom: float
) -> None:
    """Nodes and wires in the colours of the losses."""
    scene.far_tints = shown = FarTints.of(scene, tints)
    _paint_wires(scene, shown, painter, visible, zoom)
    grey = greys()
    for key, rects in shown.grounds.items():
        if isinstance(key, str):
            painter.setPen(grey.wire)
            painter.setBrush(grey.plain if key == "plain" else grey.ground)
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ink(key[0]).far[key[1]])
        draw_rects(painter, rects, visible)


def _paint_wires(
    scene: "CanvasScene", shown: FarTints, painter: QPainter, visible: QRectF, zoom: float
) -> None:
    rows, lines = scene.wires.lines(visible)
    seen = np.hypot(lines[:, 2] - lines[:, 0], lines[:, 3] - lines[:, 1]) * zoom >= _LEAST
    rows, lines = rows[seen], lines[seen]
    painter.setPen(greys().wire)
    draw_lines(painter, lines)
    tints = shown.tints
    losses = range(len(tints.losses)) if tints.isolated is None else [tints.isolated]
    for place, loss in enumerate(losses):
        deep = shown.depths[rows, loss]
        aside = (place - (len(losses) - 1) / 2) * 2 / zoom
        for low, high, width in ((0.0, 0.5, 1.0), (0.5, 2.0, 2.0)):
            these = lines[(deep > low) & (deep <= high)] + [0, aside, 0, aside]
            painter.setPen(ink(loss).pen(width / zoom))
            draw_lines(painter, these)
