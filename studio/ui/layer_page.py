"""The inspector's page of one selected node."""

import json
from collections.abc import Iterator
from typing import Any

from PySide6.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget

from studio.document import edits
from studio.document.model import CallId, Document, Endpoint, LayerId, Submodel, Unknown, Wrapped
from studio.document.nesting import owner, use_counts
from studio.layers.base import Layer
from studio.text import legible, text
from studio.ui.canvas.faces import port_label
from studio.ui.editors import LineEditor, SwitchEditor
from studio.ui.forms import Form, label_of
from studio.ui.output_form import OutputForm
from studio.ui.parts import Acts, Complaint, Facts, heading, note, number, shape_of
from studio.ui.remedies import Remedies
from studio.ui.session import Session

_CONFIG = 2000  # letters shown of the parameters of a layer that is not known


def structure(document: Document, call: CallId) -> Any:
    """What a page of a node is built for: while this stays the same, it is only refreshed."""
    entry = document.entry(call)
    inputs, outputs = document.ports(entry)
    marked = tuple(e for e in document.graph.outputs if e.call == call)
    edited = edited_layer(document, call)
    body = document.layers[edited].body
    return call, type(entry.body), entry.kind, inputs, outputs, set(marked), edited, type(body)


def edited_layer(document: Document, call: CallId) -> LayerId:
    """The layer whose parameters the page of a call shows: of a wrapper, what it is around."""
    return owner(document, document.graph.calls[call].layer)


