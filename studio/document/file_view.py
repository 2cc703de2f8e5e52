"""What an ONNX file computes as a graph to look at: a node for each operator, and for each input.

It is no part of the document it is made from: nothing in it can be edited, and nothing computes it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from studio.document.analysis import Analysis
from studio.document.layout import arrange
from studio.document.model import (
    Call,
    CallId,
    Document,
    Endpoint,
    Graph,
    LayerEntry,
    LayerId,
    Wire,
)
from studio.engine.imported import Imported
from studio.engine.program import Node, Spec
from studio.engine.shapes import operand_names
from studio.engine.unfolding import flat
from studio.initializers.constant import Zeros
from studio.layers.base import Layer, Port, Weight

_GENERATED = re.compile(r"(_output_\d+|:\d+)$")  # what exporters put behind a node's name


@dataclass(frozen=True)
class FileOperator(Layer):
    """One operator of a file: its name, and the operands that other operators give."""

    op: str = ""
    takes: tuple[str, ...] = ()
    gives: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        return self.op

    def inputs(self) -> tuple[Port, ...]:
        return tuple(Port(name) for name in self.takes)

    def outputs(self) -> tuple[Port, ...]:
        return tuple(Port(name) for name in self.gives)


@dataclass(frozen=True)
class FileView:
    """A file to look at.

    Attributes:
        document: its main graph has the operators.
        analysis: the shapes of what they give, and which weights of the file they read.
        owners: the layers whose weights are those of the file.
    """

    document: Document
    analysis: Analysis
    owners: tuple[LayerId, ...]


def file_view(file: Imported, name: str, arriving: Sequence[Spec], trainable: bool) -> FileView:
    """The operators of a file, laid out.

    Args:
        file: what it computes.
        name: what the layer is called.
        arriving: what its inputs are; as the file declares them where that is not known.
        trainable: whether the layer is trained.
    """
    inputs = dict(zip(file.inputs, arriving, strict=True)) if arriving else dict(file.inputs)
    drawing = _Drawing(file, _known(file, inputs), trainable)
    for value in file.inputs:
        drawing.add("Input", value, (), (value,))
    for node in file.nodes:
        drawing.add(node.op, _title(node), _read(node), node.outputs)
    return drawing.view(name)


def _known(file: Imported, inputs: Mapping[str, Spec]) -> Mapping[str, Spec]:
    """The specs of the file's values, as far as they can be known."""
    try:
        return {**file.straight({**inputs, **file.weights}).specs, **inputs}
    except ValueError:
        return inputs


def _read(node: Node) -> tuple[str, ...]:
    """What a node reads; an If and a Loop also read, inside, what is around them."""
    inside = {name for inner in flat([node]) for name in inner.inputs} - {*node.inputs}
    return (*node.inputs, *sorted(inside)) if inside and flat([node]) != [node] else node.inputs


def _title(node: Node) -> str:
    """The last part of what the exporter called it."""
    name = _GENERATED.sub("", next(name for name in node.outputs if name))
    return "/".join(part for part in name.split("/")[-2:] if part) or node.op


class _Drawing:
    """The graph under construction."""

    def __init__(self, file: Imported, specs: Mapping[str, Spec], trainable: bool) -> None:
        self.file, self.known, self.trainable = file, specs, trainable
        self.layers: dict[LayerId, LayerEntry] = {}
        self.calls: dict[CallId, Call] = {}
        self.wires: list[Wire] = []
        self.weights: dict[LayerId, tuple[Weight, ...]] = {}
        self.specs: dict[Endpoint, Spec] = {}
        self.written: dict[str, Endpoint] = {}

    def add(self, op: str, title: str, reads: Sequence[str], writes: Sequence[str]) -> None:
        call = f"operator{len(self.calls)}"
        takes, gives = operand_names(op, len(reads), len(writes))
        wired = [(port, name) for port, name in zip(takes, reads, strict=True)]
        wired = [(port, name) for port, name in wired if name in self.written]
        body = FileOperator(op, tuple(p for p, _ in wired), tuple(gives))
        weights = tuple(self._weights(reads))
        trained = self.trainable and any(w.trainable for w in weights)
        self.layers[call] = LayerEntry(body, title, trained or not weights)
        self.calls[call] = Call(call)
        if weights:
            self.weights[call] = weights
        for port, name in wired:
            start = self.written[name]
            self.wires.append(Wire(start.call, start.port, call, port))
        for port, name in zip(gives, writes, strict=True):
            if name:
                self.written[name] = Endpoint(call, port)
                if name in self.known:
                    self.specs[self.written[name]] = self.known[name]

    def _weights(self, reads: Sequence[str]) -> Iterator[Weight]:
        for name in dict.fromkeys(reads):
            spec = self.file.weights.get(name)
            if spec is not None:
                sizes = tuple(int(size) for size in spec.shape)
                yield Weight(name, sizes, Zeros(), name not in self.file.frozen)

    def view(self, name: str) -> FileView:
        ends = (self.written[value] for value in self.file.outputs if value in self.written)
        inputs = tuple(list(self.calls)[: len(self.file.inputs)])
        graph = Graph(name, self.calls, frozenset(self.wires), inputs, tuple(dict.fromkeys(ends)))
        document = arrange(Document({"file": graph}, self.layers, "file"))
        return FileView(document, Analysis(self.specs, weights=self.weights), tuple(self.weights))
