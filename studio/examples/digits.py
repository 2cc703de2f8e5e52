"""Handwritten digits; the same model used as a layer, and over the frames of a film."""

from studio.document import edits
from studio.document.building import add
from studio.document.layout import arrange
from studio.document.model import CallId, Document, Endpoint, Submodel
from studio.document.plan import ArrayColumn, Binding, ClassColumn, GeneratedSource
from studio.document.sharing import group, wrap
from studio.layers.dense import Dense
from studio.layers.input import Input
from studio.layers.lstm import LSTM
from studio.layers.time_distributed import TimeDistributed
from studio.losses.probabilistic import CategoricalCrossentropy
from studio.metrics.accuracy import Accuracy
from studio.train.generators.digits import SIDE
from studio.train.generators.video import COURSES, FRAMES

PIXELS = SIDE * SIDE
CLASSES = 10


def digits() -> Document:
    """The functional API guide's first model: 784 greys through two Dense layers to ten classes."""
    document, image = add(Document(), Input(shape=(PIXELS,)), name="image")
    document, layers = _reader(document, image)
    return arrange(_learning(document, image, layers[-1], "digits", "image", "digit", epochs=12))


def reuse() -> Document:
    """The model of `digits` called like a layer: structure and weights are reused."""
    document, image, model = _with_model()
    return arrange(_learning(document, image, model, "digits", "image", "digit", epochs=12))


def video() -> Document:
    """The model of `digits` reads each of 20 frames; an LSTM tells the course of the digits."""
    document, image, model = _with_model()
    document = wrap(document, model, TimeDistributed())
    layer = document.graph.calls[image].layer
    document = edits.set_parameters(document, layer, shape=(FRAMES, PIXELS))
    document = edits.rename_layer(document, layer, "film")
    document, read = add(document, LSTM(units=32), model)
    document, last = add(document, Dense(units=len(COURSES), activation="softmax"), read)
    return arrange(_learning(document, image, last, "video", "film", "course", epochs=20))


def _reader(document: Document, image: CallId) -> tuple[Document, list[CallId]]:
    """Three Dense layers that tell a picture's digit."""
    calls = [image]
    for units, activation in ((64, "relu"), (64, "relu"), (CLASSES, "softmax")):
        document, call = add(document, Dense(units=units, activation=activation), calls[-1])
        calls.append(call)
    return document, calls[1:]


def _with_model() -> tuple[Document, CallId, CallId]:
    """A picture and a call of the model that tells its digit."""
    document, image = add(Document(), Input(shape=(PIXELS,)), name="image")
    document, layers = _reader(document, image)
    document = edits.mark_output(document, Endpoint(layers[-1], "output"))
    document, model = group(document, layers, name="digit_model")
    (output,) = document.graph.outputs
    document = edits.unmark_output(document, output)
    body = document.entry(model).body
    assert isinstance(body, Submodel)
    return arrange(document, body.graph), image, model


def _learning(
    document: Document,
    image: CallId,
    last: CallId,
    source: str,
    pictures: str,
    label: str,
    epochs: int,
) -> Document:
    """Compiled for classes, as the guide does, with generated data bound."""
    (port,) = document.ports(document.entry(last))[1]
    output = Endpoint(last, port.name)
    document = edits.mark_output(document, output)
    loss, metrics = CategoricalCrossentropy(), (Accuracy(),)
    document = edits.plan_output(document, output, loss=loss, metrics=metrics)
    inputs: dict[str, Binding] = {image: ArrayColumn(pictures, divisor=255.0)}
    targets: dict[str, Binding] = {output.key: ClassColumn(label, one_hot=True)}
    data = GeneratedSource(source)
    document = edits.set_data(document, source=data, inputs=inputs, targets=targets)
    return edits.set_run(document, epochs=epochs, batch_size=32)