class LayerPage(QWidget):
    """Name, parameters, outputs, shapes and weights of the layer a node uses."""

    def __init__(self, session: Session, call: CallId, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._call = session, call
        self._layer = session.seen.graph.calls[call].layer
        self._edited = edited_layer(session.seen, call)
        self._body = body = session.seen.layers[self._edited].body
        self._layout = QVBoxLayout(self)
        self._twins, self._problems = note(), Complaint()
        self.repairs = Remedies(session)
        self.name = LineEditor()
        self.name.edited.connect(self._rename)
        self.trainable = SwitchEditor(text("window.trainable"))
        self.trainable.setToolTip(text("window.trainable_help"))
        self.trainable.edited.connect(self._set_trainable)
        self.form = Form(type(body), self) if isinstance(body, Layer) else None
        self.marks: dict[Endpoint, SwitchEditor] = {}
        self.plans: dict[Endpoint, OutputForm] = {}
        self._shapes = Facts((text("window.port"), text("window.shape")))
        self.weights = Facts(
            [text(f"window.weight_{c}") for c in ("name", "shape", "count", "state")]
        )
        self._weights_heading = heading("")
        self.acts = Acts("enter", "make_independent", "ungroup", "unwrap")
        self._build()
        self.refresh()

    def _build(self) -> None:
        add = self._layout.addWidget
        body = self._session.seen.layers[self._layer].body
        add(heading(self._session.seen.layers[self._layer].kind))
        add(note(body.help() if isinstance(body, Layer) else _described(body)))
        add(self._twins)
        add(self.acts)
        add(self._problems)
        add(self.repairs)
        names = QFormLayout()
        names.setContentsMargins(0, 0, 0, 0)
        title = QLabel(text("window.name"))
        title.setBuddy(self.name)
        self.name.setObjectName("name")
        self.name.setToolTip(text("window.name_help"))
        names.addRow(title, self.name)
        self._layout.addLayout(names)
        if self.form:
            self.form.edited.connect(self._set)
            if self._edited != self._layer:
                add(heading(self._session.seen.layers[self._edited].kind))
            add(self.form)
        add(self.trainable)
        for endpoint in self._ports():
            self._build_output(endpoint)
        add(heading(text("window.shapes")))
        add(self._shapes)
        add(self._weights_heading)
        add(self.weights)
        self._layout.addStretch(1)

    def _ports(self) -> list[Endpoint]:
        document = self._session.seen
        outputs = document.ports(document.entry(self._call))[1]
        return [Endpoint(self._call, port.name) for port in outputs]

    def _port_label(self, endpoint: Endpoint) -> str:
        document = self._session.seen
        return port_label(document, document.entry(endpoint.call), endpoint.port)

    def _build_output(self, endpoint: Endpoint) -> None:
        several = len(self._ports()) > 1
        label = (
            text("window.is_output_port", port=self._port_label(endpoint))
            if several
            else text("window.is_output")
        )
        mark = SwitchEditor(label)
        mark.setToolTip(text("window.is_output_help"))
        mark.edited.connect(lambda on: self._mark(endpoint, on))
        self.marks[endpoint] = mark
        self._layout.addWidget(mark)
        if endpoint in self._session.seen.graph.outputs and not self._session.way:
            self.plans[endpoint] = OutputForm(self._session, endpoint)
            self._layout.addWidget(self.plans[endpoint])

    @property
    def first_field(self) -> QWidget:
        """Where typing starts: the first parameter, else the name."""
        params = type(self._body).params() if isinstance(self._body, Layer) else ()
        params = tuple(p for p in params if p.shown)
        return self.form.editor(params[0].name) if self.form and params else self.name

    # -- showing ---------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the document as it stands."""
        document, analysis = self._session.seen, self._session.analysis
        entry = document.layers[self._layer]
        self.name.show_value(entry.name)
        uses = use_counts(document)[owner(document, self._layer)]
        self._twins.setText(text("window.shared", count=uses))
        self._twins.setVisible(uses > 1)
        problems = [
            p
            for p in analysis.at(self._call)
            if not p.code.startswith("parameter_") or not self.form
        ]
        self._problems.complain("\n".join(map(str, problems)))
        self.repairs.show_problems(problems)
        body = document.layers[self._edited].body
        if self.form and isinstance(body, Layer):
            self.form.show_value(body)
        self.acts.offer(self._offered(uses))
        self.trainable.show_value(entry.trainable)
        for endpoint, mark in self.marks.items():
            mark.show_value(endpoint in document.graph.outputs)
        for plan in self.plans.values():
            plan.refresh()
        self._shapes.show_rows(list(self._shape_rows()))
        self._show_weights()

    def _offered(self, uses: int) -> set[str]:
        body = self._session.seen.layers[self._layer].body
        inside = self._session.holds_model(self._call)
        return {
            *(["enter"] if inside else []),
            *(["make_independent"] if uses > 1 else []),
            *(["ungroup"] if isinstance(body, Submodel) else []),
            *(["unwrap"] if isinstance(body, Wrapped) else []),
        }

    def _shape_rows(self) -> Iterator[tuple[str, str]]:
        document, specs = self._session.seen, self._session.analysis.specs
        for wire in document.graph.into(self._call):
            source = document.entry(wire.source).name
            yield text("window.from", name=source), shape_of(specs.get(wire.start))
        for endpoint in self._ports():
            yield (
                text("window.gives", port=self._port_label(endpoint)),
                shape_of(specs.get(endpoint)),
            )

    def _show_weights(self) -> None:
        document, analysis = self._session.seen, self._session.analysis
        store = self._session.project.store
        within = analysis.inside.get(self._layer, (self._layer,))
        owned = [(layer, w) for layer in within for w in analysis.weights.get(layer, ())]
        rows = []
        for layer, weight in owned:
            cell = store.find(layer, weight)
            state = "trained" if cell and cell.trained else "untrained"
            before = f"{document.layers[layer].name}/" if layer != self._layer else ""
            rows.append(
                (
                    before + weight.name,
                    " × ".join(map(str, weight.shape)),
                    number(_size(weight.shape)),
                    text(f"window.{state}"),
                )
            )
        self.weights.show_rows(rows)
        total = self._session.analysis.parameters(self._layer)
        self._weights_heading.setText(text("window.weights", count=number(total)))
        for widget in (self.weights, self._weights_heading, self.trainable):
            widget.setVisible(bool(owned))

    # -- editing ---------------------------------------------------------------------------------

    def _rename(self, name: str) -> None:
        document = self._session.document
        old = document.layers[self._layer].name
        renamed = edits.rename_layer(document, self._layer, name.strip())
        self._session.commit(text("window.undo_rename", name=old), renamed)
        self.refresh()  # where nothing changed, the field goes back to the name

    def _set(self, param: str, value: Any) -> None:
        document = self._session.document
        entry = document.layers[self._edited]
        assert isinstance(entry.body, Layer)
        p = next(p for p in entry.body.params() if p.name == param)
        label = text("window.undo_set", param=label_of(p), name=entry.name)
        self._session.commit(label, edits.set_parameters(document, self._edited, **{param: value}))

    def _set_trainable(self, trainable: bool) -> None:
        document = self._session.document
        key = "window.undo_unfreeze" if trainable else "window.undo_freeze"
        label = text(key, name=document.layers[self._layer].name)
        self._session.commit(label, edits.set_trainable(document, self._layer, trainable))

    def _mark(self, endpoint: Endpoint, on: bool) -> None:
        document = self._session.document
        name = document.layers[self._layer].name
        if on:
            self._session.commit(
                text("window.undo_mark", name=name), edits.mark_output(document, endpoint)
            )
        else:
            self._session.commit(
                text("window.undo_unmark", name=name), edits.unmark_output(document, endpoint)
            )


def _described(body: Any) -> str:
    """What can be said of a layer that has no declaration here."""
    if isinstance(body, Unknown):
        said = (f"{k}: {json.dumps(v, ensure_ascii=False)}" for k, v in body.config.items())
        config = legible(", ".join(said), _CONFIG)
        if body.why is not None:
            return text("window.unknown_config", config=config)
        return text("window.unknown_layer", kind=body.kind, config=config)
    if isinstance(body, Wrapped):
        return body.wrapper.help()
    return text("window.submodel")


def _size(shape: tuple[int, ...]) -> int:
    total = 1
    for size in shape:
        total *= size
    return total
