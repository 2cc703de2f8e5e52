"""The looks of a document's graphs ⇄ JSON values: the section ``looks`` of `document_json`."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from studio.document.looks import Frame, Looks, Note, Point
from studio.document.model import Endpoint, Graph, GraphId, Wire
from studio.formats import newer
from studio.formats.strict_json import below, malformed
from studio.formats.values import array, member, only, plain, read, table
from studio.limits import BENDS, PIECES, PROBES

Piece = TypeVar("Piece", Frame, Note)


def write_looks(graph: Graph) -> dict[str, Any]:
    """What is drawn of a graph beside its nodes and wires; what there is nothing of is left out."""
    looks = graph.looks
    found = {
        "collapsed": [call for call, c in graph.calls.items() if c.collapsed],
        "frames": [{"id": i, **plain(frame)} for i, frame in looks.frames.items()],
        "notes": [{"id": i, **plain(note)} for i, note in looks.notes.items()],
        "bends": [[plain_wire(w), plain(p)] for w, p in sorted(looks.bends.items())],
        "probes": [[*end, plain(at)] for end, at in looks.probes.items()],
    }
    return {name: values for name, values in found.items() if values}


def read_looks(value: Any, place: str, graphs: Mapping[GraphId, Graph]) -> dict[GraphId, Graph]:
    """These graphs with their looks.

    Raises:
        MalformedError: the values are not looks of these graphs.
    """
    found: dict[GraphId, Graph] = {}
    for id_, looks in table(value, place).items():
        at = below(place, id_)
        if id_ in graphs:
            found[id_] = newer.known(partial(_with_looks, graphs[id_], looks, at), graphs[id_])
        elif not newer.note(at):
            raise malformed(place, "no_such", name=id_[:40])
    return found


def plain_wire(wire: Wire) -> list[Any]:
    """A wire as JSON."""
    return [wire.source, wire.output, wire.target, wire.input, wire.slot]


def read_wire(value: Any, place: str) -> Wire:
    """The inverse of `plain_wire`."""
    return Wire(*read(tuple[str, str, str, str, int], value, place))


def _with_looks(graph: Graph, value: Any, place: str) -> Graph:
    found = only(value, ("collapsed", "frames", "notes", "bends", "probes"), place)
    collapsed = read(tuple[str, ...], found.get("collapsed", []), f"{place}.collapsed")
    calls = dict(graph.calls)
    for call in collapsed:
        if call not in calls:
            raise malformed(f"{place}.collapsed", "no_such", name=call[:40])
        calls[call] = replace(calls[call], collapsed=True)
    frames = _pieces(Frame, found.get("frames", []), f"{place}.frames")
    notes = _pieces(Note, found.get("notes", []), f"{place}.notes")
    bends = _bends(graph, found.get("bends", []), f"{place}.bends")
    probes = _probes(graph, found.get("probes", []), f"{place}.probes")
    return replace(graph, calls=calls, looks=Looks(frames, notes, bends, probes))


def _pieces(kind: type[Piece], value: Any, place: str) -> dict[str, Piece]:
    found: dict[str, Piece] = {}
    items = array(value, place)
    if len(items) > PIECES:
        raise malformed(place, "too_many", received=len(items), expected=PIECES)
    for i, item in enumerate(items):
        at = f"{place}[{i}]"
        about = dict(table(item, at))
        id_ = read(str, member(about, "id", at), f"{at}.id")
        if id_ in found:
            raise malformed(at, "twice", name=id_[:40])
        del about["id"]
        found[id_] = piece = read(kind, about, at)
        if min(piece.rect[2:]) <= 0:
            raise malformed(f"{at}.rect", "expected", expected="> 0", received=piece.rect[2:])
    return found


def _bends(graph: Graph, value: Any, place: str) -> dict[Wire, tuple[Point, ...]]:
    found: dict[Wire, tuple[Point, ...]] = {}
    count = 0
    for i, pair in enumerate(array(value, place)):
        at = f"{place}[{i}]"
        wire = read_wire(array(pair, at, 2)[0], at)
        points = read(tuple[tuple[float, float], ...], pair[1], at)
        count += len(points)
        if wire not in graph.wires:
            raise malformed(at, "no_such", name=" ".join(map(str, plain_wire(wire)))[:40])
        if wire in found:
            raise malformed(at, "twice", name=wire.source)
        if count > BENDS:
            raise malformed(place, "too_many", received=count, expected=BENDS)
        if not points:
            raise malformed(at, "expected", expected="[[x, y], …]", received="[]")
        found[wire] = points
    return found


def _probes(graph: Graph, value: Any, place: str) -> dict[Endpoint, Point]:
    found: dict[Endpoint, Point] = {}
    probes = array(value, place)
    if len(probes) > PROBES:
        raise malformed(place, "too_many", received=len(probes), expected=PROBES)
    for i, probe in enumerate(probes):
        at = f"{place}[{i}]"
        call, port, corner = read(tuple[str, str, tuple[float, float]], probe, at)
        if call not in graph.calls:
            raise malformed(at, "no_such", name=call[:40])
        if Endpoint(call, port) in found:
            raise malformed(at, "twice", name=call)
        found[Endpoint(call, port)] = corner
    return found
