"""Dropout by draws that are fed."""

import numpy as np
import pytest

from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.program import Spec
from studio.layers import Dense, Dropout, Input
from studio.layers.shapes import shapes_of
from studio.models import Model
from tests.document.drawn import layer
from tests.engine.cases import f
from tests.layers.building import build

X = np.arange(1, 9, dtype=np.float32).reshape(2, 4)
DRAWS = np.array([[0.0, 0.39, 0.4, 0.99], [0.41, 0.2, 0.7, 0.3]], np.float32)


def run(rate: float, training: bool) -> np.ndarray:
    built = build([layer("Dropout", rate=rate)], [f("batch", 4)], training)
    feeds = {n: DRAWS if n.startswith("noise/") else X for n in built.program.inputs}
    return NumpyExecutor(built.program).run(feeds)[built.outputs[0].name]


def test_draws_below_the_rate_drop_and_the_rest_is_scaled_up() -> None:
    dropped = np.less(DRAWS, np.float32(0.4))
    expected = np.where(dropped, 0, X / 0.6)
    np.testing.assert_allclose(run(0.4, training=True), expected, rtol=1e-6)


@pytest.mark.parametrize(("rate", "training"), [(0.4, False), (0.0, True), (1.0, False)])
def test_nothing_happens_outside_training_or_at_rate_zero(rate: float, training: bool) -> None:
    np.testing.assert_array_equal(run(rate, training), X)


def test_everything_goes_at_rate_one() -> None:
    assert (run(1.0, training=True) == 0).all()


def test_it_draws_only_where_it_must() -> None:
    for rate, training, draws in ((0.4, True, 1), (0.0, True, 0), (1.0, True, 0), (0.4, False, 0)):
        built = build([layer("Dropout", rate=rate)], [Spec("float32", ("batch", 4))], training)
        assert len(built.op.draws) == draws


@pytest.mark.parametrize(
    ("noise_shape", "drawn"),
    [(None, (2, 3, 4)), ((None, 1, 4), (2, 1, 4)), ((1, None, None), (1, 3, 4))],
)
def test_one_draw_drops_all_that_share_it(
    noise_shape: tuple[int | None, ...] | None, drawn: tuple[int, ...]
) -> None:
    made = layer("Dropout", rate=0.5, noise_shape=noise_shape)
    built = build([made], [f("batch", 3, 4)], training=True)
    draws, x = np.random.default_rng(0).random(drawn), np.ones((2, 3, 4), np.float32)
    feeds = {n: draws if n.startswith("noise/") else x for n in built.program.inputs}
    feeds = {n: a.astype(np.float32) for n, a in feeds.items()}
    found = NumpyExecutor(built.program).run(feeds)[built.outputs[0].name]
    np.testing.assert_array_equal(found, np.where(draws < 0.5, 0, 2) * x)


def test_the_trainer_draws_what_is_asked_for() -> None:
    x = Input((3, 4))
    model = Model(x, Dense(1)(Dropout(0.5, noise_shape=(None, 1, 4))(x)))
    model.compile("sgd", "mse")
    history = model.fit(np.ones((5, 3, 4)), np.ones((5, 3, 1)), batch_size=2, verbose=0).history
    assert np.isfinite(history["loss"]).all()


@pytest.mark.parametrize("noise_shape", [[None, 1], [None, 2, 4], [7, 3, 4]])
def test_draws_that_do_not_fit_are_refused(noise_shape: list[int | None]) -> None:
    made = layer("Dropout", noise_shape=noise_shape)
    (problem,) = shapes_of(made, (f("batch", 3, 4),)).problems
    assert (problem.code, problem.fix) == ("noise_shape", {"noise_shape": None})


def noisy(kind: str, x: np.ndarray, **params: object) -> np.ndarray:
    """What a layer makes of `x` while training, with draws as the trainer's."""
    built = build([layer(kind, **params)], [f("batch", *x.shape[1:])], training=True)
    rng, specs = np.random.default_rng(3), built.program.specs
    feeds = {
        n: rng.random([len(x) if d == "batch" else d for d in specs[n].shape]).astype(np.float32)
        if n.startswith("noise/")
        else x
        for n in built.program.inputs
    }
    return NumpyExecutor(built.program).run(feeds)[built.outputs[0].name]


def test_gaussian_noise_has_the_deviation_it_says_and_is_added() -> None:
    found = noisy("GaussianNoise", np.full((400, 50), 3, np.float32), stddev=0.5) - 3
    assert abs(found.mean()) < 0.02
    assert abs(found.std() - 0.5) < 0.02
    assert abs((found**4).mean() / 0.5**4 - 3) < 0.2  # a normal distribution's


def test_gaussian_dropout_has_dropouts_mean_and_variance() -> None:
    found = noisy("GaussianDropout", np.full((400, 50), 2, np.float32), rate=0.2)
    assert abs(found.mean() - 2) < 0.05
    assert abs(found.std() - 2 * 0.5) < 0.05


def test_alpha_dropout_keeps_mean_and_variance() -> None:
    x = np.random.default_rng(0).normal(size=(400, 50)).astype(np.float32)
    found = noisy("AlphaDropout", x, rate=0.3)
    assert abs(found.mean()) < 0.05
    assert abs(found.std() - 1) < 0.05


@pytest.mark.parametrize(
    ("kind", "params", "shape", "together"),
    [
        ("SpatialDropout1D", {}, (20, 3, 4), (1,)),
        ("SpatialDropout2D", {}, (20, 3, 2, 4), (1, 2)),
        ("SpatialDropout2D", {"data_format": "channels_first"}, (20, 4, 3, 2), (2, 3)),
    ],
)
def test_features_are_dropped_whole(
    kind: str, params: dict, shape: tuple[int, ...], together: tuple[int, ...]
) -> None:
    found = noisy(kind, np.ones(shape, np.float32), rate=0.5, **params)
    assert set(np.unique(found)) == {0, 2}
    assert (found.max(together) == found.min(together)).all()


@pytest.mark.parametrize("kind", ["GaussianDropout", "AlphaDropout"])
def test_a_rate_of_one_leaves_nothing_to_scale(kind: str) -> None:
    (problem,) = layer(kind, rate=1.0).problems()
    assert (problem.code, problem.fix) == ("rate_one", {"rate": 0.5})


def test_a_seed_of_its_own_is_ignored_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="Dropout ignores seed"):
        assert Dropout(0.3, seed=5).declaration == layer("Dropout", rate=0.3)


@pytest.mark.parametrize(
    ("mode", "axes"),
    [("horizontal", (2,)), ("vertical", (1,)), ("horizontal_and_vertical", (1, 2))],
)
def test_half_of_the_pictures_are_turned_round(mode: str, axes: tuple[int, ...]) -> None:
    x = np.random.default_rng(1).normal(size=(200, 3, 4, 2)).astype(np.float32)
    found = noisy("RandomFlip", x, mode=mode)
    turned = [(a == np.flip(b, [i - 1 for i in axes])).all() for a, b in zip(found, x, strict=True)]
    plain = [(a == b).all() for a, b in zip(found, x, strict=True)]
    assert np.array_equal(turned, np.logical_not(plain))
    assert 70 < sum(turned) < 130
