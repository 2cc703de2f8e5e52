"""What examples and proposals are built with."""

from studio.document import edits
from studio.document.model import CallId, Document, Endpoint
from studio.layers.base import Layer


def add(
    document: Document, layer: Layer, *sources: CallId, name: str = ""
) -> tuple[Document, CallId]:
    """A layer, wired from the calls it reads, in their order."""
    document, call = edits.add_layer(document, layer, name=name)
    return wired(document, call, *sources), call


def again(document: Document, twin: CallId, *sources: CallId) -> tuple[Document, CallId]:
    """One more call of the layer that `twin` calls, wired from the calls it reads."""
    document, call = edits.use_layer(document, document.graph.calls[twin].layer)
    return wired(document, call, *sources), call


def wired(document: Document, call: CallId, *sources: CallId) -> Document:
    """With wires from the first output of each source to the call's first input."""
    for source in sources:
        into = document.ports(document.entry(call))[0][0].name
        leaving = document.ports(document.entry(source))[1][0].name
        document = edits.connect(document, Endpoint(source, leaving), Endpoint(call, into))
    return document
