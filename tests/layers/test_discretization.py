"""Bins learnt from data, as Keras learns them; what is given and saved from then on."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.declare import declared
from studio.document.analysis import analyse
from studio.layers import Discretization, Input
from studio.models import Model, load_model
from studio.problem import ProblemError
from tests import references

CASES = references.meta("quantiles")["cases"]
each_case = pytest.mark.parametrize("case", CASES, ids="Discretization-{}".format)


def data(case: str) -> Any:
    arrays, facts = references.case("quantiles", case), CASES[case]
    return [arrays[f"data{i}"] for i in range(facts["batches"])] or arrays["data"]


def adapted(case: str, mode: str = "int") -> Any:
    facts = CASES[case]
    layer = Discretization(num_bins=facts["num_bins"], epsilon=facts["epsilon"], output_mode=mode)
    layer.adapt(data(case))
    return layer


@each_case
def test_bins_are_those_keras_learns(case: str) -> None:
    assert list(adapted(case).declaration.bin_boundaries) == CASES[case]["boundaries"]


@each_case
@pytest.mark.parametrize("mode", ["int", "one_hot", "multi_hot", "count"])
def test_it_then_gives_what_keras_gives(case: str, mode: str, tmp_path: Path) -> None:
    arrays, x = references.case("quantiles", case), Input((3,))
    model = Model(x, adapted(case, mode)(x))
    found = model.predict(arrays["x"], verbose=0)
    np.testing.assert_array_equal(found, arrays[f"y_{mode}"])
    model.save(tmp_path / "bins.loom")
    again = load_model(tmp_path / "bins.loom")
    np.testing.assert_array_equal(again.predict(arrays["x"], verbose=0), found)
    assert analyse(again.document).errors == analyse(model.document).errors


def test_only_the_first_steps_are_read() -> None:
    first, other = Discretization(num_bins=3), Discretization(num_bins=3)
    batches = [np.arange(9.0), np.arange(100.0)]
    first.adapt(iter(batches), steps=1)
    other.adapt(batches[0])
    assert first.declaration == other.declaration


def test_before_it_learnt_it_is_not_called_and_afterwards_not_adapted() -> None:
    x, layer = Input((3,)), Discretization(num_bins=3)
    with pytest.raises(ProblemError, match="does not know its bins yet") as caught:
        layer(x)
    assert caught.value.problems[0].fix == {"bin_boundaries": (0.0,)}
    layer.adapt(np.arange(30.0))
    layer(x)
    with pytest.raises(ProblemError, match="Adapt it before it is called"):
        layer.adapt(np.arange(9.0))


def test_boundaries_that_are_given_are_not_learnt() -> None:
    with pytest.raises(ProblemError, match="num_bins in their place"):
        Discretization([0.0, 1.0]).adapt(np.arange(9.0))
    with pytest.raises(ProblemError, match="num_bins"):
        Discretization(num_bins=0)


def test_what_was_learnt_is_in_its_configuration() -> None:
    config = adapted("few").declaration.config()
    assert config["num_bins"] == 4
    assert config["bin_boundaries"] == CASES["few"]["boundaries"]
    kind = declared("layers", "Discretization")
    assert kind.from_config(config) == adapted("few").declaration
