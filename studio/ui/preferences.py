"""What a person chooses for every project, and at once: looks, language, wheel, cores, keys."""

import os
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QKeySequenceEdit,
    QLabel,
    QPushButton,
    QSpinBox,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from studio.engine import memory, threads
from studio.text import LANGUAGES, language, text
from studio.ui.actions import Action
from studio.ui.keys import Gesture
from studio.ui.keys_view import KeysView
from studio.ui.parts import Complaint, clear, note, plain
from studio.ui.settings import MOST_MEMORY, MOST_THREADS, THEMES, WHEELS

if TYPE_CHECKING:  # the window shows this, so it cannot be imported here
    from studio.ui.window import MainWindow

# What the program was started with.
_outside = {name: os.environ.get(name) for name in (threads.VARIABLE, memory.VARIABLE)}


def use_threads(most: int) -> None:
    """Use at most so many cores, here and in every training started from now on.

    Args:
        most: 0 for what the program was started with: all, if nothing was said.
    """
    _say(threads.VARIABLE, str(most) if most else None)


def use_memory(gigabytes: int) -> None:
    """Let a model take at most so much memory, here and in every training started from now on.

    Args:
        gigabytes: 0 for what the program was started with: half of it, if nothing was said.
    """
    _say(memory.VARIABLE, f"{gigabytes}G" if gigabytes else None)


def _say(variable: str, value: str | None) -> None:
    value = _outside[variable] if value is None else value
    if value is None:
        os.environ.pop(variable, None)
    else:
        os.environ[variable] = value


class Preferences(QDialog):
    """Two pages; every change counts at once and is kept."""

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self._window = window
        self._layout = QVBoxLayout(self)
        self._body: QWidget | None = None
        self.pages = QTabWidget()
        self.resize(640, 520)
        self._build()

    def _build(self) -> None:
        page = max(self.pages.currentIndex(), 0)
        if self._body:
            clear(self._body)
        self.setWindowTitle(plain(text("window.preferences")))
        self.general, self.keys = GeneralPage(self._window), KeysPage(self._window)
        self.pages = QTabWidget()
        self.pages.addTab(self.general, text("window.preferences_general"))
        self.pages.addTab(self.keys, text("window.preferences_keys"))
        self.pages.setCurrentIndex(page)
        buttons = QDialogButtonBox()
        close = buttons.addButton(text("window.close"), QDialogButtonBox.ButtonRole.RejectRole)
        close.setAutoDefault(False)
        close.clicked.connect(self.reject)
        self._body = QWidget()
        column = QVBoxLayout(self._body)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.pages, 1)
        column.addWidget(buttons)
        self._layout.addWidget(self._body)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._build()
            self.general.language.setFocus()
        super().changeEvent(event)


class GeneralPage(QWidget):
    """Looks, language, wheel, cores, memory."""

    def __init__(self, window: "MainWindow") -> None:
        super().__init__()
        settings = window.settings
        self.theme = _choice(
            [(plain(text(f"window.theme_{name}")), name) for name in THEMES], settings.theme
        )
        self.theme.activated.connect(lambda: window.set_theme(self.theme.currentData()))
        self.language = _choice([(name, code) for code, name in LANGUAGES.items()], language())
        self.language.activated.connect(lambda: window.set_language(self.language.currentData()))
        self.wheel = _choice(
            [(text(f"window.wheel_{name}"), name) for name in WHEELS], settings.wheel
        )
        self.wheel.activated.connect(lambda: window.set_wheel(self.wheel.currentData()))
        self.threads = QSpinBox()
        self.threads.setRange(0, MOST_THREADS)
        self.threads.setSpecialValueText(text("window.threads_all"))
        self.threads.setValue(settings.threads)
        self.threads.valueChanged.connect(window.set_threads)
        self.memory = QSpinBox()
        self.memory.setRange(0, MOST_MEMORY)
        self.memory.setSpecialValueText(
            text("memory.half", size=memory.written(int(memory.installed() * memory.SHARE)))
        )
        self.memory.setSuffix(" GB")
        self.memory.setValue(settings.memory)
        self.memory.valueChanged.connect(window.set_memory)
        rows = QGridLayout(self)
        rows.setContentsMargins(14, 14, 14, 14)
        rows.setHorizontalSpacing(14)
        rows.setColumnStretch(1, 1)
        for at, name in enumerate(("theme", "language", "wheel", "threads", "memory")):
            field: QWidget = getattr(self, name)
            label = QLabel(text(f"window.preferences_{name}"))
            label.setBuddy(field)
            field.setAccessibleName(label.text())
            field.setFixedWidth(240)
            said = note(text(f"window.preferences_{name}_help"))
            said.setContentsMargins(0, 0, 0, 14)
            said.setAlignment(Qt.AlignmentFlag.AlignTop)
            rows.addWidget(label, 2 * at, 0)
            rows.addWidget(field, 2 * at, 1, Qt.AlignmentFlag.AlignLeft)
            rows.addWidget(said, 2 * at + 1, 1)
        rows.setRowStretch(rows.rowCount(), 1)


def _choice(choices: list[tuple[str, str]], value: str) -> QComboBox:
    box = QComboBox()
    for label, data in choices:
        box.addItem(label, data)
    box.setCurrentIndex(box.findData(value))
    return box


class KeysPage(QWidget):
    """Other keys for an act. Keys that something else has are refused, and it is said what."""

    def __init__(self, window: "MainWindow") -> None:
        super().__init__()
        self._window = window
        self.view = KeysView(window, gestures=False)
        self.view.chosen.connect(self._show)
        self.field = QKeySequenceEdit()
        self.field.setMaximumSequenceLength(1)
        self.field.setClearButtonEnabled(True)
        self.field.setAccessibleName(text("window.keys_new"))
        self.give = QPushButton(text("window.keys_give"))
        self.reset = QPushButton(text("window.keys_reset"))
        self.reset_all = QPushButton(text("window.keys_reset_all"))
        self.said = Complaint()
        self.field.keySequenceChanged.connect(lambda _: self.said.complain(""))
        self.give.clicked.connect(self._give)
        self.reset.clicked.connect(self._reset)
        self.reset_all.clicked.connect(self._reset_all)
        row = QHBoxLayout()
        row.addWidget(QLabel(text("window.keys_new")))
        row.addWidget(self.field, 1)
        for button in (self.give, self.reset, self.reset_all):
            button.setAutoDefault(False)
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.addWidget(self.view, 1)
        layout.addWidget(note(text("window.keys_help")))
        layout.addWidget(self.said)
        layout.addLayout(row)
        self._show("")

    def _show(self, act: str) -> None:
        """An act was chosen: its keys are in the field, to be pressed anew."""
        for widget in (self.field, self.give, self.reset):
            widget.setEnabled(bool(act))
        first = self._window.actions_.keys.keys(act).split("; ")[0] if act else ""
        self.field.setKeySequence(QKeySequence(first))
        self.said.complain("")

    def _give(self) -> None:
        act, table = self.view.current, self._window.actions_.keys
        self._done(table.give(act, self.field.keySequence().toString()), act)

    def _reset(self) -> None:
        act = self.view.current
        self._done(self._window.actions_.keys.reset(act), act)

    def _reset_all(self) -> None:
        self._window.actions_.keys.reset_all()
        self._done(None, self.view.current)

    def _done(self, taken: Action | Gesture | None, act: str) -> None:
        """Keep what was chosen, or say what has these keys."""
        if taken is None:
            self._window.set_keys()
            self.view.refresh()
            self._show(act)
        else:
            self.said.complain(text("window.keys_taken", name=taken.name))
