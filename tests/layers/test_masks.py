"""Masks travel with values; masked recurrent layers give what Keras gives, on both engines."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from studio.engine.builder import Value
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.onnxruntime_executor import OnnxRuntimeExecutor
from studio.engine.program import Program, Role, Spec
from studio.layers.base import Layer, LayerBuilder
from studio.layers.recurrent import Recurrent
from studio.layers.shapes import results_of, shapes_of
from tests import references
from tests.document.drawn import layer
from tests.engine.cases import Arrays, boolean, check_gradient, f, i32, with_gradient
from tests.layers.building import layer_of

T = 4
EVERY = np.array(list(product([False, True], repeat=T)))  # all 16 masks of four steps
MODES = [(s, b) for s in (False, True) for b in (False, True)]


RECURRENT = {
    "LSTM": {},
    "GRU": {},
    "GRU-before": {"reset_after": False},
    "SimpleRNN": {},
}
each_recurrent = pytest.mark.parametrize("name", RECURRENT)
each_mode = pytest.mark.parametrize(("sequences", "backwards"), MODES)
WRAPPED = {
    f"{merge}-{name}": (name, merge)
    for name in RECURRENT
    for merge in ("concat", "sum", "mul", "ave", None)
    if name == "LSTM" or merge in ("concat", None)
}
each_wrapped = pytest.mark.parametrize(("name", "merge"), WRAPPED.values(), ids=WRAPPED)


def recurrent(name: str, **params: Any) -> Recurrent:
    made = layer(name.split("-")[0], units=2, **RECURRENT[name], **params)
    assert isinstance(made, Recurrent)
    return made


def masked(
    made: Layer, time: int | str = T, given: bool = False, mask: bool = True
) -> tuple[Program, Arrays]:
    """A layer on a sequence with a mask, perhaps from given states, all fed; its weights states."""
    op = LayerBuilder()
    arriving = [op.input("x", f("batch", time, 3))]
    if mask:
        op.set_mask(arriving[0], op.input("mask", boolean("batch", time)))
    if given:
        arriving += [op.input(port.name, f("batch", 2)) for port in made.inputs()[1:]]
    states, initial = {}, {}
    rng = np.random.default_rng(1)
    for weight in made.weights(arriving[0].spec):
        states[weight.name] = op.state(weight.name, Spec("float32", weight.shape), Role.WEIGHT)
        initial[weight.name] = rng.uniform(-1, 1, weight.shape).astype(np.float32)
    return op.program(results_of(made, op, states, arriving)), initial


def feeds(program: Program, mask: np.ndarray = EVERY) -> Arrays:
    """The mask, and numbers for what else is fed."""
    rng = np.random.default_rng(2)
    found = {"x": rng.normal(size=(*mask.shape, 3)).astype(np.float32), "mask": mask}
    for name in program.inputs:
        if name not in found:
            found[name] = rng.normal(size=(len(mask), 2)).astype(np.float32)
    return {name: found[name] for name in program.inputs}


def run(
    built: tuple[Program, Arrays], arrays: Arrays, engine: type = NumpyExecutor
) -> list[np.ndarray]:
    program, initial = built
    executor = engine(program)
    executor.load(initial)
    found = executor.run(arrays)
    return [found[name] for name in program.outputs]


def agree(made: Layer, time: int | str) -> None:
    built = masked(made, time)
    arrays = feeds(built[0])
    ours, theirs = run(built, arrays), run(built, arrays, OnnxRuntimeExecutor)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("time", [T, "time"])
@each_mode
@each_recurrent
def test_both_engines_agree_on_every_mask(
    name: str, sequences: bool, backwards: bool, time: int | str
) -> None:
    params = {"return_sequences": sequences, "go_backwards": backwards}
    agree(recurrent(name, **params, return_state=True), time)


@pytest.mark.parametrize("sequences", [False, True])
@each_wrapped
def test_both_engines_agree_on_every_mask_in_both_directions(
    name: str, merge: str | None, sequences: bool
) -> None:
    inner = recurrent(name, return_sequences=sequences, return_state=True)
    agree(layer("Bidirectional", layer=inner, merge_mode=merge), "time")


@each_mode
@each_recurrent
def test_gradient_equals_finite_differences(name: str, sequences: bool, backwards: bool) -> None:
    params = {"return_sequences": sequences, "go_backwards": backwards}
    program, initial = masked(recurrent(name, **params, return_state=True))
    check_gradient(program, feeds(program, EVERY[::3]), initial)


@pytest.mark.parametrize("sequences", [False, True])
@each_recurrent
def test_gradient_in_both_directions_equals_finite_differences(name: str, sequences: bool) -> None:
    inner = recurrent(name, return_sequences=sequences, return_state=True)
    program, initial = masked(layer("Bidirectional", layer=inner))
    check_gradient(program, feeds(program, EVERY[::3]), initial)


def valid_steps_alone(made: Layer) -> Iterator[tuple[np.ndarray, list[np.ndarray], Any]]:
    """Of each row its mask, what it gives, and what its valid steps alone give; None: no step."""
    built, plain = masked(made), masked(made, "time", mask=False)
    arrays = feeds(built[0])
    found = run(built, arrays)
    for x, mask, *results in zip(arrays["x"], EVERY, *found, strict=True):
        alone = [a[0] for a in run(plain, {"x": x[None, mask]})] if mask.any() else None
        yield mask, results, alone


@pytest.mark.parametrize("backwards", [False, True])
@each_recurrent
def test_a_masked_step_changes_nothing(name: str, backwards: bool) -> None:
    """Each row equals its valid steps alone, the last output repeated over masked ones."""
    made = recurrent(name, return_sequences=True, return_state=True, go_backwards=backwards)
    for mask, (steps, *states), alone in valid_steps_alone(made):
        outputs, *ends = alone or (np.zeros((0, 2)), *(np.zeros(2) for _ in states))
        order = mask[::-1] if backwards else mask
        expected = np.concatenate([np.zeros((1, 2)), outputs])[order.cumsum()]
        np.testing.assert_allclose(steps, expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(states, ends, rtol=1e-5, atol=1e-6)


@each_recurrent
def test_both_directions_skip_masked_steps_and_give_zeros_there(name: str) -> None:
    """As Keras has it: a Bidirectional that gives its steps holds the states, but gives zeros."""
    inner = recurrent(name, return_sequences=True, return_state=True)
    for mask, (steps, *states), alone in valid_steps_alone(layer("Bidirectional", layer=inner)):
        outputs, *ends = alone or (np.zeros((0, 4)), *(np.zeros(2) for _ in states))
        expected = np.zeros((T, 4))
        expected[mask] = outputs
        np.testing.assert_allclose(steps, expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(states, ends, rtol=1e-5, atol=1e-6)


@each_mode
@each_recurrent
def test_beside_given_states_a_mask_is_handed_on_and_not_heeded(
    name: str, sequences: bool, backwards: bool
) -> None:
    """As Keras 3.15.1 has it; the canvas shows that it is not heeded."""
    one = recurrent(name, return_sequences=sequences, go_backwards=backwards)
    for made in (one, layer("Bidirectional", layer=replace(one, go_backwards=False))):
        built, plain = masked(made, given=True), masked(made, given=True, mask=False)
        arrays = feeds(plain[0])
        (found,) = run(built, {"mask": EVERY, **arrays})
        np.testing.assert_array_equal(found, run(plain, arrays)[0])
        states = tuple(f("batch", 2) for _ in made.inputs()[1:])
        masks = (boolean("batch", T), *(None for _ in states))
        (mask,) = shapes_of(made, (f("batch", T, 3), *states), masks).masks
        assert (mask is not None) == sequences


@each_recurrent
def test_the_last_output_is_that_of_the_last_valid_step(name: str) -> None:
    built = masked(recurrent(name))
    arrays = feeds(built[0])
    (last,) = run(built, arrays)
    (steps,) = run(masked(recurrent(name, return_sequences=True)), arrays)
    np.testing.assert_allclose(last, steps[:, -1], rtol=1e-5, atol=1e-6)


@each_recurrent
def test_nothing_masked_is_no_mask(name: str) -> None:
    made = recurrent(name, return_sequences=True)
    built = masked(made)
    arrays = feeds(built[0], np.ones((3, T), bool))
    (expected,) = run(masked(made, mask=False), {"x": arrays["x"]})
    np.testing.assert_allclose(run(built, arrays)[0], expected, rtol=1e-5, atol=1e-6)


@each_recurrent
def test_it_stays_one_node(name: str) -> None:
    inner = recurrent(name, return_sequences=True, return_state=True)
    for made in (inner, layer("Bidirectional", layer=inner)):
        program, _ = masked(made)
        assert [n.op for n in program.nodes].count(inner.operator) == 1
        assert "Scan" not in {n.op for n in program.nodes}


# -- how masks travel ----------------------------------------------------------------------------


def mask_after(made: Layer, *masks: bool) -> np.ndarray | None:
    """What mask a layer gives for inputs (batch, T, 3), each masked or not."""
    op = LayerBuilder()
    xs: list[Value] = []
    for i, has_mask in enumerate(masks):
        xs.append(op.input(f"x{i}", f("batch", T, 3)))
        if has_mask:
            op.set_mask(xs[-1], op.input(f"m{i}", boolean("batch", T)))
    weights = made.weights(*(x.spec for x in xs))
    states = {w.name: op.state(w.name, Spec("float32", w.shape), w.role) for w in weights}
    (result,) = results_of(made, op, states, xs)
    found = op.mask(result)
    if found is None:
        return None
    program = op.program([found])
    executor = NumpyExecutor(program)
    executor.load({w.name: np.zeros(w.shape) for w in weights})
    return executor.run(
        {f"x{i}": np.zeros((16, T, 3)) for i in range(len(masks))}
        | {f"m{i}": np.roll(EVERY, i, axis=0) for i, has_mask in enumerate(masks) if has_mask}
    )[found.name]


@pytest.mark.parametrize(
    "kind", ["Dense", "Activation", "Dropout", "BatchNormalization", "LayerNormalization"]
)
def test_layers_that_act_on_each_step_hand_it_on(kind: str) -> None:
    np.testing.assert_array_equal(mask_after(layer(kind), True), EVERY)
    assert mask_after(layer(kind), False) is None


@pytest.mark.parametrize(
    "made",
    [
        layer("Flatten"),
        layer("Reshape"),
        layer("Permute"),
        layer("GlobalMaxPooling1D"),
        layer("GlobalAveragePooling1D"),
    ],
    ids=lambda made: made.kind,
)
def test_what_changes_the_steps_ends_it(made: Layer) -> None:
    assert mask_after(made, True) is None


def test_a_dot_product_ends_it() -> None:
    assert mask_after(layer("Dot", axes=[2, 2]), True, True) is None


def test_a_recurrent_layer_hands_it_on_with_its_sequence() -> None:
    for name in RECURRENT:
        made = recurrent(name, return_sequences=True)
        np.testing.assert_array_equal(mask_after(made, True), EVERY)
        assert mask_after(recurrent(name), True) is None


def test_each_result_of_a_recurrent_layer_has_its_own() -> None:
    def given(made: Layer) -> list[bool]:
        inputs = (f("batch", T, 3),)
        return [m is not None for m in shapes_of(made, inputs, (boolean("batch", T),)).masks]

    inner = recurrent("LSTM", return_sequences=True, return_state=True)
    last = recurrent("LSTM", return_state=True)
    assert given(inner) == [True, False, False]
    assert given(last) == [False] * 3
    assert given(layer("Bidirectional", layer=inner)) == [True, *[False] * 4]
    assert given(layer("Bidirectional", layer=inner, merge_mode=None)) == [True, True, *[False] * 4]
    assert given(layer("Bidirectional", layer=last, merge_mode=None)) == [False] * 6


def test_concatenate_joins_masks_as_keras() -> None:
    other = np.roll(EVERY, 1, axis=0)
    features, time = layer("Concatenate"), layer("Concatenate", axis=1)
    np.testing.assert_array_equal(mask_after(features, True, True), EVERY | other)
    assert mask_after(features, False, True) is None  # one input is valid everywhere
    joined = np.concatenate([EVERY, other], axis=1)
    np.testing.assert_array_equal(mask_after(time, True, True), joined)
    ones = np.ones_like(EVERY)
    np.testing.assert_array_equal(
        mask_after(time, True, False), np.concatenate([EVERY, ones], axis=1)
    )
    assert mask_after(features, False, False) is None


@pytest.mark.parametrize("kind", ["Add", "Concatenate"])
def test_one_mask_on_two_ways_is_itself(kind: str) -> None:
    op = LayerBuilder()
    x, mask = op.input("x", f("batch", T, 3)), op.input("mask", boolean("batch", T))
    op.set_mask(x, mask)
    (hidden,) = results_of(layer("Activation"), op, {}, [x])
    (result,) = results_of(layer(kind), op, {}, [x, hidden])
    assert op.mask(result) == mask


def test_an_embedding_starts_it() -> None:
    op = LayerBuilder()
    ids = op.input("ids", i32("batch", T))
    table = op.state("t", f(5, 2), Role.WEIGHT)
    made = layer("Embedding", input_dim=5, output_dim=2, mask_zero=True)
    (result,) = results_of(made, op, {"embeddings": table}, [ids])
    found = op.mask(result)
    assert found is not None
    executor = NumpyExecutor(op.program([found]))
    executor.load({"t": np.zeros((5, 2))})
    (mask,) = executor.run({"ids": np.array([[0, 1, 0, 4]], np.int32)}).values()
    assert mask.tolist() == [[False, True, False, True]]


def test_masking_starts_it_where_all_values_are_one() -> None:
    op = LayerBuilder()
    x = op.input("x", f("batch", 3, 2))
    (result,) = results_of(layer("Masking", mask_value=2.0), op, {}, [x])
    mask = op.mask(result)
    assert mask is not None
    given = np.array([[[2, 2], [2, 0], [1, 1]]], np.float32)
    found = NumpyExecutor(op.program([result, mask])).run({"x": given})
    assert found[mask.name].tolist() == [[False, True, True]]
    assert found[result.name].tolist() == [[[0, 0], [2, 0], [1, 1]]]


# -- recorded ------------------------------------------------------------------------------------

PASSED_ON = {
    name: (made, facts)
    for name, facts in references.meta("masks")["cases"].items()
    if facts["layer"] and (made := layer_of(facts["layer"]))
}
RECORDED = references.meta("masked_values")["cases"]


@pytest.mark.parametrize("case", PASSED_ON)
def test_the_masks_that_leave_are_those_that_leave_in_keras(case: str) -> None:
    (made, facts), arrays = PASSED_ON[case], references.case("masks", case)
    op = LayerBuilder()
    xs = [
        op.input(f"x{i}", f("batch", *arrays[f"x{i}"].shape[1:]))
        for i in range(len(arrays))
        if f"x{i}" in arrays
    ]
    for i, x in enumerate(xs):
        if facts["masked"][i]:
            op.set_mask(x, op.input(f"m{i}", boolean("batch", T)))
    weights = made.weights(*(x.spec for x in xs))
    states = {w.name: op.state(w.name, Spec("float32", w.shape), w.role) for w in weights}
    results = results_of(made, op, states, xs)
    assert len(results) == len(facts["results"])
    for i, y in enumerate(results):
        mask = op.mask(y)
        if mask is None:
            # One that hides nothing is none to us.
            assert arrays.get(f"mask{i}", np.array(True)).all()
            continue
        executor = NumpyExecutor(op.program([mask]))
        executor.load({w.name: np.zeros(w.shape) for w in weights})
        (found,) = executor.run({name: arrays[name] for name in executor.program.inputs}).values()
        np.testing.assert_array_equal(found, arrays[f"mask{i}"])


@pytest.mark.parametrize("case", RECORDED)
def test_masked_inputs_are_what_they_are_to_keras(case: str) -> None:
    facts, arrays = RECORDED[case], references.case("masked_values", case)
    made = layer(facts["layer"], **facts["config"])
    op = LayerBuilder(facts["training"])
    xs = [op.input(f"x{i}", f("batch", 4, 3)) for i in range(facts["inputs"])]
    for i in facts["masked"]:
        op.set_mask(xs[i], op.input(f"m{i}", boolean("batch", 4)))
    weights = made.weights(*(x.spec for x in xs))
    states = {w.name: op.state(w.name, Spec("float32", w.shape), w.role) for w in weights}
    (y,) = results_of(made, op, states, xs)
    mask = op.mask(y)
    everywhere = facts["mask"] and arrays["mask"].all() and len(facts["masked"]) < len(xs)
    assert (mask is not None) == (facts["mask"] and not everywhere)
    program = op.program([y, mask] if mask else [y])
    initial = {w.name: arrays[f"w{i}"] for i, w in enumerate(weights)}
    given = {name: arrays[name] for name in program.inputs}
    wanted = [x.name for x in xs] + [w.name for w in weights if w.trainable]
    backward, reached = with_gradient(program, wanted)
    for engine in (NumpyExecutor, OnnxRuntimeExecutor):
        forward, gradient = engine(program), engine(backward)
        forward.load(initial)
        gradient.load(initial)
        found = forward.run(given)
        np.testing.assert_allclose(found[y.name], arrays["y"], rtol=2e-5, atol=2e-6)
        if mask:
            np.testing.assert_array_equal(found[mask.name], arrays["mask"])
        for i, weight in enumerate(weights):
            after = arrays.get(f"new_w{i}", arrays[f"w{i}"])
            np.testing.assert_allclose(forward.state()[weight.name], after, rtol=1e-5)
        slopes = gradient.run({**given, f"seed/{y.name}": arrays["r"]})
        numbers = {w.name: i for i, w in enumerate(weights)}
        for name, grad in zip(reached, backward.outputs, strict=True):
            key = f"d{name}" if name in given else f"dw{numbers[name]}"
            np.testing.assert_allclose(slopes[grad], arrays[key], rtol=1e-4, atol=1e-5)
