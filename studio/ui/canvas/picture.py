"""A graph, or a part of it, as a picture to take away: SVG, PNG, PDF.

It is painted by the canvas's own items on a scene of its own, so nothing of what is selected,
pointed at or in the hand gets into it. In SVG and PDF lines stay lines and text stays text.
"""

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from weakref import finalize

from PySide6.QtCore import QMarginsF, QPointF, QRectF, QSize, QSizeF
from PySide6.QtGui import QImage, QPageLayout, QPageSize, QPainter, QPdfWriter
from PySide6.QtWidgets import QApplication
from shiboken6 import delete, isValid

from studio.document.analysis import Analysis, analyse
from studio.document.layout import Size
from studio.document.model import CallId, Document
from studio.document.project import Project
from studio.document.store import Store
from studio.formats.atomic import write_bytes
from studio.problem import refuse
from studio.ui.canvas.faces import Faces
from studio.ui.canvas.scene import CanvasScene
from studio.ui.painted import DPI, buffer, content, png, svg
from studio.ui.theme import brushes, painted_in, use_fonts

SUFFIXES = (".svg", ".png", ".pdf")
_MARGIN = 8.0  # around what is shown, beside the scene's own
_SIDE = 32_000  # pixels; Qt's painter goes no farther
_PIXELS = 150_000_000  # of a PNG: 600 MB while it is made
_PAGE = 14_400.0  # points; what PDF readers take
THUMBNAIL = QSize(320, 144)
_THUMBNAIL_NODES = 200  # more would hold up saving, and be dust


@dataclass(frozen=True)
class Look:
    """How a picture is made.

    Attributes:
        scale: pixels of a PNG for each unit of the canvas; larger or smaller than life in others.
        transparent: nothing lies behind the nodes.
        theme: ``light`` or ``dark``.
    """

    scale: float = 1.0
    transparent: bool = False
    theme: str = "light"


