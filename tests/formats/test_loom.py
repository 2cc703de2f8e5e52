import errno
import json
import os
import shutil
import struct
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import numpy as tensors

from studio import limits
from studio.document import edits, look_edits, muting
from studio.document.looks import Frame, Note
from studio.document.lowering import lower
from studio.document.model import Endpoint
from studio.document.plan import (
    Breakpoints,
    ClassColumn,
    DateColumn,
    FeatureColumns,
    GeneratedSource,
    NumberColumns,
    Series,
    Split,
    TableSource,
    TextColumn,
)
from studio.document.preprocess import (
    FittedClasses,
    FittedDates,
    FittedFeatures,
    FittedNumbers,
    FittedText,
)
from studio.document.project import Project, Run
from studio.formats import loom, strict_json
from studio.problem import ProblemError
from tests.formats.documents import documents
from tests.formats.examples import fill, two_outputs

GOLDEN = Path(__file__).parent / "golden"


def trained():
    """A project with everything a file can hold."""
    project = fill(two_outputs())
    cells = [cell for _, cell in project.store.items()]
    for cell in cells:
        cell.slots["velocity"] = np.full_like(cell.value, 0.25)
    project.store.step = 42
    project.fitted = {
        "c2": FittedText(TextColumn("title", 12), ("the", "of", "café")),
        "c6": FittedNumbers(
            NumberColumns(("a", "b", "c"), "standardize"), (1.0, 2.0, 3.0), (0.5, 1.0, 2.0)
        ),
        "c9.output": FittedClasses(ClassColumn("popular"), ("no", "yes")),
    }
    history = {"loss": [0.7, 0.25], "val_loss": [0.75, float("nan")]}
    project.runs = [
        Run("r2", {"epochs": 2}, history, 0, "val_loss", 1.5),
        Run("r10", {"epochs": 0}),
    ]
    return project


def same_store(a, b):
    assert a.step == b.step
    first, second = ({(key, c.value.shape): c for key, c in s.items()} for s in (a, b))
    assert first.keys() == second.keys()
    for key, cell in first.items():
        np.testing.assert_array_equal(cell.value, second[key].value)
        assert cell.trained == second[key].trained
        assert cell.slots.keys() == second[key].slots.keys()
        for slot, array in cell.slots.items():
            np.testing.assert_array_equal(array, second[key].slots[slot])
        assert (cell.lag is None) == (second[key].lag is None)


def same(a, b):
    assert a.document == b.document
    assert a.fitted == b.fitted
    assert repr(a.runs) == repr(b.runs)  # NaN is no number equal to itself
    same_store(a.store, b.store)


def refused(path):
    with pytest.raises(ProblemError) as caught:
        loom.load(path)
    (problem,) = caught.value.problems
    assert problem.code in ("file_problem", "file_unreadable")
    assert problem.args["file"] == str(path)
    assert "problems." not in str(problem)
    return problem


def test_a_project_is_read_back_whole_and_saves_to_the_same_bytes(tmp_path):
    project = trained()
    loom.save(tmp_path / "a.loom", project)
    again = loom.load(tmp_path / "a.loom")
    same(again, project)
    loom.save(tmp_path / "b.loom", again)
    assert (tmp_path / "a.loom").read_bytes() == (tmp_path / "b.loom").read_bytes()
    next(iter(again.store.items()))[1].value += 1  # training may write in place


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents())
def test_any_document_is_read_back(tmp_path, document):
    loom.save(tmp_path / "a.loom", Project(document))
    assert loom.load(tmp_path / "a.loom").document == document


def test_the_file_of_format_1_still_opens():
    project = loom.load(GOLDEN / "format_1.loom")
    same(project, trained())


def looked_after():
    """A project with everything that format 2 added."""
    project = trained()
    document = project.document
    concatenate = next(c for c in document.graph.calls if document.entry(c).kind == "Concatenate")
    document = look_edits.collapse(document, [concatenate])
    document = muting.mute(document, ["c8"])
    document, _ = look_edits.add_frame(document, Frame((-20, -40, 300, 200), "words", "teal"))
    document, _ = look_edits.add_note(document, Note((0, 300, 200, 80), "two\nlines"))
    wire = min(document.graph.wires)
    project.document = look_edits.bend(document, {wire: [(110.0, 40.0), (120.5, 60.0)]})
    return project


