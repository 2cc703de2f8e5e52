"""Evaluating in the window, by mouse and keyboard: charts, threshold, samples, report."""

import csv

import numpy as np
import psutil
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog

from studio.document import edits
from studio.document.plan import GeneratedSource, TableSource
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.text import set_language
from studio.train.evaluation.evaluate import evaluate_project
from studio.train.events import Finished
from studio.train.worker import train_project
from studio.ui.evaluator import Work
from studio.ui.theme import apply_theme


def trained(name: str, rows: int) -> Project:
    document = edits.set_data(EXAMPLES[name](), source=GeneratedSource(name, rows))
    if name == "headline":
        layer = {entry.name: key for key, entry in document.layers.items()}
        document = edits.set_parameters(document, layer["embedding"], output_dim=8)
        document = edits.set_parameters(document, layer["lstm"], units=4)
    project = Project(edits.set_run(document, epochs=1))
    for event in train_project(project):
        if isinstance(event, Finished):
            project.fitted.update(event.fitted)
            project.runs.append(event.run)
    return project


@pytest.fixture(scope="module")
def digits() -> Project:
    return trained("digits", 300)


@pytest.fixture(scope="module")
def headline() -> Project:
    return trained("headline", 300)


def copy(project: Project) -> Project:
    return Project(project.document, project.store, dict(project.fitted), list(project.runs))


@pytest.fixture
def evaluated(open_window, qtbot):
    """A window on a project, evaluated by its key, with the dock and its view."""
    docks = []

    def open_one(project: Project):
        window = open_window(copy(project), size=(1500, 950))
        dock = window.desk.evaluation
        docks.append(dock)
        QTest.keyClick(window, Qt.Key.Key_F7)
        assert dock.evaluator.work is Work.EVALUATING
        assert "Press Evaluate" not in dock.empty.text(), "it was pressed"
        assert "confusion" in dock.empty.text()
        assert dock.doing.text()
        qtbot.waitUntil(lambda: dock.evaluation is not None, timeout=60_000)
        qtbot.waitUntil(lambda: dock.view.samples.row(0) is not None, timeout=10_000)
        return window, dock, dock.view

    yield open_one
    for dock in docks:
        dock.shutdown()


@pytest.fixture
def shown(open_window, tmp_path):
    """The same, with an evaluation made here: a process for each would take seconds."""

    def open_one(project: Project):
        window = open_window(copy(project), size=(1500, 950))
        window.raise_dock("evaluation")
        dock = window.desk.evaluation
        judged = evaluate_project(project, tmp_path)
        dock.view.wanted.connect(lambda rows: dock.view.take_rows(judged.rows(rows)))
        dock.evaluator.evaluated.emit(judged.evaluation)
        QApplication.processEvents()
        return window, dock, dock.view

    return open_one


def click_cell(view, panel, truth: int, said: int) -> None:
    chart = view.panels[panel].chart
    spot = next(s for s in chart.figure.spots if s.key == ("cell", truth, said))
    at = QPoint(round(spot.x + spot.width / 2), round(spot.y + spot.height / 2))
    QTest.mouseClick(chart, Qt.MouseButton.LeftButton, pos=at)


def test_before_it_says_what_to_do(open_window, qtbot) -> None:
    window = open_window(Project())
    dock = window.desk.evaluation
    window.raise_dock("evaluation")
    assert not dock.button.isEnabled()
    assert "loss" in dock.empty.text()
    assert dock.empty.isVisible()
    window.session.commit("x", EXAMPLES["digits"]())
    assert dock.button.isEnabled()
    assert "Press Evaluate" in dock.empty.text()


def test_what_is_shown_is_what_an_evaluation_says(evaluated, digits, tmp_path) -> None:
    _, dock, view = evaluated(digits)
    expected = evaluate_project(digits, tmp_path).evaluation
    assert dock.evaluation.logs == pytest.approx(expected.logs, rel=1e-5)
    assert "60 validation rows of digits" in dock.status.text()
    assert view.panels[0].name == "chart_confusion"
    assert f"{expected.outputs[0].confusion.accuracy:.3f}" in view.facts.text()
    assert not view.threshold.isVisible()
    worst = expected.outputs[0].samples
    assert view.samples.table.item(0, 0).text() == str(int(worst.rows[0]) + 2)
    titles = [view.samples.table.horizontalHeaderItem(n).text() for n in range(6)]
    assert titles == ["row", "loss", "true", "predicted", "digit", "image"]
    assert not view.samples.table.item(0, 5).icon().isNull()


