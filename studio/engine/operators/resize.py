"""Resize: along each axis its result is a product with a matrix that the sizes decide.

Nearest, linear and cubic, with antialiasing and every coordinate of ONNX but that of
``tf_crop_and_resize``: a row of the matrix says which elements make one of the result.
"""

from collections.abc import Mapping, Sequence
from math import floor
from typing import Any

import numpy as np

from studio.engine.builder import Builder, Value
from studio.engine.operator import Binding, Call, GradientNode, Operator, as_tuple, register
from studio.engine.program import Array, Attribute, Dim, Spec

Grads = tuple[Value | None, ...]


def _resize(b: Binding) -> Call:
    x, out = b.input(0), b.out
    for index in (1, 2, 3):
        b.fixed(index)
    pairs = _matrices(b.attrs, x.shape, out.shape, b.optional(2), b.optional(3))
    casts = out.dtype.kind != "f"

    def call() -> None:
        y = x
        for axis, matrix in pairs:
            y = np.moveaxis(np.tensordot(matrix.astype(out.dtype), y, (1, axis)), 0, axis)
        np.copyto(out, np.rint(y) if casts else y, casting="unsafe")

    return call


def _matrices(
    attrs: Mapping[str, Attribute],
    before: tuple[Dim, ...],
    after: tuple[Dim, ...],
    scales: Array | None,
    sizes: Array | None,
) -> list[tuple[int, Array]]:
    """For each axis that changes its matrix, (new size, old size)."""
    if attrs.get("coordinate_transformation_mode") == "tf_crop_and_resize":
        raise ValueError("coordinate_transformation_mode tf_crop_and_resize")
    axes = as_tuple(attrs.get("axes", tuple(range(len(before)))))
    told = {} if scales is None or not scales.size else dict(zip(axes, scales, strict=True))
    if not told and sizes is not None and (same := _kept_ratio(attrs, before, axes, sizes)):
        told = dict.fromkeys(axes, same)
    found = []
    for axis, (old, new) in enumerate(zip(before, after, strict=True)):
        scale = float(told.get(axis, _size(new) / _size(old) if old != new else 1.0))
        if old != new or scale != 1:
            found.append((axis, _matrix(attrs, _size(old), _size(new), scale)))
    return found


def _kept_ratio(
    attrs: Mapping[str, Attribute], before: tuple[Dim, ...], axes: Sequence[int], sizes: Array
) -> float:
    """The one scale of all axes where their ratio is to be kept; else 0."""
    policy = attrs.get("keep_aspect_ratio_policy", "stretch")
    if policy == "stretch":
        return 0.0
    chosen = min if policy == "not_larger" else max
    return float(chosen(size / _size(before[a]) for a, size in zip(axes, sizes, strict=True)))


def _size(dim: Dim) -> int:
    if not isinstance(dim, int):
        raise ValueError(f"an axis of the unknown size {dim} changes")
    return dim


def _matrix(attrs: Mapping[str, Attribute], old: int, new: int, scale: float) -> Array:
    matrix = np.zeros((new, old))
    for i in range(new):
        at = _coordinate(attrs, i, old, new, scale)
        for place, part in _parts(attrs, at, scale, old):
            matrix[i, min(max(place, 0), old - 1)] += part
    return matrix


def _coordinate(attrs: Mapping[str, Attribute], i: int, old: int, new: int, scale: float) -> float:
    """Where element `i` of the result lies among the old ones."""
    length = scale * old  # which the new size is rounded from
    match attrs.get("coordinate_transformation_mode", "half_pixel"):
        case "align_corners":
            return 0.0 if length == 1 else i * (old - 1) / (length - 1)
        case "asymmetric":
            return i / scale
        case "pytorch_half_pixel" if length == 1:
            return -0.5
        case "half_pixel_symmetric":
            return old / 2 * (1 - new / length) + (i + 0.5) / scale - 0.5
        case _:
            return (i + 0.5) / scale - 0.5


def _parts(
    attrs: Mapping[str, Attribute], at: float, scale: float, old: int
) -> list[tuple[int, float]]:
    """The elements around a coordinate and how much of each."""
    mode = attrs.get("mode", "nearest")
    if mode == "nearest":
        return [(_nearest(str(attrs.get("nearest_mode", "round_prefer_floor")), at), 1.0)]
    a = float(attrs.get("cubic_coeff_a", -0.75))  # type: ignore[arg-type]
    shrunk = min(scale, 1.0) if attrs.get("antialias", 0) else 1.0
    reach = (1 if mode == "linear" else 2) / shrunk
    places = range(floor(at - reach), floor(at + reach) + 2)
    curve = _linear if mode == "linear" else _cubic
    parts = [(p, curve(abs(p - at) * shrunk, a)) for p in places]
    if attrs.get("exclude_outside", 0):
        parts = [(p, part) for p, part in parts if 0 <= p < old]
    total = sum(part for _, part in parts)
    return [(p, part / total) for p, part in parts]


def _nearest(mode: str, at: float) -> int:
    lower = floor(at)
    match mode:
        case "floor":
            return lower
        case "ceil":
            return -floor(-at)
        case "round_prefer_ceil":
            return floor(at + 0.5)
        case _:
            return -floor(-(at - 0.5))


def _linear(distance: float, _: float) -> float:
    return max(0.0, 1 - distance)


def _cubic(d: float, a: float) -> float:
    if d <= 1:
        return (a + 2) * d**3 - (a + 3) * d**2 + 1
    return a * d**3 - 5 * a * d**2 + 8 * a * d - 4 * a if d < 2 else 0.0


def _resize_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    """The same products the other way round."""
    told, dy = (n.optional(2), n.optional(3)), grads[0]
    assert dy is not None
    known = [None if value is None else op.consts.get(value.name) for value in told]
    for axis, matrix in _matrices(n.attrs, n.x.shape, n.y.shape, *known):
        last = dy.rank - 1
        order = tuple(last if i == axis else axis if i == last else i for i in range(dy.rank))
        weights: Any = matrix.astype(np.float32 if dy.dtype == "float32" else dy.dtype)
        turned = op.Transpose(dy, perm=order) if axis != last else dy
        turned = op.MatMul(turned, weights)
        dy = op.Transpose(turned, perm=order) if axis != last else turned
    return (dy, *(None for _ in n.inputs[1:]))


def _resize_shape(
    inputs: Sequence[Spec | None], attrs: Mapping[str, Attribute], constants: Sequence[Any]
) -> list[Spec]:
    """An axis of unknown size stays as it is where its scale is 1."""
    x, scales, sizes = inputs[0], *(*constants, None, None)[2:4]
    assert x is not None
    axes = [axis % x.rank for axis in as_tuple(attrs.get("axes", tuple(range(x.rank))))]
    shape = list(x.shape)
    if scales is not None and scales.size:
        for axis, scale in zip(axes, scales, strict=True):
            if scale != 1:
                shape[axis] = floor(_size(shape[axis]) * float(scale))
        return [Spec(x.dtype, tuple(shape))]
    if sizes is None:
        raise ValueError("its scales or sizes are no constants")
    if same := _kept_ratio(attrs, x.shape, axes, sizes):
        sizes = [floor(same * _size(shape[a]) + 0.5) for a in axes]
    for axis, size in zip(axes, sizes, strict=True):
        shape[axis] = int(size)
    return [Spec(x.dtype, tuple(shape))]


register(Operator("Resize", _resize, _resize_gradient, shape=_resize_shape))
