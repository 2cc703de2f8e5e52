"""What becomes of a document when a file, or columns of one, is dropped on it."""

import csv
from functools import partial

import numpy as np
import pytest

from studio.document import edits
from studio.document.analysis import analyse
from studio.document.building import add
from studio.document.model import Document, Endpoint
from studio.document.plan import (
    ClassColumn,
    FeatureColumns,
    GeneratedSource,
    NumberColumns,
    OutputPlan,
    TextColumn,
)
from studio.examples import EXAMPLES
from studio.layers.dense import Dense
from studio.layers.embedding import Embedding
from studio.layers.input import Input
from studio.losses.margins import Hinge
from studio.losses.probabilistic import BinaryCrossentropy, SparseCategoricalCrossentropy
from studio.losses.regression import MeanAbsoluteError, MeanSquaredError
from studio.problem import ProblemError
from studio.train.data import check_data
from studio.train.proposals import (
    bind_input,
    bind_output,
    changes,
    columns_for,
    new_input,
    seen_file,
    seen_source,
    use_source,
)

ROWS = 300
RNG = np.random.default_rng(0)
COLUMNS = {
    "title": [f"a story number {i} of many words here" for i in range(ROWS)],
    "hour": RNG.integers(0, 24, ROWS),
    "land": RNG.choice(["DE", "FR", "CN"], ROWS),
    "score": [f"{v:.3f}" for v in RNG.normal(50, 20, ROWS)],
    "colour": RNG.choice(["red", "green", "blue", "grey"], ROWS),
    "popular": RNG.integers(0, 2, ROWS),
}


@pytest.fixture
def seen(tmp_path):
    path = tmp_path / "stories.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(zip(*COLUMNS.values(), strict=True))
    return seen_file(path, None)


def chain(shape=(1,), units=1, activation="linear", **kwargs):
    """An Input, a hidden layer and an output; with the calls of the first and the last."""
    document, first = add(Document(), Input(shape=shape, **kwargs), name="first")
    document, hidden = add(document, Dense(units=8), first)
    last = Dense(units=units, activation=activation)
    document, output = add(document, last, hidden, name="answer")
    end = Endpoint(output, "output")
    return edits.mark_output(document, end), first, end


def body(document, call):
    return document.entry(call).body


# -- inputs --------------------------------------------------------------------------------------


def test_a_new_input_takes_all_that_may_enter_together(seen):
    document, first, _ = chain()
    columns = columns_for(document, first, seen.table)
    assert columns == ("hour", "land", "score", "colour")
    bound = bind_input(document, first, seen.table, seen.source, columns)
    assert body(bound, first) == Input(shape=(1 + 1 + 3 + 4,))
    assert isinstance(bound.plan.data.inputs[first], FeatureColumns)
    assert bound.plan.data.source == seen.source
    assert analyse(bound).errors == []


def test_an_input_that_fits_stays_as_it_is(seen):
    document, first, _ = chain(shape=(2,))
    bound = bind_input(document, first, seen.table, seen.source, ("hour", "score"))
    assert body(bound, first) == body(document, first)
    assert bound.plan.data.inputs[first] == NumberColumns(("hour", "score"), "standardize")


def test_a_text_makes_an_input_of_integers(seen):
    document, first, _ = chain()
    bound = bind_input(document, first, seen.table, seen.source, ("title",))
    binding = bound.plan.data.inputs[first]
    assert isinstance(binding, TextColumn)
    assert body(bound, first) == Input(shape=(binding.length,), dtype="int32")


def test_a_text_keeps_to_the_rows_of_the_table_it_is_looked_up_in(seen):
    document, first = add(Document(), Input(shape=(1,)), name="first")
    document, _ = add(document, Embedding(input_dim=50, output_dim=4), first)
    bound = bind_input(document, first, seen.table, seen.source, ("title",))
    assert bound.plan.data.inputs[first].vocabulary_size == 50
    document, first = add(Document(), Input(shape=(7,), dtype="int32"), name="first")
    document, _ = add(document, Embedding(input_dim=40, output_dim=4), first)
    assert columns_for(document, first, seen.table) == ("title",)
    bound = bind_input(document, first, seen.table, seen.source)
    assert bound.plan.data.inputs[first] == TextColumn("title", 7, 40)
    assert body(bound, first).shape == (7,)


def test_what_the_target_is_bound_to_is_no_input(seen):
    document, first, output = chain()
    document = bind_output(document, output, seen.table, seen.source, "score")
    assert "score" not in columns_for(document, first, seen.table)


def test_columns_that_cannot_enter_together_are_refused(seen):
    document, first, _ = chain()
    with pytest.raises(ProblemError, match="title"):
        bind_input(document, first, seen.table, seen.source, ("hour", "title"))


