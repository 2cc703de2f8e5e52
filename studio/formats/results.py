"""What training gave, for other programs: weights as a NumPy archive, history as a table."""

import csv
import io
from pathlib import Path

import numpy as np

from studio.document.analysis import analyse
from studio.document.project import Project, Run
from studio.engine.program import Array
from studio.formats.atomic import write_bytes


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
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["epoch", *run.history])
    epochs = max(map(len, run.history.values()), default=0)
    for epoch in range(epochs):
        values = (column[epoch] if epoch < len(column) else "" for column in run.history.values())
        writer.writerow([epoch + 1, *values])
    write_bytes(path, out.getvalue().encode())
