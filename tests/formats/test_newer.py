"""Files of a later version: shown as far as they are known, never written over, nothing lost."""

import copy
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from studio.document import edits
from studio.document.analysis import analyse
from studio.document.history import History
from studio.document.model import Endpoint, Unknown
from studio.document.plan import TableSource
from studio.document.project import Project
from studio.formats import document_json, loom, newer_files
from studio.layers.dense import Dense
from studio.problem import ProblemError

GOLDEN = Path(__file__).parent / "golden" / f"format_{document_json.FORMAT}.loom"
LATER = document_json.FORMAT + 3
Change = Callable[[dict[str, Any]], object]


def members() -> dict[str, bytes]:
    with zipfile.ZipFile(GOLDEN) as file:
        return {name: file.read(name) for name in file.namelist()}


def written(found: dict[str, bytes], comment: bytes = b"Layerloom 9.1.0") -> bytes:
    """A project's file with these members."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.comment = comment
        for name, data in found.items():
            packed = name.endswith(".json")
            file.writestr(name, data, zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED)
    return out.getvalue()


def later(*changes: Change, **others: bytes) -> bytes:
    """The golden file as a later version may have written it, with members more."""
    return rewritten(GOLDEN.read_bytes(), *changes, **others)


def rewritten(data: bytes, *changes: Change, **others: bytes) -> bytes:
    """A project's file as a later version may have written it."""
    with zipfile.ZipFile(BytesIO(data)) as file:
        found = {name: file.read(name) for name in file.namelist()}
    value = json.loads(found["document.json"])
    for change in changes:
        change(value)
    found["document.json"] = json.dumps({**value, "format": LATER}).encode()
    return written({**found, **{n.replace("__", "/"): more for n, more in others.items()}})


def opened(tmp_path: Path, data: bytes) -> tuple[Project, Path]:
    path = tmp_path / "later.loom"
    path.write_bytes(data)
    return loom.load(path), path


def dense(value: dict[str, Any]) -> dict[str, Any]:
    return next(layer for layer in value["layers"] if layer["kind"] == "Dense")


def grow(value: dict[str, Any]) -> None:
    """Things of the future at several places."""
    value["theme"] = "sepia"
    dense(value)["config"]["quantize"] = 8
    value["layers"][2]["kind"] = "Mamba"
    value["layers"][2]["config"] = {"state": 16, "nested": {"b": [1, 2.5, None]}}
    value["plan"]["optimizer"]["kind"] = "Lion2"
    value["plan"]["budget"] = {"hours": 3}
    value["graphs"][0]["lanes"] = []


def edited(project: Project) -> Project:
    document, _ = edits.add_layer(project.document, Dense(3))
    project.document = document
    return project


def test_what_is_known_is_there_and_what_is_not_is_said(tmp_path: Path) -> None:
    project, path = opened(tmp_path, later(grow, extra__model=b"x"))
    assert project.newer is not None
    assert (project.newer.format, project.newer.writer) == (LATER, "9.1.0")
    kinds = [entry.kind for entry in project.document.layers.values()]
    assert kinds.pop(2) == "Mamba"
    before = [entry.kind for entry in loom.load(GOLDEN).document.layers.values()]
    assert kinds == [*before[:2], *before[3:]]
    assert set(project.newer.passed) == {
        "document.json.theme",
        "document.json.plan.optimizer",
        "document.json.plan.budget",
        "document.json.graphs[0].lanes",
        "extra/model",
    }
    assert project.newer.kept == ("lstm (Mamba)", "aux_output (Dense)")
    same = loom.load(GOLDEN)
    assert project.fitted == same.fitted
    assert [run.id for run in project.runs] == [run.id for run in same.runs]
    assert len(list(project.store.items())) == len(list(same.store.items()))
    told = str(newer_files.newer_problem(project.newer, str(path)))
    for part in (str(path), "9.1.0", str(LATER), str(document_json.FORMAT), "plan.optimizer"):
        assert part in told


def test_where_all_is_known_nothing_is_said_to_be_unknown(tmp_path: Path) -> None:
    project, path = opened(tmp_path, later())
    assert project.newer is not None
    told = str(newer_files.newer_problem(project.newer, str(path)))
    assert told.endswith("Not known here: nothing")


