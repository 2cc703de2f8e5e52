"""Products read a transposed matrix as it lies; no copy of it is made."""

from dataclasses import replace

from studio.engine.passes.eliminate_dead import eliminate_dead
from studio.engine.program import Node, Program


def read_transposed(program: Program) -> Program:
    """With a Gemm for every product of matrices of which one is transposed. Bit-exact.

    1. The left operand, the right one, or both are transposed matrices.
    2. Not a product of more axes than two, which Gemm does not know.
    """
    writers = program.writers()
    nodes = tuple(_reading(program, node, writers) for node in program.nodes)
    return eliminate_dead(replace(program, nodes=nodes))


def _reading(program: Program, node: Node, writers: dict[str, Node]) -> Node:
    if node.op != "MatMul" or any(program.specs[name].rank != 2 for name in node.inputs):
        return node  # case 2
    turned = [writers.get(name) for name in node.inputs]
    turned = [before if before and before.op == "Transpose" else None for before in turned]
    if not any(turned):
        return node
    inputs = tuple(
        before.inputs[0] if before else name
        for name, before in zip(node.inputs, turned, strict=True)
    )
    left, right = (int(before is not None) for before in turned)
    return replace(node, op="Gemm", inputs=inputs, attrs={"transA": left, "transB": right})
