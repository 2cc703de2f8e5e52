"""Kills a process that writes a file over and over, at random moments: is the file whole?

    python -m tests.reliability.kills FOLDER TRIALS SEED KIND …

Prints JSON, by kind what was found. Each trial is a process of its own, and SIGKILL is real.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle
from pathlib import Path

from tests.reliability.writers import WRITERS, Writer


@dataclass
class Found:
    """What became of the files.

    Attributes:
        trials: how many processes were killed.
        within: how many of them in the middle of writing: something was left beside the file.
        left: the most files that were there besides, at any time.
        broken: what was wrong with the files, by trial.
    """

    trials: int
    within: int = 0
    left: int = 0
    broken: dict[int, str] = field(default_factory=dict)


def kill(writer: Writer, folder: Path, trials: int, seed: int) -> Found:
    """Kill as many writers, at moments up to 1.2 times what a write takes."""
    _written(writer, folder, (0, 1))
    writer.found(folder)
    lasts = _written(writer, folder, (0, 1, 0)) / 3
    rng, found = random.Random(seed), Found(trials)
    for trial in range(trials):
        _kill_one(writer, folder, rng.uniform(0, 1.2 * lasts))
        others = {p.name for p in folder.iterdir()} - {*writer.names}
        others = {name for name in others if not name.endswith(".lock")}  # of QSettings
        found.within += bool(others)
        found.left = max(found.left, len(others))
        try:
            writer.found(folder)
        except Exception as error:
            found.broken[trial] = f"{type(error).__name__}: {error}"[:200]
            _written(writer, folder, (0,))
    _written(writer, folder, (0,))
    others = {path.name for path in folder.iterdir()} - {*writer.names}
    if others:
        found.broken[trials] = f"left behind: {sorted(others)}"
    return found


def _written(writer: Writer, folder: Path, states: Sequence[int]) -> float:
    """Write these states one after another; how many seconds it took."""
    began = time.perf_counter()
    for state in states:
        writer.write_whole(folder, state)
    return time.perf_counter() - began


def _kill_one(writer: Writer, folder: Path, after: float) -> None:
    """Kill a process so many seconds after it began to write."""
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        os.write(theirs, b"!")
        for state in cycle((1, 0)):
            writer.write(folder, state)
    os.read(ours, 1)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(ours)
    os.close(theirs)


if __name__ == "__main__":
    place, count, start, *kinds = sys.argv[1:]
    told = {}
    for kind in kinds:
        (Path(place) / kind).mkdir()
        told[kind] = asdict(kill(WRITERS[kind], Path(place) / kind, int(count), int(start)))
    print(json.dumps(told))
