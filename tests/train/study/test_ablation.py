"""Ablation: what is left out is what is missed, and nothing else changes."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from studio import layers
from studio.document import edits
from studio.document.model import CallId, Document
from studio.document.names import output_names
from studio.document.nesting import inside
from studio.document.plan import GeneratedSource, NumberColumns, PastedSource
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.models import Model
from studio.problem import ProblemError
from studio.progress import Cancelled, watched
from studio.train.arrays import Arrays
from studio.train.data import load_data
from studio.train.streamed import Streamed
from studio.train.study.ablation import (
    Ablator,
    Baseline,
    Begin,
    Bench,
    Effect,
    How,
    Leave,
    Without,
    as_csv,
    averages,
    name_of,
    of_calls,
    single,
)
from studio.train.trainer import Trainer


def project(metric: str | None = None) -> Project:
    """``out = 3 a + 0 b``, and the target is ``3 a``; half of 40 rows validate."""
    a, b = layers.Input((1,), name="a"), layers.Input((1,), name="b")
    both = layers.Concatenate(name="both")([a, b])
    model = Model([a, b], layers.Dense(1, name="out")(both))
    model.compile("sgd", "mse", metrics=[metric] if metric else None)
    rng = np.random.default_rng(0)
    rows = [f"{x},{y},{3 * x}" for x, y in rng.normal(size=(40, 2)).round(3)]
    table = PastedSource("\n".join(["p,q,t", *rows]))
    document = edits.set_data(model.document, source=table)
    document = bound(document, {"a": "p", "b": "q", "out": "t"})
    found = Project(document)
    layer = document.graph.calls[call(document, "out")].layer
    found.store.put(layer, "kernel", np.array([[3.0], [0.0]]))
    found.store.put(layer, "bias", np.zeros(1))
    return found


def bound(document: Document, columns: Mapping[str, str]) -> Document:
    names = {document.entry(c).name: c for c in document.graph.inputs}
    inputs = {names[n]: NumberColumns((c,)) for n, c in columns.items() if n in names}
    outputs = {name: e.key for e, name in output_names(document).items()}
    targets = {outputs[n]: NumberColumns((c,)) for n, c in columns.items() if n in outputs}
    return edits.set_data(document, inputs=inputs, targets=targets)


def call(document: Document, name: str) -> CallId:
    return next(c for _, c, use in document.calls() if document.layers[use.layer].name == name)


def begun(project: Project) -> tuple[Ablator, Baseline]:
    ablator = Ablator(threads=1)
    baseline = ablator(Begin(project, Path()))
    assert isinstance(baseline, Baseline)
    return ablator, baseline


def parts(project: Project, how: How = "mean") -> list[Without]:
    return list(single(project.document, how))


def effect(ablator: Ablator, without: Without, epochs: int = 2) -> Effect:
    found = ablator(Leave(without, epochs))
    assert isinstance(found, Effect)
    return found


def targets(project: Project) -> tuple[np.ndarray, np.ndarray]:
    """Of the training and of the validation rows."""
    data = load_data(project.document, Path())
    (key,) = data.train.targets
    assert data.validation is not None
    return data.train.targets[key], data.validation.targets[key]


def test_all_that_can_be_left_out_is_listed() -> None:
    document = project().document
    found = [(w.kind, name_of(document, w)) for w in single(document, "zeros")]
    assert found == [("input", "a"), ("input", "b"), ("branch", "both")]
    headline = EXAMPLES["headline"]()
    names = [name_of(headline, w) for w in single(headline) if w.kind == "loss"]
    assert names == ["main_output", "aux_output"]
    assert not any(name_of(headline, w) == "main_output" for w in single(headline)[:-2])


def test_of_an_output_that_nothing_reads_it_is_the_loss() -> None:
    document = EXAMPLES["headline"]()
    aux, lstm, words = (call(document, n) for n in ("aux_output", "lstm", "main_input"))
    key = next(e.key for e in document.graph.outputs if e.call == aux)
    assert of_calls(document, [(aux,)]) == Without("loss", output=key)
    assert of_calls(document, [(lstm,)], "zeros") == Without("branch", ((lstm,),), how="zeros")
    assert of_calls(document, [(words,)]) == Without("input", ((words,),))
    assert of_calls(document, [(aux,), (lstm,)]).kind == "branch"
    alone = project().document
    out = call(alone, "out")
    assert of_calls(alone, [(out,)]).kind == "branch", "there is no other loss to train for"


def test_calls_of_one_layer_are_told_apart() -> None:
    tweets = EXAMPLES["tweets"]()
    names = [name_of(tweets, w) for w in single(tweets) if w.kind == "branch"]
    assert names == ["lstm ← tweet_a", "lstm ← tweet_b", "concatenate"]


def test_the_baseline_is_the_validation_as_it_is() -> None:
    _, baseline = begun(project("mean_absolute_error"))
    assert baseline.which == "validation"
    assert baseline.rows == baseline.of == 8
    assert baseline.logs["loss"] == pytest.approx(0, abs=1e-10)
    assert "mean_absolute_error" in baseline.logs


def test_with_zeros_the_error_is_what_the_input_gave() -> None:
    made = project()
    ablator, baseline = begun(made)
    found = effect(ablator, parts(made, "zeros")[0])
    _, held = targets(made)
    assert found.after["loss"] == pytest.approx(float(np.mean(held**2)), rel=1e-5)
    assert found.change == pytest.approx(found.after["loss"] - baseline.logs["loss"])


def test_with_the_mean_it_is_that_of_the_training_rows() -> None:
    made = project()
    ablator, _ = begun(made)
    trained, held = targets(made)
    expected = float(np.mean((held - trained.mean()) ** 2))
    assert effect(ablator, parts(made)[0]).after["loss"] == pytest.approx(expected, rel=1e-5)


def test_shuffled_each_sample_is_given_another_ones() -> None:
    made = project()
    ablator, _ = begun(made)
    found = effect(ablator, parts(made, "shuffled")[0]).after["loss"]
    _, held = targets(made)
    others = [np.mean((held - np.roll(held, k)) ** 2) for k in range(1, len(held))]
    assert 0.2 * min(others) < found < 4 * max(others)


@pytest.mark.parametrize("how", ["mean", "zeros", "shuffled"])
def test_without_what_is_not_used_nothing_changes(how: How) -> None:
    made = project()
    ablator, _ = begun(made)
    assert effect(ablator, parts(made, how)[1]).change == pytest.approx(0, abs=1e-10)


def test_a_branch_is_all_that_leaves_its_calls() -> None:
    made = project()
    ablator, _ = begun(made)
    branch = next(w for w in parts(made, "zeros") if w.kind == "branch")
    inputs = Without("branch", tuple((c,) for c in made.document.graph.inputs), how="zeros")
    expected = effect(ablator, branch).after["loss"]
    assert effect(ablator, inputs).after["loss"] == pytest.approx(expected)


@pytest.mark.parametrize("how", ["mean", "zeros", "shuffled"])
def test_what_is_inside_a_model_inside_a_wrapper_is_left_out_there(how: How) -> None:
    """For every step: as leaving out the wrapper, whose model gives what is left out."""
    document = edits.set_data(EXAMPLES["video"](), source=GeneratedSource("video", rows=40))
    made = Project(document)
    ablator, _ = begun(made)
    outer = call(document, "time_distributed")
    graph = inside(document, document.graph.calls[outer].layer)
    assert graph is not None
    (last,) = document.graphs[graph].outputs
    around = effect(ablator, Without("branch", ((outer,),), how=how))
    within = effect(ablator, Without("branch", ((outer, last.call),), how=how))
    assert within.change != 0
    if how != "mean":  # that of the wrapper is each step's own
        assert within.after == pytest.approx(around.after)


def test_an_output_that_is_read_inside_is_left_out_there_alone() -> None:
    x = layers.Input((2,), name="x")
    first = layers.Dense(1, name="first")(x)
    model = Model(x, [first, layers.Dense(1, name="second")(first)])
    model.compile("sgd", "mse")
    rows = "\n".join(["p,q,t", *(f"{i},{i % 3},{i}" for i in range(30))])
    document = edits.set_data(model.document, source=PastedSource(rows))
    document = bound_pair(document)
    made = Project(document)
    ablator, baseline = begun(made)
    found = effect(ablator, next(w for w in parts(made, "zeros") if w.kind == "branch"))
    assert found.after["first_loss"] == baseline.logs["first_loss"]
    assert found.after["second_loss"] != baseline.logs["second_loss"]


def bound_pair(document: Document) -> Document:
    (x,) = document.graph.inputs
    targets = {e.key: NumberColumns(("t",)) for e in document.graph.outputs}
    return edits.set_data(document, inputs={x: NumberColumns(("p", "q"))}, targets=targets)


def test_without_a_loss_a_copy_is_trained_anew() -> None:
    document = edits.set_data(EXAMPLES["headline"](), source=small_headline())
    made = Project(document)
    ablator, baseline = begun(made)
    losses = [w for w in parts(made) if w.kind == "loss"]
    main, aux = (effect(ablator, w) for w in losses)
    assert main.epochs == aux.epochs == 2
    assert main.before == aux.before != baseline.logs
    assert main.before["main_output_loss"] < main.after["main_output_loss"]
    others = aux.after["main_output_loss"] - aux.before["main_output_loss"]
    assert aux.change == pytest.approx(others, rel=1e-4, abs=1e-6)
    assert made.store.step == 0, "the project itself learnt nothing"


def small_headline() -> GeneratedSource:
    return GeneratedSource("headline", rows=160)


def test_as_is_means_what_evaluating_means() -> None:
    document = edits.set_data(EXAMPLES["headline"](), source=small_headline())
    made = Project(document)
    _, baseline = begun(made)
    held = load_data(document, Path()).validation
    assert held is not None
    expected = Trainer(document, made.store).evaluate(held, 32)
    assert baseline.logs == pytest.approx(expected, rel=1e-5)


def test_of_integers_the_commonest_stands_in() -> None:
    batches = [{"y": np.array([[1, 2], [1, 5]])}, {"y": np.array([[7, 5], [0, 5], [7, 2]])}]
    assert averages(batches, ["y"])["y"].tolist() == [1, 5]
    floats = [{"y": np.array([[1.0], [2.0]], np.float32)}, {"y": np.array([[6.0]], np.float32)}]
    found = averages(floats, ["y"])["y"]
    assert (found.tolist(), found.dtype) == ([3.0], np.float32)


def test_rows_read_by_blocks_come_in_the_same_order(tmp_path: Path) -> None:
    bench = Bench(project(), Path())
    numbers = np.arange(50, dtype=np.float32)[:, None]
    np.save(tmp_path / "a.npy", numbers)
    kept = Streamed.of(np.load(tmp_path / "a.npy", mmap_mode="r"))
    plain, read = (bench._some(Arrays({"c1": a})).inputs["c1"] for a in (numbers, kept))
    assert plain[:, 0].tolist() == read[:, 0].tolist() != sorted(plain[:, 0].tolist())


def test_a_model_without_losses_is_refused() -> None:
    x = layers.Input((2,))
    with pytest.raises(ProblemError) as caught:
        begun(Project(Model(x, layers.Dense(1)(x)).document))
    assert [p.code for p in caught.value.problems] == ["ablation_no_losses"]


def test_what_is_not_computed_is_refused() -> None:
    made = project()
    document, layer = edits.declare_layer(made.document, layers.Dense(2).declaration)
    document, lying = edits.use_layer(document, layer)
    made.document = document
    ablator, _ = begun(made)
    with pytest.raises(ProblemError) as caught:
        effect(ablator, Without("branch", ((lying,),)))
    assert [p.code for p in caught.value.problems] == ["ablation_not_computed"]


def test_cancelled_it_can_be_asked_again() -> None:
    def listen(doing: str, done: int, total: int) -> None:
        raise Cancelled

    made = project()
    ablator, _ = begun(made)
    with watched(listen), pytest.raises(Cancelled):
        effect(ablator, parts(made)[0])
    assert effect(ablator, parts(made)[0]).change > 0


def test_a_stored_project_is_left_as_it_was() -> None:
    made = project()
    before = made.store.snapshot()
    ablator, _ = begun(made)
    for part in parts(made):
        effect(ablator, part)
    for layer, cells in made.store.snapshot().items():
        for key, cell in cells.items():
            np.testing.assert_array_equal(cell.value, before[layer][key].value)


def test_effects_are_a_table() -> None:
    made = project()
    ablator, baseline = begun(made)
    found = effect(ablator, parts(made, "zeros")[0])
    lines = as_csv(made.document, [found]).decode().splitlines()
    assert lines[0] == "without,kind,instead,epochs,change,loss before,loss after"
    name, kind, instead, epochs, change, before, after = lines[1].split(",")
    assert (name, kind, instead, epochs) == ("a", "input", "zeros", "0")
    assert float(change) == pytest.approx(float(after) - float(before))
    assert float(before) == baseline.logs["loss"]
