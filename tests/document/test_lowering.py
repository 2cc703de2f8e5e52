"""From calls to operators."""

from dataclasses import replace

import numpy as np
import pytest

from studio.document import edits
from studio.document.analysis import analyse
from studio.document.lowering import lower
from studio.document.model import CallId, Document, Endpoint, Wire
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.program import Spec
from studio.problem import ProblemError
from tests.document.drawn import Drawing, headline, layer, out
from tests.document.test_analysis import nested


def run(document: Document, feeds: dict[str, np.ndarray]) -> dict[Endpoint, np.ndarray]:
    lowered = lower(document)
    program = lowered.op.program(list(lowered.outputs.values()))
    executor = NumpyExecutor(program)
    rng = np.random.default_rng(0)
    executor.load({n: rng.normal(size=v.weight.shape) for n, v in lowered.variables.items()})
    found = executor.run(feeds)
    return {end: found[v.name] for end, v in lowered.outputs.items()}


def test_inputs_and_outputs_are_the_models() -> None:
    document, ids = headline()
    lowered = lower(document)
    assert list(lowered.inputs) == [ids["main_input"], ids["aux_input"]]
    assert [v.name for v in lowered.inputs.values()] == ["main_input", "aux_input"]
    assert list(lowered.outputs) == [out(ids["aux_output"]), out(ids["main_output"])]
    assert all(v.spec == Spec("float32", ("batch", 1)) for v in lowered.outputs.values())


def test_it_agrees_with_the_analysis() -> None:
    document, _ = headline()
    analysis = analyse(document)
    for end, value in lower(document).outputs.items():
        assert analysis.specs[end] == value.spec


def test_nodes_carry_the_call_they_come_from() -> None:
    document, ids = headline()
    nodes = lower(document).op.nodes
    assert {n.source for n in nodes} <= set(document.graph.calls)
    (lstm,) = (n for n in nodes if n.op == "LSTM")
    assert lstm.source == ids["lstm"]
    assert lstm.outputs[0].startswith("lstm/")


def test_what_no_output_needs_is_not_lowered() -> None:
    document, ids = headline()
    document = edits.unmark_output(document, out(ids["main_output"]))
    lowered = lower(document)
    assert {v.layer for v in lowered.variables.values()} == {
        document.graph.calls[ids[name]].layer for name in ("embedding", "lstm", "aux_output")
    }


@pytest.mark.parametrize("cut", ["main_input", "embedding", "lstm"])
def test_a_call_nothing_is_wired_to_is_refused_as_the_analysis_does(cut: str) -> None:
    document, ids = headline()
    document = edits.remove_calls(document, [ids[cut]])
    with pytest.raises(ProblemError) as refused:
        lower(document)
    assert set(map(str, refused.value.problems)) <= set(map(str, analyse(document).errors))
    assert refused.value.problems[0].code == "nothing_arrives"


def test_a_cycle_is_refused() -> None:
    d = Drawing()
    x = d.add("Input", shape=(4,))
    joined = d.add("Concatenate", x)
    dense = d.add("Dense", joined, units=4)
    d.output(dense)
    (port,) = d.document.ports(d.document.entry(joined))[0]
    wires = d.document.graph.wires | {Wire(dense, "output", joined, port.name, 1)}
    graph = replace(d.document.graph, wires=frozenset(wires))
    looped = replace(d.document, graphs={**d.document.graphs, d.document.main: graph})
    with pytest.raises(ProblemError) as refused:
        lower(looped)
    assert refused.value.problems[0].code == "cycle"


def test_twins_share_their_weights() -> None:
    d = Drawing()
    a, b = d.add("Input", shape=(4,)), d.add("Input", shape=(4,))
    first = d.add("Dense", a, units=2)
    d.output(first)
    d.output(d.again(first, b))
    assert len(lower(d.document).variables) == 2
    x = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)
    left, right = run(d.document, {"input_layer": x, "input_layer_1": x}).values()
    np.testing.assert_array_equal(left, right)


def test_two_layers_of_one_name_keep_their_weights_apart() -> None:
    d = Drawing()
    x = d.add("Input", shape=(4,))
    d.output(d.add("Dense", x, name="same", units=2))
    d.output(d.add("Dense", x, name="same", units=3))
    assert len(lower(d.document).variables) == 4


def test_frozen_layers_are_not_trainable() -> None:
    document, ids = headline()
    lstm = document.graph.calls[ids["lstm"]].layer
    document = edits.set_trainable(document, lstm, False)
    found = lower(document).variables.values()
    assert {v.layer for v in found if not v.trainable} == {lstm}


def test_an_input_may_be_an_output() -> None:
    d = Drawing()
    x = d.output(d.add("Input", shape=(4,)))
    (found,) = run(d.document, {"input_layer": np.ones((2, 4), np.float32)}).values()
    assert found.shape == (2, 4)
    assert x


