"""The dock of insight and its page of losses, by mouse: shares, advice, weights taken over."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from studio.document.project import Project, Run
from studio.examples import EXAMPLES
from studio.text import set_language
from studio.train.report.shares import shares_of
from studio.ui.study.dock import PAGES
from tests.ui.looked import STRENGTHS, call, look

LEFT = Qt.MouseButton.LeftButton


def run_with_shares(document):
    keys = [end.key for end in document.graph.outputs]
    shares = {
        key: {name: [values[i], 2 * values[i]] for name, values in STRENGTHS.items()}
        for i, key in enumerate(keys)
    }
    return Run("r1", history={"loss": [0.7, 0.6]}, shares=shares)


@pytest.fixture
def window(open_window, monkeypatch):
    document = EXAMPLES["headline"]()
    window = open_window(Project(document, runs=[run_with_shares(document)]), size=(1500, 950))
    monkeypatch.setattr(window.desk.study, "_ask", lambda: None)
    return window


def opened(window, qtbot, seen=None):
    """The page of losses, in sight and up to date."""
    insight = window.desk.insight
    QTest.keyClick(
        window.canvas,
        Qt.Key.Key_L,
        Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
    )
    qtbot.waitUntil(lambda: "lens" in insight.pages, timeout=3000)
    window.desk.study._take(seen or look(window.session.document))
    page = insight.pages["lens"]
    qtbot.waitUntil(lambda: page.advice.weights.rowCount() == 2, timeout=3000)
    return page


def test_pages_are_built_when_somebody_looks_at_them(window, qtbot):
    insight = window.desk.insight
    assert insight.pages == {}
    page = opened(window, qtbot)
    assert list(insight.pages) == ["lens"]
    assert window.desk.study.wanted.lens
    window.raise_dock("problems")
    qtbot.waitUntil(lambda: not window.desk.study.wanted.lens, timeout=3000)
    assert insight.page("lens") is page
    assert set(insight.pages) <= set(PAGES)


def test_shares_of_all_layers_or_of_the_selected_one(window, qtbot):
    page = opened(window, qtbot)
    chart = page.shares.chart
    assert chart.figure.table[0][1:] == ("main_output", "aux_output")
    assert len(chart.figure.spots) == 2
    window.session.select([call(window.session.document, "lstm")])
    QApplication.processEvents()
    share = 100 * 0.0008 / (0.0008 + 0.0043)
    assert f"A main_output: {share:.1f} %" in chart.figure.spots[0].tip
    assert "lstm" in chart.figure.title
    window.session.select([call(window.session.document, "concatenate")])
    QApplication.processEvents()
    assert "lstm" not in chart.figure.title


def test_a_click_on_an_epoch_shows_it_on_the_canvas(window, qtbot):
    page = opened(window, qtbot)
    study = window.desk.study
    study.past[1] = look(window.session.document, 1, 9, "epoch")
    spot = page.shares.chart.figure.spots[1]
    at = QPoint(int(spot.x + spot.width / 2), int(spot.y + spot.height / 2))
    QTest.mouseClick(page.shares.chart, LEFT, pos=at)
    assert study.epoch == 1
    assert study.current.epoch == 1
    qtbot.waitUntil(page.shares.newest.isVisible, timeout=3000)
    QTest.mouseClick(page.shares.newest, LEFT)
    assert study.epoch is None


def test_advice_says_who_pulls_harder_and_which_way(window, qtbot):
    page = opened(window, qtbot)
    rows = page.advice.pulls
    assert [rows.item(0, column).text() for column in range(3)] == [
        "lstm",
        "A pulls 4.0 × as hard as B",
        "⚠ against each other (-0.40)",
    ]
    weights = page.advice.weights
    said = [[weights.item(r, c).text() for c in range(4)] for r in range(2)]
    assert said == [
        ["A main_output", "1", "1", "80 % → 50 %"],
        ["B aux_output", "0.2", "0.8", "20 % → 50 %"],
    ]


def test_weights_are_tried_and_taken_over_as_one_step(window, qtbot):
    page = opened(window, qtbot)
    study, session = window.desk.study, window.session
    before = session.document
    keys = [end.key for end in before.graph.outputs]
    QTest.mouseClick(page.advice.try_button, LEFT)
    assert study.scales == {keys[0]: 1.0, keys[1]: 0.8}
    assert session.document is before  # nothing is applied by itself
    QTest.mouseClick(page.advice.try_button, LEFT)
    assert study.scales is None
    QTest.mouseClick(page.advice.try_button, LEFT)
    QTest.mouseClick(page.advice.take_button, LEFT)
    assert study.scales is None
    assert session.document.plan.outputs[keys[1]].weight == 0.8
    assert session.document.plan.outputs[keys[0]].weight == 1.0
    session.history.undo()
    assert session.document == before


def test_a_double_click_goes_to_the_node(window, qtbot):
    page = opened(window, qtbot)
    at = page.advice.pulls.visualItemRect(page.advice.pulls.item(0, 0)).center()
    view = page.advice.pulls.viewport()
    QTest.mouseClick(view, LEFT, pos=at)
    QTest.mouseDClick(view, LEFT, pos=at)
    assert window.session.selection == {call(window.session.document, "lstm")}


def test_the_page_speaks_the_language_chosen(window, qtbot):
    page = opened(window, qtbot)
    window.set_language("zh_CN")
    insight = window.desk.insight
    qtbot.waitUntil(lambda: insight.pages.get("lens") not in (None, page), timeout=3000)
    window.desk.study._take(look(window.session.document))
    fresh = insight.pages["lens"]
    qtbot.waitUntil(lambda: fresh.advice.weights.rowCount() == 2, timeout=3000)
    assert "拉力" in fresh.advice.weights.horizontalHeaderItem(3).text()
    set_language("en")


def test_a_chart_is_taken_away(window, qtbot, tmp_path):
    page = opened(window, qtbot)
    page.shares.write(tmp_path / "shares.csv")
    lines = (tmp_path / "shares.csv").read_text("utf-8-sig").splitlines()
    assert len(lines) == 3
    found = shares_of(window.desk.study.shares, dict.fromkeys(window.desk.study.shares, "x"))
    assert [f"{v:.4g}" for v in found.epochs[0]] == lines[1].split(",")[1:]
