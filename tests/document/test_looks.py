from hypothesis import given, settings
from hypothesis import strategies as st

from studio.document import edits, look_edits, sharing
from studio.document.canonical import canonical
from studio.document.copier import Copier
from studio.document.history import History
from studio.document.layout import arrange
from studio.document.looks import Frame, Looks, Note, around, contains
from studio.document.model import Document, Endpoint, Submodel, Wire
from studio.document.rewiring import replace_layer
from studio.layers.gru import GRU
from studio.layers.lstm import LSTM
from studio.layers.time_distributed import TimeDistributed
from tests.document.drawn import Drawing, into, out
from tests.formats.documents import documents


def chain() -> tuple[Document, list[str]]:
    """An Input and three Dense in a row, 200 apart."""
    d = Drawing()
    calls = [d.add("Input", shape=(4,))]
    for _ in range(3):
        calls.append(d.add("Dense", calls[-1], units=4))
    d.output(calls[-1])
    return edits.move_calls(d.document, {c: (200.0 * i, 0.0) for i, c in enumerate(calls)}), calls


def wire(document: Document, source: str, target: str) -> Wire:
    return next(w for w in document.graph.wires if (w.source, w.target) == (source, target))


def bent() -> tuple[Document, list[str]]:
    """The chain, each of its wires through one point."""
    document, calls = chain()
    points = {w: [(calls.index(w.target) * 200.0 - 20, 50.0)] for w in document.graph.wires}
    return look_edits.bend(document, points), calls


def test_looks_mean_nothing() -> None:
    document, calls = chain()
    looked, frame = look_edits.add_frame(document, Frame((0, 0, 9, 9), "a"))
    looked, note = look_edits.add_note(looked, Note((0, 0, 9, 9), "b"))
    looked = look_edits.collapse(looked, calls)
    looked = look_edits.bend(looked, {w: [(1, 2)] for w in document.graph.wires})
    looked = look_edits.pin(looked, {out(c): (0, 60) for c in calls})
    assert canonical(looked) == canonical(document)
    assert (frame[0], note[0]) == ("f", "n")


def test_bends_come_along_when_both_ends_move_alike() -> None:
    document, calls = bent()
    moved = edits.move_calls(document, {calls[1]: (230.0, 7.0), calls[2]: (430.0, 7.0)})
    assert moved.graph.looks.bends[wire(moved, calls[1], calls[2])] == ((410.0, 57.0),)
    assert moved.graph.looks.bends[wire(moved, calls[0], calls[1])] == ((180.0, 50.0),)


def test_bends_go_with_their_wires() -> None:
    document, calls = bent()
    gone = edits.remove_calls(document, [calls[2]])
    assert set(gone.graph.looks.bends) == {wire(gone, calls[0], calls[1])}
    cut = edits.disconnect(document, [wire(document, calls[0], calls[1])])
    assert len(cut.graph.looks.bends) == 2


def test_a_wire_that_takes_another_slot_keeps_its_bends() -> None:
    d = Drawing()
    a, b, c = (d.add("Input", shape=(4,)) for _ in range(3))
    join = d.add("Concatenate", a, b)
    document = look_edits.bend(d.document, {wire(d.document, b, join): [(5, 6)]})
    shifted = edits.connect(document, out(c), into(join), slot=0)
    assert shifted.graph.looks.bends == {wire(shifted, b, join): ((5, 6),)}
    closed = edits.remove_calls(shifted, [a, c])
    assert closed.graph.looks.bends == {Wire(b, "output", join, "x", 0): ((5, 6),)}


def test_arranging_straightens_what_it_moves() -> None:
    document, calls = bent()
    assert arrange(document).graph.looks.bends == {}
    some = arrange(document, calls=calls[:2])
    assert wire(some, calls[0], calls[1]) not in some.graph.looks.bends
    assert wire(some, calls[2], calls[3]) in some.graph.looks.bends


def test_a_frame_around_a_group_goes_inside_and_comes_back() -> None:
    document, calls = bent()
    document, held = look_edits.add_frame(document, Frame((190, -50, 400, 300), "both"))
    document, note = look_edits.add_note(document, Note((200, 200, 50, 30), "why"))
    document, wide = look_edits.add_frame(document, Frame((-50, -90, 900, 500), "all"))
    grouped, model = sharing.group(document, calls[1:3])
    (inner,) = [g for k, g in grouped.graphs.items() if k != grouped.main]
    assert set(inner.looks.frames) == {held}
    assert set(inner.looks.notes) == {note}
    assert set(grouped.graph.looks.frames) == {wide}
    # The bends: one between the two, one on the way in; the one on the way out stays outside.
    assert sorted(inner.looks.bends.values()) == [((180.0, 50.0),), ((380.0, 50.0),)]
    assert list(grouped.graph.looks.bends.values()) == [((580.0, 50.0),)]
    assert sharing.ungroup(grouped, model).graph == document.graph


