"""Where the time of one of our steps goes."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from studio.engine import planner
from studio.engine.operator import Call
from studio.engine.program import Node
from studio.engine.threads import limited
from tests.benchmarks.peers.engines import Fitted

ROUNDS = 20
LONGEST = 5


def parts(training: Fitted) -> dict[str, Any]:
    """The last step again, call by call; then its matrix products alone, on copies.

    Every product of the engine is a ``numpy.matmul``, inside recurrent kernels too; they are noted
    while one step runs. Each time is the shortest of some, in milliseconds.
    """
    runner = training.model._trainer._active
    last = next(iter(runner._plans.values()))
    feeds = {name: last.buffers[name].copy() for name in runner.program.inputs}
    products: list[Callable[[], object]] = []
    with limited(runner.threads), np.errstate(all="ignore"):
        with _noted(products):
            _planned_anew(runner, feeds)
            runner.run(feeds)
        calls, names = _planned_anew(runner, feeds)
        rounds = [
            (
                _timed(lambda: runner.run(feeds)),
                _timed(lambda: [product() for product in products]),
                [_timed(call) for call in calls],
            )
            for _ in range(ROUNDS)
        ]
    step, alone, times = (np.min(found, axis=0) for found in zip(*rounds, strict=True))
    sums: Counter[str] = Counter()
    for name, ms in zip(names, times, strict=True):
        sums[name] += float(ms)
    return {
        "step_ms": float(step),
        "products_ms": float(alone),
        "around_ms": float(max(0, step - times.sum())),
        "count": len(calls),
        "calls": sums.most_common(LONGEST),
    }


def _planned_anew(runner: Any, feeds: dict[str, Any]) -> tuple[list[Call], list[str]]:
    """The calls of a new plan of the runner, and the operator each is of."""
    bound: dict[int, str] = {}

    class Noting(planner.Layout):
        def bind(self, node: Node, *rest: Any) -> Call:
            call = super().bind(node, *rest)
            bound[id(call)] = node.op
            return call

    before, planner.Layout = planner.Layout, Noting  # type: ignore[misc]
    try:
        runner._plans.clear()
        calls = list(runner.plan(feeds).calls)
    finally:
        planner.Layout = before  # type: ignore[misc]
    return calls, [bound.get(id(call), "copy") for call in calls]


@contextmanager
def _noted(products: list[Callable[[], object]]) -> Iterator[None]:
    """Inside, every matrix product that is made is noted, to be made again."""
    matmul = np.matmul

    def noting(*operands: Any, **options: Any) -> Any:
        x, y = (operand.copy(order="K") for operand in operands[:2])
        found = matmul(*operands, **options)
        products.append(partial(matmul, x, y, np.empty_like(found)))
        return found

    np.matmul = noting  # type: ignore[assignment]
    try:
        yield
    finally:
        np.matmul = matmul


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - began)
