"""Which loss trains a layer how much, epoch by epoch: the shares of the losses on each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from string import ascii_uppercase

from studio.text import text
from studio.train.report.figure import Box, Figure, Label, Spot, series
from studio.train.report.plane import Plane, empty

Series = Mapping[str, Mapping[str, Sequence[float]]]  # by loss, by layer: one each epoch

_PALE = 0.9
_ROOM = 18.0  # that a letter needs, in pixels


@dataclass(frozen=True)
class Shares:
    """What is drawn.

    Attributes:
        losses: their names.
        epochs: of each the shares of the losses, together 1; NaN where nobody looked, or where
            no loss arrived.
    """

    losses: tuple[str, ...]
    epochs: tuple[tuple[float, ...], ...]


def shares_of(strengths: Series, losses: Mapping[str, str], layer: str = "") -> Shares:
    """The shares at one layer; at all of them, each counting alike, where `layer` is empty.

    Args:
        strengths: how strongly each loss, by its key, trained each layer.
        losses: their names by their keys, in order.
        layer: its name.
    """
    layers = [layer] if layer else list(dict.fromkeys(n for by in strengths.values() for n in by))
    each = [[list(strengths.get(key, {}).get(n, ())) for key in losses] for n in layers]
    count = max((len(numbers) for found in each for numbers in found), default=0)
    epochs = []
    for epoch in range(count):
        parts = [_parts([_at(numbers, epoch) for numbers in found]) for found in each]
        known = [part for part in parts if isfinite(sum(part))]
        none = (nan,) * len(losses)
        epochs.append(
            tuple(sum(p) / len(known) for p in zip(*known, strict=True)) if known else none
        )
    return Shares(tuple(losses.values()), tuple(epochs))


def _at(numbers: Sequence[float], epoch: int) -> float:
    return numbers[epoch] if epoch < len(numbers) else nan


def _parts(values: Sequence[float]) -> tuple[float, ...]:
    total = sum(values)
    return tuple(value / total if total > 0 else nan for value in values)


def shares_chart(
    found: Shares, heading: str, width: float, height: float, chosen: int | None = None
) -> Figure:
    """Columns of the epochs on which the losses' shares stand on each other, the first loss below.

    Each can be pointed at; its key is its number, counted from 0.

    Args:
        found: the shares.
        heading: of what they are.
        width: of the drawing.
        height: likewise.
        chosen: the epoch that is marked.
    """
    known = [i for i, parts in enumerate(found.epochs) if isfinite(sum(parts))]
    if not known:
        return empty(width, height, heading, text("lens.no_shares"))
    titles = text("evaluation.epoch"), ""
    last = len(found.epochs)
    plane = Plane(width, height, (0.5, last + 0.5), (0, 100), titles, heading, whole=True)
    gap = 1.0 if plane.across(2) - plane.across(1) > 6 else 0.0
    for epoch in known:
        _column(plane, found, epoch, gap)
        if epoch == chosen:
            x, end = plane.across(epoch + 0.5), plane.across(epoch + 1.5)
            plane.marks.append(Box(x, plane.bottom + 1, end - x - gap, 3, "accent"))
    _letters(plane, found, known)
    rows = [(titles[0], *found.losses)]
    rows += [(str(e + 1), *(f"{p:.4g}" for p in found.epochs[e])) for e in known]
    return plane.figure(heading, rows)


def _column(plane: Plane, found: Shares, epoch: int, gap: float) -> None:
    x, end = plane.across(epoch + 0.5), plane.across(epoch + 1.5)
    below = 0.0
    for loss, part in enumerate(found.epochs[epoch]):
        low, high = plane.up(100 * below), plane.up(100 * (below + part))
        # A hair of the ground between two losses: they are told apart without their colours.
        plane.marks.append(
            Box(x, high, end - x - gap, max(low - high - 0.8, 0), series(loss), _PALE)
        )
        below += part
    said = [f"{letter(i)} {n}: {100 * p:.1f} %" for i, (n, p) in enumerate(_named(found, epoch))]
    tip = "\n".join([text("lens.epoch", epoch=epoch + 1), *said])
    plane.spots.append(Spot(x, plane.top, end - x, plane.bottom - plane.top, tip, (epoch,)))


def _named(found: Shares, epoch: int) -> list[tuple[str, float]]:
    return list(zip(found.losses, found.epochs[epoch], strict=True))


def _letters(plane: Plane, found: Shares, known: Sequence[int]) -> None:
    """The letter and the name of each loss, where it has most room."""
    for loss, name in enumerate(found.losses):
        most = max(known, key=lambda epoch: found.epochs[epoch][loss])
        part = found.epochs[most][loss]
        middle = sum(found.epochs[most][:loss]) + part / 2
        high = plane.up(0) - plane.up(100 * part)
        if high < _ROOM:
            continue
        written = f"{letter(loss)}  {name}"
        half = 4.0 * len(written) + 8
        x = min(max(plane.across(most + 1), plane.left + half), plane.width - plane.right - half)
        y = plane.up(100 * middle)
        plane.marks.append(Box(x - half, y - 9, 2 * half, 18, "base", 0.85))
        plane.marks.append(Label(x, y, written, "text", "middle", bold=True))


def letter(number: int) -> str:
    """A, B, C, …; after Z numbers."""
    return ascii_uppercase[number] if number < len(ascii_uppercase) else str(number + 1)
