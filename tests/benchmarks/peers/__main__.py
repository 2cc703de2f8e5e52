"""Runs the engines in turns and prints the tables; see the package's docstring."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from tests.benchmarks.peers.engines import present
from tests.benchmarks.peers.systems import GROWTH, GUIDE, System

INFERENCE = ("digits", "video", "headline-zipf", "tweets")
CLOSE = 2e-3  # relative; Keras on TensorFlow takes an Embedding's gradient with 1e-3 of error


class Worker:
    """A process that trains when asked."""

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
        self.started = self._answer()

    def ask(self, line: str) -> float:
        """The one number it answers with."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        (value,) = self._answer().values()
        return float(value)

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


def measured(system: System, engines: Sequence[str], rounds: int) -> list[dict[str, Any]]:
    """A row for each engine."""
    workers = [Worker(engine, system) for engine in engines]
    times: dict[str, list[float]] = {engine: [] for engine in engines}
    for _ in range(rounds):
        for worker in workers:
            times[worker.engine].append(worker.ask("train"))
    rows = []
    for worker in workers:
        row: dict[str, Any] = {"system": system.name, "engine": worker.engine}
        row["ms"] = statistics.median(times[worker.engine])
        row["best"] = min(times[worker.engine])
        if system.name in INFERENCE:
            row["predict_1"], row["predict_256"] = (
                worker.ask(f"predict {n}") for n in (1, min(256, system.batch * system.steps))
            )
        row["peak_mb"] = worker.ask("peak")
        rows.append({**row, **worker.started})
        worker.end()
    reference = rows[0]["loss"]
    for row in rows:
        row["agrees"] = abs(row["loss"] - reference) <= CLOSE * abs(reference)
        peers = [r["ms"] for r in rows if r["engine"] != "ours"]
        row["ratio"] = min(peers) / row["ms"] if peers else float("nan")
    return rows


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as text; the ratio is the fastest peer's step over this engine's."""
    head = ("system", "engine", "ms/step", "ratio", "peak MB", "ready s", "1st epoch s", "loss")
    lines = [head]
    for r in rows:
        loss = f"{r['loss']:.4f}" + ("" if r["agrees"] else " differs")
        numbers = (f"{r['ms']:.3f}", f"{r['ratio']:.2f}", f"{r['peak_mb']:.0f}")
        lines.append(
            (r["system"], r["engine"], *numbers, f"{r['ready']:.2f}", f"{r['first']:.2f}", loss)
        )
        if "predict_1" in r:
            said = f"predict 1: {r['predict_1']:.3f} ms, 256: {r['predict_256']:.2f} ms"
            lines.append(("", said, *[""] * 6))
    widths = [max(len(line[i]) for line in lines if line[0] or i != 1) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the rows as JSON lines")
    parser.add_argument("--only", help="systems whose names begin so")
    parser.add_argument("--engines", default=",".join(present()))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--growth", action="store_true", help="the second table as well")
    given = parser.parse_args()
    systems = (*GUIDE, *GROWTH) if given.growth or given.only else GUIDE
    for system in systems:
        if given.only and not system.name.startswith(given.only):
            continue
        rows = measured(system, given.engines.split(","), given.rounds)
        said = "\n".join(map(json.dumps, rows)) if given.json else table(rows) + "\n"
        print(said, flush=True)


if __name__ == "__main__":
    main()
