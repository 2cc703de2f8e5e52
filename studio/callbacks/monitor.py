"""What the callbacks have in common that watch one number of the history."""

import sys
from collections.abc import Mapping

from studio.callbacks.base import Callback
from studio.document.plan import OutputPlan
from studio.train.stopping import Watcher


class Monitor(Callback, Watcher):
    """Base of the callbacks that compare a number with the best so far: see `Watcher`."""

    def planned(self) -> Mapping[str, OutputPlan]:
        """What the model is compiled for."""
        return self.model.document.plan.outputs


def say(verbose: int, line: str) -> None:
    """Print a line unless told to be silent."""
    if verbose > 0:
        sys.stdout.write(f"{line}\n")
