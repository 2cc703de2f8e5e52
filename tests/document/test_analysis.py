"""What is said of a document as it stands."""

from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.document import edits, sharing
from studio.document.analysis import Analysis, analyse, why_not
from studio.document.lowering import lower
from studio.document.model import Document, Endpoint, Graph, LayerEntry, Submodel, Unknown
from studio.document.walk import Found, Walk
from studio.engine.program import Spec
from studio.layers.input import Input
from studio.layers.time_distributed import TimeDistributed
from studio.losses.regression import MeanSquaredError
from studio.problem import ProblemError
from studio.text import set_language
from tests.document.drawn import Drawing, headline, into, layer, out
from tests.formats.documents import documents
from tests.work import grows_with


def codes(document: Document, call: str | None = None) -> list[str]:
    found = analyse(document).problems
    return [p.code for p in found if call is None or p.where == call]


def said(analysis: Analysis) -> Analysis:
    """An analysis whose problems can be compared: two edits that do the same are not equal."""
    problems, training = (
        tuple(replace(p, fix=str(p.fix)) for p in found)
        for found in (analysis.problems, analysis.training)
    )
    return replace(analysis, problems=problems, training=training)


def with_losses(document: Document) -> Document:
    for end in document.graph.outputs:
        document = edits.plan_output(document, end, loss=MeanSquaredError())
    return document


def test_a_sound_model_has_no_problems() -> None:
    document, ids = headline()
    analysis = analyse(with_losses(document))
    assert analysis.problems == ()
    assert analysis.specs[out(ids["lstm"])] == Spec("float32", ("batch", 3))
    assert analysis.specs[out(ids["join"])] == Spec("float32", ("batch", 8))
    lstm = document.graph.calls[ids["lstm"]].layer
    assert analysis.parameters(lstm) == 4 * 3 * (4 + 3 + 1)


def test_an_empty_document_says_nothing() -> None:
    assert codes(Document()) == []


def test_a_model_without_inputs_or_outputs() -> None:
    d = Drawing()
    d.add("Dense")
    assert {"no_input", "no_output"} <= set(codes(d.document))


def test_nothing_arrives() -> None:
    d = Drawing()
    dense, join = d.add("Dense"), d.add("Concatenate")
    assert "nothing_arrives" in codes(d.document, dense)
    assert "nothing_arrives" in codes(d.document, join)
    (problem,) = (p for p in analyse(d.document).at(dense) if p.code == "nothing_arrives")
    assert "dense" in str(problem)


def test_what_cannot_be_known_is_said_once_where_it_starts() -> None:
    d = Drawing()
    first = d.add("Dense")
    d.output(d.add("Dense", d.add("Dense", first)))
    found = analyse(d.document)
    assert [p.where for p in found.errors if p.code == "nothing_arrives"] == [first]
    assert [p.code for p in found.errors] == ["nothing_arrives", "no_input"]


def test_a_parameter_out_of_range_is_at_every_use() -> None:
    d = Drawing()
    dense = d.add("Dense", d.add("Input", shape=(4,)), units=0)
    (problem,) = (p for p in analyse(d.document).at(dense) if p.code == "parameter_min")
    assert "units" in str(problem)
    assert "0" in str(problem)


def test_a_name_used_twice_offers_a_free_one() -> None:
    d = Drawing()
    x = d.add("Input", shape=(4,))
    a, b = d.add("Dense", x, name="same"), d.add("Dense", x, name="same")
    found = [p for p in analyse(d.document).problems if p.code == "name_twice"]
    assert {p.where for p in found} == {a, b}
    repaired = found[0].fix.edit(d.document)
    assert "name_twice" not in codes(repaired)
    assert str(found[0].fix) == "Give it a free name"


def test_an_input_called_as_an_output_is_numbered() -> None:
    """Two results of one model are told apart by a number, which an Input may have as its name."""
    d = Drawing()
    x = d.add("Input", shape=(4,), name="pair_1")
    ends = [d.output(d.add("Dense", x)) for _ in range(2)]
    document, _ = sharing.group(d.document, ends, "pair")
    (problem,) = (p for p in analyse(document).problems if p.code == "name_twice")
    assert problem.where == x
    assert "name_twice" not in codes(problem.fix.edit(document))


