"""Tooltips of the canvas: all that was cut short, and what a mark means."""

from collections.abc import Iterable
from html import escape

from studio.document.model import Endpoint, Wire
from studio.text import text
from studio.ui.canvas import origins
from studio.ui.canvas.faces import Face, port_label
from studio.ui.canvas.fields import Field
from studio.ui.canvas.probe_cards import Shown
from studio.ui.canvas.scene import CanvasScene, Hit
from studio.ui.session import Session
from studio.ui.study.tap_views import shape_said, text_said


def tip(session: Session, scene: CanvasScene, hit: Hit) -> str:
    """What is said of the thing under the cursor, as rich text; empty over nothing."""
    if hit.probe is not None:
        return _paragraphs(_card(scene.cards.items[hit.probe].shown))
    if hit.port is not None:
        return _paragraphs(_port(session, hit.port, hit.incoming))
    if hit.call is not None and hit.field is not None:
        return _paragraphs(_field(scene.items_by_call[hit.call].face, hit.field))
    if hit.call is not None:
        face = scene.items_by_call[hit.call].face
        return _paragraphs([*_node(face), *origins.cost(session, hit.call)])
    if hit.wire is not None:
        return _paragraphs(_wire(session, hit.wire))
    return ""


def _card(shown: Shown) -> list[str]:
    """What a probe's card shows, all that was cut off, and what the mouse does with it."""
    about = [] if shown.sample is None else [shape_said(shown.sample), text_said(shown.sample)]
    return [shown.title, *filter(None, (*about, shown.note)), text("probes.card_tip")]


def _field(face: Face, field: Field) -> list[str]:
    """What a field is, all that is written in it, and what the mouse does with it."""
    goal = next(port.goal for port in face.outputs if port.name == field.port)
    said = goal.part(field.part) if goal else ""
    return [text(f"canvas.goal_{field.part}"), said, text(f"canvas.goal_tip_{field.part}")]


def _paragraphs(lines: list[str]) -> str:
    head, *rest = (escape(line) for line in lines)
    return "<br>".join([f"<b>{head}</b>", *rest])


def _node(face: Face) -> list[str]:
    lines = [face.title, face.signature]
    for port in face.outputs:
        lines += [port.shape] if port.shape else []
        lines += [text("canvas.tip_output", loss=port.tag)] if port.tag else []
    if face.weights:
        trained = "canvas.tip_trained" if face.trained else "canvas.tip_untrained"
        lines += [face.weights, text(trained)]
    if face.inner:
        lines.append(text("canvas.tip_inner", inner=face.inner.title))
    if face.model:
        lines.append(text("canvas.tip_model"))
    if face.drops_mask:
        lines.append(text("canvas.tip_drops_mask"))
    if face.muted:
        lines.append(text("canvas.tip_muted"))
    if face.frozen:
        lines.append(text("canvas.tip_frozen"))
    if face.twins > 1:
        lines.append(text("canvas.tip_shared", count=face.twins))
    return lines + [f"⚠ {words}" for _, words in face.problems]


def _port(session: Session, port: Endpoint, incoming: bool) -> list[str]:
    entry = session.seen.entry(port.call)
    name, label = entry.name, port_label(session.seen, entry, port.port)
    if incoming:
        wires = session.seen.graph.into(port.call, port.port)
        starts = [w.start for w in wires]
        lines = [text("canvas.tip_input_port", port=label, name=name)]
    else:
        starts = [port]
        lines = [text("canvas.tip_output_port", port=label, name=name)]
    lines += [line for start in starts for line in _value(session, start)]
    return lines + _mask(session, starts)


def _wire(session: Session, wire: Wire) -> list[str]:
    source = session.seen.entry(wire.source).name
    target = session.seen.entry(wire.target).name
    about = _value(session, wire.start)
    return [f"{source} → {target}", *about, *_mask(session, [wire.start])]


def _value(session: Session, start: Endpoint) -> list[str]:
    """What leaves a port: its type, its axes by name, and from what each size came."""
    spec = session.analysis.specs.get(start)
    if spec is None:
        return []
    shape = " × ".join(origins.axes_named(session.document, session.analysis, start))
    return [f"{spec.dtype} · {shape}", *origins.lines(session, start)]


def _mask(session: Session, starts: Iterable[Endpoint]) -> list[str]:
    """That a mask travels along, where one does."""
    carried = any(start in session.analysis.masks for start in starts)
    return [text("canvas.tip_mask")] if carried else []