def test_the_file_of_format_2_still_opens():
    same(loom.load(GOLDEN / "format_2.loom"), looked_after())


def stepped():
    """A project with everything that format 3 added to data."""
    project = looked_after()
    main, aux = project.document.graph.inputs
    steps = (
        NumberColumns(("a", "b"), "min_max", "median"),
        ClassColumn("colour", missing="class"),
        DateColumn("when", ("month", "elapsed"), scaling="standardize", day_first=True),
    )
    project.document = edits.set_data(
        project.document,
        source=TableSource(str(GOLDEN / "data.csv"), 12, "ab"),
        inputs={main: TextColumn("title", split="unspaced"), aux: FeatureColumns(steps)},
        split=Split("file", file=TableSource(str(GOLDEN / "held.csv"), 3, "cd")),
        series=Series(6, 2, 3, "when", "shop"),
    )
    numbers, classes, dates = steps
    parts = (
        FittedNumbers(
            numbers, (0.0, 1.0), (2.0, 4.0), (1.0, 2.5), (0.0, 1.0), (2.0, 5.0), (1.0, 3.0)
        ),
        FittedClasses(classes, ("", "red")),
        FittedDates(dates, True, 19723.0, 19815.5, (0.0, 0.0, 2.0), (1.0, 1.0, 8.0)),
    )
    project.fitted = {
        main: FittedText(TextColumn("title", split="unspaced"), ("今", "天")),
        aux: FittedFeatures(FeatureColumns(steps), parts),
    }
    return project


def test_the_file_of_format_3_still_opens():
    same(loom.load(GOLDEN / "format_3.loom"), stepped())


def looked_into():
    """A project with everything that format 4 added: probes, breakpoints, what losses trained."""
    project = stepped()
    document = project.document
    ends = [Endpoint(document.graph.inputs[0], "output"), document.graph.outputs[0]]
    document = look_edits.pin(document, {ends[0]: (20.0, 90.0), ends[1]: (-4.5, 120.0)})
    points = Breakpoints(False, 12.5, "val_loss", "loss", 2)
    project.document = edits.set_run(document, breakpoints=points)
    history = {"loss": [0.7, float("inf")]}
    shares = {ends[1].key: {"dense": [0.01, float("nan")]}}
    project.runs.append(Run("r11", {}, history, 0, ended="not_finite", shares=shares))
    return project


def test_the_file_of_format_4_still_opens():
    same(loom.load(GOLDEN / "format_4.loom"), looked_into())


def test_both_files_of_the_data_go_with_the_project(tmp_path):
    project = stepped()
    loom.save(tmp_path / "p.loom", project)
    same(loom.load(tmp_path / "p.loom"), project)
    shutil.copytree(GOLDEN, tmp_path / "moved")
    loom.save(tmp_path / "moved" / "p.loom", loom.load(tmp_path / "moved" / "format_3.loom"))
    data = loom.load(tmp_path / "moved" / "p.loom").document.plan.data
    assert [s.path for s in (data.source, data.split.file)] == [
        str(tmp_path / "moved" / name) for name in ("data.csv", "held.csv")
    ]


def test_only_what_the_document_needs_is_saved(tmp_path):
    project = fill(two_outputs())
    project.store.put("l8", "kernel", np.ones((3, 3)))  # left behind by another shape
    project.store.put("l77", "kernel", np.ones(2))  # of a layer that was removed
    loom.save(tmp_path / "a.loom", project)
    kept = {(key.layer, key.weight) for key, _ in loom.load(tmp_path / "a.loom").store.items()}
    assert kept == {(v.layer, v.weight.name) for v in lower(project.document).variables.values()}


def test_untrained_weights_stay_untrained(tmp_path):
    project = fill(two_outputs())
    variables = list(lower(project.document).variables.values())
    project.store.forget([variables[0].layer])
    project.store.ensure(variables[0].layer, variables[0].weight, seed=3)
    loom.save(tmp_path / "a.loom", project)
    store = loom.load(tmp_path / "a.loom").store
    same_store(store, project.store)
    assert not store.trained(variables[0].layer, [variables[0].weight])


