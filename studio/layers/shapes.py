"""One layer by itself: what it gives for inputs like these."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from math import prod

from studio.engine.builder import Value, expect_possible
from studio.engine.program import Spec
from studio.engine.work import multiplications
from studio.layers.base import Layer, LayerBuilder, Weight, Weights
from studio.layers.values import Range
from studio.limits import LAYER_NUMBERS
from studio.problem import Problem, ProblemError, refuse


def results_of(
    layer: Layer, op: LayerBuilder, weights: Mapping[str, Value], arriving: Sequence[Value]
) -> Sequence[Value]:
    """A layer's results, their masks travelling with them.

    Raises:
        ProblemError: what is wrong with what arrives; ``layer_refused`` with an operator's reason.
    """
    with refusing(layer.kind):
        found = layer.lower(op, Weights(weights), *arriving)
    results = [found] if isinstance(found, Value) else list(found)
    regularizer = layer.activity()
    if regularizer is not None:
        op.measured += [(regularizer, result) for result in results]
    masks = layer.mask(op, *arriving)
    each = masks if isinstance(masks, tuple) else (masks,)
    for result, mask in zip(results, each, strict=False):
        if mask is not None:
            op.set_mask(result, mask)
    return results


@dataclass(frozen=True)
class Shapes:
    """What a layer gives for inputs like these, or why it does not.

    Attributes:
        masks: of each output the mask that travels with it, or None.
        ranges: of each output where its values lie, or None; of a layer in a document only.
    """

    outputs: tuple[Spec, ...] = ()
    weights: tuple[Weight, ...] = ()
    problems: tuple[Problem, ...] = ()
    masks: tuple[Spec | None, ...] = ()
    ranges: tuple[Range | None, ...] = ()


@lru_cache(maxsize=16384)
def shapes_of(
    layer: Layer, inputs: tuple[Spec, ...], masks: tuple[Spec | None, ...] = ()
) -> Shapes:
    """Lower one layer by itself. Cached, so that an edit costs what it touches.

    `masks` are those that arrive with the inputs; without any, none does.
    """
    problems = tuple(layer.problems())
    if problems:
        return Shapes(problems=problems)
    try:
        for spec in inputs:
            expect_possible(spec)
        op, weights, results = _lowered(layer, inputs, masks)
    except ProblemError as error:
        return Shapes(problems=error.problems)
    found = tuple(op.mask(v) for v in results)
    return Shapes(
        tuple(v.spec for v in results), weights, (), tuple(m.spec if m else None for m in found)
    )


@lru_cache(maxsize=16384)
def products_of(layer: Layer, inputs: tuple[Spec, ...], masks: tuple[Spec | None, ...] = ()) -> int:
    """How many times a layer multiplies for one row, in its matrix products, when it infers.

    For inputs that `shapes_of` has no problem with.
    """
    op, _, results = _lowered(layer, inputs, masks)
    return multiplications(op.program(results), rows=1)


def _lowered(
    layer: Layer, inputs: tuple[Spec, ...], masks: tuple[Spec | None, ...]
) -> tuple[LayerBuilder, tuple[Weight, ...], Sequence[Value]]:
    """A layer lowered by itself: the builder, its weights, its results."""
    op = LayerBuilder()
    weights = weights_of(layer, inputs)
    values = {w.name: op.state(w.name, Spec("float32", w.shape), w.role) for w in weights}
    arriving = [op.input(f"x{i}", spec) for i, spec in enumerate(inputs)]
    for i, mask in enumerate(masks):
        if mask is not None:
            op.set_mask(arriving[i], op.input(f"mask{i}", mask))
    return op, weights, results_of(layer, op, values, arriving)


def weights_of(layer: Layer, inputs: Sequence[Spec]) -> tuple[Weight, ...]:
    """A layer's weights for inputs like these, which can be had: nothing of them is allocated.

    Raises:
        ProblemError: what is wrong with what arrives; ``layer_too_large``, for a slip of the
            keyboard; what does not fit a weight's shape.
    """
    with refusing(layer.kind):
        weights = layer.weights(*inputs)
    count = sum(prod(weight.shape) for weight in weights)
    if count > LAYER_NUMBERS:
        raise refuse("layer_too_large", kind=layer.kind, received=count, expected=LAYER_NUMBERS)
    for weight in weights:
        for held in (weight.initializer, weight.regularizer, weight.constraint):
            if held is not None:
                held.accept(weight.name, weight.shape)
    return weights


@contextmanager
def refusing(kind: str) -> Iterator[None]:
    """What an operator, or arithmetic, says against a layer of this kind is a problem of it."""
    try:
        yield
    except ProblemError:
        raise
    except (ValueError, OverflowError) as error:
        raise refuse("layer_refused", kind=kind, reason=str(error)) from error
