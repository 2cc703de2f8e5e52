"""What every layer must keep: each entry of the catalogue is picked up with its examples."""

import json
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import onnx
import pytest

from studio.declare import Declared, declared, resolve, snake
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.onnx_writer import to_onnx
from studio.engine.onnxruntime_executor import OnnxRuntimeExecutor
from studio.formats.values import configured
from studio.layers import CATALOGUE
from studio.layers.base import Example, Layer
from studio.layers.left_out import left_out
from studio.layers.shapes import shapes_of
from studio.text import catalogue
from tests import references
from tests.engine.cases import check_gradient, with_gradient
from tests.layers.building import build, feeds_for, recorded
from tests.layers.engines import compute_alike, train_alike
from tests.layers.replay import replay

LAYERS: dict[str, type[Layer]] = {kind: declared("layers", kind) for kind in CATALOGUE}
EXAMPLES = {
    f"{kind}-{number}": (layer.from_config(example.params), example)
    for kind, layer in LAYERS.items()
    for number, example in enumerate(layer.examples)
}
RECORDED = recorded()
NOT_ALONE = {"Input", "TimeDistributed"}  # nothing without data, or without a layer inside
OURS = {"OnnxModel"}  # Keras has none such
# In Keras no parameters of the constructor, or none that its configuration tells.
AT_THE_CALL = ("use_causal_mask", "return_attention_scores", "rms_scaling")
NEVER_OURS = ("name", "trainable", "zero_output_for_mask")  # of the handle, of cells

each_layer = pytest.mark.parametrize("kind", LAYERS)
each_example = pytest.mark.parametrize(("layer", "example"), EXAMPLES.values(), ids=EXAMPLES)
each_recording = pytest.mark.parametrize(
    ("recording", "case", "layers"), RECORDED.values(), ids=RECORDED
)


# -- the declaration -----------------------------------------------------------------------------


@each_layer
def test_it_has_examples(kind: str) -> None:
    assert LAYERS[kind].examples or kind in NOT_ALONE


@each_layer
def test_its_defaults_are_sound_and_frozen(kind: str) -> None:
    layer = LAYERS[kind]()
    assert layer.problems() == []
    assert hash(layer) == hash(LAYERS[kind]())
    with pytest.raises(FrozenInstanceError):
        layer.anything = 1  # type: ignore[attr-defined]


@each_layer
def test_it_helps_in_both_languages(kind: str) -> None:
    layer, chinese = LAYERS[kind], catalogue("zh_CN", "layers")
    assert layer.help().endswith(".") or layer.help()[-1].isalnum() or layer.help()[-1] == ")"
    assert chinese.get(kind)
    for p in layer.params():
        assert layer.help(p.name).strip()
        assert chinese.get(f"{kind}.{p.name}"), f"{kind}.{p.name} is not translated"


@each_layer
def test_it_is_found_by_its_name(kind: str) -> None:
    assert resolve("layers", kind) == resolve("layers", snake(kind)) == LAYERS[kind]()


@each_layer
def test_ports_have_names_of_their_own(kind: str) -> None:
    layer = LAYERS[kind]()
    for ports in (layer.inputs(), layer.outputs()):
        assert len({p.name for p in ports}) == len(ports)
    assert layer.outputs()


@each_example
def test_json_round_trip(layer: Layer, example: Example) -> None:
    config = json.loads(json.dumps(layer.config()))
    assert type(layer).from_config(config) == layer
    assert configured("layers", layer.kind, config, "layer") == layer  # as a file is read
    assert resolve("layers", {"kind": layer.kind, **config}) == layer
    assert hash(layer) == hash(type(layer).from_config(config))


@each_layer
def test_configuration_round_trip(kind: str) -> None:
    """What Keras's own layer, made with the same parameters, says of itself makes ours again."""
    if kind in NOT_ALONE | OURS:
        return
    configs = references.meta("keras_layers")["configs"].get(kind, [])
    assert len(configs) == len(LAYERS[kind].examples), "record it: tests.references.record"
    for example, config in zip(LAYERS[kind].examples, configs, strict=True):
        ours = LAYERS[kind].from_config(example.params)
        for name in config:
            assert hasattr(ours, name) or name in NEVER_OURS or left_out(kind, name), name
        at_the_call = {name: getattr(ours, name) for name in AT_THE_CALL if hasattr(ours, name)}
        again = LAYERS[kind].from_config({**from_keras(LAYERS[kind], config), **at_the_call})
        both = (build([made], example.inputs, training=True).program for made in (ours, again))
        # None may be said in full, and a function has several names.
        assert len({to_onnx(program) for program in both}) == 1


