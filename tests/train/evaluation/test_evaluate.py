"""Whole models judged: every kind of output, what is left out, and how much is kept."""

from dataclasses import replace
from math import isnan, nan

import numpy as np
import pytest

from studio.document import edits
from studio.document.building import add
from studio.document.model import Document, Endpoint
from studio.document.plan import ClassColumn, GeneratedSource, NumberColumns, Series
from studio.document.preprocess import FittedClasses, FittedNumbers
from studio.document.project import Project
from studio.document.store import Store
from studio.examples import EXAMPLES
from studio.layers.activation import Activation
from studio.layers.dense import Dense
from studio.layers.embedding import Embedding
from studio.layers.input import Input
from studio.layers.lstm import LSTM
from studio.losses.margins import Hinge
from studio.losses.overlap import Dice
from studio.losses.probabilistic import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from studio.losses.regression import MeanSquaredError
from studio.metrics.accuracy import Accuracy
from studio.problem import ProblemError
from studio.progress import Cancelled, watched
from studio.train.arrays import Arrays
from studio.train.evaluation import judge as judging
from studio.train.evaluation.evaluate import evaluate_project, judge, raw_rows
from studio.train.tables import read_table
from studio.train.trainer import Trainer


def through(loss, width: int, activation: str = "linear") -> tuple[Document, str, str]:
    """What comes in is what the output says: an Activation alone, so that scores can be chosen."""
    document, x = add(Document(), Input(shape=(width,)))
    document, y = add(document, Activation(activation=activation), x, name="y")
    end = Endpoint(y, "output")
    document = edits.mark_output(document, end)
    document = edits.plan_output(document, end, loss=loss, metrics=(Accuracy(),))
    return document, x, end.key


def judged(loss, output, target, activation="linear", binding=None, fitted=None, rows=None):
    output, target = np.asarray(output, np.float32), np.asarray(target)
    document, x, key = through(loss, output.shape[1], activation)
    if binding is not None:
        document = edits.set_data(document, targets={key: binding})
    learnt = {key: fitted} if fitted else {}
    logs, (found,) = judge(document, Store(), Arrays({x: output}, {key: target}), learnt, rows)
    return logs, found


# -- one yes or no -------------------------------------------------------------------------------


def test_yes_or_no() -> None:
    scores = [[0.1], [0.4], [0.35], [0.8], [0.5]]
    truth = [[0.0], [0.0], [1.0], [1.0], [1.0]]
    fitted = FittedClasses(ClassColumn("c"), ("calm", "loud"))
    rows = np.array([7, 9, 11, 13, 15])
    logs, found = judged(
        BinaryCrossentropy(), scores, truth, binding=ClassColumn("c"), fitted=fitted, rows=rows
    )
    assert (found.kind, found.names) == ("binary", ("calm", "loud"))
    assert (found.judged, found.drawn, found.not_finite, found.masked) == (5, 5, 0, 0)
    # 0.5 is not above 0.5, as Keras's accuracy has it.
    assert found.confusion.matrix().tolist() == [[2, 0], [2, 1]]
    assert found.confusion.accuracy == pytest.approx(logs["accuracy"])
    assert found.rankings[0].auc == pytest.approx(5 / 6)
    calm, loud = found.classes
    assert (loud.precision, loud.recall) == (1, pytest.approx(1 / 3))
    assert (calm.precision, calm.recall) == (0.5, 1)
    assert calm.auc == loud.auc
    # Worst first, and their losses are what the total is the mean of.
    assert found.samples.rows.tolist() == [11, 15, 9, 13, 7]
    assert found.samples.losses[0] == pytest.approx(-np.log(0.35), rel=1e-6)
    assert found.samples.losses.mean() == pytest.approx(logs["loss"], rel=1e-6)


def test_logits_become_probabilities() -> None:
    logits = np.array([[-3.0], [-1.0], [2.0], [0.0]])
    _, found = judged(BinaryCrossentropy(from_logits=True), logits, [[0.0], [1.0], [1.0], [0.0]])
    expected = sorted(1 / (1 + np.exp(-logits[:, 0])))
    assert sorted(found.samples.said.tolist()) == pytest.approx(expected, rel=1e-6)
    assert found.calibrations[0].counts.sum() == 4


def test_a_hinge_has_its_threshold_at_0_and_nothing_to_calibrate() -> None:
    _, found = judged(Hinge(), [[0.9], [0.2], [-0.3], [-0.8]], [[1.0], [-1.0], [-1.0], [-1.0]])
    assert found.kind == "binary"
    assert found.confusion.matrix().tolist() == [[2, 1], [0, 1]]
    assert found.thresholds[0].cut(found.thresholds[0].usual).threshold == pytest.approx(
        0, abs=1e-3
    )
    assert found.calibrations == ()


