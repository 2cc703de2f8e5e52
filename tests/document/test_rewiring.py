"""Calls put onto wires, taken out of chains, replaced; random ones are in `test_edits`."""

import pytest

from studio.document import edits, look_edits, rewiring
from studio.document.analysis import analyse
from studio.document.model import Document, Endpoint, Wire
from studio.losses.regression import MeanSquaredError
from studio.problem import ProblemError
from tests.document.drawn import Drawing, headline, layer, out


def chain() -> tuple[Drawing, list[str]]:
    """input → dense → dense_1 → output, and a dropout by itself."""
    d = Drawing()
    a = d.add("Input", shape=(4,))
    b = d.add("Dense", a, units=3)
    c = d.output(d.add("Dense", b, units=2))
    return d, [a, b, c, d.add("Dropout")]


def joined(document: Document) -> set[tuple[str, str, int]]:
    return {(w.source, w.target, w.slot) for w in document.graph.wires}


def test_a_call_is_put_onto_a_wire() -> None:
    d, (a, b, c, drop) = chain()
    (wire,) = d.document.graph.out_of(b)
    document = rewiring.insert_on_wire(d.document, wire, drop)
    assert joined(document) == {(a, b, 0), (b, drop, 0), (drop, c, 0)}
    assert analyse(document).errors == []


def test_what_is_put_onto_a_wire_of_several_keeps_the_place() -> None:
    d = Drawing()
    first, second, third = (d.add("Input", shape=(n,)) for n in (1, 2, 3))
    join, dense = d.add("Concatenate", first, second, third), d.add("Dense")
    wire = d.document.graph.into(join)[1]
    document = rewiring.insert_on_wire(d.document, wire, dense)
    assert [w.source for w in document.graph.into(join)] == [first, dense, third]


def test_what_does_not_fit_on_a_wire_is_refused_with_the_reason() -> None:
    d, (_, b, *_) = chain()
    (wire,) = d.document.graph.out_of(b)
    for kind, code in (("Embedding", "expects_integers"), ("Input", "no_way_through")):
        call = d.add(kind)
        with pytest.raises(ProblemError) as caught:
            rewiring.insert_on_wire(d.document, wire, call)
        assert caught.value.problems[0].code == code


def test_a_call_pulled_out_leaves_the_chain_whole() -> None:
    d, (a, b, c, _) = chain()
    assert joined(rewiring.pulled_out(d.document, [b])) == {(a, c, 0)}
    document = rewiring.healed(d.document, [b])
    assert joined(document) == {(a, c, 0)}
    assert b not in document.graph.calls


def test_several_pulled_out_stay_wired_among_each_other() -> None:
    document, ids = headline()
    chosen = [ids["dense0"], ids["dense1"]]
    pulled = rewiring.pulled_out(document, chosen)
    wires = joined(pulled)
    assert (ids["dense0"], ids["dense1"], 0) in wires
    assert (ids["join"], ids["dense2"], 0) in wires


def test_what_does_not_fit_is_not_healed() -> None:
    document, ids = headline()  # integers would arrive at the LSTM
    assert joined(rewiring.healed(document, [ids["embedding"]])) == joined(document) - {
        (ids["main_input"], ids["embedding"], 0),
        (ids["embedding"], ids["lstm"], 0),
    }


def test_healing_keeps_the_order_of_a_port_for_many() -> None:
    d = Drawing()
    a, b = d.add("Input", shape=(2,)), d.add("Input", shape=(2,))
    middle = d.add("Dropout", a)
    join = d.add("Concatenate", middle, b)
    document = rewiring.healed(d.document, [middle])
    assert [w.source for w in document.graph.into(join)] == [a, b]


def test_a_port_for_many_takes_all_that_a_merge_had() -> None:
    d = Drawing()
    a, b, c, e = (d.add("Input", shape=(2,)) for _ in range(4))
    middle = d.add("Concatenate", a, b)
    join = d.add("Concatenate", c, middle, e)
    document = rewiring.healed(d.document, [middle])
    assert [w.source for w in document.graph.into(join)] == [c, a, b, e]
    assert rewiring.unread(d.document, document) == []


def test_several_merges_healed_at_once_keep_the_order() -> None:
    d = Drawing()
    ins = [d.add("Input", shape=(2,)) for _ in range(4)]
    merges = [d.add("Concatenate", *ins[:2]), d.add("Concatenate", *ins[2:])]
    join = d.add("Concatenate", *merges)
    document = rewiring.healed(d.document, merges)
    assert [w.source for w in document.graph.into(join)] == ins


