"""The charts of an evaluation, of any size."""

from collections.abc import Sequence
from math import isfinite

import numpy as np

from studio.text import text
from studio.train.evaluation.classes import Confusion
from studio.train.evaluation.ranking import Calibration, Thresholds
from studio.train.evaluation.residuals import Residuals
from studio.train.evaluation.result import OutputEvaluation
from studio.train.report.figure import (
    LETTERS,
    Box,
    Dots,
    Figure,
    Label,
    Mark,
    Path,
    Spot,
    fitting,
    series,
    wide,
)
from studio.train.report.plane import Plane, empty
from studio.train.written import brief

DRAWN_CLASSES = 30  # of a confusion matrix; the most frequent
_CURVES = 7  # of one chart; those with the least area
_HEADROOM = 1.06
_TOLD = 60  # points of a curve of which something is said


def share(value: float) -> str:
    """A number between 0 and 1, or that it is not known."""
    return f"{value:.3f}" if isfinite(value) else "–"


def amount(value: float) -> str:
    """A number in its own unit, or that it is not known."""
    return brief(value) if isfinite(value) else "–"


# -- confusion -----------------------------------------------------------------------------------


def shown_classes(confusion: Confusion) -> np.ndarray:
    """The classes of a matrix that is drawn: all, or those that occur most."""
    if confusion.classes <= DRAWN_CLASSES:
        return np.arange(confusion.classes)
    often = np.argsort(-(confusion.support + confusion.predicted), kind="stable")
    return np.sort(often[:DRAWN_CLASSES])


def confusion_chart(
    confusion: Confusion, names: tuple[str, ...], width: float, height: float
) -> Figure:
    """Truth by row, what is said by column, coloured by the share of the row.

    Spots are keyed ``("cell", truth, said)``.
    """
    shown = shown_classes(confusion)
    matrix, totals = confusion.matrix(shown), confusion.support[shown]
    labels = [names[n] for n in shown]
    longest = max(wide(label) for label in labels)
    left = min(longest, width * 0.28) + 30
    upright = len(labels) * (longest + 10) > width - left
    below = (min(longest, 0.25 * height) if upright else LETTERS) + 26
    top = 24.0
    side_x, side_y = (width - left - 10) / len(shown), (height - top - below) / len(shown)
    side_x = min(side_x, max(2.6 * side_y, 70.0))
    marks: list[Mark] = [Label(left, 11, text("evaluation.chart_confusion"), bold=True)]
    spots: list[Spot] = []
    table = [(text("evaluation.truth"), *labels)]
    for i, row in enumerate(matrix):
        y = top + i * side_y
        name = fitting(labels[i], left - 30)
        marks.append(Label(left - 6, y + side_y / 2, name, anchor="end"))
        table.append((labels[i], *map(str, row)))
        for j, count in enumerate(row):
            x = left + j * side_x
            part = count / totals[i] if totals[i] else 0.0
            ink = "good" if i == j else "error"
            marks.append(Box(x, y, side_x - 1, side_y - 1, "line", 0.35))
            strength = float(part) ** (0.5 if i != j else 1.0)  # few errors are to be seen, too
            marks.append(Box(x, y, side_x - 1, side_y - 1, ink, 0.75 * strength))
            marks += _cell(x, y, side_x, side_y, int(count), float(part))
            says = {"truth": labels[i], "said": labels[j], "count": f"{count:,}"}
            tip = text("evaluation.cell_tip", share=f"{100 * part:.1f} %", **says)
            key = ("cell", int(shown[i]), int(shown[j]))
            spots.append(Spot(x, y, side_x - 1, side_y - 1, tip, key))
    for j, label in enumerate(labels):
        x = left + (j + 0.5) * side_x
        bottom = top + len(shown) * side_y
        if upright:
            name = fitting(label, below - 22)
            marks.append(Label(x, bottom + 4, name, anchor="end", upright=True))
        else:
            marks.append(Label(x, bottom + 11, fitting(label, side_x - 4), anchor="middle"))
    marks.append(Label(9, top + len(shown) * side_y / 2, text("evaluation.truth"), "text2",
                       "middle", upright=True))  # fmt: skip
    said = text("evaluation.said")
    marks.append(Label(left + len(shown) * side_x / 2, height - 8, said, "text2", "middle"))
    title = text("evaluation.chart_confusion")
    return Figure(width, height, title, tuple(marks), tuple(spots), tuple(table))


