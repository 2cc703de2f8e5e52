"""Wrappers as places to drop a layer on."""

from studio.document import edits, sharing
from studio.document.model import Body, CallId, Document, Wrapped
from studio.layers.base import Layer
from studio.layers.time_distributed import TimeDistributed
from studio.problem import ProblemError
from studio.ui.canvas.commands import entry_of


def slot_of(body: object) -> str | None:
    """The parameter of a layer that holds another layer, as a Bidirectional's."""
    if not isinstance(body, Layer):
        return None
    return next((p.name for p in body.params() if isinstance(getattr(body, p.name), Layer)), None)


def holds(document: Document, call: CallId) -> bool:
    """Whether a layer can be dropped on a call."""
    body = entry_of(document, call).body
    return isinstance(body, Wrapped | TimeDistributed) or slot_of(body) is not None


def filled(document: Document, wrapper: CallId, body: Body) -> Document:
    """With a new layer inside a wrapper.

    Raises:
        ProblemError: it cannot be inside.
    """
    slot = slot_of(entry_of(document, wrapper).body)
    if slot is None:
        return sharing.put_new_into(document, wrapper, body)
    return _set(document, wrapper, slot, body)


def moved_into(document: Document, wrapper: CallId, call: CallId) -> Document:
    """With a call's layer inside a wrapper, and the call gone.

    Raises:
        ProblemError: it cannot be inside.
    """
    slot = slot_of(entry_of(document, wrapper).body)
    if slot is None:
        _, graph = edits.graph_of(document, call)
        document = sharing.put_into(document, wrapper, graph.calls[call].layer)
    else:
        document = _set(document, wrapper, slot, entry_of(document, call).body)
    return edits.remove_calls(document, [call])


def _set(document: Document, wrapper: CallId, slot: str, body: Body) -> Document:
    """With a declaration as a parameter of a wrapper's, where it can be one."""
    _, graph = edits.graph_of(document, wrapper)
    layer = graph.calls[wrapper].layer
    document = edits.set_parameters(document, layer, **{slot: body})
    changed = document.layers[layer].body
    assert isinstance(changed, Layer)
    problems = changed.problems()
    if problems:
        raise ProblemError(problems)
    return document
