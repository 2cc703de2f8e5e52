"""What an output is trained for where nobody chose: it follows the model; a choice never does."""

import pytest

from studio.document import edits
from studio.document.analysis import analyse
from studio.document.defaults import Given, Usual, usual, with_usual
from studio.document.model import Document
from studio.document.plan import ArrayColumn, Binding, ClassColumn, NumberColumns, OutputPlan
from studio.losses.base import Loss
from studio.losses.probabilistic import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from studio.losses.regression import Huber, MeanSquaredError
from studio.metrics.accuracy import Accuracy, BinaryAccuracy
from studio.metrics.auc import AUC
from studio.metrics.base import Metric
from studio.metrics.losses import MeanAbsoluteError
from tests.document.drawn import Drawing, into, out

BINARY, SPARSE = BinaryCrossentropy(), SparseCategoricalCrossentropy()
CLASSES, ONE_HOT = ClassColumn("kind"), ClassColumn("kind", one_hot=True)


def head(activation: str, units: int) -> tuple[Drawing, str]:
    d = Drawing()
    x = d.add("Input", shape=(4,))
    return d, d.add("Dense", x, units=units, activation=activation)


@pytest.mark.parametrize(
    ("activation", "units", "target", "loss", "metric"),
    [
        ("sigmoid", 1, None, BINARY, Accuracy()),
        ("sigmoid", 1, CLASSES, BINARY, Accuracy()),
        ("sigmoid", 5, None, BINARY, BinaryAccuracy()),
        ("softmax", 3, None, SPARSE, Accuracy()),
        ("softmax", 3, CLASSES, SPARSE, Accuracy()),
        ("softmax", 3, ONE_HOT, CategoricalCrossentropy(), Accuracy()),
        ("softmax", 3, ArrayColumn("shares"), CategoricalCrossentropy(), Accuracy()),
        ("linear", 1, None, MeanSquaredError(), MeanAbsoluteError()),
        ("linear", 2, NumberColumns(("a", "b")), MeanSquaredError(), MeanAbsoluteError()),
        ("relu", 1, None, MeanSquaredError(), MeanAbsoluteError()),
        ("linear", 1, CLASSES, BinaryCrossentropy(from_logits=True), BinaryAccuracy(threshold=0.0)),
        ("linear", 3, CLASSES, SparseCategoricalCrossentropy(from_logits=True), Accuracy()),
        ("linear", 3, ONE_HOT, CategoricalCrossentropy(from_logits=True), Accuracy()),
    ],
)
def test_activation_and_target_say_what_is_usual(
    activation: str, units: int, target: Binding | None, loss: Loss, metric: Metric
) -> None:
    d, y = head(activation, units)
    d.output(y)
    if target is not None:
        d.document = edits.set_data(d.document, targets={out(y).key: target})
    known = analyse(d.document)
    assert usual(d.document, out(y), known.specs, known.ranges) == Usual(loss, (metric,))
    planned = edits.plan_output(d.document, out(y), loss=loss, metrics=(metric,))
    assert not analyse(planned).training, "what is given has no problem"


def test_what_no_loss_can_judge_is_given_none() -> None:
    d = Drawing()
    y = d.output(d.add("Flatten", d.add("Input", shape=(4,), dtype="int32")))
    known = analyse(d.document)
    assert usual(d.document, out(y), known.specs, known.ranges) == Usual()


class Editing:
    """Somebody who edits, with the memory of what was given."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.given: Given = {}

    def to(self, document: Document) -> "Editing":
        known = analyse(document)
        self.document, self.given = with_usual(
            self.document, document, known.specs, known.ranges, self.given
        )
        return self

    def plan(self, call: str) -> OutputPlan:
        return self.document.plan.outputs.get(out(call).key, OutputPlan())


def activated(d: Document, call: str, activation: str) -> Document:
    return edits.set_parameters(d, d.graph.calls[call].layer, activation=activation)


def test_a_new_output_is_given_what_is_usual_and_it_follows_the_model() -> None:
    d, y = head("linear", 3)
    e = Editing(d.document).to(edits.mark_output(d.document, out(y)))
    assert e.plan(y) == OutputPlan(MeanSquaredError(), metrics=(MeanAbsoluteError(),))
    e.to(activated(e.document, y, "softmax"))
    assert e.plan(y) == OutputPlan(SPARSE, metrics=(Accuracy(),))
    e.to(edits.set_data(e.document, targets={out(y).key: ONE_HOT}))
    assert e.plan(y).loss == CategoricalCrossentropy()


def test_a_choice_is_never_touched() -> None:
    d, y = head("linear", 1)
    e = Editing(d.document).to(edits.mark_output(d.document, out(y)))
    e.to(edits.plan_output(e.document, out(y), loss=Huber()))
    e.to(activated(e.document, y, "sigmoid"))
    assert e.plan(y).loss == Huber()
    # Back at what it was given once, it is a choice all the same.
    e.to(edits.plan_output(e.document, out(y), loss=BINARY))
    e.to(activated(e.document, y, "linear"))
    assert e.plan(y).loss == BINARY


def test_metrics_and_weight_that_were_chosen_stay_while_the_loss_follows() -> None:
    d, y = head("linear", 1)
    e, watched = Editing(d.document).to(edits.mark_output(d.document, out(y))), (AUC(),)
    e.to(edits.plan_output(e.document, out(y), metrics=watched, weight=0.2))
    e.to(activated(e.document, y, "sigmoid"))
    assert e.plan(y) == OutputPlan(BINARY, 0.2, watched)


def test_what_a_file_brings_is_a_choice_but_a_bound_target_gets_the_loss_it_lacks() -> None:
    d, y = head("sigmoid", 1)
    d.output(y)
    chosen = edits.plan_output(d.document, out(y), loss=MeanSquaredError())
    bound = edits.set_data(chosen, targets={out(y).key: CLASSES})
    assert Editing(chosen).to(bound).plan(y).loss == MeanSquaredError()
    bound = edits.set_data(d.document, targets={out(y).key: CLASSES})
    assert Editing(d.document).to(bound).plan(y).loss == BINARY


def test_no_loss_can_be_a_choice() -> None:
    d, y = head("sigmoid", 1)
    e = Editing(d.document).to(edits.mark_output(d.document, out(y)))
    e.to(edits.plan_output(e.document, out(y), loss=None))
    e.to(activated(e.document, y, "linear"))
    assert e.plan(y).loss is None


def test_an_output_without_a_shape_is_given_its_loss_once_it_has_one() -> None:
    d = Drawing()
    x, y = d.add("Input", shape=(4,)), d.add("Dense", units=1, activation="sigmoid")
    e = Editing(d.document).to(edits.mark_output(d.document, out(y)))
    assert e.plan(y).loss is None
    d.document = e.document
    e.to(edits.connect(e.document, out(x), into(y)))
    assert e.plan(y).loss == BINARY
