"""A model's structure, as Keras shows it: names, layers, ends, a table, a configuration."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from studio.document import edits
from studio.document.analysis import analyse
from studio.document.lowering import raise_first
from studio.document.model import Document, Endpoint, LayerId
from studio.document.names import input_names, output_names
from studio.document.project import Project
from studio.document.summary import summary
from studio.document.tracing import ModelLayer
from studio.formats import document_json
from studio.layers.functional import Handle, Operation, Tensor
from studio.models import symbols
from studio.models.arguments import ignored
from studio.problem import Problem, refuse


class Structure(ModelLayer):
    """What of a model is there without data.

    Attributes:
        project: its document, with the Store of the weights.
    """

    project: Project
    _trainable: bool
    _seed: int
    _symbols: tuple[list[Tensor], list[Tensor]] | None  # the ends, once they are known

    @property
    def document(self) -> Document:
        """The document, with its layers frozen or not as their handles now say."""
        document = self.project.document
        for layer, operation in self.operations.items():
            if document.layers[layer].trainable != operation.trainable:
                document = edits.set_trainable(document, layer, operation.trainable)
        self.project.document = document
        return document

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.project.document.graph.name

    @property
    def trainable(self) -> bool:
        """Whether training changes it; setting it sets every layer inside, as in Keras."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = value
        for operation in self.operations.values():
            operation.trainable = value

    @property
    def layers(self) -> list[Operation]:
        """The layers in Keras's order; a model used as a layer is one of them."""
        if self._symbols is None and not _misshapen(self.document):
            self._ends()  # so that each knows its tensors
        return self.parts()

    @property
    def input_names(self) -> list[str]:
        return list(input_names(self.document).values())

    @property
    def output_names(self) -> list[str]:
        return list(output_names(self.document).values())

    @property
    def inputs(self) -> list[Tensor]:
        """The symbolic tensors it starts from: another model may start there."""
        return list(self._ends()[0])

    @property
    def outputs(self) -> list[Tensor]:
        """The symbolic tensors it gives."""
        return list(self._ends()[1])

    @property
    def input(self) -> Any:
        """The tensor it starts from, or a list of them."""
        return alone(self.inputs)

    @property
    def output(self) -> Any:
        """The tensor it gives, or a list of them."""
        return alone(self.outputs)

    @property
    def input_shape(self) -> Any:
        """The input's shape, None where it is open, or a list of such."""
        return alone([tensor.shape for tensor in self.inputs])

    @property
    def output_shape(self) -> Any:
        """The output's shape, None where it is open, or a list of such."""
        return alone([tensor.shape for tensor in self.outputs])

    def get_layer(self, name: str | None = None, index: Any = None) -> Operation:
        """The layer called `name`, or at a place of `layers`."""
        if (name is None) == (index is None):
            raise refuse("layer_one_of", received=f"name={name!r}, index={index!r}")
        if index is not None:
            count = len(self.layers)
            if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < count:
                raise refuse("layer_index", received=index, expected=count - 1)
            return self.layers[index]
        for operation in self.layers:
            if operation.name == name:
                return operation
        known = ", ".join(operation.name for operation in self.layers)
        raise refuse("unknown_name", what="layer", name=name, known=known)

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Print the layers with their output shapes and parameters.

        Args:
            line_length: says nothing here: columns are as wide as what is in them.
            positions: likewise.
            print_fn: takes the text; prints it if None.
            expand_nested: what is inside a model or wrapper is listed below it.
            show_trainable: a column says which layers training changes.
            layer_range: the names, or patterns of names, of the first and the last layer shown.
        """
        unread = {"line_length": (line_length, (None,)), "positions": (positions, (None,))}
        ignored("summary", unread)
        text = summary(self.document, expand_nested, show_trainable, layer_range)
        (print if print_fn is None else print_fn)(text)

    def get_config(self) -> dict[str, Any]:
        """The structure and how to train it, as JSON values; no weights."""
        return document_json.to_json(self.document)

    def to_json(self, **options: Any) -> str:
        """`get_config` as text; `options` go to ``json.dumps``. `model_from_json` reads it."""
        return json.dumps(self.get_config(), **options)

    def _ends(self) -> tuple[list[Tensor], list[Tensor]]:
        """The tensors it starts from and those it gives; of a loaded model made when asked for."""
        if self._symbols is None:
            raise_first(_misshapen(self.document))
            graph, found = self.document.graph, symbols.tensors(self.document, self.operations)
            starts = [found[Endpoint(call, "output")] for call in graph.inputs]
            self._symbols = starts, [found[end] for end in graph.outputs]
        return self._symbols

    def _handles(self) -> Iterator[tuple[LayerId, Handle]]:
        """The layers that own weights, at whatever depth."""
        for layer, operation in self.operations.items():
            if isinstance(operation, Handle):
                yield layer, operation

    def _initialize(self) -> None:
        for layer, handle in self._handles():
            for weight in handle.declared_weights:
                if not self.project.store.lacks_file(layer, weight):  # else they can still be set
                    self.project.store.ensure(layer, weight, self._seed)


def _misshapen(document: Document) -> list[Problem]:
    """What keeps tensors from flowing; not what keeps them from being trained."""
    analysis = analyse(document)
    return [problem for problem in analysis.errors if problem not in analysis.training]


def alone(values: list[Any]) -> Any:
    """The only one, or all."""
    return values[0] if len(values) == 1 else values
