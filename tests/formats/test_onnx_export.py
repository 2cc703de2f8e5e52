import contextlib
import csv
import errno
import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio import layers
from studio.document import edits
from studio.document.lowering import lower
from studio.document.model import Document, Endpoint
from studio.document.plan import ArrayColumn, ClassColumn, NumberColumns, TextColumn
from studio.document.preprocess import (
    PADDING,
    FittedClasses,
    FittedNumbers,
    FittedText,
    encode_numbers,
    encode_text,
)
from studio.document.project import Project
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.onnx_writer import to_onnx
from studio.formats import onnx_export, proof
from studio.formats.onnx_export import changed_since, export, output_labels
from studio.formats.proof import BATCHES, Proof
from studio.layers.activation import Activation
from studio.layers.dense import Dense
from studio.layers.embedding import Embedding
from studio.layers.input import Input
from studio.layers.lstm import LSTM
from studio.layers.merge_concatenate import Concatenate
from studio.models import Model
from studio.problem import ProblemError
from tests.formats.examples import fill, two_outputs


def chain(*bodies, outputs=1):
    """A model whose layers follow one another; the last ones are its outputs."""
    d, calls = Document(), []
    for body in bodies:
        d, call = edits.add_layer(d, body)
        if calls:
            d = edits.connect(d, Endpoint(calls[-1], "output"), Endpoint(call, "x"))
        calls.append(call)
    for call in calls[len(calls) - outputs :]:
        d = edits.mark_output(d, Endpoint(call, "output"))
    return Project(d)


def raised(code, project, path):
    with pytest.raises(ProblemError) as caught:
        export(project, path)
    assert caught.value.problems[0].code == code
    assert "problems." not in str(caught.value)
    return str(caught.value)


def test_the_file_is_the_one_an_expert_would_write(tmp_path):
    found = export(fill(two_outputs()), tmp_path / "m.onnx")
    model = onnx.load(tmp_path / "m.onnx")
    assert [i.name for i in model.graph.input] == ["main_input", "aux_input"]
    assert [o.name for o in model.graph.output] == ["main_output", "aux_output"]
    batch = [v.type.tensor_type.shape.dim[0].dim_param for v in model.graph.input]
    assert batch == ["batch", "batch"]
    ops = [node.op_type for node in model.graph.node]
    assert ops.count("LSTM") == 1
    assert not model.functions
    assert {n.domain for n in model.graph.node} == {""}
    (lstm,) = (n for n in model.graph.node if n.op_type == "LSTM")
    initializers = {i.name for i in model.graph.initializer}
    assert set(lstm.input[1:4]) <= initializers
    assert found.operators["LSTM"] == 1
    assert found.size == (tmp_path / "m.onnx").stat().st_size
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.json", "m.onnx", "m.py"]


def test_the_proof_says_what_was_compared(tmp_path):
    found = export(fill(two_outputs()), tmp_path / "m.onnx")
    assert found.ok
    assert found.batch_sizes == (1, 3, 32)
    assert found.outputs.keys() == {"main_output", "aux_output"}
    assert all(0 <= d <= 1e-5 for d in found.outputs.values())
    assert all(0 < s < 1 for s in found.scales.values())
    said = found.text()
    for part in ("main_output", "aux_output", "1, 3, 32", "LSTM", f"{found.size:,}"):
        assert part in said
    assert "export." not in said
    assert not found.warnings


def test_a_weight_changed_in_the_file_fails_the_proof(tmp_path, monkeypatch):
    def spoilt(program, *args, **kwargs):
        name = next(n for n, a in program.consts.items() if a.dtype.kind == "f" and a.size > 5)
        other = program.consts[name].copy()
        other.flat[0] += 1e-2
        return to_onnx(replace(program, consts={**program.consts, name: other}), *args, **kwargs)

    monkeypatch.setattr(onnx_export, "to_onnx", spoilt)
    project = chain(Input((3,)), Dense(4))
    message = raised("proof_failed", fill(project), tmp_path / "m.onnx")
    assert "dense" in message
    assert list(tmp_path.iterdir()) == []


