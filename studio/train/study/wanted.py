"""What somebody looks at while a model trains, or while it rests."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from studio.document.model import Document, Endpoint, LayerId, Path, Submodel, Wrapped

__all__ = ["Path", "Tap", "Wanted", "layer_at"]


class Tap(NamedTuple):
    """What leaves a port of a call, whatever wires carry it."""

    path: Path
    port: str

    @classmethod
    def of(cls, end: Endpoint) -> "Tap":
        """That of a port of the main graph."""
        return cls((end.call,), end.port)


@dataclass(frozen=True)
class Wanted:
    """What somebody looks at; nothing of the rest is computed.

    Attributes:
        lens: how strongly each loss trains each part.
        taps: the values that are looked at.
        recurrent: the recurrent layer under the microscope.
        rows: those that samples are chosen from.
        sample: which one of them, counted from 0.
        scales: other loss weights than the plan's, by the outputs' endpoint keys: to see what
            they would change. The others stay.
    """

    lens: bool = False
    taps: tuple[Tap, ...] = ()
    recurrent: Path | None = None
    rows: Literal["validation", "training"] = "validation"
    sample: int = 0
    scales: Mapping[str, float] | None = None

    def __bool__(self) -> bool:
        """Whether anything is looked at."""
        return bool(self.lens or self.taps or self.recurrent)


def layer_at(document: Document, path: Path) -> LayerId:
    """The layer of a call, by its path; of a wrapper's the wrapper.

    Raises:
        KeyError: there is no such call.
    """
    graph, layer = document.graph, ""
    for call in path:
        if layer:
            graph = document.graphs[_inner(document, layer)]
        layer = graph.calls[call].layer
    return layer


def _inner(document: Document, layer: LayerId) -> str:
    """The graph within a layer, through wrappers."""
    body = document.layers[layer].body
    while isinstance(body, Wrapped):
        body = document.layers[body.layer].body
    if not isinstance(body, Submodel):
        raise KeyError(layer)
    return body.graph
