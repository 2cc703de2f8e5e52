"""What the layers of a project are in Python."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from studio.document import edits
from studio.document.inside import layers_of
from studio.document.model import LayerId, Submodel, Wrapped
from studio.document.plan import TrainPlan
from studio.document.project import Project
from studio.layers.base import Layer, Weight
from studio.layers.functional import Handle, Operation, TimeDistributed
from studio.problem import refuse

MakeModel = Callable[[Project, dict[LayerId, Operation], bool], Operation]


def operation_of(
    project: Project,
    layer: LayerId,
    weights: Mapping[LayerId, tuple[Weight, ...]],
    operations: dict[LayerId, Operation],
    model: MakeModel,
) -> Operation:
    """What a layer of a project is in Python, made once, with all that is inside it."""
    if layer in operations:
        return operations[layer]
    document = project.document
    entry = document.layers[layer]
    found: Operation
    match entry.body:
        case Layer() as body:
            cells, owned = project.store.cells(layer), weights.get(layer, ())
            found = Handle.around(body, entry.name, entry.trainable, cells, owned)
        case Wrapped(_, wrapped):
            inside = operation_of(project, wrapped, weights, operations, model)
            found = TimeDistributed(inside, name=entry.name, trainable=entry.trainable)
        case Submodel(graph):
            within = {
                i: operation_of(project, i, weights, operations, model)
                for i in layers_of(document, graph)
            }
            named = edits.with_graph(
                document, graph, replace(document.graphs[graph], name=entry.name)
            )
            inner = replace(named, main=graph, plan=TrainPlan())
            found = model(Project(inner, project.store), within, entry.trainable)
        case _:
            raise refuse("unknown_layer", kind=entry.kind)
    operations[layer] = found
    return found