def test_an_unused_branch_can_be_marked_an_output() -> None:
    d = Drawing()
    x = d.add("Input", shape=(4,))
    d.output(d.add("Dense", x))
    side = d.add("Dense", d.add("Dense", x))
    found = [p for p in analyse(d.document).problems if p.code == "unused"]
    assert [p.severity for p in found] == ["warning", "warning"]
    (repair,) = (p.fix for p in found if p.where == side)
    assert "unused" not in codes(repair.edit(d.document))
    (removal,) = (p.fix for p in found if p.where != side)
    assert str(removal) == "Delete it"
    left = removal.edit(d.document)
    assert "unused" not in codes(left)
    assert len(left.graph.calls) == 2


def test_an_unread_input_is_unused() -> None:
    d = Drawing()
    d.output(d.add("Dense", d.add("Input", shape=(4,))))
    spare = d.add("Input", shape=(4,))
    assert codes(d.document, spare) == ["unused"]
    (problem,) = analyse(d.document).at(spare)
    assert "unused" not in codes(problem.fix.edit(d.document))


def test_twins_that_need_different_weights() -> None:
    d = Drawing()
    dense = d.add("Dense", d.add("Input", shape=(4,)))
    twin = d.again(dense, d.add("Input", shape=(5,)))
    assert "twins_disagree" in codes(d.document, twin)
    assert "twins_disagree" not in codes(d.document, dense)


def test_an_output_without_a_loss_is_a_warning() -> None:
    document, ids = headline()
    found = [p for p in analyse(document).problems if p.code == "no_loss"]
    assert {p.where for p in found} == {ids["main_output"], ids["aux_output"]}
    assert {p.severity for p in found} == {"warning"}


def test_an_unknown_layer_is_kept_and_said() -> None:
    document, call = edits.add_layer(Document(), Unknown("Capsule", {"units": 3}))
    assert "unknown_layer" in codes(document, call)


def nested(document: Document) -> tuple[Document, str]:
    """A model of the main graph of `document` as one layer, inputs not wired."""
    layers = {**document.layers, "l90": LayerEntry(Submodel(document.main), "inner")}
    document = replace(
        document,
        graphs={**document.graphs, "g91": Graph("outer")},
        layers=layers,
        main="g91",
        next_id=92,
    )
    return edits.use_layer(document, "l90")


def test_a_model_as_a_layer_takes_its_inputs_by_name() -> None:
    """Ports are call ids; ``c10`` must not come before ``c2``."""
    document, ids = headline()
    document, call = nested(document)
    document, text = edits.add_layer(document, layer("Input", shape=(6,), dtype="int32"))
    document, numbers = edits.add_layer(document, layer("Input", shape=(5,)))
    document = edits.connect(document, out(numbers), Endpoint(call, ids["aux_input"]))
    document = edits.connect(document, out(text), Endpoint(call, ids["main_input"]))
    key = out(ids["main_output"]).key
    document = edits.mark_output(document, Endpoint(call, key))
    analysis = analyse(with_losses(document))
    assert analysis.problems == ()
    assert analysis.specs[Endpoint(call, key)] == Spec("float32", ("batch", 1))


# -- while a wire is dragged ---------------------------------------------------------------------


def test_a_wire_that_fits_is_not_refused() -> None:
    d = Drawing()
    x, dense = d.add("Input", shape=(4,)), d.add("Dense")
    assert why_not(d.document, out(x), into(dense)) is None


def test_states_are_wired_one_by_one() -> None:
    """Half of an LSTM's states is a problem, but none of the wire that brings it."""
    d = Drawing()
    x, lstm = d.add("Input", shape=(5, 4)), d.add("LSTM", units=3)
    h, wide = d.add("Input", shape=(3,)), d.add("Input", shape=(4,))
    d.document = edits.connect(d.document, out(x), into(lstm))
    for port, codes in (("initial_h", {"states_missing"}), ("initial_c", set())):
        end = Endpoint(lstm, port)
        assert why_not(d.document, out(h), end) is None
        refused = why_not(d.document, out(wide), end)
        assert refused is not None
        assert refused.code == "state_differs"
        d.document = edits.connect(d.document, out(h), end)
        found = {p.code for p in analyse(d.document).at(lstm) if p.severity == "error"}
        assert found == codes


