"""What differs between two documents: exact, and no more than what differs."""

import json

import pytest
from hypothesis import HealthCheck, given, settings

from studio.document import edits
from studio.document.model import Document, Endpoint, Submodel, Wrapped
from studio.document.patch import NOTHING, Entries, Fields, Members, Put, apply, patch
from studio.formats.document_json import to_json
from tests.document.drawn import Drawing, headline, into, layer, out
from tests.formats.documents import documents
from tests.reliability.random_edits import Hand


def laid_out(document: Document) -> str:
    """Everything there is of a document, in its order; NaN is written alike."""
    return json.dumps(to_json(document))


def made(old: Document, new: Document) -> Document:
    found: Document = apply(patch(old, new), old)
    return found


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(documents(), documents())
def test_one_document_becomes_any_other(old: Document, new: Document) -> None:
    assert made(old, new) == new
    assert laid_out(made(old, new)) == laid_out(new)


@pytest.mark.parametrize("seed", range(4))
def test_every_edit_is_told_exactly(seed: int) -> None:
    hand = Hand(headline()[0], seed, odd=True)
    for _ in range(150):
        _, new = hand.edit()
        assert laid_out(made(hand.document, new)) == laid_out(new)
        assert laid_out(made(new, hand.document)) == laid_out(hand.document)
        hand.document = new


def test_of_the_same_document_there_is_nothing() -> None:
    document = headline()[0]
    assert patch(document, document) is NOTHING
    assert apply(NOTHING, document) == document


def test_a_move_is_a_position() -> None:
    document, ids = headline()
    new = edits.move_calls(document, {ids["lstm"]: (4.0, 2.0)})
    found = patch(document, new)
    graph, calls = found.patches["graphs"], None
    assert isinstance(graph, Entries)
    calls = graph.patches[document.main]
    assert calls == Fields({"calls": Entries({ids["lstm"]: Fields({"position": Put((4.0, 2.0))})})})


def test_a_wire_is_one_member() -> None:
    d = Drawing()
    source, target = d.add("Input", shape=(3,)), d.add("Dense")
    new = edits.connect(d.document, out(source), into(target))
    graphs = patch(d.document, new).patches["graphs"]
    assert isinstance(graphs, Entries)
    assert graphs.patches[new.main] == Fields({"wires": Members(new.graph.wires, frozenset())})


def test_what_is_left_keeps_its_order() -> None:
    document, ids = headline()
    gone = edits.remove_calls(document, [ids["lstm"]])
    assert list(made(document, gone).graph.calls) == list(gone.graph.calls)
    assert list(made(gone, document).graph.calls) == list(document.graph.calls)


def test_equal_numbers_of_another_type_differ() -> None:
    document, ids = headline()
    whole = edits.move_calls(document, {ids["lstm"]: (4, 2)})
    exact = edits.move_calls(document, {ids["lstm"]: (4.0, 2.0)})
    assert whole == exact
    assert laid_out(made(whole, exact)) == laid_out(exact) != laid_out(whole)


def test_bodies_of_all_sorts_are_put_whole() -> None:
    document, ids = headline()
    layer_id = document.graph.calls[ids["lstm"]].layer
    for body in (Submodel("g1"), Wrapped(layer("TimeDistributed"), "l2")):  # type: ignore[arg-type]
        entry = document.layers[layer_id]
        new = edits.with_layer(document, layer_id, type(entry)(body, entry.name))
        layers = patch(document, new).patches["layers"]
        assert layers == Entries({layer_id: Fields({"body": Put(body)})})
        assert made(document, new) == new


def test_a_patch_of_something_else_is_refused() -> None:
    document, ids = headline()
    found = patch(document, edits.remove_calls(document, [ids["lstm"]]))
    with pytest.raises(LookupError):
        apply(found, Document())


def test_what_is_told_of_an_edit_does_not_grow_with_the_document() -> None:
    d = Drawing()
    calls = [d.add("Dense") for _ in range(300)]
    new = edits.mark_output(d.document, Endpoint(calls[150], "output"))
    assert len(repr(patch(d.document, new))) < 300