def test_no_positives() -> None:
    _, found = judged(BinaryCrossentropy(), [[0.2], [0.7]], [[0.0], [0.0]])
    assert isnan(found.rankings[0].auc)
    assert isnan(found.rankings[0].average_precision)
    assert isnan(found.classes[1].recall)
    assert found.classes[1].predicted == 1


# -- one of several ------------------------------------------------------------------------------


SHARES = np.array(
    [[0.72, 0.18, 0.1], [0.1, 0.83, 0.07], [0.3, 0.43, 0.27], [0.2, 0.15, 0.65], [0.55, 0.1, 0.35]]
)
CLASSES = np.array([0, 1, 2, 2, 2])


@pytest.mark.parametrize("hot", [False, True])
def test_one_of_several(hot: bool) -> None:
    loss = CategoricalCrossentropy() if hot else SparseCategoricalCrossentropy()
    target = np.eye(3, dtype=np.float32)[CLASSES] if hot else CLASSES[:, None].astype(np.int32)
    logs, found = judged(loss, SHARES, target)
    assert (found.kind, found.names) == ("classes", ("0", "1", "2"))
    assert found.confusion.matrix().tolist() == [[1, 0, 0], [0, 1, 0], [1, 1, 1]]
    assert found.confusion.accuracy == pytest.approx(logs["accuracy"])
    third = found.rankings[2].auc  # 2 against the rest: scores .27 .65 .35 over .1 .07
    assert third == 1
    assert found.rankings[0].auc == pytest.approx(1)
    assert found.samples.rows[:2].tolist() == [2, 4]  # −log .27, −log .35
    assert found.samples.losses[0] == pytest.approx(-np.log(0.27), rel=1e-5)
    assert found.samples.sure.tolist()[0] == pytest.approx(0.43)
    # Said with .72, .83, .43, .65, .55 and right with the first two and the fourth.
    assert found.calibrations[0].counts.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 1, 0]
    gaps = [0.43, 0.55, 0.35, 0.28, 0.17]
    assert found.calibrations[0].expected_error == pytest.approx(sum(gaps) / 5, abs=1e-6)


def test_logits_of_several() -> None:
    logits = np.log(SHARES) + 3
    loss = SparseCategoricalCrossentropy(from_logits=True)
    _, found = judged(loss, logits, CLASSES[:, None].astype(np.int32))
    assert found.samples.sure.tolist()[0] == pytest.approx(0.43, rel=1e-5)


def test_a_class_that_does_not_count_is_left_out() -> None:
    loss = SparseCategoricalCrossentropy(ignore_class=0)
    _, found = judged(loss, SHARES, CLASSES[:, None].astype(np.int32))
    assert (found.judged, found.masked) == (4, 1)
    assert found.confusion.support.tolist() == [0, 1, 3]


# -- several yes or no ---------------------------------------------------------------------------


def test_labels() -> None:
    scores = [[0.9, 0.2, 0.6], [0.1, 0.3, 0.7], [0.8, 0.9, 0.4]]
    truth = [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [1.0, 1.0, 0.0]]
    _, found = judged(BinaryCrossentropy(), scores, truth)
    assert (found.kind, len(found.rankings)) == ("labels", 3)
    assert [r.auc for r in found.rankings] == [1, 1, 1]
    assert [c.recall for c in found.classes] == [1, 0.5, 1]
    assert [c.precision for c in found.classes] == [1, 1, 0.5]
    assert found.samples.said.shape == (3, 3)
    assert found.confusion is None


def test_shares_of_grey_are_numbers() -> None:
    _, found = judged(BinaryCrossentropy(), [[0.3, 0.6]], [[0.2, 0.8]])
    assert found.kind == "numbers"
    assert [r.mean_absolute for r in found.residuals] == [pytest.approx(0.1), pytest.approx(0.2)]


# -- numbers -------------------------------------------------------------------------------------


def test_numbers_are_in_the_units_of_their_columns() -> None:
    binding = NumberColumns(("price", "age"))
    fitted = FittedNumbers(binding, (100.0, 40.0), (20.0, 10.0))
    output, target = [[0.5, 0.0], [1.0, -1.0]], [[0.0, 0.0], [1.5, 1.0]]
    _, found = judged(MeanSquaredError(), output, target, binding=binding, fitted=fitted)
    price, age = found.residuals
    assert (price.name, age.name) == ("price", "age")
    assert price.truth.tolist() == pytest.approx([100, 130])
    assert price.said.tolist() == pytest.approx([110, 120])
    assert price.mean_absolute == pytest.approx(10)
    assert price.mean == pytest.approx(0)
    assert age.largest == pytest.approx(20)
    assert found.samples.rows[0] == 1


