"""Models of a selection and back, wrappers, independent copies, documents as layers."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from studio.document import edits, sharing
from studio.document.analysis import analyse
from studio.document.canonical import canonical
from studio.document.inside import frozen_layers, uses, within
from studio.document.lowering import lower
from studio.document.model import Document, Endpoint, Submodel, Wrapped
from studio.formats.document_json import from_json, to_json
from studio.layers.time_distributed import TimeDistributed
from studio.losses.probabilistic import BinaryCrossentropy
from studio.losses.regression import MeanSquaredError
from studio.problem import ProblemError
from tests.document.drawn import Drawing, headline, into, layer, out
from tests.formats.documents import documents


def planned() -> tuple[Document, dict[str, str]]:
    """The headline with a loss at each output."""
    document, ids = headline()
    for name in ("main_output", "aux_output"):
        document = edits.plan_output(document, out(ids[name]), loss=BinaryCrossentropy(), weight=2)
    return document, ids


def errors(document: Document) -> list[str]:
    return [str(p) for p in analyse(document).errors]


def saved(document: Document) -> Document:
    return from_json(to_json(document))


# -- a selection as a model, and back ------------------------------------------------------------


def test_a_selection_becomes_a_model_and_comes_back() -> None:
    document, ids = planned()
    chosen = [ids[name] for name in ("embedding", "lstm", "aux_output")]
    grouped, call = sharing.group(document, chosen, "reader")
    assert errors(grouped) == []
    (inner,) = (g for k, g in grouped.graphs.items() if k != grouped.main)
    assert set(inner.calls) - set(inner.inputs) == set(chosen)
    assert len(inner.inputs) == 1
    entry = grouped.entry(call)
    assert (entry.name, entry.kind) == ("reader", "Model")
    assert {e.key for e in grouped.graph.outputs} == set(grouped.plan.outputs)
    specs = analyse(grouped).specs
    key = Endpoint(call, out(ids["aux_output"]).key)
    assert key in grouped.graph.outputs
    assert str(specs[key]) == "float32(batch, 1)"
    assert saved(grouped) == grouped
    back = sharing.ungroup(grouped, call)
    assert replace(back, next_id=document.next_id) == document
    assert list(back.graph.calls) == list(document.graph.calls)


def test_what_came_from_a_call_that_is_gone_is_not_wired_when_its_model_is_spilled() -> None:
    """The wire to a port that vanished stays with the model; outside nothing has that port."""
    document, ids = planned()
    grouped, call = sharing.group(document, [ids["embedding"], ids["lstm"]], "reader")
    gone = edits.remove_calls(grouped, [ids["lstm"]])
    assert gone.graph.out_of(call)
    back = sharing.ungroup(gone, call)
    assert all({w.source, w.target} <= back.graph.calls.keys() for w in back.graph.wires)
    assert saved(back) == back


@given(documents(), st.data())
def test_ungroup_is_the_inverse_of_group(document: Document, data: st.DataObject) -> None:
    document = edits.without_unused(document)
    calls = list(document.graph.calls)
    assume(calls)
    chosen = data.draw(st.lists(st.sampled_from(calls), min_size=1, unique=True))
    try:
        grouped, call = sharing.group(document, chosen)
    except ProblemError as error:
        assume(error.problems[0].code not in ("group_empty", "group_cycle"))
        raise
    assert saved(grouped) == grouped
    again, deeper = sharing.group(grouped, [call])
    assert saved(again) == again
    assert canonical(sharing.ungroup(again, deeper)) == canonical(grouped)
    back = sharing.ungroup(grouped, call)
    assert replace(back, next_id=document.next_id) == document


def test_five_deep_and_back() -> None:
    document, ids = planned()
    deep, calls = document, [ids["dense1"]]
    for level in range(6):
        deep, call = sharing.group(deep, calls, f"level{level}")
        calls = [call]
    assert errors(deep) == []
    assert len(deep.graphs) == 7
    assert saved(deep) == deep
    for _ in range(6):
        (call,) = (c for c in deep.graph.calls if isinstance(deep.entry(c).body, Submodel))
        deep = sharing.ungroup(deep, call)
    assert replace(deep, next_id=document.next_id) == document


def test_a_path_that_leaves_and_comes_back_cannot_be_grouped() -> None:
    document, ids = planned()
    with pytest.raises(ProblemError, match="leaves the selection"):
        sharing.group(document, [ids["embedding"], ids["join"]])
    with pytest.raises(ProblemError, match="Inputs stay outside"):
        sharing.group(document, [ids["main_input"]])


def test_a_layer_shared_with_the_outside_stays_one_layer() -> None:
    d = Drawing()
    a, b = d.add("Input", shape=(4,)), d.add("Input", shape=(4,))
    one = d.add("Dense", a, units=3)
    two = d.again(one, b)
    d.output(d.add("Concatenate", one, two))
    grouped, call = sharing.group(d.document, [one])
    assert uses(grouped, d.layer_of(one)) == 2
    assert analyse(grouped).parameters(grouped.graph.calls[call].layer) == 15
    assert replace(sharing.ungroup(grouped, call), next_id=d.document.next_id) == d.document


def test_ungrouping_one_of_two_uses_keeps_the_other() -> None:
    d = Drawing()
    a, b = d.add("Input", shape=(4,)), d.add("Input", shape=(4,))
    d.output(one := d.add("Dense", d.add("Dense", a, units=3), units=2))
    before = [c for c in d.document.graph.calls if c not in (a, b)]
    document, model = sharing.group(d.document, before)
    document, twin = edits.use_layer(document, document.graph.calls[model].layer)
    ports, ends = document.ports(document.entry(model))
    document = edits.connect(document, out(b), Endpoint(twin, ports[0].name))
    document = edits.mark_output(document, Endpoint(twin, ends[0].name))
    assert errors(document) == []
    apart = sharing.ungroup(document, model)
    assert errors(apart) == []
    assert twin in apart.graph.calls
    assert len(apart.graph.outputs) == 2
    assert uses(apart, d.layer_of(one)) == 2  # still the same weights


def test_a_frozen_model_leaves_its_layers_frozen() -> None:
    document, ids = planned()
    grouped, call = sharing.group(document, [ids["dense0"], ids["dense1"]])
    model = grouped.graph.calls[call].layer
    grouped = edits.set_trainable(grouped, model, False)
    assert frozen_layers(grouped) == frozenset(within(grouped, model))
    back = sharing.ungroup(grouped, call)
    assert {back.layers[x].name for x in frozen_layers(back)} == {"dense", "dense_1"}


# -- wrappers ------------------------------------------------------------------------------------


def sequence() -> tuple[Drawing, str, str]:
    d = Drawing()
    x = d.add("Input", shape=(5, 4))
    dense = d.output(d.add("Dense", x, units=3))
    return d, x, dense


def test_wrap_and_unwrap_are_inverses() -> None:
    d, _, dense = sequence()
    wrapped = sharing.wrap(d.document, dense, TimeDistributed())
    assert errors(wrapped) == []
    assert str(analyse(wrapped).specs[out(dense)]) == "float32(batch, 5, 3)"
    assert analyse(wrapped).parameters(wrapped.graph.calls[dense].layer) == 15
    assert saved(wrapped) == wrapped
    back = sharing.unwrap(wrapped, dense)
    assert replace(back, next_id=d.document.next_id) == d.document


def test_a_model_can_be_wrapped_and_shared() -> None:
    d = Drawing()
    x = d.add("Input", shape=(4,))
    first = d.add("Dense", x, units=3)
    d.output(d.add("Dense", first, units=2))
    inner = [c for c in d.document.graph.calls if c != x]
    document, model = sharing.group(d.document, inner, "digits")
    document, video = edits.add_layer(document, layer("Input", shape=(20, 4)))
    document, wrapper = edits.add_layer(document, TimeDistributed())
    document = edits.connect(document, out(video), into(wrapper))
    document = edits.mark_output(document, out(wrapper))
    assert "is empty" in errors(document)[0]
    document = sharing.put_into(document, wrapper, document.graph.calls[model].layer)
    assert errors(document) == []
    assert str(analyse(document).specs[out(wrapper)]) == "float32(batch, 20, 2)"
    assert uses(document, document.graph.calls[model].layer) == 2
    assert saved(document) == document
    unwrapped = sharing.unwrap(document, wrapper)
    (port,), _ = unwrapped.ports(unwrapped.entry(wrapper))
    assert [w.input for w in unwrapped.graph.into(wrapper)] == [port.name]


def test_a_wrapped_model_whose_input_is_gone_is_a_problem() -> None:
    d, _, dense = sequence()
    document, model = sharing.group(d.document, [dense])
    wrapped = sharing.wrap(document, model, TimeDistributed())
    (inner,) = (g for k, g in wrapped.graphs.items() if k != wrapped.main)
    broken = edits.remove_calls(wrapped, inner.inputs)
    assert "has 0 and 1" in errors(broken)[0]
    with pytest.raises(ProblemError, match="has 0 and 1"):
        lower(broken)


def test_what_a_wrapper_cannot_hold() -> None:
    d, x, dense = sequence()
    document, wrapper = edits.add_layer(d.document, TimeDistributed())
    with pytest.raises(ProblemError, match="is an Input"):
        sharing.put_into(document, wrapper, d.layer_of(x))
    with pytest.raises(ProblemError, match="no wrapper"):
        sharing.put_into(document, dense, d.layer_of(dense))
    full = sharing.put_into(document, wrapper, d.layer_of(dense))
    with pytest.raises(ProblemError, match="inside itself"):
        sharing.put_into(full, wrapper, full.graph.calls[wrapper].layer)
    with pytest.raises(ProblemError, match="nothing inside"):
        sharing.unwrap(d.document, dense)
    new = sharing.put_new_into(full, wrapper, layer("Dense", units=7))
    body = new.entry(wrapper).body
    assert isinstance(body, Wrapped)
    assert new.layers[body.layer].body == layer("Dense", units=7)


# -- independent copies --------------------------------------------------------------------------


def test_twins_part() -> None:
    d = Drawing()
    a, b = d.add("Input", shape=(4,)), d.add("Input", shape=(4,))
    one = d.add("Dense", a, units=3, name="mine")
    two = d.again(one, b)
    document, copies = sharing.make_independent(d.document, two)
    assert copies == {d.layer_of(one): document.graph.calls[two].layer}
    assert document.entry(two).name == "mine_1"
    assert document.entry(two).body == document.entry(one).body
    assert document.graph.wires == d.document.graph.wires


def test_a_model_made_independent_shares_nothing() -> None:
    document, ids = planned()
    document, inner = sharing.group(document, [ids["dense1"]])
    document, call = sharing.group(document, [ids["dense0"], inner, ids["dense2"]])
    model = document.graph.calls[call].layer
    document, twin = edits.use_layer(document, model)
    document = edits.connect(
        document, out(ids["join"]), Endpoint(twin, document.ports(document.entry(twin))[0][0].name)
    )
    end = document.ports(document.entry(twin))[1][0].name
    document = edits.mark_output(document, Endpoint(twin, end))
    document = edits.plan_output(document, Endpoint(twin, end), loss=MeanSquaredError())
    apart, copies = sharing.make_independent(document, twin)
    assert errors(apart) == []
    assert len(copies) == len(within(document, model))
    new = apart.graph.calls[twin].layer
    assert not set(within(apart, model)) & set(within(apart, new))
    assert {e.key for e in apart.graph.outputs} == set(apart.plan.outputs)
    assert saved(apart) == apart


def test_another_document_as_a_layer() -> None:
    document, ids = planned()
    other, _ = headline(vocabulary=9)
    document, model, copier = sharing.insert(document, other)
    document, call = edits.use_layer(document, model, (3.0, 4.0))
    assert set(copier.layers) == set(other.layers)
    inputs, outputs = document.ports(document.entry(call))
    assert (len(inputs), len(outputs)) == (2, 2)
    document = edits.connect(document, out(ids["main_input"]), Endpoint(call, inputs[0].name))
    document = edits.connect(document, out(ids["aux_input"]), Endpoint(call, inputs[1].name))
    document = edits.mark_output(document, Endpoint(call, outputs[0].name))
    assert errors(document) == []
    gone = edits.remove_calls(document, [call])
    assert gone.graphs.keys() == planned()[0].graphs.keys()


def test_a_model_cannot_be_put_into_itself() -> None:
    document, ids = planned()
    document, call = sharing.group(document, [ids["dense1"]])
    entry = document.entry(call)
    assert isinstance(entry.body, Submodel)
    with pytest.raises(ProblemError, match="inside itself"):
        edits.use_layer(document, document.graph.calls[call].layer, graph=entry.body.graph)


def test_what_a_model_in_use_refuses() -> None:
    document, ids = planned()
    document, call = sharing.group(document, [ids["dense1"]])
    document, wide = edits.add_layer(document, layer("Input", shape=(9,)))
    (port,), _ = document.ports(document.entry(call))
    document = edits.connect(document, out(wide), Endpoint(call, port.name))
    (problem,) = analyse(document).at(call)
    assert problem.code == "model_input"
    assert "float32(batch, 4)" in str(problem)
    assert "float32(batch, 9)" in str(problem)


def test_what_is_wrong_inside_is_said_inside_and_at_the_model() -> None:
    document, ids = planned()
    document, call = sharing.group(document, [ids["dense1"]])
    document = edits.set_parameters(
        document, next(k for k, v in document.layers.items() if v.name == "dense_1"), units=0
    )
    assert "Inside “model”" in str(analyse(document).at(call)[0])
    assert analyse(document).at(ids["dense1"])[0].code == "parameter_min"
