"""What is drawn of a recurrent layer and one sample: rows, steps from left to right, as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from PySide6.QtGui import QColor, QImage

from studio.engine.program import Array
from studio.text import text
from studio.train.study.recurrent import Reading, RecurrentSample
from studio.ui.canvas.loss_inks import ink
from studio.ui.study.heat import Scale, heat
from studio.ui.theme import THEMES, mix, tokens

GROUPS = ("gradients", "states", "gates")
DECADES = 6  # of gradients that are told apart, from the largest down
_SHADES = 256
_SQUASHED = ("lstm_i", "lstm_f", "lstm_o", "gru_z", "gru_r")  # from 0 to 1, as they usually are
_STATES = {"h": "state_h", "c": "state_c"}
_GATES = {
    "LSTM": {"i": "lstm_i", "f": "lstm_f", "c": "lstm_c", "o": "lstm_o"},
    "GRU": {"z": "gru_z", "r": "gru_r", "h": "gru_h"},
    "SimpleRNN": {},
}


@dataclass(frozen=True, eq=False)
class Fade:
    """Where a loss's gradient has vanished, in columns of the steps that are shown.

    Attributes:
        place: of the edge.
        before: whether it has vanished on the left of it, or on the right.
    """

    place: float
    before: bool


@dataclass(frozen=True, eq=False)
class Heat:
    """A map, steps from left to right, units from top to bottom.

    Attributes:
        title: what it is.
        hint: what that means, in a few words.
        name: what it is called where one of its numbers is told.
        values: (steps, units).
        scale: of the colours; None where `top` is the end of a logarithmic one.
        loss: whose gradient it is, by its number; None for others.
    """

    title: str
    hint: str
    name: str
    values: Array
    scale: Scale | None = None
    top: float = 0.0
    loss: int | None = None
    fade: Fade | None = None

    def image(self) -> QImage:
        """A pixel for each number, in the colours of the theme."""
        if self.scale is not None:
            return heat(self.values.T, self.scale)
        table = shades(tokens().name, ink(self.loss or 0).colour.name())
        broken = ~np.isfinite(self.values.T)
        with np.errstate(divide="ignore"):
            sizes = np.where(broken, 0, np.abs(self.values.T.astype(np.float64))) / self.top
            levels = np.clip(1 + np.log10(sizes) / DECADES, 0, 1)
        shown = table[np.rint(levels * (_SHADES - 1)).astype(np.intp)]
        pixels = np.where(broken, QColor(tokens().text).rgb(), shown).astype(np.uint32)
        high, wide = pixels.shape
        return QImage(pixels.tobytes(), wide, high, 4 * wide, QImage.Format.Format_RGB32).copy()


@cache
def shades(theme: str, colour: str) -> Array:
    """From the ground to a colour, as 0xffrrggbb."""
    base = THEMES[theme].base
    names = (mix(colour, base, i / (_SHADES - 1)) for i in range(_SHADES))
    return np.array([QColor(name).rgb() for name in names], np.uint32)


@dataclass(frozen=True, eq=False)
class Curve:
    """How strong one loss's gradient is at each step.

    Attributes:
        loss: its number.
        name: what the loss is called.
        x: places of the steps, in columns.
        y: its length; 0 where nothing arrives.
    """

    loss: int
    name: str
    x: Array
    y: Array
    fade: Fade | None


@dataclass(frozen=True, eq=False)
class Curves:
    """The curves of all losses on one logarithmic scale, from 10^low to 10^high."""

    title: str
    hint: str
    curves: tuple[Curve, ...]
    low: int
    high: int


Row = Heat | Curves


@dataclass(frozen=True, eq=False)
class Picture:
    """Everything that is drawn.

    Attributes:
        losses: the names of the losses, by their keys, in the order of the outputs.
        rows: from top to bottom.
    """

    sample: RecurrentSample
    reading: Reading
    losses: Mapping[str, str]
    rows: tuple[Row, ...]

    @property
    def columns(self) -> int:
        """How many steps are shown."""
        return len(self.sample.steps)

    @property
    def read(self) -> Array | None:
        """Which of the steps shown were read; None for all."""
        if self.sample.mask is None:
            return None
        found: Array = self.sample.mask[self.reading.number][self.sample.steps]
        return found


def picture(
    sample: RecurrentSample,
    reading: Reading,
    losses: Mapping[str, str],
    groups: frozenset[str] = frozenset(GROUPS),
    hidden: frozenset[str] = frozenset(),
) -> Picture:
    """What is drawn of a reading.

    Args:
        sample, reading: what is shown.
        losses: the names of the losses by their keys.
        groups: those of `GROUPS` that are wanted.
        hidden: the keys of losses that are not.
    """
    rows: list[Row] = []
    shown = [key for key in reading.gradients if key not in hidden]
    if "gradients" in groups and shown:
        rows.append(_curves(sample, reading, losses, shown))
        rows += _gradients(sample, reading, losses, shown)
    if "states" in groups:
        for letter, values in reading.states.items():
            rows.append(_map(_STATES[letter], values, _around_zero(values)))
    if "gates" in groups:
        for letter, values in reading.gates.items():
            name = _GATES[sample.kind][letter]
            within = name in _SQUASHED and values.min() >= 0 and values.max() <= 1
            rows.append(_map(name, values, Scale(0.0, 1.0) if within else _around_zero(values)))
    return Picture(sample, reading, losses, tuple(rows))


def _map(name: str, values: Array, scale: Scale) -> Heat:
    title = text(f"microscope.{name}")
    return Heat(title, text(f"microscope.{name}_hint"), title, values, scale)


def _around_zero(values: Array) -> Scale:
    reach = _largest(values) or 1.0
    return Scale(-reach, reach)


def _largest(values: Array) -> float:
    """The size of the largest finite number; 0 where there is none."""
    return float(np.max(np.abs(values[np.isfinite(values)]), initial=0.0))


def _gradients(
    sample: RecurrentSample, reading: Reading, losses: Mapping[str, str], shown: list[str]
) -> list[Heat]:
    """A map for each loss: by the state, then by the memory."""
    found = []
    for kind, maps in (("state", reading.gradients), ("memory", reading.memory)):
        for key in shown:
            if key in maps:
                values, number = maps[key], list(reading.gradients).index(key)
                top = _largest(values)
                fade = fade_of(sample, reading, key) if kind == "state" else None
                title, hint = losses.get(key, key), text(f"microscope.by_{kind}")
                name = text(f"microscope.gradient_by_{kind}", name=title)
                found.append(Heat(title, hint, name, values, None, top or 1.0, number, fade))
    return found


def _curves(
    sample: RecurrentSample, reading: Reading, losses: Mapping[str, str], shown: list[str]
) -> Curves:
    x = places(sample, np.arange(sample.length))
    keys = list(reading.norms)
    curves = tuple(
        Curve(
            keys.index(key),
            losses.get(key, key),
            x,
            reading.norms[key],
            fade_of(sample, reading, key),
        )
        for key in shown
    )
    largest = [top for curve in curves if (top := _largest(curve.y)) > 0]
    high = int(np.ceil(np.log10(max(largest)))) if largest else 0
    low = int(np.floor(np.log10(min(largest)))) - DECADES if largest else high - DECADES
    title, hint = text("microscope.strength"), text("microscope.strength_hint")
    return Curves(title, hint, curves, min(low, high - 1), high)


def places(sample: RecurrentSample, steps: Array) -> Array:
    """Where steps are, in columns: the middle of the first one is 0.5."""
    found: Array = np.interp(steps, sample.steps, np.arange(len(sample.steps)) + 0.5)
    return found


def fade_of(sample: RecurrentSample, reading: Reading, key: str) -> Fade | None:
    """Where the gradient of a loss has vanished."""
    first = reading.vanished.get(key)
    if first is None:
        return None
    middle = float(places(sample, np.array([first]))[0])
    return Fade(middle + (0.5 if reading.backwards else -0.5), not reading.backwards)


# -- in words --------------------------------------------------------------------------------------


def step_name(sample: RecurrentSample, step: int) -> str:
    """A step as people count, with its word."""
    word = sample.words[step].strip() if sample.words else ""
    return text("microscope.step_word", step=step + 1, word=word) if word else str(step + 1)


def sentence(sample: RecurrentSample, reading: Reading, key: str, short: bool = False) -> str:
    """What becomes of a loss's gradient on its way through time; `short`: without the rule."""
    norms, mask = reading.norms[key], sample.mask
    read = np.ones(sample.length, bool) if mask is None else mask[reading.number]
    if not norms.any():
        return text("microscope.nothing")
    if not np.isfinite(norms).all():
        return text("microscope.not_finite")
    steps, first = int(read.sum()), reading.vanished[key]
    if first is None:
        return text("microscope.reaches", steps=steps)
    side = "after" if reading.backwards else "before"
    step = step_name(sample, first)
    if short:
        return text(f"microscope.gone_{side}", step=step)
    lost = int((read[first + 1 :] if reading.backwards else read[:first]).sum())
    return text(f"microscope.fades_{side}", step=step, count=lost, steps=steps)


def loss_name(sample: RecurrentSample, key: str, name: str) -> str:
    """What a loss is called, with what it is for the sample."""
    return text("microscope.loss_value", name=name, value=f"{sample.losses[key]:.4g}")


def told(picture: Picture, column: int, row: Row | None, unit: int) -> str:
    """What is where somebody points: the step, the strengths, and a number of a map."""
    sample, reading = picture.sample, picture.reading
    step = int(sample.steps[column])
    name = step_name(sample, step)
    parts = [text("microscope.at_step", step=name, steps=sample.length)]
    if picture.read is not None and not picture.read[column]:
        return " · ".join([*parts, text("microscope.skipped")])
    if isinstance(row, Heat):
        value = f"{float(row.values[column, unit]):.4g}"
        number = int(sample.units[unit]) + 1
        parts.append(text("microscope.at_unit", name=row.name, unit=number, value=value))
    strengths = (
        f"{picture.losses.get(key, key)} {float(norm[step]):.3g}"
        for key, norm in reading.norms.items()
    )
    return " · ".join([*parts, text("microscope.strengths", values=", ".join(strengths))])