def test_a_mask_that_is_not_heeded_is_known() -> None:
    """By a layer that knows no masks, and by a recurrent one that is given a state."""
    d = Drawing()
    tokens, state = d.add("Input", shape=(5,), dtype="int32"), d.add("Input", shape=(3,))
    words = d.add("Embedding", tokens, input_dim=4, output_dim=3, mask_zero=True)
    flat, gru = d.add("Flatten", words), d.add("GRU", words, units=3)
    assert analyse(d.document).drops_mask == {flat}
    d.document = edits.connect(d.document, out(state), Endpoint(gru, "initial_h"))
    assert analyse(d.document).drops_mask == {flat, gru}


def test_integers_wanted_floats_given() -> None:
    d = Drawing()
    dense = d.add("Dense", d.add("Input", shape=(4,)), units=7)
    embedding = d.add("Embedding")
    problem = why_not(d.document, out(dense), into(embedding))
    assert problem is not None
    assert (problem.code, problem.where) == ("expects_integers", embedding)
    assert "Embedding takes integers" in str(problem)
    assert "float32(batch, 7)" in str(problem)
    set_language("zh_CN")
    assert "Embedding 需要整数" in str(problem)


def test_floats_wanted_integers_given() -> None:
    d = Drawing()
    x = d.add("Input", shape=(4,), dtype="int32")
    dense = d.add("Dense")
    problem = why_not(d.document, out(x), into(dense))
    assert problem is not None
    assert "int32(batch, 4)" in str(problem)


def test_the_wrong_rank() -> None:
    d = Drawing()
    x = d.add("Input", shape=(4,))
    lstm = d.add("LSTM")
    problem = why_not(d.document, out(x), into(lstm))
    assert problem is not None
    assert problem.code == "expects_rank"
    assert "3 axes" in str(problem)
    assert "has 2" in str(problem)


@pytest.mark.parametrize("target", ["a", "b"])
def test_a_cycle(target: str) -> None:
    d = Drawing()
    calls = {"a": d.add("Dense")}
    calls["b"] = d.add("Dense", calls["a"])
    problem = why_not(d.document, out(calls["b"]), into(calls[target]))
    assert problem is not None
    assert problem.code == "cycle"


def test_shapes_that_cannot_be_joined() -> None:
    d = Drawing()
    flat, deep = d.add("Input", shape=(4,)), d.add("Input", shape=(2, 4))
    join = d.add("Concatenate", flat)
    problem = why_not(d.document, out(deep), into(join))
    assert problem is not None
    assert problem.code == "shapes_differ"


def test_one_wrong_wire_does_not_excuse_another() -> None:
    """The wire that would be replaced is wrong for the same reason."""
    d = Drawing()
    a, b = d.add("Input", shape=(4,)), d.add("Input", shape=(5,))
    embedding = d.add("Embedding", a)
    problem = why_not(d.document, out(b), into(embedding))
    assert problem is not None
    assert problem.code == "expects_integers"


def test_what_is_wrong_anyway_is_no_reason() -> None:
    d = Drawing()
    x, dense = d.add("Input", shape=(4,)), d.add("Dense", units=0)
    assert why_not(d.document, out(x), into(dense)) is None


# -- work ----------------------------------------------------------------------------------------


def edited(length: int) -> Document:
    """A chain that was analysed, and then one of its layers changed."""
    d = Drawing()
    last = d.add("Input", shape=(8,))
    for _ in range(length):
        last = d.add("Dense", last, units=8)
    d.output(last)
    analyse(d.document)
    return edits.set_parameters(d.document, d.layer_of(last), units=9)


