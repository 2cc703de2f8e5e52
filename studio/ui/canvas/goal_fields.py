"""What an output is trained for, edited on its node: each field opens what changes it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint, QRectF

from studio.declare import Declared, declared, registry
from studio.document import edits
from studio.document.defaults import usual
from studio.document.fitting import loss_problems
from studio.document.model import CallId, Document, Endpoint
from studio.document.plan import OutputPlan
from studio.losses.base import Loss
from studio.metrics.base import Metric
from studio.text import text
from studio.train.ports import columns_of
from studio.train.proposals import bind_output, changes
from studio.train.tables import Table, shape_text
from studio.ui.canvas.fields import SIGNS
from studio.ui.canvas.labels import of_itself
from studio.ui.editors import read_number, write_number
from studio.ui.forms import carried_over
from studio.ui.inline import LineField
from studio.ui.palette import Row
from studio.ui.quick_add import QuickAdd
from studio.ui.theme import brushes

if TYPE_CHECKING:
    from studio.ui.canvas.board import Board

_WEIGHT = 64  # the width of the field of a weight, in pixels
_PATIENCE = 0.2  # seconds in which it is tried what columns would change, before the list opens


class GoalFields:
    """Opens them for a canvas; what is chosen is one act on the document.

    Attributes:
        table: the first rows of the data, as far as they were read; None before.
    """

    def __init__(self, view: "Board") -> None:
        self._view = view
        self.table: Callable[[], Table | None] = lambda: None

    def outputs(self) -> list[Endpoint]:
        """The outputs of the one selected node that have fields."""
        session, call = self._view.session, self._view.one_selected()
        if call is None or session.way:
            return []
        return [e for e in session.document.graph.outputs if e.call == call]

    def open(self, end: Endpoint, part: str) -> None:
        """Let one of `goals.PARTS` of an output be changed, beside its field or its node."""
        opening = {
            "loss": self._open_loss,
            "weight": self._open_weight,
            "metrics": self._open_metrics,
            "target": self._open_target,
        }
        opening[part](end)

    def plan(self, end: Endpoint) -> OutputPlan:
        """What an output is trained for."""
        return self._view.session.document.plan.outputs.get(end.key, OutputPlan())

    def _name(self, end: Endpoint) -> str:
        return self._view.session.document.entry(end.call).name

    def set(self, end: Endpoint, part: str, value: Any) -> None:
        """Change a field of an output's plan."""
        session = self._view.session
        param, name = text(f"window.output_{part}"), self._name(end)
        document = edits.plan_output(session.document, end, **{part: value})
        session.commit(text("window.undo_set", param=param, name=name), document)

    # -- the loss --------------------------------------------------------------------------------

    def _open_loss(self, end: Endpoint) -> None:
        popup = self._popup(end, "loss", list(self._losses(end)))
        popup.picked.connect(partial(self._take_loss, end))

    def _losses(self, end: Endpoint) -> Iterator[Row]:
        """The usual one, those that suit what the node gives, the others, and none."""
        session, now = self._view.session, self.plan(end).loss
        document, known = session.document, session.analysis
        first = usual(document, end, known.specs, known.ranges).loss
        groups: dict[str, list[Row]] = {"usual": [], "fits": [], "others": []}
        for kind in registry("losses"):
            made = carried_over(now, declared("losses", kind))
            wrong = self._misfit(end, made)
            said = wrong or type(made).help()
            usually = first is not None and kind == first.kind
            group = "usual" if usually else "others" if wrong else "fits"
            value = first if usually and now is None else made
            groups[group].append(
                self._row("loss", group, kind, said, value, kind == (now and now.kind))
            )
        for rows in groups.values():
            yield from rows
        yield self._row("loss", "none", text("canvas.goal_none"), text("canvas.goal_no_loss"), None)

    def _misfit(self, end: Endpoint, loss: Declared) -> str:
        """Why a loss cannot judge an output; empty where it can."""
        known = self._view.session.analysis
        trial = edits.plan_output(self._view.session.document, end, loss=loss)
        alone = replace(trial.graph, outputs=(end,))  # the node may have others
        trial = edits.with_graph(trial, trial.main, alone)
        problems = loss_problems(trial, known.specs, known.ranges)
        wrong = next((p for p in problems if p.code.startswith("loss_")), None)
        return of_itself(str(wrong), self._name(end)) if wrong else ""

    def _take_loss(self, end: Endpoint, loss: Loss | None) -> None:
        if type(loss) is not type(self.plan(end).loss):
            self.set(end, "loss", loss)

    # -- the weight ------------------------------------------------------------------------------

    def _open_weight(self, end: Endpoint) -> None:
        view, item = self._view, self._view.canvas.items_by_call[end.call]
        field = item.geometry.fields.field(end.port, "weight")
        rect = item.geometry.body if field is None else field.rect
        rect = QRectF(
            rect.right() - _WEIGHT / view.zoom, rect.top(), _WEIGHT / view.zoom, rect.height()
        )
        words = write_number(float(self.plan(end).weight))
        keep = partial(self._write_weight, end)
        view.writing.open(
            LineField, rect.translated(item.pos()), (0, 0), brushes().font, words, keep
        )

    def _write_weight(self, end: Endpoint, words: str) -> None:
        value = read_number(words.replace("×", " "))
        if not isinstance(value, float) or not 0 <= value < float("inf"):
            self._view.told.emit(text("canvas.goal_weight_refused", received=words))
        elif value != self.plan(end).weight:
            self.set(end, "weight", value)

    # -- the metrics -----------------------------------------------------------------------------

    def _open_metrics(self, end: Endpoint) -> None:
        order = self._metric_order(end)
        popup = self._popup(end, "metrics", self._metrics(end, order), stays=True)

        def toggle(kind: str) -> None:
            self._toggle_metric(end, kind)
            popup.layers.show_rows(self._metrics(end, order))

        popup.picked.connect(toggle)

    def _metric_order(self, end: Endpoint) -> list[tuple[str, str]]:
        """Groups and kinds: those watched, those that suit, the others; as the list opens."""
        plan, known = self.plan(end), self._view.session.analysis
        spec = known.specs.get(end)
        watched = [m.kind for m in (*plan.metrics, *plan.weighted_metrics)]

        def group(kind: str) -> str:
            if kind in watched:
                return "watched"
            metric = declared("metrics", kind).from_config({})
            assert isinstance(metric, Metric)
            if plan.loss is None or spec is None:
                return "others"
            return "others" if metric.misfit(plan.loss.target(spec), spec) else "fits"

        order = [(group(kind), kind) for kind in registry("metrics")]
        return sorted(order, key=lambda pair: ("watched", "fits", "others").index(pair[0]))

    def _metrics(self, end: Endpoint, order: list[tuple[str, str]]) -> list[Row]:
        plan = self.plan(end)
        watched = {m.kind for m in (*plan.metrics, *plan.weighted_metrics)}
        return [
            self._row(
                "metrics", group, kind, declared("metrics", kind).help(), kind, kind in watched
            )
            for group, kind in order
        ]

    def _toggle_metric(self, end: Endpoint, kind: str) -> None:
        """Watch a metric, or no longer: all of its kind."""
        plan = self.plan(end)
        for name in ("metrics", "weighted_metrics"):
            present = getattr(plan, name)
            left = tuple(m for m in present if m.kind != kind)
            if left != present:
                self.set(end, name, left)
                return
        self.set(end, "metrics", (*plan.metrics, declared("metrics", kind).from_config({})))

    # -- the target ------------------------------------------------------------------------------

    def _open_target(self, end: Endpoint) -> None:
        table = self.table()
        if self._view.session.document.plan.data.source is None or table is None:
            self._view.data_wanted.emit()
            return
        popup = self._popup(end, "target", list(self._columns(end, table)))
        popup.picked.connect(partial(self._take_target, end, table))

    def _columns(self, end: Endpoint, table: Table) -> Iterator[Row]:
        """Columns that suit, those for which the node changes, those an input reads, and none."""
        data = self._view.session.document.plan.data
        bound = data.targets.get(end.key)
        chosen = columns_of(bound) if bound is not None else ()
        read = {column for b in data.inputs.values() for column in columns_of(b)}
        groups: dict[str, list[Row]] = {"fits": [], "changes": [], "read": []}
        latest = perf_counter() + _PATIENCE
        for column in table.names:
            said, changed = self._about(table, column), ""
            if perf_counter() < latest:
                changed = ", ".join(self._changes(end, table, column))
            group = "read" if column in read else "changes" if changed else "fits"
            said = f"{said} → {changed}" if changed else said
            row = self._row("target", group, column, said, column, column in chosen)
            groups[group].append(row)
        for rows in groups.values():
            yield from rows
        if chosen:
            nothing = text("canvas.goal_none"), text("canvas.goal_unbind")
            yield self._row("target", "none", *nothing, None)

    def _changes(self, end: Endpoint, table: Table, column: str) -> Iterator[str]:
        """What beside the target becomes another if an output is to give a column."""
        now = self._view.session.document
        for change in changes(now, self._told(end, table, column)):
            if change.what == "parameter":
                yield f"{change.parameter}={change.after}"
            elif change.what == "loss" and change.before is not None:
                yield change.after.kind

    def _told(self, end: Endpoint, table: Table, column: str) -> Document:
        """The document with an output that gives a column."""
        document = self._view.session.document
        source = document.plan.data.source
        assert source is not None
        return bind_output(document, end, table, source, column)

    def _about(self, table: Table, column: str) -> str:
        key = f"training.kind_{table.kind(column)}"
        if column in table.arrays:
            return text(key, shape=shape_text(table.arrays[column].shape[1:]))
        return text("canvas.goal_column", kind=text(key), count=table.distinct(column))

    def _take_target(self, end: Endpoint, table: Table, column: str | None) -> None:
        session = self._view.session
        about = {"param": text("canvas.goal_target"), "name": self._name(end)}
        if column is not None:
            document = self._told(end, table, column)
        else:
            targets = dict(session.document.plan.data.targets)
            targets.pop(end.key, None)
            document = edits.set_data(session.document, targets=targets)
        session.commit(text("window.undo_set", **about), document)

    # -- what opens ------------------------------------------------------------------------------

    def _row(
        self, part: str, group: str, title: str, said: str, value: object, chosen: bool = False
    ) -> Row:
        icon, category = ("ok", "Convolution") if chosen else (SIGNS[part], "")
        icon = "remove" if group == "none" else icon
        return Row(text(f"canvas.goal_group_{group}"), title, said, "", category, value, icon)

    def _popup(self, end: Endpoint, part: str, rows: list[Row], stays: bool = False) -> QuickAdd:
        """A list right below the field, or below the node where the field is not shown."""
        view, item = self._view, self._view.canvas.items_by_call[end.call]
        title = text(f"canvas.goal_of_{part}", name=self._name(end))
        popup = QuickAdd(view, title, (), rows, f"canvas.goal_search_{part}", stays)
        field = item.geometry.fields.field(end.port, part)
        rect = item.geometry.body if field is None else field.rect
        at = view.mapFromScene(rect.bottomLeft() + item.pos())
        sight = view.viewport().rect()
        x = min(max(at.x(), sight.left()), sight.right())
        y = min(max(at.y() + 2, sight.top()), sight.bottom())
        popup.closed.connect(view.setFocus)
        popup.popup(view.viewport().mapToGlobal(QPoint(x, y)))
        return popup


def fields_of(view: "Board", call: CallId) -> list[tuple[Endpoint, str]]:
    """The fields of a node, from the top."""
    item = view.canvas.items_by_call[call]
    return [(Endpoint(call, f.port), f.part) for f in item.geometry.fields.fields]
