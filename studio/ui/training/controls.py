"""What one does to a training: start, pause, resume, stop, go on for more epochs."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from studio.document import edits
from studio.text import text
from studio.ui.editors import WholeEditor
from studio.ui.icons import icon
from studio.ui.session import Session
from studio.ui.trainer import Phase
from studio.ui.training.memory import MemoryLabel

_FIELD = 72  # pixels: four digits
_MORE = 10  # epochs to go on for, until somebody wants another number


class Controls(QWidget):
    """Buttons for what can be done now, and how long and in what batches the next one trains.

    Signals:
        wanted(act): a button was pressed: its name in `buttons`.
    """

    wanted = Signal(str)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        icons = {"start": "play", "resume": "play", "pause": "pause", "continue": "play_more"}
        icons |= {"step": "step_on", "stop": "stop", "stop_best": "stop_best"}
        self._icons = icons
        self.buttons = {name: self._button(name) for name in icons}
        self.more = WholeEditor(1, 100_000)
        self.more.show_value(_MORE)
        self.more.setMaximumWidth(_FIELD)
        self.more.setToolTip(text("runs.more_tip"))
        self.more.setAccessibleName(text("runs.more_tip"))
        self.epochs = self._field("epochs")
        self.batch_size = self._field("batch_size")
        self._labels = {name: QLabel(text(f"training.{name}")) for name in ("epochs", "batch_size")}
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for button in self.buttons.values():
            row.addWidget(button)
            if button is self.buttons["continue"]:
                row.addWidget(self.more)
        row.addSpacing(6)
        for name, field in (("epochs", self.epochs), ("batch_size", self.batch_size)):
            self._labels[name].setBuddy(field)
            row.addWidget(self._labels[name])
            row.addWidget(field)
        self.memory = MemoryLabel(session)
        row.addSpacing(6)
        row.addWidget(self.memory)
        row.addStretch(1)
        self.dress()
        self.show_plan()

    def _button(self, name: str) -> QPushButton:
        button = QPushButton(text(f"runs.do_{name}"))
        button.setToolTip(text(f"runs.do_{name}_tip"))
        button.setObjectName(name)
        button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        button.clicked.connect(lambda: self.wanted.emit(name))
        return button

    def _field(self, name: str) -> WholeEditor:
        field = WholeEditor(1)
        field.setAccessibleName(text(f"training.{name}"))
        field.setMaximumWidth(_FIELD)

        def edit(value: int) -> None:
            document = edits.set_run(self._session.document, **{name: value})
            self._session.commit(text(f"training.edit_{name}"), document)

        field.edited.connect(edit)
        return field

    def show_plan(self) -> None:
        """Show what the document says."""
        run = self._session.document.plan.run
        self.epochs.show_value(run.epochs)
        self.batch_size.show_value(run.batch_size)

    def show_phase(self, phase: Phase, can_continue: bool) -> None:
        """Offer what can be done; the button with the focus hands it to the one in its place."""
        idle = phase is Phase.IDLE
        waits = phase in (Phase.PAUSING, Phase.PAUSED)
        focused = next((b for b in self.buttons.values() if b.hasFocus()), None)
        shown = {
            "start": idle,
            "continue": idle and can_continue,
            "pause": not idle and not waits,
            "resume": waits,
            "step": not idle,
            "stop": not idle,
            "stop_best": not idle,
        }
        for name, button in self.buttons.items():
            button.setVisible(shown[name])
        self.more.setVisible(shown["continue"])
        self.buttons["pause"].setEnabled(phase is Phase.TRAINING)
        for name in ("step", "stop", "stop_best"):
            self.buttons[name].setEnabled(phase is not Phase.STOPPING)
        for widget in (self.epochs, self.batch_size, self.memory, *self._labels.values()):
            widget.setVisible(idle)
        if focused is not None and not focused.isVisibleTo(self):
            names = ("start", "resume", "pause")
            heir = next(self.buttons[n] for n in names if self.buttons[n].isVisibleTo(self))
            heir.setFocus()

    def dress(self) -> None:
        """Draw the icons in the colours of the theme."""
        for name, button in self.buttons.items():
            button.setIcon(icon(self._icons[name]))
