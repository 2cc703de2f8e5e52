"""What an output is trained for, edited on its node by real mouse and keys."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from studio.document import edits
from studio.document.model import Endpoint
from studio.document.plan import ClassColumn, GeneratedSource, NumberColumns, OutputPlan
from studio.losses.probabilistic import BinaryCrossentropy
from studio.losses.regression import Huber, MeanSquaredError
from studio.losses.sequence import CTC
from studio.metrics.losses import MeanAbsoluteError
from studio.train.tables import Table
from studio.ui.canvas.accessible import CanvasTree
from studio.ui.inline import LineField
from studio.ui.quick_add import QuickAdd

TABLE = Table(
    "table.csv",
    {
        "price": [f"{n / 7:.3f}" for n in range(60)],
        "kind": ["cat", "dog"] * 30,
        "race": ["a", "b", "c"] * 20,
        "story": [f"once {n} upon {n * n} a time" for n in range(60)],
    },
)


@pytest.fixture
def head(view, hand):
    """The output of the one that is there, marked anew: it is given what is usual."""
    view.select([hand("head")])
    view.toggle_output()
    view.toggle_output()
    view.select(())
    return Endpoint(hand("head"), "output")


@pytest.fixture
def with_table(view):
    document = edits.set_data(view.session.document, source=GeneratedSource("headline"))
    view.session.commit("Data", document)
    view.goals.table = lambda: TABLE
    return view


def place(view, end: Endpoint, part: str) -> QPoint:
    item = view.canvas.items_by_call[end.call]
    return view.mapFromScene(item.pos() + item.geometry.fields.field(end.port, part).rect.center())


def written(view, end: Endpoint, part: str) -> str:
    return view.canvas.items_by_call[end.call].geometry.fields.field(end.port, part).label.text


def popup(qtbot) -> QuickAdd:
    found = QApplication.activePopupWidget()
    assert isinstance(found, QuickAdd)
    return found


def click_row(shown: QuickAdd, title: str) -> None:
    view = shown.layers.list
    model = view.model()
    index = next(
        model.index(i, 0) for i in range(model.rowCount()) if model.index(i, 0).data() == title
    )
    view.scrollTo(index)
    at = view.visualRect(index).center()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)


def plan(view, end: Endpoint) -> OutputPlan:
    return view.session.document.plan.outputs[end.key]


def groups(shown: QuickAdd) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in shown.layers.rows():
        found.setdefault(row.group, []).append(row.title)
    return found


def test_marking_gives_loss_and_metric_as_one_undo_step(view, hand):
    before = hand.steps()
    view.select([hand("alone")])
    view.toggle_output()
    end = Endpoint(hand("alone"), "output")
    assert view.session.document.plan.outputs.get(end.key) is None  # nothing arrives there yet
    document = edits.connect(
        view.session.document, Endpoint(hand("lstm"), "output"), Endpoint(hand("alone"), "x")
    )
    view.session.commit("Connect", document)
    assert plan(view, end) == OutputPlan(MeanSquaredError(), metrics=(MeanAbsoluteError(),))
    assert hand.steps() == before + 2
    assert written(view, end, "metrics") == "MeanAbsoluteError"


def test_the_loss_is_chosen_with_one_click_in_a_list_that_sorts_by_what_fits(
    view, hand, head, qtbot, mirrored
):
    steps = hand.steps()
    hand.click(place(view, head, "loss"))
    shown = popup(qtbot)
    found = groups(shown)
    assert found["Usual here"] == ["MeanSquaredError"]
    assert "Huber" in found["Fits"]
    assert "BinaryCrossentropy" in found["Does not fit"]
    click_row(shown, "Huber")
    assert plan(view, head).loss == Huber()
    assert written(view, head, "loss") == "Huber"
    assert QApplication.activePopupWidget() is None
    assert hand.steps() == steps + 1
    mirrored()


def test_the_loss_is_found_by_typing_and_taken_with_enter(view, hand, head, qtbot):
    hand.click(place(view, head, "loss"))
    shown = popup(qtbot)
    QTest.keyClicks(shown.layers.search, "huber")
    QTest.keyClick(shown.layers.search, Qt.Key.Key_Return)
    assert plan(view, head).loss == Huber()


def test_escape_and_the_present_loss_change_nothing(view, hand, head, qtbot):
    steps = hand.steps()
    hand.click(place(view, head, "loss"))
    click_row(popup(qtbot), "MeanSquaredError")
    hand.click(place(view, head, "loss"))
    QTest.keyClick(popup(qtbot), Qt.Key.Key_Escape)
    assert QApplication.activePopupWidget() is None
    assert hand.steps() == steps


def test_the_weight_is_written(view, hand, head, mirrored):
    hand.click(place(view, head, "weight"))
    field = QApplication.focusWidget()
    assert isinstance(field, LineField)
    assert field.selectedText() == "1"
    QTest.keyClicks(field, "0,25")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert plan(view, head).weight == 0.25
    assert written(view, head, "weight") == "× 0.25"
    mirrored()


@pytest.mark.parametrize("typed", ["-1", "much", ""])
def test_what_is_no_weight_is_told_and_not_kept(view, hand, head, typed):
    told = []
    view.told.connect(told.append)
    hand.click(place(view, head, "weight"))
    field = QApplication.focusWidget()
    field.clear()
    QTest.keyClicks(field, typed)
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert plan(view, head).weight == 1.0
    (words,) = told
    assert typed in words


def test_the_weight_is_pulled_like_a_slider_and_put_back_by_escape(view, hand, head, mirrored):
    steps, at = hand.steps(), place(view, head, "weight")
    where = hand.position("head")
    hand.carry(at, at + QPoint(-40, 0))
    assert written(view, head, "weight") == "× 0.6"
    assert plan(view, head).weight == 1.0
    hand.key(Qt.Key.Key_Escape)
    assert written(view, head, "weight") == "× 1"
    hand.release(at)
    assert hand.steps() == steps
    hand.drag(at, at + QPoint(-200, 0))
    assert plan(view, head).weight == 0.0
    assert hand.steps() == steps + 1
    hand.carry(at, at + QPoint(30, 0))
    hand.release(at + QPoint(30, 0), Qt.KeyboardModifier.ShiftModifier)
    assert plan(view, head).weight == 0.03
    assert hand.position("head") == where
    mirrored()


def test_a_drag_that_begins_on_a_list_field_moves_the_node(view, hand, head):
    at, where = place(view, head, "loss"), hand.position("head")
    hand.drag(at, at + QPoint(0, 120))
    assert hand.position("head")[1] == pytest.approx(where[1] + 120, abs=1)
    assert QApplication.activePopupWidget() is None


def test_metrics_are_taken_and_left_one_after_the_other(view, hand, head, qtbot):
    hand.click(place(view, head, "metrics"))
    shown = popup(qtbot)
    assert groups(shown)["Watched"] == ["MeanAbsoluteError"]
    click_row(shown, "RootMeanSquaredError")
    click_row(shown, "MeanAbsoluteError")
    assert QApplication.activePopupWidget() is shown
    assert [m.kind for m in plan(view, head).metrics] == ["RootMeanSquaredError"]
    assert written(view, head, "metrics") == "RootMeanSquaredError"
    QTest.keyClick(shown, Qt.Key.Key_Escape)
    assert QApplication.activePopupWidget() is None


def test_a_target_is_bound_and_the_loss_follows_it(view, hand, head, with_table, qtbot):
    assert written(view, head, "target") == "choose…"
    steps = hand.steps()
    hand.click(place(view, head, "target"))
    shown = popup(qtbot)
    found = groups(shown)
    assert "price" in found["Fits"]
    click_row(shown, "price")
    target = view.session.document.plan.data.targets[head.key]
    assert target == NumberColumns(("price",))
    assert written(view, head, "target") == "price"
    assert hand.steps() == steps + 1
    hand.click(place(view, head, "target"))
    click_row(popup(qtbot), "kind")
    assert view.session.document.plan.data.targets[head.key] == ClassColumn("kind")
    assert plan(view, head).loss == BinaryCrossentropy(from_logits=True)
    hand.click(place(view, head, "target"))
    click_row(popup(qtbot), "none")
    assert head.key not in view.session.document.plan.data.targets


def test_an_output_without_a_loss_gets_the_one_that_suits_the_column(view, hand, with_table, qtbot):
    end = Endpoint(hand("head"), "output")  # marked in the file, where nobody chose a loss
    assert end.key not in view.session.document.plan.outputs
    hand.click(place(view, end, "target"))
    click_row(popup(qtbot), "kind")
    assert plan(view, end).loss == BinaryCrossentropy()
    assert view.session.document.plan.data.targets[end.key] == ClassColumn("kind")


def test_for_a_column_that_does_not_fit_the_node_changes_with_it_as_the_list_says(
    view, hand, head, with_table, qtbot
):
    layer = view.session.document.graph.calls[head.call].layer
    softmax = edits.set_parameters(view.session.document, layer, units=2, activation="softmax")
    view.session.commit("Softmax", softmax)
    hand.click(place(view, head, "target"))
    shown = popup(qtbot)
    assert "kind" in groups(shown)["Fits"]
    assert "race" in groups(shown)["The node changes for these"]
    said = next(row.help for row in shown.layers.rows() if row.title == "race")
    assert "units=3" in said
    steps = hand.steps()
    click_row(shown, "race")
    assert view.session.document.layers[layer].body.units == 3
    assert view.session.document.plan.data.targets[head.key] == ClassColumn("race")
    assert not view.session.analysis.at(head.call)
    assert hand.steps() == steps + 1


def test_without_data_the_data_is_asked_for(view, hand, head, qtbot):
    with qtbot.waitSignal(view.data_wanted):
        hand.click(place(view, head, "target"))
    assert QApplication.activePopupWidget() is None


def test_from_farther_away_there_are_no_fields_and_a_click_selects(view, hand, head):
    at = place(view, head, "loss")
    view.zoom_at(0.5, at)
    hand.click(place(view, head, "loss"))
    assert QApplication.activePopupWidget() is None
    assert hand.names() == {"head"}


def test_a_collapsed_output_tells_its_loss_on_the_flag(view, hand, head):
    view.toggle_collapsed([head.call])
    geometry = view.canvas.items_by_call[head.call].geometry
    assert not geometry.fields.fields
    assert geometry.tags[0].label.text == "MeanSquaredError × 1"


def test_a_screen_reader_finds_the_fields_and_can_open_them(view, head, qtbot):
    tree = CanvasTree(view)
    node = tree.part(head.call)
    named = {node.child(i).text(QAccessible.Text.Name): i for i in range(node.childCount())}
    i = named["Loss: MeanSquaredError"]
    field = node.child(i)
    assert field.role() == QAccessible.Role.ButtonDropDown
    assert node.indexOfChild(field) == i
    field._acts.doAction(field._acts.pressAction())
    popup(qtbot).close()
    assert "Weight: × 1" in named
    assert "Metrics: MeanAbsoluteError" in named


def test_two_outputs_of_one_node_have_fields_of_their_own(view, hand, head):
    document = view.session.document
    layer = document.graph.calls[hand("lstm")].layer
    document = edits.set_parameters(document, layer, return_state=True)
    ports = [p.name for p in document.ports(document.entry(hand("lstm")))[1]]
    for port in ports[:2]:
        document = edits.mark_output(document, Endpoint(hand("lstm"), port))
    view.session.commit("Outputs", document)
    first, second = (Endpoint(hand("lstm"), port) for port in ports[:2])
    view.goals.set(second, "weight", 0.5)
    assert written(view, first, "weight") == "× 1"
    assert written(view, second, "weight") == "× 0.5"
    item = view.canvas.items_by_call[hand("lstm")]
    rects = [f.rect for f in item.geometry.fields.fields]
    assert all(not a.intersects(b) for i, a in enumerate(rects) for b in rects[:i])
    assert all(item.geometry.body.contains(r) for r in rects)


def test_what_does_not_fit_another_output_of_the_node_is_no_matter(view, hand, head, qtbot):
    document = view.session.document
    layer = document.graph.calls[hand("lstm")].layer
    document = edits.set_parameters(document, layer, return_state=True)
    ports = [p.name for p in document.ports(document.entry(hand("lstm")))[1]][:2]
    first, second = (Endpoint(hand("lstm"), port) for port in ports)
    for end in (first, second):
        document = edits.mark_output(document, end)
    document = edits.plan_output(document, first, loss=CTC())
    view.session.commit("Outputs", document)
    assert any(p.code.startswith("loss_") for p in view.session.analysis.at(hand("lstm")))
    hand.click(place(view, second, "loss"))
    shown = popup(qtbot)
    assert "Huber" in groups(shown)["Fits"]
    assert groups(shown)["Does not fit"] == ["CTC"]
    shown.close()


def test_a_hovered_field_is_marked_and_a_tip_tells_what_it_is(view, head):
    from studio.ui.canvas.tips import tip

    at = place(view, head, "weight")
    QTest.mouseMove(view.viewport(), at)
    assert view.canvas.hovered_field.part == "weight"
    assert view.viewport().cursor().shape() == Qt.CursorShape.SizeHorCursor
    assert "× 1" in tip(view.session, view.canvas, view.hit(at))
    QTest.mouseMove(view.viewport(), at + QPoint(0, -500))
    assert view.canvas.hovered_field is None


def test_long_words_stay_in_their_field(view, hand, head):
    document = view.session.document
    layer = document.graph.calls[head.call].layer
    name = replace(document.layers[layer], name="x" * 90)
    view.session.commit("Name", edits.with_layer(document, layer, name))
    body = view.canvas.items_by_call[head.call].geometry
    assert all(body.body.contains(f.rect) for f in body.fields.fields)
    assert body.labels["title"].cut


def test_from_farther_away_a_node_says_what_its_output_is_for(view, head):
    """At a middle zoom the fields were left out and their room stayed blank."""
    goal = edits.plan_output(view.session.document, head, loss=BinaryCrossentropy(), weight=0.2)
    view.session.commit("Loss", goal)
    geometry = view.canvas.items_by_call[head.call].geometry
    said = [(line.sign, line.label.text) for line in geometry.fields.far]
    assert said[0] == ("output", "BCE × 0.2")
    assert [sign for sign, _ in said] == ["output", "chart", "table"]
    top, baselines = geometry.fields.top, [line.label.at.y() for line in geometry.fields.far]
    assert geometry.labels["far_weights"].at.y() < top < min(baselines)
    assert max(baselines) < geometry.body.bottom()
    assert geometry.tags[0].far_label.text == geometry.tags[0].label.text  # not the loss again
    view.jump_to(head.call)
    view.zoom_at(0.5 / view.zoom, view.viewport().rect().center())
    shown = view.grab().toImage()
    view.session.commit("Metrics", edits.plan_output(goal, head, metrics=()))
    assert view.grab().toImage() != shown
