"""Trainings that are cut off and gone on with, for the tests that compare them with whole ones."""

import hashlib
from pathlib import Path

import numpy as np

from studio.document import edits
from studio.document.model import Document, Endpoint
from studio.document.plan import ArrayColumn, GeneratedSource, Split, TableSource
from studio.document.project import Project
from studio.engine.program import Array
from studio.examples import EXAMPLES
from studio.layers.batch_normalization import BatchNormalization
from studio.layers.dense import Dense
from studio.layers.dropout import Dropout
from studio.layers.input import Input
from studio.losses.regression import MeanSquaredError
from studio.metrics.accuracy import BinaryAccuracy
from studio.metrics.auc import AUC
from studio.metrics.losses import MeanAbsoluteError
from studio.metrics.regression import R2Score
from studio.optimizers.adam import Adam
from studio.train.control import Orders
from studio.train.events import BatchDone, Checkpointed, Finished
from studio.train.job import Job, train


def headline(epochs: int = 3, **run: object) -> Document:
    """Two outputs, texts into a table of which only some rows are updated, lists of metrics."""
    document = EXAMPLES["headline"]()
    document = edits.set_data(document, source=GeneratedSource("headline", rows=100))
    for layer, entry in document.layers.items():
        if entry.kind == "Embedding":
            document = edits.set_parameters(document, layer, output_dim=8)
    for endpoint in document.graph.outputs:
        metrics = (AUC(name="auc"), BinaryAccuracy())
        document = edits.plan_output(document, endpoint, metrics=metrics)
    return edits.set_run(document, **{"epochs": epochs, "batch_size": 16, **run})


def numbers(folder: Path, rows: int = 60, width: int = 4, **run: object) -> Document:
    """Running statistics, draws, running means of the weights; from arrays in files."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, width)).astype(np.float32)
    np.save(folder / "x.npy", x)
    np.save(folder / "y.npy", x.sum(1, keepdims=True) + rng.normal(size=(rows, 1)).astype("f4"))
    document, last = edits.add_layer(Document(), Input(shape=(width,)), name="x")
    first = last
    layers = (Dense(units=8, activation="tanh"), BatchNormalization(), Dropout(rate=0.3))
    for layer in (*layers, Dense(units=1)):
        document, call = edits.add_layer(document, layer)
        document = edits.connect(document, Endpoint(last, "output"), Endpoint(call, "x"))
        last = call
    end = Endpoint(last, "output")
    document = edits.mark_output(document, end)
    metrics = (MeanAbsoluteError(), R2Score())
    document = edits.plan_output(document, end, loss=MeanSquaredError(), metrics=metrics)
    document = edits.set_optimizer(document, Adam(learning_rate=0.05, use_ema=True))
    document = edits.set_data(
        document,
        source=TableSource(str(folder / "x.npy")),
        inputs={first: ArrayColumn("x")},
        targets={end.key: ArrayColumn("y")},
        split=Split("last", 0.25),
    )
    return edits.set_run(document, **{"epochs": 3, "batch_size": 8, **run})


def whole(document: Document) -> Finished:
    """Trained at once."""
    return finish(Job(Project(document)))


def finish(job: Job) -> Finished:
    """A job done to its end."""
    *_, last = train(job, threads=1)
    assert isinstance(last, Finished)
    return last


def cut_off(document: Document, batches: int, place: Path) -> None:
    """Trained until it is written down after so many batches, and no further."""
    orders, done = Orders(), 0
    events = train(Job(Project(document), checkpoints=place), orders, threads=1)
    for event in events:
        if isinstance(event, BatchDone):
            done += 1
            if done == batches:
                orders.say("checkpoint")
        if isinstance(event, Checkpointed):
            break
    events.close()  # type: ignore[attr-defined]


def gone_on(document: Document, place: Path) -> Finished:
    """The rest of one that was cut off, in another project of the same document."""
    return finish(Job(Project(document), checkpoints=place, resume=True))


def expect_equal(one: Finished, other: Finished) -> None:
    """The same in every bit, but for how long it took and when it began."""
    for name in ("history", "best_epoch", "monitor", "pace", "ended", "settings"):
        assert getattr(one.run, name) == getattr(other.run, name), name
    assert (one.step, one.stopped, one.fitted) == (other.step, other.stopped, other.fitted)
    first, second = arrays(one), arrays(other)
    assert first.keys() == second.keys()
    for key, array in first.items():
        np.testing.assert_array_equal(array, second[key], err_msg=str(key))


def arrays(finished: Finished) -> dict[tuple[object, ...], Array]:
    """Every array a training gave: weights, slots, counters; the last epoch's and the best's."""
    found: dict[tuple[object, ...], Array] = {}
    kept = {"last": finished.weights, "best": finished.best, "run": finished.run.weights}
    for part, weights in kept.items():
        for layer, cells in (weights or {}).items():
            for key, cell in cells.items():
                found[part, layer, key] = cell.value
                found |= {(part, layer, key, slot): a for slot, a in cell.slots.items()}
                if cell.lag is not None:
                    found[part, layer, key, "clock"] = cell.lag.clock
                    found[part, layer, key, "touched"] = cell.lag.touched
    return found


def digest(finished: Finished) -> str:
    """The SHA-256 of all that `expect_equal` compares."""
    run, found = finished.run, hashlib.sha256()
    told = (run.history, run.best_epoch, run.monitor, run.pace, run.ended, run.settings)
    found.update(repr((told, finished.step, finished.stopped, finished.fitted)).encode())
    for key, array in sorted(arrays(finished).items(), key=lambda item: repr(item[0])):
        found.update(repr((key, array.dtype.str, array.shape)).encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()
