"""Losses against what an output can give: found through what passes values on, and repaired."""

import pytest

from studio.document import edits, sharing
from studio.document.analysis import analyse
from studio.document.model import Document, Endpoint
from studio.document.plan import ClassColumn
from studio.layers.time_distributed import TimeDistributed
from studio.losses.base import Loss
from studio.losses.probabilistic import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from studio.losses.regression import (
    CosineSimilarity,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
)
from studio.problem import Problem
from studio.text import set_language
from tests.document.drawn import Drawing, out

BINARY, CATEGORICAL, SPARSE, SQUARED = (
    BinaryCrossentropy(),
    CategoricalCrossentropy(),
    SparseCategoricalCrossentropy(),
    MeanSquaredError(),
)


def about_losses(document: Document) -> list[Problem]:
    return [p for p in analyse(document).problems if p.code.startswith(("loss_", "no_loss"))]


def repaired(document: Document) -> Document:
    (problem,) = about_losses(document)
    fixed = problem.fix.edit(document)
    assert about_losses(fixed) == []
    return fixed


def head(activation: str, units: int, loss: Loss) -> tuple[Drawing, str]:
    d = Drawing()
    y = d.output(d.add("Dense", d.add("Input", shape=(4,)), units=units, activation=activation))
    d.document = edits.plan_output(d.document, out(y), loss=loss)
    return d, y


@pytest.mark.parametrize(
    ("activation", "units", "loss", "code", "severity"),
    [
        ("sigmoid", 1, BINARY, "", ""),
        ("hard_sigmoid", 3, BINARY, "", ""),
        ("linear", 1, BINARY, "loss_range", "error"),
        ("relu", 1, BINARY, "loss_range", "error"),
        ("tanh", 1, BINARY, "loss_range", "error"),
        ("softmax", 1, BINARY, "", ""),
        ("softmax", 3, BINARY, "loss_of_shares", "warning"),
        ("softmax", 3, CATEGORICAL, "", ""),
        ("softmax", 3, SPARSE, "", ""),
        ("linear", 3, CATEGORICAL, "loss_range", "error"),
        ("tanh", 3, SPARSE, "loss_range", "error"),
        ("sigmoid", 3, CATEGORICAL, "loss_no_shares", "warning"),
        ("hard_sigmoid", 3, SPARSE, "loss_no_shares", "warning"),
        ("relu", 3, SPARSE, "loss_no_shares", "error"),
        ("relu6", 3, CATEGORICAL, "loss_no_shares", "error"),
        ("linear", 1, BinaryCrossentropy(from_logits=True), "", ""),
        ("linear", 3, CategoricalCrossentropy(from_logits=True), "", ""),
        ("sigmoid", 1, BinaryCrossentropy(from_logits=True), "loss_of_logits", "warning"),
        ("softmax", 3, SparseCategoricalCrossentropy(True), "loss_of_logits", "warning"),
        ("linear", 3, MeanSquaredLogarithmicError(), "loss_range", "warning"),
        ("softplus", 3, MeanSquaredLogarithmicError(), "", ""),
        ("linear", 3, CosineSimilarity(axis=0), "loss_axis", "error"),
        ("softmax", 1, CATEGORICAL, "loss_one_share", "error"),
        ("sigmoid", 1, SPARSE, "loss_one_share", "error"),
        ("softmax", 3, SQUARED, "", ""),
        ("relu", 3, SQUARED, "", ""),
    ],
)
def test_activation_against_loss(
    activation: str, units: int, loss: Loss, code: str, severity: str
) -> None:
    d, y = head(activation, units, loss)
    found = [(p.code, p.where, p.severity) for p in about_losses(d.document)]
    assert found == ([(code, y, severity)] if code else [])
    if code:
        repaired(d.document)


def test_the_activation_is_what_is_repaired() -> None:
    d, y = head("linear", 3, CATEGORICAL)
    (problem,) = about_losses(d.document)
    assert str(problem.fix) == "Set the activation of “dense” to softmax"
    assert "lie in −∞ … ∞" in str(problem)
    fixed = repaired(d.document)
    assert fixed.entry(y).body.activation == "softmax"
    set_language("zh_CN")
    assert str(problem.fix) == "把“dense”的激活函数设为 softmax"


def test_a_single_unit_that_is_to_tell_classes_apart() -> None:
    d, y = head("softmax", 1, CATEGORICAL)
    fixed = repaired(d.document)
    assert fixed.entry(y).body.activation == "sigmoid"
    assert fixed.plan.outputs[out(y).key].loss == BINARY


