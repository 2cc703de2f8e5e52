"""The last chapter of the guided tour: to see what trains what, while the model trains or after.

Its steps are about the window, not about the project. What was done once stays done: the lens may
be put away again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtWidgets import QWidget

from studio.document.model import Document, Endpoint
from studio.text import text
from studio.tour import judge, lstm

if TYPE_CHECKING:  # the window holds the tour
    from studio.ui.window import MainWindow

_PORT = 16  # how far the frame of a port reaches
Area = tuple[QWidget, QRect]  # a rectangle of a widget


@dataclass(frozen=True)
class Look:
    """One thing to look at.

    Attributes:
        id: names its texts, ``tour.<id>`` and ``tour.<id>_how``.
        done: whether it is, as the window stands.
        area: where to do it; None where it is out of sight.
        act: does it, for who would rather watch.
        how: what is to be done, in words.
    """

    id: str
    done: Callable[["MainWindow"], bool]
    area: Callable[["MainWindow"], Area | None]
    act: Callable[["MainWindow"], None]
    how: Callable[["MainWindow"], str]


# -- where the losses and the LSTM are -----------------------------------------------------------


def own_loss(w: "MainWindow") -> int | None:
    """The loss of the answer by the text alone, among those that were seen."""
    sample, call = w.canvas.lens.sample, judge(w.session.document)
    if sample is None or call is None:
        return None
    key = Endpoint(call, "output").key
    return sample.losses.index(key) if key in sample.losses else None


def _text_end(document: Document) -> Endpoint | None:
    """What the LSTM gives."""
    call = lstm(document)
    return Endpoint(call, "output") if call is not None else None


def whole(widget: QWidget | None) -> Area | None:
    """All of a widget."""
    return None if widget is None else (widget, widget.rect())


def at_port(w: "MainWindow", end: Endpoint) -> Area | None:
    """Around an output of a node on the canvas."""
    view = w.canvas
    item = view.canvas.items_by_call.get(end.call)
    if item is None:
        return None
    at = view.mapFromScene(item.anchor(end.port, False))
    around = QRect(at - QPoint(_PORT, _PORT), QSize(2 * _PORT, 2 * _PORT))
    return view.viewport(), around


# -- the steps -----------------------------------------------------------------------------------


def _lens_button(w: "MainWindow") -> Area | None:
    return whole(w.toolbar.widgetForAction(w.actions_.qt["lens"]))


def _loss_row(w: "MainWindow") -> Area | None:
    legend, loss = w.canvas.lens.legend, own_loss(w)
    if legend is None or loss is None or loss >= len(legend.rows):
        return None
    return whole(legend.rows[loss])


def _is_alone(w: "MainWindow") -> bool:
    return own_loss(w) is not None and w.canvas.lens.isolated == own_loss(w)


def _how_alone(w: "MainWindow") -> str:
    call = judge(w.session.document)
    name = w.session.document.entry(call).name if call is not None else ""
    return text("tour.isolate_wait" if own_loss(w) is None else "tour.isolate_how", name=name)


def _isolate(w: "MainWindow") -> None:
    if not w.canvas.lens.on:
        w.canvas.lens.toggle()
    if not _is_alone(w):
        w.canvas.lens.isolate(own_loss(w))


def _is_pinned(w: "MainWindow") -> bool:
    return _text_end(w.session.document) in w.session.document.graph.looks.probes


def _pin(w: "MainWindow") -> None:
    end = _text_end(w.session.document)
    if end is not None:
        w.session.look(())
        w.canvas.probes.pin([end])


def _text_port(w: "MainWindow") -> Area | None:
    end = _text_end(w.session.document)
    return at_port(w, end) if end is not None else None


LOOKS: Sequence[Look] = (
    Look(
        "lens",
        lambda w: w.canvas.lens.on,
        _lens_button,
        lambda w: w.canvas.lens.toggle(),
        lambda w: text("tour.lens_how"),
    ),
    Look("isolate", _is_alone, _loss_row, _isolate, _how_alone),
    Look("probe", _is_pinned, _text_port, _pin, lambda w: text("tour.probe_how")),
)
