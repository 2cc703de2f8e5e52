"""What results of a model depend on: where that changes, they are of what was."""

from studio.document.model import Document, Graph


def judged_parts(document: Document) -> tuple[object, ...]:
    """All that a document's numbers come from: not where its nodes stand, nor how it is trained."""
    graphs = [(g.wires, g.inputs, g.outputs, _calls(g)) for g in document.graphs.values()]
    return document.layers, document.plan.outputs, document.plan.data, graphs


def _calls(graph: Graph) -> dict[str, tuple[str, bool]]:
    return {call_id: (call.layer, call.muted) for call_id, call in graph.calls.items()}
