"""The guided tour, taken with mouse and keys to the trained headline model; and its ways around."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from studio.document import edits
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.text import text
from studio.tour import STEPS, judge
from studio.ui.session import Session
from studio.ui.tour_looks import LOOKS, own_loss
from tests.ui.person import Person, QtHand, settle

BUILDING = [step.id for step in STEPS]
NAMES = BUILDING + [look.id for look in LOOKS]


@pytest.fixture
def person(open_window):
    return Person(open_window(size=(1600, 1000), page=True), QtHand())


@pytest.fixture
def tour(person):
    """Begun by the button of the start page."""
    person.click(person.window.front.page.tour)
    settle(0.05)
    return person.window.tour


def step_shown(tour):
    return NAMES[tour.at] if tour.at < len(NAMES) else "done"


def framed(tour):
    """What lies in the middle of the frame."""
    settle(0.15)
    assert tour.halo.isVisible(), step_shown(tour)
    at = tour.halo.geometry().center()
    tour.halo.hide()  # the mouse goes through it, but childAt does not
    found = tour.parent().childAt(at)
    tour.halo.show()
    return found


def expect(person, name):
    """The bar is at this step, and says so: at its next look at the window."""
    tour = person.window.tour
    assert step_shown(tour) == name
    person.until(lambda: text(f"tour.{name}") in tour.bar.title.text(), 2)
    document = person.window.session.document
    call = judge(document)
    about = {"name": document.entry(call).name if call else ""}
    how = ("isolate_wait", "isolate_how") if name == "isolate" else (f"{name}_how",)
    assert tour.bar.how.text() in [text(f"tour.{key}", **about) for key in how]


def follow_the_frame(person, kind):
    """Double-click the palette's entry where the frame is."""
    palette = person.window.palette_
    frame = person.window.tour.halo
    settle(0.15)
    at = palette.list.viewport().mapFrom(person.window, frame.geometry().center())
    assert palette.list.indexAt(at).data() == kind
    person.hand.click(palette.list.viewport(), at, 2)


def test_the_whole_tour_by_mouse_and_keys(person, tour):
    window = person.window
    assert not window.front.shows_page
    assert tour.bar.isVisible()

    expect(person, "input")
    follow_the_frame(person, "Input")
    expect(person, "words")
    assert person.page.form.editor("shape").isAncestorOf(framed(tour))
    person.set("shape", "100")
    person.set("dtype", "int32")
    expect(person, "embedding")
    follow_the_frame(person, "Embedding")
    expect(person, "vectors")
    person.set("input_dim", "10000")
    person.set("output_dim", "512")
    expect(person, "lstm")
    follow_the_frame(person, "LSTM")
    expect(person, "judge")
    follow_the_frame(person, "Dense")
    person.set("units", "1")
    person.set("activation", "sigmoid")
    expect(person, "judge_loss")
    person.make_output("BinaryCrossentropy", "0.2")
    expect(person, "numbers")
    person.select_nothing()
    follow_the_frame(person, "Input")
    person.rename("aux_input")
    person.set("shape", "5")
    expect(person, "join")
    person.select_nothing()
    follow_the_frame(person, "Concatenate")
    person.wire("lstm", "concatenate")
    person.wire("aux_input", "concatenate", slot=1)
    expect(person, "hidden")
    person.select("concatenate")
    for _ in range(3):
        person.add("Dense")
        person.set("units", "64")
        person.set("activation", "relu")
    expect(person, "main")
    person.add("Dense")
    person.set("units", "1")
    person.set("activation", "sigmoid")
    expect(person, "main_loss")
    person.make_output("BinaryCrossentropy", "1")
    expect(person, "data")
    source = window.data.source
    assert framed(tour) is source
    person.choose(source, "built-in: headline")
    person.until(lambda: step_shown(tour) == "train", 20)
    expect(person, "train")
    assert framed(tour).text() == "Train"
    assert not window.session.analysis.errors
    shorten(window.session, epochs=500)
    person.tool("Train")
    person.until(lambda: window.training.running, 5)
    person.until(lambda: step_shown(tour) == "lens", 5)
    look_through_the_lens(person, tour)
    assert window.training.running, "all that is seen while it trains"
    person.tool("Stop")  # before an epoch has ended, on a slow machine
    person.until(lambda: not window.training.running, 120)
    assert step_shown(tour) == "done"
    person.click(tour.bar.end)
    assert not tour.running
    assert not tour.bar.isVisible()


def look_through_the_lens(person, tour):
    """The last chapter, by mouse and keys."""
    window = person.window
    expect(person, "lens")
    assert framed(tour).text() == "Lens"
    person.tool("Lens")
    person.until(lambda: step_shown(tour) == "isolate", 5)
    person.until(lambda: window.canvas.lens.sample is not None, 60)
    settle(0.3)
    expect(person, "isolate")
    row = framed(tour)
    loss = own_loss(window)
    assert row is window.canvas.lens.legend.rows[loss]
    person.click(row)
    person.until(lambda: step_shown(tour) == "probe", 5)
    sample, node = window.canvas.lens.sample, person.find("embedding")
    assert sample.strengths[(node,)][loss] > 0, "the auxiliary loss reaches the table of words"
    expect(person, "probe")
    assert window.canvas.isAncestorOf(framed(tour))
    person.select("lstm")
    window.canvas.pointer = None
    QTest.keyClick(window.canvas, Qt.Key.Key_P)
    person.until(lambda: step_shown(tour) == "done", 5)
    assert len(window.session.document.graph.looks.probes) == 1


