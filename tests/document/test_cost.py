"""Costs against formulas worked out by hand, and what an edit counts anew."""

from typing import Any

import pytest

from studio.declare import clear_session
from studio.document import edits
from studio.document.analysis import analyse
from studio.document.cost import Cost, Costs, total
from studio.document.lowering import lower
from studio.document.model import Document
from studio.document.muting import mute, needed
from studio.document.sharing import group, wrap
from studio.engine.work import multiplications
from studio.examples import EXAMPLES
from studio.layers.time_distributed import TimeDistributed
from tests.document.drawn import Drawing
from tests.test_random_models import Inventor
from tests.work import calls_in


def counted(document: Document, length: int = 100, before: Costs | None = None) -> Costs:
    return Costs(document, analyse(document), length, before)


def cost(shape: tuple[int | None, ...], kind: str, length: int = 100, **params: Any) -> Cost:
    d = Drawing()
    call = d.add(kind, d.add("Input", shape=shape), **params)
    return counted(d.document, length).calls()[call]


def test_dense() -> None:
    assert cost((20,), "Dense", units=5) == Cost(2 * 20 * 5, 4 * 5)
    assert cost((7, 20), "Dense", units=5) == Cost(7 * 2 * 20 * 5, 4 * 7 * 5)


def test_conv2d() -> None:
    places = 26 * 26
    found = cost((28, 28, 3), "Conv2D", filters=8, kernel_size=(3, 3))
    assert found == Cost(2 * places * 8 * 3 * 3 * 3, 4 * places * 8)
    strided = cost((28, 28, 3), "Conv2D", filters=8, kernel_size=(3, 3), strides=(2, 2))
    assert strided == Cost(2 * 13 * 13 * 8 * 3 * 3 * 3, 4 * 13 * 13 * 8)
    depthwise = cost((28, 28, 3), "DepthwiseConv2D", kernel_size=(3, 3), depth_multiplier=2)
    assert depthwise == Cost(2 * places * 6 * 3 * 3, 4 * places * 6)


def test_lstm() -> None:
    steps = 10 * 2 * (4 * 6 * 3 + 4 * 6 * 6)
    assert cost((10, 3), "LSTM", units=6) == Cost(steps, 4 * 6)
    assert cost((10, 3), "LSTM", units=6, return_sequences=True) == Cost(steps, 4 * 10 * 6)
    both = cost((10, 3), "Bidirectional", layer={"kind": "LSTM", "units": 6})
    assert both == Cost(2 * steps, 4 * 12)


@pytest.mark.parametrize("length", [9, 50])
def test_an_open_size_counts_as_the_length_chosen_also_after_a_window(length: int) -> None:
    found = cost((None, 3), "Conv1D", length, filters=4, kernel_size=(5,))
    places = length - 4
    assert found == Cost(2 * places * 4 * 5 * 3, 4 * places * 4)


def test_whether_something_is_open() -> None:
    d = Drawing()
    d.add("Input", shape=(None, 3))
    assert counted(d.document).open
    assert not counted(EXAMPLES["headline"]()).open


def test_what_is_no_product_costs_memory_only() -> None:
    assert cost((10,), "Activation", activation="relu") == Cost(0, 40)
    d = Drawing()
    tokens = d.add("Input", shape=(12,), dtype="int32")
    assert counted(d.document).calls()[tokens] == Cost(0, 48)


def test_a_call_with_a_problem_costs_nothing_that_is_known() -> None:
    d = Drawing()
    call = d.add("LSTM", d.add("Input", shape=(4,)))
    assert call not in counted(d.document).calls()


def test_each_step_of_a_wrapper_counts() -> None:
    d = Drawing()
    call = d.add("Dense", d.add("Input", shape=(7, 20)), units=5)
    document = wrap(d.document, call, TimeDistributed())
    assert counted(document).calls()[call] == Cost(7 * 2 * 20 * 5, 4 * 7 * 5)


