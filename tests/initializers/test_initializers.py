"""Every initializer: its bounds, its moments, and draws that depend on their key alone."""

import json
import tracemalloc

import numpy as np
import pytest

from studio.declare import declared, resolve, snake
from studio.document.draws import generator
from studio.engine.program import Spec
from studio.initializers import CATALOGUE
from studio.initializers.base import Initializer, fans
from studio.initializers.random import (
    GlorotUniform,
    HeUniform,
    Orthogonal,
    RandomUniform,
    TruncatedNormal,
)
from studio.layers import CATALOGUE as LAYERS
from studio.problem import ProblemError
from studio.text import catalogue
from tests import references

RECORDED = {
    case: facts
    for case, facts in references.meta("utils")["initializers"].items()
    if facts["layer"] in LAYERS
}
SHAPES = ((), (5,), (4, 6), (6, 4), (3, 2, 4))


def fill(initializer: Initializer, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return initializer.fill(shape, generator(seed, "initial", "l1", "kernel"))


@pytest.mark.parametrize("kind", CATALOGUE)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_it_fills_any_shape_with_float32(kind: str, shape: tuple[int, ...]) -> None:
    made = declared("initializers", kind)()
    if (kind == "Orthogonal" and len(shape) < 2) or (kind == "Identity" and len(shape) != 2):
        with pytest.raises(ProblemError, match="matrices"):
            made.accept("kernel", shape)
        return
    array = fill(made, shape)
    assert (array.dtype, array.shape) == (np.float32, shape)
    assert np.isfinite(array).all()


@pytest.mark.parametrize("kind", CATALOGUE)
def test_the_same_key_gives_the_same_bits(kind: str) -> None:
    made = declared("initializers", kind)()
    assert fill(made, (4, 6)).tobytes() == fill(made, (4, 6)).tobytes()


RANDOM = [kind for kind, module in CATALOGUE.items() if module == "random"]


@pytest.mark.parametrize("kind", RANDOM)
def test_another_seed_gives_another_draw(kind: str) -> None:
    made = declared("initializers", kind)()
    assert not np.allclose(fill(made, (4, 6)), fill(made, (4, 6), seed=1))


@pytest.mark.parametrize("kind", RANDOM)
def test_one_with_a_seed_of_its_own_draws_by_that_alone(kind: str) -> None:
    first, second = (declared("initializers", kind)(seed=seed) for seed in (5, 6))
    assert fill(first, (4, 6)).tobytes() == fill(first, (4, 6), seed=1).tobytes()
    assert not np.allclose(fill(first, (4, 6)), fill(second, (4, 6)))


SPREADS, EXACT = (references.meta("initializers")[key] for key in ("cases", "exact"))


def test_every_initializer_is_compared_with_keras() -> None:
    facts = [*SPREADS.values(), *EXACT.values()]
    assert {case["initializer"] for case in facts} == set(CATALOGUE)


@pytest.mark.parametrize("case", SPREADS)
def test_draws_are_spread_as_those_of_keras(case: str) -> None:
    facts = SPREADS[case]
    made = declared("initializers", facts["initializer"])(**facts["config"])
    array, scale = fill(made, tuple(facts["shape"])).astype(np.float64), facts["std"]
    assert array.std() == pytest.approx(scale, rel=0.01)
    assert array.mean() == pytest.approx(facts["mean"], abs=0.02 * scale)
    quantiles = np.quantile(array, references.meta("initializers")["shares"])
    np.testing.assert_allclose(quantiles, facts["quantiles"], atol=0.1 * scale)
    if facts["initializer"] not in ("RandomNormal", "Orthogonal") and "_out" not in case:
        bounds = (array.min(), array.max())
        np.testing.assert_allclose(bounds, (facts["min"], facts["max"]), atol=0.01 * scale)


@pytest.mark.parametrize("case", EXACT)
def test_what_draws_nothing_is_what_keras_fills_in(case: str) -> None:
    facts = EXACT[case]
    expected = np.array(facts["values"], np.float32)
    made = declared("initializers", facts["initializer"])(**facts["config"])
    np.testing.assert_array_equal(fill(made, expected.shape), expected)


@pytest.mark.parametrize(
    ("made", "limit"),
    [
        (GlorotUniform(), np.sqrt(6 / (300 + 200))),
        (HeUniform(), np.sqrt(6 / 300)),
        (RandomUniform(), 0.05),
        (RandomUniform(-2.0, 2.0), 2.0),
    ],
)
def test_uniform_draws_fill_their_interval(made: Initializer, limit: float) -> None:
    array = fill(made, (300, 200))
    assert np.abs(array).max() <= np.float32(limit)
    assert np.abs(array).max() > 0.999 * limit
    assert array.std() == pytest.approx(limit / np.sqrt(3), rel=0.01)
    assert abs(array.mean()) < 0.01 * limit


@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (5, 5), (2, 3, 4)], ids=str)
def test_orthogonal_rows_or_columns(shape: tuple[int, ...]) -> None:
    flat = fill(Orthogonal(gain=2.0), shape).reshape(-1, shape[-1]).astype(np.float64) / 2
    gram = flat @ flat.T if flat.shape[0] <= flat.shape[1] else flat.T @ flat
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-6)


