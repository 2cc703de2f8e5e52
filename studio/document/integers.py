"""Which integers an input may hold."""

from studio.document.model import CallId, Document
from studio.layers.embedding import Embedding
from studio.layers.input import Input


def integer_limits(document: Document) -> dict[CallId, int]:
    """One above the largest integer each integer Input may hold: the fewest rows it looks up in.

    Only Inputs that lead straight into an Embedding are listed.
    """
    graph = document.graph
    found: dict[CallId, int] = {}
    for call in graph.inputs:
        body = document.entry(call).body
        if not isinstance(body, Input) or not body.dtype.startswith("int"):
            continue
        readers = (document.entry(wire.target).body for wire in graph.out_of(call))
        rows = [reader.input_dim for reader in readers if isinstance(reader, Embedding)]
        if rows:
            found[call] = min(rows)
    return found
