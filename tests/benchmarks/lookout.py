"""What looking out for NaN costs a training. Run by hand.

python -m tests.benchmarks.lookout [--epochs 3] [--json] [EXAMPLE …]

Each example is trained with the breakpoints that every project has. `share` is the processor's time
that looking took of the training's: the loss of each step, copies to go back to, the weights at
each epoch's end. Exits with 1 where a share is above `LIMIT`.
"""

import argparse
import json
import sys
from collections.abc import Callable
from time import process_time
from typing import Any

from studio.document import edits
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.train.events import BatchDone, Started
from studio.train.job import Job, train
from studio.train.lookout import Lookout

LIMIT = 0.05
_EXAMPLES = ("headline", "tweets", "digits")
_LOOKS = ("before_step", "after_step", "after_steps", "after_epoch")


class Timed:
    """The methods of a lookout with the time they take; as they were, once it is left."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._plain = {name: getattr(Lookout, name) for name in _LOOKS}

    def __enter__(self) -> "Timed":
        for name, method in self._plain.items():
            setattr(Lookout, name, self._measured(method))
        return self

    def __exit__(self, *_: object) -> None:
        for name, method in self._plain.items():
            setattr(Lookout, name, method)

    def _measured(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def measured(*args: Any) -> Any:
            began = process_time()
            found = method(*args)
            self.seconds += process_time() - began
            return found

        return measured


def measured(example: str, epochs: int) -> dict[str, Any]:
    """One training: milliseconds of a step, and the share that looking took."""
    began, steps = 0.0, 0
    with Timed() as timed:
        document = edits.set_run(EXAMPLES[example](), epochs=epochs)
        for event in train(Job(Project(document)), threads=1):
            if isinstance(event, Started):
                began = process_time()
            steps += isinstance(event, BatchDone)
        seconds = process_time() - began
    share = timed.seconds / seconds
    return {"example": example, "step": 1e3 * seconds / steps, "share": share}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("examples", nargs="*", default=_EXAMPLES)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = [measured(example, given.epochs) for example in given.examples]
    for each in found:
        line = f"{each['example']:10} {each['step']:8.3f} ms a step  {each['share']:.2%}"
        print(json.dumps(each) if given.json else line)
    sys.exit(any(each["share"] > LIMIT for each in found))


if __name__ == "__main__":
    main()
