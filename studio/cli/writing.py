"""Commands that make a file of a project: ``export``, ``picture`` and ``report``."""

from pathlib import Path
from typing import Annotated

import typer

from studio.cli.console import say
from studio.cli.files import load, spare_project
from studio.cli.options import LanguageOption, ProjectFile, expect_one
from studio.formats.atomic import check_writable, write_text
from studio.problem import refuse
from studio.text import LANGUAGES, set_language, text


def export(
    project_file: ProjectFile,
    out: Annotated[
        Path,
        typer.Argument(help="The .onnx file to write; one there is replaced", show_default=False),
    ],
    training: Annotated[
        bool, typer.Option("--training", help="A training step, to train elsewhere")
    ] = False,
    with_proof: Annotated[
        bool, typer.Option("--proof", help="With files that repeat the proof, in OUT.proof")
    ] = False,
) -> None:
    """Write an ONNX file, proven equal to the trained model."""
    from studio.formats.onnx_export import export as export_onnx
    from studio.formats.proof_files import folder_of
    from studio.train.training_graph import export_training

    if training and with_proof:
        raise typer.BadParameter("--proof is of a model, not of a --training step")
    spare_project(out, project_file)
    project = load(project_file)
    proof = export_training(project, out) if training else export_onnx(project, out, with_proof)
    say(proof.text())
    say(text("cli.written", path=out))
    if with_proof:
        say(text("cli.written", path=folder_of(out)))


def picture(
    project_file: ProjectFile,
    out: Annotated[
        Path,
        typer.Argument(help="An .svg, .png or .pdf; one there is replaced", show_default=False),
    ],
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
    language: LanguageOption = "en",
) -> None:
    """Draw the graph as a picture: lines and text in .svg and .pdf, pixels in .png."""
    expect_one("--theme", theme, ("light", "dark"))
    expect_one("--language", language, LANGUAGES)
    spare_project(out, project_file)
    project = load(project_file)
    set_language(language)
    from studio.ui.canvas.picture import Look, draw

    names = None if selection is None else [name.strip() for name in selection.split(",")]
    life = 2.0 if out.suffix.lower() == ".png" else 1.0
    look = Look(scale or life, transparent, theme)
    draw(project, out, look, names, project_file.stem)
    say(text("cli.written", path=out))


def report(
    project_file: ProjectFile,
    out: Annotated[
        Path,
        typer.Argument(help="The .html file to write; one there is replaced", show_default=False),
    ],
    rows: Annotated[str, typer.Option(help="validation, train or all")] = "validation",
    language: LanguageOption = "en",
) -> None:
    """Write one page about a project: graph, settings, data, curves, evaluation, export proof."""
    from studio.train.evaluation.result import WHICH
    from studio.train.report.page import report as written
    from studio.ui.report_look import look_of

    which = expect_one("--rows", rows, WHICH)
    expect_one("--language", language, LANGUAGES)
    if out.suffix.lower() not in (".html", ".htm"):
        raise refuse("report_suffix", file=str(out))
    spare_project(out, project_file)
    check_writable(out)
    project = load(project_file)
    set_language(language)
    look = look_of(project, project_file.stem)
    page = written(project, project_file.parent, project_file.stem, look, which)
    write_text(out, page)
    say(text("cli.written", path=out))
