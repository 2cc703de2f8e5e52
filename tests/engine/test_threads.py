"""Threads are a rule over shapes and what the environment allows, never what is idle."""

import numpy as np  # noqa: F401  its BLAS is counted
import pytest
from threadpoolctl import threadpool_info

from studio.engine.threads import VARIABLE, available, limited, small_products


def counts() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_the_environment_may_allow_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    cores = available()
    for given, expected in (("1", 1), ("999", cores), ("0", 1), ("many", cores), ("", cores)):
        monkeypatch.setenv(VARIABLE, given)
        assert available() == expected


def test_small_products_take_one_thread_and_give_the_others_back() -> None:
    with limited(2):
        before = counts()
        with small_products(32 * 128 * 32):
            assert counts() == {1}
        assert counts() == before
        with small_products(1 << 30):
            assert counts() == before