def test_a_layer_with_a_parameter_that_is_not_known_stays_as_it_is(tmp_path: Path) -> None:
    """Without it, it would be another layer, and would compute something else."""
    project, _ = opened(tmp_path, later(grow))
    body = next(e.body for e in project.document.layers.values() if e.kind == "Dense")
    assert isinstance(body, Unknown)
    assert body.config["quantize"] == 8
    assert "unknown_layer" in {p.code for p in analyse(project.document).problems}


def test_nothing_is_written_over_it(tmp_path: Path) -> None:
    project, path = opened(tmp_path, later(grow))
    before = path.read_bytes()
    for given in (project, edited(loom.load(path)), Project()):
        with pytest.raises(ProblemError) as caught:
            loom.save(path, given)
        (problem,) = caught.value.problems
        assert problem.code == "newer_stays"
        assert str(path) in str(problem)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_saved_elsewhere_unchanged_it_is_the_same_file(tmp_path: Path) -> None:
    project, path = opened(tmp_path, later(grow, extra__model=b"x"))
    project.thumbnail = b"a window has looked at it"
    assert not loom.lost(project)
    loom.save(tmp_path / "copy.loom", project)
    assert (tmp_path / "copy.loom").read_bytes() == path.read_bytes()
    with pytest.raises(ProblemError):
        loom.save(tmp_path / "copy.loom", project)


def test_an_edit_taken_back_is_no_change(tmp_path: Path) -> None:
    project, path = opened(tmp_path, later(grow, extra__model=b"x"))
    history = History(project.document)
    history.commit("add", edits.add_layer(history.document, Dense(3))[0])
    history.undo()
    assert history.document.next_id > project.document.next_id
    project.document = history.document
    assert not loom.changed(project)
    loom.save(tmp_path / "copy.loom", project)
    assert (tmp_path / "copy.loom").read_bytes() == path.read_bytes()


def test_a_copy_elsewhere_says_which_data_it_does_not_find(tmp_path: Path) -> None:
    table, check = tmp_path / "data.csv", tmp_path / "check.csv"
    document = edits.set_data(loom.load(GOLDEN).document, source=TableSource(str(table)))
    split = replace(document.plan.data.split, kind="file", file=TableSource(str(check)))
    project = Project(edits.set_data(document, split=split))
    folder = tmp_path / "else"
    folder.mkdir()
    project, _ = opened(tmp_path, rewritten(loom.to_bytes(project, tmp_path)))
    assert project.newer is not None
    assert loom.astray(project, tmp_path / "copy.loom") == ()
    found = loom.astray(project, folder / "copy.loom")
    assert found == ((table, folder / "data.csv"), (check, folder / "check.csv"))
    loom.save(folder / "copy.loom", project)
    assert loom.load(folder / "copy.loom").document.plan.data.source == TableSource(
        str(folder / "data.csv")
    )
    assert loom.astray(edited(project), folder / "copy.loom") == ()  # whose paths are anew
    told = [str(problem) for problem in newer_files.astray_problems(found, "copy.loom")]
    assert str(table) in told[0]
    assert str(folder / "data.csv") in told[0]
    assert len(told) == 2


def test_saved_elsewhere_with_changes_it_says_what_is_lost(tmp_path: Path) -> None:
    project, path = opened(tmp_path, later(grow))
    before = path.read_bytes()
    edited(project)
    assert "document.json.plan.budget" in loom.lost(project)
    assert not any("Mamba" in place for place in loom.lost(project))
    loom.save(tmp_path / "mine.loom", project)
    assert path.read_bytes() == before
    assert project.newer is None
    again = loom.load(tmp_path / "mine.loom")
    assert again.newer is None
    assert again.document == project.document
    mamba = next(e.body for e in again.document.layers.values() if e.kind == "Mamba")
    assert mamba == Unknown("Mamba", {"state": 16, "nested": {"b": [1, 2.5, None]}})
    loom.save(tmp_path / "mine.loom", edited(again))


def objects(value: Any, place: str = "") -> Iterator[str]:
    """The places of all objects in a JSON value, as paths of Python."""
    if isinstance(value, dict):
        yield place
    if not isinstance(value, dict | list):
        return
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield from objects(inner, f"{place}[{key!r}]")