def test_a_click_on_a_cell_lists_its_samples(shown, digits) -> None:
    _, _, view = shown(digits)
    matrix = view._output.confusion.matrix()
    wrong = matrix - np.diag(np.diag(matrix))
    truth, said = (int(n) for n in np.unravel_index(wrong.argmax(), matrix.shape))
    click_cell(view, 0, truth, said)
    assert view.samples.table.rowCount() == matrix[truth, said]
    told = {view.samples.table.item(n, 2).text() for n in range(matrix[truth, said])}
    assert told == {str(truth)}
    assert view.samples.title.text().startswith(f"{truth} predicted as {said}")
    QTest.mouseClick(view.samples.all, Qt.MouseButton.LeftButton)
    assert view.samples.table.rowCount() == 60
    assert not view.samples.all.isVisible()


def test_cells_are_reached_by_keys(shown, digits) -> None:
    _, _, view = shown(digits)
    chart = view.panels[0].chart
    chart.setFocus()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down):
        QTest.keyClick(chart, key)
    assert chart._spot.key == ("cell", 1, 1)
    QTest.keyClick(chart, Qt.Key.Key_Return)
    assert view.samples.title.text().startswith("1 predicted as 1")


def test_a_threshold_moves_everything_with_it(shown, headline) -> None:
    _, dock, view = shown(headline)
    bar, found = view.threshold, dock.evaluation.outputs[0].thresholds[0]
    assert bar.isVisible()
    assert bar.place == 500
    click_cell(view, 0, 0, 1)
    before = view.samples.table.rowCount()
    bar.slider.setFocus()
    QTest.keyClick(bar.slider, Qt.Key.Key_Home)
    cut = found.cut(0)
    assert f"<b>{cut.recall:.3f}</b>" in view.facts.text()
    marked = view.panels[0].chart.figure.table
    assert marked[1][2] == str(cut.false_positives)
    assert view.samples.table.rowCount() == min(100, cut.false_positives) >= before
    QTest.mouseClick(bar.f1, Qt.MouseButton.LeftButton)
    assert bar.place == found.best_f1
    bar.value.setFocus()
    bar.value.selectAll()
    QTest.keyClicks(bar.value, "0.25")
    QTest.keyClick(bar.value, Qt.Key.Key_Return)
    assert bar.place == 250
    assert f"{found.cut(250).f1:.3f}" in view.facts.text()


def test_each_output_and_each_chart(shown, headline) -> None:
    _, dock, view = shown(headline)
    assert dock.outputs.count() == 2
    QTest.keyClick(dock.outputs, Qt.Key.Key_Down)
    assert view._whole.name == "aux_output"
    panel = view.panels[1]
    seen = set()
    for number in range(panel.choice.count()):
        panel.choice.setCurrentIndex(number)
        panel._choose()
        seen.add(panel.name)
        shown = panel.stack.currentWidget()
        assert shown is panel.chart or shown.rowCount()
        assert shown.accessibleName()
    assert {"chart_roc", "chart_precision_recall", "chart_scores", "chart_calibration"} < seen
    # Another output keeps the chart somebody chose.
    QTest.keyClick(dock.outputs, Qt.Key.Key_Up)
    assert view.panels[1].name == "chart_metrics"


def test_a_sample_opens_in_try_it(shown, headline) -> None:
    window, _, view = shown(headline)
    table = view.samples.table
    table.setFocus()
    place = table.visualItemRect(table.item(1, 0)).center()
    QTest.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    row = view.samples.row(1)
    QTest.mouseClick(view.samples.open, Qt.MouseButton.LeftButton)
    assert window.desk.trying.fields["headline"].text() == row.cells["headline"].strip()
    assert window.panels.all["try"].isVisible()


def test_it_asks_for_little_room(shown, headline) -> None:
    window, dock, _ = shown(headline)
    assert dock.minimumSizeHint().width() <= 720
    assert dock.minimumSizeHint().height() <= 240
    window.resize(1100, 700)
    assert window.width() == 1100


def test_an_edit_or_new_weights_make_it_stale(evaluated, digits, qtbot) -> None:
    window, dock, _ = evaluated(digits)
    assert not dock.stale.isVisible()
    call = next(iter(window.session.document.graph.calls))
    document = edits.move_calls(window.session.document, {call: (500.0, 80.0)})
    window.session.commit("move", document)
    assert not dock.stale.isVisible()  # where a node stands changes nothing
    window.session.weights_changed.emit()
    assert dock.stale.isVisible()
    dock.stale.linkActivated.emit("again")
    qtbot.waitUntil(lambda: dock.evaluator.work is Work.NOTHING, timeout=60_000)
    assert not dock.stale.isVisible()


