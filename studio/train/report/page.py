"""One HTML page about a project, for people who do not have it.

It is a single file: no script, nothing from elsewhere, light or dark as its reader likes, and it
prints. Its parts that cannot be made say why; the others are there.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from string import Template

from studio import __version__
from studio.declare import Declared
from studio.document.analysis import analyse
from studio.document.cost import Costs
from studio.document.model import Document
from studio.document.names import loss_names, output_names
from studio.document.plan import GeneratedSource, OutputPlan
from studio.document.preprocess import (
    Fitted,
    FittedClasses,
    FittedFeatures,
    FittedNumbers,
    FittedText,
)
from studio.document.project import Project, Run
from studio.document.summary import lines, shape_text, totals
from studio.engine.threads import available
from studio.formats.atomic import write_text
from studio.formats.onnx_export import exported
from studio.problem import ProblemError
from studio.progress import tell
from studio.text import language, resources, text
from studio.train.bindings import ports_of
from studio.train.data import load_table, split_rows
from studio.train.evaluation.evaluate import bare, evaluate_project
from studio.train.evaluation.result import Which
from studio.train.report.curves import history_figures
from studio.train.report.figure import svg
from studio.train.report.html import Markup, element, facts, joined, table
from studio.train.report.judged import evaluation_part
from studio.train.wording import steps_said

_NAMES = 12  # of classes that are listed
_RUNS = 20
_LENGTH = 100  # what open sizes count as
_WIDE, _HIGH = 350.0, 250.0


@dataclass(frozen=True)
class Look:
    """What the window gives to a report, which knows no Qt.

    Attributes:
        light: the graph as an SVG file, for a light page.
        dark: likewise for a dark one.
        colours: by name, of the light page; see `studio.train.report.figure`.
        dark_colours: of the dark one.
    """

    light: bytes
    dark: bytes
    colours: Mapping[str, str]
    dark_colours: Mapping[str, str]


def report(
    project: Project,
    base: Path,
    title: str,
    look: Look,
    which: Which = "validation",
    threads: int = 0,
) -> str:
    """The page, in the language in use.

    Args:
        project: nothing of it changes.
        base: the folder relative data paths start from.
        title: what the project is called.
        look: pictures and colours.
        which: the rows it is evaluated on.
        threads: for matrix products; all cores if 0.

    Raises:
        Cancelled: as whoever listens to the progress wants it.
    """
    project = bare(project)
    parts = {
        "model": _model(project.document, title, look),
        "data": _data(project, base),
        "training": _training(project),
        "evaluation": _evaluation(project, base, which, threads),
        "export": _export(project),
    }
    made = datetime.now().strftime("%Y-%m-%d %H:%M")
    links = (element("a", text(f"evaluation.report_{name}"), href=f"#{name}") for name in parts)
    body = [
        element("h1", title),
        element("p", _size(project.document), class_="quiet"),
        element("p", text("evaluation.report_made", version=__version__, date=made),
                class_="quiet"),
        element("nav", *links),
    ]  # fmt: skip
    for name, part in parts.items():
        heading = element("h2", text(f"evaluation.report_{name}"))
        body.append(element("section", heading, part, id=name))
    return page(
        text("evaluation.report_title", name=title), joined(body), look.colours, look.dark_colours
    )


def page(title: str, body: Markup, light: Mapping[str, str], dark: Mapping[str, str]) -> str:
    """A whole page around a body; the colours are by name, see `studio.train.report.figure`."""
    template = (resources() / "report" / "page.html").read_text(encoding="utf-8")
    return Template(template).substitute(
        language=language().replace("_", "-"),
        title=element("x", title)[3:-4],
        light=_variables(light),
        dark=_variables(dark),
        body=body,
    )


def _variables(colours: Mapping[str, str]) -> str:
    return " ".join(f"--{name}: {value};" for name, value in colours.items())


def _problems(key: str, error: ProblemError) -> Markup:
    """Why a part is not there."""
    found = (element("li", str(problem)) for problem in error.problems)
    heading = element("p", text(f"evaluation.{key}"), class_="bad")
    return joined([heading, element("ul", *found)])


# -- model ---------------------------------------------------------------------------------------


def _size(document: Document) -> str:
    graph = document.graph
    return text(
        "evaluation.report_summary",
        parameters=f"{sum(totals(document, analyse(document))):,}",
        layers=len({call.layer for call in graph.calls.values()}),
        inputs=len(graph.inputs),
        outputs=len(graph.outputs),
    )


def _model(document: Document, title: str, look: Look) -> Markup:
    analysis = analyse(document)
    names = ("layer", "kind", "shape", "parameters", "reads")
    rows = [
        (
            line.name,
            line.kind,
            ", ".join(map(shape_text, line.shapes)) or "?",
            f"{line.parameters:,}",
            ", ".join(line.sources),
        )
        for line in lines(document, analysis, Costs(document, analysis, _LENGTH).calls())
    ]
    titles = [text(f"evaluation.report_{name}") for name in names]
    return joined([_graph(title, look), table(titles, rows, [3])])


def _graph(title: str, look: Look) -> Markup:
    """The picture that suits the page: an SVG's own names must not meet those of the other."""
    if not look.light:
        return Markup()
    light, dark = (
        f"data:image/svg+xml;base64,{b64encode(data).decode()}"
        for data in (look.light, look.dark or look.light)
    )
    words = text("evaluation.report_graph_of", name=title)
    image = element("img", src=light, alt=words)[: -len("</img>")]
    source = f'<source media="screen and (prefers-color-scheme: dark)" srcset="{dark}">'
    return element("div", Markup(f"<picture>{source}{image}</picture>"), class_="graph")


