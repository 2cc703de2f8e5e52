"""A plain layered layout, left to right: where nodes go that nobody has placed by hand.

Layers and the order within them come from fast-sugiyama (Sugiyama, Tagawa & Toda, 1981). It knows
one spacing and no node sizes, so the coordinates are ours: columns as wide as their widest node,
and in each column the heights nearest to the neighbours' that keep the order and overlap nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from fast_sugiyama import from_edges

from studio.document.edits import move_calls, with_graph
from studio.document.model import CallId, Document, Graph, GraphId, LayerEntry
from studio.layers.base import Layer

Size = tuple[float, float]

DEFAULT_SIZE: Size = (168.0, 108.0)
_GOAL: Size = (248.0, 72.0)  # of a node with the fields of an output; and what those add to it
COLUMN_GAP = 56.0
ROW_GAP = 36.0
COMPONENT_GAP = 72.0
_SWEEPS = 12


def needs_layout(document: Document, graph: GraphId | None = None) -> bool:
    """Whether nobody has placed the calls: there are several, all at one point."""
    calls = document.graphs[graph or document.main].calls.values()
    return len(calls) > 1 and len({call.position for call in calls}) == 1


def arrange(
    document: Document,
    graph: GraphId | None = None,
    calls: Iterable[CallId] | None = None,
    sizes: Mapping[CallId, Size] | None = None,
) -> Document:
    """With calls placed in layers from left to right; the same document gives the same places.

    Args:
        document: the document.
        graph: the graph to lay out; the main one if None.
        calls: only these move, and stay where their upper left corner was; all if None. Wires
            between those that move lose their bends, which led around what stood elsewhere.
        sizes: (width, height) of calls in scene units, guessed where unknown.
    """
    here = document.graphs[graph or document.main]
    chosen = set(here.calls) if calls is None else set(calls) & set(here.calls)
    if not chosen:
        return document
    known = sizes or {}
    boxes = {c: known[c] if c in known else _guess(document, here, c) for c in chosen}
    places = place(here, chosen, boxes)
    if calls is not None:
        left = min(here.calls[c].position[0] for c in chosen)
        top = min(here.calls[c].position[1] for c in chosen)
        places = {c: (left + x, top + y) for c, (x, y) in places.items()}
    return move_calls(_straightened(document, graph or document.main, chosen), places)


def _straightened(document: Document, graph: GraphId, calls: set[CallId]) -> Document:
    """With no bends in the wires between these calls."""
    here = document.graphs[graph]
    bends = {
        wire: points
        for wire, points in here.looks.bends.items()
        if not {wire.source, wire.target} <= calls
    }
    if len(bends) == len(here.looks.bends):
        return document
    return with_graph(document, graph, replace(here, looks=here.looks.with_bends(bends)))


def arrange_unplaced(document: Document) -> Document:
    """With every graph laid out that nobody has placed."""
    for graph in document.graphs:
        if needs_layout(document, graph):
            document = arrange(document, graph)
    return document


def _guess(document: Document, graph: Graph, call: CallId) -> Size:
    """About what a node takes on the canvas, where nobody has measured its texts."""
    entry = document.layers[graph.calls[call].layer]
    inputs, outputs = document.ports(entry)
    ports = sum(max((len(p.name) for p in side), default=0) for side in (inputs, outputs))
    letters = max(len(entry.name) + 2, _said(entry), ports + 12)  # a shape beside the ports
    rows = max(len(graph.into(call)) + 1, len(inputs), len(outputs))
    inner = 0.0 if isinstance(entry.body, Layer) else 28.0  # what it holds is drawn inside
    width, height = DEFAULT_SIZE
    if goals := sum(e.call == call for e in document.graph.outputs):  # what each is trained for
        width, inner = _GOAL[0], inner + _GOAL[1] * goals
    return max(width, min(48.0 + 7.0 * letters, 304.0)), height + 20.0 * (rows - 1) + inner


def _said(entry: LayerEntry) -> int:
    """About how many letters tell the kind and the parameters that are not the usual ones."""
    if not isinstance(entry.body, Layer):
        return len(entry.kind)
    values = ((p, getattr(entry.body, p.name)) for p in entry.body.params() if p.shown)
    changed = (p.name if value is True else str(value) for p, value in values if value != p.default)
    return len(entry.kind) + sum(len(text) + 2 for text in changed)


def place(
    graph: Graph, chosen: set[CallId], sizes: Mapping[CallId, Size]
) -> dict[CallId, tuple[float, float]]:
    """Upper left corners of `chosen`, parts one below the other; all sizes are known."""
    order = [call for call in graph.every_call() if call in chosen]
    number = {call: i for i, call in enumerate(order)}
    edges = {
        (number[w.source], number[w.target])
        for w in graph.wires
        if w.source in number and w.target in number and number[w.source] < number[w.target]
    }
    boxes = [sizes[call] for call in order]
    places: dict[CallId, tuple[float, float]] = {}
    top = 0.0
    for part in _parts(len(order), edges):
        inside = sorted(e for e in edges if e[0] in part)
        corners = _place_part(sorted(part), inside, boxes)
        for i, (x, y) in corners.items():
            places[order[i]] = (round(x), round(top + y))
        top += max(y + boxes[i][1] for i, (_, y) in corners.items()) + COMPONENT_GAP
    return places


def _parts(count: int, edges: set[tuple[int, int]]) -> list[set[int]]:
    """The connected parts, the largest first, then by their first node."""
    near: list[list[int]] = [[] for _ in range(count)]
    for a, b in edges:
        near[a].append(b)
        near[b].append(a)
    seen: set[int] = set()
    parts = []
    for start in range(count):
        if start in seen:
            continue
        part, ahead = {start}, [start]
        while ahead:
            fresh = {n for n in near[ahead.pop()] if n not in part}
            part |= fresh
            ahead += fresh
        seen |= part
        parts.append(part)
    return sorted(parts, key=lambda part: (-len(part), min(part)))


@dataclass
class _Slot:
    """A node in its column, or a bend where a long wire passes through the column."""

    height: float
    y: float = 0.0


def _place_part(
    nodes: list[int], edges: list[tuple[int, int]], boxes: list[Size]
) -> dict[int, tuple[float, float]]:
    if not edges:
        return dict.fromkeys(nodes, (0.0, 0.0))
    columns, pieces = _columns(edges)
    slots = {v: _Slot(boxes[v][1] if v < len(boxes) else 0.0) for column in columns for v in column}
    read: dict[int, list[int]] = {v: [] for v in slots}
    near: dict[int, list[int]] = {v: [] for v in slots}
    for a, b in pieces:
        read[b].append(a)
        near[a].append(b)
        near[b].append(a)
    for column in columns:
        _settle([slots[v] for v in column], [0.0] * len(column))
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 == 0 else reversed(columns):
            _settle([slots[v] for v in column], [_mean(slots, near[v]) for v in column])
    for column in columns:  # last by what each reads alone, which makes chains straight
        wished = [_mean(slots, read[v] or [v]) for v in column]
        _settle([slots[v] for v in column], wished, [1.0 if read[v] else 0.01 for v in column])
    highest = min(slots[v].y for v in nodes)
    corners: dict[int, tuple[float, float]] = {}
    x = 0.0
    for column in columns:
        real = [v for v in column if v < len(boxes)]
        corners |= {v: (x, slots[v].y - highest) for v in real}
        x += max((boxes[v][0] for v in real), default=0.0) + COLUMN_GAP
    return corners


def _mean(slots: dict[int, _Slot], vertices: list[int]) -> float:
    return sum(slots[v].y for v in vertices) / len(vertices)


def _columns(edges: list[tuple[int, int]]) -> tuple[list[list[int]], list[tuple[int, int]]]:
    """Vertices by layer, in order, and the edges cut at layers; new numbers are bends."""
    # Vertices are handed over as 0…n-1: the library numbers them by a set, stable for small ints.
    used = sorted({v for edge in edges for v in edge})
    small = {v: i for i, v in enumerate(used)}
    ((positions, _, _, cut),) = from_edges(
        [(small[a], small[b]) for a, b in edges],
        ranking_type="minimize",
        dummy_vertices=True,
        check_layout=False,
    )
    bends = 1 + max(used[-1], 10**9)  # above every real number

    def back(v: int | str) -> int:
        return used[int(v)] if int(v) < len(used) else bends + int(v)

    layers: dict[float, list[tuple[float, int]]] = {}
    for vertex, (x, y) in positions:
        layers.setdefault(-float(y), []).append((float(x), back(vertex)))
    columns = [[v for _, v in sorted(layers[y])] for y in sorted(layers)]
    return columns, [(back(a), back(b)) for a, b in cut or ()]


def _settle(column: list[_Slot], wished: list[float], weights: list[float] | None = None) -> None:
    """Give a column the heights nearest to those wished that keep its order and its gaps.

    Least squares under y[i+1] ≥ y[i] + height[i] + gap: an isotonic regression once the heights
    above are taken off, solved by pooling adjacent violators.
    """
    above = 0.0
    blocks: list[tuple[float, float, int]] = []  # mean, weight, how many slots
    for slot, wish, weight in zip(column, wished, weights or [1.0] * len(column), strict=True):
        block = (wish - above, weight, 1)
        above += slot.height + ROW_GAP
        while blocks and blocks[-1][0] > block[0]:
            before = blocks.pop()
            total = before[1] + block[1]
            mean = (before[0] * before[1] + block[0] * block[1]) / total
            block = (mean, total, before[2] + block[2])
        blocks.append(block)
    above, flat = 0.0, (mean for mean, _, count in blocks for _ in range(count))
    for slot, base in zip(column, flat, strict=True):
        slot.y = base + above
        above += slot.height + ROW_GAP
