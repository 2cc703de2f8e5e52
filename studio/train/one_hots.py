"""One-hots among the arrays that Python passes, kept and fed as the places of their ones.

An array of one-hots is hundreds of times its places, and its products are rows of the other
matrix. The model is not concerned: its Input, and the input of its ONNX file, take one-hots; only
the programs that train, evaluate and predict here are fed places and make one-hots of them, which
the NumPy engine then need not.

The rule: an array of numbers is taken for one-hots if every row along its last axis holds exactly
one 1, or none, and else zeros; if a sample holds enough numbers to be worth it; and if a layer
that reads by index takes the Input: Dense, a recurrent layer, a wrapper or a model around one,
or Masking before one. Arrays that are read from files by blocks are left as they are.
"""

from math import prod

import numpy as np

from studio.document.model import CallId, Document, Graph, LayerId, Submodel, Wrapped
from studio.engine.program import Array
from studio.layers.bidirectional import Bidirectional
from studio.layers.dense import Dense
from studio.layers.masking_layer import Masking
from studio.layers.recurrent import Recurrent
from studio.train.arrays import OneHots

_ENOUGH = 4096  # numbers in a sample; products with fewer cost less than what saves them
_FEW = 16  # rows that are looked at first
_BLOCK = 1 << 20  # bytes looked at at once: they fit the cache


def places_of(array: Array) -> OneHots | None:
    """`array` by the places of its ones, or None if it holds other rows than one-hots and zeros.

    Stops at the first block that is not so; of most arrays that is a few rows. Bit-exact.
    """
    if array.ndim < 2 or prod(array.shape[1:]) < _ENOUGH or array.dtype.kind not in "buif":
        return None
    depth = array.shape[-1]
    rows = array.reshape(-1, depth)
    if len(rows) == 0 or _places(rows[:_FEW]) is None:
        return None
    found = np.empty(len(rows), np.min_scalar_type(depth))
    size = max(1, _BLOCK // (depth * array.itemsize))
    for start in range(0, len(rows), size):
        block = _places(rows[start : start + size])
        if block is None:
            return None
        found[start : start + size] = block
    return OneHots(found.reshape(array.shape[:-1]), depth)


def _places(rows: Array) -> Array | None:
    """The place of each row's only 1, the depth where it has none; None if it has others."""
    marked = rows != 0
    places = marked.argmax(axis=1)  # the first one in each row
    hot = rows[np.arange(len(rows)), places] == 1
    if np.count_nonzero(marked) != np.count_nonzero(hot):
        return None
    found: Array = np.where(hot, places, rows.shape[1])
    return found


# -- who reads by index --------------------------------------------------------------------------


def read_by_index(document: Document, call: CallId) -> bool:
    """Whether a layer takes an Input that does with the places of ones."""
    return _read(document, document.graph, call)


def _read(document: Document, graph: Graph, call: CallId) -> bool:
    return any(
        _read(document, graph, wire.target)
        if isinstance(document.layers[graph.calls[wire.target].layer].body, Masking)
        else _takes(document, graph.calls[wire.target].layer, wire.input)
        for wire in graph.out_of(call, "output")
    )


def _takes(document: Document, layer: LayerId, port: str) -> bool:
    match document.layers[layer].body:
        case Dense():
            return True
        case Recurrent() | Bidirectional():
            return port == "x"
        case Wrapped(_, inner):
            (entrance, *_), _ = document.ports(document.layers[inner])
            return _takes(document, inner, entrance.name)
        case Submodel(graph_id):
            return _read(document, document.graphs[graph_id], port)
        case _:
            return False
