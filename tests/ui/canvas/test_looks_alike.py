"""Pictures of the canvas, compared with recorded ones: every theme, near, farther and from afar.

Fonts differ between machines, so none is used: letters have one width and are not painted. Pictures
are compared by the mean colours of squares, with room for how edges are smoothed.

`python -m tests.ui.canvas.test_looks_alike` records them anew, after they were looked at.
"""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from studio.document import edits, look_edits
from studio.document.muting import mute
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.ui.canvas import CanvasView, fields, geometry, labels, node
from studio.ui.canvas.wires import WireLayer
from studio.ui.session import Session
from studio.ui.theme import THEMES, apply_theme

RECORDED = Path(__file__).with_name("looks.npz")
SIZE = (960, 480)
SQUARE = 12  # pixels
ZOOMS = {"near": 1.0, "middle": 0.5, "far": 0.2}
CASES = [(theme, zoom) for theme in THEMES for zoom in ZOOMS]


def document():
    """Twins, an output, a warning, something selected, muted, collapsed, frozen."""
    drawn = EXAMPLES["tweets"]()
    names = {drawn.entry(c).name: c for c in drawn.graph.calls}
    drawn = edits.set_trainable(drawn, drawn.graph.calls[names["same_author"]].layer, False)
    drawn = look_edits.collapse(drawn, [names["tweet_b"]], True)
    return mute(drawn, [names["concatenate"]], True), names["tweet_a"]


def taken(theme: str, zoom: str, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """The mean colours of a canvas, (rows, columns, 3)."""
    for module in (geometry, node, labels, fields):
        monkeypatch.setattr(module, "text_width", lambda words, font: 6.5 * len(words))
    monkeypatch.setattr(labels, "_elided", lambda words, font, room: words[: int(room / 6.5)])
    for module in (node, fields):
        monkeypatch.setattr(module, "write", lambda *_: None)
    apply_theme(QApplication.instance(), theme)
    drawn, chosen = document()
    view = CanvasView(Session(Project(drawn)))
    view.resize(*SIZE)
    view.show()
    view.select([chosen])
    view.zoom_at(ZOOMS[zoom] / view.zoom, QPoint(0, 0))
    view.centerOn(view.canvas.extent().center() - QPointF(260, 0))
    QApplication.processEvents()
    image = view.viewport().grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    image = image.scaled(*SIZE)
    view.close()
    view.deleteLater()
    pixels = np.frombuffer(bytes(image.constBits()), np.uint8)
    pixels = pixels.reshape(SIZE[1], image.bytesPerLine())[:, : 3 * SIZE[0]]
    squares = pixels.reshape(SIZE[1] // SQUARE, SQUARE, SIZE[0] // SQUARE, SQUARE, 3)
    return squares.mean((1, 3)).round().astype(np.uint8)


def apart(seen: np.ndarray, theme: str, zoom: str) -> float:
    """The share of the squares that differ from what was recorded."""
    with np.load(RECORDED) as recorded:
        wanted = recorded[f"{theme}_{zoom}"]
    return float((np.abs(seen.astype(int) - wanted).max(-1) > 24).mean())


@pytest.mark.parametrize(("theme", "zoom"), CASES)
def test_it_looks_as_recorded(qapp, monkeypatch, theme, zoom):
    try:
        seen = taken(theme, zoom, monkeypatch)
    finally:
        apply_theme(qapp, "light")
    assert apart(seen, theme, zoom) < 0.01


def test_what_is_missing_is_seen(qapp, monkeypatch):
    monkeypatch.setattr(WireLayer, "paint", lambda *_: None)
    assert apart(taken("light", "near", monkeypatch), "light", "near") > 0.01


def test_pictures_of_different_things_differ(qapp):
    with np.load(RECORDED) as recorded:
        pictures = [recorded[f"{theme}_{zoom}"].astype(int) for theme, zoom in CASES]
    for i, one in enumerate(pictures):
        for other in pictures[:i]:
            assert (np.abs(one - other).max(-1) > 24).mean() >= 0.01


if __name__ == "__main__":
    app = QApplication([])
    with pytest.MonkeyPatch.context() as patch:
        np.savez_compressed(
            RECORDED, **{f"{theme}_{zoom}": taken(theme, zoom, patch) for theme, zoom in CASES}
        )