# -- data ----------------------------------------------------------------------------------------


def _data(project: Project, base: Path) -> Markup:
    plan = project.document.plan.data
    facts_rows: list[tuple[str, object]] = []
    if isinstance(plan.source, GeneratedSource):
        about = {"name": plan.source.name, "seed": plan.source.seed}
        facts_rows.append(
            (text("evaluation.report_source"), text("evaluation.report_generated", **about))
        )
    elif plan.source is not None:
        name = Path(getattr(plan.source, "path", "")).name or getattr(plan.source, "name", "")
        facts_rows.append((text("evaluation.report_source"), name))
    problem = Markup()
    try:
        found = load_table(plan.source, base)
        train, validation = split_rows(found, plan.split)
        counts = {"train": f"{len(train):,}", "validation": f"{len(validation):,}"}
        told = f"{found.rows:,}: {text('evaluation.report_rows_split', **counts)}"
        facts_rows.append((text("evaluation.report_rows"), told))
    except ProblemError as error:
        problem = _problems("report_no_evaluation", error)
    facts_rows.append((text("evaluation.report_split"), settings_text(plan.split)))
    titles = text("evaluation.report_setting"), text("evaluation.report_setting_value")
    ports = [
        (port.name, " → ".join(steps_said(port.binding)), _learnt(project.fitted.get(port.key)))
        for port in ports_of(project.document)
        if port.binding is not None
    ]
    heads = [text(f"evaluation.report_{name}") for name in ("port", "binding", "learnt")]
    return joined([problem, table(titles, facts_rows), table(heads, ports) if ports else ""])


def settings_text(value: object) -> str:
    """A setting in its own words: its kind and its fields, as Python and files name them."""
    parts = []
    for item in fields(value):  # type: ignore[arg-type]
        found = getattr(value, item.name)
        if found in ("", None, ()):
            continue
        if isinstance(found, tuple):
            plain = (settings_text(v) if hasattr(v, "__dataclass_fields__") else v for v in found)
            written = ", ".join(map(str, plain))
        else:
            written = settings_text(found) if hasattr(found, "__dataclass_fields__") else found
        parts.append(f"{item.name} = {written}")
    return f"{type(value).__name__}: {'; '.join(parts)}"


def _learnt(fitted: Fitted | None) -> str:
    match fitted:
        case FittedText():
            return text("evaluation.report_words", count=f"{len(fitted.words):,}")
        case FittedClasses():
            names = ", ".join(fitted.names[:_NAMES])
            names += ", …" if len(fitted.names) > _NAMES else ""
            return text("evaluation.report_classes", count=len(fitted.names), names=names)
        case FittedNumbers() if fitted.binding.scaling != "none":
            numbers = zip(fitted.binding.columns, fitted.offset, fitted.scale, strict=True)
            return "; ".join(
                text("evaluation.report_scaled", column=column, offset=f"{offset:.4g}",
                     scale=f"{scale:.4g}")
                for column, offset, scale in numbers
            )  # fmt: skip
        case FittedFeatures():
            return "; ".join(filter(None, map(_learnt, fitted.parts)))
    return ""


