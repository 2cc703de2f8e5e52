"""An ONNX file one looks into: its operators on a plane, to be panned and zoomed, not edited."""

from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QWidget

from studio.document.file_view import FileView, file_view
from studio.document.model import Endpoint
from studio.document.nesting import file_inside, owner
from studio.document.store import Store
from studio.engine.program import Spec
from studio.text import text
from studio.ui.canvas.faces import Faces
from studio.ui.canvas.plane import Plane
from studio.ui.canvas.scene import CanvasScene
from studio.ui.session import Session

_PAN = (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton)


class FilePlane(Plane):
    """Shows the file the session looks into; every drag pans, and Escape leads out."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        self.canvas = CanvasScene()
        super().__init__(self.canvas, parent)
        self._session = session
        self._view: FileView | None = None
        self._drag: QPoint | None = None
        self.setAccessibleName(text("canvas.name"))
        session.entered.connect(self._enter)
        session.weights_changed.connect(self._show)

    def _enter(self) -> None:
        """Draw the file anew, where one is looked into."""
        session, call = self._session, self._session.file
        self._view = None
        if call is None:
            return
        layer = session.seen.graph.calls[call].layer
        body, entry = file_inside(session.seen, layer), session.seen.layers[layer]
        file = body.file() if body else None
        if file is not None:
            self._view = file_view(file, entry.name, self._arriving(call), entry.trainable)
            self._show()
            self.fit()

    def _arriving(self, call: str) -> list[Spec]:
        """What arrives at the layer; nothing where it is not all known, or a wrapper is around."""
        document, specs = self._session.seen, self._session.analysis.specs
        layer = document.graph.calls[call].layer
        ports, _ = document.ports(document.layers[layer])
        wires = [w for port in ports for w in document.graph.into(call, port.name)]
        found = [specs.get(Endpoint(w.source, w.output)) for w in wires]
        told = [spec for spec in found if spec is not None]
        whole = len(told) == len(ports) and owner(document, layer) == layer
        return told if whole else []

    def _show(self) -> None:
        session, view = self._session, self._view
        if view is None or session.file is None:
            return
        document, store = session.seen, Store()
        layer = owner(document, document.graph.calls[session.file].layer)
        for operator in view.owners:
            store.adopt(operator, session.project.store.cells(layer))
        self.canvas.restyle(Faces(view.document, view.analysis, store, inner=True))
        self.refresh_far()

    # -- panning -----------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() in _PAN:
            self._drag = event.position().toPoint()
            self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None:
            at = event.position().toPoint()
            self.scroll_by(self._drag - at)
            self.refresh_far()
            self._drag = at

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._drag = None
        self.viewport().unsetCursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._session.leave()
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.LanguageChange):
            self._show()
            self.setAccessibleName(text("canvas.name"))
            self.viewport().update()
