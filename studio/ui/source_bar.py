"""Where the data comes from, how far its reading is, and what to do while there is none."""

from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.document.plan import GeneratedSource, PastedSource, Source, TableSource
from studio.text import text
from studio.train.generators import GENERATORS
from studio.ui.choices import ListedChoice
from studio.ui.elided import Elided
from studio.ui.parts import IconButton, heading, note

FILE, FOLDER, PASTE = "file…", "folder…", "paste…"
_PATIENCE = 300  # milliseconds before a bar is worth looking at


class SourceBar(QWidget):
    """The source, and acts on it.

    Signals:
        chosen(source): a source, None, or one of `FILE`, `FOLDER` and `PASTE`.
        reload_wanted(): look again.
        locate_wanted(): the file is elsewhere now.
    """

    chosen = Signal(object)
    reload_wanted = Signal()
    locate_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.choice = ListedChoice([])
        self.choice.setMinimumContentsLength(12)
        self.choice.setAccessibleName(text("training.source"))
        self.choice.edited.connect(self.chosen.emit)
        self.file = self._button("open", "open_file", FILE)
        self.paste = self._button("paste", "paste_table", PASTE)
        self.reload = IconButton("refresh", text("training.reload"))
        self.reload.clicked.connect(self.reload_wanted.emit)
        self.locate = QPushButton(text("training.locate"))
        self.locate.clicked.connect(self.locate_wanted.emit)
        self.size_label = Elided()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.choice)
        for widget in (self.file, self.paste, self.reload, self.locate):
            row.addWidget(widget)
        row.addWidget(self.size_label, 1)

    def show_source(self, source: Source | None) -> None:
        """Show `source` among what else there is."""
        choices: list[tuple[str, object]] = [(text("training.no_source"), None)]
        if isinstance(source, TableSource | PastedSource):
            choices.append((name_of(source), source))
        choices += [
            (text("data.choose_file"), FILE),
            (text("data.choose_folder"), FOLDER),
            (text("data.choose_paste"), PASTE),
        ]
        for name in GENERATORS:
            mine = isinstance(source, GeneratedSource) and source.name == name
            made = source if mine else GeneratedSource(name)
            choices.append((text("training.generated", name=name), made))
        self.choice.set_choices(choices)
        self.choice.show_value(source)
        self.choice.setToolTip(source.path if isinstance(source, TableSource) else "")
        self.reload.setVisible(isinstance(source, TableSource))

    def _button(self, name: str, key: str, wanted: str) -> QToolButton:
        button = IconButton(name, text(f"data.{key}"))
        button.setObjectName(f"data:{name}")
        button.clicked.connect(lambda: self.chosen.emit(wanted))
        return button


def name_of(source: TableSource | PastedSource) -> str:
    """What a file or a pasted table is called."""
    if isinstance(source, TableSource):
        return Path(source.path).name or source.path
    return source.name or text("data.pasted")


class ReadingProgress(QWidget):
    """How far the reading of a table is; hidden while it would only flicker.

    Signals:
        cancelled(): nobody wants to wait.
    """

    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.doing = QLabel(text("progress.reading"))
        self.bar = QProgressBar()
        self.bar.setAccessibleName(text("data.progress"))
        self.bar.setMaximumHeight(18)
        self.cancel = QPushButton(text("data.cancel"))
        self.cancel.clicked.connect(self.cancelled.emit)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.doing)
        row.addWidget(self.bar, 1)
        row.addWidget(self.cancel)
        self._patience = QTimer(self, singleShot=True, interval=_PATIENCE)
        self._patience.timeout.connect(self.show)
        self.hide()

    def begin(self) -> None:
        """Something is under way; it is shown unless it ends soon."""
        if not self.isVisible() and not self._patience.isActive():
            self.show_progress("reading", 0, 0)
            self._patience.start()

    def show_progress(self, doing: str, done: int, total: int) -> None:
        """So much is done of what there is; 0 where that is not known."""
        self.doing.setText(text(f"progress.{doing}"))
        self.bar.setRange(0, 1000 if total else 0)
        self.bar.setValue(1000 * done // total if total else 0)

    def end(self) -> None:
        """Nothing is under way."""
        self._patience.stop()
        self.hide()


class EmptyPage(QWidget):
    """What to do while there is no table.

    Signals:
        chosen(what): `FILE`, `FOLDER` or `PASTE`.
    """

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.title = heading(text("data.empty_title"))
        self.body = note(text("data.empty_body"))
        self.buttons: dict[str, QPushButton] = {}
        row = QHBoxLayout()
        for key, wanted in (("open_file", FILE), ("open_folder", FOLDER), ("paste_table", PASTE)):
            button = QPushButton(text(f"data.{key}"))
            button.clicked.connect(lambda _=False, wanted=wanted: self.chosen.emit(wanted))
            self.buttons[wanted] = button
            row.addWidget(button)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.addWidget(self.title)
        layout.addWidget(self.body)
        layout.addLayout(row)
        layout.addStretch(1)

    def show_lost(self, lost: bool) -> None:
        """Say what to do where a table was chosen and cannot be read, or where none was."""
        state = "lost" if lost else "empty"
        self.title.setText(text(f"data.{state}_title"))
        self.body.setText(text(f"data.{state}_body"))
