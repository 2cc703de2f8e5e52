"""A document's calls as symbolic tensors, so that a loaded model can be built upon.

``Model(old.inputs, old.get_layer("pool").output)`` is a part of another, weights shared.
"""

import re
from collections.abc import Mapping
from typing import Any

from studio.declare import snake
from studio.document.analysis import analyse
from studio.document.model import Document, Endpoint, LayerId
from studio.layers.functional import Handle, Operation, Recorded, Tensor
from studio.problem import refuse


def tensors(document: Document, operations: Mapping[LayerId, Operation]) -> dict[Endpoint, Tensor]:
    """What leaves each port of the main graph; each operation remembers that it was called.

    Of a document without errors.
    """
    specs, graph = analyse(document).specs, document.graph
    found: dict[Endpoint, Tensor] = {}
    for call in graph.order():
        layer = graph.calls[call].layer
        here, theirs = document.ports(document.layers[layer]), operations[layer].ports()
        arriving = [
            (own.name, found[wire.start])
            for port, own in zip(here[0], theirs[0], strict=True)
            for wire in graph.into(call, port.name)
        ]
        recorded = Recorded(operations[layer], tuple(arriving))
        ends = [Endpoint(call, port.name) for port in here[1]]
        leaving = [
            Tensor(specs[end], recorded, own.name) for end, own in zip(ends, theirs[1], strict=True)
        ]
        found |= zip(ends, leaving, strict=True)
        given = [tensor for _, tensor in arriving] or leaving  # an Input's is its own
        operations[layer].remember(given, leaving)
    return found


def named_by(what: str, given: Any) -> Any:
    """Tensors of a dict in Keras's order, by key, their layers called as they are keyed.

    Raises:
        ProblemError: ``key_differs``: the layer has another name, given by somebody.
    """
    if not isinstance(given, Mapping):
        return given
    for key in sorted(given):
        tensor = given[key]
        if not isinstance(tensor, Tensor):
            raise refuse("no_tensors", received=tensor)
        layer = tensor.call.handle
        if layer.name == key:
            continue
        if not isinstance(layer, Handle) or not _automatic(layer):
            raise refuse("key_differs", what=what, received=key, name=layer.name)
        layer.name = key
    return [given[key] for key in sorted(given)]


def _automatic(layer: Handle) -> bool:
    """Whether nobody gave it its name."""
    stem = "input_layer" if layer.declaration.kind == "Input" else snake(layer.declaration.kind)
    return re.fullmatch(rf"{stem}(_\d+)?", layer.name) is not None