def test_a_name_more_anywhere_is_noted_or_kept(tmp_path: Path) -> None:
    """In each object of the file, one after another."""
    found, tried = members(), 0
    for name in (n for n in found if n.endswith(".json")):
        value = json.loads(found[name])
        for place in objects(value):
            changed = copy.deepcopy(value)
            eval(f"changed{place}", {"changed": changed})["zzz"] = {"later": 1}
            parts = {**found, name: json.dumps(changed).encode()}
            document = {**json.loads(parts["document.json"]), "format": LATER}
            parts["document.json"] = json.dumps(document).encode()
            project, _ = opened(tmp_path, written(parts))
            assert project.newer is not None
            noted = project.newer.passed
            kept = b"".join(_texts(loom.to_bytes(project, tmp_path)))
            here = name + re.sub(r"\['(.*?)'\]", r".\1", place)
            at = f"{here}.zzz"
            assert any(at.startswith(n) or n.startswith(at) for n in noted) or b"zzz" in kept, place
            tried += 1
    assert tried > 60


def _texts(data: bytes) -> Iterator[bytes]:
    with zipfile.ZipFile(BytesIO(data)) as file:
        yield from (file.read(name) for name in file.namelist() if name.endswith(".json"))


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.pop("graphs"),
        lambda value: value["graphs"][0].update(calls={}),
        lambda value: value["graphs"][0]["wires"].append(["c1", "output", "c999", "x", 0]),
    ],
)
def test_what_is_too_different_is_refused_as_too_new(tmp_path: Path, change: Change) -> None:
    with pytest.raises(ProblemError) as caught:
        opened(tmp_path, later(change))
    (problem,) = caught.value.problems
    assert problem.code == "file_problem"
    assert problem.args["reason"].code == "reason_too_new"


@pytest.mark.parametrize("name", ["weights.safetensors", "state.safetensors"])
def test_arrays_of_another_kind_are_not_read_and_noted(tmp_path: Path, name: str) -> None:
    project, path = opened(tmp_path, written({**_later_members(), name: b"\x00" * 8}))
    assert project.newer is not None
    assert any(place.startswith(name) for place in project.newer.passed)
    assert not list(project.store.items())
    loom.save(tmp_path / "copy.loom", project)
    assert (tmp_path / "copy.loom").read_bytes() == path.read_bytes()


def _later_members() -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(later())) as file:
        return {name: file.read(name) for name in file.namelist()}


def test_a_format_known_here_is_read_strictly(tmp_path: Path) -> None:
    found = members()
    value = {**json.loads(found["document.json"]), "theme": "sepia"}
    with pytest.raises(ProblemError) as caught:
        opened(tmp_path, written({**found, "document.json": json.dumps(value).encode()}))
    assert caught.value.problems[0].args["reason"].code == "reason_unknown_name"


@pytest.mark.parametrize("layout", [{"indent": 1, "sort_keys": True}, {}, {"indent": 4}])
def test_the_format_is_told_however_it_is_laid_out(tmp_path: Path, layout: Any) -> None:
    value = {"aaa": ["format", 3], **json.loads(members()["document.json"]), "format": LATER}
    path = tmp_path / "a.loom"
    path.write_bytes(written({"document.json": json.dumps(value, **layout).encode()}))
    assert newer_files.format_of(path) == LATER


def test_what_is_no_project_has_no_format(tmp_path: Path) -> None:
    assert newer_files.format_of(tmp_path) is None
    assert newer_files.format_of(tmp_path / "missing.loom") is None
    for data in (b"", b"text", written({"a.json": b"{}"}), written({"document.json": b"[}"})):
        (tmp_path / "a.loom").write_bytes(data)
        assert newer_files.format_of(tmp_path / "a.loom") is None
    assert newer_files.format_of(GOLDEN) == document_json.FORMAT


def test_a_file_says_which_version_wrote_it(tmp_path: Path) -> None:
    loom.save(tmp_path / "a.loom", Project())
    with zipfile.ZipFile(tmp_path / "a.loom") as file:
        assert newer_files.writer_of(file.comment)
    assert newer_files.writer_of(b"Layerloom <b>9</b>") == ""


def test_a_wire_to_a_layer_that_is_not_known_is_no_fault_of_the_wire(tmp_path: Path) -> None:
    project, _ = opened(tmp_path, later(grow))
    assert not {p.code for p in analyse(project.document).problems} & {
        "port_vanished",
        "output_port_vanished",
    }
    (output, *_) = project.document.graph.outputs
    assert isinstance(output, Endpoint)
