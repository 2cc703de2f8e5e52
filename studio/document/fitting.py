"""Losses against outputs: missing ones, and those that cannot judge what their output gives.

A loss between probabilities takes the logarithm of what it is given. Of a number outside [0, 1] it
is clipped, and nothing is learnt from it; of a single number scaled to a share it is always log 1.
One that takes logits makes probabilities itself: what already is one would be squeezed twice.
What an output can give follows from its activation, found through what only passes values on.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from math import inf
from typing import Any

from studio.declare import resolve
from studio.document import edits
from studio.document.defaults import comparable, usual_loss
from studio.document.edits import Fix
from studio.document.inside import uses
from studio.document.model import Document, Endpoint
from studio.document.plan import OutputPlan
from studio.engine.program import Spec
from studio.layers.base import Layer
from studio.layers.recurrent import Recurrent
from studio.layers.values import Range
from studio.losses.base import Loss
from studio.losses.probabilistic import BinaryCrossentropy
from studio.problem import Problem, Severity

_ACTIVATION = {"each": "sigmoid", "shared": "softmax"}


def loss_problems(
    document: Document, specs: Mapping[Endpoint, Spec], ranges: Mapping[Endpoint, Range]
) -> Iterator[Problem]:
    """Losses that are missing or do not fit what their output gives."""
    for endpoint in document.graph.outputs:
        name = document.entry(endpoint.call).name
        spec, known = specs.get(endpoint), ranges.get(endpoint)
        plan = document.plan.outputs.get(endpoint.key, OutputPlan())
        loss = plan.loss
        if loss is None:
            fix = _change(document, endpoint, spec, known) if spec and comparable(spec) else None
            yield Problem("no_loss", endpoint.call, {"name": name}, fix, severity="warning")
            for metric in (*plan.metrics, *plan.weighted_metrics):
                about = {"name": name, "metric": metric.kind}
                yield Problem("metric_without_loss", endpoint.call, about, fix, severity="warning")
        elif spec is not None and not comparable(spec):
            args = {"loss": loss.kind, "received": spec}
            yield Problem("loss_refused", endpoint.call, args)
        elif spec is not None and not loss.problems():
            yield from _misfits(document, endpoint, loss, spec, known)
            yield from _metric_misfits(endpoint, plan, spec)


def activated(document: Document, known: Range | None, activation: str) -> Fix | None:
    """The repair that gives the layer a range comes from another activation.

    None where the layer has none, or has it inside its cell, or is used in several places: one
    cannot tell what they need.
    """
    layer = known.by if known else ""
    body = document.layers[layer].body if layer in document.layers else None
    if not isinstance(body, Layer) or isinstance(body, Recurrent) or uses(document, layer) > 1:
        return None
    if not hasattr(body, "activation"):
        return None
    edit = edits.setting(layer, activation=activation)
    args = {"name": document.layers[layer].name, "activation": activation}
    return Fix("activation", edit, args)


def _misfits(
    document: Document, endpoint: Endpoint, loss: Loss, spec: Spec, known: Range | None
) -> Iterator[Problem]:
    args: dict[str, Any] = {"name": document.entry(endpoint.call).name, "loss": loss.kind}
    change = _change(document, endpoint, spec, known)
    if misfit := loss.misfit(spec):
        yield replace(misfit, where=endpoint.call, fix=change)
        return
    if loss.probabilities == "shared" and spec.shape[-1] == 1:
        fix = _one_probability(document, endpoint, known) or change
        yield Problem("loss_one_share", endpoint.call, args, fix)
        return
    if known is None:
        return
    if loss.takes_logits:
        if known.shares or Range(0, 1).holds(known.low, known.high):
            yield Problem("loss_of_logits", endpoint.call, args, _told(endpoint, loss), "warning")
        return
    if not loss.probabilities:
        if not Range(*loss.takes).holds(known.low, known.high):
            args |= {"received": known, "expected": Range(*loss.takes)}
            yield Problem("loss_range", endpoint.call, args, change, "warning")
        return
    fix = activated(document, known, _ACTIVATION[loss.probabilities]) or change
    high = 1 if loss.probabilities == "each" else inf
    if not Range(0, high).holds(known.low, known.high):
        args |= {"received": known, "expected": Range(0, high)}
        yield Problem("loss_range", endpoint.call, args, fix)
    elif loss.probabilities == "shared" and known.shares is False:
        # Numbers without an upper bound are a relu's kin: all 0 at times, and 0 / 0 is no share.
        severity: Severity = "warning" if known.high <= 1 else "error"
        yield Problem("loss_no_shares", endpoint.call, args, fix, severity)
    elif loss.probabilities == "each" and known.shares and spec.shape[-1] != 1:
        yield Problem("loss_of_shares", endpoint.call, args, change, severity="warning")


def _metric_misfits(endpoint: Endpoint, plan: OutputPlan, spec: Spec) -> Iterator[Problem]:
    """Metrics that cannot compare what their output gives with its loss's targets."""
    assert plan.loss is not None
    for metric in (*plan.metrics, *plan.weighted_metrics):
        if metric.problems():
            continue
        if problem := metric.misfit(plan.loss.target(spec), spec):
            plain, weighted = (
                tuple(m for m in metrics if m is not metric)
                for metrics in (plan.metrics, plan.weighted_metrics)
            )
            edit = partial(
                edits.plan_output, endpoint=endpoint, metrics=plain, weighted_metrics=weighted
            )
            fix = Fix("metric", edit, {"metric": metric.kind})
            yield replace(problem, where=endpoint.call, fix=fix)


def _change(document: Document, endpoint: Endpoint, spec: Spec, known: Range | None) -> Fix:
    loss = usual_loss(document, endpoint, spec, known)
    edit = partial(edits.plan_output, endpoint=endpoint, loss=loss)
    return Fix("loss", edit, {"loss": loss.kind})


def _told(endpoint: Endpoint, loss: Loss) -> Fix:
    """The repair of a loss that takes probabilities for logits."""
    config = {"kind": loss.kind, **loss.config(), "from_logits": False}
    edit = partial(edits.plan_output, endpoint=endpoint, loss=resolve("losses", config))
    return Fix("probabilities", edit, {"loss": loss.kind})


def _one_probability(document: Document, endpoint: Endpoint, known: Range | None) -> Fix | None:
    """The repair of a single unit that is to tell two classes apart."""
    sigmoid = activated(document, known, "sigmoid")
    if sigmoid is None:
        return None
    edit = partial(_binary, endpoint=endpoint, activate=sigmoid)
    return replace(sigmoid, code="one_probability", edit=edit)


def _binary(document: Document, *, endpoint: Endpoint, activate: Fix) -> Document:
    return edits.plan_output(activate.edit(document), endpoint, loss=BinaryCrossentropy())