def test_columns_beside_the_nodes_get_an_input_of_their_own(seen):
    document, _, _ = chain()
    made = new_input(document, seen.table, seen.source, ("hour", "score"), (40.0, 60.0))
    (call,) = made.graph.calls.keys() - document.graph.calls.keys()
    assert body(made, call) == Input(shape=(2,))
    assert made.graph.calls[call].position == (40.0, 60.0)
    assert made.plan.data.inputs[call] == NumberColumns(("hour", "score"), "standardize")


# -- outputs -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "units", "activation", "loss"),
    [
        ("popular", 1, "sigmoid", BinaryCrossentropy()),
        ("colour", 4, "softmax", SparseCategoricalCrossentropy()),
        ("score", 1, "linear", MeanSquaredError()),
    ],
)
def test_an_output_becomes_one_that_can_tell_the_column(seen, column, units, activation, loss):
    document, first, output = chain(units=3, activation="relu")
    document = bind_input(document, first, seen.table, seen.source, ("hour",))
    bound = bind_output(document, output, seen.table, seen.source, column)
    last = body(bound, output.call)
    assert (last.units, last.activation) == (units, activation)
    assert bound.plan.outputs[output.key].loss == loss
    assert bound.plan.outputs[output.key].metrics
    assert [str(p) for p in analyse(bound).problems] == []
    assert [str(p) for p in check_data(bound, seen_base(seen))] == []


def seen_base(seen):
    return seen.table.folder


def test_without_a_column_it_is_the_one_the_table_is_about(seen):
    document, _, output = chain()
    bound = bind_output(document, output, seen.table, seen.source)
    assert bound.plan.data.targets[output.key] == ClassColumn("popular")


def test_a_loss_that_suits_the_column_stays(seen):
    document, _, output = chain()
    document = edits.plan_output(document, output, loss=MeanAbsoluteError(), weight=0.3)
    bound = bind_output(document, output, seen.table, seen.source, "score")
    assert bound.plan.outputs[output.key] == OutputPlan(MeanAbsoluteError(), 0.3)
    assert body(bound, output.call) == body(document, output.call)


def test_two_units_of_softmax_tell_two_classes_as_well(seen):
    document, _, output = chain(units=2, activation="softmax")
    document = edits.plan_output(document, output, loss=SparseCategoricalCrossentropy())
    bound = bind_output(document, output, seen.table, seen.source, "popular")
    assert body(bound, output.call).units == 2
    assert bound.plan.outputs[output.key].loss == SparseCategoricalCrossentropy()


def test_what_is_no_output_yet_becomes_one(seen):
    document, _, output = chain()
    document = edits.unmark_output(document, output)
    bound = bind_output(document, output, seen.table, seen.source, "popular")
    assert bound.graph.outputs == (output,)


# -- other data ----------------------------------------------------------------------------------


def test_bindings_whose_columns_are_there_stay(seen):
    document, first, _ = chain(shape=(1,))
    document = bind_input(document, first, seen.table, seen.source, ("hour",))
    other = use_source(document, seen.table, GeneratedSource("headline"))
    assert other.plan.data.inputs == document.plan.data.inputs


def test_bindings_whose_columns_are_gone_are_given_others(seen):
    document = EXAMPLES["headline"]()
    bound = use_source(document, seen.table, seen.source)
    text = next(b for b in bound.plan.data.inputs.values() if isinstance(b, TextColumn))
    assert text.column == "title"


def test_the_data_a_document_has_is_seen_by_its_source():
    found = seen_source(GeneratedSource("headline", rows=200), base=None)
    assert found.whole
    assert found.table.rows == 200
    assert found.roles.target == "popular"


def test_of_a_long_file_the_first_rows_are_seen(tmp_path):
    path = tmp_path / "long.csv"
    with path.open("w") as file:
        file.write("a,b\n" + "1.5,0\n2.5,1\n" * 15_000)
    found = seen_file(path, None)
    assert not found.whole
    assert found.table.rows == 20_000


# -- what changes --------------------------------------------------------------------------------


def test_what_changes_is_told(seen):
    document, first, output = chain()
    told = partial(changes, document)
    assert told(document) == []
    bound = bind_input(document, first, seen.table, seen.source, ("hour", "score"))
    assert [(c.what, c.name, c.parameter) for c in told(bound)] == [
        ("source", "", ""),
        ("parameter", "first", "shape"),
        ("input", "first", ""),
    ]
    bound = bind_output(bound, output, seen.table, seen.source, "popular")
    assert [c.what for c in told(bound)][-3:] == ["target", "loss", "metrics"]


def test_a_loss_that_does_not_suit_gives_way(seen):
    document, _, output = chain()
    document = edits.plan_output(document, output, loss=Hinge())
    bound = bind_output(document, output, seen.table, seen.source, "colour")
    assert bound.plan.outputs[output.key].loss == SparseCategoricalCrossentropy()
