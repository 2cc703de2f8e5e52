"""LSTM as one operator: forward, forward with its reserve, and the backward through time.

Time-major, ONNX's layouts: X (time, batch, input), W (directions, 4·units, input),
R (directions, 4·units, units), B (directions, 8·units), gates in the order i, o, f, c.

With sequence_lens a row of the batch holds its state over the steps beyond its length, and gives
zeros there; a row of length 0 ends with zeros, as on onnxruntime.

What makes it fast: the input projections of all steps are one product before the loop, the
weight gradients one product after it; the backward takes its local derivatives by chunks of time
that fit the cache, so the loop that remains multiplies, and multiplies once.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from studio.engine.builder import Builder, Value
from studio.engine.operator import (
    Binding,
    Buffer,
    Call,
    GradientNode,
    Operator,
    register,
)
from studio.engine.operators.gates import Cell
from studio.engine.program import Attribute, Dim, Spec

_VANISHED = 1e-30  # below this a gradient only breeds denormal numbers, which are slow
_CHUNK_BYTES = 1 << 19  # local derivatives are taken for as many steps as fit this


def _directions(b: Binding) -> list[bool]:
    """For each direction, whether it walks time backwards."""
    known = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}
    return known[b.attr("direction", "forward")]


def _steps(count: int, backwards: bool) -> list[int]:
    return list(range(count))[::-1] if backwards else list(range(count))


def _refuse_unsupported(b: Binding) -> None:
    if b.optional(7) is not None:
        raise ValueError("LSTM: the engine does not run peepholes")
    if "clip" in b.attrs or b.attr("input_forget", 0):
        raise ValueError("LSTM: the engine runs neither clip nor input_forget")
    if b.attr("layout", 0) != 0:
        raise ValueError("LSTM: the engine runs time-major sequences (layout 0) only")


def _beyond(b: Binding) -> Callable[[], tuple[list[Buffer | None], Buffer | None]]:
    """What sequence_lens says of a run: for each step the rows that ended before it.

    As a (batch, 1) column, or None where none ended; and likewise the rows without any step.
    """
    time, lens = b.input(0).shape[0], b.optional(4)
    if lens is None:
        nothing: list[Buffer | None] = [None] * time
        return lambda: (nothing, None)

    def read() -> tuple[list[Buffer | None], Buffer | None]:
        ended = [(lens <= t)[:, None] for t in range(time)]
        return [column if column.any() else None for column in ended], ended[0]

    return read


# -- forward -------------------------------------------------------------------------------------


def _forward(b: Binding) -> Call:
    """Both LSTM and LSTMTraining: the reserve is scratch where nobody asked for it."""
    _refuse_unsupported(b)
    calls = [_forward_direction(b, d, backwards) for d, backwards in enumerate(_directions(b))]
    if len(calls) == 1:
        return calls[0]

    def call() -> None:
        for direction in calls:
            direction()

    return call


def _or_scratch(b: Binding, index: int, shape: tuple[int, ...]) -> Buffer:
    wanted = b.outputs[index] if index < len(b.outputs) else None
    return b.scratch(shape, b.input(0).dtype) if wanted is None else wanted


def _forward_direction(b: Binding, d: int, backwards: bool) -> Call:
    x, w, r = b.input(0), b.input(1)[d], b.input(2)[d]
    cell = Cell.of(b, d)
    time, batch, width = x.shape
    units, count = cell.units, len(_directions(b))
    y = _or_scratch(b, 0, (time, count, batch, units))[:, d]
    gates = _or_scratch(b, 3, (time, count, batch, 4 * units))[:, d]
    cells = _or_scratch(b, 4, (time, count, batch, units))[:, d]
    projected = b.scratch((batch, 4 * units), x.dtype)
    product, first = b.scratch((batch, units), x.dtype), _start(b, d, batch, units)
    bias = b.optional(3)
    flat_x = x.reshape(time * batch, width)
    flat_gates = gates.reshape(time * batch, 4 * units) if gates.flags.c_contiguous else None
    order = _steps(time, backwards)
    views = [
        (gates[t], gates[t, :, : 3 * units], *_blocks(gates[t], units), cells[t], y[t])
        for t in order
    ]
    r_t, w_t = r.T, w.T
    beyond, held = _beyond(b), b.scratch((batch, units), x.dtype)
    ends = [None if i >= len(b.outputs) else b.outputs[i] for i in (1, 2)]

    def call() -> None:
        if flat_gates is None:
            np.copyto(gates, np.matmul(flat_x, w_t).reshape(gates.shape))
        else:
            np.matmul(flat_x, w_t, flat_gates)
        if bias is not None:
            np.add(gates, bias[d, : 4 * units] + bias[d, 4 * units :], gates)
        ended, empty = beyond()
        h, c = first
        for t, (all_gates, squashed, i, o, f, g, new_c, new_h) in zip(order, views, strict=True):
            np.matmul(h, r_t, projected)
            np.add(all_gates, projected, all_gates)
            cell.gates.apply(squashed)
            cell.candidate.apply(g)
            np.multiply(f, c, new_c)
            np.multiply(i, g, product)
            np.add(new_c, product, new_c)
            np.copyto(product, new_c)
            cell.result.apply(product)
            np.multiply(o, product, new_h)
            column = ended[t]
            if column is not None:
                _hold(column, (h, c), (new_h, new_c), held)
            h, c = new_h if column is None else held, new_c
        for end, value in zip(ends, (h, c), strict=True):
            if end is not None:
                np.copyto(end[d], value)
                if empty is not None:
                    np.copyto(end[d], 0, where=empty)

    return call


def _hold(
    column: Buffer, before: tuple[Buffer, Buffer], after: tuple[Buffer, Buffer], held: Buffer
) -> None:
    """Rows that ended keep their states (the output's in `held`) and give zeros."""
    (h, c), (new_h, new_c) = before, after
    np.copyto(new_c, c, where=column)
    if h is not held:
        np.copyto(held, h)
    np.copyto(held, new_h, where=~column)
    np.copyto(new_h, 0, where=column)


def _blocks(gates: Buffer, units: int) -> tuple[Buffer, Buffer, Buffer, Buffer]:
    """The four gates i, o, f, c of one step, as views."""
    i, o, f, c = (gates[..., k * units : (k + 1) * units] for k in range(4))
    return i, o, f, c


def _start(b: Binding, d: int, batch: int, units: int) -> tuple[Buffer, Buffer]:
    """The states before the first step: given, or zero."""
    zeros = np.zeros((batch, units), b.input(0).dtype)
    h, c = b.optional(5), b.optional(6)
    return (zeros if h is None else h[d], zeros if c is None else c[d])


# -- backward ------------------------------------------------------------------------------------

# Inputs of LSTMGrad: the eight of LSTM, then Y, gates, cells, dY, dY_h, dY_c.
_Y, _GATES, _CELLS, _DY, _DH, _DC = range(8, 14)


def _backward(b: Binding) -> Call:
    _refuse_unsupported(b)
    dx = b.outputs[0]
    calls = [_backward_direction(b, d, backwards) for d, backwards in enumerate(_directions(b))]

    def call() -> None:
        if dx is not None:
            dx.fill(0)
        for direction in calls:
            direction()

    return calls[0] if len(calls) == 1 else call


def _backward_direction(b: Binding, d: int, backwards: bool) -> Call:
    x, r = b.input(0), b.input(2)[d]
    cell = Cell.of(b, d)
    time, batch, _ = x.shape
    units = cell.units
    order = _steps(time, backwards)
    d_gates = b.scratch((time, batch, 4 * units), x.dtype)
    dh, dc, product = (b.scratch((batch, units), x.dtype) for _ in range(3))
    dy = b.optional(_DY)
    ends = [b.optional(_DH), b.optional(_DC)]
    local = _local_derivatives(b, d, cell, order)
    finish = _weight_gradients(b, d, order, d_gates, dh, dc)
    steps = [(t, d_gates[t], d_gates[t].reshape(batch, 4, units)) for t in order]

    beyond, held = _beyond(b), b.scratch((2, batch, units), x.dtype)

    def call() -> None:
        ended, empty = beyond()
        for gradient, end in ((dh, ends[0]), (dc, ends[1])):
            np.copyto(gradient, 0 if end is None else end[d])
            if empty is not None:
                np.copyto(gradient, 0, where=empty)
        for span, slopes in local:
            if dy is None and _vanished(dh, dc):
                for _, flat, _ in steps[: span.stop]:
                    flat.fill(0)
                break
            to_gates, to_cell, forget = slopes()
            for k in reversed(range(span.start, span.stop)):
                t, flat, blocks = steps[k]
                at = k - span.start
                column = ended[t]
                if column is not None:
                    np.copyto(held, (dh, dc))
                if dy is not None:
                    np.add(dh, dy[t, d], dh)
                np.multiply(dh, to_cell[at], product)
                np.add(dc, product, dc)
                np.multiply(to_gates[at], dc[:, None, :], blocks)
                np.multiply(to_gates[at, :, 1], dh, blocks[:, 1])  # the output gate sees dh
                np.multiply(dc, forget[at], dc)
                if column is not None:
                    np.copyto(flat, 0, where=column)
                np.matmul(flat, r, dh)
                if column is not None:  # a row that ended hands its gradients on as they are
                    np.copyto(dh, held[0], where=column)
                    np.copyto(dc, held[1], where=column)
        finish()

    return call


def _vanished(dh: Buffer, dc: Buffer) -> bool:
    return bool(np.abs(dh).max() < _VANISHED and np.abs(dc).max() < _VANISHED)


def _local_derivatives(
    b: Binding, d: int, cell: Cell, order: list[int]
) -> list[tuple[slice, Callable[[], tuple[Buffer, Buffer, Buffer]]]]:
    """Chunks of steps, last first, each with a function that gives its local derivatives.

    For step t: ``to_gates`` (batch, 4, units) is d(pre-activation gate)/d(its incoming gradient),
    ``to_cell`` = d(cell)/d(output) and ``forget`` = the forget gate.
    """
    gates, cells = b.input(_GATES), b.input(_CELLS)
    _, _, batch, four = gates.shape
    units, dtype = cell.units, gates.dtype
    span = max(1, min(len(order), _CHUNK_BYTES // (batch * four * dtype.itemsize)))
    to_gates = b.scratch((span, batch, 4, units), dtype)
    to_cell, squashed, forget, before = (b.scratch((span, batch, units), dtype) for _ in range(4))
    _, first = _start(b, d, batch, units)

    def slopes_of(chunk: slice) -> Callable[[], tuple[Buffer, Buffer, Buffer]]:
        steps = order[chunk]
        n = len(steps)

        def slopes() -> tuple[Buffer, Buffer, Buffer]:
            for k, t in enumerate(steps):
                np.copyto(forget[k], gates[t, d, :, 2 * units : 3 * units])
                np.copyto(squashed[k], cells[t, d])
                at = chunk.start + k
                np.copyto(before[k], first if at == 0 else cells[order[at - 1], d])
                for gate in range(3):
                    block = gates[t, d, :, gate * units : (gate + 1) * units]
                    cell.gates.slope(block, to_gates[k, :, gate])
                i, o, _, g = _blocks(gates[t, d], units)
                cell.candidate.slope(g, to_gates[k, :, 3])
                np.multiply(to_gates[k, :, 0], g, to_gates[k, :, 0])
                np.multiply(to_gates[k, :, 3], i, to_gates[k, :, 3])
            cell.result.apply(squashed[:n])
            cell.result.slope(squashed[:n], to_cell[:n])
            for k, t in enumerate(steps):
                _, o, _, _ = _blocks(gates[t, d], units)
                np.multiply(to_cell[k], o, to_cell[k])
            np.multiply(to_gates[:n, :, 1], squashed[:n], to_gates[:n, :, 1])
            np.multiply(to_gates[:n, :, 2], before[:n], to_gates[:n, :, 2])
            return to_gates, to_cell, forget

        return slopes

    edges = [*range(0, len(order), span), len(order)]
    chunks = [slice(start, stop) for start, stop in pairwise(edges)]
    return [(chunk, slopes_of(chunk)) for chunk in reversed(chunks)]


def _weight_gradients(
    b: Binding, d: int, order: list[int], d_gates: Buffer, dh: Buffer, dc: Buffer
) -> Call:
    """The products after the loop: dX, dW, dR, dB, and the gradients of the first states."""
    x, w, y = b.input(0), b.input(1)[d], b.input(_Y)
    time, batch, width = x.shape
    units = y.shape[-1]
    dx, dw, dr, db, dh0, dc0 = (*b.outputs, *(None,) * 6)[:6]
    flat_d = d_gates.reshape(time * batch, 4 * units)
    flat_x = x.reshape(time * batch, width)
    before = b.scratch((time, batch, units), x.dtype)
    first, _ = _start(b, d, batch, units)
    beyond = _beyond(b)
    added = b.scratch((time * batch, width), x.dtype) if d else None

    def call() -> None:
        if dx is not None and added is None:
            np.matmul(flat_d, w, dx.reshape(time * batch, width))
        elif dx is not None:
            np.matmul(flat_d, w, added)
            np.add(dx, added.reshape(dx.shape), dx)  # type: ignore[union-attr]
        if dw is not None:
            np.matmul(flat_d.T, flat_x, dw[d])
        if dr is not None:
            ended, _ = beyond()
            np.copyto(before[order[0]], first)
            for previous, t in pairwise(order):
                np.copyto(before[t], y[previous, d])
                column = ended[previous]
                if column is not None:  # read backwards, a row starts at its own last step
                    np.copyto(before[t], first, where=column)
            np.matmul(flat_d.T, before.reshape(time * batch, units), dr[d])
        if db is not None:
            np.sum(flat_d, axis=0, out=db[d, : 4 * units])
            np.copyto(db[d, 4 * units :], db[d, : 4 * units])
        if dh0 is not None:
            np.copyto(dh0[d], dh)
        if dc0 is not None:
            np.copyto(dc0[d], dc)

    return call


# -- rules ---------------------------------------------------------------------------------------


def _gradient(
    op: Builder, n: GradientNode, grads: tuple[Value | None, ...]
) -> tuple[Value | None, ...]:
    """Of LSTMTraining: one LSTMGrad over its inputs, its reserve and what arrives."""
    y, _, _, gates, cells = n.outputs
    inputs = [*n.inputs, *(None,) * (8 - len(n.inputs))]
    differentiable = (0, 1, 2, 3, 5, 6)
    results = op.call("LSTMGrad", (*inputs, y, gates, cells, *grads[:3]), 6, None, **n.attrs)
    found: list[Value | None] = [None] * 8
    for index, result in zip(differentiable, results, strict=True):
        if inputs[index] is not None:
            found[index] = result
    return found[: len(n.inputs)]  # type: ignore[return-value]


def _training_shape(
    inputs: Sequence[Spec | None], attrs: Mapping[str, Attribute], constants: Sequence[Any]
) -> list[Spec]:
    x, w = inputs[0], inputs[1]
    assert x is not None and w is not None
    time, batch, _ = x.shape
    directions, units = w.shape[0], int(attrs["hidden_size"])  # type: ignore[arg-type]

    def spec(*shape: Dim) -> Spec:
        return Spec(x.dtype, shape)

    state = spec(directions, batch, units)
    return [
        spec(time, directions, batch, units),
        state,
        state,
        spec(time, directions, batch, 4 * units),
        spec(time, directions, batch, units),
    ]


def _grad_shape(
    inputs: Sequence[Spec | None], attrs: Mapping[str, Attribute], constants: Sequence[Any]
) -> list[Spec]:
    x, w, r, y = inputs[0], inputs[1], inputs[2], inputs[_Y]
    assert x is not None and w is not None and r is not None and y is not None
    units, directions = int(attrs["hidden_size"]), w.shape[0]  # type: ignore[arg-type]
    state = Spec(x.dtype, (directions, x.shape[1], units))
    return [x, w, r, Spec(x.dtype, (directions, 8 * units)), state, state]


register(Operator("LSTM", _forward, training="LSTMTraining"))
register(Operator("LSTMTraining", _forward, _gradient, shape=_training_shape))
register(Operator("LSTMGrad", _backward, shape=_grad_shape))
