"""From symbolic tensors, which remember how they were made, to a document."""

from collections.abc import Sequence
from dataclasses import replace

from studio.document import edits
from studio.document.analysis import analyse
from studio.document.model import Document, Endpoint, Graph, LayerId
from studio.layers.functional import Handle, Recorded, Tensor, automatic_name
from studio.problem import ProblemError, refuse

Tensors = Tensor | Sequence[Tensor]


def listed(tensors: Tensors) -> list[Tensor]:
    """One tensor, or several, as a list."""
    found = [tensors] if isinstance(tensors, Tensor) else tensors
    if not isinstance(found, list | tuple) or not found:
        raise refuse("no_tensors", received=found)
    for tensor in found:
        if not isinstance(tensor, Tensor):
            raise refuse("no_tensors", received=tensor)
    return list(found)


def traced(
    inputs: list[Tensor], outputs: list[Tensor], name: str | None
) -> tuple[Document, dict[LayerId, Handle]]:
    """The document of everything that leads from `inputs` to `outputs`.

    Its calls are in the order they were made; the handles are given by the layers' ids.

    Raises:
        ProblemError: ``input_not_listed``, ``name_twice``.
    """
    calls = _calls_between(inputs, outputs)
    document = Document({"g1": Graph(name or automatic_name("functional"))})
    ids: dict[Recorded, str] = {}
    layers: dict[Handle, LayerId] = {}
    for call in sorted(calls, key=lambda c: c.number):
        handle = call.handle
        if handle in layers:
            document, ids[call] = edits.use_layer(document, layers[handle], (0.0, 0.0))
        else:
            document, ids[call] = edits.add_layer(document, handle.declaration, name=handle.name)
            layers[handle] = document.graph.calls[ids[call]].layer
        for port, tensor in call.inputs:
            start = Endpoint(ids[tensor.call], tensor.port)
            document = edits.connect(document, start, Endpoint(ids[call], port))
    for tensor in outputs:
        document = edits.mark_output(document, Endpoint(ids[tensor.call], tensor.port))
    graph = replace(document.graph, inputs=tuple(ids[t.call] for t in inputs))
    document = replace(document, graphs={**document.graphs, document.main: graph})
    for handle, layer in layers.items():
        if not handle.trainable:
            document = edits.set_trainable(document, layer, False)
    problems = [p for p in analyse(document).errors if p.code in ("name_twice", "cycle")]
    if problems:
        raise ProblemError(problems)
    return document, {layer: handle for handle, layer in layers.items()}


def _calls_between(inputs: list[Tensor], outputs: list[Tensor]) -> set[Recorded]:
    starts = {tensor.call for tensor in inputs}
    found, ahead = set(starts), [tensor.call for tensor in outputs]
    while ahead:
        call = ahead.pop()
        if call in found:
            continue
        if not call.inputs:
            raise refuse("input_not_listed", name=call.handle.name)
        found.add(call)
        ahead += [tensor.call for _, tensor in call.inputs]
    return found
