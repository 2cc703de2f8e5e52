"""The part of a report that tells how good a model is, and the tables the window shows as well."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from studio.text import text
from studio.train.evaluation.result import Evaluation, OutputEvaluation, Row
from studio.train.pictures import picture, png
from studio.train.report import charts
from studio.train.report.charts import amount, share
from studio.train.report.figure import Figure, svg
from studio.train.report.html import Markup, element, facts, joined, table

_WORST = 10
_LONGEST = 240  # characters of a cell
_COLUMNS = 8  # of a row
_WIDE, _HIGH = 350.0, 300.0


def in_numbers(output: OutputEvaluation) -> list[tuple[str, str]]:
    """What an output comes to in single numbers: (name, value)."""
    found: list[tuple[str, str]] = []
    confusion = output.confusion
    if confusion is not None:
        names = ("accuracy", "balanced_accuracy", "macro_f1", "matthews")
        found += [(text(f"evaluation.{n}"), share(getattr(confusion, n))) for n in names]
    if len(output.rankings) == 1:
        ranking = output.rankings[0]
        found.append((text("evaluation.auc"), share(ranking.auc)))
        found.append((text("evaluation.average_precision"), share(ranking.average_precision)))
    if len(output.calibrations) == 1:
        calibration = output.calibrations[0]
        found.append((text("evaluation.calibration_error"), share(calibration.expected_error)))
        if output.kind == "binary":
            found.append((text("evaluation.brier"), share(calibration.brier)))
    return found


def class_table(output: OutputEvaluation) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Each class or label: titles and rows."""
    names = ("class", "support", "predicted", "precision", "recall", "f1", "auc",
             "average_precision")  # fmt: skip
    rows = [
        (c.name, f"{c.support:,}", f"{c.predicted:,}",
         *map(share, (c.precision, c.recall, c.f1, c.auc, c.average_precision)))
        for c in output.classes
    ]  # fmt: skip
    return tuple(text(f"evaluation.{name}") for name in names), rows


