"""Where the time of one of our steps goes."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from studio.engine import planner
from studio.engine.passes.eliminate_dead import eliminate_dead
from studio.engine.program import Spec
from studio.engine.threads import limited
from tests.benchmarks.peers.engines import Ours

ROUNDS = 20
LONGEST = 5


def parts(training: Ours) -> dict[str, Any]:
    """The last step again, call by call; then its matrix products alone, on copies.

    Every product of the engine is a ``numpy.matmul``, inside recurrent kernels too; they are noted
    while one step runs. Each time is the shortest of some, in milliseconds.
    """
    runner = training.model._trainer._active
    last = next(iter(runner._plans.values()))
    feeds = {name: last.buffers[name] for name in runner.program.inputs}
    products: list[Callable[[], object]] = []
    with limited(runner.threads), np.errstate(all="ignore"):
        with _noted(products):
            for call in _named_calls(runner, feeds)[0]:
                call()
        calls, names = _named_calls(runner, feeds)
        rounds = [
            (
                _timed(lambda: runner.run(feeds)),
                _timed(lambda: [product() for product in products]),
                [_timed(call) for call in calls],
            )
            for _ in range(ROUNDS)
        ]
    step, alone, times = (np.min(found, axis=0) for found in zip(*rounds, strict=True))
    longest = np.argsort(-times)[:LONGEST]
    return {
        "step_ms": float(step),
        "products_ms": float(alone),
        "around_ms": float(max(0, step - times.sum())),
        "count": len(calls),
        "calls": [(names[i], float(times[i])) for i in longest],
    }


def _named_calls(
    runner: Any, feeds: dict[str, Any]
) -> tuple[list[Callable[[], object]], list[str]]:
    """A plan like the runner's, on its states, with these feeds; what each call is of."""
    specs = {name: Spec(array.dtype.name, array.shape) for name, array in feeds.items()}
    memory = {**runner._state, **runner._joined}
    states = {state.input: memory[state.input] for state in runner._faster.state}
    planning = planner._Planner(eliminate_dead(runner._faster), specs, states)
    plan = planning.plan()
    for name, array in feeds.items():
        np.copyto(plan.buffers[name], array)
    names = [node.op for node in planning.nodes if not planning._is_view(node)]
    names += ["copy"] * (len(plan.calls) - len(names))
    return list(plan.calls), names


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
