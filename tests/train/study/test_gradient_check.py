"""The gradient check says yes to what is right, and names what is not."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio import layers
from studio.document import edits
from studio.document.model import CallId, Document, Submodel
from studio.document.plan import GeneratedSource
from studio.document.project import Project
from studio.engine import operator as operators
from studio.examples import EXAMPLES
from studio.losses.probabilistic import BinaryCrossentropy
from studio.models import Model
from studio.problem import ProblemError
from studio.progress import Cancelled, watched
from studio.train.arrays import Arrays
from studio.train.study.gradient_check import GradientCheck, check_gradients
from studio.train.study.wording import verdict


def checked(document: Document, *path: CallId) -> GradientCheck:
    return check_gradients(Project(document), Path(), path)


def call(document: Document, name: str) -> CallId:
    return next(c for _, c, use in document.calls() if document.layers[use.layer].name == name)


def nested() -> Document:
    """Two inputs through one inner model, then a Dense."""
    x = layers.Input((4,))
    inner = Model(x, layers.Dense(3, name="last")(layers.Dense(5, "tanh", name="first")(x)))
    a, b = layers.Input((4,), name="a"), layers.Input((4,), name="b")
    model = Model([a, b], layers.Dense(1)(layers.concatenate([inner(a), inner(b)])))
    model.compile("sgd", "mse")
    return model.document


def recurrent() -> Document:
    """A mask, a wrapper of two directions, recurrent dropout and batch statistics."""
    words = layers.Input((None,), dtype="int32")
    x = layers.Embedding(20, 5, mask_zero=True)(words)
    x = layers.Bidirectional(layers.GRU(4, return_sequences=True, recurrent_dropout=0.3))(x)
    x = layers.TimeDistributed(layers.Dense(3, activation="relu"))(x)
    x = layers.BatchNormalization()(layers.Dropout(0.5)(layers.LSTM(4)(x)))
    model = Model(words, layers.Dense(1, activation="sigmoid")(x))
    model.compile("sgd", "binary_crossentropy")
    return model.document


def test_where_every_gradient_is_nothing_agreement_is_not_called_right() -> None:
    """Weights that blew up saturate a sigmoid: 0 agrees with 0, whatever the gradient's rule."""
    x = layers.Input((4,))
    dense = layers.Dense(3, "sigmoid", name="blown")
    model = Model(x, layers.Dense(1)(dense(x)))
    kernel, bias = dense.get_weights()
    dense.set_weights([np.full_like(kernel, 1e30), bias])
    (node,) = (c for c, use in model.document.graph.calls.items()
               if model.document.layers[use.layer].name == "blown")  # fmt: skip
    found = check_gradients(model.project, Path(), (node,))
    assert found.ok
    assert found.flat
    assert verdict(found).startswith("Says little")
    sound = checked(model.document, node)
    assert not sound.flat
    assert verdict(sound).startswith("Right")


def convolutions() -> Document:
    image = layers.Input((8, 8, 2))
    x = layers.MaxPooling2D(2)(layers.Conv2D(4, 3, activation="relu")(image))
    model = Model(image, layers.Dense(3, activation="softmax")(layers.Flatten()(x)))
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model.document


@pytest.mark.parametrize(
    "document", [nested(), recurrent(), convolutions()], ids=("nested", "recurrent", "convolutions")
)
def test_whole_models_and_each_of_their_nodes_are_right(document: Document) -> None:
    found = checked(document)
    assert found.ok, found.parts
    assert found.made_up
    assert found.checked > 50
    for node in document.graph.calls:
        if node not in document.graph.inputs:
            alone = checked(document, node)
            assert alone.ok, alone.parts
            assert not alone.losses


def test_the_example_is_checked_on_its_own_data() -> None:
    found = checked(EXAMPLES["headline"]())
    assert found.ok, found.parts
    assert not found.made_up
    assert found.losses == ("main_output", "aux_output")
    names = {part.name for part in found.parts}
    assert {"embedding/embeddings", "lstm/recurrent_kernel", "aux_input"} <= names
    assert "main_input" not in names, "integers have no gradient"
    assert all(part.reached for part in found.parts)


def test_classes_count_as_they_do_in_training() -> None:
    document = edits.set_data(EXAMPLES["digits"](), source=GeneratedSource("digits", rows=60))
    (output,) = document.graph.outputs
    balanced = edits.plan_output(document, output, class_weight="balanced")
    found = [checked(d).parts[-1].compared for d in (document, balanced)]
    assert found[0].gradient != found[1].gradient
    assert not any(compared.wrong for compared in found)


def test_a_node_inside_a_model_is_checked_for_each_call_of_the_model() -> None:
    document = nested()
    models = [
        c
        for c in document.graph.calls
        if isinstance(document.layers[document.graph.calls[c].layer].body, Submodel)
    ]
    inner = call(document, "last")
    first, second = (checked(document, model, inner) for model in models)
    assert first.ok
    assert second.ok
    assert {p.name for p in first.parts} == {"last/kernel", "last/bias", "first"}
    by_kernel = [c.parts[0].compared for c in (first, second)]
    assert by_kernel[0].gradient != by_kernel[1].gradient, "what arrives is not the same"


