"""Repairs: what is offered removes the problem and makes no error; nothing else is offered."""

from typing import Any

from studio.document import edits
from studio.document.analysis import Analysis, analyse
from studio.document.model import Document, Endpoint
from studio.document.repairs import MOST, repairs, search
from studio.problem import Problem
from tests.document.drawn import Drawing, out


def only(analysis: Analysis, code: str) -> Problem:
    (found,) = [p for p in analysis.problems if p.code == code]
    return found


def offered(document: Document, code: str) -> list[str]:
    """The texts of the repairs of the one problem of this code; each is tried."""
    known = analyse(document)
    problem = only(known, code)
    found = repairs(document, problem, known)
    assert len(found) <= MOST
    for fix in found:
        after = analyse(fix.edit(document))
        assert code not in {p.code for p in after.at(problem.where)}, str(fix)
        assert len(after.errors) < len(known.errors) or problem.severity == "warning", str(fix)
    return [str(fix) for fix in found]


class Sketch(Drawing):
    def input(self, *shape: int | None, **params: Any) -> str:
        return self.add("Input", shape=shape, **params)

    def merge(self, kind: str, *sources: str) -> str:
        call = self.add(kind)
        port = self.document.ports(self.document.entry(call))[0][0].name
        for source in sources:
            self.document = edits.connect(self.document, out(source), Endpoint(call, port))
        return self.output(call)


def test_axes_that_lack_are_made_by_reshape() -> None:
    for shape in ((28, 28), (784,)):
        d = Sketch()
        d.output(d.add("Conv2D", d.input(*shape)))
        (said,) = offered(d.document, "expects_rank")
        assert said == "Put Reshape((28, 28, 1)) between “input_layer” and “conv2d”"


def test_a_layer_between_makes_room_for_itself() -> None:
    d = Sketch()
    image = d.input(28, 28)
    conv = d.add("Conv2D", image)
    after = d.output(d.add("Flatten", conv))
    d.document = edits.move_calls(d.document, {conv: (300.0, 0.0), after: (600.0, 50.0)})
    known = analyse(d.document)
    (fix,) = repairs(d.document, only(known, "expects_rank"), known)
    graph = fix.edit(d.document).graph
    (new,) = graph.calls.keys() - d.document.graph.calls.keys()
    assert [graph.calls[c].position[0] for c in (image, new, conv, after)] == [0, 272, 544, 844]
    assert graph.calls[after].position[1] == 50


def test_the_layer_before_may_give_every_step() -> None:
    d = Sketch()
    d.output(d.add("LSTM", d.add("LSTM", d.input(7, 20))))
    assert offered(d.document, "expects_rank")[0] == "Set return_sequences = True in “lstm”"


def test_addends_are_given_the_same_size() -> None:
    d = Sketch()
    d.merge("Add", *(d.add("Dense", d.input(3), units=n) for n in (4, 5)))
    said = offered(d.document, "not_broadcastable")
    assert said[:3] == [
        "Set units = 5 in “dense”",
        "Set units = 4 in “dense_1”",
        "Put Dense(5) between “dense” and “add”",
    ]


def test_what_is_joined_is_flattened() -> None:
    d = Sketch()
    d.merge("Concatenate", d.input(3), d.input(4, 3))
    assert "Put Flatten() between “input_layer_1” and “concatenate”" in offered(
        d.document, "shapes_differ"
    )


def test_integers_before_dense_are_encoded() -> None:
    d = Sketch()
    d.output(d.add("Dense", d.input(10, dtype="int32"), units=3))
    said = offered(d.document, "expects_floats")
    kinds = ("Embedding()", "CategoryEncoding()", "Rescaling(1.0)")
    assert said == [
        "Set dtype = float32 in “input_layer”",
        *(f"Put {kind} between “input_layer” and “dense”" for kind in kinds),
    ]


def test_time_is_distributed() -> None:
    d = Sketch()
    d.output(d.add("Conv2D", d.input(10, 28, 28, 1)))
    assert offered(d.document, "expects_rank") == ["Wrap “conv2d” in TimeDistributed"]


def test_twins_that_disagree_are_parted() -> None:
    d = Sketch()
    first = d.output(d.add("Dense", d.input(3), units=2))
    d.output(d.again(first, d.input(4)))
    assert offered(d.document, "twins_disagree") == ["Give this use of “dense” a layer of its own"]


def test_what_is_missing_is_wired_to_what_nobody_reads() -> None:
    d = Sketch()
    loose = d.input(3)
    d.output(d.add("Dense"))
    assert offered(d.document, "nothing_arrives") == ["Wire “input_layer” to it"]
    assert "Wire it to “dense”" in offered(d.document, "unused")
    assert loose in d.document.graph.inputs


