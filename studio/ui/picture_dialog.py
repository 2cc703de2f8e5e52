"""Take the graph away as a picture: saved as SVG, PNG or PDF, or copied."""

from collections.abc import Collection
from pathlib import Path

from PySide6.QtCore import QMimeData, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QGuiApplication, QImage, QPainter, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from studio.document.model import CallId
from studio.problem import ProblemError
from studio.text import text
from studio.ui.canvas.faces import Faces
from studio.ui.canvas.picture import SUFFIXES, Look, Picture
from studio.ui.parts import note
from studio.ui.session import Session
from studio.ui.theme import THEMES, tokens

_PREVIEW = QSize(640, 240)
_SCALES = (1.0, 2.0, 3.0, 4.0)
_SQUARE = 8  # pixels of the pattern that stands for transparency


def run_picture(session: Session, parent: QWidget | None = None) -> None:
    """Open the dialog and wait until it is closed."""
    dialog = PictureDialog(session, parent)
    dialog.exec()
    dialog.deleteLater()


def picture_of(session: Session, calls: Collection[CallId] | None = None) -> Picture:
    """The graph one looks at, or these nodes of it."""
    document, inner = session.seen, bool(session.way)
    faces = Faces(document, session.analysis, session.project.store, inner)
    return Picture(faces, calls, session.path.stem if session.path else "")


def copy_picture(session: Session) -> None:
    """Put the selection, or everything, on the clipboard, in the theme of the window."""
    picture = picture_of(session, session.selection or None)
    _copy(picture, Look(min(2.0, 0.99 * picture.largest), True, tokens().name))


def _copy(picture: Picture, look: Look) -> QImage:
    """Pixels for most programs, and lines for those that can take them."""
    image, data = picture.image(look), QMimeData()
    data.setImageData(image)
    data.setData("image/svg+xml", picture.svg(Look(1.0, look.transparent, look.theme)))
    QGuiApplication.clipboard().setMimeData(data)
    return image


class PictureDialog(QDialog):
    """Asks what is shown and how, and shows it."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._pictures: dict[int, Picture] = {}
        self.setWindowTitle(text("picture.title"))
        self.preview = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        self.preview.setFixedSize(_PREVIEW)
        self.preview.setAccessibleName(text("picture.preview"))
        self.part = self._part()
        self.theme = QComboBox()
        for name in THEMES:
            self.theme.addItem(text(f"picture.{name}"), name)
        self.theme.setCurrentIndex(self.theme.findData(tokens().name))
        self.transparent = QCheckBox(text("picture.transparent"))
        self.transparent.setToolTip(text("picture.transparent_help"))
        self.transparent.setChecked(True)
        self.scale = QComboBox()
        for scale in _SCALES:
            self.scale.addItem(f"{scale:g} ×", scale)
        self.scale.setCurrentIndex(self.scale.findData(2.0))
        self.scale.setToolTip(text("picture.scale_help"))
        self.state = note()
        self.setLayout(self._laid_out())
        self.part.currentIndexChanged.connect(self._refresh)
        self.theme.currentIndexChanged.connect(self._refresh)
        self.transparent.toggled.connect(self._refresh)
        self.scale.currentIndexChanged.connect(self._refresh)
        self._refresh()

    def _part(self) -> QComboBox:
        part, chosen = QComboBox(), self._session.selection
        part.addItem(text("picture.whole"))
        if chosen:
            part.addItem(text("picture.selection", count=len(chosen)))
        part.setCurrentIndex(1 if len(chosen) > 1 else 0)
        return part

    def _laid_out(self) -> QVBoxLayout:
        form = QFormLayout()
        form.addRow(text("picture.part"), self.part)
        form.addRow(text("picture.theme"), self.theme)
        form.addRow("", self.transparent)
        form.addRow(text("picture.scale"), self.scale)
        self.copy = QPushButton(text("picture.copy"))
        self.copy.clicked.connect(self._copy)
        self.save = QPushButton(text("picture.save"))
        self.save.clicked.connect(self._save)
        close = QPushButton(text("picture.close"))
        close.clicked.connect(self.reject)
        buttons = QDialogButtonBox()
        buttons.addButton(self.save, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(self.copy, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(close, QDialogButtonBox.ButtonRole.RejectRole)
        layout = QVBoxLayout()
        layout.addWidget(self.preview)
        layout.addLayout(form)
        layout.addWidget(self.state)
        layout.addWidget(buttons)
        for button in (self.copy, close):
            button.setAutoDefault(False)
        self.save.setDefault(True)
        return layout

    @property
    def picture(self) -> Picture:
        """What is shown; made once, for nothing changes while one is asked."""
        part = self.part.currentIndex()
        if part not in self._pictures:
            calls = self._session.selection if part == 1 else None
            self._pictures[part] = picture_of(self._session, calls)
        return self._pictures[part]

    def look(self, scale: float) -> Look:
        """How it is made, at a scale."""
        return Look(scale, self.transparent.isChecked(), self.theme.currentData())

    def _refresh(self) -> None:
        picture, ratio = self.picture, self.devicePixelRatio()
        room = _PREVIEW * ratio
        size = picture.size
        fits = min(room.width() / size.width(), room.height() / size.height(), ratio)
        shown = QPixmap.fromImage(_on_squares(picture.image(self.look(fits))))
        shown.setDevicePixelRatio(ratio)
        self.preview.setPixmap(shown)
        pixels = (size * self.scale.currentData()).toSize()
        self._say("pixels", width=pixels.width(), height=pixels.height())

    def _say(self, key: str, **args: object) -> None:
        self.state.setText(text(f"picture.{key}", **args))

    # -- taking it away --------------------------------------------------------------------------

    def _copy(self) -> None:
        try:
            image = _copy(self.picture, self.look(self.scale.currentData()))
        except ProblemError as error:
            self.state.setText(str(error))
            return
        self._say("copied", width=image.width(), height=image.height())

    def _save(self) -> None:
        kinds = [f"{text(f'picture.kind_{s[1:]}')} (*{s})" for s in SUFFIXES]
        path = self._session.path
        start = path.with_suffix("") if path else Path.home() / "model"
        title = text("picture.title")
        chosen, kind = QFileDialog.getSaveFileName(self, title, str(start), ";;".join(kinds))
        if not chosen:
            return
        where = Path(chosen)
        if where.suffix.lower() not in SUFFIXES:
            suffix = SUFFIXES[kinds.index(kind)] if kind in kinds else SUFFIXES[0]
            where = where.with_name(where.name + suffix)
        scale = self.scale.currentData() if where.suffix.lower() == ".png" else 1.0
        try:
            self.picture.write(where, self.look(scale))
        except (ProblemError, OSError) as error:
            self.state.setText(str(error))
            return
        self._say("written", path=where)


def _on_squares(image: QImage) -> QImage:
    """With the pattern of grey squares behind it that stands for nothing."""
    pattern = QPixmap(2 * _SQUARE, 2 * _SQUARE)
    pattern.fill(QColor("#e9e9e9"))
    with QPainter(pattern) as painter:
        for corner in (0, _SQUARE):
            painter.fillRect(corner, corner, _SQUARE, _SQUARE, QColor("#fdfdfd"))
    whole = QImage(image.size(), QImage.Format.Format_RGB32)
    with QPainter(whole) as painter:
        painter.fillRect(whole.rect(), QBrush(pattern))
        painter.drawImage(0, 0, image)
    return whole
