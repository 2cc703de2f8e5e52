"""The curves of a training: one chart for the losses, one for each metric."""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite

from studio.text import text
from studio.train.report.figure import Figure, series
from studio.train.report.plane import Plane
from studio.train.report.quantities import VALIDATION, grouped, is_loss, label, quantities

_ROOM = 0.05


def history_figures(
    history: Mapping[str, Sequence[float]],
    best: int,
    width: float,
    height: float,
    names: Sequence[str] = (),
) -> Iterator[Figure]:
    """A chart for the losses and one for each metric, validation dashed.

    Args:
        history: by Keras's keys, one number an epoch.
        best: the best epoch counted from 0; -1 for none.
        width: of each.
        height: of each.
        names: of the outputs that have a loss, in their order: so each loss has one colour, here
            and wherever losses are told apart.
    """
    keys = grouped(quantities(history))
    order = {f"{name}_loss": number for number, name in enumerate(names)}
    losses = sorted(filter(is_loss, keys), key=lambda key: order.get(key, len(names)))
    if losses:
        yield _chart(text("evaluation.chart_loss"), history, losses, best, width, height)
    for key in keys:
        if key not in losses:
            yield _chart(key, history, [key], best, width, height)


def _chart(
    title: str,
    history: Mapping[str, Sequence[float]],
    keys: Sequence[str],
    best: int,
    width: float,
    height: float,
) -> Figure:
    lines = [
        (name, key, number)
        for number, key in enumerate(keys)
        for name in (key, VALIDATION + key)
        if name in history
    ]
    values = [v for name, _, _ in lines for v in history[name] if isfinite(v)] or [0.0, 1.0]
    low, high = min(values), max(values)
    room = (high - low) * _ROOM or 0.5
    epochs = max(len(history[name]) for name, _, _ in lines)
    span = (1, float(max(epochs, 2)))
    titles = text("evaluation.epoch"), ""
    plane = Plane(width, height, span, (low - room, high + room), titles, title, whole=True)
    table = [(titles[0], *(name for name, _, _ in lines))]
    legend = []
    for name, key, number in lines:
        is_validation = name != key
        found = [float(v) for v in history[name]]
        first = epochs - len(found) + 1  # what began later ends with the others
        plane.line(range(first, epochs + 1), found, series(number), dashed=is_validation)
        part = "report_validation_line" if is_validation else "report_training_line"
        rows = text(f"evaluation.{part}")
        several = len(keys) > 1
        legend.append((f"{label(key)}, {rows}" if several else rows, series(number), is_validation))
    if best >= 0:
        plane.line((best + 1, best + 1), (low - room, high + room), "text2", 1, dashed=True)
    for epoch in range(epochs):
        row = (history[n][epoch - epochs + len(history[n])] if epoch >= epochs - len(history[n])
               else float("nan") for n, _, _ in lines)  # fmt: skip
        table.append((str(epoch + 1), *(f"{v:.6g}" for v in row)))
    ends = [v for name, _, _ in lines for v in history[name][-2:] if isfinite(v)]
    falling = bool(ends) and sum(ends) / len(ends) < (low + high) / 2
    plane.legend(legend, above=falling)  # where the curves do not end
    return plane.figure(title, table)