def test_a_copied_graph_looks_like_the_first_with_ids_of_its_own() -> None:
    document, _ = bent()
    document, frame = look_edits.add_frame(document, Frame((0, 0, 9, 9), "a"))
    copier = Copier(document, document)
    made = copier.graph(document.main)
    copied = copier.document.graphs[made]
    (other,) = copied.looks.frames
    assert other != frame
    assert copied.looks.frames[other] == document.graph.looks.frames[frame]
    assert sorted(copied.looks.bends.values()) == sorted(document.graph.looks.bends.values())
    assert copied.looks.bends.keys() == copied.wires


def test_a_wrapper_changes_ports_not_bends() -> None:
    d = Drawing()
    image = d.add("Input", shape=(3, 4))
    dense = d.output(d.add("Dense", image, units=2))
    document = look_edits.bend(d.document, {wire(d.document, image, dense): [(5, 6)]})
    wrapped = sharing.wrap(document, dense, TimeDistributed())
    assert list(wrapped.graph.looks.bends.values()) == [((5, 6),)]
    assert set(wrapped.graph.looks.bends) == wrapped.graph.wires


def test_what_is_copied_along_with_calls() -> None:
    document, calls = bent()
    document, frame = look_edits.add_frame(document, Frame((0, 0, 9, 9), "a", "teal"))
    document, note = look_edits.add_note(document, Note((0, 50, 9, 9), "b"))
    document, _ = look_edits.add_note(document, Note((0, 90, 9, 9), "left behind"))
    part = look_edits.looks_of(document.graph, set(calls[:2]), {frame, note})
    first, last = wire(document, calls[0], calls[1]), wire(document, calls[2], calls[3])
    assert part == Looks(
        {frame: Frame((0, 0, 9, 9), "a", "teal")},
        {note: Note((0, 50, 9, 9), "b")},
        {first: ((180.0, 50.0),)},
    )
    copier = Copier(document, document)
    made = copier.graph(document.main)
    copied = copier.document.graphs[made].looks
    assert set(copied.frames) == {copier.pieces[frame]}
    joined = document.graph.looks.joined(copied.moved((10.0, 20.0)))
    assert joined.frames[copier.pieces[frame]].rect == (10.0, 20.0, 9, 9)
    assert joined.frames[frame].rect == (0, 0, 9, 9)
    assert joined.bends[last] == ((580.0, 50.0),)
    assert len(joined.bends) == 2 * len(document.graph.looks.bends)


def test_pieces_are_changed_placed_and_removed() -> None:
    document, frame = look_edits.add_frame(Document(), Frame((0, 0, 9, 9), "a"))
    document, note = look_edits.add_note(document, Note((0, 0, 9, 9), "b"))
    document = look_edits.change_piece(document, frame, title="other", colour="pink")
    document = look_edits.change_piece(document, note, text="words")
    document = look_edits.place_pieces(document, {frame: (1, 2, 3, 4), note: (5, 6, 7, 8)})
    assert document.graph.looks == Looks(
        {frame: Frame((1, 2, 3, 4), "other", "pink")}, {note: Note((5, 6, 7, 8), "words")}
    )
    assert look_edits.remove_pieces(document, {frame, note}).graph.looks.empty


def test_a_frame_around_boxes() -> None:
    rect = around([(0, 0, 100, 50), (200, 20, 10, 90)], margin=10, above=30)
    assert rect == (-10, -40, 230, 160)
    assert contains(rect, (0, 0, 100, 50))
    assert not contains((0, 0, 100, 50), rect)