def test_a_wire_missing_for_the_moment_costs_no_weights(tmp_path):
    project = fill(two_outputs())
    project.store.put("l8", "kernel", np.ones((3, 3)))
    wires = project.document.graph.into("c8")
    project.document = edits.disconnect(project.document, wires)
    loom.save(tmp_path / "a.loom", project)
    again = loom.load(tmp_path / "a.loom")
    assert set(again.store.cells("l8")) == set(project.store.cells("l8"))
    assert len(again.store.cells("l8")) == 3
    again.document = edits.connect(again.document, wires[0].start, wires[0].end)
    same_store(again.store, project.store)


# -- where the data is ---------------------------------------------------------------------------


def with_data(project, path):
    project.document = edits.set_data(project.document, source=TableSource(str(path), 3, "ab"))
    return project


def source(path):
    return loom.load(path).document.plan.data.source


def saved_path(path):
    with zipfile.ZipFile(path) as file:
        value = strict_json.loads(file.read("document.json"))
    return value["plan"]["data"]["source"]["path"]


def test_the_data_is_found_after_saving_elsewhere_and_after_moving_both(tmp_path):
    data = tmp_path / "here" / "data.csv"
    data.parent.mkdir()
    data.write_text("a\n1\n")
    other = tmp_path / "far" / "away"
    other.mkdir(parents=True)
    loom.save(tmp_path / "here" / "p.loom", with_data(Project(), data))
    assert saved_path(tmp_path / "here" / "p.loom") == "data.csv"
    project = loom.load(tmp_path / "here" / "p.loom")
    loom.save(other / "p.loom", project)
    assert saved_path(other / "p.loom") == "../../here/data.csv"
    assert Path(source(other / "p.loom").path) == data
    shutil.move(tmp_path / "here", tmp_path / "moved")
    assert Path(source(tmp_path / "moved" / "p.loom").path) == tmp_path / "moved" / "data.csv"


def test_a_relative_path_is_relative_to_the_project(tmp_path):
    loom.save(tmp_path / "p.loom", with_data(Project(), "sub/../data.csv"))
    assert saved_path(tmp_path / "p.loom") == "data.csv"
    assert source(tmp_path / "p.loom") == TableSource(str(tmp_path / "data.csv"), 3, "ab")
    assert loom.resolve("x/../data.csv", tmp_path) == tmp_path / "data.csv"
    assert loom.resolve("/data.csv", tmp_path) == Path("/data.csv")


def test_data_with_nothing_in_common_stays_absolute(tmp_path):
    loom.save(tmp_path / "p.loom", with_data(Project(), "/elsewhere/data.csv"))
    assert saved_path(tmp_path / "p.loom") == "/elsewhere/data.csv"


def test_generated_data_has_no_path(tmp_path):
    project = Project()
    project.document = edits.set_data(project.document, source=GeneratedSource("headlines"))
    loom.save(tmp_path / "p.loom", project)
    assert source(tmp_path / "p.loom") == GeneratedSource("headlines")


# -- what cannot be saved or opened --------------------------------------------------------------


def test_a_project_that_no_file_can_hold_leaves_the_old_file(tmp_path):
    path = tmp_path / "p.loom"
    loom.save(path, Project())
    before = path.read_bytes()
    project = two_outputs()
    project.document = edits.plan_output(
        project.document, Endpoint("c9", "output"), weight=float("nan")
    )
    with pytest.raises(ProblemError) as caught:
        loom.save(path, project)
    assert caught.value.problems[0].args["place"] == "document.json.plan.outputs.c9.output.weight"
    assert "cannot be written" in str(caught.value)
    assert path.read_bytes() == before
    with pytest.raises(ProblemError):
        loom.save(path, Project(runs=[Run("../r1")]))
    with pytest.raises(ProblemError):
        loom.save(path, Project(runs=[Run("r1"), Run("r1")]))
    assert path.read_bytes() == before


def test_a_full_disk_is_said(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ProblemError, match=r"No space left"):
        loom.save(tmp_path / "p.loom", Project())


@pytest.mark.parametrize("name", ["missing.loom", ".", "pipe", "a\0b"])
def test_what_is_no_file_is_unreadable(tmp_path, name):
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path / name).code == "file_unreadable"


