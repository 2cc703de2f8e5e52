"""What the lens costs a training. Run by hand.

python -m tests.benchmarks.lens [--epochs 6] [--json] [EXAMPLE …]

Each example is trained without the lens and with it. `share` is the time that looks took of the
training's, from its first step on; `first` is the look before that, with which programs are built;
`off` is what being able to look costs where nobody does, of a step. Exits with 1 where a share is
above a tenth, or the weights are others than without the lens.
"""

import argparse
import json
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from time import perf_counter

import numpy as np

from studio.document import edits
from studio.document.project import Project
from studio.document.store import Store
from studio.examples import EXAMPLES
from studio.train.arrays import Arrays
from studio.train.control import Orders
from studio.train.events import BatchDone, Finished, Started
from studio.train.job import Job, train
from studio.train.study.bench import Bench
from studio.train.study.observer import Observer
from studio.train.study.seen import Seen
from studio.train.study.wanted import Wanted
from studio.train.trainer import Trainer

LIMIT = 0.1
_EXAMPLES = ("headline", "tweets", "digits")
_CALLS = 10_000


@dataclass(frozen=True)
class Training:
    """One training; times in seconds."""

    seconds: float
    steps: int
    looks: dict[str, int]
    looking: float
    first: float
    weights: dict[str, np.ndarray]


def trained(example: str, epochs: int, lens: bool) -> Training:
    """A training of an example, from its first weights."""
    project = Project(edits.set_run(EXAMPLES[example](), epochs=epochs), Store())
    orders = Orders()
    orders.say(Wanted(lens=lens))
    began, steps, looks, looking, first = 0.0, 0, Counter[str](), 0.0, 0.0
    for event in train(Job(project), orders):
        match event:
            case Started():
                began = perf_counter()
            case Seen(at="asked", seconds=seconds):
                first, began = seconds, perf_counter()
            case Seen(at=at, seconds=seconds):
                looks[at] += 1
                looking += seconds
            case BatchDone():
                steps += 1
            case Finished(weights=weights):
                found = {
                    f"{layer}/{name}": cell.value
                    for layer, cells in weights.items()
                    for (name, _), cell in cells.items()
                }
    return Training(perf_counter() - began, steps, dict(looks), looking, first, found)


def idle(example: str) -> float:
    """Seconds of a step's onlooking where nothing is wanted."""
    trainer = Trainer(EXAMPLES[example](), Store())
    call = trainer.document.graph.inputs[0]
    arrays, orders = Arrays({call: np.zeros((1, 1), np.float32)}), Orders()
    observer = Observer(Bench(trainer, arrays), lambda: orders.wanted, lambda event: None)
    began = perf_counter()
    for number in range(_CALLS):
        observer.stepped(0, number, arrays, None, {})  # type: ignore[arg-type]
    return (perf_counter() - began) / _CALLS


@dataclass(frozen=True)
class Cost:
    """What is said of an example."""

    example: str
    share: float
    first: float
    looks: dict[str, int]
    step: float
    look: float
    off: float
    same: bool

    @property
    def fine(self) -> bool:
        return self.share <= LIMIT and self.same

    def __str__(self) -> str:
        looks = ", ".join(f"{count} at {at}" for at, count in sorted(self.looks.items()))
        return (
            f"{self.example:10} share {self.share:6.2%}   looks {looks} of {1e3 * self.look:.1f} ms"
            f"   step {1e3 * self.step:.2f} ms   first {self.first:.2f} s   off {self.off:.4%}"
            f"   weights {'the same' if self.same else 'OTHERS'}"
        )


def cost(example: str, epochs: int) -> Cost:
    """Train twice, and compare."""
    plain, seen = (trained(example, epochs, lens) for lens in (False, True))
    same = all(np.array_equal(plain.weights[k], seen.weights[k]) for k in plain.weights)
    step = (seen.seconds - seen.looking) / seen.steps
    return Cost(
        example,
        seen.looking / seen.seconds,
        seen.first,
        seen.looks,
        step,
        seen.looking / max(1, sum(seen.looks.values())),
        idle(example) / step,
        same,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("examples", nargs="*", default=_EXAMPLES, choices=(*EXAMPLES, _EXAMPLES))
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = []
    for example in given.examples:
        found.append(cost(example, given.epochs))
        print(json.dumps(asdict(found[-1])) if given.json else found[-1], flush=True)
    sys.exit(0 if all(each.fine for each in found) else 1)


if __name__ == "__main__":
    main()
