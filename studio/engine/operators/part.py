"""A piece of an array whose numbers follow one another, seen as an array of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from studio.engine.operator import Binding, Buffer, Call, Operator, as_tuple, register
from studio.engine.program import Attribute, Spec


def _piece(b: Binding) -> Buffer:
    start = int(b.attr("start", 0))
    return b.input(0).reshape(-1)[start : start + b.out.size].reshape(b.out.shape)


def _part(b: Binding) -> Call:
    piece, out = _piece(b), b.out
    return lambda: np.copyto(out, piece)


def _shape(inputs: Sequence[Spec | None], attrs: Mapping[str, Attribute], _: Any) -> list[Spec]:
    whole = inputs[0]
    assert whole is not None
    return [Spec(whole.dtype, as_tuple(attrs["shape"]) if attrs["shape"] else ())]


register(Operator("Part", _part, shape=_shape, view=_piece))
