"""What training gave, for other programs: weights as a NumPy archive, history as a table."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from studio.document.analysis import analyse
from studio.document.project import Project, Run
from studio.engine.program import Array
from studio.formats.atomic import write_bytes

History = Mapping[str, Sequence[float]]


def weights_by_name(project: Project) -> dict[str, Array]:
    """The model's weights as ``layer/weight`` → array, in Keras's layout; those that exist.

    Layers of one name are told apart by their ids.
    """
    document = project.document
    found: dict[str, Array] = {}
    for layer, weights in analyse(document).weights.items():
        name = document.layers[layer].name
        for weight in weights:
            cell = project.store.find(layer, weight)
            key = f"{name}/{weight.name}"
            if cell is not None:
                found[f"{name}@{layer}/{weight.name}" if key in found else key] = cell.value
    return found


def write_weights(path: Path, project: Project) -> None:
    """Write `weights_by_name` as a ``.npz`` that ``numpy.load`` opens; no pickle in it.

    Raises:
        ProblemError: ``file_not_written``.
    """
    archive = io.BytesIO()
    np.savez(archive, allow_pickle=False, **weights_by_name(project))
    write_bytes(path, archive.getvalue())


def write_history(path: Path, run: Run) -> None:
    """Write a run's history as CSV: a line per epoch, counted from 1, a column per key.

    Raises:
        ProblemError: ``file_not_written``.
    """
    rows = _epochs(run.history, list(run.history))
    write_bytes(path, _csv([["epoch", *run.history], *rows]))


def histories_csv(histories: Sequence[tuple[str, History]]) -> bytes:
    """Several histories as CSV: a column that names the run, then as `write_history`."""
    keys = list(dict.fromkeys(key for _, history in histories for key in history))
    rows = [[name, *row] for name, history in histories for row in _epochs(history, keys)]
    return _csv([["run", "epoch", *keys], *rows])


def _epochs(history: History, keys: Sequence[str]) -> Iterator[list[object]]:
    """A line per epoch; empty where a key has no number."""
    columns = [history.get(key, ()) for key in keys]
    for epoch in range(max(map(len, columns), default=0)):
        yield [epoch + 1, *(column[epoch] if epoch < len(column) else "" for column in columns)]


def _csv(rows: Iterable[Iterable[object]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()
