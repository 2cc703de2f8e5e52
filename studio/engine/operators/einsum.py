"""Products summed over named axes."""

import numpy as np

from studio.engine.builder import Builder, Value
from studio.engine.operator import Binding, Call, GradientNode, Operator, register

Grads = tuple[Value | None, ...]


def _einsum(b: Binding) -> Call:
    equation = str(b.attrs["equation"]).replace(" ", "")
    operands = [b.input(i) for i in range(len(b.inputs))]
    path = np.einsum_path(equation, *operands, optimize="greedy")[0]
    return lambda: np.copyto(b.out, np.einsum(equation, *operands, optimize=path))


def _einsum_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    """An operand's is the product of the others with the result's, its axes where they were."""
    left, arrow, result = str(n.attrs["equation"]).replace(" ", "").partition("->")
    terms, found = left.split(","), list[Value | None]()
    for i, term in enumerate(terms):
        rest = [t for j, t in enumerate(terms) if j != i]
        if not arrow or "." in left or len(set(term)) < len(term):
            raise ValueError(f"the equation {n.attrs['equation']}")
        if not set(term) <= set("".join(rest) + result):
            raise ValueError(f"the equation {n.attrs['equation']}, which only sums an axis")
        others = [n.input(j) for j in range(len(terms)) if j != i]
        equation = ",".join((result, *rest)) + f"->{term}"
        found.append(op.Einsum(grads[0], *others, equation=equation) if n.needs[i] else None)
    return tuple(found)


register(Operator("Einsum", _einsum, _einsum_gradient))
