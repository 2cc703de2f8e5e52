import random
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from studio.document import edits, sharing
from studio.document.layout import DEFAULT_SIZE, arrange, arrange_unplaced, needs_layout
from studio.document.model import Document, Endpoint, Wire
from studio.layers.dense import Dense
from studio.layers.merge_concatenate import Concatenate
from tests.document.drawn import headline


def chain(length: int) -> tuple[Document, list[str]]:
    document, calls = Document(), []
    for _ in range(length):
        document, call = edits.add_layer(document, Dense(4))
        if calls:
            document = edits.connect(document, Endpoint(calls[-1], "output"), Endpoint(call, "x"))
        calls.append(call)
    return document, calls


def scattered(count: int, pairs: list[tuple[int, int]]) -> Document:
    document, calls = Document(), []
    for _ in range(count):
        document, call = edits.add_layer(document, Concatenate())
        calls.append(call)
    wires = frozenset(
        Wire(calls[a], "output", calls[b], "x", slot)
        for slot, (a, b) in enumerate(pairs)
        if a < b < count
    )
    return replace(document, graphs={"g1": replace(document.graph, wires=wires)})


def overlaps(document: Document, sizes: dict[str, tuple[float, float]]) -> list[tuple[str, str]]:
    found, calls = [], list(document.graph.calls.items())
    for i, (a, first) in enumerate(calls):
        for b, second in calls[:i]:
            (w1, h1), (w2, h2) = sizes.get(a, DEFAULT_SIZE), sizes.get(b, DEFAULT_SIZE)
            (x1, y1), (x2, y2) = first.position, second.position
            if x1 < x2 + w2 and x2 < x1 + w1 and y1 < y2 + h2 and y2 < y1 + h1:
                found.append((a, b))
    return found


def test_a_chain_is_a_straight_line_in_the_order_of_its_wires() -> None:
    document, calls = chain(5)
    placed = arrange(document).graph.calls
    assert len({placed[c].position[1] for c in calls}) == 1
    xs = [placed[c].position[0] for c in calls]
    assert all(b - a >= DEFAULT_SIZE[0] for a, b in pairwise(xs))


def test_needs_layout_tells_what_python_built_from_what_was_placed() -> None:
    document, _ = chain(3)
    assert needs_layout(document)
    assert not needs_layout(arrange(document))
    assert not needs_layout(Document())
    assert not needs_layout(chain(1)[0])


@given(
    st.integers(1, 14),
    st.lists(st.tuples(st.integers(0, 13), st.integers(0, 13)), max_size=25, unique=True),
    st.randoms(use_true_random=False),
)
def test_nothing_overlaps_and_every_wire_runs_to_the_right(
    count: int, pairs: list[tuple[int, int]], rng: random.Random
) -> None:
    document = scattered(count, pairs)
    sizes = {c: (rng.uniform(80, 300), rng.uniform(40, 250)) for c in document.graph.calls}
    placed = arrange(document, sizes=sizes)
    assert overlaps(placed, sizes) == []
    for wire in placed.graph.wires:
        source, target = placed.graph.calls[wire.source], placed.graph.calls[wire.target]
        assert source.position[0] + sizes[wire.source][0] < target.position[0]


def test_only_the_chosen_calls_move_and_stay_where_they_were() -> None:
    document, calls = chain(4)
    document = edits.move_calls(document, {c: (1000.0, 700.0 + i) for i, c in enumerate(calls)})
    placed = arrange(document, calls=calls[1:3]).graph.calls
    assert placed[calls[0]].position == (1000.0, 700.0)
    assert placed[calls[3]].position == (1000.0, 703.0)
    assert placed[calls[1]].position == (1000.0, 701.0)
    assert placed[calls[2]].position[0] > 1000.0 + DEFAULT_SIZE[0]


def test_a_cycle_in_a_damaged_file_is_laid_out_all_the_same() -> None:
    document = scattered(3, [(0, 1), (1, 2)])
    (a, _, c) = document.graph.calls
    closed = document.graph.wires | {Wire(c, "output", a, "x", 5)}
    document = replace(document, graphs={"g1": replace(document.graph, wires=closed)})
    assert overlaps(arrange(document), {}) == []


_SCRIPT = """
from tests.document.test_layout import scattered
from studio.document.layout import arrange
calls = arrange(scattered(9, [(0, 3), (1, 3), (2, 4), (3, 5), (4, 5), (5, 6), (5, 7), (0, 8)]))
print([call.position for call in calls.graph.calls.values()])
"""


def test_the_same_places_in_every_process() -> None:
    """Python's strings hash differently in each process; places must not depend on it."""
    said = {
        subprocess.run(
            [sys.executable, "-c", _SCRIPT],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1


def test_models_within_are_placed_too() -> None:
    document, ids = headline()
    document, _ = sharing.group(document, [ids["dense0"], ids["dense1"]])
    flat = edits.move_calls(document, {c: (0.0, 0.0) for _, c, _ in document.calls()})
    placed = arrange_unplaced(flat)
    assert not any(needs_layout(placed, graph) for graph in placed.graphs)
    assert arrange_unplaced(placed) == placed
