"""What an exported model needs beside its numbers: how raw cells become inputs, what outputs mean.

The same JSON stands in the ONNX file's metadata, in the file ``<name>.json``, and is what the
script beside them reads.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from studio.document.model import Document
from studio.document.names import input_names, output_names
from studio.document.plan import ArrayColumn, NumberColumns
from studio.document.preprocess import (
    WORD,
    Fitted,
    FittedClasses,
    FittedNumbers,
    FittedText,
    unfitted_numbers,
)
from studio.document.project import Project
from studio.layers.input import Input

KEY = "layerloom"  # of the metadata; also what tells our JSON file from somebody else's


def describe(project: Project, outputs: Sequence[str]) -> dict[str, Any]:
    """Every input and output of the main graph by its name in the file.

    An input of kind ``array`` takes its numbers from one column, divided; of a CSV file, or of an
    .npz's array. One of kind ``raw`` takes them from a column of its own name: nothing was learnt
    about it.
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
    }


def _shape(document: Document, call: str) -> dict[str, Any]:
    body = document.entry(call).body
    assert isinstance(body, Input)
    return {"dtype": body.dtype, "shape": [-1 if d is None else d for d in body.shape]}


def _encoding(
    document: Document, fitted: Mapping[str, Fitted], call: str, name: str
) -> dict[str, Any]:
    found, binding = fitted.get(call), document.plan.data.inputs.get(call)
    if found is None and isinstance(binding, NumberColumns) and not binding.standardize:
        found = unfitted_numbers(binding)
    if isinstance(binding, ArrayColumn):
        return {"kind": "array", "column": binding.column, "divisor": binding.divisor}
    match found:
        case FittedText(binding=text, words=words):
            return {
                "kind": "text",
                "column": text.column,
                "length": text.length,
                "lower": text.lower,
                "word": "(?s:.)" if text.split == "char" else WORD.pattern,
                "padding": text.padding,
                "truncating": text.truncating,
                "vocabulary": list(words),
                "one_hot": text.vocabulary_size if text.one_hot else 0,
            }
        case FittedNumbers(binding=numbers, mean=mean, deviation=deviation):
            columns = list(numbers.columns)
            return {
                "kind": "numbers",
                "columns": columns,
                "mean": list(mean),
                "deviation": list(deviation),
            }
        case FittedClasses(binding=classes, names=names):
            one_hot = classes.one_hot
            return {
                "kind": "classes",
                "column": classes.column,
                "classes": list(names),
                "one_hot": one_hot,
            }
    return {"kind": "raw", "column": name}


def _meaning(fitted: Fitted | None) -> dict[str, Any]:
    match fitted:
        case FittedClasses(names=names):
            return {"classes": list(names)}
        case FittedNumbers(binding=numbers, mean=mean, deviation=deviation):
            return {
                "columns": list(numbers.columns),
                "mean": list(mean),
                "deviation": list(deviation),
            }
    return {}
