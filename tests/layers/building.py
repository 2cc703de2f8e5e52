"""Layers one after the other as a program, and the recorded cases they can replay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from studio.declare import declared
from studio.engine.builder import Value
from studio.engine.program import Program, Spec
from studio.layers import CATALOGUE
from studio.layers.base import Layer, LayerBuilder
from studio.layers.shapes import results_of
from studio.problem import ProblemError
from tests import references
from tests.engine.cases import sample


@dataclass
class Built:
    """Layers as a program; `weights` are state names in Keras's order, initial values beside."""

    op: LayerBuilder
    outputs: list[Value]
    weights: list[str]
    initial: dict[str, np.ndarray]
    trainable: list[bool]

    @property
    def program(self) -> Program:
        return self.op.program(self.outputs)


def build(
    layers: Sequence[Layer], inputs: Sequence[Spec], training: bool = False, states: int = 0
) -> Built:
    """The first layer takes all inputs, each other one what the one before it gives.

    But for the last `states` inputs: the last layer starts from them.
    """
    op = LayerBuilder(training)
    fed = [op.input(f"x{i}", spec) for i, spec in enumerate(inputs)]
    split = len(fed) - states
    values: Sequence[Value] = fed[:split]
    built = Built(op, [], [], {}, [])
    rng = np.random.default_rng(5)
    for number, layer in enumerate(layers):
        if layer is layers[-1]:
            values = [*values, *fed[split:]]
        with op.at(f"c{number}", f"layer{number}"):
            kept = {}
            for weight in layer.weights(*(v.spec for v in values)):
                name = f"layer{number}/{weight.name}"
                kept[weight.name] = op.state(name, Spec("float32", weight.shape), weight.role)
                built.weights.append(name)
                built.trainable.append(weight.trainable)
                low = 0.2 if weight.name.endswith("variance") else -0.6
                built.initial[name] = rng.uniform(low, 0.6, weight.shape).astype(np.float32)
            values = results_of(layer, op, kept, values)
    built.outputs = list(values)
    return built


def feeds_for(program: Program, batch: int, high: int = 4, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng([seed, batch])
    return {
        name: rng.random(_noise_shape(program.specs[name], batch)).astype(np.float32)
        if name.startswith("noise/")
        else sample(rng, program.specs[name], batch, high=high)
        for name in program.inputs
    }


def _noise_shape(spec: Spec, batch: int) -> tuple[int, ...]:
    return tuple(batch if d == "batch" else int(d) for d in spec.shape)


# -- recorded cases ------------------------------------------------------------------------------


def layer_of(spec: Mapping[str, Any]) -> Layer | None:
    """The layer a recording names; None where it is one we do not have yet."""
    if spec["layer"] not in CATALOGUE:
        return None
    try:
        config = {key: inner(value) for key, value in spec["config"].items()}
        layer = declared("layers", spec["layer"]).from_config(config)
    except ProblemError:
        return None  # a parameter, or a value of one, of later
    assert isinstance(layer, Layer)
    return None if layer.problems() else layer


def inner(value: Any) -> Any:
    """A value of a configuration; that of a wrapper may be a layer, recorded in the same way."""
    if not isinstance(value, Mapping) or "layer" not in value:
        return value
    return {"kind": value["layer"], **value["config"]}


def recorded() -> dict[str, tuple[str, str, list[Layer]]]:
    """Every recorded case we can replay: test id → (recording, case, its layers)."""
    found = {}
    wider = [name for name in references.names() if name.startswith("wider_")]
    for recording in ("layers", "later_layers", "masked_layers", "recurrent", *wider):
        for name, case in references.meta(recording)["cases"].items():
            layers = [layer_of(spec) for spec in case["chain"]]
            if all(layers):
                kinds = "+".join(layer.kind for layer in layers if layer)
                found[f"{kinds}-{name}"] = (recording, name, [x for x in layers if x])
    return found
