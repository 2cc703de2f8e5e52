"""Names a user sees, and that histories, files and Python use for inputs and outputs."""

from studio.document.model import Document, Endpoint


def input_names(document: Document) -> dict[str, str]:
    """The name of each input of the main graph, by call id: its layer's."""
    return {call: document.entry(call).name for call in document.graph.inputs}


def output_names(document: Document) -> dict[Endpoint, str]:
    """The name of each output of the main graph: its layer's, numbered where several share one."""
    names: dict[Endpoint, str] = {}
    for endpoint in document.graph.outputs:
        stem = name = document.entry(endpoint.call).name
        number = 0
        while name in names.values():
            number += 1
            name = f"{stem}_{number}"
        names[endpoint] = name
    return names


def loss_names(document: Document) -> list[str]:
    """The names of the outputs that have a loss, in the order the losses are counted in."""
    plans = document.plan.outputs
    return [
        name
        for end, name in output_names(document).items()
        if end.key in plans and plans[end.key].loss is not None
    ]
