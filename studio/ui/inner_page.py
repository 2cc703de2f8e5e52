"""The inspector's page of a model one looks into, while none of its nodes is selected."""

from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.document.inside import layers_of
from studio.document.names import output_names
from studio.document.nesting import names_along, times_used
from studio.text import text
from studio.ui.model_page import move_output, ordered_outputs
from studio.ui.parts import Facts, heading, note, number, shape_of
from studio.ui.session import Session


class InnerPage(QWidget):
    """Its inputs, its outputs in order, and totals."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.title = heading("")
        self.shared = note()
        self.inputs = Facts((text("window.inputs"), text("window.shape")))
        self.outputs = ordered_outputs(("name", "shape"))
        self.outputs.moved.connect(lambda *move: move_output(session, *move))
        self.outputs.chosen.connect(self._select_output)
        self.totals = Facts((text("window.totals"), ""))
        self.totals.horizontalHeader().hide()
        layout = QVBoxLayout(self)
        layout.addWidget(self.title)
        layout.addWidget(note(text("window.inner_hint")))
        layout.addWidget(self.shared)
        layout.addWidget(self.inputs)
        layout.addWidget(self.outputs)
        layout.addWidget(heading(text("window.totals")))
        layout.addWidget(self.totals)
        layout.addStretch(1)
        self.refresh()

    @property
    def first_field(self) -> QWidget:
        """Where typing starts."""
        return self.outputs.table

    def refresh(self) -> None:
        """Show the graph as it stands."""
        session = self._session
        seen, analysis = session.seen, session.analysis
        self.title.setText(names_along(session.document, session.way)[-1])
        count = times_used(session.document, session.shown)
        self.shared.setText(text("window.used_often", count=count))
        self.shared.setVisible(count > 1)
        specs = {end.call: spec for end, spec in analysis.specs.items()}
        inputs = seen.graph.inputs
        self.inputs.show_rows([(seen.entry(c).name, shape_of(specs.get(c))) for c in inputs])
        names = output_names(seen).items()
        self.outputs.show_rows([(name, shape_of(analysis.specs.get(e))) for e, name in names])
        layers = layers_of(seen, session.shown)
        rows = (
            ("nodes", len(seen.graph.calls)),
            ("parameters", analysis.count(layers)),
        )
        self.totals.show_rows([(text(f"window.{key}"), number(n)) for key, n in rows])

    def _select_output(self, row: int) -> None:
        self._session.select([self._session.seen.graph.outputs[row].call])