def rewritten(path, change):
    """The golden file with its members changed: name → (content, compression)."""
    with zipfile.ZipFile(GOLDEN / "format_1.loom") as file:
        members = {i.filename: (file.read(i), i.compress_type) for i in file.infolist()}
    change(members)
    with zipfile.ZipFile(path, "w") as file:
        for name, (content, how) in members.items():
            file.writestr(name, content, how)
    return path


ODD_NAMES = [
    "../escape",
    "runs/../../x",
    "/etc/passwd",
    "C:/x",
    "C:x",
    "a\\b",
    "\\\\server\\x",
    "./x",
    "runs//x",
    "a/",
]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_names_that_lead_elsewhere_are_refused(tmp_path, name):
    path = rewritten(tmp_path / "p.loom", lambda m: m.update({name: (b"", 0)}))
    assert refused(path).args["reason"].code == "reason_member"


def test_a_member_nobody_knows_is_left_out(tmp_path):
    path = rewritten(tmp_path / "p.loom", lambda m: m.update({"thumbnail.png": (b"x", 0)}))
    same(loom.load(path), trained())


def bomb(members):
    members["preprocess.json"] = (b'"' + b" " * limits.JSON_BYTES + b'"', zipfile.ZIP_DEFLATED)


def many_bombs(members):
    blank = b" " * (limits.JSON_BYTES - 2) + b"{}"
    members |= {f"runs/r{i}/run.json": (blank, zipfile.ZIP_DEFLATED) for i in range(5)}


def packed_arrays(members):
    name = "weights.safetensors"
    members[name] = (members[name][0], zipfile.ZIP_DEFLATED)


def other_packing(members):
    name = "document.json"
    members[name] = (members[name][0], zipfile.ZIP_BZIP2)


def with_tensors(name, arrays):
    return lambda members: members.update({name: (tensors.save(arrays), zipfile.ZIP_STORED)})


def header(text):
    data = struct.pack("<Q", len(text)) + text
    return lambda members: members.update({"weights.safetensors": (data, zipfile.ZIP_STORED)})


EMBEDDINGS = "l3/embeddings"


def with_lag(owner=EMBEDDINGS, decay=0.9, **counters):
    """Of a table of the golden file; `counters` replace what would do."""

    def change(members):
        state = tensors.load(members["state.safetensors"][0])
        rows = state[f"{EMBEDDINGS}:velocity"].shape[0]
        good = {"clock": np.array(3, np.int32), "touched": np.arange(rows, dtype=np.int32) % 3}
        state |= {f"{owner}:{name}": array for name, array in (good | counters).items()}
        about = {"layerloom": json.dumps({"lagging": {owner: {"velocity": decay}}})}
        members["state.safetensors"] = (tensors.save(state, about), zipfile.ZIP_STORED)

    return change


def test_how_far_rows_are_behind_is_read(tmp_path):
    project = loom.load(rewritten(tmp_path / "p.loom", with_lag()))
    (lag,) = (cell.lag for _, cell in project.store.items() if cell.lag)
    assert (lag.clock, lag.decay) == (3, {"velocity": 0.9})
    loom.save(tmp_path / "q.loom", project)
    same(loom.load(tmp_path / "q.loom"), project)


