"""Convolutions: what windows hold becomes the rows of a matrix, and one product does the rest.

A convolution and its transpose are each other's gradient by what they read; by their kernel both
have the same, `ConvKernelGrad`. Kernels here take channels last (see `layouts`): pictures
(batch, *sizes, channels), kernels (*sizes, channels of a group, results).

Q: Why so few pictures at once?
A: The matrix is as many times larger than the pictures as the window has elements. A part that
   stays in the cache is multiplied where it was gathered.
"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from studio.engine.bodies import conv as bodies
from studio.engine.bodies.windows import begins_of, cut_to, open_sizes, sizes_known
from studio.engine.builder import Builder, Value
from studio.engine.operator import Binding, Buffer, Call, GradientNode, Operator, as_tuple
from studio.engine.operators.layouts import register_both
from studio.engine.operators.windows import Window, padding, window
from studio.engine.program import Attribute, Spec

Grads = tuple[Value | None, ...]
_BLOCK = 1 << 18  # elements of the matrix that is made at once


def _window(b: Binding, large: Buffer, small: Buffer, kernel: Buffer) -> Window:
    return window(b.attrs, kernel.shape[:-2], large.shape[1:-1], small.shape[1:-1])


def _is_depthwise(kernel: Buffer) -> bool:
    """Whether each channel is alone in its group."""
    return int(kernel.shape[-2]) == 1 and int(kernel.shape[-1]) > 1


class _Columns:
    """What the windows hold, as matrices (groups, windows, elements), for some pictures at a time.

    `gather` fills them and gives a view of one that is no copy where a window is one element;
    `scatter` adds them up to pictures again.
    """

    def __init__(self, b: Binding, w: Window, pictures: Buffer, groups: int) -> None:
        self._w, self._groups = w, groups
        channels = pictures.shape[-1]
        width = prod(w.kernel) * channels
        self.count = max(1, min(len(pictures), _BLOCK // max(1, prod(w.places) * width)))
        self._matrix = b.scratch(
            (groups, self.count, *w.places, *w.kernel, channels // groups), pictures.dtype
        )
        shape = (self.count, *w.padded, channels)
        self._padded = b.scratch(shape, pictures.dtype) if w.padded != w.sizes else None

    def blocks(self, total: int) -> list[slice]:
        """Which pictures are worked on at once."""
        return [slice(at, min(at + self.count, total)) for at in range(0, total, self.count)]

    def matrix(self, count: int) -> Buffer:
        """Of so many pictures; to be written."""
        return self._matrix[:, :count].reshape(self._groups, count * prod(self._w.places), -1)

    def gather(self, pictures: Buffer) -> tuple[Buffer, Call]:
        """The matrix of these pictures, and the call that fills it."""
        count, channels = len(pictures), pictures.shape[-1]
        if self._w.plain and self._groups == 1:
            return pictures.reshape(1, -1, channels), lambda: None
        source = pictures if self._padded is None else self._padded[:count]
        apart = (*self._w.view(source).shape[:-1], self._groups, channels // self._groups)
        seen = np.moveaxis(_split_last(self._w.view(source), apart), -2, 0)
        target = self._matrix[:, :count]
        if self._padded is None:
            return self.matrix(count), lambda: np.copyto(target, seen)
        inside = source[self._w.inside()]

        def call() -> None:
            source.fill(0)
            np.copyto(inside, pictures)
            np.copyto(target, seen)

        return self.matrix(count), call

    def scatter(self, pictures: Buffer) -> Call:
        """The call that writes the sums of the matrix's elements to the pictures they are from."""
        count = len(pictures)
        matrix = np.moveaxis(self._matrix[:, :count], 0, -2)
        apart = (*pictures.shape[:-1], self._groups, pictures.shape[-1] // self._groups)
        target, batch = _split_last(pictures, apart), slice(None)
        spots: tuple[Any, ...] = (batch,) * (1 + len(self._w.places))
        pairs = [
            (target[elements], matrix[(*spots, *index)][places])
            for index, places, elements in self._w.taps()
        ]

        def call() -> None:
            target.fill(0)
            for place, part in pairs:
                np.add(place, part, place)

        return call


def _split_last(array: Buffer, shape: Sequence[int]) -> Buffer:
    """A view with the last axis in two: groups, and what is in each."""
    *rest, last = array.strides
    strides = (*rest, shape[-1] * last, last)
    return np.lib.stride_tricks.as_strided(array, tuple(shape), strides)


def _grouped(array: Buffer, groups: int) -> Buffer:
    """(…, channels) as (groups, …, channels of one), each … one axis; a view."""
    return array.reshape(-1, groups, array.shape[-1] // groups).transpose(1, 0, 2)


# -- the convolution -----------------------------------------------------------------------------


def _conv(b: Binding) -> Call:
    x, kernel, bias, out = b.input(0), b.input(1), b.optional(2), b.out
    w, groups = _window(b, x, out, kernel), int(b.attr("group", 1))
    depthwise = groups > 1 and _is_depthwise(kernel)
    multiply = _conv_by_taps(b, w, x, kernel) if depthwise else _conv_by_product(b, w, x, groups)
    if bias is None:
        return multiply

    def call() -> None:
        multiply()
        np.add(out, bias, out)

    return call


def _conv_by_product(b: Binding, w: Window, x: Buffer, groups: int) -> Call:
    columns, kernel, out = _Columns(b, w, x, groups), _grouped(b.input(1), groups), b.out
    steps = []
    for block in columns.blocks(len(x)):
        matrix, gather = columns.gather(x[block])
        steps.append((gather, matrix, _grouped(out[block], groups)))

    def call() -> None:
        for gather, matrix, result in steps:
            gather()
            np.matmul(matrix, kernel, result)

    return call


def _conv_by_taps(b: Binding, w: Window, x: Buffer, kernel: Buffer) -> Call:
    """Each channel by itself: one element of the window after the other, all channels at once."""
    channels, each = x.shape[-1], kernel.shape[-1] // x.shape[-1]
    out = b.out.reshape(*b.out.shape[:-1], channels, each)
    factors = kernel.reshape(*w.kernel, channels, each)
    spare = b.scratch(out.shape, out.dtype)
    steps = [
        (x[elements][..., None], factors[index], spare[places], out[places])
        for index, places, elements in w.taps()
    ]

    def call() -> None:
        out.fill(0)
        for read, factor, product, result in steps:
            np.multiply(read, factor, product)
            np.add(result, product, result)

    return call


# -- its transpose -------------------------------------------------------------------------------


def _transpose(b: Binding) -> Call:
    y, kernel, bias, out = b.input(0), b.input(1), b.optional(2), b.out
    w, groups = _transpose_window(b, out, y, kernel), int(b.attr("group", 1))
    depthwise = groups > 1 and _is_depthwise(kernel)
    spread = _spread_by_taps(b, w, y, kernel) if depthwise else _spread(b, w, y, groups)
    if bias is None:
        return spread

    def call() -> None:
        spread()
        np.add(out, bias, out)

    return call


def _transpose_window(b: Binding, large: Buffer, small: Buffer, kernel: Buffer) -> Window:
    """ONNX's ``output_shape`` and ``auto_pad`` say the pads by the sizes there are."""
    sizes, places = large.shape[1:-1], small.shape[1:-1]
    attrs = {name: value for name, value in b.attrs.items() if name != "pads"}
    if "output_shape" in attrs and attrs.get("auto_pad", "NOTSET") == "NOTSET":
        attrs["auto_pad"] = "SAME_LOWER"
    elif "pads" in b.attrs:
        attrs["pads"] = b.attrs["pads"]
    return window(attrs, kernel.shape[:-2], sizes, places)


def _spread(b: Binding, w: Window, y: Buffer, groups: int) -> Call:
    """The products of each element of `y` with the kernel, added up where they belong."""
    out, kernel = b.out, _grouped(b.input(1), groups).transpose(0, 2, 1)
    columns = _Columns(b, w, out, groups)
    steps = []
    for block in columns.blocks(len(y)):
        pictures = out[block]
        steps.append(
            (
                _grouped(y[block], groups),
                columns.matrix(len(pictures)),
                columns.scatter(pictures),
            )
        )

    def call() -> None:
        for read, matrix, scatter in steps:
            np.matmul(read, kernel, matrix)
            scatter()

    return call


def _spread_by_taps(b: Binding, w: Window, y: Buffer, kernel: Buffer) -> Call:
    out = b.out
    channels, each = out.shape[-1], kernel.shape[-1] // out.shape[-1]
    read, factors = (
        y.reshape(*y.shape[:-1], channels, each),
        kernel.reshape(*w.kernel, channels, each),
    )
    spare, sums = b.scratch(read.shape, y.dtype), b.scratch(read.shape[:-1], y.dtype)
    steps = [(factors[i], sums[places], out[elements]) for i, places, elements in w.taps()]

    def call() -> None:
        out.fill(0)
        for factor, part, result in steps:
            np.multiply(read, factor, spare)
            np.add.reduce(spare, -1, out=sums)
            np.add(result, part, result)

    return call


# -- by the kernel -------------------------------------------------------------------------------


def _kernel_grad(b: Binding) -> Call:
    x, dy, out, bias = b.input(0), b.input(1), b.outputs[0], b.outputs[1:]
    calls = []
    if out is not None:
        w, groups = _window(b, x, dy, out), int(b.attr("group", 1))
        depthwise = groups > 1 and _is_depthwise(out)
        calls.append(_by_taps(b, w, x, out) if depthwise else _by_product(b, w, x, groups))
    if bias and bias[0] is not None:
        calls.append(_column_sums(dy.reshape(-1, dy.shape[-1]), bias[0]))

    def call() -> None:
        for part in calls:
            part()

    return call


def _column_sums(rows: Buffer, out: Buffer) -> Call:
    """By a product with ones: the sums of many rows in a fraction of the time."""
    ones = np.ones(len(rows), rows.dtype)
    return lambda: np.dot(ones, rows, out)


def _by_product(b: Binding, w: Window, x: Buffer, groups: int) -> Call:
    dy, out = b.input(1), b.out
    columns, sums = _Columns(b, w, x, groups), _grouped(out, groups)
    steps = []
    for block in columns.blocks(len(x)):
        matrix, gather = columns.gather(x[block])
        steps.append((gather, matrix.transpose(0, 2, 1), _grouped(dy[block], groups)))
    spare = b.scratch(sums.shape, out.dtype)

    def call() -> None:
        sums.fill(0)
        for gather, matrix, arriving in steps:
            gather()
            np.matmul(matrix, arriving, spare)
            np.add(sums, spare, sums)

    return call


def _by_taps(b: Binding, w: Window, x: Buffer, out: Buffer) -> Call:
    channels, each = x.shape[-1], out.shape[-1] // x.shape[-1]
    dy = b.input(1)
    arriving = dy.reshape(*dy.shape[:-1], channels, each)
    sums, axes = out.reshape(*w.kernel, channels, each), tuple(range(x.ndim - 1))
    spare = b.scratch(arriving.shape, x.dtype)
    steps = [
        (x[elements][..., None], arriving[places], spare[places], sums[index])
        for index, places, elements in w.taps()
    ]

    def call() -> None:
        for read, part, product, result in steps:
            np.multiply(read, part, product)
            np.add.reduce(product, axes, out=result)

    return call


def _kernel_grad_shape(
    inputs: Sequence[Spec | None], attrs: Mapping[str, Attribute], _: Sequence[Any]
) -> list[Spec]:
    x, dy = inputs[:2]
    assert x is not None and dy is not None
    inputs_each = int(x.shape[1]) // int(attrs.get("group", 1))  # type: ignore[arg-type]
    kernel = (dy.shape[1], inputs_each, *as_tuple(attrs["kernel_shape"]))
    return [Spec(x.dtype, kernel), Spec(x.dtype, (dy.shape[1],))]


# -- gradients -----------------------------------------------------------------------------------


def _conv_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    """By what it reads: the transpose. By the kernel: products of what was read and arrives."""
    dy, kernel = grads[0], n.input(1)
    assert dy is not None
    attrs = _explicit(n, n.x, n.y, kernel)
    dx = None
    if n.needs[0]:
        dx = _read_back(op, n.x, dy, kernel, attrs)
    return (dx, *_by_kernel(op, n, n.x, dy, attrs))


def _transpose_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    dy, kernel = grads[0], n.input(1)
    assert dy is not None
    attrs = _explicit(n, n.y, n.x, kernel)
    if "pads" not in attrs:
        raise ValueError("auto_pad depends on sizes that are only known when it runs")
    dx = op.call("Conv", (dy, kernel), specs=[n.x.spec], **attrs)[0] if n.needs[0] else None
    dkernel = op.ConvKernelGrad(dy, n.x, **attrs) if n.needs[1] else None
    bias = n.optional(2)
    others = np.array([i for i in range(dy.rank) if i != 1], np.int64)
    return (dx, dkernel, op.ReduceSum(dy, others, keepdims=0) if bias else None)


def _read_back(op: Builder, x: Value, dy: Value, kernel: Value, attrs: dict[str, Any]) -> Value:
    """The gradient of what a convolution read: each element's, of all windows it is in."""
    rank = x.rank - 2
    strides = as_tuple(attrs.get("strides", (1,) * rank))
    if "pads" in attrs and (max(strides) == 1 or sizes_known(x, dy)):
        ends = {} if max(strides) == 1 else _output_padding(attrs, x, dy)
        return op.call("ConvTranspose", (dy, kernel), specs=[x.spec], **attrs, **ends)[0]
    plain = {name: v for name, v in attrs.items() if name not in ("pads", "auto_pad")}
    spec = open_sizes(dy, x.shape[1], rank)
    spread = op.call("ConvTranspose", (dy, kernel), specs=[spec], **plain)[0]
    return cut_to(op, spread, begins_of(op, x, attrs), strides, x, x.spec)


def _by_kernel(
    op: Builder, n: GradientNode, large: Value, small: Value, attrs: dict[str, Any]
) -> Grads:
    biased = n.optional(2) is not None
    if not any(n.needs[1:]):
        return (None, None)
    found = op.call("ConvKernelGrad", (large, small), outputs=1 + biased, **attrs)
    return (found[0], found[1] if biased else None)


def _explicit(n: GradientNode, large: Value, small: Value, kernel: Value) -> dict[str, Any]:
    """The attributes with the kernel's shape, and with pads: those that any sizes have.

    ``auto_pad`` stays where it depends on sizes that are only known when a step runs.
    """
    sizes, places, window = (
        tuple(d for d in v.shape[2:] if isinstance(d, int)) for v in (large, small, kernel)
    )
    attrs = {k: v for k, v in n.attrs.items() if k in ("strides", "dilations", "group")}
    given = dict(n.attrs)
    if "output_shape" in given:
        given = {"auto_pad": "SAME_LOWER", **given}
    if given.get("auto_pad", "NOTSET") == "NOTSET":
        pads = as_tuple(given.get("pads", (0,) * (2 * len(window))))
    elif len(sizes) == len(places) == len(window):
        pads = padding(given, window, sizes, places)
    else:
        return {**attrs, "auto_pad": given["auto_pad"], "kernel_shape": window}
    return {**attrs, "pads": pads, "kernel_shape": window}


def _output_padding(attrs: Mapping[str, Attribute], large: Value, small: Value) -> dict[str, Any]:
    """What no window reached at the end of each axis; its sizes are known."""
    kernel, pads = as_tuple(attrs["kernel_shape"]), as_tuple(attrs["pads"])
    rank = len(kernel)
    strides, dilations = (as_tuple(attrs.get(n, (1,) * rank)) for n in ("strides", "dilations"))
    rests = []
    for axis, (size, places) in enumerate(zip(large.shape[2:], small.shape[2:], strict=True)):
        assert isinstance(size, int)
        assert isinstance(places, int)
        reach = (places - 1) * strides[axis] + (kernel[axis] - 1) * dilations[axis] + 1
        rests.append(size + pads[axis] + pads[axis + rank] - reach)
    return {"output_padding": tuple(rests)}


register_both(Operator("Conv", _conv, _conv_gradient))
register_both(Operator("ConvTranspose", _transpose, _transpose_gradient))
register_both(
    Operator("ConvKernelGrad", _kernel_grad, shape=_kernel_grad_shape, body=bodies.kernel_grad)
)
