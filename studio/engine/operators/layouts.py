"""Operators over pictures in two layouts: ONNX's, channels second, and ours, channels last.

Each operator of `LAYOUTS` has a twin, called ``<name>Last``, that computes the same on arrays with
the channels last and on kernels laid out as Keras has them, (*sizes, in, out). The twins exist in
NumPy only: `studio.engine.passes.channels_last` puts them in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from studio.engine import shapes
from studio.engine.operator import Binding, Buffer, Call, Kernel, Operator, ShapeRule, register
from studio.engine.program import Attribute, Spec

PICTURES, KERNEL, SAME = "pictures", "kernel", "same"
LAYOUTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # of operands, of results
    "Conv": ((PICTURES, KERNEL, SAME), (PICTURES,)),
    "ConvTranspose": ((PICTURES, KERNEL, SAME), (PICTURES,)),
    "ConvKernelGrad": ((PICTURES, PICTURES), (KERNEL, SAME)),
    "MaxPool": ((PICTURES,), (PICTURES, PICTURES)),
    "AveragePool": ((PICTURES,), (PICTURES,)),
    "AveragePoolGrad": ((PICTURES, PICTURES), (PICTURES,)),
    "MaxPoolGrad": ((PICTURES, PICTURES, PICTURES), (PICTURES,)),
}


def to_last(layout: str, rank: int) -> tuple[int, ...]:
    """The order of axes that puts the channels last."""
    sizes = tuple(range(2, rank))
    orders = {PICTURES: (0, *sizes, 1), KERNEL: (*sizes, 1, 0), SAME: tuple(range(rank))}
    return orders[layout]


def to_first(layout: str, rank: int) -> tuple[int, ...]:
    """The inverse of `to_last`."""
    order = to_last(layout, rank)
    return tuple(order.index(axis) for axis in range(rank))


def register_both(operator: Operator) -> None:
    """Put an operator in the table whose kernel takes channels last, and its twin."""
    name, kernel = operator.name, operator.kernel
    register(replace(operator, kernel=_copying(name, kernel)))
    register(Operator(f"{name}Last", kernel, shape=_last_shape(name)))


def _copying(name: str, kernel: Kernel) -> Kernel:
    """The kernel for ONNX's layout: on copies, which the twin does without."""

    def bind(b: Binding) -> Call:
        ins, outs = LAYOUTS[name]
        inputs = [_copy_of(b, array, kind) for array, kind in zip(b.inputs, ins, strict=False)]
        outputs = [_copy_of(b, array, kind) for array, kind in zip(b.outputs, outs, strict=False)]
        call = kernel(replace(b, inputs=tuple(inputs), outputs=tuple(outputs)))
        given = _pairs(inputs, b.inputs, ins)
        made = _pairs(outputs, b.outputs, outs)

        def run() -> None:
            for copy, array in given:
                copy[...] = array
            call()
            for copy, array in made:
                array[...] = copy

        return run

    return bind


def _copy_of(b: Binding, array: Buffer | None, layout: str) -> Buffer | None:
    if array is None or layout == SAME:
        return array
    return b.scratch(array.transpose(to_last(layout, array.ndim)).shape, array.dtype)


def _pairs(
    copies: Sequence[Buffer | None], arrays: Sequence[Buffer | None], layouts: Sequence[str]
) -> list[tuple[Buffer, Buffer]]:
    """Each copy, and the array it stands for, seen in the same order."""
    return [
        (copy, array.transpose(to_last(layout, array.ndim)))
        for copy, array, layout in zip(copies, arrays, layouts, strict=False)
        if copy is not None and array is not None and copy is not array
    ]


def _last_shape(name: str) -> ShapeRule:
    """The rule of the operator itself, asked in its own layout."""

    def rule(
        inputs: Sequence[Spec | None], attrs: Mapping[str, Attribute], constants: Sequence[Any]
    ) -> list[Spec]:
        ins, outs = LAYOUTS[name]
        first = [
            spec and ordered(spec, to_first(layout, spec.rank))
            for spec, layout in zip(inputs, ins, strict=False)
        ]
        found = shapes.infer(name, first, attrs, constants, len(outs))
        return [
            ordered(spec, to_last(layout, spec.rank))
            for spec, layout in zip(found, outs, strict=True)
        ]

    return rule


def ordered(spec: Spec, order: Sequence[int]) -> Spec:
    """A spec with its axes in another order."""
    return Spec(spec.dtype, tuple(spec.shape[axis] for axis in order))
