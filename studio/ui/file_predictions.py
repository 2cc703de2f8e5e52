"""Predictions for all rows of a file, made beside the window and written beside the file."""

from functools import partial
from html import escape
from pathlib import Path

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QPushButton

from studio.text import text
from studio.train.evaluation.evaluate import bare
from studio.train.predict_file import Predicted, predict_file, predictions_path
from studio.ui.dialogs import confirm
from studio.ui.file_act import FileAct
from studio.ui.file_choice import ask_file
from studio.ui.icons import icon
from studio.ui.notice import link_to
from studio.ui.parts import number
from studio.ui.session import Session

_NAMED = 8  # columns of predictions, at most


class FilePredictions(FileAct):
    """Asks which file, and predicts all its rows.

    Attributes:
        button: for whoever has a place for it.
    """

    cancelled = "trying.cancelled"
    refused = "trying.refused"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.button = QPushButton(icon("table"), text("trying.file"))
        self.button.setToolTip(text("trying.file_tip"))
        self.button.clicked.connect(self.ask)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.button.setIcon(icon("table"))

    def ask(self) -> None:
        """Let a file be chosen, and begin with it."""
        if path := ask_file(self, self.folder):
            self.begin(path)

    def begin(self, path: Path) -> None:
        """Predict a file; nothing while another is under way, or where nobody wants to lose the
        predictions that are there.
        """
        if self.busy:
            return
        out = predictions_path(path)
        if out.exists():
            question = text("trying.replace", file=out.name)
            if not confirm(self, question, text("trying.replace_yes"), name="replace"):
                return
        if errors := self._session.analysis.errors:
            self.notice.list_problems(text("training.cannot_answer"), errors)
            return
        project = bare(self._session.project)
        self.start(partial(predict_file, project, path.absolute(), out.absolute()), path.name)

    def show_busy(self, busy: bool) -> None:
        super().show_busy(busy)
        self.button.setEnabled(not busy)

    def say_done(self, result: Predicted) -> None:
        counts = {"samples": number(result.samples), "rows": number(result.rows)}
        key = "trying.predicted" if result.samples == result.rows else "trying.predicted_some"
        columns = ", ".join((*result.columns[:_NAMED], *["…"] * (len(result.columns) > _NAMED)))
        where = text("trying.predicted_where", file=result.path.name, columns=columns)
        words = f"<b>{escape(text(key, **counts, file=self._name))}</b> {escape(where)}"
        places = {"trying.open_folder": result.path.parent, "trying.open_file": result.path}
        links = " &nbsp; ".join(link_to(path, text(action)) for action, path in places.items())
        self.notice.say("ok", f"{words}<br>{links}")