def _cell(x: float, y: float, width: float, height: float, count: int, part: float) -> list[Mark]:
    """The count, and the share of the row where there is room."""
    written = f"{count:,}"
    if not count or width < wide(written, 9) + 2 or height < 11:
        return []
    size = min(LETTERS + 2, height - 2)
    if wide(written, size) > width - 4:
        size = 9.0
    middle = x + (width - 1) / 2
    if height < 34:
        return [Label(middle, y + height / 2, written, "text", "middle", size)]
    return [
        Label(middle, y + height / 2 - 7, written, "text", "middle", size, bold=True),
        Label(middle, y + height / 2 + 9, f"{100 * part:.1f} %", "text", "middle"),
    ]


# -- curves --------------------------------------------------------------------------------------


def _chosen(output: OutputEvaluation, areas: list[float]) -> list[int]:
    """Which of many curves are drawn: the worst, in their order."""
    there = [n for n, area in enumerate(areas) if isfinite(area)]
    return sorted(sorted(there, key=lambda n: areas[n])[:_CURVES])


def _curve_name(output: OutputEvaluation, number: int) -> str:
    """Whose curve it is; one alone needs no name."""
    return output.names[number] if len(output.rankings) > 1 else output.names[-1]


def _heading(title: str, output: OutputEvaluation, chosen: list[int]) -> str:
    """Says that not all curves are drawn, where it is so."""
    if len(chosen) == len(output.rankings):
        return title
    counts = {"drawn": len(chosen), "all": len(output.rankings)}
    return text("evaluation.lowest", title=title, **counts)


def roc_chart(
    output: OutputEvaluation, width: float, height: float, place: int | None = None
) -> Figure:
    """True against false positive rate; `place` marks a threshold."""
    title = text("evaluation.chart_roc")
    chosen = _chosen(output, [r.auc for r in output.rankings])
    if not chosen:
        return empty(width, height, title, text("evaluation.one_kind"))
    titles = text("evaluation.false_positive_rate"), text("evaluation.true_positive_rate")
    plane = Plane(width, height, (0, 1), (0, 1), titles, _heading(title, output, chosen))
    plane.line((0, 1), (0, 1), "text2", 1, dashed=True)
    legend, table = [], [(text("evaluation.class"), *titles)]
    for number, n in enumerate(chosen):
        ink = series(number)
        found, name = output.rankings[n], _curve_name(output, n)
        x, y = found.false_positive_rate.tolist(), found.true_positive_rate.tolist()
        plane.line(x, y, ink)
        legend.append((f"{fitting(name, 90)}  AUC {share(found.auc)}", ink, False))
        table += [(name, f"{a:.6g}", f"{b:.6g}") for a, b in zip(x, y, strict=True)]
        for a, b in _some(x, y):
            values = {"false": f"{a:.3f}", "true": f"{b:.3f}"}
            plane.tip(a, b, text("evaluation.roc_tip", name=name, **values))
    if place is not None and output.thresholds:
        cut = output.thresholds[0].cut(place)
        _dot(plane, 1 - cut.specificity, cut.recall)
    plane.legend(legend)
    return plane.figure(title, table)


def precision_recall_chart(
    output: OutputEvaluation, width: float, height: float, place: int | None = None
) -> Figure:
    """Precision against recall; `place` marks a threshold."""
    title = text("evaluation.chart_precision_recall")
    chosen = _chosen(output, [r.average_precision for r in output.rankings])
    if not chosen:
        return empty(width, height, title, text("evaluation.no_positives"))
    titles = text("evaluation.recall"), text("evaluation.precision")
    plane = Plane(width, height, (0, 1), (0, 1), titles, _heading(title, output, chosen))
    legend, table = [], [(text("evaluation.class"), *titles)]
    for number, n in enumerate(chosen):
        ink = series(number)
        found, name = output.rankings[n], _curve_name(output, n)
        x, y = found.recall.tolist(), found.precision.tolist()
        steps_x = [v for a, b in zip([0.0, *x], x, strict=False) for v in (a, b)]
        plane.line(steps_x, [v for b in y for v in (b, b)], ink)
        area = share(found.average_precision)
        legend.append((f"{fitting(name, 90)}  AP {area}", ink, False))
        table += [(name, f"{a:.6g}", f"{b:.6g}") for a, b in zip(x, y, strict=True)]
        for a, b in _some(x, y):
            values = {"recall": f"{a:.3f}", "precision": f"{b:.3f}"}
            plane.tip(a, b, text("evaluation.pr_tip", name=name, **values))
    if len(chosen) == 1:
        found = output.rankings[chosen[0]]
        chance = found.positives / (found.positives + found.negatives)
        plane.line((0, 1), (chance, chance), "text2", 1, dashed=True)
    if place is not None and output.thresholds:
        cut = output.thresholds[0].cut(place)
        _dot(plane, cut.recall, cut.precision)
    plane.legend(legend)
    return plane.figure(title, table)