def test_what_is_no_number_is_left_out_and_counted() -> None:
    output = [[1.0], [nan], [np.inf], [2.0]]
    _, found = judged(MeanSquaredError(), output, [[1.0], [1.0], [1.0], [3.0]])
    assert (found.judged, found.not_finite) == (2, 2)
    assert found.residuals[0].mean_absolute == 0.5
    assert found.samples.rows.tolist() == [3, 0]


def test_nothing_but_nan() -> None:
    for loss, target in ((MeanSquaredError(), [[1.0]]), (BinaryCrossentropy(), [[1.0]])):
        _, found = judged(loss, [[nan]], target)
        assert (found.judged, found.not_finite) == (0, 1)
        assert found.samples is None


def test_a_loss_of_whole_batches_orders_by_error() -> None:
    _, found = judged(Dice(), [[0.9, 0.1], [0.2, 0.2]], [[1.0, 0.0], [1.0, 1.0]])
    assert found.by_error
    assert found.samples.rows.tolist() == [1, 0]
    assert found.samples.losses.tolist() == pytest.approx([0.8, 0.1], rel=1e-5)


# -- sequences and several outputs ---------------------------------------------------------------


def masked_sequences() -> tuple[Document, str, str]:
    document, x = add(Document(), Input(shape=(4,), dtype="int32"))
    document, e = add(document, Embedding(input_dim=9, output_dim=5, mask_zero=True), x)
    document, h = add(document, LSTM(units=4, return_sequences=True), e)
    document, y = add(document, Dense(units=3, activation="softmax"), h)
    end = Endpoint(y, "output")
    document = edits.mark_output(document, end)
    return edits.plan_output(document, end, loss=SparseCategoricalCrossentropy()), x, end.key


def test_masked_steps_are_left_out() -> None:
    document, x, key = masked_sequences()
    tokens = np.array([[0, 0, 3, 4], [0, 5, 6, 7]], np.int32)
    target = np.array([[0, 0, 1, 2], [0, 1, 1, 0]], np.int32)[..., None]
    store = Store()
    logs, (found,) = judge(
        document, store, Arrays({x: tokens}, {key: target}), {}, np.array([5, 6])
    )
    assert (found.kind, found.judged, found.masked) == ("classes", 5, 3)
    assert found.by_step.counts.tolist() == [0, 1, 2, 2]
    assert isnan(found.by_step.means[0])
    assert sorted(zip(found.samples.rows, found.samples.steps, strict=True)) == [
        (5, 2), (5, 3), (6, 1), (6, 2), (6, 3),
    ]  # fmt: skip
    assert found.samples.losses.mean() == pytest.approx(logs["loss"], rel=1e-5)
    assert sorted(found.worst_rows.tolist()) == [5, 6]
    mine = found.samples.losses[found.samples.rows == found.worst_rows[0]]
    assert found.worst_losses[0] == pytest.approx(mine.mean())


def test_two_outputs_and_one_without_a_loss() -> None:
    document, x = add(Document(), Input(shape=(2,)))
    keys = []
    for name, loss in (("a", MeanSquaredError()), ("b", BinaryCrossentropy()), ("c", None)):
        document, y = add(document, Dense(units=1, activation="sigmoid"), x, name=name)
        document = edits.mark_output(document, Endpoint(y, "output"))
        if loss:
            document = edits.plan_output(document, Endpoint(y, "output"), loss=loss)
        keys.append(f"{Endpoint(y, 'output').key}")
    rng = np.random.default_rng(0)
    data = Arrays(
        {x: rng.normal(size=(9, 2)).astype(np.float32)},
        {key: rng.integers(0, 2, (9, 1)).astype(np.float32) for key in keys[:2]},
    )
    store = Store()
    logs, found = judge(document, store, data, {})
    assert [(o.name, o.kind) for o in found] == [
        ("a", "numbers"), ("b", "binary"), ("c", "unjudged"),
    ]  # fmt: skip
    assert logs == pytest.approx(Trainer(document, store).evaluate(data, 9))
    assert found[0].residuals[0].count == 9


def test_without_any_loss_it_says_so() -> None:
    document, x, _ = through(None, 1)
    with pytest.raises(ProblemError) as caught:
        judge(document, Store(), Arrays({x: np.zeros((1, 1), np.float32)}), {})
    assert caught.value.problems[0].code == "evaluation_no_targets"


# -- a great deal --------------------------------------------------------------------------------


def test_what_cannot_be_kept_is_drawn_and_counts_stay_exact(monkeypatch) -> None:
    monkeypatch.setattr(judging, "ELEMENTS", 2000)
    monkeypatch.setattr(judging, "SHOWN", 500)
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(3), 20_000).astype(np.float32)
    truth = np.array([rng.choice(3, p=p / p.sum()) for p in shares.astype(float)], np.int32)
    _, found = judged(SparseCategoricalCrossentropy(), shares, truth[:, None])
    assert found.judged == found.confusion.total == 20_000
    assert 1800 < found.drawn < 2200
    assert found.confusion.accuracy == (shares.argmax(1) == truth).mean()
    worst = np.argsort(shares[np.arange(20_000), truth])[:100]
    assert found.samples.rows[:100].tolist() == worst.tolist()  # whatever was drawn
    assert len(found.samples) == 500
    assert found.calibrations[0].expected_error < 0.1


