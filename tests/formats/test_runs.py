"""Runs in a project file: their numbers, their models, and the weights of their best epochs."""

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from studio.document import edits
from studio.document import project as projects
from studio.document.model import Document
from studio.document.plan import (
    ClassColumn,
    EarlyStopping,
    ReduceLROnPlateau,
    TableSource,
    TextColumn,
)
from studio.document.preprocess import FittedClasses, FittedText
from studio.document.project import Project, Run, restored
from studio.formats import loom
from studio.formats.runs import plain_run, read_run
from studio.formats.strict_json import MalformedError
from studio.layers.cell import Cell, Cells
from studio.problem import ProblemError
from tests.formats.examples import fill, two_outputs


def trained() -> Project:
    """A project with a run that kept everything, of a model that is another by now."""
    project = fill(two_outputs())
    weights: dict[str, Cells] = {}
    for key, cell in project.store.items():
        values = Cell(cell.value + 1, trained=True)
        weights.setdefault(key.layer, {})[key.weight, cell.value.shape] = values
    fitted = {"c2": FittedText(TextColumn("title", 12), ("the", "of"))}
    run = Run(
        "r3",
        {"epochs": 2},
        {"loss": [0.7, float("inf")]},
        0,
        "loss",
        1.5,
        "with a smaller rate",
        "2026-01-02T03:04:05+00:00",
        "stopped",
        {"rate": 0.01, "stopping": {"best": float("nan"), "wait": 1}},
        project.document,
        weights,
        fitted,
    )
    project.keep_run(run)
    project.document = edits.set_run(project.document, epochs=77)
    return project


def reopened(project: Project, folder: Path) -> Project:
    loom.save(folder / "p.loom", project)
    return loom.load(folder / "p.loom")


def test_a_run_comes_back_with_its_model_and_weights(tmp_path: Path) -> None:
    before = trained().runs[0]
    (after,) = reopened(trained(), tmp_path).runs
    assert repr(after) == repr(before)  # NaN is no number equal to itself
    assert after.document == before.document
    assert after.fitted == before.fitted
    assert before.weights is not None
    assert after.weights is not None
    assert after.weights.keys() == before.weights.keys()
    for layer, cells in before.weights.items():
        for key, cell in cells.items():
            np.testing.assert_array_equal(after.weights[layer][key].value, cell.value)
            assert after.weights[layer][key].trained


def test_a_run_is_restored_into_the_project(tmp_path: Path) -> None:
    project = reopened(trained(), tmp_path)
    document, _ = edits.add_layer(project.document, next(iter(_bodies(project.document))))
    (run,) = project.runs
    found = restored(run, document)
    assert run.document is not None
    assert replace(found, next_id=run.document.next_id) == run.document
    assert found.next_id == document.next_id, "no id is given twice"
    assert run.weights is not None
    project.store.merge(run.weights)
    for layer, cells in run.weights.items():
        for key, cell in cells.items():
            np.testing.assert_array_equal(project.store.cells(layer)[key].value, cell.value)


def _bodies(document: Document) -> list[object]:
    return [e.body for e in document.layers.values() if type(e.body).__name__ == "Dense"]


def test_what_preprocessing_knows_now_is_not_written_twice(tmp_path: Path) -> None:
    project = trained()
    project.fitted = dict(project.runs[0].fitted or {})
    assert reopened(project, tmp_path).runs[0].fitted is None
    with zipfile.ZipFile(tmp_path / "p.loom") as file:
        assert not [n for n in file.namelist() if n.startswith("runs/") and "preprocess" in n]


def test_the_path_of_a_runs_data_goes_with_the_file(tmp_path: Path) -> None:
    project = trained()
    (run,) = project.runs
    assert run.document is not None
    source = TableSource(str(tmp_path / "data.csv"))
    project.keep_run(replace(run, document=edits.set_data(run.document, source=source)))
    loom.save(tmp_path / "p.loom", project)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "p.loom").rename(tmp_path / "elsewhere" / "p.loom")
    (found,) = loom.load(tmp_path / "elsewhere" / "p.loom").runs
    assert found.document is not None
    moved = found.document.plan.data.source
    assert isinstance(moved, TableSource)
    assert moved.path == str(tmp_path / "elsewhere" / "data.csv")


def test_the_same_run_goes_into_two_folders(tmp_path: Path) -> None:
    project = trained()
    (run,) = project.runs
    assert run.document is not None
    source = TableSource(str(tmp_path / "a" / "data.csv"))
    project.keep_run(replace(run, document=edits.set_data(run.document, source=source)))
    for name in ("a", "b", "a"):
        (tmp_path / name).mkdir(exist_ok=True)
        found = reopened(project, tmp_path / name).runs[0].document
        assert found is not None
        assert found.plan.data.source == source


