"""Engines in processes of their own, that take turns."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from tests.benchmarks.peers.systems import System
from tests.benchmarks.peers.tables import Row, compared

ON_OURS = ("ours-onnxruntime", "onnxruntime")  # two more ways to infer with what we trained


class Worker:
    """A process that does what it is asked."""

    def __init__(self, engine: str, system: System) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.peers.worker", engine, system.name]
        environment = {**os.environ, "BENCHMARK_BORN": str(time.time()), "JAX_PLATFORMS": "cpu"}
        environment["TF_CPP_MIN_LOG_LEVEL"] = "3"
        self.engine = engine
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )

    def ask(self, line: str) -> dict[str, Any]:
        """What it answers."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self._answer()

    def end(self) -> None:
        """Close its input and wait for it."""
        self.process.communicate()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found
        raise RuntimeError(f"{self.engine} ended without an answer")


def trained(system: System, engines: Sequence[str], rounds: int) -> list[Row]:
    """A row for each engine: its step, its start, its memory; of ours, where the time goes."""
    workers, rows = list[Worker](), list[Row]()
    for engine in engines:  # each starts alone
        workers.append(worker := Worker(engine, system))
        rows.append({"system": system.name, "engine": engine, **worker.ask("start")})
    times = _in_turns(workers, "train", rounds)
    for worker, row, found in zip(workers, rows, times, strict=True):
        row |= {"ms": statistics.median(found), "best": min(found), **worker.ask("memory")}
        if worker.engine == "ours":
            row["parts"] = worker.ask("parts")
        worker.end()
    return compared(rows)


def inferred(system: System, engines: Sequence[str], rounds: int) -> list[Row]:
    """A row for each engine and number of samples, with ours on onnxruntime, and that alone."""
    ways = [*engines, *(ON_OURS if "ours" in engines else ())]
    workers = [Worker(engine, system) for engine in ways]
    found = []
    for count in (1, 256):
        rows: list[Row] = [
            {
                "system": system.name,
                "engine": w.engine,
                "samples": count,
                **w.ask(f"output {count}"),
            }
            for w in workers
        ]
        times = _in_turns(workers, f"predict {count}", rounds)
        for row, measured in zip(rows, times, strict=True):
            row["ms"] = statistics.median(measured)
        found += compared(rows, ON_OURS)
    for worker in workers:
        worker.end()
    return found


def _in_turns(workers: Sequence[Worker], line: str, rounds: int) -> list[list[float]]:
    """The milliseconds of each worker, round by round."""
    times: list[list[float]] = [[] for _ in workers]
    for _ in range(rounds):
        for worker, found in zip(workers, times, strict=True):
            found.append(worker.ask(line)["ms"])
    return times
