"""Comparing a listing, which names nothing, with an example, which names its ports."""

from dataclasses import replace
from typing import Any

from studio.document import edits
from studio.document.canonical import canonical
from studio.document.model import Document
from studio.document.plan import OutputPlan


def structure(document: Document) -> Any:
    """The canonical form without the names somebody gave, and without metrics."""
    for layer in document.layers:
        document = edits.rename_layer(document, layer, "")
    graphs = {k: replace(g, name="model") for k, g in document.graphs.items()}
    plans = {k: OutputPlan(p.loss, p.weight) for k, p in document.plan.outputs.items()}
    plan = replace(document.plan, outputs=plans)
    return canonical(replace(document, graphs=graphs, plan=plan))
