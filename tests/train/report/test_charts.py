"""Charts of evaluations: what can be pointed at, what their tables say, what is drawn of much."""

from xml.etree import ElementTree

import numpy as np
import pytest

from studio.losses.probabilistic import BinaryCrossentropy, SparseCategoricalCrossentropy
from studio.losses.regression import MeanSquaredError
from studio.text import language, set_language
from studio.train.evaluation.classes import PairCounter
from studio.train.evaluation.judge import Judge, Target
from studio.train.evaluation.result import OutputEvaluation
from studio.train.report import charts
from studio.train.report.curves import history_figures
from studio.train.report.figure import Figure, Label, svg


def judged(loss, output, target) -> OutputEvaluation:
    judge = Judge(Target("k", "y", loss), len(output))
    judge.add(target, output, np.zeros(output.shape[:-1]), None, np.arange(len(output)))
    return judge.result()


@pytest.fixture(scope="module")
def several() -> OutputEvaluation:
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.ones(12), 400)
    return judged(SparseCategoricalCrossentropy(), shares, rng.integers(0, 12, (400, 1)))


@pytest.fixture(scope="module")
def binary() -> OutputEvaluation:
    rng = np.random.default_rng(0)
    scores = rng.random((400, 1))
    return judged(BinaryCrossentropy(), scores, (rng.random((400, 1)) < scores).astype(float))


def within(figure: Figure) -> bool:
    """Every place lies in the drawing."""
    return all(
        s.x >= -8 and s.x + s.width <= figure.width + 8 and -8 <= s.y <= figure.height + 8
        for s in figure.spots
    )


def test_each_cell_can_be_pointed_at(several) -> None:
    figure = charts.confusion_chart(several.confusion, several.names, 400, 300)
    matrix = several.confusion.matrix()
    assert len(figure.spots) == 144
    assert {s.key for s in figure.spots} == {("cell", i, j) for i in range(12) for j in range(12)}
    assert figure.table[3][5] == str(matrix[2, 4])
    assert within(figure)


def test_of_many_classes_the_most_frequent_are_drawn() -> None:
    counter = PairCounter(100)
    often = np.repeat(np.arange(100), np.arange(100))
    counter.add(often, often)
    names = tuple(f"class {n}" for n in range(100))
    figure = charts.confusion_chart(counter.confusion(), names, 500, 400)
    assert len(figure.table) == 31
    assert figure.table[1][0] == "class 70"
    assert figure.spots[0].key == ("cell", 70, 70)


def test_of_many_curves_the_lowest_are_drawn_and_it_says_so(several) -> None:
    figure = charts.roc_chart(several, 400, 300)
    drawn = sorted({row[0] for row in figure.table[1:]}, key=int)
    areas = [r.auc for r in several.rankings]
    assert drawn == [str(n) for n in sorted(np.argsort(areas)[:7])]
    words = [m.written for m in figure.marks if isinstance(m, Label)]
    assert "ROC (the 7 lowest of 12)" in words


def test_bars_of_scores_count_every_sample(binary) -> None:
    cut = binary.thresholds[0]
    figure = charts.scores_chart(cut, binary.names, 400, 300, cut.usual)
    counts = np.array([[int(a), int(b)] for _, a, b in figure.table[1:]])
    assert counts.sum(0).tolist() == [cut.negatives, cut.positives]


@pytest.mark.parametrize("size", [(120, 80), (400, 300), (1600, 900)])
@pytest.mark.parametrize("speaks", ["en", "zh_CN"])
def test_all_are_drawn_at_any_size(several, binary, size, speaks) -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(size=(200, 1)) * 1e6
    numbers = judged(MeanSquaredError(), truth + rng.normal(size=(200, 1)), truth)
    before = language()
    set_language(speaks)
    try:
        figures = [
            charts.confusion_chart(binary.confusion, binary.names, *size),
            charts.roc_chart(binary, *size, 300),
            charts.precision_recall_chart(several, *size),
            charts.calibration_chart(several.calibrations[0], "y", *size),
            charts.scatter_chart(numbers.residuals[0], *size),
            charts.residual_chart(numbers.residuals[0], *size),
            charts.step_chart(numbers, *size),
            *history_figures({"loss": [3.0, 2.0, float("nan")], "auc": [0.5]}, 1, *size),
            charts.table_figure("t", ("a", "b"), [("x", "1")]),
        ]
    finally:
        set_language(before)
    for figure in figures:
        ElementTree.fromstring(svg(figure))
        assert figure.title
        assert "evaluation." not in svg(figure)


def test_a_point_leads_to_its_row() -> None:
    truth = np.arange(20.0)[:, None]
    found = judged(MeanSquaredError(), truth + 1, truth)
    figure = charts.scatter_chart(found.residuals[0], 400, 300)
    assert [s.key for s in figure.spots] == [("row", n) for n in range(20)]


def test_one_kind_says_why_there_is_no_curve() -> None:
    found = judged(BinaryCrossentropy(), np.array([[0.1], [0.4]]), np.zeros((2, 1)))
    for chart in (charts.roc_chart, charts.precision_recall_chart):
        figure = chart(found, 300, 200)
        assert figure.table == ()
        assert any(isinstance(m, Label) for m in figure.marks)


def test_losses_of_a_report_are_called_as_in_the_window() -> None:
    history = {"aux_loss": [2.0, 1.0], "loss": [3.0, 2.0], "val_loss": [3.0, 2.5]}
    (figure,) = history_figures(history, 1, 400, 240)
    names = [mark.written.split(",")[0] for mark in figure.marks if isinstance(mark, Label)]
    assert [name for name in names if name.endswith("loss")] == [
        "total loss", "total loss", "aux loss",
    ]  # fmt: skip


def test_each_loss_has_the_colour_it_has_elsewhere() -> None:
    history = {"aux_loss": [2.0, 1.0], "loss": [3.0, 2.0], "main_loss": [1.0, 0.5]}
    (figure,) = history_figures(history, 1, 400, 240, ["main", "aux"])
    heads = figure.table[0]
    assert heads[1:] == ("main_loss", "aux_loss", "loss")  # by the number of their colour
