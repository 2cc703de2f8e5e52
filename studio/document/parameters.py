"""Parameters that an optimizer, a loss or a metric of the plan cannot have, with repairs."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from studio.declare import Declared
from studio.document import edits
from studio.document.edits import Edit, Fix
from studio.document.model import Document, Endpoint
from studio.document.plan import OutputPlan
from studio.problem import Problem


def plan_problems(document: Document) -> Iterator[Problem]:
    """Those of the optimizer, which stands nowhere, and those of each output, at its node."""
    for problem in document.plan.optimizer.problems():
        yield _repairable(problem, document.plan.optimizer, _with_optimizer)
    for endpoint in document.graph.outputs:
        plan = document.plan.outputs.get(endpoint.key, OutputPlan())
        parts: list[tuple[str, Declared]] = [("loss", plan.loss)] if plan.loss else []
        parts += [("metrics", metric) for metric in plan.metrics]
        parts += [("weighted_metrics", metric) for metric in plan.weighted_metrics]
        for what, part in parts:
            change = partial(_with_part, endpoint=endpoint, what=what, part=part)
            for problem in part.problems():
                yield _repairable(problem.at(endpoint.call), part, change)


def _repairable(problem: Problem, part: Declared, change: Any) -> Problem:
    """With a repair that gives the parameter its default, where it is one of the part's own."""
    default = {p.name: p.default for p in part.params()}
    name = str(problem.args.get("name"))
    if problem.args.get("kind") != part.kind or name not in default:
        return problem
    edit: Edit = partial(change, name=name, value=default[name])
    return replace(problem, fix=Fix("parameters", edit, {"values": f"{name} = {default[name]}"}))


def _with_optimizer(document: Document, *, name: str, value: Any) -> Document:
    optimizer = replace(document.plan.optimizer, **{name: value})
    return edits.set_optimizer(document, optimizer)


def _with_part(
    document: Document, *, endpoint: Endpoint, what: str, part: Declared, name: str, value: Any
) -> Document:
    """With one parameter of a loss or of a metric changed."""
    plan, changed = document.plan.outputs[endpoint.key], replace(part, **{name: value})
    if what == "loss":
        return edits.plan_output(document, endpoint, loss=changed)
    metrics = tuple(changed if metric is part else metric for metric in getattr(plan, what))
    return edits.plan_output(document, endpoint, **{what: metrics})
