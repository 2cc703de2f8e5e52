"""Every layer of the catalogue passes the gradient check, alone in a model, on random numbers."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.declare import declared
from studio.document import edits
from studio.document.integers import integer_limits
from studio.document.lowering import lower
from studio.document.model import Document, Endpoint
from studio.document.project import Project
from studio.engine import operator as operators
from studio.engine.program import Spec
from studio.layers import CATALOGUE
from studio.layers.base import Example, Layer
from studio.layers.input import Input
from studio.problem import ProblemError
from studio.train.study.gradient_check import check_gradients
from tests.formats.examples import with_file_numbers

EXAMPLES: dict[str, tuple[Layer, Example]] = {
    f"{kind}-{number}": (declared("layers", kind).from_config(example.params), example)
    for kind in CATALOGUE
    for number, example in enumerate(declared("layers", kind).examples)
}
NO_GRADIENT = {"CategoryEncoding", "Discretization"}  # they give what no slope leads through


def model_of(layer: Layer, inputs: tuple[Spec, ...]) -> tuple[Document, str]:
    """The layer behind Inputs of these specs, all it gives being outputs."""
    document, body = edits.declare_layer(Document(), layer)
    document, call = edits.use_layer(document, body)
    ports = [port.name for port in layer.inputs()]
    for slot, spec in enumerate(inputs):
        shape = tuple(d if isinstance(d, int) else None for d in spec.shape[1:])
        document, entry = edits.declare_layer(document, Input(shape=shape, dtype=spec.dtype))
        document, fed = edits.use_layer(document, entry)
        port = ports[min(slot, len(ports) - 1)]
        document = edits.connect(document, Endpoint(fed, "output"), Endpoint(call, port))
    for port in layer.outputs():
        document = edits.mark_output(document, Endpoint(call, port.name))
    return document, call


@pytest.mark.parametrize(("layer", "example"), EXAMPLES.values(), ids=EXAMPLES)
def test_every_layer_passes(layer: Layer, example: Example) -> None:
    document, call = model_of(layer, example.inputs)
    assert example.high == 0 or integer_limits(document) or layer.kind in NO_GRADIENT
    found, refused = None, []
    try:
        found = check_gradients(with_file_numbers(document), Path(), (call,))
    except ProblemError as error:
        refused = [p.code for p in error.problems]
    if found is None:
        assert refused == ["check_nothing"]
        assert layer.kind in NO_GRADIENT or not layer.weights(*example.inputs)
        return
    assert found.ok, found.parts
    assert found.checked > found.kinks


NO_SLOPE = {"Cast", "Cos", "Log"}  # here they shape noise, or are of integers, and nothing else


@pytest.mark.slow
def test_every_rule_that_is_wrong_by_a_thousandth_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    table, missed = dict(operators.table()), set()
    for name, keys in users().items():
        rule = table[name]
        wrong = replace(rule, gradient=partial(a_thousandth_more, rule.gradient))
        monkeypatch.setattr(operators, "table", lambda w=wrong: {**table, w.name: w})
        if not any(found_wrong(key) for key in keys[:6]):
            missed.add(name)
    assert len(table) > 100
    assert missed <= NO_SLOPE


def users() -> dict[str, list[str]]:
    """By each operator with a gradient, the examples that differentiate through it."""
    table, found = operators.table(), dict[str, list[str]]()
    for key, (layer, example) in EXAMPLES.items():
        document, _ = model_of(layer, example.inputs)
        for op in {node.op for node in lower(document, training=True).op.nodes}:
            name = op if table[op].gradient else table[op].training
            if name and table[name].gradient and not table[op].constant:
                found.setdefault(name, []).append(key)
    return found


def a_thousandth_more(right: Any, op: Any, node: Any, arriving: Any) -> list[Any]:
    return [g if g is None else op.Mul(g, np.float32(1.001)) for g in right(op, node, arriving)]


def found_wrong(key: str) -> bool:
    layer, example = EXAMPLES[key]
    document, call = model_of(layer, example.inputs)
    try:
        return not check_gradients(Project(document), Path(), (call,)).ok
    except ProblemError:
        return False  # nothing of it has a gradient
