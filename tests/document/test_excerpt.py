"""Parts of documents, put into the same and into others."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from studio.document import edits
from studio.document.analysis import analyse
from studio.document.canonical import canonical
from studio.document.excerpt import excerpt, paste
from studio.document.model import Document
from studio.formats.clipboard import from_text, to_text
from studio.formats.document_json import from_json, to_json
from tests.document.drawn import Drawing, headline
from tests.formats.documents import documents


def named(document: Document) -> set[tuple[str, str, int]]:
    def name(call: str) -> str:
        return document.entry(call).name

    return {(name(w.source), name(w.target), w.slot) for w in document.graph.wires}


def test_copies_have_wires_among_them_new_ids_and_names_of_their_own() -> None:
    document, ids = headline()
    part = excerpt(document, "g1", [ids["embedding"], ids["lstm"]])
    pasted = paste(document, part, "g1", (0.0, 90.0))
    assert set(pasted.calls) == {ids["embedding"], ids["lstm"]}
    assert set(pasted.calls.values()).isdisjoint(document.graph.calls)
    assert named(pasted.document) - named(document) == {("embedding_1", "lstm_1", 0)}
    assert pasted.document.graph.calls[pasted.calls[ids["lstm"]]].position[1] == 90.0
    assert pasted.document.graph.outputs == document.graph.outputs


def test_inbound_wires_are_kept_on_demand() -> None:
    document, ids = headline()
    part = excerpt(document, "g1", [ids["join"]])
    document = edits.remove_calls(document, [ids["join"]])
    plain = paste(document, part, "g1").document
    assert named(plain) == named(document)
    kept = paste(document, part, "g1", keep_inbound=True).document
    assert named(kept) - named(document) == {
        ("lstm", "concatenate", 0),
        ("aux_input", "concatenate", 1),
    }


def test_inbound_wires_find_layers_of_that_name_in_another_document() -> None:
    document, ids = headline()
    part = excerpt(document, "g1", [ids["join"]])
    d = Drawing()
    d.add("Dense")  # has the id that another layer had
    d.add("LSTM", d.add("Embedding", d.add("Input", shape=(6,), dtype="int32")))
    pasted = paste(d.document, part, "g1", keep_inbound=True).document
    assert ("lstm", "concatenate", 0) in named(pasted)


def test_twins_in_a_copy_are_twins_of_each_other_only() -> None:
    d = Drawing()
    first = d.add("Dense", d.add("Input"))
    second = d.again(first)
    pasted = paste(d.document, excerpt(d.document, "g1", [first, second]), "g1")
    calls = pasted.document.graph.calls
    one, two = (calls[pasted.calls[c]].layer for c in (first, second))
    assert one == two != calls[first].layer
    assert pasted.layers[calls[first].layer] == one


@settings(max_examples=60, deadline=None)
@given(documents(), st.data())
def test_an_excerpt_survives_as_text_and_pastes_into_anything(
    document: Document, data: st.DataObject
) -> None:
    graph_id = data.draw(st.sampled_from(sorted(document.graphs)))
    calls = sorted(document.graphs[graph_id].calls)
    chosen = data.draw(st.lists(st.sampled_from(calls), max_size=4)) if calls else []
    part = excerpt(document, graph_id, chosen)
    again = from_text(to_text(part))
    assert again.inbound == part.inbound
    assert canonical(again.document) == canonical(part.document)
    for target in (Document(), headline()[0], edits.without_unused(document)):
        where = target.main
        pasted = paste(target, again, where, keep_inbound=True)
        assert from_json(to_json(pasted.document)) == pasted.document
        analyse(pasted.document)
        left = edits.remove_calls(pasted.document, pasted.calls.values())
        assert replace(left, next_id=target.next_id) == edits.without_unused(target)
