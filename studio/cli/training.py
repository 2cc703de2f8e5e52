"""Commands that train: ``train``, and ``replay`` of a single step."""

import threading
from pathlib import Path
from typing import Annotated

import typer

from studio.cli.console import complain, interruptible, say
from studio.cli.files import expect_loom, load, save, spare_newer
from studio.cli.options import (
    CountOption,
    DataOption,
    JsonOption,
    MemoryOption,
    MetricOption,
    ProjectFile,
    ReadingOption,
    SeedOption,
    SplitOption,
    expect_one,
    prepared,
    read_split,
    use_memory,
)
from studio.cli.telling import json_lines, tell_hit, tell_replay
from studio.document import edits
from studio.document.analysis import analyse
from studio.document.project import Project
from studio.document.store import Store
from studio.engine.engines import ENGINES
from studio.formats.atomic import check_writable
from studio.problem import Problem, ProblemError, refuse
from studio.text import text
from studio.train.events import Finished, Hit, Started, Warned


def train(
    project_file: ProjectFile,
    data: DataOption = None,
    epochs: CountOption = None,
    batch_size: CountOption = None,
    engine: Annotated[str | None, typer.Option(help=", ".join(ENGINES))] = None,
    seed: SeedOption = None,
    out: Annotated[
        Path | None, typer.Option(help="Write here, not back to the project; one there is replaced")
    ] = None,
    metric: MetricOption = None,
    split: SplitOption = None,
    reading: ReadingOption = None,
    best: Annotated[bool, typer.Option("--best", help="Keep the best epoch's weights")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what it learnt before")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the same command was cut off")
    ] = False,
    memory: MemoryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train a project and save what it learnt; Ctrl+C stops it early.

    At NaN or infinity it ends with status 1, and the weights from before that step are saved.

    Where it is, is written down every minute. Was it cut off, by a crash or want of power, the
    same command with --resume ends as if nothing had happened.
    """
    from studio.train.checkpoints import discard, exists, place_of

    use_memory(memory)
    if out is not None:
        expect_loom(out)
    if engine is not None:
        expect_one("--engine", engine, ENGINES)
    check_writable(out or project_file)
    spare_newer(out or project_file)
    project = load(project_file)
    if fresh:
        project.store, project.fitted = Store(), {}
    changes = {"epochs": epochs, "batch_size": batch_size, "engine": engine, "seed": seed}
    given = {name: value for name, value in changes.items() if value is not None}
    document = prepared(project.document, data, metric, reading)
    if split is not None:
        document = edits.set_data(document, split=read_split(split, document.plan.data.split))
    project.document = edits.set_run(document, **given)
    place = place_of(project_file)
    with interruptible() as stop:
        finished = run_training(project, project_file.parent, as_json, stop, place, resume)
        if best and finished.best is not None:
            project.store.restore(finished.best)
        try:
            save(out or project_file, project)
        except ProblemError as error:
            kept = [Problem("training_kept", severity="warning")] if exists(place) else []
            raise ProblemError([*error.problems, *kept]) from error
        discard(place)
    odd = finished.run.ended == "not_finite"
    if not as_json:
        if finished.stopped:
            say(text("cli.stopped"))
        if odd:
            say(text("cli.finite_saved"))
        say(best_line(finished))
        say(text("cli.written", path=out or project_file))
    if odd:
        raise SystemExit(1)


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


def run_training(
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


def best_line(finished: Finished) -> str:
    """The best epoch and its numbers, in a line."""
    run = finished.run
    if run.best_epoch < 0:
        return text("cli.no_epoch")
    values = ", ".join(f"{k} {v[run.best_epoch]:.4f}" for k, v in run.history.items())
    return text("cli.best_epoch", epoch=run.best_epoch + 1, monitor=run.monitor, values=values)
