"""Words edited where they stand: one real field over the canvas, while it is asked for."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QWidget

if TYPE_CHECKING:
    _Widget = QWidget
else:
    _Widget = object  # what each kind of field is besides

RETURNS = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class InlineField(_Widget):
    """What both kinds of field do with what is written: keep it once, or not at all."""

    _keep: Callable[[str], None] | None

    def written(self) -> str:
        """What is written by now."""
        raise NotImplementedError

    def finish_typing(self) -> None:
        """Keep what is written, once."""
        keep, self._keep = self._keep, None
        if keep is not None:
            keep(self.written())

    def dismiss(self) -> None:
        """Keep nothing."""
        self._keep = None

    def leave(self) -> None:
        """Give the focus back to the canvas; the field goes with it."""
        viewport = self.parentWidget()
        assert viewport is not None
        canvas = viewport.parentWidget()
        assert canvas is not None
        canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    def event(self, event: QEvent) -> bool:
        # Esc and Return are the field's, whatever shortcut they are elsewhere.
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() in (*RETURNS, Qt.Key.Key_Escape)
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.dismiss()
            self.leave()
        elif event.key() in RETURNS and self.ends_with(event):
            self.leave()
        else:
            super().keyPressEvent(event)

    def ends_with(self, event: QKeyEvent) -> bool:
        """Whether this Return keeps what is written."""
        return True

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.finish_typing()
            self.hide()
            self.deleteLater()


class LineField(InlineField, QLineEdit):
    """One line: Return and looking elsewhere keep it, Esc does not."""

    def __init__(self, parent: QWidget, words: str, keep: Callable[[str], None]) -> None:
        super().__init__(words, parent)
        self._keep = keep
        self.selectAll()

    def written(self) -> str:
        return self.text()


class TextField(InlineField, QPlainTextEdit):
    """Several lines: Ctrl+Return and looking elsewhere keep them, Esc does not."""

    def __init__(self, parent: QWidget, words: str, keep: Callable[[str], None]) -> None:
        super().__init__(words, parent)
        self._keep = keep
        self.setTabChangesFocus(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.selectAll()

    def written(self) -> str:
        return self.toPlainText()

    def ends_with(self, event: QKeyEvent) -> bool:
        return bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
