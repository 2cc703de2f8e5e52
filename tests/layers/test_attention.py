"""Attention: masks that travel, options of the call, lengths that are open, and what is refused."""

import numpy as np
import pytest

from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.onnxruntime_executor import OnnxRuntimeExecutor
from studio.layers import Attention, Dense, Input, MultiHeadAttention, Normalization, Softmax
from studio.layers.base import LayerBuilder
from studio.layers.functional import Tensor
from studio.layers.shapes import results_of, shapes_of
from studio.models import Model
from studio.problem import ProblemError
from tests.document.drawn import layer
from tests.engine.cases import boolean, f
from tests.layers.building import build

RNG = np.random.default_rng(1)
QUERY, VALUE = RNG.normal(size=(2, 3, 4)), RNG.normal(size=(2, 5, 4))
ASKED = np.array([[True, False, True], [True, True, False]])
SEEN = np.array([[True, True, False, True, False], [False, True, True, True, True]])
FEEDS = {"q": QUERY, "v": VALUE, "mq": ASKED, "mv": SEEN}
FEEDS = {n: a.astype(np.float32) if a.dtype.kind == "f" else a for n, a in FEEDS.items()}


def given(kind: str, travelling: bool, **params: object) -> tuple[np.ndarray, bool]:
    """What a layer without weights gives, and whether a mask leaves; masks travel or are wired."""
    op = LayerBuilder()
    q, v = op.input("q", f("batch", 3, 4)), op.input("v", f("batch", 5, 4))
    masks = op.input("mq", boolean("batch", 3)), op.input("mv", boolean("batch", 5))
    if travelling:
        for value, mask in zip((q, v), masks, strict=True):
            op.set_mask(value, mask)
    arriving = (q, v) if travelling else (q, v, v, *masks)
    (y,) = results_of(layer(kind, **params), op, {}, arriving)
    engine = NumpyExecutor(op.program([y]))
    return engine.run(FEEDS)[y.name], op.mask(y) is not None


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("Attention", {}),
        ("Attention", {"use_causal_mask": True}),
        ("AdditiveAttention", {"use_scale": False}),
    ],
)
def test_masks_that_travel_are_those_that_may_be_wired(kind: str, params: dict) -> None:
    travelled, wired = (given(kind, t, **params) for t in (True, False))
    np.testing.assert_array_equal(travelled[0], wired[0])
    assert travelled[1]
    assert wired[1]
    assert (travelled[0][~ASKED] == 0).all()


def test_a_query_sees_the_values_that_are_not_masked() -> None:
    scores = QUERY @ VALUE.transpose(0, 2, 1)
    powers = np.exp(scores) * SEEN[:, None]
    expected = powers / powers.sum(-1, keepdims=True) @ VALUE * ASKED[:, :, None]
    np.testing.assert_allclose(given("Attention", True)[0], expected, rtol=1e-4, atol=1e-5)