def test_other_rows_and_another_file(evaluated, digits, tmp_path, monkeypatch, qtbot) -> None:
    _, dock, _ = evaluated(digits)
    dock.rows.setCurrentIndex(1)
    dock.rows.activated.emit(1)
    QTest.mouseClick(dock.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dock.evaluation.which == "train", timeout=60_000)
    assert dock.evaluation.rows == 240
    path = tmp_path / "other.npz"
    rng = np.random.default_rng(0)
    np.savez(path, image=rng.integers(0, 255, (12, 784), dtype=np.uint8),
             digit=np.array([str(n % 10) for n in range(12)]))  # fmt: skip
    chosen = (str(path), "")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: chosen)
    dock.rows.activated.emit(dock.rows.count() - 1)
    assert dock.rows.currentText() == "file: other.npz"
    QTest.mouseClick(dock.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dock.evaluator.work is Work.NOTHING, timeout=60_000)
    assert dock.evaluation.table == "other.npz"
    assert dock.evaluation.rows == 12


def test_what_is_wrong_is_listed(open_window, qtbot, digits) -> None:
    project = copy(digits)
    project.document = edits.set_data(project.document, source=TableSource("gone.csv"))
    window = open_window(project)
    window.evaluate()
    dock = window.desk.evaluation
    qtbot.waitUntil(lambda: dock.evaluator.work is Work.NOTHING, timeout=60_000)
    assert "gone.csv" in dock.notice.label.text()
    assert dock.evaluation is None


def test_it_can_be_cancelled_and_its_death_is_told(open_window, qtbot, digits) -> None:
    window = open_window(copy(digits))
    dock = window.desk.evaluation
    window.evaluate()
    assert dock.cancel.isVisible()
    QTest.mouseClick(dock.cancel, Qt.MouseButton.LeftButton)
    assert dock.evaluator.work is Work.NOTHING
    assert "Cancelled" in dock.notice.label.text()
    window.evaluate()
    qtbot.waitUntil(lambda: dock.evaluator._asked.pid is not None)
    psutil.Process(dock.evaluator._asked.pid).kill()
    qtbot.waitUntil(lambda: dock.evaluator.work is Work.NOTHING, timeout=30_000)
    assert "ended from outside" in dock.notice.label.text()


def test_charts_and_tables_are_taken_away(shown, digits, tmp_path, monkeypatch) -> None:
    _, _, view = shown(digits)
    panel = view.panels[0]
    for name in ("a.png", "a.svg", "a.csv"):
        path = tmp_path / name
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, p=path, **__: (str(p), ""))
        QTest.mouseClick(panel.export, Qt.MouseButton.LeftButton)
        assert path.stat().st_size > 200
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    rows = list(csv.reader((tmp_path / "a.csv").read_text("utf-8-sig").splitlines()))
    assert rows[0] == ["true", *map(str, range(10))]
    panel.choice.setCurrentIndex(panel.choice.findData("chart_classes"))
    panel._choose()
    for name in ("b.png", "b.svg", "b.csv"):
        panel.write(tmp_path / name)
        assert (tmp_path / name).stat().st_size > 200
    rows = list(csv.reader((tmp_path / "b.csv").read_text("utf-8-sig").splitlines()))
    assert len(rows) == 11


def test_a_report_is_written_beside_the_window(open_window, qtbot, digits, tmp_path, monkeypatch):
    window = open_window(copy(digits))
    dock, out = window.desk.evaluation, tmp_path / "report"
    chosen = (str(out), "")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: chosen)
    window.raise_dock("evaluation")
    QTest.mouseClick(dock.report_button, Qt.MouseButton.LeftButton)
    assert dock.evaluator.work is Work.REPORTING
    qtbot.waitUntil(lambda: dock.evaluator.work is Work.NOTHING, timeout=60_000)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Export proof" in page
    assert "data:image/svg+xml;base64," in page
    assert "report.html" in dock.done.label.text()
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    target = dock.done.label.text().split("href='")[1].split("'")[0]
    dock.done.label.linkActivated.emit(target)
    assert [url.toLocalFile() for url in opened] == [str(tmp_path / "report.html")]


def test_another_language_and_theme(shown, headline, qapp) -> None:
    _, dock, _ = shown(headline)
    try:
        set_language("zh_CN")
        QApplication.sendEvent(dock, QEvent(QEvent.Type.LanguageChange))
        apply_theme(qapp, "dark")
        assert dock.button.text() == "评估"
        assert dock.view.panels[0].choice.currentText() == "混淆矩阵"
        assert dock.view.samples.table.rowCount() > 0
        assert not dock.grab().isNull()
    finally:
        set_language("en")
