"""Values written into a file beside the window."""

from html import escape
from pathlib import Path
from typing import Literal

from PySide6.QtWidgets import QFileDialog

from studio.document.nesting import names_at
from studio.text import text
from studio.train.evaluation.evaluate import bare
from studio.train.study.tap_file import TapFile, Written
from studio.train.study.wanted import Tap
from studio.ui.file_act import FileAct
from studio.ui.notice import link_to

Rows = Literal["validation", "training"]
_KINDS = {"NumPy (*.npy)": ".npy", "CSV (*.csv)": ".csv"}


class ValueExport(FileAct):
    """Asks where to, and writes a value there."""

    cancelled = "probes.cancelled"
    refused = "probes.not_written"

    def ask(self, tap: Tap, rows: Rows, sample: int | None = None) -> None:
        """Let a file be chosen, and write a value there: for one sample of the rows, or for all."""
        name = names_at(self._session.document, tap.path)[-1]
        title = text("probes.export_title", name=name)
        start = str(self.folder / f"{name.replace('/', '_')}.npy")
        chosen, kind = QFileDialog.getSaveFileName(self, title, start, ";;".join(_KINDS))
        if chosen:
            path = Path(chosen)
            if path.suffix.lower() not in _KINDS.values():
                path = path.with_name(path.name + _KINDS.get(kind, ".npy"))
            self.begin(tap, path, rows, sample)

    def begin(self, tap: Tap, path: Path, rows: Rows, sample: int | None = None) -> None:
        """Write a value; nothing while another is being written."""
        if not self.busy:
            project = bare(self._session.project)
            act = TapFile(project, self.folder, tap, path.absolute(), rows, sample)
            self.start(act, path.name)

    def say_done(self, result: Written) -> None:
        shape = " × ".join(map(str, result.shape))
        words = escape(text("probes.written", shape=shape, file=result.path.name))
        link = link_to(result.path.parent, text("trying.open_folder"))
        self.notice.say("ok", f"{words} &nbsp; {link}")
