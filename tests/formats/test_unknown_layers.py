"""Layers of kinds that are not known here survive whatever is done around them."""

import json
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.document import edits, muting, sharing
from studio.document.analysis import analyse
from studio.document.canonical import canonical
from studio.document.excerpt import excerpt, paste
from studio.document.history import History
from studio.document.layout import arrange
from studio.document.model import CallId, Document, Endpoint, LayerId, Unknown
from studio.document.project import Project
from studio.document.summary import summary
from studio.formats import clipboard, loom
from studio.formats.onnx_export import export
from studio.layers.dense import Dense
from studio.models import load_model
from studio.problem import ProblemError
from tests.formats.examples import fill, two_outputs

CONFIG = {"state": 16, "deep": {"b": [1, 2.5, None, True], "名": "值"}, "small": 1e-300}


def changed(project: Project, path: Path, layer: str, **values: Any) -> Project:
    """The project as another version may have saved it, one of its layers being another."""
    data = loom.to_bytes(project, path.parent)
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as file, zipfile.ZipFile(out, "w") as to:
        for info in file.infolist():
            content = file.read(info)
            if info.filename == "document.json":
                value = json.loads(content)
                next(v for v in value["layers"] if v["name"] == layer).update(values)
                content = json.dumps(value).encode()
            to.writestr(info, content)
    path.write_bytes(out.getvalue())
    return loom.load(path)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """The headline model, its LSTM being of a kind of the future, with its weights."""
    return changed(fill(two_outputs()), tmp_path / "m.loom", "lstm", kind="Mamba", config=CONFIG)


def unknown(document: Document, kind: str = "Mamba") -> tuple[LayerId, Unknown]:
    """The layer, as saved and read back."""
    ((layer, body),) = [
        (layer, entry.body) for layer, entry in document.layers.items() if entry.kind == kind
    ]
    assert isinstance(body, Unknown)
    return layer, body


def call_of(document: Document, layer: LayerId) -> CallId:
    return next(c for c, call in document.graph.calls.items() if call.layer == layer)


def round_trip(project: Project, tmp_path: Path) -> Project:
    path = tmp_path / "again.loom"
    loom.save(path, project)
    again = loom.load(path)
    assert loom.to_bytes(again, tmp_path) == path.read_bytes()
    return again


def values(project: Project, layer: LayerId) -> dict[Any, Any]:
    return {key: cell.value.copy() for key, cell in project.store.cells(layer).items()}


def test_editing_elsewhere_leaves_it_alone(project: Project, tmp_path: Path) -> None:
    document = project.document
    layer, _ = unknown(document)
    call = call_of(document, layer)
    before = values(project, layer)
    assert len(before) == 3
    wires = {w for w in document.graph.wires if call in (w.source, w.target)}
    made, new = edits.add_layer(document, Dense(3))
    (source,) = {w.source for w in wires if w.target == call}
    made = edits.connect(made, Endpoint(source, "output"), Endpoint(new, "x"))
    other = next(c for c in made.graph.calls if made.entry(c).name == "main_output")
    made = edits.rename_layer(made, made.graph.calls[other].layer, "other")
    made = muting.mute(made, [other])
    project.document = arrange(made)
    again = round_trip(project, tmp_path)
    same, body = unknown(again.document)
    assert (same, dict(body.config), body.kind) == (layer, CONFIG, "Mamba")
    assert wires <= again.document.graph.wires
    after = values(again, layer)
    assert after.keys() == before.keys()
    assert all(np.array_equal(after[key], before[key]) for key in before)


def test_it_is_renamed_moved_and_brought_back(project: Project, tmp_path: Path) -> None:
    document = project.document
    layer, _ = unknown(document)
    call = call_of(document, layer)
    history = History(document)
    history.commit("rename", edits.rename_layer(history.document, layer, "later"))
    history.commit("move", edits.move_calls(history.document, {call: (300.0, 40.0)}))
    history.commit("delete", edits.remove_calls(history.document, [call]))
    assert layer not in history.document.layers
    for _ in range(3):
        history.undo()
    assert history.document == document
    for _ in range(2):
        history.redo()
    project.document = history.document
    again = round_trip(project, tmp_path).document
    assert again.layers[layer].name == "later"
    assert again.graph.calls[call].position == (300.0, 40.0)


def test_copies_are_whole(project: Project, tmp_path: Path) -> None:
    document = project.document
    layer, body = unknown(document)
    call = call_of(document, layer)
    part = clipboard.from_text(clipboard.to_text(excerpt(document, document.main, [call])))
    pasted = paste(document, part, document.main).document
    twice = [e.body for e in pasted.layers.values() if e.kind == "Mamba"]
    assert [dict(b.config) for b in twice if isinstance(b, Unknown)] == [CONFIG] * 2
    assert twice[0] == body
    grouped, _ = sharing.group(document, [call], "block")
    project.document = grouped
    again = round_trip(project, tmp_path)
    assert unknown(again.document)[1] == body


def test_it_is_told_apart_by_its_kind_and_config(project: Project) -> None:
    document = project.document
    layer, body = unknown(document)
    assert canonical(document) == canonical(arrange(document))
    other = Unknown("Mamba", {**CONFIG, "state": 17})
    entry = document.layers[layer]
    changed = edits.with_layer(document, layer, type(entry)(other, entry.name))
    assert canonical(changed) != canonical(document)
    assert body == Unknown("Mamba", CONFIG)


def test_a_wrapper_that_is_not_known_keeps_what_it_wraps(tmp_path: Path) -> None:
    plain = two_outputs()
    document = plain.document
    call = next(c for c in document.graph.calls if document.entry(c).name == "dense")
    inner = document.graph.calls[call].layer
    wrapped, _ = edits.declare_layer(document, Unknown("Spiral", {"turns": 2}, inner))
    outer = next(i for i, e in wrapped.layers.items() if e.kind == "Spiral")
    graph = wrapped.graph
    calls = {**graph.calls, call: type(graph.calls[call])(outer)}
    project = fill(plain)
    project.document = edits.with_graph(wrapped, wrapped.main, type(graph)(
        graph.name, calls, graph.wires, graph.inputs, graph.outputs, graph.looks
    ))  # fmt: skip
    again = round_trip(project, tmp_path)
    assert unknown(again.document, "Spiral") == (outer, Unknown("Spiral", {"turns": 2}, inner))
    assert len(values(again, inner)) == 2
    edited, _ = edits.add_layer(again.document, Dense(2))
    assert inner in edited.layers, "nothing that is wrapped is dropped"
    copied = paste(edited, excerpt(edited, edited.main, [call]), edited.main).document
    spirals = [e.body for e in copied.layers.values() if e.kind == "Spiral"]
    assert len({b.layer for b in spirals if isinstance(b, Unknown)}) == 2
    assert canonical(copied)["layers"]


def test_what_cannot_be_done_with_it_is_said_in_a_sentence(
    project: Project, tmp_path: Path
) -> None:
    document = project.document
    (problem,) = [p for p in analyse(document).problems if p.code == "unknown_layer"]
    assert "Mamba" in str(problem)
    with pytest.raises(ProblemError) as caught:
        export(project, tmp_path / "m.onnx")
    assert caught.value.problems[0].code == "unknown_layer"
    assert not list(tmp_path.glob("m.onnx*"))
    assert "Mamba" in summary(document)
    with pytest.raises(ProblemError) as caught:
        load_model(tmp_path / "m.loom").predict({})
    assert caught.value.problems[0].code == "unknown_layer"
