"""The panel that tells what a breakpoint met: words, the sample's row, ways on."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from studio.document import edits
from studio.document.plan import Breakpoints
from studio.document.project import Project
from studio.text import LANGUAGES, set_language
from studio.train.events import Hit
from studio.train.hit_words import facts, sentence
from studio.ui.session import Session
from studio.ui.study.hit_panel import HitPanel, look_along
from tests.ui.nested import INNER, MIDDLE, call, nested_document
from tests.ui.test_training_dock import small_project

NAN = float("nan")


@pytest.fixture
def panel(qtbot, tmp_path):
    session = Session(small_project(tmp_path), tmp_path / "p.loom")
    panel = HitPanel(session)
    panel.session = session
    qtbot.addWidget(panel)
    panel.resize(1100, 160)
    return panel


def click(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def hit(kind="not_finite", **more):
    return Hit(kind, 1, 4, **({"value": NAN} | more))


# -- words ---------------------------------------------------------------------------------------

WHERE = {
    "input": "data of features",
    "target": "target of answer",
    "sample_weight": "sample weights of answer",
    "weights": "kernel of features",
    "forward": "in what features gives",
    "loss": "in the loss of answer",
    "backward": "on the way back, in the gradient by kernel of features",
    "update": "the optimizer changed kernel of features",
    "": "in this step",
}


@pytest.mark.parametrize("where", WHERE)
def test_each_place_is_told_in_words(panel, where):
    document = panel.session.document
    (output,) = document.graph.outputs
    met = hit(where=where, layer="features", weight="kernel", output=output.key)
    said = sentence(met, document)
    assert said.startswith("Stopped at epoch 2, batch 5: ")
    assert WHERE[where] in said
    assert "NaN" in said
    set_language("zh_CN")
    assert "第 2 轮第 5 批" in sentence(met, document)


def test_other_breakpoints_are_told_in_words(panel):
    run = Breakpoints(gradient_norm=10.0, rising="val_loss", falling="loss", epochs=4)
    document = edits.set_run(panel.session.document, breakpoints=run)
    assert "is 12.5 long, longer than 10." in sentence(hit("gradient_norm", value=12.5), document)
    said = sentence(hit("diverging", value=0.75), document)
    assert "val_loss has risen for 4 epochs, now to 0.75, while loss fell" in said
    alone = edits.set_run(document, breakpoints=Breakpoints(rising="val_loss"))
    assert sentence(hit("diverging", value=0.75), alone).endswith("now to 0.75.")


def test_facts_count_from_one():
    met = hit(operator="Log", sample=3, time=0)
    assert facts(met) == ["operator Log", "sample 4 of the batch", "time step 1"]
    assert facts(hit()) == []


# -- the panel -----------------------------------------------------------------------------------


def test_the_samples_row_is_read_as_it_stands_in_the_file(qtbot, panel, tmp_path):
    panel.show_hit(hit(where="forward", row=7), panel.session.document)
    assert "Reading" in panel.row.title.text()
    qtbot.waitUntil(lambda: panel.row.table.isVisible(), timeout=20_000)
    lines = (tmp_path / "line.csv").read_text().splitlines()
    table = panel.row.table
    cells = {table.item(i, 0).text(): table.item(i, 1).text() for i in range(table.rowCount())}
    assert cells == dict(zip("aby", lines[8].split(","), strict=True))
    assert panel.row.title.text() == "The sample is row 9 of the data", "its header is row 1"


def test_a_row_that_is_gone_is_told(qtbot, panel, tmp_path):
    (tmp_path / "line.csv").unlink()
    panel.show_hit(hit(row=7), panel.session.document)
    qtbot.waitUntil(lambda: "cannot be read" in panel.row.title.text(), timeout=20_000)
    assert not panel.row.table.isVisible()


def test_only_what_can_be_done_is_offered(panel):
    panel.show_hit(hit(), panel.session.document)
    assert panel.isVisible()
    assert not panel.show_button.isVisible()
    assert not panel.save_button.isVisible()
    assert panel.again_button.isVisible()
    panel.show_hit(hit("gradient_norm", value=9.0, place=("c2",)), panel.session.document)
    assert panel.show_button.isVisible()
    assert not panel.again_button.isVisible(), "it goes on by resuming"


def test_the_ways_on(qtbot, panel):
    panel.show_hit(hit(place=("c2",), layer="answer"), panel.session.document)
    with qtbot.waitSignal(panel.jump) as jump:
        click(qtbot, panel.show_button)
    assert jump.args == [("c2",)]
    with qtbot.waitSignal(panel.again):
        click(qtbot, panel.again_button)
    click(qtbot, panel.close_button)
    assert not panel.isVisible()
    assert panel.hit is None


def test_the_step_is_kept_where_one_likes(qtbot, panel, tmp_path, monkeypatch):
    source = tmp_path / "kept.step"
    source.write_bytes(b"all of it")
    asked = []

    def answer(parent, title, start, kinds):
        asked.append((start, kinds))
        return str(tmp_path / "mine"), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    panel.show_hit(hit(reproduction=str(source)), panel.session.document)
    click(qtbot, panel.save_button)
    qtbot.waitUntil(lambda: "mine.step" in panel.facts.text(), timeout=5_000)
    assert (tmp_path / "mine.step").read_bytes() == b"all of it"
    assert asked == [(str(tmp_path / "epoch 2 batch 5.step"), "*.step")]


@pytest.mark.parametrize("code", LANGUAGES)
def test_nothing_is_cut_off(qtbot, panel, code):
    set_language(code)
    fresh = HitPanel(panel.session)
    qtbot.addWidget(fresh)
    fresh.resize(900, 160)
    met = hit(where="forward", layer="answer", place=("c2",), operator="MatMul", sample=2, time=5)
    met = replace(met, heaviest=1.5e30, remedies=("lower_rate", "clip", "fresh_weights"))
    fresh.show_hit(met, panel.session.document)
    assert len(fresh.fixes) == 2
    (reset,) = fresh.ways
    for button in (fresh.show_button, fresh.again_button, reset):
        assert button.width() >= button.sizeHint().width()
    assert "1.5e+30" in fresh.weights.text()
    for label in (fresh.title, fresh.facts, fresh.weights):
        assert label.height() >= label.heightForWidth(label.width())


# -- ways into models ----------------------------------------------------------------------------


@pytest.mark.parametrize("nth", [0, 1])
def test_a_jump_leads_into_the_very_call_of_a_model(qapp, nth):
    """The model "digits" is called twice; and "core" stands in it."""
    document = nested_document()
    session = Session(Project(document))
    outer, middle = call(document, "digits", nth=nth), call(document, "core", MIDDLE)
    inner = call(document, "core_dense", INNER)
    assert look_along(session, (outer, middle, inner)) == inner
    assert session.way == (outer, middle)
    assert look_along(session, (outer,)) == outer
    assert session.way == ()


def test_a_jump_leads_through_a_wrapper(qapp):
    document = nested_document()
    session = Session(Project(document))
    each, inner = call(document, "each"), call(document, "core_dense", INNER)
    assert look_along(session, (each, inner)) == inner
    assert session.way == (each,)


def test_a_way_that_is_gone_leads_nowhere(qapp):
    document = nested_document()
    session = Session(Project(document))
    assert look_along(session, ("c99", "c98")) is None
    assert look_along(session, ("c99",)) is None


def test_the_button_shows_the_node_inside_the_model(open_window, qtbot):
    document = nested_document()
    window = open_window(Project(document), size=(1500, 900))
    path = tuple(
        call(document, name, graph, nth)
        for name, graph, nth in (("digits", "g1", 1), ("core", MIDDLE, 0), ("core_dense", INNER, 0))
    )
    window.raise_dock("training")
    window.training.training.met.emit(hit(where="forward", place=path, layer="core_dense"))
    click(qtbot, window.training.hit.show_button)
    assert window.session.way == path[:2]
    assert window.session.selection == {path[2]}
    item = window.canvas.canvas.items_by_call[path[2]]
    assert window.canvas.visible_rect().contains(item.body_rect())
