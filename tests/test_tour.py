"""The guided tour's steps: what they ask for, and that together they make the headline model."""

import re

import pytest
from hypothesis import given, settings

from studio.document import edits
from studio.document.analysis import analyse
from studio.document.building import add
from studio.document.canonical import canonical
from studio.document.model import Document, Endpoint
from studio.document.project import Project, Run
from studio.examples import EXAMPLES
from studio.layers.dense import Dense
from studio.layers.embedding import Embedding
from studio.layers.input import Input
from studio.layers.merge_concatenate import Concatenate
from studio.text import catalogue
from studio.tour import STEPS, Step, lstm, numbers, position
from tests.formats.documents import documents

BY_ID = {step.id: step for step in STEPS}
EDITS = [step for step in STEPS if step.act is not None]


def at(number: int) -> Document:
    """The document after the first steps."""
    document = Document()
    for step in STEPS[:number]:
        assert step.act is not None
        document = step.act(document)
    return document


def fulfilled(document: Document, step: Step) -> bool:
    return step.done(Project(document))


def test_the_steps_together_make_the_example() -> None:
    document = at(len(EDITS))
    ordered = edits.order_outputs(document, document.graph.outputs[::-1])  # the guide's order
    assert canonical(ordered) == canonical(EXAMPLES["headline"]())
    assert not analyse(document).errors


@pytest.mark.parametrize("number", range(len(EDITS)), ids=[s.id for s in EDITS])
def test_each_step_is_undone_before_its_act_and_done_after(number: int) -> None:
    before = at(number)
    assert position(Project(before)) == number
    assert not fulfilled(before, STEPS[number])
    assert position(Project(at(number + 1))) == number + 1


@pytest.mark.parametrize("step", EDITS, ids=lambda s: s.id)
def test_the_finished_example_fulfils_every_step_but_training(step: Step) -> None:
    assert fulfilled(EXAMPLES["headline"](), step)


def test_training_is_done_when_an_epoch_was() -> None:
    project = Project(EXAMPLES["headline"]())
    assert position(project) == len(STEPS) - 1
    project.runs.append(Run("r1"))  # stopped before its first epoch ended
    assert position(project) == len(STEPS) - 1
    project.runs.append(Run("r2", history={"loss": [0.5]}, best_epoch=0))
    assert position(project) == len(STEPS)


def test_what_is_undone_leads_back() -> None:
    document = at(len(EDITS))
    found = lstm(document)
    assert found is not None
    assert position(Project(edits.remove_calls(document, [found]))) == list(BY_ID).index("lstm")


def test_another_order_is_as_good() -> None:
    """The five numbers first, then the words."""
    document, five = add(Document(), Input(shape=(5,)), name="five")
    assert position(Project(document)) == 0, "the words are still to come"
    for step in STEPS[:7]:
        assert step.act is not None
        document = step.act(document)
    assert numbers(document) == five
    assert position(Project(document)) == list(BY_ID).index("join")


def led(document: Document) -> Document:
    """The document after whatever steps it lacks; each must be done by its own act."""
    while (number := position(Project(document))) < len(EDITS):
        step = STEPS[number]
        spot = step.spot(document)
        assert not spot.call or spot.call in document.graph.calls
        assert step.act is not None
        document = step.act(document)
        assert position(Project(document)) > number, step.id
    return document


@pytest.mark.parametrize("name", EXAMPLES)
def test_any_example_is_led_to_the_end(name: str) -> None:
    led(EXAMPLES[name]())


@settings(max_examples=60)
@given(documents())
def test_any_document_is_led_to_the_end(document: Document) -> None:
    led(document)


def test_a_concatenate_half_wired_gets_the_other_half() -> None:
    number = list(BY_ID).index("join")
    document = at(number)
    source = lstm(document)
    assert source is not None
    document, half = add(document, Concatenate(), source)
    spot = STEPS[number].spot(document)
    assert (spot.place, spot.call) == ("output", numbers(document))
    assert STEPS[number].act is not None
    document = STEPS[number].act(document)
    assert len(document.graph.into(half)) == 2
    assert fulfilled(document, STEPS[number])


def test_hidden_layers_there_already_count() -> None:
    number = list(BY_ID).index("hidden")
    document = at(number)
    last = list(document.graph.calls)[-1]
    document, _ = add(document, Dense(units=64, activation="relu"), last)
    act = STEPS[number].act
    assert act is not None
    document = act(document)
    assert sum(document.entry(c).kind == "Dense" for c in document.graph.calls) == 1 + 3


# -- where the tour points -----------------------------------------------------------------------


@pytest.mark.parametrize("number", range(len(STEPS)), ids=list(BY_ID))
def test_every_step_points_at_something_that_is_there(number: int) -> None:
    document = at(number)
    spot = STEPS[number].spot(document)
    if spot.call:
        assert spot.call in document.graph.calls
    if spot.place == "parameter":
        assert hasattr(document.entry(spot.call).body, spot.name)


def test_the_first_parameter_that_is_wrong_is_pointed_at() -> None:
    document = at(1)
    (call,) = document.graph.calls
    layer = document.graph.calls[call].layer
    step = BY_ID["words"]
    assert step.spot(document).name == "shape"
    document = edits.set_parameters(document, layer, shape=(100,))
    assert step.spot(document).name == "dtype"


def test_an_output_is_marked_then_given_a_loss_then_a_weight() -> None:
    number = list(BY_ID).index("judge_loss")
    document = at(number)
    step = STEPS[number]
    call = step.spot(document).call
    end = Endpoint(call, "output")
    assert step.spot(document).place == "mark"
    document = edits.mark_output(document, end)
    assert step.spot(document).place == "loss"
    example = EXAMPLES["headline"]()
    loss = next(iter(example.plan.outputs.values())).loss
    document = edits.plan_output(document, end, loss=loss)
    assert step.spot(document).place == "weight"
    assert not fulfilled(document, step)
    assert fulfilled(edits.plan_output(document, end, weight=0.2), step)


def test_a_layer_that_is_there_without_a_wire_is_pointed_at_by_its_source() -> None:
    number = list(BY_ID).index("embedding")
    document = at(number)
    assert STEPS[number].spot(document).place == "palette"
    document, _ = edits.add_layer(document, Embedding())
    spot = STEPS[number].spot(document)
    assert spot.place == "output"
    assert document.entry(spot.call).kind == "Input"


# -- texts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_every_step_is_told(language: str) -> None:
    texts = catalogue(language, "tour")
    for name in [*BY_ID, "done"]:
        assert texts[name]
        marks = re.findall(r"</?(\w+)>", texts[f"{name}_how"])
        assert marks
        assert set(marks) == {"b"}
        assert len(marks) % 2 == 0


def test_both_languages_name_the_same_layers_and_numbers() -> None:
    english, chinese = catalogue("en", "tour"), catalogue("zh_CN", "tour")
    assert english.keys() == chinese.keys()
    told = re.compile(r"<b>([A-Z][A-Za-z]*[a-z]|[0-9.]+|int32|relu|sigmoid)</b>")
    for step in STEPS[:-2]:
        words = {w for w in told.findall(english[f"{step.id}_how"]) if w != "Output"}
        assert words <= set(told.findall(chinese[f"{step.id}_how"])), step.id