def test_heads_see_what_masks_of_queries_and_values_leave() -> None:
    """What travels is what a wired mask of pairs says."""
    made = layer("MultiHeadAttention", num_heads=2, key_dim=3, return_attention_scores=True)
    found = []
    for travelling in (True, False):
        op = LayerBuilder()
        q, v = op.input("q", f("batch", 3, 4)), op.input("v", f("batch", 5, 4))
        mq, mv = op.input("mq", boolean("batch", 3)), op.input("mv", boolean("batch", 5))
        pairs = op.And(op.Unsqueeze(mq, np.array([2])), op.Unsqueeze(mv, np.array([1])))
        arriving = [q, v] if travelling else [q, v, v, pairs]
        if travelling:
            op.set_mask(q, mq)
            op.set_mask(v, mv)
        states = {
            w.name: op.const(np.random.default_rng(2).normal(size=w.shape), "float32")
            for w in made.weights(*(x.spec for x in arriving))
        }
        results = results_of(made, op, states, arriving)
        assert (op.mask(results[0]) is mq) == travelling
        assert op.mask(results[1]) is None
        program = op.program([*results, pairs])
        found.append(NumpyExecutor(program).run(FEEDS))
    for one, other in zip(*(list(r.values()) for r in found), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", ["Attention", "AdditiveAttention", "MultiHeadAttention"])
def test_lengths_may_be_open(kind: str) -> None:
    made = layer(kind, use_causal_mask=True)
    inputs = [f("batch", "time", 4), f("batch", "time", 4)]
    assert shapes_of(made, tuple(inputs)).outputs == (f("batch", "time", 4),)
    built = build([made], inputs)
    feeds = {f"x{i}": RNG.normal(size=(2, 6, 4)).astype(np.float32) for i in (0, 1)}
    results = []
    for engine in (NumpyExecutor(built.program), OnnxRuntimeExecutor(built.program)):
        engine.load(built.initial)
        (found,) = engine.run(feeds).values()
        results.append(found)
    np.testing.assert_allclose(results[0], results[1], rtol=1e-5, atol=1e-6)


def test_the_first_query_sees_only_the_first_value_where_time_counts() -> None:
    built = build([layer("Attention", use_causal_mask=True)], [f("batch", 3, 4), f("batch", 5, 4)])
    feeds = {"x0": FEEDS["q"], "x1": FEEDS["v"]}
    (found,) = NumpyExecutor(built.program).run(feeds).values()
    np.testing.assert_allclose(found[:, 0], FEEDS["v"][:, 0], rtol=1e-6)


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        ("Attention", f("batch", 3, 4), f("batch", 3, 2)),
        ("AdditiveAttention", f("batch", 3, 4), f("batch", 3, 2)),
    ],
)
def test_a_query_needs_the_width_of_a_key(kind: str, first: object, second: object) -> None:
    (problem,) = shapes_of(layer(kind), (first, second)).problems
    assert problem.code == "attention_sizes"


def test_each_value_needs_a_key() -> None:
    specs = f("batch", 3, 4), f("batch", 3, 4), f("batch", 2, 4)
    (problem,) = shapes_of(layer("MultiHeadAttention"), specs).problems
    assert problem.code == "attention_sizes"


# -- as Keras calls them --------------------------------------------------------------------------


def test_what_keras_takes_at_the_call_is_a_parameter() -> None:
    x = Input((3, 4))
    made = MultiHeadAttention(2, 3)
    output, scores = made(x, x, use_causal_mask=True, return_attention_scores=True)
    assert isinstance(output, Tensor)
    assert (output.shape, scores.shape) == ((None, 3, 4), (None, 2, 3, 3))
    assert made.get_config()["use_causal_mask"] is True
    made(x, x, use_causal_mask=True, return_attention_scores=True)
    with pytest.raises(ProblemError, match="was called before with other settings"):
        made(x, x, use_causal_mask=False)


def test_a_mask_is_given_by_name_and_values_are_then_their_own_keys() -> None:
    x, mask = Input((3, 4)), Input((3, 3), dtype="int32")
    model = Model([x, mask], MultiHeadAttention(2, 3)(x, x, attention_mask=mask))
    causal = MultiHeadAttention(2, 3)
    other = Model(x, causal(x, x, use_causal_mask=True))
    other.set_weights(model.get_weights())
    pairs = np.tril(np.ones((2, 3, 3), np.int32))
    found = model.predict([FEEDS["q"], pairs], verbose=0)
    np.testing.assert_allclose(found, other.predict(FEEDS["q"], verbose=0), rtol=1e-5, atol=1e-6)


def test_a_port_nobody_has_is_refused() -> None:
    x = Input((3, 4))
    with pytest.raises(ProblemError, match="takes nothing called “lock”"):
        Attention()([x, x], lock=x)
    with pytest.raises(ProblemError, match="takes nothing called “query”"):
        Attention()([x, x], query=x)


