"""A file of each format there was opens, is brought up to date, and is saved as of this version.

Files of later versions are in tests/formats/test_newer.py, tests/ui/test_saving.py and
tests/cli/test_newer.py; layers of a later version in tests/formats/test_unknown_layers.py.
"""

import base64
import json
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from studio.document import edits, sharing
from studio.document.analysis import analyse
from studio.document.model import Unknown
from studio.document.project import Project, Run
from studio.formats import document_json, loom
from studio.layers.cell import Lag
from studio.layers.dense import Dense
from studio.layers.time_distributed import TimeDistributed
from tests.formats.test_loom import GOLDEN, looked_into, same

FORMATS = range(1, document_json.FORMAT + 1)
PARTS = ("document.json", "preprocess.json", "weights.safetensors", "state.safetensors")
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}


def whole() -> Project:
    """A project with all that a file of format 4 can hold."""
    project = looked_into()
    document = project.document
    plain = next(c for c in document.graph.calls if document.entry(c).name == "dense")
    document = sharing.wrap(document, plain, TimeDistributed())
    document, _ = sharing.group(document, [plain], "block")
    document, _ = edits.add_layer(document, Dense(4), name="frozen")
    frozen = next(i for i, e in document.layers.items() if e.name == "frozen")
    document = edits.set_trainable(document, frozen, False)
    document, _ = edits.add_layer(document, Unknown("Mamba", {"state": 16, "deep": [None, {}]}))
    project.document = document
    table = next(i for i, e in document.layers.items() if e.kind == "Embedding")
    cell = next(iter(project.store.cells(table).values()))
    touched = np.arange(len(cell.value), dtype=np.int32) % 4
    cell.lag = Lag(np.array(3, np.int32), touched, {"velocity": 0.9})
    for _, each in list(project.store.items())[:1]:
        each.trained = False
    kept = {
        table: {
            key: replace(c, slots={}, lag=None) for key, c in project.store.cells(table).items()
        }
    }
    learnt = dict(list(project.fitted.items())[:1])
    project.runs.append(
        Run(
            *("r12", {"epochs": 1}, {"loss": [0.25]}, 0, "loss", 2.5, "a name"),
            *("2026-11-30T12:00:00+00:00", "early", {"rate": 0.5}, document, kept, learnt),
        )
    )
    project.thumbnail = DOT
    return project


@pytest.mark.parametrize("number", FORMATS)
def test_each_format_has_a_file_with_every_part(number: int) -> None:
    found = members((GOLDEN / f"format_{number}.loom").read_bytes())
    assert json.loads(found["document.json"])["format"] == number
    assert {*PARTS, "runs/r2/run.json", "runs/r10/run.json"} <= found.keys()
    assert all(len(data) > 100 for name, data in found.items() if name in PARTS)


def test_the_last_has_one_with_all_that_there_is() -> None:
    """A format that adds something has to add it here."""
    found = members((GOLDEN / f"format_{document_json.FORMAT}_whole.loom").read_bytes())
    assert found.keys() == members(loom.to_bytes(whole(), GOLDEN)).keys()
    assert {"thumbnail.png", *(f"runs/r12/{part}" for part in PARTS[:3])} <= found.keys()
    assert b":touched" in found["state.safetensors"]


def test_all_that_there_is_opens_as_it_was() -> None:
    path = GOLDEN / f"format_{document_json.FORMAT}_whole.loom"
    project = loom.load(path)
    same(project, whole())
    assert project.thumbnail == DOT
    (kept,) = [run for run in project.runs if run.document is not None]
    assert kept.document == project.document
    assert kept.weights
    assert kept.fitted


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.loom")), ids=lambda path: path.stem)
def test_it_is_brought_up_to_date_and_stays_so(path: Path, tmp_path: Path) -> None:
    before = path.read_bytes()
    project = loom.load(path)
    analyse(project.document)
    loom.save(tmp_path / "a.loom", project)
    found = members((tmp_path / "a.loom").read_bytes())
    assert json.loads(found["document.json"])["format"] == document_json.FORMAT
    again = loom.load(tmp_path / "a.loom")
    same(again, project)
    loom.save(tmp_path / "b.loom", again)
    assert (tmp_path / "b.loom").read_bytes() == (tmp_path / "a.loom").read_bytes()
    assert path.read_bytes() == before


def test_every_step_from_one_format_to_the_next_is_there() -> None:
    assert sorted(document_json.UPGRADES) == list(FORMATS[:-1])
