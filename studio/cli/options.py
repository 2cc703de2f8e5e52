"""What commands are given: the options that several of them take, and what their words mean."""

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Annotated, TypeVar, cast

import typer

from studio.document import edits
from studio.document.model import Document
from studio.document.plan import Reading, Split, SplitKind
from studio.engine.memory import VARIABLE, read_budget
from studio.problem import refuse
from studio.text import LANGUAGES
from studio.train.forms import as_metric

Word = TypeVar("Word", bound=str)

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
MemoryOption = Annotated[
    str | None,
    typer.Option("--memory", help="The most that the model may take: 8G, 512M, 70%; half of it"),
]
LanguageOption = Annotated[str, typer.Option(help=", ".join(LANGUAGES))]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line")]


def expect_one(option: str, given: str, known: Collection[Word]) -> Word:
    """The word, where it is one that an option knows; wrong usage otherwise."""
    for word in known:
        if word == given:
            return word
    raise typer.BadParameter(f"{option} takes {', '.join(known)}, not {given}")


def use_memory(given: str | None) -> None:
    """Allow a model so much memory, here and in every process started from now on."""
    if given is not None:
        if not read_budget(given):
            raise typer.BadParameter(f"--memory takes 8G, 512M or 70%, not {given}")
        os.environ[VARIABLE] = given


def expect_data(data: Iterable[str]) -> None:
    """Refuse a ``--data`` that can name no file: ``PORT=``, or a bare word that is none."""
    for item in data:
        _, equals, place = item.partition("=")
        bare = not equals and not Path(item).exists() and not Path(item).suffix
        if bare or (equals and not place):
            raise refuse("data_malformed", received=item)


def prepared(
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
