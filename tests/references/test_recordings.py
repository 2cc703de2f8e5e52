"""The recordings themselves: readable everywhere, complete, small."""

import numpy as np
import pytest

from tests import references

EXPECTED = [
    "callbacks",
    "classifier",
    "constraints",
    "fitted",
    "five_steps",
    "five_steps_wider",
    "headline",
    "initializers",
    "keras_layers",
    "later_layers",
    "later_losses",
    "later_metrics",
    "later_optimizers",
    "layers",
    "losses",
    "masked_layers",
    "masked_values",
    "masks",
    "metrics",
    "optimizers",
    "preprocessing",
    "quantiles",
    "recurrent",
    "recurrent_dropout",
    "regularizers",
    "schedules",
    "signatures",
    "structures",
    "systems",
    "utils",
    "wider_activations",
    "wider_attention",
    "wider_encoding",
    "wider_normalization",
    "wider_reshaping",
    "wider_volumes",
    "wider_windows",
    "windows_five_steps",
]


def test_all_are_there() -> None:
    assert references.names() == EXPECTED


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recording_is_of_keras_3_15_1_and_finite(name: str) -> None:
    assert references.meta(name)["keras"] == "3.15.1"
    for key, array in references.load(name).items():
        assert array.dtype.kind in "fiubU", key
        if array.dtype.kind == "f":
            assert np.isfinite(array).all(), key


def test_they_stay_small() -> None:
    total = sum(path.stat().st_size for path in references.FOLDER.glob("*.npz"))
    assert total < 4_000_000


def test_a_case_is_a_part_of_its_recording() -> None:
    arrays = references.case("layers", "lstm")
    assert {"x0", "w0", "w1", "w2", "y0", "r0", "dx0", "dw0", "dw1", "dw2"} == set(arrays)