@pytest.mark.slow
def test_a_million_samples_take_seconds_and_bounded_memory() -> None:
    import resource
    import time

    rng = np.random.default_rng(0)
    scores = rng.random((1_000_000, 1)).astype(np.float32)
    truth = (rng.random((1_000_000, 1)) < scores).astype(np.float32)
    document, x, key = through(BinaryCrossentropy(), 1)
    document = edits.set_run(document, batch_size=4096)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    _, (found,) = judge(document, Store(), Arrays({x: scores}, {key: truth}), {})
    assert time.perf_counter() - began < 30
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 600_000  # kB
    assert found.drawn == 1_000_000
    assert found.calibrations[0].expected_error < 0.005


# -- projects ------------------------------------------------------------------------------------


@pytest.fixture
def project() -> Project:
    document = edits.set_data(EXAMPLES["headline"](), source=GeneratedSource("headline", 60))
    layer = {entry.name: key for key, entry in document.layers.items()}
    document = edits.set_parameters(document, layer["embedding"], output_dim=4)
    return Project(edits.set_parameters(document, layer["lstm"], units=3))


def test_a_project_on_its_validation_rows(project: Project, tmp_path) -> None:
    found = evaluate_project(project, tmp_path)
    evaluation = found.evaluation
    assert evaluation.rows == 12
    assert [o.judged for o in evaluation.outputs] == [12, 12]
    first = evaluation.outputs[0].samples.rows[:2]
    one, two = found.rows(first.tolist())
    assert (one.row, one.place) == (first[0], first[0] + 2)
    assert one.cells.keys() == found.table.columns.keys()
    assert two.cells["headline"] == found.table.columns["headline"][first[1]]


def test_training_rows_all_rows_and_another_file(project: Project, tmp_path) -> None:
    assert evaluate_project(project, tmp_path, "train").evaluation.rows == 48
    everything = evaluate_project(project, tmp_path, "all")
    assert everything.evaluation.rows == 60
    path = tmp_path / "more.csv"
    names = everything.table.names
    lines = [",".join(f'"{everything.table.columns[n][i]}"' for n in names) for i in range(7)]
    path.write_text("\n".join([",".join(names), *lines]) + "\n", encoding="utf-8")
    project.fitted = dict(load_fitted(project, tmp_path))
    other = evaluate_project(project, tmp_path, file=path).evaluation
    assert (other.which, other.table, other.rows) == ("all", "more.csv", 7)


def load_fitted(project: Project, base):
    from studio.train.data import load_data

    return load_data(project.document, base).fitted


def test_without_validation_rows_it_says_so(project: Project, tmp_path) -> None:
    split = replace(project.document.plan.data.split, kind="none")
    project.document = edits.set_data(project.document, split=split)
    with pytest.raises(ProblemError) as caught:
        evaluate_project(project, tmp_path)
    assert caught.value.problems[0].code == "evaluation_no_validation"


def test_it_tells_how_far_it_is_and_can_be_ended(project: Project, tmp_path) -> None:
    told: list[tuple[str, int, int]] = []

    def listen(doing: str, done: int, total: int) -> None:
        told.append((doing, done, total))

    with watched(listen):
        evaluate_project(project, tmp_path)
    assert ("evaluating", 0, 12) in told
    assert told[-1] == ("evaluating", 12, 12)

    def end(doing: str, done: int, total: int) -> None:
        raise Cancelled

    with watched(end), pytest.raises(Cancelled):
        evaluate_project(project, tmp_path)


def test_rows_of_pictures_and_of_windows(tmp_path) -> None:
    from PIL import Image

    for name, grey in (("a.png", 30), ("b.png", 200)):
        Image.new("L", (40, 20), grey).save(tmp_path / name)
    path = tmp_path / "t.csv"
    lines = [f"{'ab'[n % 2]}.png,{n},{n % 2}" for n in range(8)]
    path.write_text("\n".join(["file,n,y", *lines]) + "\n")
    table = read_table(path)
    document, x = add(Document(), Input(shape=(3, 1)))
    document = edits.set_data(
        document, inputs={x: NumberColumns(("n",))}, series=Series(length=3, ahead=0)
    )
    first, fifth = raw_rows(document, table, [0, 5])
    assert fifth.pictures["file"].shape == (64, 64, 3)
    assert fifth.pictures["file"].max() == 200
    assert fifth.folder == tmp_path
    assert fifth.before["n"] == ["3", "4", "5"]
    assert first.before == {}  # too few rows come before it
