"""The digit model, alone, as a layer, and over the frames of a film."""

from pathlib import Path

import numpy as np
import pytest

from studio.document.analysis import analyse
from studio.document.model import Document, Submodel, Wrapped
from studio.document.plan import ArrayColumn
from studio.examples import EXAMPLES
from studio.formats import loom
from studio.formats.onnx_export import export
from studio.layers import LSTM, Dense, Input, TimeDistributed
from studio.models import Model, load_model
from studio.train.generators import generate
from studio.train.generators.video import COURSES
from studio.train.predict import predict
from studio.train.prediction import predict_inputs
from tests.examples.training import trained


def shapes(document: Document) -> dict[str, tuple[object, ...]]:
    specs = analyse(document).specs
    return {
        document.entry(end.call).name: spec.shape[1:]
        for end, spec in specs.items()
        if end.call in document.graph.calls
    }


def test_digits_is_the_guides_model() -> None:
    document = EXAMPLES["digits"]()
    assert shapes(document) == {
        "image": (784,),
        "dense": (64,),
        "dense_1": (64,),
        "dense_2": (10,),
    }
    (output,) = document.graph.outputs
    plan = document.plan.outputs[output.key]
    assert plan.loss is not None
    assert plan.loss.kind == "CategoricalCrossentropy"
    assert document.plan.optimizer.kind == "RMSprop"


def test_reuse_calls_the_same_model_like_a_layer() -> None:
    document = EXAMPLES["reuse"]()
    assert shapes(document) == {"image": (784,), "digit_model": (10,)}
    model = next(e for e in document.layers.values() if isinstance(e.body, Submodel))
    assert model.name == "digit_model"
    assert isinstance(model.body, Submodel)
    assert len(document.graphs[model.body.graph].calls) == 4  # an Input and three Dense


def test_video_reads_twenty_pictures_with_it() -> None:
    document = EXAMPLES["video"]()
    assert shapes(document) == {
        "film": (20, 784),
        "time_distributed": (20, 10),
        "lstm": (32,),
        "dense_3": (4,),
    }
    (wrapped,) = (e.body for e in document.layers.values() if isinstance(e.body, Wrapped))
    assert isinstance(document.layers[wrapped.layer].body, Submodel)


@pytest.mark.parametrize("name", ["digits", "reuse"])
def test_digits_are_learnt_saved_and_exported(name: str, tmp_path: Path) -> None:
    """Well, but not perfectly: 0.958 when this was written."""
    project, logs = trained(EXAMPLES[name]())
    assert 0.93 < logs["val_accuracy"] < 0.99
    assert export(project, tmp_path / "m.onnx").ok
    loom.save(tmp_path / "m.loom", project)
    back = loom.load(tmp_path / "m.loom")
    assert back.document == project.document
    answers = []
    for one in (project, back):
        document, inputs = predict_inputs(one.document, one.fitted, tmp_path)
        (found,) = predict(document, one.store, inputs, batch_size=512).values()
        answers.append(found)
    np.testing.assert_array_equal(*answers)
    (binding,) = back.document.plan.data.inputs.values()
    assert binding == ArrayColumn("image", 255.0)


def test_a_trained_model_frozen_reads_films_sooner(tmp_path: Path) -> None:
    """As the guide has it: TimeDistributed around a model that already knows its digits."""
    project, _ = trained(EXAMPLES["digits"]())
    loom.save(tmp_path / "digits.loom", project)
    reader = load_model(tmp_path / "digits.loom")
    reader.trainable = False
    before = [weight.copy() for weight in reader.get_weights()]
    table = generate("video")
    films = table.array("film").astype(np.float32) / 255
    courses = np.array([COURSES.index(course) for course in table.texts("course")])
    film = Input(shape=(20, 784))
    answer = Dense(4, activation="softmax")(LSTM(32)(TimeDistributed(reader)(film)))
    model = Model(film, answer)
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(films, courses, epochs=6, validation_split=0.2, verbose=0, seed=0).history
    assert history["val_accuracy"][-1] > 0.9
    for old, new in zip(before, reader.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_films_begin_to_be_learnt() -> None:
    _, logs = trained(EXAMPLES["video"](), epochs=6, rows=400)
    assert logs["val_accuracy"] > 0.4  # a guess is right in 0.25


@pytest.mark.slow
def test_films_are_learnt_and_exported(tmp_path: Path) -> None:
    """0.981 when this was written."""
    project, logs = trained(EXAMPLES["video"]())
    assert logs["val_accuracy"] > 0.9
    proof = export(project, tmp_path / "m.onnx")
    assert proof.ok
    assert proof.operators["LSTM"] == 1
