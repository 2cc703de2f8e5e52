"""Heads that add up what they should compare: found where they are, and nowhere else."""

from collections.abc import Callable

import numpy as np
import pytest

from studio.document import edits
from studio.document.additive import additive_heads
from studio.document.analysis import analyse
from studio.document.model import CallId, Document, Endpoint
from studio.document.store import Store
from studio.layers.activation import Activation
from studio.layers.base import Layer
from studio.layers.batch_normalization import BatchNormalization
from studio.layers.dense import Dense
from studio.layers.dropout import Dropout
from studio.layers.input import Input
from studio.layers.layer_normalization import LayerNormalization
from studio.layers.merge_add import Add
from studio.layers.merge_average import Average
from studio.layers.merge_concatenate import Concatenate
from studio.layers.merge_multiply import Multiply
from studio.layers.merge_subtract import Subtract
from studio.layers.reshape import Reshape
from studio.losses.probabilistic import BinaryCrossentropy
from studio.text import LANGUAGES, set_language
from studio.train.predict import predict


class Drawing:
    """A document of one Dense shared by two inputs, drawn on step by step."""

    def __init__(self) -> None:
        self.document = Document()
        self.a, self.b = self.add(Input(shape=(3,))), self.add(Input(shape=(3,)))
        self.one = self.add(Dense(units=4, activation="tanh"), self.a)
        self.other = self.twin(self.one, self.b)

    def add(self, layer: Layer, *sources: CallId) -> CallId:
        self.document, call = edits.add_layer(self.document, layer)
        return self._wired(call, sources)

    def twin(self, call: CallId, *sources: CallId) -> CallId:
        layer = self.document.graph.calls[call].layer
        self.document, new = edits.use_layer(self.document, layer)
        return self._wired(new, sources)

    def _wired(self, call: CallId, sources: tuple[CallId, ...]) -> CallId:
        for source in sources:
            start, end = Endpoint(source, "output"), Endpoint(call, "x")
            self.document = edits.connect(self.document, start, end)
        return call

    def judged(self, *layers: Layer, by: CallId) -> Document:
        """With these layers in a row, the last an output with a loss."""
        for layer in layers:
            by = self.add(layer, by)
        output = Endpoint(by, "output")
        document = edits.mark_output(self.document, output)
        return edits.plan_output(document, output, loss=BinaryCrossentropy())


HEAD = Dense(units=1, activation="sigmoid")


def joined(*layers: Layer, join: Layer | None = None) -> Document:
    drawing = Drawing()
    merged = drawing.add(join or Concatenate(), drawing.one, drawing.other)
    return drawing.judged(*layers, by=merged)


def seen_by_both() -> Document:
    """A third part has seen both, so it may have compared them."""
    drawing = Drawing()
    both = drawing.add(Concatenate(), drawing.a, drawing.b)
    third = drawing.add(Dense(units=2, activation="relu"), both)
    join = drawing.add(Concatenate(), drawing.one, drawing.other, third)
    return drawing.judged(HEAD, by=join)


def strangers() -> Document:
    """Two layers of their own: nobody asks whether their encodings are alike."""
    drawing = Drawing()
    other = drawing.add(Dense(units=4), drawing.b)
    return drawing.judged(HEAD, by=drawing.add(Concatenate(), drawing.one, other))


def one_input() -> Document:
    drawing = Drawing()
    again = drawing.twin(drawing.one, drawing.a)
    return drawing.judged(HEAD, by=drawing.add(Concatenate(), drawing.one, again))


def further_on() -> Document:
    """The twins' encodings go through layers of their own, one by one, before they are joined."""
    drawing = Drawing()
    a = drawing.add(Dense(units=2, activation="relu"), drawing.one)
    b = drawing.add(Dense(units=2, activation="relu"), drawing.other)
    return drawing.judged(HEAD, by=drawing.add(Concatenate(), a, b))


@pytest.mark.parametrize(
    "made",
    [
        lambda: joined(HEAD),
        lambda: joined(Dropout(0.5), HEAD),
        lambda: joined(Dense(units=8), Dense(units=1), Activation("sigmoid")),
        lambda: joined(Dense(units=1, activation="tanh"), Activation("sigmoid")),
        lambda: joined(BatchNormalization(), Reshape((8,)), HEAD),
        lambda: joined(HEAD, join=Add()),
        lambda: joined(HEAD, join=Average()),
        further_on,
    ],
)
def test_a_sum_of_scores_is_warned_of_and_mended(made: Callable[[], Document]) -> None:
    document = made()
    (problem,) = additive_heads(document, {})
    assert [p.code for p in analyse(document).problems] == ["additive_head"]
    assert problem.severity == "warning"
    assert document.entry(problem.where).body in (HEAD, Dense(1), Dense(1, "tanh"))
    after = problem.fix.edit(document)
    assert list(additive_heads(after, {})) == []
    assert analyse(after).problems == ()
    hidden = next(e for e in after.layers.values() if e.body == Dense(64, "relu"))
    assert hidden.name not in {e.name for e in document.layers.values()}
    places = [call.position for call in after.graph.calls.values()]
    assert places.count(after.graph.calls[problem.where].position) == 1


@pytest.mark.parametrize(
    "made",
    [
        lambda: joined(Dense(units=8, activation="relu"), HEAD),
        lambda: joined(Dense(units=2, activation="softmax")),
        lambda: joined(Dense(units=1), Activation("silu")),
        lambda: joined(HEAD, join=Multiply()),
        lambda: joined(HEAD, join=Subtract()),
        lambda: joined(LayerNormalization(), HEAD),
        seen_by_both,
        strangers,
        one_input,
    ],
)
def test_a_head_that_may_compare_is_left_alone(made: Callable[[], Document]) -> None:
    assert list(additive_heads(made(), {})) == []


def test_an_output_without_a_loss_is_not_judged() -> None:
    document = joined(HEAD)
    (output,) = document.graph.outputs
    assert list(additive_heads(edits.plan_output(document, output, loss=None), {})) == []


def test_it_is_said_in_every_language() -> None:
    (problem,) = additive_heads(joined(HEAD), {})
    for language in LANGUAGES:
        set_language(language)
        assert "concatenate" in str(problem)
        assert "64" in str(problem.fix)
    set_language("en")


def test_what_is_said_is_true() -> None:
    """The logit of a pair is a score of the first and one of the second, whatever the weights."""
    document, store = joined(HEAD), Store()
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 5, 3)).astype(np.float32)
    pairs = [np.repeat(a, 5, axis=0), np.tile(b, (5, 1))]
    inputs = dict(zip(document.graph.inputs, pairs, strict=True))
    (found,) = predict(document, store, inputs).values()
    logits = np.log(found / (1 - found)).reshape(5, 5)
    both = logits.mean(axis=1, keepdims=True) + logits.mean(axis=0) - logits.mean()
    np.testing.assert_allclose(logits, both, atol=1e-5)