def test_an_activation_used_elsewhere_too_is_left_alone() -> None:
    d, y = head("relu", 1, BINARY)
    d.output(d.again(y, d.add("Input", shape=(4,))))
    first = next(p for p in about_losses(d.document) if p.code == "loss_range")
    fixed = first.fix.edit(d.document)
    assert fixed.entry(y).body.activation == "relu"
    assert fixed.plan.outputs[out(y).key].loss == SQUARED


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        ([("Dropout", {})], (4,)),
        ([("Flatten", {})], (3, 4)),
        ([("Reshape", {"target_shape": (3, 1)}), ("Flatten", {})], (4,)),
        ([("Permute", {"dims": (2, 1)})], (3, 4)),
        ([("Activation", {"activation": "linear"})], (4,)),
        ([("GlobalAveragePooling1D", {})], (3, 4)),
        ([("GlobalMaxPooling1D", {})], (3, 4)),
    ],
)
def test_found_through_what_passes_values_on(layers: list, shape: tuple[int, ...]) -> None:
    d = Drawing()
    made = x = d.add("Dense", d.add("Input", shape=shape), units=3, activation="relu")
    for kind, params in layers:
        x = d.add(kind, x, **params)
    d.output(x)
    d.document = edits.plan_output(d.document, out(x), loss=BINARY)
    (problem,) = about_losses(d.document)
    assert (problem.code, problem.where) == ("loss_range", x)
    assert repaired(d.document).entry(made).body.activation == "sigmoid"


@pytest.mark.parametrize(
    ("kind", "params", "blamed"),
    [
        ("LSTM", {}, True),
        ("SimpleRNN", {}, True),
        ("GRU", {"activation": "relu"}, True),
        ("LSTM", {"activation": "sigmoid"}, False),
        ("LSTM", {"recurrent_activation": "linear", "activation": "sigmoid"}, False),
        ("Bidirectional", {}, False),
    ],
)
def test_what_a_recurrent_layer_gives(kind: str, params: dict, blamed: bool) -> None:
    """Its activation is inside the cell, so the loss is what is changed."""
    d = Drawing()
    y = d.output(d.add(kind, d.add("Input", shape=(5, 4)), **params))
    d.document = edits.plan_output(d.document, out(y), loss=BINARY)
    assert [p.code for p in about_losses(d.document)] == (["loss_range"] if blamed else [])
    if blamed:
        assert repaired(d.document).plan.outputs[out(y).key].loss == SQUARED


def test_found_through_a_model_and_a_wrapper() -> None:
    d = Drawing()
    dense = d.add("Dense", d.add("Input", shape=(5, 4)), units=2, activation="tanh")
    d.output(dense)
    document = edits.plan_output(d.document, out(dense), loss=BINARY)
    document, model = sharing.group(document, [dense])
    (problem,) = about_losses(document)
    assert (problem.code, problem.where) == ("loss_range", model)
    assert about_losses(repaired(document)) == []
    wrapped = sharing.wrap(d.document, dense, TimeDistributed())
    wrapped = edits.plan_output(wrapped, wrapped.graph.outputs[0], loss=BINARY)
    (problem,) = about_losses(wrapped)
    assert problem.code == "loss_range"
    assert "“dense”" in str(problem.fix)


def test_what_is_not_known_is_not_blamed() -> None:
    d = Drawing()
    x = d.add("Input", shape=(4,))
    join = d.add("Concatenate", x, d.add("Dense", x, activation="tanh"))
    for end in (d.output(d.add("Flatten", x)), d.output(join)):
        d.document = edits.plan_output(d.document, out(end), loss=BINARY)
    assert about_losses(d.document) == []


def test_shares_put_side_by_side_may_be_none() -> None:
    d = Drawing()
    x = d.add("Input", shape=(4,))
    softmax = {"units": 2, "activation": "softmax"}
    join = d.add("Concatenate", d.add("Dense", x, **softmax), d.add("Dense", x, **softmax))
    d.output(join)
    d.document = edits.plan_output(d.document, out(join), loss=CATEGORICAL)
    assert about_losses(d.document) == []


def test_integers_have_no_loss() -> None:
    d = Drawing()
    x = d.add("Input", shape=(4,), dtype="int32")
    end = d.output(d.add("Flatten", x))
    (problem,) = about_losses(d.document)
    assert (problem.code, problem.fix) == ("no_loss", None)
    d.document = edits.plan_output(d.document, out(end), loss=SQUARED)
    (problem,) = about_losses(d.document)
    assert (problem.code, problem.severity) == ("loss_refused", "error")


@pytest.mark.parametrize(
    ("activation", "units", "numbered", "loss"),
    [
        ("sigmoid", 1, False, BINARY),
        ("softmax", 3, False, SPARSE),
        ("softmax", 3, True, SPARSE),
        ("softmax", 1, False, BINARY),
        ("linear", 1, False, SQUARED),
        ("relu", 3, False, SQUARED),
    ],
)
def test_the_usual_loss_is_offered(activation: str, units: int, numbered: bool, loss: Loss) -> None:
    d, y = head(activation, units, loss)
    d.document = edits.plan_output(d.document, out(y), loss=None)
    if numbered:
        d.document = edits.set_data(d.document, targets={out(y).key: ClassColumn("kind")})
    (problem,) = about_losses(d.document)
    assert str(problem.fix) == f"Train it for {loss.kind}"
    assert repaired(d.document).plan.outputs[Endpoint(y, "output").key].loss == loss
