"""One engine on one system, in a process of its own: answers every line with a line of JSON."""

import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

BORN = float(os.environ.get("BENCHMARK_BORN", time.time()))  # when the process was started
REPEATED = {1: 50, 256: 5}  # how often so many samples are predicted


def main(engine: str, name: str) -> None:
    """Serve until the input ends."""
    from tests.benchmarks.peers import engines

    began = time.perf_counter()
    api = engines.load(engine)
    imported = time.perf_counter() - began
    from tests.benchmarks.peers.systems import SYSTEMS

    system = SYSTEMS[name]
    x, y = system.arrays()
    training = engines.start(engine, api, system, x, y)
    for line in sys.stdin:
        order, *numbers = line.split()
        count = int(numbers[0]) if numbers else 0
        some = [array[:count] for array in x]
        if order == "start":
            loss = training.step()
            first = time.time() - BORN
            later = training.epoch()
            _say({"import": imported, "first": first, "loss": loss, "later": later})
        elif order == "train":
            began = time.perf_counter()
            training.epoch()
            _say({"ms": 1000 * (time.perf_counter() - began) / system.steps})
        elif order == "predict":
            _say({"ms": statistics.median(_timed(training, some) for _ in range(REPEATED[count]))})
        elif order == "output":
            _say({"output": training.mean_square(some)})
        elif order == "memory":
            _say(_memory(sum(array.nbytes for array in (*x, *y))))
        else:
            from tests.benchmarks.peers.parts import parts

            _say(parts(training))


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


def _timed(training: Any, some: list[Any]) -> float:
    """Milliseconds of one prediction."""
    began = time.perf_counter()
    training.predict(some)
    return 1000 * (time.perf_counter() - began)


def _memory(data: int) -> dict[str, float]:
    """The most this process ever had in RAM, less the data; what is now of mapped files. In MB.

    Raises:
        FileNotFoundError: not on Linux.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    status = dict(line.split(":", 1) for line in lines)
    peak, files = (int(status[name].split()[0]) / 1024 for name in ("VmHWM", "RssFile"))
    return {"peak_mb": peak - data / 2**20, "files_mb": files}


if __name__ == "__main__":
    main(*sys.argv[1:])
