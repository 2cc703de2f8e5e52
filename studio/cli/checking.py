"""Commands that look into a project and leave it: ``summary``, ``check``, ``lens``, ``parity``."""

from pathlib import Path
from typing import Annotated

import typer

from studio.cli.console import say, say_json
from studio.cli.files import load, spare_project
from studio.cli.options import JsonOption, LanguageOption, ProjectFile, expect_one
from studio.document.analysis import analyse
from studio.document.model import Document
from studio.document.summary import summary as summary_text
from studio.formats.atomic import check_writable
from studio.problem import Problem, ProblemError, refuse
from studio.text import LANGUAGES, set_language, text


def summary(project_file: ProjectFile) -> None:
    """The layers of a project with shapes and parameters, and the memory that training takes."""
    document = load(project_file).document
    say(summary_text(document))
    found = _memory(document, project_file.parent)
    if isinstance(found, str):
        say(found)


def _memory(document: Document, base: Path) -> str | Problem | None:
    """What training takes, or that it is too much; nothing where no step can be built."""
    from studio.train.data import sample_counts
    from studio.train.estimate import SAID, in_words, planned_estimator, verdict

    try:
        estimator = planned_estimator(document)
        counts = sample_counts(document, base)
        found = estimator.planned(document, counts)
        return verdict(document, found, estimator, counts) or in_words(found, document)
    except ProblemError as error:
        first = error.problems[0]
        return first if first.code in SAID else None


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
    project = load(project_file)
    model = analyse(project.document)
    memory = None if model.errors else _memory(project.document, project_file.parent)
    problems = [*model.problems, *check_data(project.document, project_file.parent)]
    problems += [memory] if isinstance(memory, Problem) else []
    for problem in problems:
        if as_json:
            say_json({"code": problem.code, "severity": problem.severity, "text": str(problem)})
        else:
            say(f"{problem.severity}: {_place(project.document, problem)}{problem}")
    if as_json:
        say_json({"problems": len(problems)})
    elif not problems:
        say(text("cli.no_problems"))
    if isinstance(memory, str) and not as_json:
        say(memory)
    right = True
    if gradients and not model.errors:
        from studio.cli.gradients import say_gradients

        right = say_gradients(project, project_file.parent, node, as_json)
    if not right or any(problem.severity == "error" for problem in problems):
        raise SystemExit(1)


def _place(document: Document, problem: Problem) -> str:
    known = problem.where in document.graph.calls
    return f"{document.entry(problem.where).name}: " if known else ""


def lens(
    project_file: ProjectFile,
    batches: Annotated[int, typer.Option(min=1, help="How many to look at")] = 8,
    as_json: JsonOption = False,
) -> None:
    """How strongly each loss trains each layer, who pulls harder where, and advised weights."""
    from studio.train.study.adviser import advise
    from studio.train.study.lens_text import lens_lines, lens_text
    from studio.train.study.observer import lens_over

    project = load(project_file)
    if not any(plan.loss for plan in project.document.plan.outputs.values()):
        raise refuse("no_losses")
    sample, looks = lens_over(project, project_file.parent, batches)
    told = (project.document, sample, advise(sample))
    if as_json:
        for line in lens_lines(*told):
            say_json(line)
    else:
        say(lens_text(*told, looks))


def parity(
    project_file: ProjectFile,
    out: Annotated[
        Path | None,
        typer.Argument(help="An .html, .json or .csv; one there is replaced", show_default=False),
    ] = None,
    python: Annotated[
        str, typer.Option(help="A Python that has Keras; one on the path if not given")
    ] = "",
    backend: Annotated[str, typer.Option(help="jax, tensorflow or torch; the first it has")] = "",
    steps: Annotated[int, typer.Option(min=1, max=1000, help="Of training")] = 3,
    language: LanguageOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Hold a project against Keras, where it is installed: same weights, same batches.

    Outputs, every loss, every gradient, and the weights after some steps; status 1 if any differ.
    """
    from studio.train.parity import write
    from studio.train.parity.compare import compare
    from studio.train.parity.keras import python_with_keras

    expect_one("--language", language, LANGUAGES)
    if out is not None:
        write.check_suffix(out)
        spare_project(out, project_file)
        check_writable(out)
    project = load(project_file)
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