@settings(max_examples=60, deadline=None)
@given(documents(), st.data())
def test_every_edit_of_looks_is_undone_exactly_and_means_nothing(document, data) -> None:
    calls = sorted(c for _, c, _ in document.calls())
    some = data.draw(st.sets(st.sampled_from(calls))) if calls else set()
    wires = sorted(w for g in document.graphs.values() for w in g.wires)
    bends = {w: data.draw(st.lists(st.just((1.0, 2.0)), max_size=2)) for w in wires[:3]}
    history, before = History(document), canonical(document)
    first, _ = look_edits.add_frame(document, Frame((0, 0, 5, 5)))
    acts = [
        first,
        look_edits.add_note(first, Note((0, 0, 5, 5)))[0],
        look_edits.collapse(first, some, data.draw(st.booleans())),
        look_edits.bend(first, bends),
        look_edits.pin(first, {Endpoint(c, "output"): (3.0, 4.0) for c in some}),
        look_edits.remove_pieces(first, set(first.graph.looks.frames)),
    ]
    for act in acts:
        history.commit("act", act)
        assert canonical(act) == before
    while history.undo_label is not None:
        history.undo()
    assert history.document.graphs == document.graphs


def test_a_bend_of_a_wire_that_is_not_there_is_forgotten() -> None:
    document, calls = chain()
    nowhere = Wire(calls[0], "output", calls[3], "x")
    assert look_edits.bend(document, {nowhere: [(0, 0)]}) == document


# -- probes --------------------------------------------------------------------------------------


def test_a_probe_is_pinned_moved_and_taken_away() -> None:
    document, calls = chain()
    pinned = look_edits.pin(document, {out(calls[1]): (0, 60), Endpoint("c99", "output"): (0, 0)})
    assert pinned.graph.looks.probes == {out(calls[1]): (0, 60)}
    elsewhere = look_edits.pin(pinned, {out(calls[1]): (9, 90)})
    assert elsewhere.graph.looks.probes == {out(calls[1]): (9, 90)}
    assert look_edits.unpin(elsewhere, {out(calls[1])}) == document


def test_a_probe_goes_with_its_call_and_stays_without_its_wire() -> None:
    document, calls = chain()
    pinned = look_edits.pin(document, {out(c): (0, 60) for c in calls[1:3]})
    cut = edits.disconnect(pinned, pinned.graph.wires)
    assert set(cut.graph.looks.probes) == {out(calls[1]), out(calls[2])}
    gone = edits.remove_calls(pinned, [calls[2]])
    assert set(gone.graph.looks.probes) == {out(calls[1])}
    muted = look_edits.collapse(pinned, calls)
    assert muted.graph.looks.probes == pinned.graph.looks.probes


def test_probes_go_into_a_model_and_come_back() -> None:
    document, calls = chain()
    pinned = look_edits.pin(document, {out(c): (0, 60) for c in (calls[0], calls[1], calls[3])})
    grouped, model = sharing.group(pinned, calls[1:3])
    (inner,) = [g for k, g in grouped.graphs.items() if k != grouped.main]
    assert set(inner.looks.probes) == {out(calls[1])}
    assert set(grouped.graph.looks.probes) == {out(calls[0]), out(calls[3])}
    assert sharing.ungroup(grouped, model).graph == pinned.graph


def test_a_probe_of_a_model_is_at_the_call_within_once_it_is_spilled_where_it_stood() -> None:
    document, calls = chain()
    grouped, model = sharing.group(document, calls[1:3])
    end = Endpoint(model, out(calls[2]).key)
    spilled = sharing.ungroup(look_edits.pin(grouped, {end: (5, 70)}), model)
    (x, y) = grouped.graph.calls[model].position
    (there,) = spilled.graph.looks.probes.items()
    left, top = spilled.graph.calls[calls[2]].position
    assert there == (out(calls[2]), (x + 5 - left, y + 70 - top))


def test_a_probe_is_of_the_same_place_after_another_layer_has_come_there() -> None:
    d = Drawing()
    words = d.add("Input", shape=(5, 4))
    call = d.output(d.add("LSTM", words, units=3, return_state=True))
    document = look_edits.pin(d.document, {Endpoint(call, "state_h"): (0, 60)})
    assert isinstance(document.entry(call).body, LSTM)
    other = replace_layer(document, call, GRU(3, return_state=True))
    ports = [port.name for port in other.ports(other.entry(call))[1]]
    assert set(other.graph.looks.probes) == {Endpoint(call, ports[1])}


def test_a_copied_model_has_probes_of_its_own() -> None:
    document, calls = chain()
    pinned = look_edits.pin(document, {out(calls[1]): (0, 60)})
    grouped, model = sharing.group(pinned, calls[1:3])
    copied, _ = sharing.make_independent(grouped, model)
    body = copied.entry(model).body
    assert isinstance(body, Submodel)
    (probe,) = copied.graphs[body.graph].looks.probes
    assert probe.call in copied.graphs[body.graph].calls
    assert probe.call != calls[1]
