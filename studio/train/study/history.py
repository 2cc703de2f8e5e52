"""What each loss trained, epoch by epoch: kept with the run."""

from collections.abc import Mapping
from math import hypot, nan

from studio.document.model import Document
from studio.train.study.lens import LensSample

LAYERS = 50  # of a run's that are kept
_DIGITS = 4  # that are kept of a number

Series = Mapping[str, Mapping[str, list[float]]]  # by loss key, by layer name: one each epoch


class Shares:
    """The mean strength of each loss at each layer of the main graph, over the looks of an epoch.

    What the calls of a shared layer get is put together.
    """

    def __init__(self) -> None:
        self._sums: dict[str, dict[str, float]] = {}
        self._looks = 0

    def add(self, document: Document, sample: LensSample) -> None:
        """A look of this epoch."""
        self._looks += 1
        for loss, strengths in strengths_by_name(document, sample).items():
            sums = self._sums.setdefault(loss, {})
            for name, strength in strengths.items():
                sums[name] = sums.get(name, 0.0) + strength

    def ended(self, before: Series, epoch: int) -> Series:
        """The series of a run with that of the epoch that ended, counted from 0; NaN stands for
        epochs that nobody looked at. Without any look `before` stays as it is.
        """
        if not self._looks:
            return before
        found = {loss: dict(layers) for loss, layers in before.items()}
        for loss, sums in self._sums.items():
            layers = found.setdefault(loss, {})
            for name, total in sums.items():
                if name in layers or len(layers) < LAYERS:
                    missing = epoch - len(layers.get(name, ()))
                    mean = float(f"{total / self._looks:.{_DIGITS}g}")
                    layers[name] = [*layers.get(name, ())[:epoch], *[nan] * missing, mean]
        self._sums, self._looks = {}, 0
        return found


def strengths_by_name(document: Document, sample: LensSample) -> dict[str, dict[str, float]]:
    """By loss key and layer name, how strongly a loss trains the layers of the main graph."""
    found: dict[str, dict[str, float]] = {loss: {} for loss in sample.losses}
    for path, strengths in sample.strengths.items():
        if len(path) == 1:
            name = document.entry(path[0]).name
            for loss, strength in zip(sample.losses, strengths, strict=True):
                found[loss][name] = hypot(found[loss].get(name, 0.0), strength)
    return found
