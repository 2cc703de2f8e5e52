"""Runs the engines in turns and prints the tables; see the package's docstring."""

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Sequence

from tests.benchmarks.peers import tables
from tests.benchmarks.peers.engines import ENGINES, present
from tests.benchmarks.peers.systems import GROWTH, GUIDE, INFERENCE, System
from tests.benchmarks.peers.tables import Row
from tests.benchmarks.peers.turns import inferred, trained

NOTES = """\
ms/step: the median of the rounds. ratio: the fastest peer's step over this engine's.
import: seconds of the import statements alone. 1st step: from the start of the process to the end
of its first training step, compilation included. peak MB: the most memory the process ever had in
RAM, anonymous and mapped files alike, less the arrays of data; files MB: how much is mapped files.
loss: of the first step; within 1e-4 they agree. later: the mean over the next epoch, within 1e-2:
PyTorch adds epsilon after the root where Keras adds it within, and Keras on TensorFlow takes an
Embedding's gradient with an error of 1e-3."""


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print everything as JSON lines")
    parser.add_argument("--only", default="", help="these systems, or all whose names begin so")
    parser.add_argument("--engines", default=",".join(present()), help=", ".join(ENGINES))
    parser.add_argument("--rounds", type=int, default=5, help="epochs of each engine")
    parser.add_argument("--growth", action="store_true", help="the second table as well")
    parser.add_argument("--inference", action="store_true", help="the third table as well")
    given = parser.parse_args()
    engines, rounds = given.engines.split(","), given.rounds
    for wrong in _wrong(engines, rounds, given.only):
        parser.error(wrong)

    def show(
        systems: Sequence[System],
        measure: Callable[[System, Sequence[str], int], list[Row]],
        table: Callable[[Sequence[Row]], str],
    ) -> list[Row]:
        found = []
        for system in chosen(systems, given.only):
            found += (rows := measure(system, engines, rounds))
            print("\n".join(map(json.dumps, rows)) if given.json else table(rows), flush=True)
        return found

    said = show(GUIDE, trained, tables.training)
    if given.growth:
        grown = show(GROWTH, trained, tables.training)
        said += grown
        if not given.json:
            print(tables.vocabularies(grown))
    if given.inference:
        show(INFERENCE, inferred, tables.inference)
    if said and not given.json:
        print(NOTES)


def _wrong(engines: Sequence[str], rounds: int, only: str) -> Iterator[str]:
    """What of the options cannot be measured."""
    there = present()
    for engine in engines:
        if engine not in ENGINES:
            yield f"there is no engine {engine}; there are {', '.join(ENGINES)}"
        if engine not in there:
            yield f"{engine} cannot be imported here; {', '.join(there)} can"
    if rounds < 1:
        yield f"--rounds takes 1 or more, not {rounds}"
    if not chosen((*GUIDE, *GROWTH, *INFERENCE), only):
        yield f"no system is called {only}"


def chosen(systems: Iterable[System], only: str) -> list[System]:
    """Those called by ``only``: names, or beginnings of names that end at a dash, with commas."""
    wanted = [name for name in only.split(",") if name]
    return [
        s for s in systems if not wanted or any(f"{s.name}-".startswith(f"{w}-") for w in wanted)
    ]


if __name__ == "__main__":
    main()
