import copy
import json
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.declare import registry
from studio.document import look_edits
from studio.document.analysis import analyse
from studio.document.looks import Frame
from studio.document.model import Document, Unknown
from studio.formats import document_json
from studio.formats.document_json import from_json, to_json
from studio.formats.strict_json import dumps, loads
from studio.problem import ProblemError
from tests.formats.documents import documents, json_values
from tests.formats.examples import two_outputs


def refused(value):
    with pytest.raises(ProblemError) as caught:
        from_json(value, "p.loom")
    (problem,) = caught.value.problems
    assert problem.code == "file_problem"
    assert problem.args["file"] == "p.loom"
    assert str(problem.args["reason"]) in str(problem)
    assert "problems." not in str(problem)
    return problem


@given(documents())
def test_what_is_written_is_read_back(document):
    data = dumps(to_json(document))
    again = from_json(loads(data))
    assert again == document
    assert dumps(to_json(again)) == data
    for graph, other in zip(document.graphs.values(), again.graphs.values(), strict=True):
        assert list(graph.calls) == list(other.calls)  # the order breaks ties between ready calls


def test_moving_a_node_changes_nothing_but_the_positions():
    value = to_json(two_outputs().document)
    assert value.pop("positions").keys() == {"g1"}
    assert "position" not in json.dumps(value)


def test_what_only_looks_stands_apart():
    document = two_outputs().document
    document = look_edits.collapse(document, document.graph.calls)
    document, _ = look_edits.add_frame(document, Frame((0, 0, 90, 90), "a title"))
    wire = min(document.graph.wires)
    document = look_edits.bend(document, {wire: [(1.5, 2.0)]})
    document = look_edits.pin(document, {wire.start: (8, 90)})
    value = to_json(document)
    assert from_json(value) == document
    assert value.pop("looks").keys() == {"g1"}
    value.pop("next_id")
    plain = to_json(two_outputs().document)
    assert value == {name: plain[name] for name in value}


def test_format_1_is_brought_up_to_date():
    value = to_json(two_outputs().document)
    old = {**value, "format": 1}
    del old["looks"]
    old["graphs"] = [{k: v for k, v in g.items() if k != "muted"} for g in value["graphs"]]
    assert from_json(old) == two_outputs().document


def test_a_kind_of_a_later_version_is_kept():
    value = to_json(two_outputs().document)
    layer = next(v for v in value["layers"] if v.get("kind") == "Dense")
    layer["kind"], layer["config"] = "Holographic", {"units": [1, {"deep": None}]}
    document = from_json(value)
    assert document.layers[layer["id"]].kind == "Holographic"
    assert to_json(document) == value


def test_a_name_that_is_missing_takes_its_default():
    value = to_json(two_outputs().document)
    del value["plan"]["run"]
    del value["layers"][0]["trainable"]
    assert from_json(value) == two_outputs().document


FRAME = {"id": "f1", "rect": [0, 0, 9, 9], "title": "t", "colour": "grey"}


def looks(value):
    return value["looks"].setdefault("g1", {})


def edited(change):
    value = copy.deepcopy(to_json(two_outputs().document))
    change(value)
    return value