def test_one_value_may_be_two_outputs() -> None:
    d = Drawing()
    x = d.output(d.add("Input", shape=(4,)))
    d.output(d.add("Dropout", x))
    found = run(d.document, {"input_layer": np.ones((2, 4), np.float32)})
    assert [a.shape for a in found.values()] == [(2, 4), (2, 4)]


def test_dropout_draws_by_the_call() -> None:
    d = Drawing()
    x = d.add("Input", shape=(4,))
    first = d.add("Dropout", x, rate=0.5)
    second = d.output(d.again(first, first))
    draws = lower(d.document, training=True).op.draws
    assert draws == {f"noise/{first}/0": (first, 0), f"noise/{second}/0": (second, 0)}
    assert lower(d.document).op.draws == {}


def test_a_problem_is_raised_at_its_call() -> None:
    d = Drawing()
    embedding = d.output(d.add("Embedding", d.add("Input", shape=(4,))))
    with pytest.raises(ProblemError) as caught:
        lower(d.document)
    problem = caught.value.problems[0]
    assert (problem.code, problem.where) == ("expects_integers", embedding)


def test_a_model_as_a_layer() -> None:
    """Its weights are those of the layers inside, its inputs go where their names say."""
    document, ids = headline()
    alone = run(
        document,
        feeds := {
            "main_input": np.arange(12, dtype=np.int32).reshape(2, 6),
            "aux_input": np.ones((2, 5), np.float32),
        },
    )
    outer, call = nested(document)
    outer, numbers = edits.add_layer(outer, layer("Input", shape=(5,)), name="numbers")
    outer, text = edits.add_layer(outer, layer("Input", shape=(6,), dtype="int32"), name="text")
    outer = edits.connect(outer, out(numbers), Endpoint(call, ids["aux_input"]))
    outer = edits.connect(outer, out(text), Endpoint(call, ids["main_input"]))
    for end in document.graph.outputs:
        outer = edits.mark_output(outer, Endpoint(call, end.key))
    found = run(outer, {"numbers": feeds["aux_input"], "text": feeds["main_input"]})
    for inside, array in zip(alone.values(), found.values(), strict=True):
        np.testing.assert_array_equal(inside, array)


def called(drawn: Document) -> tuple[Document, CallId]:
    """A model that only calls another: inputs and outputs are those of the call."""
    document, model = nested(drawn)
    for number, port in enumerate(document.ports(document.entry(model))[0]):
        source = drawn.entry(drawn.graph.inputs[number]).body
        document, call = edits.add_layer(document, source)
        document = edits.connect(document, out(call), Endpoint(model, port.name))
    for port in document.ports(document.entry(model))[1]:
        document = edits.mark_output(document, Endpoint(model, port.name))
    return document, model


def test_every_value_that_leaves_a_port_is_told_by_its_path() -> None:
    drawn, _ = headline()
    document, model = called(drawn)
    lowered = lower(document)
    for end, value in lowered.outputs.items():
        assert lowered.values[(end.call,), end.port] == value
    inside = {path for path, _ in lowered.values if len(path) == 2}
    assert inside == {(model, call) for call in drawn.graph.calls}


def test_each_node_lies_in_the_span_of_its_call() -> None:
    drawn, _ = headline()
    document, model = called(drawn)
    lowered = lower(document)
    for number, node in enumerate(lowered.op.nodes):
        around = [path for first, end, path in lowered.spans if first <= number < end]
        assert max(around, key=len)[-1] == node.source
        assert all(path[0] == model for path in around)
    homes = {name: path[-1] for name, path in lowered.homes.items()}
    assert homes.keys() == lowered.variables.keys()
    for name, call in homes.items():
        assert drawn.graph.calls[call].layer == lowered.variables[name].layer


def test_each_use_of_a_shared_weight_is_apart_where_that_is_asked() -> None:
    d = Drawing()
    x, y = d.add("Input", shape=(3,)), d.add("Input", shape=(3,))
    first = d.add("Dense", x, units=2)
    second = d.again(first, y)
    d.output(d.add("Concatenate", first, second))
    lowered = lower(d.document, apart=True)
    assert set(lowered.uses) == {((c,), w) for c in (first, second) for w in ("kernel", "bias")}
    for (_, weight), use in lowered.uses.items():
        assert lowered.variables[use.variable].weight.name == weight
    assert len({use.value for use in lowered.uses.values()}) == 4
    assert lower(d.document).uses == {}


def test_frozen_weights_are_not_used_apart() -> None:
    d = Drawing()
    dense = d.add("Dense", d.add("Input", shape=(3,)), units=2)
    d.output(dense)
    document = edits.set_trainable(d.document, d.document.graph.calls[dense].layer, False)
    assert lower(document, apart=True).uses == {}
