"""Weights in .npy files: the same numbers back, and reasons where a file does not fit."""

from pathlib import Path

import numpy as np
import pytest

from studio.initializers.constant import Zeros
from studio.layers.base import Weight
from studio.problem import ProblemError
from studio.train.weight_files import read_weight, write_weight

KERNEL = Weight("kernel", (2, 3), Zeros())


def test_what_is_written_is_read(tmp_path: Path) -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    write_weight(tmp_path / "w.npy", array)
    assert np.array_equal(np.load(tmp_path / "w.npy"), array)
    found = read_weight(tmp_path / "w.npy", KERNEL)
    assert np.array_equal(found, array)
    assert found.flags.c_contiguous
    assert found.flags.writeable


@pytest.mark.parametrize("dtype", ["float64", "float16", "int64", "bool"])
def test_other_numbers_become_float32(tmp_path: Path, dtype: str) -> None:
    np.save(tmp_path / "w.npy", np.asfortranarray(np.ones((2, 3), dtype)))
    found = read_weight(tmp_path / "w.npy", KERNEL)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous


@pytest.mark.parametrize(
    ("array", "code"),
    [
        (np.ones((3, 2)), "weight_array_shape"),
        (np.ones(6), "weight_array_shape"),
        (np.ones((2, 3), "complex64"), "array_refused"),
        (np.full((2, 3), "text"), "weight_array_kind"),
        (np.array([[1, 2, np.nan], [1, np.inf, 1e300]]), "weight_array_broken"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_reason(tmp_path: Path, array, code) -> None:
    np.save(tmp_path / "w.npy", array)
    with pytest.raises(ProblemError) as caught:
        read_weight(tmp_path / "w.npy", KERNEL)
    (problem,) = caught.value.problems
    assert problem.code == code
    assert "w.npy" in str(problem)
    assert code == "array_refused" or "kernel" in str(problem)


def test_an_object_array_is_not_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ProblemError) as caught:
        read_weight(tmp_path / "w.npy", KERNEL)
    assert caught.value.problems[0].code == "array_refused"