def test_what_a_healed_gap_leaves_unread_is_known() -> None:
    d = Drawing()
    a, b = d.add("Input", shape=(2,)), d.add("Input", shape=(2,))
    middle = d.add("Concatenate", a, b)
    dense = d.add("Dense", middle, units=3)
    document = rewiring.healed(d.document, [middle])
    assert joined(document) == {(a, dense, 0)}
    assert rewiring.unread(d.document, document) == [out(b)]


def test_bends_stay_with_what_takes_the_place_of_their_wire() -> None:
    d, (_, b, c, drop) = chain()
    (wire,) = d.document.graph.out_of(b)
    bent = look_edits.bend(d.document, {wire: [(1, 2), (3, 4), (5, 6)]})
    document = rewiring.insert_on_wire(bent, wire, drop, 1)
    led = {(w.source, w.target): p for w, p in document.graph.looks.bends.items()}
    assert led == {(b, drop): ((1, 2),), (drop, c): ((3, 4), (5, 6))}
    healed = rewiring.healed(document, [drop])
    assert healed.graph.looks.bends == bent.graph.looks.bends


def test_a_layer_is_replaced_in_its_place() -> None:
    document, ids = headline()
    body = layer("GRU")
    replaced = rewiring.replace_layer(document, ids["lstm"], body)
    entry = replaced.entry(ids["lstm"])
    assert (entry.kind, entry.name) == ("GRU", "gru")
    assert entry.body.units == 3  # as the LSTM had
    assert joined(replaced) == joined(document)
    assert analyse(replaced).errors == []


def test_a_name_somebody_gave_stays_and_so_does_the_output() -> None:
    document, ids = headline()
    end = out(ids["aux_output"])
    document = edits.plan_output(document, end, loss=MeanSquaredError(), weight=0.2)
    replaced = rewiring.replace_layer(document, end.call, layer("Dropout"))
    assert replaced.entry(end.call).name == "aux_output"
    assert end in replaced.graph.outputs
    assert replaced.plan.outputs[end.key].weight == 0.2


def test_the_plan_follows_an_output_whose_port_is_called_otherwise() -> None:
    d = Drawing()
    text = d.add("Input", shape=(4, 2))
    lstm = d.add("LSTM", text, units=2, return_state=True)
    end = Endpoint(lstm, "state_h") if ("state_h" in ports(d.document, lstm)) else None
    end = end or Endpoint(lstm, ports(d.document, lstm)[0])
    document = edits.plan_output(edits.mark_output(d.document, end), end, weight=3.0)
    replaced = rewiring.replace_layer(document, lstm, layer("Dense"))
    (now,) = replaced.graph.outputs
    assert replaced.plan.outputs[now.key].weight == 3.0


def ports(document: Document, call: str) -> list[str]:
    return [p.name for p in document.ports(document.entry(call))[1]]


def test_a_twin_that_is_replaced_leaves_the_other_its_layer() -> None:
    d = Drawing()
    a = d.add("Input", shape=(2,))
    first = d.add("Dense", a, units=5)
    second = d.again(first, a)
    replaced = rewiring.replace_layer(d.document, second, layer("Dropout"))
    assert [replaced.entry(c).kind for c in (first, second)] == ["Dense", "Dropout"]


def test_many_wires_at_a_port_for_one_go_but_the_first() -> None:
    d = Drawing()
    a, b = d.add("Input", shape=(2,)), d.add("Input", shape=(2,))
    join = d.add("Add", a, b)
    replaced = rewiring.replace_layer(d.document, join, layer("Dense"))
    assert joined(replaced) == {(a, join, 0)}
    again = rewiring.replace_layer(d.document, join, layer("Concatenate"))
    assert joined(again) == {(a, join, 0), (b, join, 1)}


def test_wires_of_ports_in_a_row_go_to_a_port_for_many() -> None:
    d = Drawing()
    a, b = d.add("Input", shape=(3, 2)), d.add("Input", shape=(3, 2))
    attention = d.add("Attention")
    names = [p.name for p in d.document.ports(d.document.entry(attention))[0]][:2]
    for source, name in zip((a, b), names, strict=True):
        d.document = edits.connect(d.document, out(source), Endpoint(attention, name))
    replaced = rewiring.replace_layer(d.document, attention, layer("Concatenate"))
    assert {w for w in replaced.graph.wires if w.target == attention} == {
        Wire(a, "output", attention, "x", 0),
        Wire(b, "output", attention, "x", 1),
    }
