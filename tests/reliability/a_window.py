"""``python -m tests.reliability.a_window PROJECT PLACE``: has a project trained, to be killed.

It writes the number of the process that trains, once that has begun.
"""

import sys
import time
from pathlib import Path

from studio.formats import loom
from studio.train.events import Failed, Finished, Started
from studio.train.worker import TrainingProcess


def main(project: Path, place: Path) -> None:
    trainer, said = TrainingProcess(loom.load(project), checkpoints=place), False
    trainer.start()
    while True:
        for event in trainer.poll():
            if isinstance(event, Failed):
                raise SystemExit(event.report or "\n".join(map(str, event.problems)))
            said = said or isinstance(event, Started)
            if isinstance(event, Started):
                print(trainer.pid, flush=True)
            if isinstance(event, Finished):
                return
        time.sleep(0.005)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
