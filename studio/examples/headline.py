"""A headline and five numbers, two losses."""

from collections.abc import Iterable

from studio.document import edits
from studio.document.building import add
from studio.document.layout import arrange
from studio.document.model import CallId, Document, Endpoint
from studio.document.plan import ClassColumn, GeneratedSource, NumberColumns, TextColumn
from studio.layers.dense import Dense
from studio.layers.embedding import Embedding
from studio.layers.input import Input
from studio.layers.lstm import LSTM
from studio.layers.merge_concatenate import Concatenate
from studio.losses.probabilistic import BinaryCrossentropy

HEADLINE_NUMBERS = ("hour", "weekday", "words", "pictures", "links")


def headline() -> Document:
    """The functional API guide's model: a headline and five numbers, two losses.

    The auxiliary output judges by the text alone, so that LSTM and Embedding learn even where
    the way from the main output is long. It counts a fifth.
    """
    document, text = add(Document(), Input(shape=(100,), dtype="int32"), name="main_input")
    document, words = add(document, Embedding(input_dim=10000, output_dim=512), text)
    document, read = add(document, LSTM(units=32), words)
    judge = Dense(units=1, activation="sigmoid")
    document, aux = add(document, judge, read, name="aux_output")
    document, numbers = add(document, Input(shape=(5,)), name="aux_input")
    document, last = add(document, Concatenate(), read, numbers)
    for _ in range(3):
        document, last = add(document, Dense(units=64, activation="relu"), last)
    document, main = add(document, judge, last, name="main_output")

    weights = {Endpoint(main, "output"): 1.0, Endpoint(aux, "output"): 0.2}
    for endpoint, weight in weights.items():
        document = edits.mark_output(document, endpoint)
        document = edits.plan_output(document, endpoint, loss=BinaryCrossentropy(), weight=weight)
    return arrange(bound(document, text, numbers, (main, aux)))


def bound(document: Document, text: CallId, numbers: CallId, outputs: Iterable[CallId]) -> Document:
    """With the made-up headlines bound to a model's inputs and outputs, for a short run."""
    document = edits.set_data(
        document,
        source=GeneratedSource("headline"),
        inputs={
            text: TextColumn("headline", length=100, vocabulary_size=10000),
            numbers: NumberColumns(HEADLINE_NUMBERS, scaling="standardize"),
        },
        targets={Endpoint(call, "output").key: ClassColumn("popular") for call in outputs},
    )
    return edits.set_run(document, epochs=4, batch_size=32)
