"""The gradient of a crossentropy goes through the softmax before it in one step."""

from dataclasses import replace

from studio.engine.passes.eliminate_dead import eliminate_dead
from studio.engine.program import Node, Program

_GRAD = "CategoricalCrossentropyGrad"


def softmax_crossentropy(program: Program) -> Program:
    """With p·(dp − Σ dp·p) computed from dp's operands. Exact to float32 rounding.

    1. dp is the gradient of a crossentropy of p, which a Softmax over the last axis gives: neither
       dp nor a product with it exists.
    2. Where p gets other gradients too, dp is a sum, and everything stays.
    """
    writers = program.writers()
    nodes = tuple(_through(program, node, writers) for node in program.nodes)
    return eliminate_dead(replace(program, nodes=nodes))


def _through(program: Program, node: Node, writers: dict[str, Node]) -> Node:
    """`node`, or if it is the last product, what stands for all of it."""
    p, difference = _operands(node, "Mul", writers, "Softmax", "Sub")
    grad, total = _operands(difference, "Sub", writers, _GRAD, "ReduceSum")
    product = writers.get(total.inputs[0]) if total else None
    if p is None or grad is None or product is None or product.op != "Mul":
        return node
    (probabilities,), (dp,) = p.outputs, grad.outputs
    last = p.attrs.get("axis", -1) in (-1, program.specs[probabilities].rank - 1)
    if not last or grad.inputs[2] != probabilities or set(product.inputs) != {dp, probabilities}:
        return node
    return replace(node, op="SoftmaxCrossentropyGrad", inputs=grad.inputs, attrs={})


def _operands(
    node: Node | None, op: str, writers: dict[str, Node], *ops: str
) -> tuple[Node | None, ...]:
    """What writes the operands of `node`, where it and they are these operators; else None each."""
    nothing = tuple(None for _ in ops)
    if node is None or node.op != op:
        return nothing
    found = tuple(writers.get(name) for name in node.inputs)
    fits = all(n and n.op == wanted for n, wanted in zip(found, ops, strict=True))
    return found if fits else nothing