def number_table(output: OutputEvaluation) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Each column of numbers: titles and rows."""
    names = ("mean_absolute", "root_mean_square", "median_absolute", "largest", "bias")
    rows = [
        (r.name or text("evaluation.all_columns"), f"{r.count:,}", share(r.r2),
         *(amount(getattr(r, field)) for field in (*names[:4], "mean")))
        for r in output.residuals
    ]  # fmt: skip
    titles = ("column", "count", "r2", *names)
    return tuple(text(f"evaluation.{name}") for name in titles), rows


def left_out(output: OutputEvaluation) -> list[str]:
    """How many were judged and what was left out, in sentences."""
    several = output.by_step is not None
    found = [text("evaluation.judged_steps" if several else "evaluation.judged",
                  count=f"{output.judged:,}")]  # fmt: skip
    for name in ("masked", "not_finite"):
        count = getattr(output, name)
        if count:
            found.append(text(f"evaluation.{name}", count=f"{count:,}"))
    if output.drawn < output.judged:
        found.append(text("evaluation.drawn", count=f"{output.drawn:,}"))
    if output.by_error:
        found.append(text("evaluation.by_error"))
    return found


def said_text(output: OutputEvaluation, place: int) -> tuple[str, str]:
    """Truth and what is said of a sample, in words: of `output.samples`."""
    assert output.samples is not None
    truth, said = output.samples.truth[place], output.samples.said[place]
    match output.kind:
        case "binary":
            return output.names[int(truth)], share(float(said))
        case "classes":
            sure = output.samples.sure[place]
            return output.names[truth], f"{output.names[said]} ({share(float(sure))})"
        case "labels":
            on = [n for n, t in zip(output.names, truth, strict=False) if t]
            told = [f"{n} {s:.2f}" for n, s in zip(output.names, said, strict=False) if s > 0.5]
            return ", ".join(on) or "–", ", ".join(told) or "–"
    return ", ".join(map(amount, truth[:4].tolist())), ", ".join(map(amount, said[:4].tolist()))


def worst_rows(output: OutputEvaluation, most: int = _WORST) -> list[tuple[int, float, int]]:
    """The rows of the table with the highest loss: (row, loss, place among the samples or −1)."""
    if output.worst_rows is not None and output.worst_losses is not None:
        pairs = zip(output.worst_rows[:most].tolist(), output.worst_losses.tolist(), strict=False)
        return [(row, loss, -1) for row, loss in pairs]
    if output.samples is None:
        return []
    pairs = zip(output.samples.rows[:most].tolist(), output.samples.losses.tolist(), strict=False)
    return [(row, loss, place) for place, (row, loss) in enumerate(pairs)]


# -- the page ------------------------------------------------------------------------------------


def evaluation_part(
    evaluation: Evaluation, rows_of: Callable[[Sequence[int]], Sequence[Row]]
) -> Markup:
    """Losses and metrics, then each output; `rows_of` reads rows of the table."""
    which = text(f"evaluation.which_{evaluation.which}")
    about = text("evaluation.evaluated", rows=f"{evaluation.rows:,}", table=evaluation.table,
                 which=which, seconds=evaluation.seconds)  # fmt: skip
    titles = text("evaluation.quantity"), text("evaluation.value")
    logs = [(key, f"{value:.4f}") for key, value in evaluation.logs.items()]
    parts = [element("p", about), table(titles, logs, [1])]
    parts += [_output(output, rows_of) for output in evaluation.outputs]
    parts.append(element("p", text("evaluation.report_mean_note"), class_="quiet"))
    return joined(parts)


def _output(output: OutputEvaluation, rows_of: Callable[[Sequence[int]], Sequence[Row]]) -> Markup:
    parts: list[Markup] = [element("h3", output.name)]
    if output.kind == "unjudged":
        return joined([*parts, element("p", text("evaluation.unjudged"), class_="quiet")])
    parts.append(element("p", " · ".join(left_out(output)), class_="quiet"))
    if output.samples is None:
        return joined([*parts, element("p", text("evaluation.nothing_judged"))])
    numbers = in_numbers(output)
    parts += [facts(numbers)] if numbers else []
    drawn = [Markup(svg(figure, tips=False)) for figure in figures(output)]
    parts.append(element("div", *drawn, class_="charts"))
    if output.classes:
        parts.append(table(*class_table(output), range(1, 8)))
    if output.residuals:
        parts.append(table(*number_table(output), range(1, 9)))
    parts.append(element("h3", f"{output.name}: {text('evaluation.report_worst')}"))
    parts.append(_worst(output, rows_of))
    return joined(parts)


def figures(output: OutputEvaluation) -> Iterator[Figure]:
    """The charts of an output, one size each."""
    if output.confusion is not None:
        yield charts.confusion_chart(output.confusion, output.names, _WIDE, _HIGH)
    if output.kind == "binary":
        cut = output.thresholds[0]
        yield charts.scores_chart(cut, output.names, _WIDE, _HIGH, cut.usual)
    if output.rankings:
        yield charts.roc_chart(output, _WIDE, _HIGH)
        yield charts.precision_recall_chart(output, _WIDE, _HIGH)
    if len(output.calibrations) == 1:
        yield charts.calibration_chart(output.calibrations[0], output.name, _WIDE, _HIGH)
    for residuals in output.residuals[:4]:
        yield charts.scatter_chart(residuals, _WIDE, _HIGH)
        yield charts.residual_chart(residuals, _WIDE, _HIGH)
    if output.by_step is not None:
        yield charts.step_chart(output, _WIDE, _HIGH)


def _worst(output: OutputEvaluation, rows_of: Callable[[Sequence[int]], Sequence[Row]]) -> Markup:
    found = worst_rows(output)
    rows = {row.row: row for row in rows_of([row for row, _, _ in found])}
    columns = _columns(list(rows.values()))
    titles = [text("evaluation.row"), text("evaluation.loss")]
    told = found and found[0][2] >= 0
    titles += [text("evaluation.truth"), text("evaluation.said")] if told else []
    lines = []
    for row, loss, place in found:
        said = said_text(output, place) if place >= 0 else ()
        cells = [cell_markup(rows[row], column) for column in columns]
        lines.append((str(rows[row].place), amount(loss), *said, *cells))
    return table([*titles, *columns], lines, [0, 1])


def _columns(rows: Sequence[Row]) -> list[str]:
    names = [*rows[0].cells, *rows[0].arrays] if rows else []
    return names[:_COLUMNS]


def cell_markup(row: Row, column: str) -> Markup | str:
    """A cell as it stands in the file; an array that looks like a picture as one."""
    if column in row.pictures:
        return array_markup(row.pictures, column)
    if column in row.cells:
        cell = row.cells[column]
        return cell if len(cell) <= _LONGEST else f"{cell[: _LONGEST - 1]}…"
    return array_markup(row.arrays, column)


def array_markup(arrays: Mapping[str, np.ndarray], column: str) -> Markup | str:
    """An array as a picture, or by its shape and ends."""
    pixels = picture(arrays[column])
    if pixels is None:
        flat = arrays[column].reshape(-1)
        return ", ".join(f"{v:.4g}" for v in flat[:6].tolist()) + (", …" if flat.size > 6 else "")
    data = b64encode(png(pixels)).decode()
    return Markup(f'<img alt="{pixels.shape[1]} × {pixels.shape[0]}" '
                  f'src="data:image/png;base64,{data}">')  # fmt: skip
