"""The training step as one program: its gradient is Keras's, and that of finite differences."""

from dataclasses import replace

import numpy as np
import pytest

from studio import layers
from studio.document import edits
from studio.document.model import Document, Endpoint
from studio.engine.numpy_executor import NumpyExecutor
from studio.losses.overlap import Dice
from studio.losses.probabilistic import BinaryCrossentropy, SparseCategoricalCrossentropy
from studio.models import Model
from studio.optimizers.sgd import SGD
from studio.problem import ProblemError
from studio.train.arrays import Arrays
from studio.train.feed import as_arrays, input_arrays
from studio.train.predict import predict
from studio.train.step import Step, build_step
from studio.train.trainer import Settings, Trainer
from studio.train.update import RATE, STEP
from tests.models_of_the_guide import headline_data, small_headline
from tests.references import load


def compiled() -> Document:
    model = small_headline()
    model.compile(SGD(learning_rate=1.0), "binary_crossentropy", [1.0, 0.2])
    return model.document


def first_batch(document: Document) -> Arrays:
    x, y = headline_data()
    return as_arrays(document, [a[:32] for a in x], [a[:32] for a in y])


def test_the_gradient_is_keras_gradient_of_every_weight() -> None:
    model, recorded = small_headline(), load("headline")
    model.compile(SGD(learning_rate=1.0), "binary_crossentropy", [1.0, 0.2])
    before = model.get_weights()
    x, y = headline_data()
    model.train_on_batch([a[:32] for a in x], [a[:32] for a in y])
    for i, (old, new) in enumerate(zip(before, model.get_weights(), strict=True)):
        np.testing.assert_allclose(old - new, recorded[f"gradient{i}"], rtol=2e-4, atol=1e-6)


def run(step: Step, state: dict[str, np.ndarray], batch: Arrays) -> tuple[float, dict]:
    """The total loss, and the states after one step, in float64."""
    program = step.program.astype("float64")
    runner = NumpyExecutor(program)
    runner.load(state)
    feeds = {name: batch.inputs[call] for call, name in step.inputs.items()}
    feeds |= {name: batch.targets[key] for key, name in step.targets.items()}
    scales = dict(zip(step.scales.values(), (1.0, 0.2), strict=True))
    feeds |= {name: np.array(value) for name, value in scales.items()}
    if RATE in program.inputs:
        feeds |= {RATE: np.array(1.0), STEP: np.array(1.0)}
    feeds = {n: np.asarray(f, program.specs[n].dtype) for n, f in feeds.items()}
    return float(runner.run(feeds)[step.total]), runner.state()


def test_the_gradient_is_that_of_finite_differences_in_float64() -> None:
    document = compiled()
    batch = first_batch(document)
    step, losses = build_step(document, True), build_step(document, False)
    rng = np.random.default_rng(0)
    shapes = {name: v.weight.shape for name, v in step.variables.items()}
    state = {name: rng.normal(size=shape) * 0.4 for name, shape in shapes.items()}
    _, after = run(step, state, batch)
    width = 1e-6
    for name, old in state.items():
        direction = rng.normal(size=old.shape)
        moved = [
            run(losses, {**state, name: old + sign * width * direction}, batch)[0]
            for sign in (1, -1)
        ]
        slope = (moved[0] - moved[1]) / (2 * width)
        expected = float(((old - after[name]) * direction).sum())
        assert slope == pytest.approx(expected, rel=1e-5, abs=1e-9), name


def test_onnxruntime_predicts_what_numpy_predicts() -> None:
    model = small_headline()
    x, _ = headline_data()
    inputs = input_arrays(model.document, x).inputs
    store = model.project.store
    ours = predict(model.document, store, inputs)
    theirs = predict(model.document, store, inputs, engine="onnxruntime")
    for name, output in ours.items():
        np.testing.assert_allclose(theirs[name], output, rtol=1e-5, atol=1e-6)


def test_what_cannot_be_trained_is_refused_by_name() -> None:
    document = compiled()
    frozen = document
    for layer in document.layers:
        frozen = edits.set_trainable(frozen, layer, False)
    lossless = replace(document, plan=replace(document.plan, outputs={}))
    for broken, code in ((frozen, "nothing_trainable"), (lossless, "no_losses")):
        with pytest.raises(ProblemError) as error:
            build_step(broken, True)
        assert error.value.problems[0].code == code


def test_a_loss_that_no_trained_layer_leads_to_leaves_weights_alone() -> None:
    """With the auxiliary loss alone, the layers of the main output stay as they were."""
    document = compiled()
    main, aux = document.graph.outputs
    document = edits.plan_output(document, main, loss=None)
    document = edits.plan_output(document, Endpoint(aux.call, aux.port), loss=BinaryCrossentropy())
    step = build_step(document, True)
    written = {s.input for s in step.program.state if s.output != s.input}
    names = {n.split("/")[0] for n in written}
    assert "embedding" in {n.rsplit("_", 1)[0] if n[-1].isdigit() else n for n in names}
    assert "main_output" not in names
    model = small_headline()
    trainer = Trainer(document, model.project.store, Settings(seed=0))
    x, (_, labels) = headline_data()
    batch = as_arrays(document, [a[:32] for a in x], labels[:32])
    _, results = trainer.train_batch(Arrays(batch.inputs, batch.targets))
    assert np.isfinite(results[step.total])


def test_weights_of_steps_for_a_loss_that_has_none_are_refused() -> None:
    x = layers.Input((3, 2))
    model = Model(x, layers.Dense(2)(x))
    model.compile("sgd", loss=BinaryCrossentropy(axis=1, from_logits=True))
    data = np.zeros((4, 3, 2), np.float32)
    model.fit(data, data, sample_weight=np.ones(4), verbose=0)
    dice = Model(x, layers.Dense(2, activation="sigmoid")(x))
    dice.compile("sgd", loss=Dice(axis=(1, 2)))
    dice.fit(data, data, sample_weight=np.ones(4), verbose=0)
    with pytest.raises(ValueError, match="not their steps"):
        dice.fit(data, data, sample_weight=np.ones((4, 3)), verbose=0)


def test_an_ignored_class_counts_neither_in_loss_nor_gradient() -> None:
    x = layers.Input((4,))
    labels = np.array([0, 1, -1, 2, -1])
    data = np.eye(5, 4, dtype=np.float32)
    found = []
    for rows in (labels >= -1, labels >= 0):
        model = Model(x, layers.Dense(3, activation="softmax", kernel_initializer="zeros")(x))
        model.compile("sgd", SparseCategoricalCrossentropy(ignore_class=-1))
        loss = model.train_on_batch(data[rows], labels[rows])
        found.append((loss, *model.get_weights()))
    for whole, kept in zip(*found, strict=True):
        np.testing.assert_allclose(whole, kept, rtol=1e-6, atol=1e-7)
