"""Every initializer: its bounds, its moments, and draws that depend on their key alone."""

import json

import numpy as np
import pytest

from studio.declare import declared, resolve, snake
from studio.document.draws import generator
from studio.engine.program import Spec
from studio.initializers import CATALOGUE
from studio.initializers.base import Initializer, fans
from studio.initializers.constant import Constant
from studio.initializers.random import (
    GlorotUniform,
    HeUniform,
    Orthogonal,
    RandomNormal,
    RandomUniform,
)
from studio.layers import CATALOGUE as LAYERS
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
    if kind == "Orthogonal" and len(shape) < 2:
        return
    array = fill(made, shape)
    assert (array.dtype, array.shape) == (np.float32, shape)
    assert np.isfinite(array).all()


@pytest.mark.parametrize("kind", CATALOGUE)
def test_the_same_key_gives_the_same_bits(kind: str) -> None:
    made = declared("initializers", kind)()
    assert fill(made, (4, 6)).tobytes() == fill(made, (4, 6)).tobytes()


@pytest.mark.parametrize("made", [RandomUniform(), RandomNormal(), GlorotUniform(), Orthogonal()])
def test_another_seed_gives_another_draw(made: Initializer) -> None:
    assert not np.allclose(fill(made, (4, 6)), fill(made, (4, 6), seed=1))


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


def test_normal_draws_have_their_moments() -> None:
    array = fill(RandomNormal(1.0, 2.0), (300, 200))
    assert array.mean() == pytest.approx(1, abs=0.03)
    assert array.std() == pytest.approx(2, rel=0.01)


@pytest.mark.parametrize("shape", [(4, 6), (6, 4), (5, 5), (2, 3, 4)], ids=str)
def test_orthogonal_rows_or_columns(shape: tuple[int, ...]) -> None:
    flat = fill(Orthogonal(gain=2.0), shape).reshape(-1, shape[-1]).astype(np.float64) / 2
    gram = flat @ flat.T if flat.shape[0] <= flat.shape[1] else flat.T @ flat
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-6)


def test_a_constant() -> None:
    assert (fill(Constant(0.3), (2, 2)) == np.float32(0.3)).all()


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