def test_what_nobody_reads_is_offered_though_its_shape_is_not_known_yet() -> None:
    d = Sketch()
    broken = d.add("Embedding", d.input(3), name="broken")  # takes integers
    d.add("Dense", broken, name="before")
    d.output(d.add("Dense", name="after"))
    assert offered(d.document, "nothing_arrives")[0] == "Wire “before” to it"


def test_a_merge_of_one_value_may_go() -> None:
    d = Sketch()
    merged = d.add("Add", d.add("Dense", d.input(3)))
    d.output(d.add("Dense", merged))
    assert offered(d.document, "expects_several")[-1] == (
        "Take “add” out, and let what feeds it go on"
    )


def test_a_second_wire_into_one_port_is_joined_by_a_concatenate() -> None:
    d = Sketch()
    first = d.add("Dense", d.input(3), units=2)
    last = d.output(d.add("Dense", first))
    loose = d.add("Dense", d.input(4), units=7, name="loose")
    said = offered(d.document, "unused")
    text = "Join it with “dense” before “dense_1”, by a Concatenate"
    assert said[0] == "Mark it as an output"
    assert text in said
    known = analyse(d.document)
    fixes = repairs(d.document, only(known, "unused"), known)
    (fix,) = [fix for fix in fixes if str(fix) == text]
    after = fix.edit(d.document)
    (wire,) = after.graph.into(last)
    assert after.entry(wire.source).kind == "Concatenate"
    assert [w.source for w in after.graph.into(wire.source)] == [first, loose]
    spec = analyse(after).specs[out(wire.source)]
    assert spec.shape == ("batch", 9)


def test_the_problems_own_repair_is_first_and_no_repair_is_offered_twice() -> None:
    d = Sketch()
    d.output(d.add("Conv2D", d.input(4, 4, 1), kernel_size=(5, 5)))
    assert offered(d.document, "window_too_large") == ["Set padding = same"]


def test_a_repair_that_makes_another_error_is_not_offered() -> None:
    d = Sketch()
    inner = d.add("LSTM", d.input(7, 20))
    d.output(d.add("LSTM", inner))
    d.merge("Concatenate", inner, d.input(32))  # wants the last step only
    said = offered(d.document, "expects_rank")
    assert said
    assert "Set return_sequences = True in “lstm”" not in said


def test_what_is_no_problem_of_the_model_has_its_own_repair_only() -> None:
    d = Sketch()
    d.output(d.add("Dense", d.input(3)))
    known = analyse(d.document)
    assert repairs(d.document, Problem("no_output"), known) == []
    elsewhere = Problem("expects_rank", d.document.graph.outputs[0].call)
    assert repairs(d.document, elsewhere, known) == []


def test_a_problem_of_another_document_is_not_tried_on_this_one() -> None:
    d = Sketch()
    d.output(d.add("Dense", d.input(3)))
    loose = d.add("Dense", d.input(3))
    known = analyse(d.document)
    problems = [p for p in known.problems if p.code == "unused"]
    after = edits.remove_calls(d.document, [loose, *(p.where for p in problems)])
    for problem in problems:
        assert repairs(after, problem, analyse(after)) == [problem.fix]


def test_the_search_can_be_left_alone_between_two_edits() -> None:
    d = Sketch()
    d.output(d.add("LSTM", d.add("LSTM", d.input(7, 20))))
    known = analyse(d.document)
    steps = list(search(d.document, only(known, "expects_rank"), known))
    assert None in steps
    assert len(steps) < 60


def test_wires_at_a_port_that_vanished_find_another_or_it_comes_back() -> None:
    d = Sketch()
    lstm = d.add("LSTM", d.input(7, 20), return_state=True)
    dense = d.output(d.add("Dense"))
    state = d.document.ports(d.document.entry(lstm))[1][1].name
    d.document = edits.connect(d.document, Endpoint(lstm, state), Endpoint(dense, "x"))
    d.document = edits.set_parameters(d.document, d.layer_of(lstm), return_state=False)
    assert offered(d.document, "output_port_vanished") == [
        "Set return_state = True in “lstm”",
        "Wire what was there to “output”",
    ]


def test_a_name_and_a_parameter_are_not_repaired_by_other_layers() -> None:
    d = Sketch()
    first = d.add("Dense", d.input(3), name="twice")
    d.output(d.add("Dense", first, name="twice", units=0))
    known = analyse(d.document)
    found = {p.code: repairs(d.document, p, known) for p in known.errors}
    assert {"name_twice"} < found.keys()
    for code, fixes in found.items():
        assert len(fixes) == (code == "name_twice")