def test_a_layer_that_rests_has_no_gradient_in_the_whole_but_one_by_itself() -> None:
    document = nested()
    layer = document.graph.calls[call(document, "dense")].layer
    document = edits.set_trainable(document, layer, False)
    assert not any(p.name.startswith("dense/") for p in checked(document).parts)
    alone = checked(document, call(document, "dense"))
    assert alone.ok
    assert [p.name for p in alone.parts] == ["dense/kernel", "dense/bias", "concatenate"]


def test_a_dead_relu_is_a_kink_and_not_a_fault() -> None:
    x = layers.Input((3,))
    hidden = layers.Dense(2, "relu", kernel_initializer="zeros", name="dead")(x)
    model = Model(x, layers.Dense(1)(hidden))
    model.compile("sgd", "mse")
    found = checked(model.document, call(model.document, "dead"))
    assert found.ok
    assert found.kinks >= 2, "both biases stand where the ReLU bends"


@pytest.mark.parametrize("path", ["", "masking"])
def test_steps_of_zeros_that_a_masking_leaves_out_are_no_faults(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = layers.Input((4, 3))
    y = layers.Masking(name="masking")(x)
    y = layers.Flatten()(layers.TimeDistributed(layers.Dense(2, "tanh"))(y))
    model = Model(x, layers.Dense(1)(y))
    model.compile("sgd", "mse")
    document = model.document

    def padded(*_: Any) -> Any:
        inputs = np.random.default_rng(0).normal(size=(4, 4, 3)).astype(np.float32)
        inputs[:, 2:] = 0
        (call,), (end,) = document.graph.inputs, document.graph.outputs
        return Arrays({call: inputs}, {end.key: np.ones((4, 1), np.float32)}), None

    monkeypatch.setattr("studio.train.study.gradient_check._samples", padded)
    found = checked(document, *([call(document, path)] if path else []))
    assert found.ok
    assert found.kinks > 0


def wrong_by(factor: float, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an operator's gradient be wrong by a factor."""
    rule = operators.operator(name)
    assert rule.gradient is not None
    right = rule.gradient

    def gradient(op: Any, node: Any, arriving: Any) -> Sequence[Any]:
        found = right(op, node, arriving)
        return [g if g is None else op.Mul(g, np.float32(factor)) for g in found]

    table = {**operators.table(), name: replace(rule, gradient=gradient)}
    monkeypatch.setattr(operators, "table", lambda: table)


@pytest.mark.parametrize("factor", [1.001, 0.0, -1.0])
def test_a_wrong_rule_is_found_at_its_node_alone(
    factor: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = nested()
    wrong_by(factor, "Tanh", monkeypatch)
    assert not checked(document).ok
    model = document.graph.inputs[0]
    outer = next(w.target for w in document.graph.out_of(model))
    first = checked(document, outer, call(document, "first"))
    assert first.wrong == first.checked - first.kinks
    assert first.relative == pytest.approx(abs(factor - 1) / max(1, abs(factor)), rel=1e-3)
    assert checked(document, outer, call(document, "last")).ok


def test_random_draws_stay_the_same_throughout() -> None:
    x = layers.Input((6,))
    model = Model(x, layers.Dense(1)(layers.GaussianNoise(1.0)(layers.Dropout(0.5)(x))))
    model.compile("sgd", "mse")
    assert checked(model.document).ok


def test_weights_are_those_of_the_project() -> None:
    project = Project(nested())
    layer = project.document.graph.calls[call(project.document, "dense")].layer
    before = check_gradients(project, Path(), (call(project.document, "dense"),))
    project.store.put(layer, "kernel", np.full((6, 1), 3.0))
    after = check_gradients(project, Path(), (call(project.document, "dense"),))
    arriving = [next(p for p in c.parts if p.kind == "input").compared for c in (before, after)]
    assert arriving[0].gradient != arriving[1].gradient
    assert after.ok


def test_without_losses_a_random_sum_of_the_outputs_is_differentiated() -> None:
    x = layers.Input((4,))
    found = checked(Model(x, layers.Dense(2)(x)).document)
    assert found.ok
    assert found.losses == ()


def test_data_that_cannot_be_read_is_told_and_made_up() -> None:
    document = edits.set_data(EXAMPLES["digits"](), source=GeneratedSource("nothing"))
    found = checked(document)
    assert found.made_up
    assert found.why is not None
    assert found.ok


def test_what_is_not_computed_has_no_gradient() -> None:
    document = nested()
    document, layer = edits.declare_layer(document, layers.Dense(2).declaration)
    document, lying = edits.use_layer(document, layer)
    with pytest.raises(ProblemError) as caught:
        checked(document, lying)
    assert [p.code for p in caught.value.problems] == ["check_not_computed"]


def test_an_input_has_nothing_to_check() -> None:
    document = nested()
    with pytest.raises(ProblemError) as caught:
        checked(document, document.graph.inputs[0])
    assert [p.code for p in caught.value.problems] == ["check_nothing"]


def test_losses_take_the_targets_that_are_made_up() -> None:
    x = layers.Input((4,))
    model = Model(x, layers.Dense(1)(x))
    model.compile("sgd", BinaryCrossentropy(from_logits=True))
    assert checked(model.document).ok


def test_it_can_be_cancelled() -> None:
    def listen(doing: str, done: int, total: int) -> None:
        if total:
            raise Cancelled

    with watched(listen), pytest.raises(Cancelled):
        checked(nested())
