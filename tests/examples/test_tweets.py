"""Two tweets and one shared LSTM: what the guide's head cannot do and the deep one does."""

import csv
import gzip
import os
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from studio.document import edits
from studio.document.additive import with_hidden
from studio.document.analysis import analyse
from studio.document.canonical import canonical
from studio.document.model import Document
from studio.document.plan import ClassColumn, Split, TableSource
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.formats.onnx_export import export
from studio.train.data import load_data
from studio.train.events import Finished
from studio.train.trainer import Trainer
from studio.train.worker import train_project
from tests.examples.training import trained

PLACES = [
    os.environ.get("LAYERLOOM_DATA", ""),
    str(Path(__file__).parents[3] / "shared" / "data"),
]
DATA = next((Path(p) / "tweets_2authors" for p in PLACES if p and Path(p).is_dir()), None)


def test_tweets_is_the_guides_model() -> None:
    document = EXAMPLES["tweets"]()
    names = [document.entry(call).name for call in document.graph.calls]
    assert names == ["tweet_a", "tweet_b", "lstm", "lstm", "concatenate", "same_author"]
    specs = analyse(document).specs
    sizes = [spec.shape[1:] for spec in specs.values()]
    assert sizes == [(140, 256), (140, 256), (64,), (64,), (128,), (1,)]
    lstm = next(layer for layer, e in document.layers.items() if e.name == "lstm")
    assert analyse(document).parameters(lstm) == 4 * 64 * (256 + 64 + 1)


def test_its_one_click_repair_makes_the_deep_one() -> None:
    document = EXAMPLES["tweets"]()
    (problem,) = analyse(document).problems
    assert problem.severity == "warning"
    after = problem.fix.edit(document)
    assert analyse(after).problems == ()
    deep = EXAMPLES["tweets-deep"]()
    assert canonical(after) == canonical(deep)
    assert after == with_hidden(document, head=problem.where)


def small(name: str) -> Document:
    """With an alphabet of 64 instead of 256: there are 46 characters in all, and it is faster."""
    document = EXAMPLES[name]()
    for call in document.graph.inputs:
        layer = document.graph.calls[call].layer
        document = edits.set_parameters(document, layer, shape=(140, 64))
    bindings = {
        call: replace(binding, vocabulary_size=64)
        for call, binding in document.plan.data.inputs.items()
    }
    return edits.set_data(document, inputs=bindings)


@pytest.mark.slow
def test_the_deep_head_learns_what_the_guides_cannot(tmp_path: Path) -> None:
    project, deep = trained(small("tweets-deep"), epochs=5)
    assert deep["val_auc"] > 0.9
    assert export(project, tmp_path / "m.onnx").ok
    _, flat = trained(small("tweets"), epochs=5)
    assert flat["val_auc"] < 0.58


# -- real tweets ---------------------------------------------------------------------------------


def real(folder: Path, name: str, rows: int) -> Path:
    """The first rows of a file, as a table of their own."""
    assert DATA is not None
    path = folder / f"{name}.csv"
    with (
        gzip.open(DATA / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as source,
        path.open("w", encoding="utf-8", newline="") as table,
    ):
        csv.writer(table).writerows(islice(csv.reader(source), rows + 1))
    return path


def auc(folder: Path, document: Document, train: int, test: int, epochs: int) -> float:
    """Of held-out pairs, after training on others."""
    (output,) = document.graph.outputs
    document = edits.set_data(
        document,
        source=TableSource(str(real(folder, "pairs_train", train))),
        targets={output.key: ClassColumn("same")},
        split=Split("none"),
    )
    project = Project(edits.set_run(document, epochs=epochs, batch_size=64))
    *_, last = train_project(project, threads=1)
    assert isinstance(last, Finished)
    held = TableSource(str(real(folder, "pairs_test", test)))
    data = load_data(edits.set_data(document, source=held), folder, last.fitted)
    return Trainer(document, project.store).evaluate(data.train, 64)["auc"]


@pytest.mark.skipif(DATA is None, reason="the data sets are not here; set LAYERLOOM_DATA")
def test_real_tweets_go_through_every_step(tmp_path: Path) -> None:
    """On a few rows nothing is learnt; what is told is that they pass."""
    assert 0.3 < auc(tmp_path, EXAMPLES["tweets-deep"](), 200, 200, 1) < 0.8


@pytest.mark.slow
@pytest.mark.skipif(DATA is None, reason="the data sets are not here; set LAYERLOOM_DATA")
def test_real_tweets_are_told_apart(tmp_path: Path) -> None:
    assert auc(tmp_path, EXAMPLES["tweets-deep"](), 8000, 2000, 12) > 0.92