def test_the_work_of_an_edit_grows_with_the_model_and_not_with_its_square() -> None:
    documents = {length: edited(length) for length in (4, 250, 1000)}
    analyse(documents[4])  # what is loaded and remembered at first is no part of it
    assert grows_with(lambda length: analyse(documents[length]), 250, 1000) < 1.2


@given(documents(), documents())
def test_from_what_was_found_before_the_same_is_found(old: Document, new: Document) -> None:
    assert said(analyse(new, analyse(old))) == said(analyse(new))


@given(documents(), st.data())
def test_what_an_edit_leaves_is_found_the_same(document: Document, data: st.DataObject) -> None:
    analysis = analyse(document)
    for _ in range(3):
        document = data.draw(changed(document))
        analysis = analyse(document, analysis)
        assert said(analysis) == said(analyse(document))


@st.composite
def changed(draw: st.DrawFn, document: Document) -> Document:
    """With something small done to a graph: a call less, a wire less, an Input of other numbers."""
    graph_id = draw(st.sampled_from(sorted(document.graphs)))
    graph = document.graphs[graph_id]
    acts = [document]
    if graph.wires:
        wire = draw(st.sampled_from(sorted(graph.wires)))
        acts.append(edits.disconnect(document, [wire]))
    if graph.calls:
        call = draw(st.sampled_from(sorted(graph.calls)))
        entry = document.layers[graph.calls[call].layer]
        acts.append(edits.remove_calls(document, [call]))
        acts.append(edits.rename_layer(document, graph.calls[call].layer, "another"))
        if isinstance(entry.body, Input):
            fresh = replace(entry, body=Input((draw(st.integers(1, 9)),)))
            acts.append(edits.with_layer(document, graph.calls[call].layer, fresh))
    return draw(st.sampled_from(acts))


def test_an_edit_looks_only_at_what_it_touches(monkeypatch: pytest.MonkeyPatch) -> None:
    d = Drawing()
    call = d.add("Input", shape=(4,))
    chain = [call := d.add("Dense", call, units=4) for _ in range(9)]
    looked: list[str] = []
    whole = Walk._call

    def counted(walk: Walk, graph: Graph, call_id: str, *rest: Any) -> Found:
        looked.append(call_id)
        return whole(walk, graph, call_id, *rest)

    monkeypatch.setattr(Walk, "_call", counted)
    first = analyse(d.document)
    layer_id = d.layer_of(chain[4])
    for edit, asked in (
        (edits.setting(layer_id, units=5), chain[4:6]),
        (edits.setting(layer_id, activation="relu"), chain[4:6]),  # its values lie elsewhere
        (partial(edits.rename_layer, layer=layer_id, name="another"), chain[4:5]),
        (partial(edits.move_calls, positions={chain[4]: (8.0, 8.0)}), []),
    ):
        looked.clear()
        analyse(edit(d.document), first)
        assert looked == asked


def test_a_merge_of_several_cannot_be_wrapped_and_says_so() -> None:
    d = Drawing()
    a, b = (d.add("Input", shape=(3, 4)) for _ in range(2))
    call = d.output(d.add("Add"))
    port = d.document.ports(d.document.entry(call))[0][0].name
    for source in (a, b):
        d.document = edits.connect(d.document, out(source), Endpoint(call, port))
    with pytest.raises(ProblemError, match="has 2 and 1"):
        sharing.wrap(d.document, call, TimeDistributed())  # no file holds two wires at one port
    single = edits.disconnect(d.document, d.document.graph.into(call)[1:])
    assert sharing.wrap(single, call, TimeDistributed()).graph.into(call)[0].source == a


def test_a_wrapped_model_of_two_inputs_says_so() -> None:
    d = Drawing()
    a, b = (d.add("Input", shape=(3, 4)) for _ in range(2))
    d.output(both := d.add("Add", a, b))
    document, model = sharing.group(d.document, [both])
    wrapped = sharing.wrap(document, model, TimeDistributed())
    found = analyse(wrapped).errors
    assert ("wrapper_one", model) in [(p.code, p.where) for p in found]
    with pytest.raises(ProblemError, match="has 2 and 1"):
        lower(wrapped)
