"""Texts that feed one layer are read as one language."""

from studio.document import edits
from studio.document.model import CallId, Document, Endpoint
from studio.document.plan import TextColumn
from studio.document.vocabularies import text_mates
from studio.layers.base import Layer
from studio.layers.embedding import Embedding
from studio.layers.flatten import Flatten
from studio.layers.input import Input
from studio.layers.merge_concatenate import Concatenate

TEXTS = Input(shape=(4,), dtype="int32")


def after(document: Document, layer: Layer | str, *sources: CallId) -> tuple[Document, CallId]:
    """One more layer, or one more call of a layer, wired from these."""
    if isinstance(layer, str):
        document, call = edits.use_layer(document, layer)
    else:
        document, call = edits.add_layer(document, layer)
    for source in sources:
        document = edits.connect(document, Endpoint(source, "output"), Endpoint(call, "x"))
    return document, call


def inputs(count: int) -> tuple[Document, list[CallId]]:
    document, calls = Document(), []
    for number in range(count):
        document, call = edits.add_layer(document, TEXTS, name=f"x{number}")
        calls.append(call)
    bound = {call: TextColumn(f"t{number}", 4) for number, call in enumerate(calls)}
    return edits.set_data(document, inputs=bound), calls


def mates(document: Document, call: CallId) -> list[str]:
    return [binding.column for binding in text_mates(document, call).values()]


def test_twins_share_and_strangers_do_not() -> None:
    document, (a, b, c) = inputs(3)
    document, first = after(document, Embedding(9, 2), a)
    document, _ = after(document, document.graph.calls[first].layer, b)
    document, _ = after(document, Embedding(9, 2), c)
    assert mates(document, a) == mates(document, b) == ["t0", "t1"]
    assert mates(document, c) == ["t2"]


def test_layers_without_weights_are_looked_through() -> None:
    document, (a, b, c) = inputs(3)
    document, joined = after(document, Concatenate(), a, b)
    document, flat = after(document, Flatten(), joined)
    document, shared = after(document, Embedding(9, 2), flat)
    document, _ = after(document, document.graph.calls[shared].layer, c)
    assert mates(document, c) == ["t0", "t1", "t2"]


def test_only_texts_count() -> None:
    document, (a, b) = inputs(2)
    document, first = after(document, Embedding(9, 2), a)
    document, _ = after(document, document.graph.calls[first].layer, b)
    document = edits.set_data(document, inputs={b: TextColumn("t1", 4)})
    assert mates(document, a) == ["t1"]


def test_sharing_goes_on_through_a_third() -> None:
    document, (a, b, c) = inputs(3)
    document, one = after(document, Embedding(9, 2), a)
    document, _ = after(document, document.graph.calls[one].layer, b)
    document, other = after(document, Embedding(9, 3), b)
    document, _ = after(document, document.graph.calls[other].layer, c)
    assert mates(document, a) == ["t0", "t1", "t2"]
