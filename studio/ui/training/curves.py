"""What the curves of trainings are called, how they look, which stand together, how smooth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPen

from studio.engine.program import Array
from studio.train.report.quantities import VALIDATION, is_loss, outputs, owner, quantities
from studio.ui.theme import tokens

MARKERS = ("circle", "square", "triangle", "diamond", "cross", "plus", "star")

Curves = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Style:
    """How a quantity of a run is drawn: everywhere the same, in curve, legend and table."""

    color: QColor
    marker: str
    width: float = 1.75

    def pen(self, dashed: bool = False) -> QPen:
        """Solid for training, dashed for validation."""
        pen = QPen(self.color, self.width)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        if dashed:
            pen.setDashPattern([3.0, 2.0])
        return pen


@dataclass(frozen=True)
class Shown:
    """One run whose curves are drawn.

    Attributes:
        id: the run's, empty for the training that goes on.
        name: how it is told from the others.
        history: by Keras's keys, one number an epoch.
        best: the best epoch, counted from 0; -1 for none.
        live: where the running epoch stands: (epochs passed, its running means).
        hue: which of the theme's colours tells it from other runs.
    """

    id: str
    name: str
    history: Curves
    best: int = -1
    live: tuple[float, Mapping[str, float]] | None = None
    hue: int = 0

    @property
    def keys(self) -> list[str]:
        """Its quantities, in order."""
        return quantities({**self.history, **(self.live[1] if self.live else {})})


def styles(keys: Sequence[str], order: Sequence[str] = ()) -> dict[str, Style]:
    """A style per quantity of one run: its output's colour, and a marker for its kind.

    Args:
        keys: the quantities.
        order: the model's outputs that have a loss, so that each has the colour its loss has on
            the canvas; outputs that are not among them, as renamed since, come after these.
    """
    hues = tokens().series
    owners = list(dict.fromkeys([*order, *outputs(keys)]))
    found = {"loss": Style(QColor(tokens().text), MARKERS[0])} if "loss" in keys else {}
    names: list[str] = []
    for key in (k for k in keys if k != "loss"):
        output = owner(key, keys)
        metric = key.removeprefix(f"{output}_") if output else key
        if metric not in names and not is_loss(key):
            names.append(metric)
        kind = 0 if is_loss(key) else names.index(metric)
        hue = owners.index(output) if output else kind
        color = QColor(hues[hue % len(hues)])
        shade = color.lighter(100 + 35 * kind) if output and kind else color
        mark = hue + 1 if is_loss(key) else kind
        found[key] = Style(shade, MARKERS[mark % len(MARKERS)])
    return found


def run_style(hue: int) -> Style:
    """How all curves of a run are drawn where several runs are compared."""
    hues = tokens().series
    return Style(QColor(hues[hue % len(hues)]), MARKERS[hue % len(MARKERS)])


@dataclass(frozen=True)
class Line:
    """One curve of a chart.

    Attributes:
        y: as drawn, smoothed if wanted; epoch 1 comes first.
        raw: as it was told; the same as `y` where nothing is smoothed.
        moving: the last point is that of an epoch that goes on.
    """

    run: str
    key: str
    style: Style
    dashed: bool
    x: Array
    y: Array
    raw: Array
    moving: bool = False


@dataclass
class Smoother:
    """Means of each value and those before it, weighing the newest most; 0 leaves values alone.

    As TensorBoard's: an exponential moving average without its bias towards 0 at the start.
    Values that are not finite are passed over. What was smoothed before is kept, as histories
    only grow.
    """

    weight: float = 0.0
    _done: dict[tuple[str, str], tuple[list[float], list[float], float, int]] = field(
        default_factory=dict
    )

    def reset(self, weight: float) -> None:
        """Smooth by another weight, from 0 to below 1."""
        self.weight = weight
        self._done = {}

    def smooth(self, run: str, key: str, values: Sequence[float]) -> Array:
        """The values of a run's key, smoothed."""
        if not self.weight:
            return np.asarray(values, np.float64)
        seen, smooth, mean, count = self._done.get((run, key), ([], [], 0.0, 0))
        if list(values[: len(seen)]) != seen:
            seen, smooth, mean, count = [], [], 0.0, 0
        for value in values[len(seen) :]:
            if np.isfinite(value):
                mean = self.weight * mean + (1 - self.weight) * value
                count += 1
            smooth.append(mean / (1 - self.weight**count) if count else float("nan"))
        seen = list(values)
        self._done[run, key] = seen, smooth, mean, count
        return np.array(smooth)


def lines(
    runs: Sequence[Shown], key: str, looks: Mapping[str, Style], smoother: Smoother
) -> list[Line]:
    """The curves of one quantity: training and validation of each run that has it.

    Args:
        looks: by quantity, where one run is shown; empty where runs are told apart by colour.
    """
    found = []
    for run in runs:
        style = looks[key] if looks else run_style(run.hue)
        for name in (key, VALIDATION + key):
            values = run.history.get(name, ())
            raw = np.asarray(values, np.float64)
            y = smoother.smooth(run.id, name, values)
            x = np.arange(1, len(raw) + 1, dtype=np.float64)
            moving = run.live is not None and name in run.live[1]
            if moving and run.live is not None:
                at, means = run.live
                x = np.append(x, at)
                raw, y = (np.append(values, means[name]) for values in (raw, y))
            if len(x):
                found.append(Line(run.id, name, style, name != key, x, y, raw, moving))
    return found
