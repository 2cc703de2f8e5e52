"""How much a program computes, counted and never timed."""

from math import prod

from studio.engine.program import Dim, Node, Program, Spec

_LENGTH = 100  # what open sizes other than the batch count as


def multiplications(program: Program, rows: int = 32) -> int:
    """How many times one run multiplies in its matrix products, for so many rows.

    Products as written: a pass may do with fewer. Open lengths count as 100.
    """
    return sum(_of(node, program, rows) for node in program.nodes)


def size(spec: Spec, rows: int) -> int:
    """How many numbers a value has, for so many rows; open lengths count as 100."""
    return prod(_number(dim, rows) for dim in spec.shape)


def _of(node: Node, program: Program, rows: int) -> int:
    family = node.op.removesuffix("Training").removesuffix("Grad")
    if family in ("LSTM", "GRU", "RNN"):
        return _recurrent(node, program, rows)
    if family in ("Conv", "ConvTranspose", "ConvKernel"):
        return _convolution(node, program, rows)
    if family in ("MatMul", "Gemm"):
        left, right = (program.specs[name] for name in node.inputs[:2])
        turned = node.attrs.get("transB", 0)
        columns = right.shape[-2 if turned else -1] if right.rank > 1 else 1
        return size(left, rows) * _number(columns, rows)
    return _einsum(node, program, rows) if node.op == "Einsum" else 0


def _einsum(node: Node, program: Program, rows: int) -> int:
    """Two values are multiplied once for each choice of all their axes."""
    if len(node.inputs) != 2 or "." in str(node.attrs["equation"]):
        return 0
    terms = str(node.attrs["equation"]).replace(" ", "").split("->")[0].split(",")
    sizes: dict[str, Dim] = {}
    for name, axes in zip(node.inputs, terms, strict=True):
        sizes |= dict(zip(axes, program.specs[name].shape, strict=False))
    return prod(_number(dim, rows) for dim in sizes.values())


def _convolution(node: Node, program: Program, rows: int) -> int:
    """Each place of a window multiplies the kernel by what the window holds, also in gradients."""
    small, kernel = {
        "Conv": (node.outputs[0], node.inputs[1]),
        "ConvTranspose": (node.inputs[0], node.inputs[1]),
        "ConvKernelGrad": (node.inputs[1], node.outputs[0]),
    }[node.op]
    places, filters = program.specs[small], program.specs[kernel]
    return size(places, rows) * size(Spec(filters.dtype, filters.shape[1:]), rows)


def _recurrent(node: Node, program: Program, rows: int) -> int:
    """Each step multiplies input and state by all gates; its gradient does so twice."""
    x, w, r = (program.specs[name] for name in node.inputs[:3])
    steps = size(Spec(x.dtype, x.shape[:2]), rows)
    each = size(w, rows) + size(r, rows)
    return steps * each * (2 if node.op.endswith("Grad") else 1)


def _number(dim: Dim, rows: int) -> int:
    """A size; ``batch*time`` is a product of two."""
    if isinstance(dim, int):
        return dim
    parts = dim.split("*")
    return prod(int(p) if p.isdigit() else rows if p == "batch" else _LENGTH for p in parts)
