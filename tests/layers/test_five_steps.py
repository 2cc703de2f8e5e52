"""Every layer trained for five steps as Keras recorded it: its gradient, its statistics, its order.

`tests.systems.chain` says what the models are.
"""

from typing import Any

import numpy as np
import pytest

from studio import optimizers
from studio.declare import clear_session
from studio.models import Model
from tests.models_of_the_guide import STUDIO
from tests.references import case, meta, parts
from tests.systems import chain

RECORDINGS = ("five_steps", "five_steps_wider", "windows_five_steps")
OF = {name: recording for recording in RECORDINGS for name in meta(recording)["cases"]}
CASES = {name: meta(recording)["cases"][name] for name, recording in OF.items()}
ABOUT = meta("five_steps")
CLOSE = {"rtol": 2e-4, "atol": 1e-5}

each_case = pytest.mark.parametrize("name", CASES)


def weights(name: str, when: str) -> list[np.ndarray]:
    return parts(case(OF[name], name)[when], CASES[name]["weight_shapes"])


def start(name: str) -> Model:
    clear_session()
    recorded = CASES[name]
    model: Model = chain(STUDIO, recorded["chain"], recorded["shapes"], recorded["states"])
    model.set_weights(weights(name, "w"))
    return model


def last(path: str) -> str:
    return path.rpartition("/")[2]


@each_case
def test_its_weights_are_keras_in_keras_order(name: str) -> None:
    model, recorded = start(name), CASES[name]
    assert [last(v.path) for v in model.weights] == [last(p) for p in recorded["weights"]]
    assert [v.shape for v in model.weights] == [tuple(s) for s in recorded["weight_shapes"]]
    trainable = [last(path) for path in recorded["trainable_weights"]]
    assert [last(v.path) for v in model.trainable_weights] == trainable


@each_case
@pytest.mark.parametrize("optimizer", ABOUT["optimizers"])
def test_five_steps_leave_the_weights_keras_has(name: str, optimizer: str) -> None:
    model, arrays, recorded = start(name), case(OF[name], name), CASES[name]
    config: dict[str, Any] = ABOUT["optimizers"][optimizer]
    model.compile(getattr(optimizers, optimizer)(**config), "mse")
    history = model.fit(
        [arrays[f"x{i}"] for i in range(len(recorded["shapes"]))],
        arrays["y"],
        batch_size=ABOUT["batch_size"],
        shuffle=False,
        verbose=0,
    ).history
    assert list(history) == list(recorded["history"][optimizer])
    np.testing.assert_allclose(history["loss"], recorded["history"][optimizer]["loss"], **CLOSE)
    found = zip(recorded["weights"], model.get_weights(), weights(name, optimizer), strict=True)
    for path, ours, theirs in found:
        np.testing.assert_allclose(ours, theirs, **CLOSE, err_msg=path)