BAD = {
    "too_large": [bomb, many_bombs],
    "too_many": [
        lambda m: m.update({f"x{i}": (b"", 0) for i in range(limits.PROJECT_MEMBERS)}),
        header(b"{" + b",".join(b'"l1/%d":{}' % i for i in range(20_001)) + b"}"),
        header(b'{"l1/k":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}}'),
    ],
    "member": [packed_arrays, other_packing],
    "missing": [lambda m: m.pop("document.json")],
    "twice": [header(b'{"l1/k":{},"l1/k":{}}')],
    "expected": [
        lambda m: m.update({"runs/r3/run.json": m["runs/r2/run.json"]}),
        lambda m: m.update({"preprocess.json": (b'{"c2": {"kind": "FittedText"}, "c3": 1}', 0)}),
        header(b'{"__metadata__": {"layerloom": 5}}'),
    ],
    "tensors": [
        header(b'{"l1/k":{"dtype":"F32","shape":[99],"data_offsets":[0,396]}}'),
        header(b'{"l1/k":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}'),
        lambda m: m.update({"weights.safetensors": (b"\xff" * 20, 0)}),
        with_tensors("weights.safetensors", {"nothing": np.ones(1, np.float32)}),
        with_tensors("weights.safetensors", {"l1/k": np.ones(1, np.int8)}),
        with_tensors("state.safetensors", {"l1/k:velocity": np.ones(1, np.float32)}),
        with_tensors("state.safetensors", {"step": np.array(-1)}),
        with_tensors("state.safetensors", {"step": np.ones(2)}),
        with_lag(owner="l1/nobody"),
        with_lag(decay=1.5),
        with_lag(clock=np.array(1, np.int32)),
        with_lag(clock=np.array(3)),
        with_lag(touched=np.zeros(1, np.int32)),
        with_lag(touched=np.zeros((1, 1), np.int32)),
    ],
}


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("code", "change"), [(c, x) for c, changes in BAD.items() for x in changes]
)
def test_files_made_to_harm_are_refused(tmp_path, code, change):
    problem = refused(rewritten(tmp_path / "p.loom", change))
    assert problem.args["reason"].code in (f"reason_{code}", "reason_missing")


def test_a_thumbnail_is_kept_and_read_alone(tmp_path):
    project = trained()
    with zipfile.ZipFile(BytesIO(loom.to_bytes(project, tmp_path))) as file:
        assert "thumbnail.png" not in file.namelist()
    project.thumbnail = b"\x89PNG small"
    loom.save(tmp_path / "a.loom", project)
    assert loom.load(tmp_path / "a.loom").thumbnail == project.thumbnail
    assert loom.thumbnail(tmp_path / "a.loom") == project.thumbnail


def test_a_thumbnail_larger_than_any_of_ours_is_refused(tmp_path):
    project = trained()
    project.thumbnail = bytes(limits.THUMBNAIL_BYTES + 1)
    with pytest.raises(ProblemError) as caught:
        loom.save(tmp_path / "a.loom", project)
    assert caught.value.problems[0].code == "file_unsavable"
    shutil.copy(GOLDEN / "format_1.loom", tmp_path / "b.loom")
    with zipfile.ZipFile(tmp_path / "b.loom", "a") as file:
        file.writestr("thumbnail.png", project.thumbnail)
    refused(tmp_path / "b.loom")
    assert loom.thumbnail(tmp_path / "b.loom") == b""


@pytest.mark.parametrize("content", [None, b"", b"no zip", (GOLDEN / "format_1.loom").read_bytes()])
def test_where_there_is_no_thumbnail_there_is_none(tmp_path, content):
    if content is not None:
        (tmp_path / "a.loom").write_bytes(content)
    assert loom.thumbnail(tmp_path / "a.loom") == b""


def test_the_directory_may_lie_about_sizes(tmp_path):
    data = bytearray((GOLDEN / "format_1.loom").read_bytes())
    at = data.rindex(b"document.json") - 46  # its entry in the directory
    data[at + 24 : at + 28] = struct.pack("<I", 7)  # the unpacked size
    (tmp_path / "p.loom").write_bytes(data)
    refused(tmp_path / "p.loom")


def opened(path):
    """The project; None where the file is refused, which must be by that one kind of problem."""
    try:
        return loom.load(path)
    except ProblemError as error:
        return None if error.problems[0].code == "file_problem" else pytest.fail(str(error))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_opens_or_is_one_problem(tmp_path, data):
    whole = bytearray((GOLDEN / "format_1.loom").read_bytes())
    if data.draw(st.booleans()):
        for _ in range(data.draw(st.integers(1, 4))):
            whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    else:
        del whole[data.draw(st.integers(0, len(whole) - 1)) :]
    path = tmp_path / "p.loom"
    path.write_bytes(whole)
    project = opened(path)
    if project:
        loom.save(tmp_path / "again.loom", project)


def test_what_is_left_of_runs_keeps_its_order(tmp_path):
    project = Project(runs=[Run("r2"), Run("r10"), Run("r11")])
    loom.save(tmp_path / "p.loom", project)
    assert [run.id for run in loom.load(tmp_path / "p.loom").runs] == ["r2", "r10", "r11"]
