"""What an exported model needs beside its numbers: how raw cells become inputs, what outputs mean.

The same JSON stands in the ONNX file's metadata and in the file ``<name>.json``, which may be
changed by hand and says which model it is of; it is what the script beside them reads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from studio.document.dates import PATTERNS, TURNS
from studio.document.model import Document
from studio.document.names import input_names, output_names
from studio.document.plan import (
    ArrayColumn,
    ImageColumn,
    NumberColumns,
    Reading,
    SequenceColumn,
    TableSource,
)
from studio.document.preprocess import (
    GAPS,
    SPLITS,
    Fitted,
    FittedClasses,
    FittedDates,
    FittedFeatures,
    FittedNumbers,
    FittedText,
    unfitted_numbers,
)
from studio.document.project import Project
from studio.document.windows import window_of
from studio.formats.exported_files import KEY
from studio.layers.input import Input

OF = "sha256"  # in the JSON file: of the model's bytes


def describe(project: Project, outputs: Sequence[str]) -> dict[str, Any]:
    """Every input and output of the main graph by its name in the file.

    An input of kind ``array`` takes its numbers from one column, divided; of a CSV file, or of an
    .npz's array. One of kind ``image`` or ``sequence`` has the fields of its `ImageColumn` or
    `SequenceColumn`. One of kind ``raw`` takes numbers from a column of its own name: nothing was
    learnt about it. With ``series``, a sample is a window of rows, and an input of ``window``
    takes them all. ``reading`` has what was said of how the table's text is to be read.
    """
    document = project.document
    named = zip(output_names(document), outputs, strict=True)
    return {
        KEY: 1,
        "inputs": {
            name: {**_shape(document, call), **_encoding(document, project.fitted, call, name)}
            for call, name in input_names(document).items()
        },
        "outputs": {name: _meaning(project.fitted.get(e.key)) for e, name in named},
        **_series(document),
        **_reading(document),
    }


def _reading(document: Document) -> dict[str, Any]:
    """How files of text are read, as far as that was said."""
    source = document.plan.data.source
    reading = source.reading if isinstance(source, TableSource) else Reading()
    said = {name: getattr(reading, name) for name in ("encoding", "delimiter", "quote")}
    said = {name: value for name, value in said.items() if value}
    return {"reading": said} if said else {}


def _series(document: Document) -> dict[str, Any]:
    series = document.plan.data.series
    if series is None:
        return {}
    names = {"order": series.order, "group": series.group}
    return {"series": {"length": series.length, **names, "patterns": list(PATTERNS)}}


def _shape(document: Document, call: str) -> dict[str, Any]:
    body = document.entry(call).body
    assert isinstance(body, Input)
    binding = document.plan.data.inputs.get(call)
    several = {"window": True} if window_of(document, body.spec(), binding) else {}
    return {"dtype": body.dtype, "shape": [-1 if d is None else d for d in body.shape], **several}


def _encoding(
    document: Document, fitted: Mapping[str, Fitted], call: str, name: str
) -> dict[str, Any]:
    binding = document.plan.data.inputs.get(call)
    found = fitted.get(call)
    if found is None and isinstance(binding, NumberColumns):
        found = unfitted_numbers(binding)
    match binding:
        case ArrayColumn(column, divisor):
            return {"kind": "array", "column": column, "divisor": divisor}
        case ImageColumn():
            return {"kind": "image", **asdict(binding), "shape": _picture_shape(document, call)}
        case SequenceColumn():
            return {"kind": "sequence", **asdict(binding)}
    return _step(found) if found else {"kind": "raw", "column": name}


def _picture_shape(document: Document, call: str) -> list[int]:
    """The sizes of a picture as an input takes it, also where the input leaves them open."""
    body, binding = document.entry(call).body, document.plan.data.inputs[call]
    assert isinstance(body, Input)
    assert isinstance(binding, ImageColumn)
    sizes = [binding.height, binding.width, binding.channels]
    return [-1] if len(body.shape) == 1 else sizes[: len(body.shape)]


def _step(found: Fitted) -> dict[str, Any]:
    match found:
        case FittedText(binding=text, words=words):
            return {
                "kind": "text",
                "column": text.column,
                "length": text.length,
                "lower": text.lower,
                "word": SPLITS[text.split].pattern,
                "padding": text.padding,
                "truncating": text.truncating,
                "vocabulary": list(words),
                "one_hot": text.vocabulary_size if text.one_hot else 0,
            }
        case FittedNumbers(binding=numbers):
            filled = {"fill": list(found.fill), "gaps": sorted(GAPS)} if found.fill else {}
            columns = {"kind": "numbers", "columns": list(numbers.columns)}
            return {**columns, **_scaling(found), **filled}
        case FittedClasses(binding=classes, names=names):
            return {
                "kind": "classes",
                "column": classes.column,
                "classes": list(names),
                "one_hot": classes.one_hot,
            }
        case FittedDates(binding=dates):
            return {
                "kind": "dates",
                "column": dates.column,
                "patterns": list(PATTERNS),
                "day_first": found.day_first,
                "parts": list(dates.parts),
                "turns": {part: TURNS[part] for part in dates.parts if part in TURNS}
                if dates.cyclic
                else {},
                "first": found.first,
                **({"fill": found.fill, "gaps": sorted(GAPS)} if found.fill else {}),
                **_scaling(found),
            }
        case FittedFeatures(parts=parts):
            steps = [{**_step(part), "one_hot": True} for part in parts]
            return {"kind": "features", "steps": steps}


def _scaling(found: FittedNumbers | FittedDates) -> dict[str, Any]:
    return {"offset": list(found.offset), "scale": list(found.scale)}


def _meaning(fitted: Fitted | None) -> dict[str, Any]:
    match fitted:
        case FittedClasses(names=names):
            return {"classes": list(names)}
        case FittedNumbers(binding=numbers):
            return {"columns": list(numbers.columns), **_scaling(fitted)}
    return {}
