"""How much a program computes, counted and never timed."""

from math import prod

from studio.engine.program import Dim, Node, Program, Spec

_BATCH, _LENGTH = 32, 100  # what sizes that are names count as


def multiplications(program: Program) -> int:
    """How many times one run multiplies in its matrix products, for 32 rows, open lengths at 100.

    Products as written: a pass may do with fewer.
    """
    return sum(_of(node, program) for node in program.nodes)


def _of(node: Node, program: Program) -> int:
    family = node.op.removesuffix("Training").removesuffix("Grad")
    if family in ("LSTM", "GRU", "RNN"):
        return _recurrent(node, program)
    if family in ("Conv", "ConvTranspose", "ConvKernel"):
        return _convolution(node, program)
    if family in ("MatMul", "Gemm"):
        left, right = (program.specs[name] for name in node.inputs[:2])
        turned = node.attrs.get("transB", 0)
        columns = right.shape[-2 if turned else -1] if right.rank > 1 else 1
        return _count(left) * _number(columns)
    return 0


def _convolution(node: Node, program: Program) -> int:
    """Each place of a window multiplies the kernel by what the window holds, also in gradients."""
    small, kernel = {
        "Conv": (node.outputs[0], node.inputs[1]),
        "ConvTranspose": (node.inputs[0], node.inputs[1]),
        "ConvKernelGrad": (node.inputs[1], node.outputs[0]),
    }[node.op]
    places, filters = program.specs[small], program.specs[kernel]
    return _count(places) * _count(Spec(filters.dtype, filters.shape[1:]))


def _recurrent(node: Node, program: Program) -> int:
    """Each step multiplies input and state by all gates; its gradient does so twice."""
    x, w, r = (program.specs[name] for name in node.inputs[:3])
    steps = _count(Spec(x.dtype, x.shape[:2]))
    each = _count(Spec(w.dtype, w.shape)) + _count(Spec(r.dtype, r.shape))
    return steps * each * (2 if node.op.endswith("Grad") else 1)


def _count(spec: Spec) -> int:
    return prod(_number(dim) for dim in spec.shape)


def _number(dim: Dim) -> int:
    """A size; ``batch*time`` is a product of two."""
    if isinstance(dim, int):
        return dim
    parts = dim.split("*")
    return prod(int(p) if p.isdigit() else _BATCH if p == "batch" else _LENGTH for p in parts)
