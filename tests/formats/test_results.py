"""Weights and histories for other programs."""

import csv

import numpy as np
import pytest

from studio.document.project import Project, Run
from studio.examples import EXAMPLES
from studio.formats.results import weights_by_name, write_history, write_weights
from studio.problem import ProblemError


def test_weights_as_an_archive(tmp_path):
    project = Project(EXAMPLES["headline"]())
    document = project.document
    layer = next(k for k, entry in document.layers.items() if entry.name == "dense")
    kernel = np.arange(37 * 64, dtype=np.float32).reshape(37, 64)
    project.store.put(layer, "kernel", kernel)
    project.store.put(layer, "kernel", np.ones((3, 64)))  # of a shape the layer had once
    write_weights(tmp_path / "w.npz", project)
    with np.load(tmp_path / "w.npz", allow_pickle=False) as archive:
        assert list(archive) == ["dense/kernel"]
        assert np.array_equal(archive["dense/kernel"], kernel)


def test_layers_of_one_name_are_told_apart():
    project = Project(EXAMPLES["headline"]())
    document = project.document
    twice = [k for k, entry in document.layers.items() if entry.name in ("dense_1", "dense_2")]
    for layer in twice:
        project.store.put(layer, "bias", np.zeros(64))
        entry = document.layers[layer]
        document = type(document)(
            **{
                **document.__dict__,
                "layers": {**document.layers, layer: type(entry)(entry.body, "same")},
            }
        )
    project.document = document
    assert set(weights_by_name(project)) == {"same/bias", f"same@{twice[1]}/bias"}


def test_history_as_a_table(tmp_path):
    run = Run("r1", history={"loss": [0.5, 0.25], "val_loss": [0.75, 1e-7]})
    write_history(tmp_path / "h.csv", run)
    with (tmp_path / "h.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [["epoch", "loss", "val_loss"], ["1", "0.5", "0.75"], ["2", "0.25", "1e-07"]]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ProblemError, match="nowhere"):
        write_history(tmp_path / "nowhere" / "h.csv", Run("r1"))