class Picture:
    """What a graph looks like.

    Args:
        faces: of the graph.
        calls: the nodes shown, with the wires among them; all where None.
        title: what the file calls it.

    Raises:
        ProblemError: ``picture_empty``.
    """

    def __init__(
        self, faces: Faces, calls: Collection[CallId] | None = None, title: str = ""
    ) -> None:
        self._scene = CanvasScene()
        # Scene and items know each other: left to the garbage collector, they would be destroyed
        # at any moment, in the middle of anything.
        finalize(self, _destroy, self._scene).atexit = False
        self._scene.show_faces(faces)
        self._title = title
        wires = self._scene.wires
        wires.uncut = True
        if calls is not None:
            for call, item in self._scene.items_by_call.items():
                item.setVisible(call in calls)
            wires.show_only({w for w in wires.wires if {w.source, w.target} <= {*calls}})
        rect = self._scene.extent(calls)
        if rect.isNull():
            raise refuse("picture_empty")
        self._rect = rect.adjusted(-_MARGIN, -_MARGIN, _MARGIN, _MARGIN)

    @property
    def size(self) -> QSizeF:
        """In units of the canvas."""
        return self._rect.size()

    def sizes(self) -> tuple[Mapping[CallId, Size], Mapping[CallId, Size]]:
        """What each node takes, its body and all of it; see `CanvasScene.sizes`."""
        return self._scene.sizes()

    @property
    def largest(self) -> float:
        """The scale at which it is as many pixels as may be."""
        width, height = self.size.width(), self.size.height()
        return float(min(_SIDE / max(width, height), (_PIXELS / (width * height)) ** 0.5))

    # -- kinds of files --------------------------------------------------------------------------

    def write(self, path: Path, look: Look) -> None:
        """Write a file of the kind its name says.

        Raises:
            ProblemError: ``picture_suffix``, ``picture_too_large``, ``file_not_written``.
        """
        makers = dict(zip(SUFFIXES, (self.svg, self.png, self.pdf), strict=True))
        make = makers.get(path.suffix.lower())
        if make is None:
            raise refuse("picture_suffix", file=path.name, known=", ".join(SUFFIXES))
        write_bytes(path, make(look))

    def image(self, look: Look) -> QImage:
        """Pixels, with transparency where nothing is.

        Raises:
            ProblemError: ``picture_too_large``.
        """
        size = (self.size * look.scale).toSize().expandedTo(QSize(1, 1))
        if max(size.width(), size.height()) > _SIDE or size.width() * size.height() > _PIXELS:
            raise refuse(
                "picture_too_large",
                width=size.width(),
                height=size.height(),
                scale=f"{look.scale:g}",
                fits=f"{self.largest:.2g}",
            )
        image = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(0)
        dots = round(DPI * look.scale / 0.0254)
        image.setDotsPerMeterX(dots)
        image.setDotsPerMeterY(dots)
        with QPainter(image) as painter:
            self._paint(painter, look, QRectF(0, 0, size.width(), size.height()))
        return image

    def fitted(self, room: QSize, theme: str, ratio: float = 1.0) -> QImage:
        """As large as fits into so many pixels, never larger than life; transparent."""
        across, down = room.width() / self.size.width(), room.height() / self.size.height()
        image = self.image(Look(min(across, down, 1.0) * ratio, True, theme))
        image.setDevicePixelRatio(ratio)
        return image

    def png(self, look: Look) -> bytes:
        """`image` as a file."""
        return png(self.image(look))

    def svg(self, look: Look) -> bytes:
        """Lines and text; a reader without the font takes another one without serifs."""
        size = self.size * look.scale
        return svg(size, self._title, lambda p: self._paint(p, look, QRectF(QPointF(), size)))

    def pdf(self, look: Look) -> bytes:
        """One page of the size of the graph, its fonts embedded."""
        scale = min(look.scale, _PAGE / max(self.size.width(), self.size.height()))
        out, size = buffer(), self.size * scale
        writer = QPdfWriter(out)
        writer.setResolution(72)
        writer.setTitle(self._title)
        writer.setCreator("Layerloom")
        page = QPageSize(size, QPageSize.Unit.Point, "", QPageSize.SizeMatchPolicy.ExactMatch)
        writer.setPageLayout(QPageLayout(page, QPageLayout.Orientation.Portrait, QMarginsF()))
        with QPainter(writer) as painter:
            self._paint(painter, look, QRectF(QPointF(), size))
        return content(out)

    # -- painting --------------------------------------------------------------------------------

    def _paint(self, painter: QPainter, look: Look, target: QRectF) -> None:
        with painted_in(look.theme):
            if not look.transparent:
                painter.fillRect(target, brushes().canvas)
            self._scene.render(painter, target, self._rect)


def _destroy(scene: CanvasScene) -> None:
    if isValid(scene):
        delete(scene)


def paint_without_screen() -> None:
    """Start what painting needs; where there is a screen nothing appears on it."""
    if QApplication.instance() is None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        app = QApplication([])
        use_fonts(app)


def draw(
    project: Project, out: Path, look: Look, names: Iterable[str] | None = None, title: str = ""
) -> None:
    """Write a picture of a project's main graph, or of layers by name; no window is needed.

    Raises:
        ProblemError: as `Picture.write`; ``picture_no_such_layer``.
    """
    paint_without_screen()
    document = project.document
    calls = None if names is None else _named(document, names)
    faces = Faces(document, analyse(document), project.store)
    Picture(faces, calls, title).write(out, look)


def _named(document: Document, names: Iterable[str]) -> set[CallId]:
    """The calls of the layers with these names."""
    by_name: dict[str, set[CallId]] = {}
    for call in document.graph.calls:
        by_name.setdefault(document.entry(call).name, set()).add(call)
    for name in names:
        if name not in by_name:
            raise refuse("picture_no_such_layer", name=name, known=", ".join(by_name))
    return {call for name in names for call in by_name[name]}


def thumbnail(document: Document, analysis: Analysis, store: Store) -> bytes:
    """A small PNG of a document's main graph, which lies well on light and dark; empty for none."""
    if not 0 < len(document.graph.calls) <= _THUMBNAIL_NODES:
        return b""
    picture = Picture(Faces(document, analysis, store))
    return png(picture.fitted(THUMBNAIL, "light", 2.0))
