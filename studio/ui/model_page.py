"""The inspector's pages when no node, or several, are selected."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from studio.document import edits
from studio.document.inside import within
from studio.document.model import CallId, LayerId
from studio.document.names import output_names
from studio.document.plan import OutputPlan
from studio.document.summary import totals
from studio.text import text
from studio.ui.editors import write_number
from studio.ui.parts import Acts, Facts, Ordered, heading, note, number
from studio.ui.session import Session
from studio.ui.training.settings import SettingsPanel


class ModelPage(QWidget):
    """Optimizer, run, outputs in order, and totals."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.training = SettingsPanel(session, parent=self)
        self.outputs = ordered_outputs(("name", "loss", "weight"))
        self.outputs.moved.connect(lambda *move: move_output(session, *move))
        self.outputs.chosen.connect(self._select_output)
        self.totals = Facts((text("window.totals"), ""))
        self.totals.horizontalHeader().hide()
        self._hint = note()
        layout = QVBoxLayout(self)
        layout.addWidget(heading(text("window.model")))
        layout.addWidget(self._hint)
        layout.addWidget(self.training)
        layout.addWidget(self.outputs)
        layout.addWidget(heading(text("window.totals")))
        layout.addWidget(self.totals)
        layout.addStretch(1)
        self.refresh()

    @property
    def first_field(self) -> QWidget:
        """Where typing starts."""
        return self.training.optimizer.editor("optimizer")

    # -- showing ---------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the document as it stands."""
        document, plan = self._session.document, self._session.document.plan
        self._hint.setText(
            text("window.model_hint" if document.graph.calls else "window.empty_hint")
        )
        self.training.refresh()
        rows = []
        for endpoint, name in output_names(document).items():
            output = plan.outputs.get(endpoint.key, OutputPlan())
            loss = output.loss.kind if output.loss else text("window.none")
            rows.append((name, loss, "× " + write_number(float(output.weight))))
        self.outputs.show_rows(rows)
        self._show_totals()

    def _show_totals(self) -> None:
        document, analysis = self._session.document, self._session.analysis
        trained, frozen = totals(document, analysis)
        rows = (
            ("nodes", len(document.graph.calls)),
            ("parameters", trained + frozen),
            ("trainable_parameters", trained),
            ("frozen_parameters", frozen),
        )
        self.totals.show_rows([(text(f"window.{key}"), number(n)) for key, n in rows])

    # -- editing ---------------------------------------------------------------------------------

    def _select_output(self, row: int) -> None:
        self._session.select([self._session.seen.graph.outputs[row].call])


def ordered_outputs(columns: Sequence[str]) -> Ordered:
    """The outputs of the graph shown, which can be put into another order."""
    titles = [text(f"window.output_{c}") for c in columns]
    empty = text("window.no_outputs")
    moves = text("window.output_up"), text("window.output_down")
    return Ordered(text("window.outputs"), titles, empty, *moves)


def move_output(session: Session, row: int, steps: int) -> None:
    """Let an output of the graph shown stand farther down, or up."""
    order = list(session.seen.graph.outputs)
    order.insert(row + steps, order.pop(row))
    session.commit(
        text("window.undo_order"),
        edits.order_outputs(session.document, tuple(order), session.shown),
    )


class SeveralPage(QWidget):
    """What several selected nodes have in common: their size, and whether they are trained."""

    def __init__(self, session: Session, calls: frozenset[CallId]) -> None:
        super().__init__()
        self._session, self._calls = session, calls
        self._facts = Facts(("", ""))
        self._facts.horizontalHeader().hide()
        self.trainable = QCheckBox(text("window.trainable"))
        self.trainable.setToolTip(text("window.trainable_help"))
        self.trainable.clicked.connect(self._set_trainable)
        self.acts = Acts("group")
        layout = QVBoxLayout(self)
        layout.addWidget(heading(text("window.several", count=len(calls))))
        layout.addWidget(note(text("window.several_hint")))
        layout.addWidget(self._facts)
        layout.addWidget(self.trainable)
        layout.addWidget(self.acts)
        layout.addStretch(1)
        self.refresh()

    def refresh(self) -> None:
        """Show the document as it stands."""
        document, analysis = self._session.seen, self._session.analysis
        layers = self._layers()
        total = analysis.count({k for layer in layers for k in within(document, layer)})
        self._facts.show_rows(
            [
                (text("window.layers"), number(len(layers))),
                (text("window.parameters"), number(total)),
            ]
        )
        states = {document.layers[layer].trainable for layer in self._weighted()}
        self.trainable.setVisible(bool(states))
        mixed = Qt.CheckState.PartiallyChecked
        checked = Qt.CheckState.Checked if True in states else Qt.CheckState.Unchecked
        self.trainable.setCheckState(mixed if len(states) > 1 else checked)

    @property
    def first_field(self) -> QWidget:
        """Where typing starts."""
        return self.trainable

    def _layers(self) -> list[LayerId]:
        calls = self._session.seen.graph.calls
        return list(dict.fromkeys(calls[c].layer for c in calls if c in self._calls))

    def _weighted(self) -> list[LayerId]:
        analysis = self._session.analysis
        return [layer for layer in self._layers() if analysis.parameters(layer)]

    def _set_trainable(self) -> None:
        on = self.trainable.checkState() != Qt.CheckState.Unchecked
        self.trainable.setTristate(False)
        document = self._session.document
        for layer in self._weighted():
            document = edits.set_trainable(document, layer, on)
        key = "window.undo_unfreeze" if on else "window.undo_freeze"
        name = text("window.several", count=len(self._calls))
        self._session.commit(text(key, name=name), document)
        self.refresh()
