"""What is offered is what a wire would be accepted for: the quick answer against the whole one."""

import pytest

from studio.document import edits, sharing
from studio.document.analysis import analyse, why_not
from studio.document.model import Endpoint
from studio.document.offers import fitting_after, fitting_before, replacements, would_take
from studio.layers import CATALOGUE, FROM_FILES
from tests.document.drawn import Drawing, headline, into, layer, out

KINDS = [kind for kind in CATALOGUE if kind not in FROM_FILES]
STARTS = ("main_input", "embedding", "lstm", "aux_input", "main_output")


@pytest.mark.parametrize("name", STARTS)
def test_after_a_port_exactly_those_are_offered_whose_wire_is_accepted(name: str) -> None:
    document, ids = headline()
    start, known = out(ids[name]), analyse(document)
    offered = fitting_after(known, start)
    for kind in KINDS:
        trial, call = edits.add_layer(document, layer(kind))
        takes = trial.ports(trial.entry(call))[0]
        several = len([p for p in takes if not p.optional]) > 1
        if not takes or several:  # of two inputs one alone is never refused
            continue
        accepted = why_not(trial, start, Endpoint(call, takes[0].name)) is None
        merges = takes[0].many
        assert (kind in offered) == accepted or merges or kind == "TimeDistributed", kind


def test_nothing_is_known_of_what_an_unwired_layer_gives() -> None:
    d = Drawing()
    start = out(d.add("Dense"))
    offered = fitting_after(analyse(d.document), start)
    assert set(offered) == {k for k in KINDS if layer(k).inputs()}


@pytest.mark.parametrize("kind", ["Embedding", "LSTM", "Conv2D", "Dense"])
def test_before_a_port_something_is_offered_that_really_fits(kind: str) -> None:
    d = Drawing()
    end = into(d.add(kind))
    offered = fitting_before(d.document, end)
    assert "Input" in offered
    document, call = edits.add_layer(d.document, offered["Input"])
    assert why_not(document, out(call), end) is None
    connected = edits.connect(document, out(call), end)
    assert end.call not in {p.where for p in analyse(connected).errors}


def test_before_integers_no_floats_are_offered() -> None:
    d = Drawing()
    end = into(d.add("Embedding"))
    offered = fitting_before(d.document, end)
    assert offered["Input"] == layer("Input", shape=(10,), dtype="int32")
    assert not {"Dense", "LSTM", "Embedding"} & set(offered)


def test_a_model_takes_what_its_input_takes() -> None:
    document, ids = headline()
    document, call = sharing.group(document, [ids["embedding"], ids["lstm"]], "reader")
    port = document.ports(document.entry(call))[0][0].name
    offered = fitting_before(document, Endpoint(call, port))
    assert "Discretization" in offered
    assert "Dense" not in offered


def test_replacements_take_what_arrives_and_inputs_have_none() -> None:
    document, ids = headline()
    known = analyse(document)
    assert replacements(document, known, ids["main_input"]) == {}
    offered = set(replacements(document, known, ids["lstm"]))
    assert {"GRU", "Flatten", "Dense", "Conv1D"} <= offered
    assert not {"LSTM", "Embedding", "Conv2D", "Input"} & offered


def test_every_port_is_judged_as_a_wire_would_be() -> None:
    document, ids = headline()
    known = analyse(document)
    for start in ids.values():
        for end in ids.values():
            ports = [p.name for p in document.ports(document.entry(end))[0]]
            for port in ports:
                if edits.reaches(document.graph, end, start):
                    continue
                goal = Endpoint(end, port)
                accepted = why_not(document, out(start), goal, known) is None
                assert would_take(document, known, out(start), goal) == accepted, (start, goal)
