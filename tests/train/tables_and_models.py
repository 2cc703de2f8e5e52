"""Small models and tables for the tests of data."""

import pickle
from pathlib import Path

import pytest

from studio.document import edits
from studio.document.model import CallId, Document, Endpoint
from studio.document.plan import Binding, Split, TableSource
from studio.layers.base import Layer
from studio.layers.dense import Dense
from studio.layers.embedding import Embedding
from studio.layers.flatten import Flatten
from studio.layers.input import Input
from studio.losses.base import Loss
from studio.losses.probabilistic import BinaryCrossentropy
from studio.problem import Problem, ProblemError
from studio.text import LANGUAGES, set_language
from studio.train.data import check_data, load_data

ROWS = (
    "text,a,b,whole,label,kind,part",
    "good good day,1,10,0,0,red,x",
    "bad day,2,20,1,1,blue,x",
    "good night,3,30,2,0,green,y",
    "bad bad night,4,40,3,1,red,y",
    "strange evening,5,50,4,1,blue,x",
)
NO_SPLIT = Split("none")


def written(folder: Path, rows: tuple[str, ...] = ROWS, name: str = "t.csv") -> Path:
    """The rows as a file."""
    path = folder / name
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def chain(*layers: Layer, loss: Loss | None = None) -> tuple[Document, CallId, Endpoint]:
    """Layers one after the other, from an Input called ``x`` to an output called ``y``."""
    document, first = edits.add_layer(Document(), layers[0], name="x")
    last = first
    for number, layer in enumerate(layers[1:], 2):
        name = "y" if number == len(layers) else ""
        document, call = edits.add_layer(document, layer, name=name)
        document = edits.connect(document, Endpoint(last, "output"), Endpoint(call, "x"))
        last = call
    output = Endpoint(last, "output")
    document = edits.mark_output(document, output)
    if loss:
        document = edits.plan_output(document, output, loss=loss)
    return document, first, output


def numeric(width: int = 2, units: int = 1, loss: Loss | None = None) -> Document:
    """Numbers to one Dense."""
    activation = "softmax" if units > 1 else "sigmoid"
    dense = Dense(units=units, activation=activation)
    return chain(Input(shape=(width,)), dense, loss=loss or BinaryCrossentropy())[0]


def textual(length: int = 3, rows: int = 10) -> Document:
    """A text through an Embedding to one probability."""
    layers = (
        Input(shape=(length,), dtype="int32"),
        Embedding(input_dim=rows, output_dim=2),
        Flatten(),
        Dense(units=1, activation="sigmoid"),
    )
    return chain(*layers, loss=BinaryCrossentropy())[0]


def bound(
    document: Document,
    x: Binding | None,
    y: Binding | None,
    split: Split = NO_SPLIT,
    file: str = "t.csv",
) -> Document:
    """With the input ``x`` and the target of ``y`` bound to columns of a file."""
    (call,), (output,) = document.graph.inputs, document.graph.outputs
    return edits.set_data(
        document,
        source=TableSource(file),
        inputs={call: x} if x else {},
        targets={output.key: y} if y else {},
        split=split,
    )


def refused(document: Document, base: Path) -> list[Problem]:
    """What `load_data` raises; `check_data` must say the same, and fixes must cross processes."""
    with pytest.raises(ProblemError) as caught:
        load_data(document, base)
    found = list(caught.value.problems)
    assert [str(p) for p in check_data(document, base)] == [str(p) for p in found]
    for language in LANGUAGES:
        set_language(language)
        for problem in (*found, *(p.fix for p in found if p.fix)):
            assert "problems." not in str(problem)
            assert "{" not in str(problem)
    set_language("en")
    pickle.loads(pickle.dumps(found))
    return found


def mended(document: Document, problem: Problem) -> Document:
    assert problem.fix is not None
    result = problem.fix.edit(document)
    assert isinstance(result, Document)
    return result
