"""The shell: ``layerloom [FILE]`` opens the window, everything else is a command.

Qt is imported only when the window opens. What is wrong with a model, its data or a file is
listed on stderr and ends with status 1; wrong usage ends with 2; neither shows a traceback.
"""

import csv
import errno
import io
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any, NoReturn, cast

import typer

from studio.console import (
    complain,
    expect_data,
    expect_loom,
    interruptible,
    json_lines,
    say,
    say_json,
    spare_data,
    spare_project,
    status_of,
    tell_hit,
    tell_replay,
)
from studio.document import edits
from studio.document.analysis import analyse
from studio.document.model import Document
from studio.document.plan import Reading, Split, SplitKind, TableSource
from studio.document.project import Project
from studio.document.store import Store
from studio.document.summary import summary as summary_text
from studio.engine.engines import ENGINES
from studio.examples import EXAMPLES
from studio.formats.atomic import check_writable, write_text
from studio.problem import Problem, refuse
from studio.text import LANGUAGES, set_language, text
from studio.train.events import Finished, Hit, Started, Warned
from studio.train.forms import as_metric

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Wire neural networks, train them, leave with a proven ONNX file. "
    "`layerloom [FILE]` opens the window.",
)

ProjectFile = Annotated[Path, typer.Argument(help="A .loom project", show_default=False)]
DataOption = Annotated[
    list[str] | None,
    typer.Option(
        "--data",
        help="PORT=FILE[:COLUMN[,COLUMN …]], once for each port; CSV and its kin, Parquet, Excel, "
        "JSON, .npz, .npy, or a folder of pictures or texts",
    ),
]
ReadingOption = Annotated[
    list[str] | None,
    typer.Option(
        "--reading",
        help="How the file is read, where that is found out wrongly; once for each of "
        "encoding=gb18030, delimiter=; (or tab), quote=none, header=no, decimal=, and sheet=NAME",
    ),
]
MetricOption = Annotated[
    list[str] | None,
    typer.Option("--metric", help="accuracy, AUC, …: watched at every output, kept in the project"),
]
SplitOption = Annotated[
    str | None,
    typer.Option(
        help="Rows that validate: none, random:0.2, stratified:0.2[:COLUMN], last:0.2[:COLUMN] in "
        "the order of a column, COLUMN=VALUE, or file:FILE"
    ),
]
_MOST = 2**63 - 1  # of a project file's integers
CountOption = Annotated[
    int | None, typer.Option(min=1, max=_MOST, help="Instead of the project's", metavar="INTEGER")
]
SeedOption = Annotated[
    int | None,
    typer.Option(min=-_MOST - 1, max=_MOST, help="Instead of the project's", metavar="INTEGER"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line")]


def main() -> None:
    """The command ``layerloom``."""
    arguments = sys.argv[1:]
    commands = {
        command.callback.__name__ for command in app.registered_commands if command.callback
    }
    if not arguments:
        raise SystemExit(status_of(lambda: open_window(None)))
    first = arguments[0]
    if first.startswith("-") or first in commands:
        raise SystemExit(status_of(app))
    raise SystemExit(status_of(lambda: _open(first, len(arguments) == 1, sorted(commands))))


def _open(name: str, alone: bool, commands: Sequence[str]) -> None:
    """The window on a file, where the first word is one."""
    path = Path(name)
    if alone and path.exists():
        open_window(path)
    if alone and path.suffix.lower() == ".loom":
        raise refuse("file_unreadable", file=name, reason=os.strerror(errno.ENOENT))
    raise refuse("command_unknown", name=name, known=", ".join(commands))


def open_window(path: Path | None) -> NoReturn:
    """Start the window, on a project where one is given, and exit when it closes.

    Without a screen Qt would abort the process.
    """
    screens = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform == "linux" and not any(os.environ.get(name) for name in screens):
        raise refuse("no_display")
    from studio.ui.app import run

    raise SystemExit(run(path))


# -- commands ------------------------------------------------------------------------------------


@app.command()
def new(
    out: Annotated[Path, typer.Argument(help="The .loom project to write", show_default=False)],
    example: Annotated[str, typer.Option(help=", ".join(EXAMPLES))] = "headline",
    force: Annotated[bool, typer.Option("--force", help="Replace a file of this name")] = False,
) -> None:
    """Write an example project."""
    if example not in EXAMPLES:
        raise refuse("unknown_example", name=example, known=", ".join(EXAMPLES))
    expect_loom(out)
    if out.exists() and not force:
        raise refuse("out_exists", file=str(out))
    _save(out, Project(EXAMPLES[example]()))
    say(text("cli.written", path=out))


@app.command()
def train(
    project_file: ProjectFile,
    data: DataOption = None,
    epochs: CountOption = None,
    batch_size: CountOption = None,
    engine: Annotated[str | None, typer.Option(help=", ".join(ENGINES))] = None,
    seed: SeedOption = None,
    out: Annotated[Path | None, typer.Option(help="Write here, not back to the project")] = None,
    metric: MetricOption = None,
    split: SplitOption = None,
    reading: ReadingOption = None,
    best: Annotated[bool, typer.Option("--best", help="Keep the best epoch's weights")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what it learnt before")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the same command was cut off")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Train a project and save what it learnt; Ctrl+C stops it early.

    At NaN or infinity it ends with status 1, and the weights from before that step are saved.

    Where it is, is written down every minute. Was it cut off, by a crash or want of power, the
    same command with --resume ends as if nothing had happened.
    """
    from studio.train.checkpoints import discard, place_of

    if out is not None:
        expect_loom(out)
    if engine not in (None, *ENGINES):
        raise typer.BadParameter(f"--engine takes {', '.join(ENGINES)}; not {engine}")
    check_writable(out or project_file)
    project = _load(project_file)
    if fresh:
        project.store, project.fitted = Store(), {}
    changes = {"epochs": epochs, "batch_size": batch_size, "engine": engine, "seed": seed}
    given = {name: value for name, value in changes.items() if value is not None}
    document = _prepared(project.document, data, metric, reading)
    if split is not None:
        document = edits.set_data(document, split=read_split(split, document.plan.data.split))
    project.document = edits.set_run(document, **given)
    place = place_of(project_file)
    with interruptible() as stop:
        finished = _train(project, project_file.parent, as_json, stop, place, resume)
        if best and finished.best is not None:
            project.store.restore(finished.best)
        _save(out or project_file, project)
        discard(place)
    odd = finished.run.ended == "not_finite"
    if not as_json:
        if finished.stopped:
            say(text("cli.stopped"))
        if odd:
            say(text("cli.finite_saved"))
        say(_best_line(finished))
        say(text("cli.written", path=out or project_file))
    if odd:
        raise SystemExit(1)


@app.command()
def replay(
    step_file: Annotated[Path, typer.Argument(help="A .step file", show_default=False)],
    as_json: JsonOption = False,
) -> None:
    """Do a step of training again that a breakpoint was met in, and compare it bit for bit.

    Status 1 where it does not come out the same.
    """
    from studio.train import reproduction

    if step_file.suffix.lower() != reproduction.SUFFIX:
        raise refuse("step_suffix", file=str(step_file))
    given = reproduction.read(step_file)
    found = reproduction.replay(given)
    tell_replay(given, found, as_json)
    if not found.equal:
        raise SystemExit(1)


@app.command()
def evaluate(
    project_file: ProjectFile,
    data: DataOption = None,
    metric: MetricOption = None,
    rows: Annotated[
        str | None, typer.Option(help="validation, train or all; all if --data is given")
    ] = None,
    reading: ReadingOption = None,
    as_json: JsonOption = False,
) -> None:
    """Losses and metrics on the held-out rows, or on all rows of other data."""
    from studio.train.data import load_data
    from studio.train.trainer import Trainer

    project = _load(project_file)
    document = _prepared(project.document, data, metric, reading)
    rows = rows or ("all" if data else "validation")
    if rows not in ("validation", "train", "all"):
        raise typer.BadParameter(f"--rows takes validation, train or all, not {rows}")
    if rows == "all":
        split = replace(document.plan.data.split, kind="none")
        document = edits.set_data(document, split=split)
    loaded = load_data(document, project_file.parent, project.fitted or None)
    chosen = loaded.validation if rows == "validation" and loaded.validation else loaded.train
    logs = Trainer(document, project.store).evaluate(chosen, document.plan.run.batch_size)
    if as_json:
        say_json({"rows": len(chosen), **logs})
        return
    say(text("cli.evaluated", rows=len(chosen)))
    for key, value in logs.items():
        say(f"  {key}: {value:.4f}")


@app.command()
def predict(
    project_file: ProjectFile,
    data: DataOption = None,
    reading: ReadingOption = None,
    out: Annotated[Path | None, typer.Option(help="A CSV to write; stdout if not given")] = None,
) -> None:
    """Every output for every row of the data.

    ``--data FILE`` reads the columns the project is bound to; ``--data PORT=FILE:COLUMN`` others.
    """
    from studio.train.predict import predict as outputs_of
    from studio.train.prediction import predict_inputs, prediction_columns, told_rows

    project, base = _load(project_file), project_file.parent
    if out is not None:
        spare_project(out, project_file)
        check_writable(out)
    expect_data(data or [])
    said = read_reading(reading or [])
    document, inputs = predict_inputs(project.document, project.fitted, base, data or [], said)
    rows = told_rows(document, base)
    if out is not None:
        plans = (project.document.plan.data, document.plan.data)
        sources = [source for plan in plans for source in (plan.source, plan.split.file)]
        spare_data(out, [base / s.path for s in sources if isinstance(s, TableSource)])
    outputs = outputs_of(document, project.store, inputs)
    table = io.StringIO(newline="")
    _write_csv(table, rows | prediction_columns(document, project.fitted, outputs))
    if out is None:
        sys.stdout.write(table.getvalue())
        return
    write_text(out, table.getvalue())
    say(text("cli.written", path=out))


@app.command()
def export(
    project_file: ProjectFile,
    out: Annotated[Path, typer.Argument(help="The .onnx file to write", show_default=False)],
    training: Annotated[
        bool, typer.Option("--training", help="A training step, to train elsewhere")
    ] = False,
) -> None:
    """Write an ONNX file, proven equal to the trained model."""
    from studio.formats.onnx_export import export as export_onnx
    from studio.train.training_graph import export_training

    spare_project(out, project_file)
    proof = (export_training if training else export_onnx)(_load(project_file), out)
    say(proof.text())
    say(text("cli.written", path=out))


@app.command()
def check(
    project_file: ProjectFile,
    gradients: Annotated[
        bool, typer.Option("--gradients", help="Compare gradients with float64 differences, too")
    ] = False,
    node: Annotated[
        str | None, typer.Option(help="Those of one node alone: NAME, or MODEL/NAME inside a model")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List what is wrong with a project's model and data; status 1 if anything must be mended.

    With --gradients, a wrong gradient counts, too; a model with errors has none to check.
    """
    from studio.train.data import check_data

    if node is not None and not gradients:
        raise typer.BadParameter("--node goes with --gradients")
    project = _load(project_file)
    model = analyse(project.document)
    problems = [*model.problems, *check_data(project.document, project_file.parent)]
    for problem in problems:
        if as_json:
            say_json({"code": problem.code, "severity": problem.severity, "text": str(problem)})
        else:
            say(f"{problem.severity}: {_place(project.document, problem)}{problem}")
    if as_json:
        say_json({"problems": len(problems)})
    elif not problems:
        say(text("cli.no_problems"))
    right = True
    if gradients and not model.errors:
        from studio.gradients import say_gradients

        right = say_gradients(project, project_file.parent, node, as_json)
    if not right or any(problem.severity == "error" for problem in problems):
        raise SystemExit(1)


@app.command()
def picture(
    project_file: ProjectFile,
    out: Annotated[Path, typer.Argument(help="An .svg, .png or .pdf", show_default=False)],
    scale: Annotated[
        float | None,
        typer.Option(min=0.01, max=16, help="1 is life-size; an unasked .png has 2"),
    ] = None,
    transparent: Annotated[
        bool, typer.Option("--transparent", help="Nothing behind the nodes")
    ] = False,
    theme: Annotated[str, typer.Option(help="light or dark")] = "light",
    selection: Annotated[
        str | None, typer.Option(help="Only these layers: NAME[,NAME …]", metavar="NAMES")
    ] = None,
    language: Annotated[str, typer.Option(help=", ".join(LANGUAGES))] = "en",
) -> None:
    """Draw the graph as a picture: lines and text in .svg and .pdf, pixels in .png."""
    if theme not in ("light", "dark"):
        raise typer.BadParameter(f"--theme takes light or dark, not {theme}")
    if language not in LANGUAGES:
        raise typer.BadParameter(f"--language takes {', '.join(LANGUAGES)}, not {language}")
    spare_project(out, project_file)
    project = _load(project_file)
    set_language(language)
    from studio.ui.canvas.picture import Look, draw

    names = None if selection is None else [name.strip() for name in selection.split(",")]
    life = 2.0 if out.suffix.lower() == ".png" else 1.0
    look = Look(scale or life, transparent, theme)
    draw(project, out, look, names, project_file.stem)
    say(text("cli.written", path=out))


@app.command()
def report(
    project_file: ProjectFile,
    out: Annotated[Path, typer.Argument(help="The .html file to write", show_default=False)],
    rows: Annotated[str, typer.Option(help="validation, train or all")] = "validation",
    language: Annotated[str, typer.Option(help=", ".join(LANGUAGES))] = "en",
) -> None:
    """Write one page about a project: graph, settings, data, curves, evaluation, export proof."""
    from studio.train.evaluation.result import WHICH
    from studio.train.report.page import report as written
    from studio.ui.report_look import look_of

    if rows not in WHICH:
        raise typer.BadParameter(f"--rows takes {', '.join(WHICH)}, not {rows}")
    if language not in LANGUAGES:
        raise typer.BadParameter(f"--language takes {', '.join(LANGUAGES)}, not {language}")
    if out.suffix.lower() not in (".html", ".htm"):
        raise refuse("report_suffix", file=str(out))
    spare_project(out, project_file)
    check_writable(out)
    project = _load(project_file)
    set_language(language)
    look = look_of(project, project_file.stem)
    page = written(project, project_file.parent, project_file.stem, look, rows)
    write_text(out, page)
    say(text("cli.written", path=out))


@app.command()
def lens(
    project_file: ProjectFile,
    batches: Annotated[int, typer.Option(min=1, help="How many to look at")] = 8,
    as_json: JsonOption = False,
) -> None:
    """How strongly each loss trains each layer, who pulls harder where, and advised weights."""
    from studio.formats.runs import plain_numbers
    from studio.train.study.adviser import advise
    from studio.train.study.lens_text import lens_lines, lens_text
    from studio.train.study.observer import lens_over

    project = _load(project_file)
    if not any(plan.loss for plan in project.document.plan.outputs.values()):
        raise refuse("no_losses")
    sample, looks = lens_over(project, project_file.parent, batches)
    told = (project.document, sample, advise(sample))
    if as_json:
        for line in lens_lines(*told):
            say_json(plain_numbers(line))
    else:
        say(lens_text(*told, looks))


@app.command()
def summary(project_file: ProjectFile) -> None:
    """The layers of a project with shapes and parameters."""
    say(summary_text(_load(project_file).document))


@app.command()
def parity(
    project_file: ProjectFile,
    out: Annotated[
        Path | None, typer.Argument(help="An .html, .json or .csv to write", show_default=False)
    ] = None,
    python: Annotated[
        str, typer.Option(help="A Python that has Keras; one on the path if not given")
    ] = "",
    backend: Annotated[str, typer.Option(help="jax, tensorflow or torch; the first it has")] = "",
    steps: Annotated[int, typer.Option(min=1, max=1000, help="Of training")] = 3,
    language: Annotated[str, typer.Option(help=", ".join(LANGUAGES))] = "en",
    as_json: JsonOption = False,
) -> None:
    """Hold a project against Keras, where it is installed: same weights, same batches.

    Outputs, every loss, every gradient, and the weights after some steps; status 1 if any differ.
    """
    from studio.train.parity import write
    from studio.train.parity.compare import compare
    from studio.train.parity.keras import python_with_keras

    if language not in LANGUAGES:
        raise typer.BadParameter(f"--language takes {', '.join(LANGUAGES)}, not {language}")
    if out is not None:
        write.check_suffix(out)
        spare_project(out, project_file)
        check_writable(out)
    project = _load(project_file)
    set_language(language)
    found = python_with_keras(python, backend)
    report = compare(project, project_file.parent, project_file.stem, found, steps)
    if as_json:
        say_json(write.as_json(report))
    else:
        for line in write.as_lines(report):
            say(line)
    if out is not None:
        from studio.ui.report_look import page_colours

        write.write(report, out, page_colours())
        if not as_json:
            say(text("cli.written", path=out))
    if not report.ok:
        raise SystemExit(1)


@app.command()
def demo(
    folder: Annotated[
        Path | None, typer.Argument(help="Where to write; ~/Layerloom if not given")
    ] = None,
    epochs: CountOption = None,
) -> None:
    """Make the headline example, train it, export it, prove the export, say where the files are."""
    from studio.formats.onnx_export import export as export_onnx

    where = folder or Path.home() / "Layerloom"
    where.mkdir(parents=True, exist_ok=True)
    project_file, onnx_file = where / "headline-demo.loom", where / "headline-demo.onnx"
    check_writable(project_file)
    project = Project(EXAMPLES["headline"]())
    if epochs:
        project.document = edits.set_run(project.document, epochs=epochs)
    say(summary_text(project.document))
    with interruptible() as stop:
        finished = _train(project, where, False, stop)
        if finished.best is not None:
            project.store.restore(finished.best)
        _save(project_file, project)
    if finished.stopped:
        say(text("cli.stopped"))
    say(_best_line(finished))
    proof = export_onnx(project, onnx_file)
    say(proof.text())
    for path in (project_file, onnx_file):
        say(text("cli.written", path=path))


# -- parts ---------------------------------------------------------------------------------------


def _load(path: Path) -> Project:
    from studio.formats import loom

    return loom.load(path)


def _save(path: Path, project: Project) -> None:
    from studio.formats import loom

    loom.save(path, project)


def _prepared(
    document: Document,
    data: list[str] | None,
    metric: list[str] | None,
    reading: list[str] | None,
) -> Document:
    """The document with its data, how that is read, and metrics as the options say."""
    if data or reading:
        from studio.train.bindings import with_data

        expect_data(data or [])
        document = with_data(document, data or [], read_reading(reading or []))
    if metric:
        metrics = tuple(as_metric(name) for name in metric)
        for endpoint in document.graph.outputs:
            document = edits.plan_output(document, endpoint, metrics=metrics)
    return document


def read_reading(written: Sequence[str]) -> dict[str, str]:
    """The fields of a `Reading` that ``header=no``, ``delimiter=tab`` … stand for."""
    named = {"tab": "\t", "space": " ", "comma": ",", "semicolon": ";", "bar": "|"}
    found = {}
    for item in written:
        name, equals, value = item.partition("=")
        known = [field.name for field in fields(Reading)]
        wrong = name == "header" and value not in ("yes", "no", "detect")
        if name not in known or not equals or wrong:
            raise typer.BadParameter(
                f"--reading takes {', '.join(f'{name}=…' for name in known)} (header=yes, no or "
                f"detect), not {item}"
            )
        found[name] = named.get(value, value) if name in ("delimiter", "decimal") else value
    return found


def read_split(written: str, old: Split) -> Split:
    """The split that ``random:0.2``, ``last:0.2:date``, ``none``, ``COLUMN=VALUE`` … stands for."""
    from studio.train.tables import table_source

    kind, _, rest = written.partition(":")
    if kind == "file" and rest:
        return Split("file", old.fraction, old.seed, file=table_source(Path(rest)))
    column, equals, value = written.partition("=")
    if equals:
        return Split("column", old.fraction, old.seed, column, value)
    share, _, column = rest.partition(":")
    try:
        fraction = float(share) if share else old.fraction
    except ValueError:
        fraction = -1.0
    shares = {"none": "", "random": "", "stratified": column, "last": column}
    if shares.get(kind) != column or not 0 < fraction < 1:
        raise typer.BadParameter(
            "--split takes random:0.2, stratified:0.2[:COLUMN], last:0.2[:COLUMN], none, "
            f"COLUMN=VALUE or file:FILE, not {written}"
        )
    return Split(cast(SplitKind, kind), fraction, old.seed, column)


def _train(
    project: Project,
    base: Path,
    as_json: bool,
    stop: threading.Event,
    place: Path | None = None,
    resume: bool = False,
) -> Finished:
    """Train, telling of it; `place` is where to write down where it is, if anywhere."""
    from studio.train import reproduction
    from studio.train.checkpoints import interrupted
    from studio.train.job import Job, stoppable
    from studio.train.progress import show

    for problem in analyse(project.document).problems:
        if problem.severity == "warning":
            complain(problem)
    if place is not None and not resume and (before := interrupted(place)):
        args = {"epoch": before.epoch + 1, "epochs": before.epochs}
        complain(Problem("training_cut_off", args=args, severity="warning"))
    job = Job(project, base, checkpoints=place, resume=resume, steps=reproduction.folder())
    events = stoppable(job, stop)
    finished: Finished | None = None
    for event in json_lines(events) if as_json else show(events):
        if isinstance(event, Started):
            for problem in event.warnings:
                complain(problem)
        elif isinstance(event, Warned):
            complain(event.problem)
        elif isinstance(event, Hit):
            tell_hit(event, project.document)
        elif isinstance(event, Finished):
            finished = event
    assert finished is not None
    project.keep_run(finished.run)
    project.fitted = dict(finished.fitted)
    return finished


def _best_line(finished: Finished) -> str:
    run = finished.run
    if run.best_epoch < 0:
        return text("cli.no_epoch")
    values = ", ".join(f"{k} {v[run.best_epoch]:.4f}" for k, v in run.history.items())
    return text("cli.best_epoch", epoch=run.best_epoch + 1, monitor=run.monitor, values=values)


def _place(document: Document, problem: Problem) -> str:
    known = problem.where in document.graph.calls
    return f"{document.entry(problem.where).name}: " if known else ""


def _write_csv(file: Any, columns: Mapping[str, Any]) -> None:
    writer = csv.writer(file)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))


if __name__ == "__main__":
    main()
