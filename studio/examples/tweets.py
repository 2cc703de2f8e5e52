"""Two tweets read by one shared LSTM: did the same person write both?"""

from studio.document import edits
from studio.document.building import add, again
from studio.document.layout import arrange
from studio.document.model import CallId, Document, Endpoint
from studio.document.plan import ClassColumn, GeneratedSource, TextColumn
from studio.layers.dense import Dense
from studio.layers.input import Input
from studio.layers.lstm import LSTM
from studio.layers.merge_concatenate import Concatenate
from studio.losses.probabilistic import BinaryCrossentropy
from studio.metrics.accuracy import Accuracy
from studio.metrics.auc import AUC

LENGTH, CHARACTERS = 140, 256


def tweets() -> Document:
    """The functional API guide's shared layer, with the guide's head.

    That head adds up one score for each tweet, so it cannot learn what it is asked; the document
    says why, and `tweets_deep` shows the remedy.
    """
    document, inputs, both = _encoded()
    return _judged(document, inputs, both)


def tweets_deep() -> Document:
    """The same with one hidden layer, which can compare the two."""
    document, inputs, both = _encoded()
    document, compared = add(document, Dense(units=64, activation="relu"), both)
    return _judged(document, inputs, compared)


def _encoded() -> tuple[Document, list[CallId], CallId]:
    """Both tweets through one LSTM, side by side."""
    document, first = add(Document(), Input(shape=(LENGTH, CHARACTERS)), name="tweet_a")
    document, second = add(document, Input(shape=(LENGTH, CHARACTERS)), name="tweet_b")
    document, one = add(document, LSTM(units=64), first)
    document, other = again(document, one, second)
    document, both = add(document, Concatenate(), one, other)
    return document, [first, second], both


def _judged(document: Document, inputs: list[CallId], read: CallId) -> Document:
    document, same = add(document, Dense(units=1, activation="sigmoid"), read, name="same_author")
    output = Endpoint(same, "output")
    document = edits.mark_output(document, output)
    metrics = (Accuracy(), AUC(name="auc"))
    document = edits.plan_output(document, output, loss=BinaryCrossentropy(), metrics=metrics)
    bindings = {
        call: TextColumn(column, LENGTH, CHARACTERS, "char", lower=False, one_hot=True)
        for call, column in zip(inputs, ("text_a", "text_b"), strict=True)
    }
    document = edits.set_data(
        document,
        source=GeneratedSource("tweets"),
        inputs=bindings,
        targets={output.key: ClassColumn("same")},
    )
    return arrange(edits.set_run(document, epochs=8, batch_size=32))