def test_equal_projects_give_equal_bytes(tmp_path: Path) -> None:
    project = trained()
    data = loom.to_bytes(project, tmp_path)
    assert loom.to_bytes(reopened(project, tmp_path), tmp_path) == data


def test_the_oldest_forget_their_weights_first(monkeypatch: pytest.MonkeyPatch) -> None:
    one = trained().runs[0]
    size = sum(
        cell.value.nbytes for cells in (one.weights or {}).values() for cell in cells.values()
    )
    monkeypatch.setattr(projects, "RUN_BYTES", 2 * size)
    monkeypatch.setattr(projects, "RUN_DOCUMENTS", 3)
    project = Project()
    for _ in range(5):
        project.keep_run(replace(one, id=project.next_run()))
    assert [run.id for run in project.runs] == ["r1", "r2", "r3", "r4", "r5"]
    assert [run.weights is not None for run in project.runs] == [False, False, False, True, True]
    assert [run.document is not None for run in project.runs] == [False, False, True, True, True]
    assert all(run.history == one.history for run in project.runs)


def test_a_run_that_went_on_takes_its_own_place() -> None:
    project = Project(runs=[Run("r1"), Run("r2"), Run("r5")])
    project.keep_run(Run("r2", name="longer"))
    assert [(run.id, run.name) for run in project.runs] == [
        ("r1", ""),
        ("r2", "longer"),
        ("r5", ""),
    ]
    assert project.next_run() == "r6"


def test_models_beyond_the_files_bounds_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = trained()
    project.keep_run(replace(project.runs[0], id="r4"))
    monkeypatch.setattr(loom, "PROJECT_JSON_BYTES", 3 * len(loom.strict_json.dumps(_json(project))))
    first, second = reopened(project, tmp_path).runs
    assert first.document is None
    assert first.weights is None
    assert first.history.keys() == {"loss"}
    assert second.document is not None


def _json(project: Project) -> object:
    assert project.runs[0].document is not None
    return loom.document_json.to_json(project.runs[0].document)


def test_the_run_plan_comes_back(tmp_path: Path) -> None:
    early = EarlyStopping("val_acc", 0.5, 3, "max", 0.25, True, 2)
    plateau = ReduceLROnPlateau("loss", 0.5, 4, "min", 0.1, 1, 1e-6)
    project = two_outputs()
    document = edits.set_run(
        project.document, early_stopping=early, reduce_lr=plateau, checkpoint_minutes=2.5
    )
    (end, *_) = document.graph.outputs
    project.document = edits.plan_output(document, end, class_weight="balanced")
    found = reopened(project, tmp_path).document
    assert found == project.document
    assert (found.plan.run.early_stopping, found.plan.run.reduce_lr) == (early, plateau)


# -- read with suspicion -------------------------------------------------------------------------


def changed(path: Path, name: str, data: bytes, stored: bool = False) -> None:
    """The file with a member replaced or added."""
    with zipfile.ZipFile(path) as file:
        members = {n: (file.read(n), file.getinfo(n).compress_type) for n in file.namelist()}
    members[name] = data, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(path, "w") as file:
        for each, (content, kind) in members.items():
            file.writestr(each, content, kind)


@pytest.mark.parametrize(
    ("member", "data", "stored"),
    [
        ("document.json", b"{}", False),
        ("document.json", b"[", False),
        ("preprocess.json", b"[1]", False),
        ("weights.safetensors", b"\xff" * 40, True),
        ("weights.safetensors", b"\0" * 8, False),  # packed: it may grow without bound
    ],
)
def test_what_is_no_model_is_refused_by_its_place(
    member: str, data: bytes, stored: bool, tmp_path: Path
) -> None:
    loom.save(tmp_path / "p.loom", trained())
    changed(tmp_path / "p.loom", f"runs/r3/{member}", data, stored)
    with pytest.raises(ProblemError) as caught:
        loom.load(tmp_path / "p.loom")
    assert f"runs/r3/{member}" in str(caught.value.problems[0])


def test_a_runs_model_without_its_run_is_harmless(tmp_path: Path) -> None:
    loom.save(tmp_path / "p.loom", trained())
    changed(tmp_path / "p.loom", "runs/r9/preprocess.json", b"{}")
    assert len(loom.load(tmp_path / "p.loom").runs) == 1


def test_what_lies_beside_is_not_taken_from_within() -> None:
    run = trained().runs[0]
    with pytest.raises(MalformedError):
        read_run({**plain_run(run), "document": None}, "run.json")
    assert repr(read_run(plain_run(run), "run.json")) == repr(run)


def test_fitted_classes_are_written_with_their_kind(tmp_path: Path) -> None:
    project = trained()
    fitted = {"c9.output": FittedClasses(ClassColumn("popular"), ("no", "yes"))}
    project.keep_run(replace(project.runs[0], fitted=fitted))
    assert reopened(project, tmp_path).runs[0].fitted == fitted
