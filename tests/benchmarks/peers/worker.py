"""One engine on one system, in a process of its own: an epoch for each line it is sent.

It answers every line with a line of JSON.
"""

import json
import os
import resource
import sys
import time
from typing import Any

BORN = float(os.environ.get("BENCHMARK_BORN", time.time()))  # when the process was started


def _peak() -> float:
    """The most memory this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(engine: str, name: str) -> None:
    """Serve until the input ends."""
    from tests.benchmarks.peers.systems import SYSTEMS

    system = SYSTEMS[name]
    data = sum(array.nbytes for arrays in system.arrays() for array in arrays) / 2**20
    from tests.benchmarks.peers.engines import start

    training = start(engine, system)
    ready = time.time() - BORN
    first_loss = training.epoch()
    answer: dict[str, Any] = {"ready": ready, "first": time.time() - BORN, "loss": first_loss}
    print(json.dumps(answer), flush=True)
    inputs, _ = system.arrays()
    for line in sys.stdin:
        if line.startswith("train"):
            began = time.perf_counter()
            training.epoch()
            answer = {"ms": 1000 * (time.perf_counter() - began) / system.steps}
        elif line.startswith("predict"):
            rows = int(line.split()[1])
            some = [array[:rows] for array in inputs]
            training.predict(some)
            began = time.perf_counter()
            for _ in range(10):
                training.predict(some)
            answer = {"ms": 1000 * (time.perf_counter() - began) / 10}
        else:
            answer = {"peak": _peak() - data}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