def from_keras(kind: type[Declared], config: dict[str, Any]) -> dict[str, Any]:
    """The parameters that are ours, too; a declaration by its kind and its own parameters."""
    own = {p.name: p.family for p in kind.params()}
    found = {name: value for name, value in config.items() if name in own}
    for name, value in found.items():
        if isinstance(value, dict):
            inner = declared(own[name], value["class_name"])
            found[name] = {"kind": inner.__name__, **from_keras(inner, value["config"])}
    return found


# -- the mathematics -----------------------------------------------------------------------------


@each_example
def test_onnx_accepts_it(layer: Layer, example: Example) -> None:
    program = build([layer], example.inputs).program
    onnx.checker.check_model(onnx.load_from_string(to_onnx(program)), full_check=True)


@each_example
def test_numpy_equals_onnxruntime(layer: Layer, example: Example) -> None:
    built = build([layer], example.inputs)
    compute_alike(built.program, built.initial, example.high or 4)


@each_example
def test_shapes_are_those_promised(layer: Layer, example: Example) -> None:
    promised = shapes_of(layer, example.inputs)
    assert promised.problems == ()
    assert len(promised.outputs) == len(layer.outputs())
    built = build([layer], example.inputs)
    executor = NumpyExecutor(built.program)
    executor.load(built.initial)
    found = executor.run(feeds_for(built.program, 3, example.high or 4))
    for value, spec in zip(built.outputs, promised.outputs, strict=True):
        assert value.spec == spec
        assert found[value.name].dtype == spec.dtype
        assert [3 if d == "batch" else d for d in spec.shape] == list(found[value.name].shape)


@each_example
def test_gradient_equals_finite_differences(layer: Layer, example: Example) -> None:
    built = build([layer], example.inputs, training=True)
    for batch in (2, 1):
        feeds = feeds_for(built.program, batch, example.high or 4)
        check_gradient(built.program, feeds, built.initial)


@each_example
def test_its_training_graph_runs_on_onnxruntime(layer: Layer, example: Example) -> None:
    """Forward and gradient in standard operators."""
    built = build([layer], example.inputs, training=True)
    program = built.program
    wanted = [
        n for n, spec in program.specs.items() if n in program.inputs and "float" in spec.dtype
    ]
    wanted = [n for n in wanted if not n.startswith("noise/")] + built.weights
    if not wanted:
        return
    backward, reached = with_gradient(program, wanted)
    if not reached:
        return
    ours, theirs = NumpyExecutor(backward), OnnxRuntimeExecutor(backward, threads=1)
    for executor in (ours, theirs):
        executor.load(built.initial)
    feeds = feeds_for(backward, 3, example.high or 4)
    got, expected = ours.run(feeds), theirs.run(feeds)
    for name, array in expected.items():
        np.testing.assert_allclose(got[name], array, rtol=1e-5, atol=1e-5)


@each_example
def test_both_engines_train_it_alike_over_a_hundred_steps(layer: Layer, example: Example) -> None:
    """Descent on the mean square of what it gives, its weights and statistics kept."""
    built = build([layer], example.inputs, training=True)
    outputs = [y for y in built.outputs if y.dtype.startswith("float")]
    trained = [n for n, t in zip(built.weights, built.trainable, strict=True) if t]
    if trained and outputs:
        train_alike(built.op, outputs, trained, built.initial, example.high or 4)


# -- Keras ---------------------------------------------------------------------------------------


@each_layer
def test_it_was_recorded(kind: str) -> None:
    known = {layer.kind for _, _, layers in RECORDED.values() for layer in layers}
    assert kind in known | NOT_ALONE | OURS


@each_recording
def test_it_computes_what_keras_computes(recording: str, case: str, layers: list[Layer]) -> None:
    replay(recording, case, layers)