def test_a_model_costs_what_is_inside_by_what_arrives() -> None:
    d = Drawing()
    image = d.add("Input", shape=(9, 8))
    first = d.add("Dense", image, units=5)
    second = d.add("Dense", first, units=3)
    d.output(second)
    flat = counted(d.document)
    document, call = group(d.document, [first, second])
    found = counted(document).calls()[call]
    assert found.flops == 9 * (2 * 8 * 5 + 2 * 5 * 3)
    assert found.memory == 4 * 9 * (5 + 3)
    assert found.inside == {c: flat.calls()[c] for c in (first, second)}
    assert total(counted(document).calls().values()) == total(flat.calls().values())


def test_a_model_inside_a_wrapper_counts_each_step() -> None:
    document = EXAMPLES["video"]()
    found = counted(document)
    by_kind = {document.entry(c).kind: found.calls()[c] for c in document.graph.calls}
    whole, inside = by_kind["TimeDistributed"], by_kind["TimeDistributed"].inside
    assert inside
    assert whole.flops == sum(c.flops for c in inside.values()) > 0


def test_a_muted_call_costs_nothing() -> None:
    d = Drawing()
    call = d.add("Dense", d.add("Input", shape=(20,)), units=20)
    d.output(call)
    assert counted(d.document).calls()[call].flops == 800
    assert counted(mute(d.document, [call])).calls()[call] == Cost()


def test_twins_count_twice() -> None:
    d = Drawing()
    a, b = d.add("Input", shape=(4,)), d.add("Input", shape=(4,))
    one = d.add("Dense", a, units=3)
    two = d.again(one, b)
    found = counted(d.document)
    assert found.calls()[one] == found.calls()[two] == Cost(24, 12)
    assert total(found.calls().values()).flops == 48


def chain(length: int, open_size: bool = False) -> Drawing:
    d = Drawing()
    call = d.add("Input", shape=(None if open_size else 6, 8))
    for _ in range(length):
        call = d.add("Dense", call, units=8)
    d.output(call)
    return d


@pytest.mark.parametrize("open_size", [False, True])
def test_what_was_counted_before_an_edit_is_kept_and_the_same_is_found(open_size: bool) -> None:
    d = chain(30, open_size)
    analysis = analyse(d.document)
    first = Costs(d.document, analysis, 50)
    first.calls()
    last = d.document.graph.outputs[0].call
    edited = edits.set_parameters(d.document, d.layer_of(last), units=3)
    later = analyse(edited, analysis)
    anew = Costs(edited, analyse(edited), 50)
    assert Costs(edited, later, 50, first).calls() == anew.calls()
    assert anew.calls()[last].flops == (50 if open_size else 6) * 2 * 8 * 3

    def edit_of(nodes: int) -> int:
        d = chain(nodes, open_size)
        analysis = analyse(d.document)
        before = Costs(d.document, analysis, 50)
        last = d.document.graph.outputs[0].call
        edited = edits.set_parameters(d.document, d.layer_of(last), units=3)
        later = analyse(edited, analysis)
        before.calls()
        return calls_in(lambda: Costs(edited, later, 50, before).calls())

    # A few calls for each node that stays as it was, far fewer than lowering it would take.
    assert edit_of(120) - edit_of(20) < 100 * (60 if open_size else 12)


@pytest.mark.parametrize("seed", range(8))
def test_random_models_cost_what_their_whole_program_multiplies(seed: int) -> None:
    clear_session()
    inventor = Inventor(seed)
    models = [model for model in (inventor.model() for _ in range(3)) if model is not None]
    for document in (model.document for model in models):
        costs = Costs(document, analyse(document), 100)
        if costs.open or analyse(document).errors:
            continue
        lowered = lower(document)
        program = lowered.op.program(list(lowered.outputs.values()))
        each = (costs.of(call) for call in needed(document.graph, {}))
        flops = total(cost for cost in each if cost is not None).flops
        assert flops == 2 * multiplications(program, rows=1)


def test_another_length_counts_anew() -> None:
    d = chain(3, open_size=True)
    first = counted(d.document, 50)
    assert counted(d.document, 7, first).calls() == counted(d.document, 7).calls()