def test_outputs_that_are_not_numbers_fail_the_proof(tmp_path):
    project = fill(chain(Input((3,)), Dense(4)))
    _, cell = next(iter(project.store.items()))
    cell.value[0] = np.nan
    assert "not: dense/kernel. If" in raised("proof_not_finite", project, tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("constant", [np.inf, -np.inf, np.nan])
def test_a_constant_that_is_no_number_is_not_put_down_to_training(tmp_path, constant):
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", 4]) for n in "xy")
    known = [numpy_helper.from_array(np.float32(constant), "c")]
    graph = helper.make_graph([helper.make_node("Add", ["x", "c"], ["y"])], "g", [x], [y], known)
    version = [helper.make_opsetid("", 18)]
    net, path = tmp_path / "net.onnx", tmp_path / "m.onnx"
    onnx.save(helper.make_model(graph, opset_imports=version, ir_version=9), net)
    inputs = layers.Input(shape=(4,))
    project = Model(inputs, layers.OnnxModel(str(net))(inputs)).project
    assert "every weight is one" in raised("proof_not_finite_itself", project, path)
    assert not path.exists()


@pytest.mark.parametrize(
    ("difference", "scale", "ok"),
    [(9e-6, 0.1, True), (1.1e-5, 0.1, False), (9e-4, 100, True), (float("nan"), 1, False)],
)
def test_what_is_allowed_grows_with_the_output(difference, scale, ok):
    assert Proof({"y": difference}, {"y": scale}, BATCHES, (), 1, {}).ok is ok


def test_untrained_weights_are_exported_with_a_warning(tmp_path):
    project = chain(Input((3,)), Dense(4))
    found = export(project, tmp_path / "m.onnx")
    (warning,) = found.warnings
    assert warning.severity == "warning"
    assert "dense" in str(warning)
    assert str(warning) in found.text()


def test_open_lengths_are_run_at_several(tmp_path):
    project = fill(
        chain(Input((None,), "int32"), Embedding(9, 4), LSTM(3, return_sequences=True), LSTM(2))
    )
    found = export(project, tmp_path / "m.onnx")
    assert found.lengths == proof.LENGTHS
    assert found.operators["Transpose"] == 1  # none between the two
    shape = onnx.load(tmp_path / "m.onnx").graph.input[0].type.tensor_type.shape
    assert [d.dim_param for d in shape.dim] == ["batch", "time"]


def test_integers_stay_within_the_table_they_look_up(tmp_path):
    export(fill(chain(Input((2,), "int64"), Embedding(1, 4))), tmp_path / "m.onnx")


def test_outputs_may_share_names_with_inputs_and_each_other(tmp_path):
    project = chain(Input((3,)), Activation("relu"), Activation("tanh"), outputs=3)
    layers = project.document.layers
    for layer in list(layers)[1:]:
        project.document = edits.rename_layer(project.document, layer, "input_layer")
    labels = output_labels(project.document)
    assert len({*labels, "input_layer"}) == 4
    raised("name_twice", project, tmp_path / "m.onnx")
    project = chain(Input((3,)), Activation("relu"), outputs=2)
    assert export(project, tmp_path / "m.onnx").outputs.keys() == {
        "input_layer_output",
        "activation",
    }


def test_an_unfinished_document_is_refused_with_its_first_problem(tmp_path):
    raised("no_output", chain(Input((3,)), Dense(4), outputs=0), tmp_path / "m.onnx")
    project = chain(Input((3,)), Dense(4))
    project.document = edits.disconnect(project.document, project.document.graph.wires)
    raised("nothing_arrives", project, tmp_path / "m.onnx")


def test_files_of_others_are_not_overwritten(tmp_path):
    project = fill(chain(Input((3,)), Dense(4)))
    export(project, tmp_path / "m.onnx")
    export(project, tmp_path / "m.onnx")  # our own are
    mine = tmp_path / "train.py"
    mine.write_text("print('my work')")
    assert "train.py" in raised("file_in_the_way", project, tmp_path / "train.onnx")
    assert mine.read_text() == "print('my work')"
    (tmp_path / "a.json").write_text('{"my": "settings"}')
    raised("file_in_the_way", project, tmp_path / "a.onnx")
    raised("export_suffix", project, tmp_path / "x.json")
    raised("export_suffix", project, Path())


@pytest.mark.parametrize("name", ["m.py", "m.json", "m.proof/repeat.py"])
def test_what_people_changed_is_not_overwritten(tmp_path, name):
    project, path = fill(chain(Input((3,)), Dense(4))), tmp_path / "m.onnx"
    export(project, path, with_proof=True)
    mine, before = tmp_path / name, path.read_bytes()
    if mine.suffix == ".py":
        assert b"yours to change" in mine.read_bytes().splitlines()[0]
        mine.write_bytes(mine.read_bytes() + b"# mine\n")
    else:
        mine.write_text(json.dumps({**json.loads(mine.read_text()), "mine": 1}))
    changed = mine.read_bytes()
    other = fill(chain(Input((3,)), Dense(4)), seed=1)
    with pytest.raises(ProblemError) as caught:
        export(other, path, with_proof=True)
    assert caught.value.problems[0].code == "file_changed_since"
    assert str(mine) in str(caught.value)
    assert (mine.read_bytes(), path.read_bytes()) == (changed, before)
    assert changed_since(path, with_proof=True) == [mine]
    export(other, path, with_proof=True, replacing=[mine])
    assert mine.read_bytes() != changed
    assert path.read_bytes() != before
    assert changed_since(path, with_proof=True) == []


def test_a_description_laid_out_anew_says_the_same(tmp_path):
    project, path = fill(chain(Input((3,)), Dense(4))), tmp_path / "m.onnx"
    export(project, path)
    about = path.with_suffix(".json")
    about.write_text(json.dumps(json.loads(about.read_text()), indent=8))
    export(project, path)
    export(project, path, with_proof=True)  # whose proof was not there
    (tmp_path / "m.proof" / "repeat.py").write_bytes(b"# Written by Layerloom; mine")
    export(project, path)  # without a proof it is not in the way


def test_what_an_earlier_version_exported_may_have_been_changed(tmp_path):
    project, path = fill(chain(Input((3,)), Dense(4))), tmp_path / "m.onnx"
    export(project, path)
    path.with_suffix(".py").write_text("# Written by Layerloom; yours to change.\n1 + 1\n")
    assert "m.py" in raised("file_changed_since", project, path)


# -- the script ----------------------------------------------------------------------------------


def on_raw_rows():
    """A model of text, standardized numbers and classes; two kinds of output."""
    d, title = edits.add_layer(Document(), Input((6,), "int32"), name="title")
    d, vectors = edits.add_layer(d, Embedding(12, 4))
    d, lstm = edits.add_layer(d, LSTM(3))
    d, numbers = edits.add_layer(d, Input((2,)), name="numbers")
    d, kind = edits.add_layer(d, Input((3,)), name="kind")
    d, joined = edits.add_layer(d, Concatenate())
    d, price = edits.add_layer(d, Dense(1), name="price")
    d, topic = edits.add_layer(d, Dense(3, "softmax"), name="topic")
    d, popular = edits.add_layer(d, Dense(1, "sigmoid"), name="popular")
    wires = [(title, vectors), (vectors, lstm), (lstm, joined), (numbers, joined), (kind, joined)]
    for start, end in [*wires, *((joined, out) for out in (price, topic, popular))]:
        d = edits.connect(d, Endpoint(start, "output"), Endpoint(end, "x"))
    for out in (price, topic, popular):
        d = edits.mark_output(d, Endpoint(out, "output"))
    project = fill(Project(d))
    text = TextColumn("headline", 6, 12)
    project.fitted = {
        title: FittedText(text, ("the", "won't", "é", "!", "cat")),
        numbers: FittedNumbers(
            NumberColumns(("hour", "likes"), "standardize"), (12.0, 3.5), (4.0, 0.25)
        ),
        kind: FittedClasses(ClassColumn("kind", one_hot=True), ("a", "b", "c")),
        f"{price}.output": FittedNumbers(
            NumberColumns(("price",), "standardize"), (100.0,), (20.0,)
        ),
        f"{topic}.output": FittedClasses(ClassColumn("topic"), ("news", "sport", "art")),
        f"{popular}.output": FittedClasses(ClassColumn("popular"), ("no", "yes")),
    }
    return project


ROWS = [
    {"headline": "The CAT won't!", "hour": "7", "likes": "1.5", "kind": "b"},
    {"headline": "", "hour": "-1e2", "likes": "0", "kind": " a "},
    {"headline": 'É "quoted",\nthe cat the cat the cat é!', "hour": "3", "likes": "9", "kind": "c"},
]


def run_script(path, rows, folder):
    table = folder / "rows.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return run_on(path, table)


def run_on(path, table):
    ran = subprocess.run(
        [sys.executable, "-W", "error", str(path), str(table)],
        capture_output=True,
        cwd=table.parent,
        encoding="utf-8",
    )
    assert ran.returncode == 0, ran.stderr
    return list(csv.DictReader(ran.stdout.splitlines()))


def ours(project, rows):
    fitted, document = project.fitted, project.document
    title, numbers, _ = document.graph.inputs
    floats = np.array([[float(r["hour"]), float(r["likes"])] for r in rows])
    lowered = lower(document)
    engine = NumpyExecutor(lowered.op.program(list(lowered.outputs.values())))
    engine.load({n: project.store.find(*v.place).value for n, v in lowered.variables.items()})
    found = engine.run(
        {
            "title": encode_text(fitted[title], [r["headline"] for r in rows]),
            "numbers": encode_numbers(fitted[numbers], floats).astype("float32"),
            "kind": np.eye(3, dtype="float32")[["abc".index(r["kind"].strip()) for r in rows]],
        }
    )
    return list(found.values())


def test_the_script_predicts_raw_rows_as_we_do(tmp_path):
    project = on_raw_rows()
    export(project, tmp_path / "m.onnx")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    answers = run_script(tmp_path / "m.py", ROWS, elsewhere)
    price, topic, popular = ours(project, ROWS)
    assert len(answers) == len(ROWS)
    for i, answer in enumerate(answers):
        assert float(answer["price"]) == pytest.approx(price[i, 0] * 20 + 100, rel=1e-5)
        shares = [float(v) for v in answer["topic"].split()]
        assert shares == pytest.approx(topic[i], rel=1e-4)
        assert answer["topic_class"] == ("news", "sport", "art")[int(topic[i].argmax())]
        assert float(answer["popular"]) == pytest.approx(popular[i, 0], rel=1e-4)
        assert answer["popular_class"] == ("yes" if popular[i, 0] > 0.5 else "no")


def test_inputs_nothing_was_learnt_about_take_numbers_from_one_cell(tmp_path):
    project = fill(chain(Input((3,)), Dense(2)))
    export(project, tmp_path / "m.onnx")
    (answer,) = run_script(tmp_path / "m.py", [{"input_layer": "1 -2 0.5"}], tmp_path)
    cells = {key.weight: cell.value for key, cell in project.store.items()}
    expected = np.array([1, -2, 0.5]) @ cells["kernel"] + cells["bias"]
    assert [float(v) for v in answer["dense"].split()] == pytest.approx(expected, rel=1e-5)


def test_metadata_and_the_json_file_say_the_same(tmp_path):
    export(on_raw_rows(), tmp_path / "m.onnx")
    (entry,) = onnx.load(tmp_path / "m.onnx").metadata_props
    assert entry.key == "layerloom"
    beside = json.loads((tmp_path / "m.json").read_text("utf-8"))
    assert beside.pop("sha256") == hashlib.sha256((tmp_path / "m.onnx").read_bytes()).hexdigest()
    assert beside.pop("written")
    assert json.loads(entry.value) == beside
    assert json.loads(entry.value)["inputs"]["title"]["vocabulary"][1] == "won't"


def scaled(seed, offset):
    """A model of two numbers that are scaled by what was learnt of them; its answer for (1, 2)."""
    project = fill(chain(Input((2,)), Dense(1)), seed)
    (call,) = project.document.graph.inputs
    binding = NumberColumns(("a", "b"), "standardize")
    project.fitted = {call: FittedNumbers(binding, (offset, -offset), (0.5, 2.0))}
    cells = {key.weight: cell.value for key, cell in project.store.items()}
    given = (np.array([1, 2]) - [offset, -offset]) / [0.5, 2.0]
    return project, float((given @ cells["kernel"] + cells["bias"])[0])


SCALED_ROWS = [{"a": "1", "b": "2"}]


def test_an_export_cut_off_anywhere_answers_as_the_model_that_is_there(tmp_path, monkeypatch):
    """Of the three files, any number may have taken their places when the machine went off."""
    (old, before), (new, after) = scaled(0, 3.0), scaled(1, -5.0)
    replace = os.replace
    for done in range(4):
        path = tmp_path / str(done) / "m.onnx"
        path.parent.mkdir()
        export(old, path)
        left = iter(range(done))
        with monkeypatch.context() as patched, contextlib.suppress(StopIteration):
            patched.setattr(os, "replace", lambda a, b, left=left: (next(left), replace(a, b)))
            export(new, path)
        (answer,) = run_script(path.with_suffix(".py"), SCALED_ROWS, path.parent)
        assert float(answer["dense"]) == pytest.approx(after if done == 3 else before, rel=1e-5)


def test_where_the_disk_is_full_nothing_of_an_export_is_there(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    project, _ = scaled(0, 3.0)
    monkeypatch.setattr(os, "fsync", full)
    for with_proof in (False, True):
        with pytest.raises(ProblemError, match=os.strerror(errno.ENOSPC)):
            export(project, tmp_path / "m.onnx", with_proof=with_proof)
        assert not list(tmp_path.iterdir())


def test_after_an_export_with_its_proof_was_killed_the_next_one_is_whole(tmp_path):
    project, _ = scaled(0, 3.0)
    folder = tmp_path / "m.proof"
    folder.mkdir()
    (folder / ".repeat.py.0123abcd.tmp").write_bytes(b"# Wri")
    export(project, tmp_path / "m.onnx", with_proof=True)
    assert not list(folder.glob(".*"))
    assert (folder / "report.json").exists()


def test_what_is_changed_by_hand_in_the_json_file_counts(tmp_path):
    project, _ = scaled(0, 3.0)
    export(project, tmp_path / "m.onnx")
    about = json.loads((tmp_path / "m.json").read_text("utf-8"))
    about["inputs"]["input_layer"]["offset"] = [1, 2]
    (tmp_path / "m.json").write_text(json.dumps(about), "utf-8")
    (answer,) = run_script(tmp_path / "m.py", SCALED_ROWS, tmp_path)
    bias = next(c.value for key, c in project.store.items() if key.weight == "bias")
    assert float(answer["dense"]) == pytest.approx(float(bias[0]), abs=1e-6)


@pytest.mark.parametrize("split", ["word", "char"])
@pytest.mark.parametrize("padding", ["pre", "post"])
@pytest.mark.parametrize("truncating", ["pre", "post"])
def test_the_script_splits_and_pads_as_we_do(tmp_path, split, padding, truncating):
    project = fill(chain(Input((5,), "int32"), Embedding(30, 2)))
    binding = TextColumn("t", 5, 30, split, padding == "pre", padding, truncating)
    words = tuple("aBcdé \n'") if split == "char" else ("a", "B", "cd", "!")
    project.fitted = {"c2": FittedText(binding, words)}
    export(project, tmp_path / "m.onnx")
    texts = ["", "a", "a B cd!", "aBcd é\n'x' a b c d e f g", "cd"]
    answers = run_script(tmp_path / "m.py", [{"t": text} for text in texts], tmp_path)
    _, cell = next(iter(project.store.items()))
    expected = cell.value[encode_text(project.fitted["c2"], texts)].reshape(len(texts), -1)
    found = [[float(v) for v in answer["embedding"].split()] for answer in answers]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("padding", ["pre", "post"])
def test_the_script_encodes_one_hots_as_we_do(tmp_path, padding):
    project = fill(chain(Input((4, 7)), Activation("linear")))
    binding = TextColumn("t", 4, 7, "char", False, padding, one_hot=True)
    project.fitted = {"c2": FittedText(binding, ("a", "B", " "))}
    export(project, tmp_path / "m.onnx")
    texts = ["", "a", "Ba b?", "aaaaaa"]
    answers = run_script(tmp_path / "m.py", [{"t": text} for text in texts], tmp_path)
    found = [[float(v) for v in answer["activation"].split()] for answer in answers]
    numbers = encode_text(project.fitted["c2"], texts)
    expected = np.eye(7)[numbers] * (numbers != PADDING)[..., None]
    np.testing.assert_array_equal(found, expected.reshape(len(texts), -1))


def test_the_script_reads_arrays_from_an_npz_or_from_cells(tmp_path):
    project = fill(chain(Input((2, 3)), Activation("linear")))
    project.document = edits.set_data(project.document, inputs={"c2": ArrayColumn("x", 255.0)})
    export(project, tmp_path / "m.onnx")
    pictures = np.arange(24, dtype=np.uint8).reshape(4, 6)
    np.savez(tmp_path / "t.npz", other=np.zeros(3), x=pictures, label=np.arange(4))
    cells = [{"x": " ".join(map(str, row))} for row in pictures.tolist()]
    for answers in (
        run_on(tmp_path / "m.py", tmp_path / "t.npz"),
        run_script(tmp_path / "m.py", cells, tmp_path),
    ):
        found = [[float(v) for v in answer["activation"].split()] for answer in answers]
        np.testing.assert_allclose(found, pictures / 255, rtol=1e-6)


def test_onnxruntime_is_loaded_only_when_a_file_is_proven():
    script = (
        "import sys, studio.formats.onnx_export, studio.formats.loom;"
        "assert 'onnxruntime' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
