"""Which integers an input may hold."""

from collections.abc import Iterator

from studio.document.model import CallId, Document, Graph, Submodel
from studio.layers.embedding import Embedding
from studio.layers.flatten import Flatten
from studio.layers.input import Input
from studio.layers.merge_concatenate import Concatenate


def integer_limits(document: Document) -> dict[CallId, int]:
    """One above the largest integer each integer Input may hold: the fewest rows it looks up in.

    Only Inputs whose integers reach an Embedding are listed: straight, rearranged by Flatten or
    Concatenate, or inside a submodel.
    """
    graph = document.graph
    found: dict[CallId, int] = {}
    for call in graph.inputs:
        body = document.entry(call).body
        if not isinstance(body, Input) or not body.dtype.startswith("int"):
            continue
        rows = list(_table_rows(document, graph, call))
        if rows:
            found[call] = min(rows)
    return found


def _table_rows(document: Document, graph: Graph, call: CallId) -> Iterator[int]:
    """The sizes of the tables that the integers of a call look up, however they get there."""
    for wire in graph.out_of(call):
        body = document.layers[graph.calls[wire.target].layer].body
        if isinstance(body, Embedding):
            yield body.input_dim
        elif isinstance(body, Flatten | Concatenate):
            yield from _table_rows(document, graph, wire.target)
        elif isinstance(body, Submodel):
            inner = document.graphs[body.graph]
            if wire.input in inner.inputs:
                yield from _table_rows(document, inner, wire.input)
