"""The inspector's check of gradients: a button, and what was found for what is selected."""

from dataclasses import dataclass
from functools import partial
from html import escape

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QVBoxLayout, QWidget

from studio.document.model import Path
from studio.document.nesting import find, full_name
from studio.layers.input import Input
from studio.problem import Problem
from studio.text import text
from studio.train.evaluation.evaluate import bare
from studio.train.study.gradient_check import Checked, GradientCheck, check_gradients
from studio.train.study.wording import details, place, verdict
from studio.train.written import error
from studio.ui.canvas.accessible import announce
from studio.ui.notice import ProblemsNotice
from studio.ui.parts import Facts, clear, heading, note, number
from studio.ui.session import Session
from studio.ui.staleness import judged_parts
from studio.ui.study.asking import Asker, UnderWay
from studio.ui.theme import tokens

_KEPT = 50  # results
_COLUMNS = ("array", "relative", "absolute", "checked")
_ABSOLUTE = _COLUMNS.index("absolute")
_NARROW = 290  # pixels


@dataclass(frozen=True)
class _Result:
    """What was found, and of what: stale where that is no longer so."""

    found: GradientCheck
    of: tuple[object, ...]


class GradientView(QWidget):
    """Checks the gradient of the selected node, or of the model while none is selected.

    Results stay while one looks at other nodes.

    Signals:
        grew(): there is more to see than a moment ago.
    """

    grew = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._asked: tuple[Path, tuple[object, ...]] | None = None
        self._results: dict[Path, _Result] = {}
        self._weights = 0  # how often they changed
        self.asker = Asker(session, parent=self)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(9, 0, 9, 9)
        self._body: QWidget | None = None
        self._build()
        self.asker.answered.connect(self._take)
        self.asker.refused.connect(self._refuse)
        self.asker.busy_changed.connect(self.refresh)
        session.weights_changed.connect(self._on_weights)

    def _build(self) -> None:
        if self._body is not None:
            clear(self._body)
        self._body = QWidget()
        self.button = QPushButton(text("checks.check"))
        self.button.setToolTip(text("checks.check_tip"))
        self.button.clicked.connect(self.start)
        self.under_way = UnderWay(self.asker)
        self.notice = ProblemsNotice(self._session)
        self.verdict, self.about, self.stale = note(), note(), note(text("checks.stale"))
        self.table = Facts([text(f"checks.column_{name}") for name in _COLUMNS])
        for i, name in enumerate(_COLUMNS):
            if (title := self.table.horizontalHeaderItem(i)) is not None:
                title.setToolTip(text(f"checks.column_{name}_tip"))
        self.table.setAccessibleName(text("checks.heading"))
        self.table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.table.cellDoubleClicked.connect(lambda row, _: self._go(row))
        layout = QVBoxLayout(self._body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(heading(text("checks.heading")))
        for widget in (self.button, self.under_way, self.notice, self.stale, self.verdict):
            layout.addWidget(widget)
        layout.addWidget(self.table)
        layout.addWidget(self.about)
        self._layout.addWidget(self._body)
        self._hide_narrow()
        self.refresh()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._build()
        elif event.type() == QEvent.Type.PaletteChange and self._body is not None:
            self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._hide_narrow()

    def _hide_narrow(self) -> None:
        """Where there is little room, the name and the relative error count."""
        self.table.setColumnHidden(_ABSOLUTE, self.width() < _NARROW)

    # -- what is asked ---------------------------------------------------------------------------

    @property
    def path(self) -> Path | None:
        """Of the selected node, or of the model one looks into; None where neither can be."""
        session = self._session
        selection = session.selection & session.seen.graph.calls.keys()
        if not selection:
            return session.way
        if len(selection) > 1:
            return None
        (call,) = selection
        return None if isinstance(session.seen.entry(call).body, Input) else (*session.way, call)

    @property
    def possible(self) -> bool:
        """Whether a check can be started now."""
        nodes = bool(self._session.seen.graph.calls)
        return nodes and self.path is not None and not self.asker.busy

    def start(self) -> None:
        """Check what is selected; nothing happens while something is under way."""
        path = self.path
        if path is None or not self.possible:
            return
        self.notice.hide()
        self._asked = path, self._present()
        self.under_way.about = self._name(path)
        project = bare(self._session.project)
        self.asker.ask(partial(check_gradients, project, self.asker.base, path))
        self.grew.emit()

    def _take(self, found: GradientCheck) -> None:
        assert self._asked is not None, "something was asked"
        path, of = self._asked
        self._results[path] = _Result(found, of)
        while len(self._results) > _KEPT:
            del self._results[next(iter(self._results))]
        announce(self, f"{self._name(path)}: {verdict(found)}")
        self.refresh()
        if path == self.path:
            self.grew.emit()

    def _refuse(self, problems: list[Problem], report: str) -> None:
        self.notice.refuse(problems, report, "checks.refused", "checks.broke", "checks.killed")
        self.grew.emit()

    def _name(self, path: Path) -> str:
        document = self._session.document
        known = path and any(path[-1] == call for _, call, _ in document.calls())
        return full_name(document, path[-1]) if known else document.graph.name

    def _present(self) -> tuple[object, ...]:
        return (*judged_parts(self._session.document), self._weights)

    def _on_weights(self) -> None:
        self._weights += 1
        self.refresh()

    # -- what is shown ---------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show what is known of the selection."""
        path = self.path
        self.setVisible(path is not None and bool(self._session.seen.graph.calls))
        self.button.setEnabled(not self.asker.busy)
        result = None if path is None else self._results.get(path)
        for widget in (self.verdict, self.table, self.about, self.stale):
            widget.setVisible(result is not None)
        if result is not None:
            self.stale.setVisible(result.of != self._present())
            self._show(result.found)

    def _show(self, found: GradientCheck) -> None:
        ink, mark = (tokens().good, "✓") if found.ok else (tokens().error, "✗")
        if found.ok and found.flat:
            ink, mark = tokens().warn, "!"
        self.verdict.setText(f"<b style='color:{ink}'>{mark}</b> {escape(verdict(found))}")
        self.about.setText("\n".join(details(found)))
        self.table.show_rows([_row(part) for part in found.parts])
        for row, part in enumerate(found.parts):
            self._mark(row, part)

    def _mark(self, row: int, part: Checked) -> None:
        compared = part.compared
        counts = {"checked": number(compared.checked), "size": number(part.size)}
        tip = text(f"checks.part_{part.kind}", name=part.name, **counts)
        if not part.reached:
            tip += "\n" + text("checks.unreached")
        if compared.at:
            told = {"place": place(part), "gradient": f"{compared.gradient:.9g}"}
            told |= {"measured": f"{compared.measured:.9g}", "absolute": error(compared.absolute)}
            tip += "\n" + text("checks.worst", **told)
        if compared.kinks:
            tip += "\n" + text("checks.kinks", kinks=compared.kinks)
        for column in range(self.table.columnCount()):
            item = self.table.item(row, column)
            assert item is not None, "every row is filled"
            item.setToolTip(tip)
            if compared.wrong:
                item.setForeground(QColor(tokens().error))

    def _go(self, row: int) -> None:
        """Show the node whose weight a row is of."""
        result = self._results.get(self.path or ())
        if result is not None and row < len(result.found.parts):
            call = find(self._session.document, result.found.parts[row].layer)
            if call is not None:
                self._session.look_at(call)


def _row(part: Checked) -> tuple[str, str, str, str]:
    compared = part.compared
    name = f"✗ {part.name}" if compared.wrong else part.name
    return name, error(compared.relative), error(compared.absolute), number(compared.checked)