# What is done to the file, the place and the reason that must be named.
DAMAGE = [
    (lambda v: v.pop("main"), "document.json", "missing"),
    (lambda v: v.update(main="g7"), "document.json.main", "no_such"),
    (lambda v: v.update(main=None), "document.json.main", "expected"),
    (lambda v: v.update(extra=1), "document.json", "unknown_name"),
    (lambda v: v.update(format=5), "document.json.format", "too_new"),
    (lambda v: v.update(format=0), "document.json.format", "expected"),
    (lambda v: v.update(format=True), "document.json.format", "expected"),
    (lambda v: v.update(next_id=3), "document.json.layers[1].id", "next_id"),
    (lambda v: v["layers"][1].update(id="../x"), "document.json.layers[1].id", "expected"),
    (lambda v: v["layers"].append(v["layers"][0]), "document.json", "twice"),
    (lambda v: v["layers"][0]["config"].update(shape=[1.5]), None, "expected"),
    (lambda v: v["layers"][0]["config"].update(shape={"a": 1}), None, "expected"),
    (lambda v: v["layers"][0]["config"].update(dtype=["int32"]), None, "expected"),
    (lambda v: v["layers"][0]["config"].update(nothing=1), None, None),
    (lambda v: v["layers"][0].update(graph="g1"), None, "unknown_name"),
    (lambda v: v["graphs"][0]["calls"].append(["c2", "l2"]), None, "twice"),
    (lambda v: v["graphs"][0]["calls"].append(["c1", "l99"]), None, "no_such"),
    (lambda v: v["graphs"][0]["inputs"].pop(), None, "inputs"),
    (lambda v: v["graphs"][0]["inputs"].append("c3"), None, "inputs"),
    (lambda v: v["graphs"][0]["outputs"].append(["c99", "output"]), None, "no_such"),
    (lambda v: v["graphs"][0]["outputs"].append(["c9", "output"]), None, "twice"),
    (lambda v: v["graphs"][0]["wires"].append(["c9", "output", "c3", "x", 1]), None, "ports"),
    (lambda v: v["graphs"][0]["wires"].append(["c9", "output", "c7", "x", 2]), None, "cycle"),
    (lambda v: v["graphs"][0]["wires"].append(["c9", "output", "c7", "x", 7]), None, "ports"),
    (lambda v: v["graphs"][0]["wires"].append(v["graphs"][0]["wires"][0]), None, "twice"),
    (lambda v: v["graphs"][0]["wires"][0].pop(), None, "expected"),
    (lambda v: v["plan"]["outputs"]["c9.output"].update(loss={"kind": "Nope"}), None, None),
    (lambda v: v["plan"]["data"].update(source={"kind": "TableSource"}), None, "missing"),
    (lambda v: v["plan"]["data"].update(source={"kind": "Popen"}), None, "unknown_name"),
    (lambda v: v["plan"]["data"]["split"].update(kind="eval"), None, "expected"),
    (lambda v: v["positions"]["g1"].update(c2=[1]), "document.json.positions.g1.c2", "expected"),
    (lambda v: v["graphs"][0]["muted"].append("c2"), None, "muted_input"),
    (lambda v: v["graphs"][0]["muted"].append("c99"), None, "no_such"),
    (lambda v: v["looks"].update(g7={}), "document.json.looks", "no_such"),
    (lambda v: looks(v).update(collapsed=["c99"]), "document.json.looks.g1.collapsed", "no_such"),
    (lambda v: looks(v).update(scripts=[]), "document.json.looks.g1", "unknown_name"),
    (lambda v: looks(v).update(frames=[FRAME, FRAME]), None, "twice"),
    (lambda v: looks(v).update(frames=[{**FRAME, "id": "c2"}]), None, "twice"),
    (lambda v: looks(v).update(frames=[{**FRAME, "id": "f99"}]), None, "next_id"),
    (lambda v: looks(v).update(frames=[{**FRAME, "id": "../f"}]), None, "expected"),
    (lambda v: looks(v).update(frames=[{**FRAME, "rect": [0, 0, -1, 5]}]), None, "expected"),
    (lambda v: looks(v).update(frames=[{**FRAME, "colour": "puce"}]), None, "expected"),
    (lambda v: looks(v).update(notes=[{"id": "n1", "rect": [0, 0, 5]}]), None, "expected"),
    (
        lambda v: looks(v).update(bends=[[["c2", "output", "c9", "x", 0], [[1, 2]]]]),
        None,
        "no_such",
    ),
    (lambda v: looks(v).update(bends=[[v["graphs"][0]["wires"][0], []]]), None, "expected"),
    (lambda v: looks(v).update(bends=[[v["graphs"][0]["wires"][0], [[1]]]]), None, "expected"),
    (lambda v: looks(v).update(probes=[["c99", "output", [0, 0]]]), None, "no_such"),
    (lambda v: looks(v).update(probes=[["c2", "output", [0, 0]]] * 2), None, "twice"),
    (lambda v: looks(v).update(probes=[["c2", "output", [0]]]), None, "expected"),
    (lambda v: looks(v).update(probes=[["c2", "output", [0, 0]]] * 1001), None, "too_many"),
]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda config: config.update(units="many"), "reason_expected"),
        (lambda config: config.update(quantize=8), "unknown_parameter"),
        (lambda config: config.update(kernel_initializer="os"), "reason_expected"),
        (lambda config: config.update(kernel_initializer={}), "reason_missing"),
        (lambda config: config["kernel_initializer"].update(kind="os"), "unknown_kind"),
        (lambda config: config["kernel_initializer"].update(zzz=1), "unknown_parameter"),
    ],
)
def test_a_layer_that_is_not_as_it_is_known_here_stays_as_it_is(change, reason):
    value = to_json(two_outputs().document)
    layer = next(v for v in value["layers"] if v.get("kind") == "Dense")
    change(layer["config"])
    document = from_json(value)
    assert isinstance(document.layers[layer["id"]].body, Unknown)
    assert to_json(document) == value
    (problem,) = [p for p in analyse(document).problems if p.code == "unknown_config"]
    assert problem.args["reason"].code == reason
    assert str(problem.args["reason"]) in str(problem)
    assert "problems." not in str(problem)


