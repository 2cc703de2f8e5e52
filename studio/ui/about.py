"""What this program is, and the versions a question about it should name."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from studio import __version__
from studio.text import text
from studio.ui.icons import icon
from studio.ui.parts import note
from studio.ui.report import about_this_machine


class AboutDialog(QDialog):
    """Name, purpose, versions."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(text("window.about"))
        picture = QLabel()
        picture.setPixmap(icon("layerloom").pixmap(64, 64))
        picture.setAlignment(Qt.AlignmentFlag.AlignTop)
        title = QLabel(f"<h2>{text('window.title')} {__version__}</h2>")
        versions = note(about_this_machine())
        buttons = QDialogButtonBox()
        close = buttons.addButton(text("window.close"), QDialogButtonBox.ButtonRole.RejectRole)
        close.clicked.connect(self.reject)
        words = QVBoxLayout()
        for part in (title, note(text("window.about_text")), versions):
            words.addWidget(part)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(picture)
        row.addLayout(words, 1)
        layout = QVBoxLayout(self)
        layout.addLayout(row)
        layout.addWidget(buttons)
        self.setMinimumWidth(460)
