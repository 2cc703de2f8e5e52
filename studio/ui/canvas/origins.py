"""Of a value on the canvas: its axes by name, from what each size came, and what a node costs."""

from collections.abc import Iterable, Mapping
from typing import Any

from studio.document.analysis import Analysis
from studio.document.axes import axes
from studio.document.derivation import Origin, derive
from studio.document.model import CallId, Document, Endpoint
from studio.document.summary import amount
from studio.engine.memory import written
from studio.engine.program import Spec
from studio.text import text
from studio.ui.canvas.faces import size_text
from studio.ui.session import Session


def axes_named(document: Document, analysis: Analysis, end: Endpoint) -> tuple[str, ...]:
    """``batch``, ``time 100``, ``features 512``: an open size says its axis alone."""
    return tuple(map(_axis, axes(document, analysis, end), analysis.specs[end].shape))


def sizes(spec: Spec) -> str:
    """``100 × 512``: the sizes without the batch's, if there are others."""
    return " × ".join(map(size_text, spec.shape[1:] or spec.shape))


def lines(session: Session, end: Endpoint) -> list[str]:
    """A line for each size of what leaves a port, or for several that came alike."""
    document, analysis = session.document, session.analysis
    derivation, names = derive(document, analysis, end), axes(document, analysis, end)
    told: list[str] = []
    kept: dict[tuple[str, ...], list[str]] = {}
    for name, origin in zip(names, derivation.sizes, strict=False):
        if origin.kept:
            places = [_name(session, start) for start, _ in origin.arriving]
            kept.setdefault(tuple(dict.fromkeys(places)), []).append(text(f"canvas.axis_{name}"))
        else:
            told.append(_line(session, name, origin))
    same = [
        text("canvas.origin_kept", axes=_listed(alike), names=_listed(places))
        for places, alike in kept.items()
    ]
    rank = derivation.rank
    axes_told = [text("canvas.origin_rank", values=_values(rank))] if rank else []
    return same + told + axes_told


def cost(session: Session, call: CallId) -> list[str]:
    """What a node computes, and what what it gives takes."""
    costs = session.costs()
    found = costs.of(call)
    if found is None:
        return []
    key = "canvas.tip_cost_open" if costs.open else "canvas.tip_cost"
    about = {"flops": amount(found.flops), "memory": written(found.memory), "length": costs.length}
    return [text(key, **about)]


def _line(session: Session, name: str, origin: Origin) -> str:
    axis = _axis(name, origin.size)
    if origin.arriving:
        came = _listed(_arrived(session, *place) for place in origin.arriving)
        values = _values(origin.parameters)
        key = "canvas.origin_made_by" if values else "canvas.origin_made"
        return text(key, axis=axis, sizes=came, values=values)
    if origin.parameters:
        return text("canvas.origin_set", axis=axis, values=_values(origin.parameters))
    if origin.inside:
        return text("canvas.origin_inside", axis=axis)
    if isinstance(origin.size, str):
        return text("canvas.origin_open", axis=axis)
    return text("canvas.origin_layer", axis=axis)


def _arrived(session: Session, start: Endpoint, axis: int) -> str:
    """``time 100 of “embedding”``."""
    spec = session.analysis.specs[start]
    name = axes(session.document, session.analysis, start)[axis]
    about = {"axis": _axis(name, spec.shape[axis]), "name": _name(session, start)}
    return text("canvas.origin_of", **about)


def _axis(name: str, size: int | str) -> str:
    """An axis with its size; where that is open its name says it all."""
    called = text(f"canvas.axis_{name}")
    return called if isinstance(size, str) else f"{called} {size_text(size)}"


def _name(session: Session, start: Endpoint) -> str:
    return session.seen.entry(start.call).name


def _values(parameters: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {_written(value)}" for name, value in parameters.items())


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return "×".join(map(_written, value))
    return "?" if value is None else str(value)


def _listed(words: Iterable[str]) -> str:
    return text("canvas.and").join(words)
