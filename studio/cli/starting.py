"""Commands that begin with an example: ``new`` and ``demo``."""

from pathlib import Path
from typing import Annotated

import typer

from studio.cli.console import interruptible, say
from studio.cli.files import expect_loom, save
from studio.cli.options import CountOption
from studio.cli.training import best_line, run_training
from studio.document import edits
from studio.document.project import Project
from studio.document.summary import summary as summary_text
from studio.examples import EXAMPLES
from studio.formats.atomic import check_writable
from studio.problem import refuse
from studio.text import text


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
    save(out, Project(EXAMPLES[example]()))
    say(text("cli.written", path=out))


def demo(
    folder: Annotated[
        Path | None, typer.Argument(help="Where to write; ~/Layerloom if not given")
    ] = None,
    epochs: CountOption = None,
) -> None:
    """Make the headline example, train it, export it, prove the export, say where the files are."""
    from studio.formats.onnx_export import expect_free
    from studio.formats.onnx_export import export as export_onnx

    where = folder or Path.home() / "Layerloom"
    where.mkdir(parents=True, exist_ok=True)
    project_file, onnx_file = where / "headline-demo.loom", where / "headline-demo.onnx"
    check_writable(project_file)
    expect_free(onnx_file)
    project = Project(EXAMPLES["headline"]())
    if epochs:
        project.document = edits.set_run(project.document, epochs=epochs)
    say(summary_text(project.document))
    with interruptible() as stop:
        finished = run_training(project, where, False, stop)
        if finished.best is not None:
            project.store.restore(finished.best)
        save(project_file, project)
    if finished.stopped:
        say(text("cli.stopped"))
    say(best_line(finished))
    proof = export_onnx(project, onnx_file)
    say(proof.text())
    for path in (project_file, onnx_file):
        say(text("cli.written", path=path))
