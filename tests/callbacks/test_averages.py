"""Weights and their running means change places when Keras's do."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.callbacks import LambdaCallback, ModelCheckpoint, SwapEMAWeights
from studio.layers import Dense, Input
from studio.models import Model, load_model
from studio.optimizers import SGD
from studio.problem import ProblemError
from tests import references

RECORDED, ARRAYS = references.meta("callbacks")["swap"], references.case("callbacks", "swap")
OPTIONS: dict[str, Any] = {"epochs": 3, "batch_size": 4, "shuffle": False, "verbose": 0}


def made() -> Model:
    x = Input((3,))
    model = Model(x, Dense(1)(x))
    model.set_weights([ARRAYS["w0"], ARRAYS["w1"]])
    model.compile(SGD(0.2, use_ema=True, ema_momentum=0.7), "mse")
    return model


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize("case", RECORDED)
def test_history_and_weights_are_those_of_keras(case: str, engine: str) -> None:
    model, seen = made(), []
    x, y = ARRAYS["x"], ARRAYS["y"]
    watching = [
        SwapEMAWeights(RECORDED[case]["swap_on_epoch"]),
        LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(model.get_weights()[0])),
    ]
    held = {"validation_data": (x, y), "callbacks": watching, "engine": engine}
    history = model.fit(x, y, **held, **OPTIONS).history
    for key, values in RECORDED[case]["history"].items():
        np.testing.assert_allclose(history[key], values, rtol=1e-5, err_msg=key)
    np.testing.assert_allclose(np.stack(seen), ARRAYS[f"{case}_seen"], rtol=1e-5, atol=1e-7)
    for index, weight in enumerate(model.get_weights()):
        np.testing.assert_allclose(weight, ARRAYS[f"{case}_final{index}"], rtol=1e-5, atol=1e-7)


def test_what_is_saved_at_an_epochs_end_holds_the_means(tmp_path: Path) -> None:
    model, x, y = made(), ARRAYS["x"], ARRAYS["y"]
    keep = ModelCheckpoint(tmp_path / "{epoch}.loom")
    history = model.fit(
        x, y, validation_data=(x, y), callbacks=[SwapEMAWeights(True), keep], **OPTIONS
    ).history
    for epoch in range(3):
        saved = load_model(tmp_path / f"{epoch + 1}.loom")
        np.testing.assert_allclose(
            saved.evaluate(x, y, verbose=0), history["val_loss"][epoch], rtol=1e-6
        )


def test_evaluating_and_predicting_by_the_means_leaves_the_weights() -> None:
    model, x, y = made(), ARRAYS["x"], ARRAYS["y"]
    for at in range(0, 12, 4):
        model.train_on_batch(x[at : at + 4], y[at : at + 4])
    weights, plain = model.get_weights(), model.evaluate(x, y, verbose=0)
    swap = SwapEMAWeights()
    assert model.evaluate(x, y, callbacks=[swap], verbose=0) != plain
    assert (model.predict(x, callbacks=[swap]) != model.predict(x)).any()
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert model.evaluate(x, y, verbose=0) == plain


def test_an_optimizer_without_means_is_refused() -> None:
    model = made()
    model.compile("sgd", "mse")
    with pytest.raises(ProblemError, match="use_ema=True"):
        model.evaluate(ARRAYS["x"], ARRAYS["y"], callbacks=[SwapEMAWeights()], verbose=0)
