"""What a proposal would make: a picture of the graph, and what changes, line by line."""

from html import escape

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QPixmap, QResizeEvent
from PySide6.QtWidgets import QLabel, QScrollArea, QSizePolicy

from studio.document.analysis import analyse
from studio.document.model import Document
from studio.document.store import Store
from studio.text import text
from studio.train.proposals import changes
from studio.ui.canvas.commands import arranged
from studio.ui.canvas.faces import Faces
from studio.ui.canvas.picture import Picture
from studio.ui.parts import note
from studio.ui.proposals.wording import change_said
from studio.ui.theme import tokens

_NODES = 60  # more would be dust


class GraphPicture(QLabel):
    """A graph as large as there is room, in the colours of the theme."""

    def __init__(self) -> None:
        super().__init__()
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setMinimumSize(360, 150)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(text("binding.picture"))
        self._picture: Picture | None = None

    def show_document(self, document: Document) -> None:
        """Draw the main graph of a document."""
        small = 0 < len(document.graph.calls) <= _NODES
        self._picture = None
        if small:
            self._picture = Picture(Faces(document, analyse(document), Store()))
        self._draw()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._draw()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._draw()

    def _draw(self) -> None:
        if self._picture is None:
            self.setPixmap(QPixmap())
            return
        room = self.size().expandedTo(QSize(80, 60))
        image = self._picture.fitted(room, tokens().name, self.devicePixelRatioF())
        self.setPixmap(QPixmap.fromImage(image))


def laid_out(document: Document) -> Document:
    """With the nodes placed by what they really take on the canvas."""
    picture = Picture(Faces(document, analyse(document), Store()))
    return arranged(document, document.main, None, *picture.sizes())


class ChangesList(QScrollArea):
    """What a proposal changes, line by line."""

    def __init__(self) -> None:
        super().__init__()
        self.label = note()
        self.label.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.label.setTextFormat(Qt.TextFormat.RichText)
        self.label.setAccessibleName(text("binding.changes"))
        self.setWidgetResizable(True)
        self.setWidget(self.label)
        self.setFrameShape(QScrollArea.Shape.NoFrame)

    def say(self, words: str) -> None:
        """Say something else."""
        self.label.setText(escape(words))

    def wait(self) -> None:
        """Say that it is not known yet, where nothing is shown."""
        if not self.label.text():
            self.say(text("binding.proposing"))

    def show_proposal(self, old: Document, new: Document) -> None:
        """Say what is another in the new document."""
        said = [change_said(change) for change in changes(old, new)]
        lines = "".join(f"<p style='margin: 0 0 6px 0'>{line}</p>" for line in said if line)
        self.label.setText(lines or escape(text("binding.nothing_changes")))
