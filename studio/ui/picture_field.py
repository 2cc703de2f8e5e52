"""A picture of one's own in a form: dropped, or chosen from the disk."""

from pathlib import Path

from PySide6.QtCore import QSize, Qt, QUrl, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QImageReader, QPixmap
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from studio.text import text
from studio.ui.icons import icon
from studio.ui.theme import tokens

_SIDE = 112  # pixels on the screen, at most


class PictureChooser(QWidget):
    """A button that asks for a picture, and takes one that is dropped.

    Signals:
        chosen(path): a picture was chosen or dropped.
    """

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setAcceptDrops(True)
        self.button = QPushButton(icon("open"), text("trying.choose_picture"))
        self.button.clicked.connect(self._ask)

    def _ask(self) -> None:
        known = sorted(bytes(f.data()).decode() for f in QImageReader.supportedImageFormats())
        pictures = " ".join(f"*.{suffix}" for suffix in known)
        title = text("trying.choose_picture").rstrip("…")
        filters = f"{text('trying.pictures')} ({pictures});;{text('training.all_files')} (*)"
        path, _ = QFileDialog.getOpenFileName(self, title, "", filters)
        if path:
            self.chosen.emit(Path(path))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _file_of(event) is not None:
            event.acceptProposedAction()
            self.light(True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.light(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self.light(False)
        path = _file_of(event)
        if path is not None:
            event.acceptProposedAction()
            self.chosen.emit(path)

    def light(self, on: bool) -> None:
        """Show that what is held would be taken."""


class PictureField(PictureChooser):
    """The path of a picture, shown as the picture."""

    edited = Signal()
    done = Signal()

    def __init__(self, cell: str) -> None:
        super().__init__()
        self._path = ""
        self.shown = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self.shown.setWordWrap(True)
        self.shown.setMinimumSize(QSize(_SIDE, _SIDE))
        self.shown.setMaximumWidth(2 * _SIDE)
        self.name = QLabel()
        beside = QVBoxLayout()
        beside.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        beside.addWidget(self.name)
        beside.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.shown)
        row.addLayout(beside, 1)
        self.setFocusProxy(self.button)
        self.chosen.connect(self._take)
        self.light(False)
        self.show_cell(cell)

    def text(self) -> str:
        """The picture's path; empty where none was chosen yet."""
        return self._path

    def show_cell(self, cell: str) -> None:
        """Show the picture of a cell without telling of it."""
        self._path = cell
        picture = _thumbnail(Path(cell), round(_SIDE * self.devicePixelRatioF())) if cell else None
        self.name.setText(Path(cell).name)
        self.name.setToolTip(cell)
        if picture is None:
            self.shown.setText(text("trying.no_preview" if cell else "trying.drop_picture"))
        else:
            picture.setDevicePixelRatio(self.devicePixelRatioF())
            self.shown.setPixmap(picture)

    def _take(self, path: Path) -> None:
        self.show_cell(str(path.absolute()))
        self.edited.emit()

    def light(self, on: bool) -> None:
        colours = tokens()
        rim = colours.accent if on else colours.hover
        self.shown.setStyleSheet(
            f"QLabel {{ border: 1px dashed {rim}; border-radius: 6px; color: {colours.text2}; }}"
        )


def _file_of(event: QDropEvent) -> Path | None:
    """The one file that is held over a widget."""
    urls: list[QUrl] = event.mimeData().urls()
    return Path(urls[0].toLocalFile()) if len(urls) == 1 and urls[0].isLocalFile() else None


def _thumbnail(path: Path, side: int) -> QPixmap | None:
    """A picture made small while it is read; None where Qt cannot show it."""
    reader = QImageReader(str(path))
    reader.setAutoTransform(True)
    size = reader.size()
    if size.isValid() and max(size.width(), size.height()) > side:
        reader.setScaledSize(size.scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    if image.isNull():
        return None
    if max(image.width(), image.height()) > side:
        ratio, smooth = (
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        image = image.scaled(side, side, ratio, smooth)
    return QPixmap.fromImage(image)