# -- training ------------------------------------------------------------------------------------


def _training(project: Project) -> Markup:
    titles = text("evaluation.report_setting"), text("evaluation.report_setting_value")
    parts: list[object] = [table(titles, _compiled(project.document))]
    if not project.runs:
        return joined([*parts, element("p", text("evaluation.report_no_runs"), class_="quiet")])
    last = project.runs[-1]
    parts.append(facts(_ends(last)))
    names = loss_names(project.document)
    figures = history_figures(last.history, last.best_epoch, _WIDE, _HIGH, names)
    drawn = [Markup(svg(figure, tips=False)) for figure in figures]
    parts.append(element("div", *drawn, class_="charts"))
    parts.append(element("h3", text("evaluation.report_runs")))
    heads = [text(f"evaluation.report_{n}") for n in ("run", "epochs", "best", "monitor",
                                                      "setting_value", "seconds")]  # fmt: skip
    rows = [_run_row(run) for run in reversed(project.runs[-_RUNS:])]
    return joined([*parts, table(heads, rows, [1, 2, 4, 5])])


def _compiled(document: Document) -> Iterator[tuple[str, str]]:
    """Losses, metrics, optimizer and run, by Keras's names."""
    for endpoint, name in output_names(document).items():
        plan = document.plan.outputs.get(endpoint.key, OutputPlan())
        if plan.loss is None:
            continue
        yield text("evaluation.report_loss_of", name=name), _declared(plan.loss)
        yield text("evaluation.report_weight_of", name=name), f"{plan.weight:g}"
        metrics = (*plan.metrics, *plan.weighted_metrics)
        if metrics:
            names = ", ".join(metric.name for metric in metrics)
            yield text("evaluation.report_metrics_of", name=name), names
    yield text("evaluation.report_optimizer"), _declared(document.plan.optimizer)
    run = document.plan.run
    for item in fields(run):
        value = getattr(run, item.name)
        if value is not None:
            plain = settings_text(value) if hasattr(value, "__dataclass_fields__") else str(value)
            yield item.name, plain


def _declared(value: Declared) -> str:
    """A loss or an optimizer as code writes it; what is left out is as it usually is."""
    config = value.config()
    usual = type(value)().config()
    given = ", ".join(f"{k}={v}" for k, v in config.items() if v != usual.get(k, v))
    return f"{type(value).__name__}({given})"


def _ends(run: Run) -> list[tuple[str, str]]:
    """What the best epoch gave."""
    best = run.best_epoch
    found = [(key, f"{v[best]:.4f}") for key, v in run.history.items() if 0 <= best < len(v)]
    return [(text("evaluation.report_best"), str(best + 1)), *found] if best >= 0 else []


def _run_row(run: Run) -> tuple[str, ...]:
    name = run.name or run.id
    epochs = len(next(iter(run.history.values()), ()))
    values = run.history.get(run.monitor, [])
    reached = f"{values[run.best_epoch]:.4f}" if 0 <= run.best_epoch < len(values) else "–"
    best = str(run.best_epoch + 1) if run.best_epoch >= 0 else "–"
    return name, str(epochs), best, run.monitor, reached, f"{run.seconds:.1f}"


# -- evaluation and proof ------------------------------------------------------------------------


def _evaluation(project: Project, base: Path, which: Which, threads: int) -> Markup:
    try:
        judged = evaluate_project(project, base, which, threads=threads)
    except ProblemError as error:
        unsplit = [p.code for p in error.problems] == ["evaluation_no_validation"]
        if unsplit:  # the page says which rows it is of
            return _evaluation(project, base, "train", threads)
        return _problems("report_no_evaluation", error)
    return evaluation_part(judged.evaluation, judged.rows)


def _export(project: Project) -> Markup:
    tell("proving", 0, 1)
    try:
        _, proof = exported(project)
    except ProblemError as error:
        return _problems("report_no_proof", error)
    verdict, *rest = proof.text().splitlines()
    first = element("p", verdict, class_="good" if proof.ok else "bad")
    tell("proving", 1, 1)
    return joined([first, *(element("p", line, class_="quiet") for line in rest)])


def write_report(project: Project, base: Path, title: str, look: Look, out: Path) -> Path:
    """Write the page into a file; where that is. The window keeps one core."""
    page = report(project, base, title, look, threads=max(1, available() - 1))
    write_text(out, page)
    return out