def test_fans_count_as_keras_counts() -> None:
    assert [fans(s) for s in ((), (5,), (3, 4), (3, 3, 2, 8))] == [
        (1, 1),
        (5, 5),
        (3, 4),
        (18, 72),
    ]


@pytest.mark.parametrize("case", RECORDED)
def test_layers_start_as_keras_starts_them(case: str) -> None:
    facts = RECORDED[case]
    layer = declared("layers", facts["layer"]).from_config(facts["config"])
    dtype = "int32" if facts["layer"] == "Embedding" else "float32"
    weights = layer.weights(Spec(dtype, ("batch", *facts["input_shape"])))
    assert [w.name for w in weights] == [w["name"] for w in facts["weights"]]
    for weight, expected in zip(weights, facts["weights"], strict=True):
        array = weight.initializer.fill(weight.shape, generator(0, "initial", "l1", weight.name))
        assert list(array.shape) == expected["shape"]
        if ("values" in expected and expected["std"] == 0) or weight.name == "bias":
            assert array.mean() == pytest.approx(expected["mean"])
            assert array.std() == pytest.approx(expected["std"])
            assert array.tolist() == expected.get("values", array.tolist())
            continue
        if expected["gram_error"] == 0:
            np.testing.assert_allclose(array @ array.T, np.eye(len(array)), atol=1e-5)
        if array.size > 1000:
            assert array.std() == pytest.approx(expected["std"], rel=0.06)
            assert np.abs(array).max() == pytest.approx(
                max(-expected["min"], expected["max"]), rel=0.25
            )


@pytest.mark.parametrize("kind", CATALOGUE)
def test_names_json_and_help(kind: str) -> None:
    made = declared("initializers", kind)()
    assert resolve("initializers", kind) == resolve("initializers", snake(kind)) == made
    assert resolve("initializers", json.loads(json.dumps({"kind": kind, **made.config()}))) == made
    chinese = catalogue("zh_CN", "initializers")
    assert made.help()
    assert chinese.get(kind)
    for p in made.params():
        assert made.help(p.name)
        assert chinese.get(f"{kind}.{p.name}"), p.name


@pytest.mark.parametrize("mean", [0.0, 3.0])
def test_a_large_truncated_normal_is_the_same_draws_and_takes_little_beside_itself(
    mean: float,
) -> None:
    """It was drawn whole in float64, with a mask beside it: five times what it is."""
    shape, key = (3, 2**20), (0, "initial", "l1", "kernel")
    rng = generator(*key)
    whole = rng.normal(size=shape)
    while (far := np.abs(whole) > 2).any():
        whole[far] = rng.normal(size=np.count_nonzero(far))
    tracemalloc.start()
    try:
        found = TruncatedNormal(mean, 0.05).fill(shape, generator(*key))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(found, (mean + 0.05 * whole).astype(np.float32))
    assert peak < found.nbytes + 2**25