def _some(x: Sequence[float], y: Sequence[float]) -> list[tuple[float, float]]:
    """Points of a curve near enough to each other that the mouse is always near one."""
    step = max(1, len(x) // _TOLD)
    return list(zip(x[::step], y[::step], strict=True))


def _dot(plane: Plane, x: float, y: float) -> None:
    if isfinite(x) and isfinite(y):
        plane.marks.append(Dots((plane.place(x, y),), "base", 6))
        plane.marks.append(Dots((plane.place(x, y),), "accent", 4.5))


def scores_chart(
    found: Thresholds, names: tuple[str, ...], width: float, height: float, place: int
) -> Figure:
    """How the scores of both kinds are spread, with the threshold between them."""
    bars = 40
    edges = np.round(np.linspace(0, len(found.values) - 1, bars + 1)).astype(int)
    title = text("evaluation.chart_scores")
    kinds = []
    for above, total in (
        (found.false_positives, found.negatives),
        (found.true_positives, found.positives),
    ):
        counts = above[edges[:-1]] - above[edges[1:]]
        counts[0] += total - above[edges[0]]  # what lies on the least or below
        counts[-1] += above[edges[-1]]
        kinds.append(counts)
    high = max(int(max(c.max() for c in kinds)), 1) * _HEADROOM
    low, most = float(found.values[0]), float(found.values[-1])
    titles = text("evaluation.score"), text("evaluation.count")
    plane = Plane(width, height, (low, most), (0, high), titles, title)
    table = [(titles[0], *names[:2])]
    at = found.values[edges]
    for number, counts in enumerate(kinds):
        for k, count in enumerate(counts.tolist()):
            x, y = plane.place(float(at[k]), count)
            wide_bar = plane.across(float(at[k + 1])) - x
            ink = series(number)
            plane.marks.append(Box(x, y, wide_bar - 0.5, plane.bottom - y, ink, 0.55))
    for k in range(bars):
        span = f"{at[k]:.3g} … {at[k + 1]:.3g}"
        counts = [str(c[k]) for c in kinds]
        table.append((span, *counts))
        x, right = plane.across(float(at[k])), plane.across(float(at[k + 1]))
        tip = f"{span}\n{names[0]}: {counts[0]}\n{names[1]}: {counts[1]}"
        plane.spots.append(Spot(x, plane.top, right - x, plane.bottom - plane.top, tip))
    x = plane.across(float(found.values[place]))
    plane.marks.append(Path(((x, plane.top), (x, plane.bottom)), "accent", 2))
    legend = [(fitting(name, 110), series(n), False) for n, name in enumerate(names[:2])]
    plane.legend(legend, above=True, inward=0.12)  # the likeliest scores are at the ends
    return plane.figure(title, table)


# -- calibration ---------------------------------------------------------------------------------


def calibration_chart(found: Calibration, name: str, width: float, height: float) -> Figure:
    """What came true of what was said, bin by bin, with how many each bin has."""
    title = text("evaluation.chart_calibration")
    titles = text("evaluation.said_probability"), text("evaluation.seen_share")
    heading = f"{title}  ECE {share(found.expected_error)}"
    plane = Plane(width, height, (0, 1), (0, 1), titles, heading)
    plane.line((0, 1), (0, 1), "text2", 1, dashed=True)
    most = max(int(found.counts.max()), 1)
    room = (plane.bottom - plane.top) * 0.25
    table = [(text("evaluation.bin"), text("evaluation.count"), *titles)]
    points = []
    for n, count in enumerate(found.counts.tolist()):
        low, high = float(found.edges[n]), float(found.edges[n + 1])
        x, right = plane.across(low), plane.across(high)
        tall = room * count / most
        plane.marks.append(Box(x + 1, plane.bottom - tall, right - x - 2, tall, "text2", 0.3))
        said, seen = float(found.said[n]), float(found.seen[n])
        values = {"count": f"{count:,}", "said": share(said), "seen": share(seen)}
        tip = text("evaluation.bin_tip", low=f"{low:.1f}", high=f"{high:.1f}", **values)
        plane.spots.append(Spot(x, plane.top, right - x, plane.bottom - plane.top, tip))
        table.append((f"{low:.1f} … {high:.1f}", str(count), share(said), share(seen)))
        if count:
            points.append((said, seen))
    plane.line([p[0] for p in points], [p[1] for p in points], series(0))
    plane.marks.append(Dots(tuple(plane.place(*p) for p in points), series(0), 3.5))
    return plane.figure(f"{title}: {name}", table)


# -- numbers -------------------------------------------------------------------------------------


def _span(*arrays: np.ndarray) -> tuple[float, float]:
    low, high = min(float(a.min()) for a in arrays), max(float(a.max()) for a in arrays)
    room = (high - low) * 0.03 or 0.5
    return low - room, high + room


def scatter_chart(found: Residuals, width: float, height: float) -> Figure:
    """What is said against the truth; on the line they are equal.

    Spots are keyed ``("row", row)``.
    """
    title = text("evaluation.chart_scatter")
    if not len(found.truth):
        return empty(width, height, title, text("evaluation.nothing_judged"))
    truth, said = found.truth, found.said
    span = _span(truth, said)
    titles = text("evaluation.truth"), text("evaluation.said")
    heading = f"{found.name}  R² {share(found.r2)}" if found.name else f"R² {share(found.r2)}"
    plane = Plane(width, height, span, span, titles, heading)
    plane.line(span, span, "text2", 1, dashed=True)
    opacity = 0.8 if len(truth) < 200 else 0.4
    points = tuple(plane.place(t, s) for t, s in zip(truth.tolist(), said.tolist(), strict=True))
    plane.marks.append(Dots(points, series(0), 2.5, opacity))
    table = [titles]
    for t, s, row in zip(truth.tolist(), said.tolist(), found.rows.tolist(), strict=True):
        plane.tip(t, s, text("evaluation.point_tip", truth=amount(t), said=amount(s)), ("row", row))
        table.append((repr(t), repr(s)))
    return plane.figure(f"{title}: {found.name}", table)


def residual_chart(found: Residuals, width: float, height: float) -> Figure:
    """How often which difference occurs."""
    title = text("evaluation.chart_residuals")
    high = max(int(found.bars.max()), 1) * _HEADROOM
    span = float(found.edges[0]), float(found.edges[-1])
    titles = text("evaluation.residual"), text("evaluation.count")
    plane = Plane(width, height, span, (0, high), titles, title)
    table = [titles]
    for n, count in enumerate(found.bars.tolist()):
        low, most = float(found.edges[n]), float(found.edges[n + 1])
        x, y = plane.place(low, count)
        right = plane.across(most)
        plane.marks.append(Box(x, y, right - x - 0.5, plane.bottom - y, series(0), 0.7))
        tip = f"{amount(low)} … {amount(most)}: {count:,}"
        plane.spots.append(Spot(x, plane.top, right - x, plane.bottom - plane.top, tip))
        table.append((f"{amount(low)} … {amount(most)}", str(count)))
    if span[0] < 0 < span[1]:
        x = plane.across(0)
        plane.marks.append(Path(((x, plane.top), (x, plane.bottom)), "text2", 1, dashed=True))
    return plane.figure(f"{title}: {found.name}", table)


def step_chart(output: OutputEvaluation, width: float, height: float) -> Figure:
    """The mean loss at each step of a sequence."""
    title = text("evaluation.chart_steps")
    found = output.by_step
    there = np.flatnonzero(found.counts) if found is not None else np.zeros(0, int)
    if found is None or not len(there):
        return empty(width, height, title, text("evaluation.nothing_judged"))
    means = found.means[there]
    high = float(means.max()) * _HEADROOM or 1.0
    titles = text("evaluation.step"), text("evaluation.mean_loss")
    last = max(float(there[-1] + 1), 2.0)
    plane = Plane(width, height, (1, last), (min(0.0, float(means.min())), high), titles, title)
    table = [(*titles, text("evaluation.count"))]
    steps = (there + 1).astype(float).tolist()
    plane.line(steps, means.tolist(), series(0))
    for step, mean, count in zip(steps, means.tolist(), found.counts[there].tolist(), strict=True):
        tip = text("evaluation.step_tip", step=int(step), loss=amount(mean), count=f"{count:,}")
        plane.tip(step, mean, tip)
        table.append((str(int(step)), repr(mean), str(count)))
    return plane.figure(title, table)


# -- tables --------------------------------------------------------------------------------------


def table_figure(title: str, titles: Sequence[str], rows: Sequence[Sequence[str]]) -> Figure:
    """A table as a drawing of the size it needs, to be taken away like any chart."""
    lines = [tuple(titles), *map(tuple, rows)]
    widths = [max(wide(line[n]) for line in lines) + 18 for n in range(len(titles))]
    marks: list[Mark] = [Label(10, 12, title, bold=True)]
    for number, line in enumerate(lines):
        y = 34 + 18 * number
        x = 10.0
        for place, (cell, room) in enumerate(zip(line, widths, strict=True)):
            right = place > 0  # the first column names what the others count
            ink = "text2" if number == 0 else "text"
            at, anchor = (x + room - 8, "end") if right else (x, "start")
            marks.append(Label(at, y, cell, ink, anchor))  # type: ignore[arg-type]
            x += room
        marks.append(Path(((10, y + 9), (sum(widths) + 4, y + 9)), "line", 1))
    height = 34 + 18 * len(lines) + 4
    return Figure(sum(widths) + 14, height, title, tuple(marks), (), tuple(lines))