def shorten(session, epochs=1):
    """A few rows and epochs: what is learnt is for other tests."""
    document = session.document
    source = document.plan.data.source
    document = edits.set_data(document, source=type(source)(source.name, rows=200))
    session.commit("shorter", edits.set_run(document, epochs=epochs))


def test_who_would_rather_watch_gets_every_step_done(person, tour):
    session = person.window.session
    for name in BUILDING[:-1]:
        expect(person, name)
        before = session.history.undo_label
        person.click(tour.bar.on)
        assert session.history.undo_label != before
        assert text(f"tour.{name}") in session.history.undo_label
    expect(person, "train")
    assert not session.analysis.errors
    shorten(session)
    person.click(tour.bar.on)
    person.until(lambda: not person.window.training.running and session.project.runs, 120)
    for name in [look.id for look in LOOKS]:
        person.until(lambda name=name: step_shown(tour) == name, 20)
        if name == "isolate":  # there is nothing to isolate before it is seen
            person.until(lambda: person.window.canvas.lens.sample is not None, 60)
        person.click(tour.bar.on)
    person.until(lambda: step_shown(tour) == "done", 20)


def test_an_undo_goes_back_a_step(person, tour):
    person.click(tour.bar.on)
    person.click(tour.bar.on)
    expect(person, "embedding")
    person.tool("Undo")
    expect(person, "words")


def test_looking_back_shows_what_was_done_and_an_act_returns(person, tour):
    person.click(tour.bar.on)
    person.click(tour.bar.on)
    person.click(tour.bar.back)
    assert tour.bar.title.text().startswith("✓")
    assert step_shown(tour) == "words"
    assert not tour.halo.isVisible()
    person.click(tour.bar.back)
    assert not tour.bar.back.isEnabled()
    person.click(tour.bar.on)
    assert step_shown(tour) == "words"
    document = person.window.session.document
    assert len(document.graph.calls) == 1, "looking does nothing"
    person.window.palette_.search.setFocus()
    person.add("Embedding")
    expect(person, "vectors")


def test_the_frame_lies_over_the_node_until_it_is_selected(person, tour):
    person.click(tour.bar.on)
    person.select_nothing()
    assert person.window.canvas.isAncestorOf(framed(tour))
    person.hand.click(person.window.canvas.viewport(), person.place("main_input"))
    assert person.window.inspector.isAncestorOf(framed(tour))


def test_a_search_in_the_palette_is_cleared_for_the_frame(person, tour):
    person.click(tour.bar.on)
    person.write(person.window.palette_.search, "dropout", end="")
    person.click(tour.bar.on)
    follow_the_frame(person, "Embedding")


def test_no_frame_where_the_palette_is_closed(person, tour):
    person.window.docks["palette"].close()
    settle(0.3)
    assert not tour.halo.isVisible()


def test_another_project_ends_it(person, tour):
    person.click(tour.bar.on)
    person.window.show_session(Session(Project(EXAMPLES["digits"]())))
    assert not tour.running
    assert not tour.bar.isVisible()
    assert not tour.halo.isVisible()


def test_the_start_page_covers_it_and_it_goes_on_after(person, tour):
    person.click(tour.bar.on)
    person.window.front.show_page()
    settle(0.2)
    assert not tour.bar.isVisible()
    assert not tour.halo.isVisible()
    person.window.front.leave_page()
    settle(0.2)
    assert tour.bar.isVisible()
    assert tour.halo.isVisible()
    expect(person, "words")


def test_it_speaks_the_language_of_the_window(person, tour):
    person.window.set_language("zh_CN")
    expect(person, "input")
    assert tour.bar.end.text() == "结束导览"


def test_the_mouse_goes_through_the_frame(person, tour):
    settle(0.15)
    at = tour.halo.geometry().center()
    beneath = QApplication.widgetAt(person.window.mapToGlobal(QPoint(at)))
    assert beneath is not tour.halo


def test_it_takes_a_tab_beside_what_is_open(person):
    window = person.window
    window.canvas.add_layer("Dense")
    before = window.session
    window.actions_.qt["tour"].trigger()
    assert window.tour.running
    assert [desk.session for desk in window.tabs.desks] == [before, window.session]
    assert not window.session.document.graph.calls


@pytest.mark.parametrize("by", ["another tab", "closing its own", "closing the only one"])
def test_it_ends_with_its_tab(person, by):
    window = person.window
    if by != "closing the only one":
        window.canvas.add_layer("Dense")
    window.actions_.qt["tour"].trigger()
    settle(0.2)
    assert window.tour.halo.isVisible()
    if by == "another tab":
        bar = window.tabs.bar
        person.hand.click(bar, bar.tabRect(0).center())
    else:
        window.close_tab()
    settle(0.3)
    assert not window.tour.running
    assert not window.tour.bar.isVisible()
    assert not window.tour.halo.isVisible()


def test_what_was_looked_at_stays_so_when_the_lens_is_put_away(person, tour):
    window, session = person.window, person.window.session
    for _ in BUILDING[:-1]:
        person.click(tour.bar.on)
    shorten(session)
    person.click(tour.bar.on)
    person.until(lambda: not window.training.running and session.project.runs, 120)
    person.tool("Lens")
    person.until(lambda: step_shown(tour) == "isolate", 5)
    person.tool("Lens")
    settle(0.3)
    assert step_shown(tour) == "isolate"
    assert not tour.halo.isVisible(), "there is no legend to point at"
    person.click(tour.bar.on)  # puts the lens on again, and waits for what is seen
    person.until(lambda: window.canvas.lens.sample is not None, 60)
    person.click(tour.bar.on)
    person.until(lambda: step_shown(tour) == "probe", 5)
