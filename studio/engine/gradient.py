"""Autodiff: one reverse walk over a program under construction, one rule per operator.

Rules live with their operators; this file only walks. An operator without a rule, on a path that
needs one, fails here by name with the place it came from: never a silent zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from studio.engine import shapes
from studio.engine.builder import Builder, Value
from studio.engine.operator import GradientNode, operator
from studio.engine.program import Node
from studio.problem import Problem, ProblemError


def differentiate(
    op: Builder, seeds: Mapping[Value, Value], wrt: Sequence[Value]
) -> list[Value | None]:
    """Append the gradient of ``sum(value * seed)`` with respect to each of `wrt`.

    Args:
        op: the program so far; its nodes must hold everything between `wrt` and the seeds.
            Nodes whose operator has a variant with a reserve are replaced by it. Its `origins`
            tell which node each one that is appended goes back through.
        seeds: for each differentiated value the gradient that arrives at it, same shape.
        wrt: the values to differentiate by.

    Returns:
        One gradient per value of `wrt`; None where no path leads from it to a seed.

    Raises:
        ProblemError: ``no_gradient``, naming the operator and its source; ``gradient_refused``
            where the operator has a gradient, but not for a node like this.
    """
    active = reached(op.nodes, {value.name for value in wrt})
    last = len(op.nodes)
    grads: dict[str, Value] = {value.name: seed for value, seed in seeds.items()}
    for index in reversed(range(last)):
        node = op.nodes[index]
        arriving = tuple(grads.get(name) if name else None for name in node.outputs)
        if not any(arriving) or not any(name in active for name in node.inputs):
            continue
        rule = operator(node.op)
        if rule.constant:
            continue
        if rule.training:
            node = op.nodes[index] = _with_reserve(op, node, rule.training)
            rule = operator(node.op)
        first = len(op.nodes)
        with op.at(node.source, f"gradient/{_stem(node)}"):
            _apply(op, node, arriving, active, grads)
        op.origins.update(dict.fromkeys(range(first, len(op.nodes)), index))
    return [grads.get(value.name) for value in wrt]


def _stem(node: Node) -> str:
    """What the names of a node's results start with: in words where it came from."""
    return next(name for name in node.outputs if name).rpartition("/")[0] or node.source


def _apply(
    op: Builder,
    node: Node,
    arriving: tuple[Value | None, ...],
    active: set[str],
    grads: dict[str, Value],
) -> None:
    rule = operator(node.op).gradient
    if rule is None:
        raise ProblemError(Problem("no_gradient", node.source, {"operator": node.op}))
    seen = GradientNode(
        node.op,
        tuple(op.value(name) if name else None for name in node.inputs),
        tuple(op.value(name) if name else None for name in node.outputs),
        node.attrs,
        tuple(name in active for name in node.inputs),
    )
    try:
        found = rule(op, seen, arriving)
    except ValueError as error:
        about = {"operator": node.op, "reason": str(error)}
        raise ProblemError(Problem("gradient_refused", node.source, about)) from error
    for name, needed, grad in zip(node.inputs, seen.needs, found, strict=False):
        if needed and grad is not None:
            grads[name] = op.Add(grads[name], grad) if name in grads else grad


def reached(nodes: Sequence[Node], start: set[str]) -> set[str]:
    """Every value that depends on `start` through floating-point paths, `start` included."""
    active = set(start)
    for node in nodes:
        if not operator(node.op).constant and any(name in active for name in node.inputs):
            active.update(name for name in node.outputs if name)
    return active


def _with_reserve(op: Builder, node: Node, variant: str) -> Node:
    """`node` as its training variant: the same outputs, then the reserve its gradient reads.

    The forward node stands before everything that reads it, so replacing it in place keeps order.
    """
    inputs = [op.specs[name] if name else None for name in node.inputs]
    known = [op.consts.get(name) for name in node.inputs]
    specs = shapes.infer(variant, inputs, node.attrs, known, 99)
    plain = list(node.outputs) + [""] * (len(specs) - len(node.outputs))
    with op.at(node.source):
        for i, spec in enumerate(specs):
            if not plain[i]:
                plain[i] = op.reserve(variant, spec).name
    return replace(node, op=variant, outputs=tuple(plain))
