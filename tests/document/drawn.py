"""Documents drawn by hand, for the tests of the document."""

from dataclasses import replace
from typing import Any

from studio.declare import declared
from studio.document import edits
from studio.document.model import CallId, Document, Endpoint
from studio.layers.base import Layer


def layer(kind: str, /, **params: Any) -> Layer:
    made = declared("layers", kind)(**params)
    assert isinstance(made, Layer)
    return made


class Drawing:
    """A document under the pencil: ``d.add("Dense", d.add("Input"), units=3)``."""

    def __init__(self) -> None:
        self.document = Document()

    def add(self, kind: str, /, *sources: CallId, name: str = "", **params: Any) -> CallId:
        body = layer(kind, **params)
        self.document, call = edits.add_layer(self.document, body, name=name)
        return self.wire(call, *sources)

    def again(self, twin: CallId, *sources: CallId) -> CallId:
        layer_id = self.document.graph.calls[twin].layer
        self.document, call = edits.use_layer(self.document, layer_id)
        return self.wire(call, *sources)

    def wire(self, call: CallId, *sources: CallId) -> CallId:
        for source in sources:
            self.document = edits.connect(self.document, out(source), into(call))
        return call

    def output(self, call: CallId) -> CallId:
        self.document = edits.mark_output(self.document, out(call))
        return call

    def layer_of(self, call: CallId) -> str:
        return self.document.graph.calls[call].layer


def out(call: CallId) -> Endpoint:
    return Endpoint(call, "output")


def into(call: CallId, port: str = "x") -> Endpoint:
    return Endpoint(call, port)


def headline(vocabulary: int = 50, length: int = 6) -> tuple[Document, dict[str, CallId]]:
    """The two-loss model of the functional API guide, small."""
    d, ids = Drawing(), {}
    ids["main_input"] = main = d.add("Input", name="main_input", shape=(length,), dtype="int32")
    ids["embedding"] = d.add("Embedding", main, input_dim=vocabulary, output_dim=4)
    ids["lstm"] = lstm = d.add("LSTM", ids["embedding"], units=3)
    dense = {"units": 1, "activation": "sigmoid"}
    ids["aux_output"] = d.output(d.add("Dense", lstm, name="aux_output", **dense))
    d.document = replace(d.document, next_id=10)  # as text c10 comes before c2
    ids["aux_input"] = side = d.add("Input", name="aux_input", shape=(5,))
    ids["join"] = x = d.add("Concatenate", lstm, side)
    for number in range(3):
        ids[f"dense{number}"] = x = d.add("Dense", x, units=4, activation="relu")
    ids["main_output"] = d.output(d.add("Dense", x, name="main_output", **dense))
    return d.document, ids