@pytest.mark.parametrize("case", DAMAGE, ids=range(len(DAMAGE)))
def test_damage_is_one_problem_that_names_place_and_reason(case):
    change, place, code = case
    problem = refused(edited(change))
    if place:
        assert problem.args["place"] == place
    if code:
        assert problem.args["reason"].code == f"reason_{code}"


def places(value, path=()):
    yield path
    if isinstance(value, dict | list):
        for key, below in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(below, (*path, key))


WHOLE = to_json(two_outputs().document)
PLACES = list(places(WHOLE))


def read(value):
    """The document; None where it is refused, which must be by that one kind of problem."""
    try:
        return from_json(value)
    except ProblemError as error:
        return None if error.problems[0].code == "file_problem" else pytest.fail(str(error))


@settings(max_examples=400)
@given(st.sampled_from(PLACES[1:]), json_values, st.booleans())
def test_any_value_anywhere_is_read_or_refused_as_a_problem(path, value, remove):
    whole = copy.deepcopy(WHOLE)
    target = whole
    for key in path[:-1]:
        target = target[key]
    if remove:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    document = read(whole)
    assert document is None or from_json(loads(dumps(to_json(document)))) == document


@given(json_values)
def test_any_value_at_all_is_refused_as_a_problem(value):
    refused(value)


def test_too_many_calls_and_wires_are_refused():
    many = [[f"c{i}", "l2"] for i in range(10, 10_010)]
    value = edited(lambda v: v["graphs"][0]["calls"].extend(many))
    assert refused(value).args["reason"].code == "reason_too_many"


def test_a_model_inside_itself_is_refused():
    value = edited(lambda v: v["layers"].append({"id": "l1", "name": "m", "graph": "g1"}))
    value["graphs"][0]["calls"].append(["c1", "l1"])
    assert refused(value).args["reason"].code == "reason_cycle"


def test_old_formats_are_upgraded_in_turn():
    steps = {
        -1: lambda v: {**v, "main": v["main"] + "1"},
        0: lambda v: {**v, "layers": [], "format": 1},
    }
    value = {**to_json(Document()), "format": -1, "main": "g"}
    with mock.patch.dict(document_json.UPGRADES, steps):
        assert from_json(value) == Document()


def test_no_registered_kind_can_be_taken_for_an_unknown_one():
    assert "Model" not in registry("layers")
