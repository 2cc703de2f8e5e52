"""Graphs and documents as values."""

import pickle
import random

from hypothesis import given
from hypothesis import strategies as st

from studio.document.model import (
    Call,
    Document,
    Endpoint,
    Graph,
    LayerEntry,
    Submodel,
    Unknown,
    Wire,
)
from tests.document.drawn import Drawing, headline, layer


def test_an_endpoint_survives_its_key() -> None:
    end = Endpoint("c3", "output")
    assert Endpoint.parse(end.key) == end
    nested = Endpoint("c3", "c1.output")  # a submodel's port is named after an endpoint
    assert nested.key == "c3.c1.output"


def test_wires_in_and_out() -> None:
    document, ids = headline()
    graph = document.graph
    assert [w.source for w in graph.into(ids["join"])] == [ids["lstm"], ids["aux_input"]]
    assert graph.into(ids["join"], "nothing") == []
    assert {w.target for w in graph.out_of(ids["lstm"])} == {ids["aux_output"], ids["join"]}
    assert graph.into("nobody") == graph.out_of("nobody") == []


def test_order_is_after_what_is_read_and_as_made_among_equals() -> None:
    document, ids = headline()
    order = document.graph.order()
    assert set(order) == set(document.graph.calls)
    assert all(order.index(w.source) < order.index(w.target) for w in document.graph.wires)
    assert order[0] == ids["main_input"]


@given(st.randoms())
def test_order_does_not_depend_on_the_order_of_wires(rng: random.Random) -> None:
    wires = [
        Wire(f"c{i}", "output", f"c{j}", "x", i)
        for j in range(8)
        for i in range(j)
        if j - i in (1, 3)
    ]
    calls = {f"c{i}": Call("l1") for i in range(8)}
    shuffled = rng.sample(wires, len(wires))
    assert Graph(calls=calls, wires=frozenset(shuffled)).order() == list(calls)


def test_a_cycle_is_left_out_of_the_order() -> None:
    calls = {c: Call("l1") for c in ("a", "b", "c", "d")}
    wires = {
        Wire("a", "output", "b", "x"),
        Wire("b", "output", "c", "x"),
        Wire("c", "output", "b", "x", 1),
    }
    graph = Graph(calls=calls, wires=frozenset(wires))
    assert graph.order() == ["a", "d"]
    assert graph.every_call() == ["a", "d", "b", "c"]


def test_graphs_are_equal_and_travel_whatever_was_asked_of_them() -> None:
    first, _ = headline()
    second, _ = headline()
    first.graph.order()
    assert first == second
    assert pickle.loads(pickle.dumps(first)) == second


def test_ports_are_a_function_of_the_layer() -> None:
    document, _ = headline()
    inner = document.main
    model = LayerEntry(Submodel(inner), "inner")
    ins, outs = document.ports(model)
    assert [p.name for p in ins] == list(document.graph.inputs)
    assert [p.name for p in outs] == [e.key for e in document.graph.outputs]
    assert document.ports(LayerEntry(Unknown("Capsule"), "x")) == ((), ())
    assert [p.many for p in document.ports(LayerEntry(layer("Concatenate"), "x"))[0]] == [True]


def test_kinds() -> None:
    assert LayerEntry(layer("Dense"), "x").kind == "Dense"
    assert LayerEntry(Submodel("g2"), "x").kind == "Model"
    assert LayerEntry(Unknown("Capsule"), "x").kind == "Capsule"


def test_all_calls_of_all_graphs() -> None:
    d = Drawing()
    a = d.add("Dense")
    assert [(g, c) for g, c, _ in d.document.calls()] == [("g1", a)]
    assert list(Document().calls()) == []
