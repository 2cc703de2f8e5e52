"""Values go through a pipe whole, however large, and in pieces."""

import multiprocessing
import threading
from typing import Any

import numpy as np
import pytest

from studio.train import pipe
from studio.train.events import EpochStarted


def passed(value: Any) -> Any:
    here, there = multiprocessing.Pipe()
    with here, there:
        sender = threading.Thread(target=pipe.send, args=(here, value))
        sender.start()
        found = pipe.receive(there)
        sender.join()
    return found


def test_large_arrays_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipe, "PIECE", 1000)
    rng = np.random.default_rng(0)
    given = {
        "large": rng.random((300, 7), np.float32),
        "none": np.zeros((0, 4), np.float32),
        "scalar": np.array(7, np.int32),
        "columns first": np.asfortranarray(rng.random((50, 3))),
        "every other": np.arange(20)[::2],
    }
    found = passed(given)
    assert found.keys() == given.keys()
    for name, array in given.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
        assert found[name].flags.writeable


def test_the_same_array_is_sent_once() -> None:
    array = np.arange(1000.0)
    one, other = passed([array, array])
    assert one is other


def test_events_arrive() -> None:
    assert passed(EpochStarted(3)) == EpochStarted(3)


def test_nobody_at_the_other_end_is_said() -> None:
    here, there = multiprocessing.Pipe()
    there.close()
    with here, pytest.raises(BrokenPipeError):
        pipe.send(here, np.zeros(100_000))
