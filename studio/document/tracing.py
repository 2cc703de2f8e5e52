"""From symbolic tensors, which remember how they were made, to a document."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from studio.document import edits
from studio.document.analysis import analyse, shapes_in_use
from studio.document.copier import Copier
from studio.document.keras_order import layer_order
from studio.document.model import Document, Endpoint, Graph, LayerEntry, LayerId, Submodel, Wrapped
from studio.engine.program import Spec
from studio.layers.base import Port
from studio.layers.functional import (
    Handle,
    Operation,
    Recorded,
    Tensor,
    TimeDistributed,
    chosen_name,
)
from studio.problem import ProblemError, refuse

Tensors = Tensor | Sequence[Tensor]


class ModelLayer(Operation):
    """A model as a layer: calling it on tensors uses its structure and its weights once more.

    Attributes:
        operations: everything the document's layers are, at whatever depth, by their ids.
    """

    operations: Mapping[LayerId, Operation]

    @property
    def document(self) -> Document:
        """The document that says its structure."""
        raise TypeError(f"{type(self).__name__} has no document")

    def ports(self) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
        document = self.document
        return document.ports(LayerEntry(Submodel(document.main), self.name))

    def use(self, specs: tuple[Spec, ...]) -> tuple[Spec, ...]:
        found = shapes_in_use(self.document, specs)
        if found.problems:
            raise ProblemError(found.problems)
        return found.outputs

    def parts(self) -> list[Operation]:
        return [self.operations[layer] for layer in layer_order(self.document)]


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
) -> tuple[Document, dict[LayerId, Operation]]:
    """The document of everything that leads from `inputs` to `outputs`.

    Its calls are in the order they were made; what its layers are is given by their ids.

    Raises:
        ProblemError: ``input_not_listed``, ``input_unused``, ``input_no_input``, ``tensor_twice``,
            ``name_twice``.
    """
    _refuse_twice("inputs", inputs)
    _refuse_twice("outputs", outputs)
    calls = _calls_between(inputs, outputs)
    tracer = _Tracer(Document({"g1": Graph(chosen_name(name, "functional"))}))
    for call in sorted(calls, key=lambda c: c.number):
        tracer.call(call)
    document = tracer.document
    for tensor in outputs:
        document = edits.mark_output(document, tracer.end(tensor))
    graph = replace(document.graph, inputs=tuple(tracer.calls[t.call] for t in inputs))
    document = replace(document, graphs={**document.graphs, document.main: graph})
    for operation, layer in tracer.layers.items():
        if document.layers[layer].trainable != operation.trainable:
            document = edits.set_trainable(document, layer, operation.trainable)
    problems = [p for p in analyse(document).errors if p.code in ("name_twice", "cycle")]
    if problems:
        raise ProblemError(problems)
    return document, {layer: operation for operation, layer in tracer.layers.items()}


class _Tracer:
    """Puts recorded calls into a document, one after the other."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.calls: dict[Recorded, str] = {}
        self.layers: dict[Operation, LayerId] = {}

    def call(self, call: Recorded) -> None:
        operation = call.handle
        if operation not in self.layers and isinstance(operation, Handle):
            self.document, made = edits.add_layer(
                self.document, operation.declaration, name=operation.name
            )
            self.layers[operation] = self.document.graph.calls[made].layer
        else:
            layer = self._layer(operation)
            self.document, made = edits.use_layer(self.document, layer)
        self.calls[call] = made
        for port, tensor in call.inputs:
            end = Endpoint(made, self._port(operation, port, 0))
            self.document = edits.connect(self.document, self.end(tensor), end)

    def end(self, tensor: Tensor) -> Endpoint:
        """The port that a tensor leaves."""
        port = self._port(tensor.call.handle, tensor.port, 1)
        return Endpoint(self.calls[tensor.call], port)

    def _layer(self, operation: Operation) -> LayerId:
        """The id of a layer, declared now if it is new."""
        if operation in self.layers:
            return self.layers[operation]
        match operation:
            case Handle():
                body = operation.declaration
                self.document, made = edits.declare_layer(self.document, body, operation.name)
            case TimeDistributed():
                wrapped = Wrapped(operation.declaration, self._layer(operation.layer))
                self.document, made = edits.declare_layer(self.document, wrapped, operation.name)
            case ModelLayer():
                made = self._model(operation)
            case _:
                raise TypeError(f"{operation!r} is neither a layer nor a model")
        self.layers[operation] = made
        return made

    def _model(self, model: ModelLayer) -> LayerId:
        """A model's graph copied here, its layers those that are here already where they are."""
        known = {i: self.layers[o] for i, o in model.operations.items() if o in self.layers}
        source = model.document
        copier = Copier(source, self.document, known)
        graph = copier.graph(source.main)
        self.layers |= {
            o: copier.layers[i] for i, o in model.operations.items() if i in copier.layers
        }
        self.document, made = edits.declare_layer(copier.document, Submodel(graph), model.name)
        return made

    def _port(self, operation: Operation, port: str, side: int) -> str:
        """What a port is called here: a model's are called after calls of its own document."""
        names = [p.name for p in operation.ports()[side]]
        here = self.document.ports(self.document.layers[self.layers[operation]])[side]
        return here[names.index(port)].name


def _refuse_twice(what: str, tensors: list[Tensor]) -> None:
    counts = Counter((t.call, t.port) for t in tensors)
    for tensor in tensors:
        if counts[tensor.call, tensor.port] > 1:
            raise refuse("tensor_twice", what=what, name=tensor.name)


def _calls_between(inputs: list[Tensor], outputs: list[Tensor]) -> set[Recorded]:
    for tensor in inputs:
        if tensor.call.inputs:
            raise refuse("input_no_input", name=tensor.name, received=tensor.spec)
    starts = {tensor.call for tensor in inputs}
    found, ahead = set[Recorded](), [tensor.call for tensor in outputs]
    while ahead:
        call = ahead.pop()
        if call in found:
            continue
        if not call.inputs and call not in starts:
            raise refuse("input_not_listed", name=call.handle.name)
        found.add(call)
        ahead += [tensor.call for _, tensor in call.inputs]
    for tensor in inputs:
        if tensor.call not in found:
            raise refuse("input_unused", name=tensor.name)
    return found
