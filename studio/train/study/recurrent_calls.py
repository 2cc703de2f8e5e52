"""The calls that the recurrent microscope can look into."""

from studio.document.model import Body, Document, GraphId, LayerId, Path, Submodel
from studio.document.nesting import owner
from studio.layers.bidirectional import Bidirectional
from studio.layers.recurrent import Recurrent


def recurrent_paths(document: Document) -> list[Path]:
    """Those of recurrent layers, at any depth and within wrappers."""
    return _paths_in(document, document.main, ())


def _paths_in(document: Document, graph: GraphId, path: Path) -> list[Path]:
    found: list[Path] = []
    for call in document.graphs[graph].order():
        here = (*path, call)
        match unwrapped(document, document.graphs[graph].calls[call].layer):
            case Submodel(inner):
                found += _paths_in(document, inner, here)
            case Recurrent() | Bidirectional():
                found.append(here)
    return found


def is_recurrent(document: Document, layer: LayerId) -> bool:
    """Whether calls of a layer can be looked into."""
    return isinstance(unwrapped(document, layer), Recurrent | Bidirectional)


def unwrapped(document: Document, layer: LayerId) -> Body:
    """The body of a layer, or of the one within its wrappers."""
    return document.layers[owner(document, layer)].body
