"""Everything that can be done to a project under edit, each a function of a `Bench` and a choice.

Those of the window are done as it does them; others are the document's own edits, composed as the
window composes them.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from studio.declare import declared
from studio.document import (
    building,
    edits,
    excerpt,
    layout,
    look_edits,
    muting,
    repairs,
    rewiring,
    sharing,
)
from studio.document.additive import with_hidden
from studio.document.analysis import why_not
from studio.document.inside import layers_of
from studio.document.look_edits import Load
from studio.document.looks import COLOURS, Frame, Note
from studio.document.model import (
    CallId,
    Endpoint,
    LayerId,
    Submodel,
    Unknown,
    Wire,
    Wrapped,
)
from studio.layers import CATALOGUE, FROM_FILES
from studio.layers.base import Layer
from studio.layers.bidirectional import Bidirectional
from studio.layers.dense import Dense
from studio.layers.dropout import Dropout
from studio.layers.embedding import Embedding
from studio.layers.flatten import Flatten
from studio.layers.input import Input
from studio.layers.lstm import LSTM
from studio.layers.merge_concatenate import Concatenate
from studio.layers.time_distributed import TimeDistributed
from studio.ui.canvas import commands, holding
from studio.ui.sharing import Sharing
from tests.document.drawn import headline
from tests.formats.examples import fill, two_outputs
from tests.reliability.bench import Bench, Choose, Idle

Act = Callable[[Bench, Choose], object]

ACTS: dict[str, Act] = {}

BODIES = (
    Input((4,)),
    Input((3,), "int32"),
    Input((6, 4)),
    Dense(3),
    Dense(1, "sigmoid"),
    Embedding(9, 2),
    LSTM(2),
    LSTM(2, return_sequences=True, return_state=True),
    Bidirectional(LSTM(2)),
    Concatenate(),
    Flatten(),
    Dropout(0.5),
    TimeDistributed(),
    Unknown("FromTheFuture", {"units": 3, "inner": {"of": [1, 2.5, None]}}),
)
NAMES = ("", "mine", "dense", "a ▸ b", "层", "dense_1")
COMMON = ("Dense", "LSTM", "Dropout", "Concatenate", "Add", "Flatten", "Reshape", "Activation")


def act(function: Act) -> Act:
    """One of the acts."""
    ACTS[function.__name__] = function
    return function


# -- choosing what there is ------------------------------------------------------------------------


def entry_layers(bench: Bench, *kinds: type) -> list[LayerId]:
    """The layers of the document whose body is one of these."""
    return [k for k, e in bench.document.layers.items() if isinstance(e.body, kinds)]


def calls_of(bench: Bench, *kinds: type) -> list[CallId]:
    """The calls of the graph shown whose layer is one of these."""
    seen = bench.session.seen
    return [c for c in bench.calls if isinstance(seen.entry(c).body, kinds)]


def ports(bench: Bench, calls: list[CallId], side: int) -> list[Endpoint]:
    """The input (0) or output (1) ports of calls of the graph shown."""
    seen = bench.session.seen
    return [Endpoint(c, p.name) for c in calls for p in seen.ports(seen.entry(c))[side]]


def a_wire(bench: Bench, choose: Choose) -> Wire:
    return choose.one(sorted(bench.graph.wires))


def fitting(bench: Bench, choose: Choose, kinds: tuple[str, ...] = ()) -> Layer:
    """A new layer of some kind, set up as one of its examples."""
    kind = choose.one(kinds or [k for k in CATALOGUE if k not in FROM_FILES])
    made = declared("layers", kind)
    example = choose.one([dict(e.params) for e in made.examples] or [{}])
    body = made(**example)
    assert isinstance(body, Layer)
    return body


def select(bench: Bench, choose: Choose, most: int = 4) -> None:
    """Select some nodes, perhaps with wires, frames and notes."""
    bench.board.select(choose.some(bench.calls, most))
    if choose.chance() and bench.graph.wires:
        bench.board.select_wires(frozenset(choose.some(sorted(bench.graph.wires))))
    if choose.chance():
        bench.board.picking.pick(sorted(bench.graph.looks.pieces)[: choose.number(0, 2)])


def another(choose: Choose, value: Any, choices: tuple[str, ...]) -> Any:
    """Another value for a parameter, of the same sort; not always one that makes sense."""
    if isinstance(value, bool):
        return not value
    if choices:
        return choose.one(choices)
    if isinstance(value, int):
        return choose.number(-1, 5)
    if isinstance(value, float):
        return choose.one((0.0, 0.25, 1.0, 3, -0.0))
    if isinstance(value, tuple):
        return choose.one(((2,), (3, 2), (), (4, 1)))
    raise Idle


# -- layers and calls ------------------------------------------------------------------------------


@act
def add(bench: Bench, choose: Choose) -> None:
    body = choose.one(BODIES)
    bench.commit(edits.add_layer(bench.document, body, choose.place(), graph=bench.where)[0])


@act
def add_any(bench: Bench, choose: Choose) -> None:
    document, _ = edits.add_layer(
        bench.document, fitting(bench, choose), choose.place(), graph=bench.where
    )
    bench.commit(document)


@act
def add_after(bench: Bench, choose: Choose) -> None:
    """As from the palette: wired to what is selected."""
    bench.board.select([choose.one(bench.calls)])
    bench.board.add_layer(choose.one(COMMON))


@act
def add_chain(bench: Bench, choose: Choose) -> None:
    """As proposals do: a layer that reads another, and its twin that reads it."""
    if bench.session.way:
        raise Idle
    source = choose.one([e.call for e in ports(bench, bench.calls, 1)])
    made, call = building.add(bench.document, Dense(4), source, name=choose.one(NAMES))
    bench.commit(building.again(made, call, call)[0])


@act
def twin(bench: Bench, choose: Choose) -> None:
    layer = choose.one(bench.document.layers)
    bench.commit(edits.use_layer(bench.document, layer, choose.place(), graph=bench.where)[0])


@act
def use_again(bench: Bench, choose: Choose) -> None:
    select(bench, choose)
    sharer(bench).use_again()


@act
def remove(bench: Bench, choose: Choose) -> None:
    bench.commit(edits.remove_calls(bench.document, choose.some(bench.calls)))


@act
def remove_branch(bench: Bench, choose: Choose) -> None:
    bench.commit(edits.remove_branch(bench.document, choose.one(bench.calls)))


@act
def delete(bench: Bench, choose: Choose) -> None:
    select(bench, choose)
    bench.board.delete_selection()


@act
def move(bench: Bench, choose: Choose) -> None:
    places = {c: choose.place() for c in choose.some(bench.calls)}
    bench.commit(edits.move_calls(bench.document, places))


@act
def set_parameter(bench: Bench, choose: Choose) -> None:
    layer = choose.one(entry_layers(bench, Layer))
    body = bench.document.layers[layer].body
    assert isinstance(body, Layer)
    p = choose.one(body.params())
    value = another(choose, getattr(body, p.name), p.choices)
    bench.commit(edits.set_parameters(bench.document, layer, **{p.name: value}))


@act
def set_by_fix(bench: Bench, choose: Choose) -> None:
    """The edit that problems carry, which can be pickled."""
    layer = choose.one(entry_layers(bench, Dense))
    bench.commit(edits.setting(layer, units=choose.number(1, 5))(bench.document))


@act
def rename(bench: Bench, choose: Choose) -> None:
    layer = choose.one(bench.document.layers)
    bench.commit(edits.rename_layer(bench.document, layer, choose.one(NAMES)))


@act
def freeze(bench: Bench, choose: Choose) -> None:
    layer = choose.one(bench.document.layers)
    bench.commit(edits.set_trainable(bench.document, layer, choose.chance()))


@act
def toggle_frozen(bench: Bench, choose: Choose) -> None:
    select(bench, choose)
    sharer(bench).toggle_frozen()


# -- wires -----------------------------------------------------------------------------------------


@act
def connect(bench: Bench, choose: Choose) -> None:
    start = choose.one(ports(bench, bench.calls, 1))
    end = choose.one(ports(bench, bench.calls, 0))
    slot = choose.one((None, None, 0, 1, 9))
    bench.commit(edits.connect(bench.document, start, end, slot))


@act
def connect_fitting(bench: Bench, choose: Choose) -> None:
    """A wire that fits, as most do."""
    end = choose.one(ports(bench, bench.calls, 0))
    starts = [s for s in ports(bench, bench.calls, 1) if why_not(bench.document, s, end) is None]
    bench.commit(edits.connect(bench.document, choose.one(starts), end))


@act
def disconnect(bench: Bench, choose: Choose) -> None:
    bench.commit(edits.disconnect(bench.document, choose.some(sorted(bench.graph.wires))))


@act
def insert_on_wire(bench: Bench, choose: Choose) -> None:
    wire, call = a_wire(bench, choose), choose.one(bench.calls)
    if call in (wire.source, wire.target):
        raise Idle
    before = choose.one((None, 0, 1))
    bench.commit(rewiring.insert_on_wire(bench.document, wire, call, before))


@act
def lead_wire(bench: Bench, choose: Choose) -> None:
    wire = a_wire(bench, choose)
    points = [choose.place() for _ in range(choose.number(1, 2))]
    bench.commit(rewiring.led(bench.document, (wire.start, wire.end), points, wire.slot))


@act
def pull_out(bench: Bench, choose: Choose) -> None:
    bench.commit(rewiring.pulled_out(bench.document, choose.some(bench.calls)))


@act
def heal(bench: Bench, choose: Choose) -> None:
    select(bench, choose)
    bench.board.heal_selection()


@act
def heal_one(bench: Bench, choose: Choose) -> None:
    bench.commit(rewiring.healed(bench.document, choose.some(bench.calls)))


@act
def replace_by(bench: Bench, choose: Choose) -> None:
    call, body = choose.one(bench.calls), fitting(bench, choose)
    bench.commit(rewiring.replace_layer(bench.document, call, body))


# -- repairs ---------------------------------------------------------------------------------------


@act
def repair(bench: Bench, choose: Choose) -> None:
    problem = choose.one(bench.session.analysis.problems)
    fixes = repairs.repairs(bench.document, problem, bench.session.analysis)
    fix = choose.one(fixes)
    bench.session.commit(str(fix), fix.edit(bench.document))


@act
def insert_between(bench: Bench, choose: Choose) -> None:
    wire, body = a_wire(bench, choose), choose.one((Flatten(), Dense(4), Dropout(0.1)))
    bench.commit(repairs.insert(bench.document, wire=wire, body=body))


@act
def join(bench: Bench, choose: Choose) -> None:
    wire, other = a_wire(bench, choose), choose.one(ports(bench, bench.calls, 1))
    bench.commit(repairs.join(bench.document, wire=wire, other=other))


@act
def compare(bench: Bench, choose: Choose) -> None:
    heads = [c for c in calls_of(bench, Dense) if len(bench.graph.into(c)) == 1]
    bench.commit(with_hidden(bench.document, head=choose.one(heads)))


# -- copies ----------------------------------------------------------------------------------------


@act
def duplicate(bench: Bench, choose: Choose) -> None:
    select(bench, choose)
    bench.board.duplicate()


@act
def copy_and_paste(bench: Bench, choose: Choose) -> None:
    select(bench, choose)
    if bench.board.clipboard.copy():
        bench.board.clipboard.paste(keep_inbound=choose.chance())


@act
def cut_and_paste(bench: Bench, choose: Choose) -> None:
    select(bench, choose)
    bench.board.clipboard.cut()
    if choose.chance():
        bench.board.clipboard.paste()


@act
def paste_elsewhere(bench: Bench, choose: Choose) -> None:
    """A part of one graph, put into another, or of another document."""
    source = bench.document if choose.chance() else headline()[0]
    graph = choose.one(source.graphs)
    part = excerpt.excerpt(source, graph, choose.some(source.graphs[graph].calls))
    made = excerpt.paste(bench.document, part, bench.where, (40.0, 40.0), choose.chance())
    bench.commit(made.document)


# -- sharing and nesting ---------------------------------------------------------------------------


def sharer(bench: Bench) -> Sharing:
    window: Any = SimpleNamespace(session=bench.session, canvas=bench.board)
    return Sharing(window)


@act
def group(bench: Bench, choose: Choose) -> None:
    calls = choose.some(bench.calls, 5)
    bench.commit(sharing.group(bench.document, calls, choose.one(("model", "mine")))[0])


@act
def group_all(bench: Bench, choose: Choose) -> None:
    """All that lies between two nodes, which is no detour."""
    call = choose.one(bench.calls)
    found = edits.linked(bench.graph, [call], downstream=choose.chance(), upstream=choose.chance())
    bench.commit(sharing.group(bench.document, found, "model")[0])


@act
def ungroup(bench: Bench, choose: Choose) -> None:
    call = choose.one(calls_of(bench, Submodel))
    bench.board.select([call])
    sharer(bench).ungroup()


@act
def wrap(bench: Bench, choose: Choose) -> None:
    call = choose.one(bench.calls)
    bench.commit(sharing.wrap(bench.document, call, TimeDistributed()))


@act
def unwrap(bench: Bench, choose: Choose) -> None:
    bench.commit(sharing.unwrap(bench.document, choose.one(calls_of(bench, Wrapped))))


@act
def put_into(bench: Bench, choose: Choose) -> None:
    wrapper = choose.one(calls_of(bench, Wrapped, TimeDistributed))
    bench.commit(sharing.put_into(bench.document, wrapper, choose.one(bench.document.layers)))


@act
def put_new_into(bench: Bench, choose: Choose) -> None:
    wrapper = choose.one(calls_of(bench, Wrapped, TimeDistributed, Bidirectional))
    body = choose.one((Dense(2), LSTM(3), Dropout(0.2)))
    bench.commit(holding.filled(bench.document, wrapper, body))


@act
def move_into(bench: Bench, choose: Choose) -> None:
    wrapper = choose.one(calls_of(bench, Wrapped, TimeDistributed, Bidirectional))
    call = choose.one([c for c in bench.calls if c != wrapper])
    bench.commit(holding.moved_into(bench.document, wrapper, call))


@act
def make_independent(bench: Bench, choose: Choose) -> None:
    select(bench, choose)
    sharer(bench).make_independent()


@act
def insert_project(bench: Bench, choose: Choose) -> None:
    other, frozen = fill(two_outputs()), choose.chance()
    sharer(bench).insert(bench.folder / "other model.loom", other, frozen)


@act
def insert_shared(bench: Bench, choose: Choose) -> None:
    """As Python does with a model that is called: its layers are those that are there."""
    same = {k: k for k in layers_of(bench.document, bench.document.main)}
    document, layer, _ = sharing.insert(bench.document, bench.document, same)
    bench.commit(edits.use_layer(document, layer, graph=bench.where)[0])


# -- what is only drawn ----------------------------------------------------------------------------


@act
def mute(bench: Bench, choose: Choose) -> None:
    bench.commit(muting.mute(bench.document, choose.some(bench.calls), choose.chance()))


@act
def toggle_muted(bench: Bench, choose: Choose) -> None:
    select(bench, choose)
    bench.board.toggle_muted()


@act
def collapse(bench: Bench, choose: Choose) -> None:
    calls = choose.some(bench.calls)
    bench.commit(look_edits.collapse(bench.document, calls, choose.chance()))


@act
def frame(bench: Bench, choose: Choose) -> None:
    x, y = choose.place()
    made = Frame((x, y, 400.0, 300.0), choose.one(NAMES), choose.one(COLOURS))
    bench.commit(look_edits.add_frame(bench.document, made, bench.where)[0])


@act
def note(bench: Bench, choose: Choose) -> None:
    made = Note((*choose.place(), 200.0, 90.0), choose.one(("", "words\nof two lines", "字")))
    bench.commit(look_edits.add_note(bench.document, made, bench.where)[0])


@act
def change_frame(bench: Bench, choose: Choose) -> None:
    piece = choose.one(bench.graph.looks.frames)
    values = choose.one(({"title": choose.one(NAMES)}, {"colour": choose.one(COLOURS)}))
    bench.commit(look_edits.change_piece(bench.document, piece, **values))


@act
def write_note(bench: Bench, choose: Choose) -> None:
    piece = choose.one(bench.graph.looks.notes)
    bench.commit(look_edits.change_piece(bench.document, piece, text=choose.one(NAMES)))


@act
def place_piece(bench: Bench, choose: Choose) -> None:
    piece = choose.one(bench.graph.looks.pieces)
    rect = (*choose.place(), 300.0, 200.0)
    bench.commit(look_edits.place_pieces(bench.document, {piece: rect}))


@act
def remove_pieces(bench: Bench, choose: Choose) -> None:
    bench.commit(look_edits.remove_pieces(bench.document, choose.some(bench.graph.looks.pieces)))


@act
def bend(bench: Bench, choose: Choose) -> None:
    points = [choose.place() for _ in range(choose.number(0, 3))]
    bench.commit(look_edits.bend(bench.document, {a_wire(bench, choose): points}))


@act
def pin(bench: Bench, choose: Choose) -> None:
    end = choose.one(ports(bench, bench.calls, 1))
    bench.commit(look_edits.pin(bench.document, {end: choose.place()}))


@act
def unpin(bench: Bench, choose: Choose) -> None:
    end = choose.one(bench.graph.looks.probes)
    bench.commit(look_edits.unpin(bench.document, [end]))


@act
def shift(bench: Bench, choose: Choose) -> None:
    graph = bench.graph
    bends = [(w, i) for w, points in graph.looks.bends.items() for i in range(len(points))]
    load = Load(
        frozenset(choose.some(bench.calls)),
        frozenset(sorted(graph.looks.pieces)[: choose.number(0, 2)]),
        frozenset(sorted(bends)[: choose.number(0, 2)]),
    )
    bench.commit(look_edits.shift(bench.document, bench.where, load, choose.place()))


@act
def arrange(bench: Bench, choose: Choose) -> None:
    bench.board.select(bench.calls[: choose.number(0, 4)])
    bench.board.arrange()


@act
def arrange_unplaced(bench: Bench, choose: Choose) -> None:
    """As Python does before it opens a model: what lies on one heap is laid out."""
    heap = edits.move_calls(bench.document, dict.fromkeys(bench.calls, (0.0, 0.0)))
    bench.commit(layout.arrange_unplaced(heap))


@act
def align(bench: Bench, choose: Choose) -> None:
    bench.board.select(choose.some(bench.calls, 4))
    bench.board.align(choose.one(commands.EDGES))


@act
def distribute(bench: Bench, choose: Choose) -> None:
    bench.board.select(choose.some(bench.calls, 5))
    bench.board.distribute(choose.chance())


# -- beside the document ---------------------------------------------------------------------------


@act
def undo(bench: Bench, choose: Choose) -> None:
    for _ in range(choose.number(1, 4)):
        bench.undo()


@act
def redo(bench: Bench, choose: Choose) -> None:
    for _ in range(choose.number(1, 4)):
        bench.redo()


@act
def look_inside(bench: Bench, choose: Choose) -> None:
    bench.session.enter(choose.one([c for c in bench.calls if bench.session.holds_model(c)]))


@act
def look_outside(bench: Bench, choose: Choose) -> None:
    if not bench.session.way:
        raise Idle
    bench.session.leave()


@act
def save(bench: Bench, choose: Choose) -> None:
    assert bench.save(bench.path)


@act
def fail_to_save(bench: Bench, choose: Choose) -> None:
    """There is no such folder any more."""
    assert not bench.save(bench.folder / "gone" / "project.loom")


@act
def load(bench: Bench, choose: Choose) -> None:
    bench.load()


@act
def learn(bench: Bench, choose: Choose) -> None:
    bench.learn()