def test_shares_may_be_masked_by_name() -> None:
    x, mask = Input((3,)), Input((3,))
    model = Model([x, mask], Softmax()(x, mask=mask))
    given = np.array([[1, 2, 3]], np.float32), np.array([[1, 0, 1]], np.float32)
    (found,) = model.predict(list(given), verbose=0)
    powers = np.exp([1, 3])
    np.testing.assert_allclose(found, [powers[0] / sum(powers), 0, powers[1] / sum(powers)], 1e-5)


@pytest.mark.parametrize("shape", [(), (3,), (4, 2), (2, 4, 2)])
def test_a_softmax_refuses_a_mask_that_does_not_broadcast(shape: tuple[int, ...]) -> None:
    """A mask of one number per sample met the last axis instead: only the file's proof saw it."""
    with pytest.raises(ProblemError) as error:
        Softmax()(Input((3, 2)), mask=Input(shape, dtype="int32"))
    assert error.value.problems[0].code == "mask_shape"


@pytest.mark.parametrize("shape", [(3, 2), (1, 2), (3, 1), (None, 2)])
def test_a_softmax_takes_a_mask_that_broadcasts(shape: tuple[int | None, ...]) -> None:
    assert Softmax()(Input((3, 2)), mask=Input(shape, dtype="int32")).shape == (None, 3, 2)


# -- adapting -------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [-1, (1, 2), None])
def test_normalization_takes_mean_and_variance_from_data(axis: object) -> None:
    data = RNG.normal(3, 2, size=(50, 3, 4))
    made, x = Normalization(axis=axis), Input((3, 4))
    made.adapt(data)
    model = Model(x, made(x))
    over = {-1: (0, 1), (1, 2): 0, None: None}[axis]
    expected = (data - data.mean(over)) / data.std(over)
    np.testing.assert_allclose(model.predict(data, verbose=0), expected, rtol=1e-4, atol=1e-5)
    before = model.get_weights()
    trained = Model(x, Dense(1)(model(x)))
    trained.compile("sgd", "mse")
    trained.fit(data, np.zeros((50, 3, 1)), verbose=0)
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_mean_and_variance_come_together() -> None:
    (problem,) = layer("Normalization", mean=[1.0, 2.0], variance=[1.0]).problems()
    assert problem.code == "moments_differ"
    assert layer("Normalization", mean=1, variance=2).mean == (1,)


def test_what_keeps_nothing_of_data_cannot_adapt() -> None:
    with pytest.raises(ProblemError, match="Dense keeps nothing of data"):
        Dense(2).adapt(np.ones((3, 2)))


def test_groups_must_divide_the_channels() -> None:
    (problem,) = shapes_of(layer("GroupNormalization", groups=4), (f("batch", 2, 6),)).problems
    assert (problem.code, problem.fix) == ("groups_uneven", {"groups": 3})
    (problem,) = layer("GroupNormalization", groups=0).problems()
    assert problem.code == "parameter_min"


@pytest.mark.parametrize("name", ["glorot_uniform", "he_uniform", "random_uniform", "orthogonal"])
def test_kernels_of_all_heads_start_as_one_matrix(name: str) -> None:
    """As Keras counts what a kernel reads and gives: all heads at once."""
    made = layer("MultiHeadAttention", num_heads=4, key_dim=16, kernel_initializer=name)
    weights = made.weights(f("batch", 5, 64), f("batch", 5, 64))
    largest = {
        w.name: abs(w.initializer.fill(w.shape, np.random.default_rng(0))).max() for w in weights
    }
    expected = {"glorot_uniform": np.sqrt(6 / 128), "he_uniform": np.sqrt(6 / 64)}
    expected |= {"random_uniform": 0.05}
    for kernel in ("query/kernel", "value/kernel", "attention_output/kernel"):
        if name in expected:
            assert 0.99 * expected[name] < largest[kernel] <= expected[name]
        else:
            assert largest[kernel] < 1
