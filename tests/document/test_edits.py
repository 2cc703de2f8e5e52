"""Any sequence of edits leaves a sound document, and can be taken back and done again."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from studio.document import edits, look_edits, muting, rewiring
from studio.document.analysis import analyse, why_not
from studio.document.excerpt import excerpt, paste
from studio.document.history import History
from studio.document.look_edits import Load
from studio.document.looks import Frame
from studio.document.model import Document, Endpoint
from studio.document.plan import NumberColumns, TextColumn
from studio.layers.base import Layer
from studio.losses.regression import MeanSquaredError
from studio.optimizers.adam import Adam
from studio.problem import ProblemError
from tests.document.drawn import Drawing, headline, into, layer, out

BODIES = (
    layer("Input", shape=(4,)),
    layer("Input", shape=(3,), dtype="int32"),
    layer("Dense", units=3),
    layer("Embedding", input_dim=9, output_dim=2),
    layer("LSTM", units=2),
    layer("Concatenate"),
    layer("Flatten"),
    layer("Dropout"),
)


def is_sound(document: Document) -> None:
    """Ids lead somewhere, wires close no cycle, slots have no holes."""
    ids = [*document.graphs, *document.layers, *(c for _, c, _ in document.calls())]
    assert len(set(ids)) == len(ids)
    assert all(int(i[1:]) < document.next_id for i in ids)
    used = {call.layer for _, _, call in document.calls()}
    assert used == set(document.layers)
    for graph in document.graphs.values():
        assert set(graph.order()) == set(graph.calls)
        assert set(graph.inputs) <= set(graph.calls)
        assert {e.call for e in graph.outputs} <= set(graph.calls)
        assert len(set(graph.outputs)) == len(graph.outputs)
        assert graph.looks.bends.keys() <= graph.wires
        assert not any(graph.calls[call].muted for call in graph.inputs)
        ends: dict[Endpoint, list[int]] = {}
        for wire in graph.wires:
            assert {wire.source, wire.target} <= set(graph.calls)
            ends.setdefault(wire.end, []).append(wire.slot)
        for end, slots in ends.items():
            assert sorted(slots) == list(range(len(slots)))
            ports, _ = document.ports(document.entry(end.call))
            assert len(slots) == 1 or any(p.many for p in ports if p.name == end.port)
    outputs = {e.key for e in document.graph.outputs}
    assert set(document.plan.outputs) <= outputs
    assert set(document.plan.data.targets) <= outputs
    assert set(document.plan.data.inputs) <= set(document.graph.inputs)


def content(document: Document) -> Document:
    return replace(document, next_id=0)


class Editing(RuleBasedStateMachine):
    """A user at work."""

    @initialize(first=st.sampled_from([Document(), headline()[0]]))
    def start(self, first: Document) -> None:
        self.first = first
        self.history = History(first)
        self.told: list[tuple[Document, Document]] = []
        self.history.subscribe(lambda old, new: self.told.append((old, new)))
        self.committed = [self.history.document]
        self.analysis = analyse(first)
        self.given: set[str] = set()

    def do(self, document: Document) -> None:
        before = self.history.document
        self.history.commit("edit", document)
        assert (self.history.document != before) == (document != before)

    def pick(self, data: st.DataObject, of: list[str]) -> str:
        return data.draw(st.sampled_from(of))

    @property
    def now(self) -> Document:
        return self.history.document

    @property
    def calls(self) -> list[str]:
        return list(self.now.graph.calls)

    @rule(body=st.sampled_from(BODIES))
    def add(self, body: Layer) -> None:
        document, call = edits.add_layer(self.now, body)
        assert call not in self.given
        self.given.add(call)
        self.do(document)

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def twin(self, data: st.DataObject) -> None:
        document, call = edits.use_layer(self.now, self.pick(data, list(self.now.layers)))
        assert call not in self.given
        self.given.add(call)
        self.do(document)

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), slot=st.sampled_from([None, 0, 1, 9]))
    def connect(self, data: st.DataObject, slot: int | None) -> None:
        start, end = self.pick(data, self.calls), self.pick(data, self.calls)
        ports, _ = self.now.ports(self.now.entry(end))
        if not ports:
            return
        before = self.now
        reason = why_not(before, out(start), into(end))
        if reason is None or reason.code != "cycle":
            self.do(edits.connect(before, out(start), into(end), slot))
            return
        with pytest.raises(ProblemError) as caught:
            edits.connect(before, out(start), into(end), slot)
        assert caught.value.problems[0].code == "cycle"

    @precondition(lambda self: self.now.graph.wires)
    @rule(data=st.data())
    def disconnect(self, data: st.DataObject) -> None:
        wires = sorted(self.now.graph.wires)
        gone = data.draw(st.lists(st.sampled_from(wires), min_size=1, max_size=3))
        self.do(edits.disconnect(self.now, gone))

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        self.do(edits.remove_calls(self.now, [self.pick(data, self.calls)]))

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), name=st.sampled_from(["", "a", "b", "dense"]))
    def rename(self, data: st.DataObject, name: str) -> None:
        self.do(edits.rename_layer(self.now, self.pick(data, list(self.now.layers)), name))

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), units=st.sampled_from([1, 3, 0, -1, 2.5, None]))
    def parameters(self, data: st.DataObject, units: float | None) -> None:
        chosen = self.pick(data, list(self.now.layers))
        if self.now.layers[chosen].kind in ("Dense", "LSTM"):
            self.do(edits.set_parameters(self.now, chosen, units=units))

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def mark(self, data: st.DataObject) -> None:
        self.do(edits.mark_output(self.now, out(self.pick(data, self.calls))))

    @precondition(lambda self: self.now.graph.outputs)
    @rule(data=st.data())
    def unmark(self, data: st.DataObject) -> None:
        end = data.draw(st.sampled_from(self.now.graph.outputs))
        self.do(edits.unmark_output(self.now, end))

    @precondition(lambda self: self.now.graph.outputs)
    @rule(data=st.data())
    def plan(self, data: st.DataObject) -> None:
        end = data.draw(st.sampled_from(self.now.graph.outputs))
        document = edits.plan_output(self.now, end, loss=MeanSquaredError())
        self.do(edits.set_data(document, targets={end.key: NumberColumns(("y",))}))

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), x=st.floats(-9, 9))
    def move(self, data: st.DataObject, x: float) -> None:
        self.do(edits.move_calls(self.now, {self.pick(data, self.calls): (x, 0.0)}))

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), on=st.booleans())
    def mute_or_collapse(self, data: st.DataObject, on: bool) -> None:
        call = self.pick(data, self.calls)
        if call not in self.now.graph.inputs:
            self.do(muting.mute(self.now, [call], on))
        self.do(look_edits.collapse(self.now, [call], on))

    @rule(data=st.data())
    def look(self, data: st.DataObject) -> None:
        document, frame = look_edits.add_frame(self.now, Frame((0, 0, 9, 9), "frame"))
        wires = sorted(document.graph.wires)
        led = data.draw(st.lists(st.sampled_from(wires), unique=True)) if wires else []
        document = look_edits.bend(document, {wire: [(1.0, 2.0)] for wire in led})
        self.do(document)
        bends = frozenset((wire, 0) for wire in led)
        some = data.draw(st.sets(st.sampled_from(self.calls))) if self.calls else ()
        load = Load(frozenset(some), frozenset([frame]), bends)
        self.do(look_edits.shift(self.now, self.now.main, load, (3.0, 4.0)))
        looks = self.now.graph.looks
        assert looks.frames[frame].rect == (3, 4, 9, 9)
        assert all(looks.bends[wire] == ((4.0, 6.0),) for wire in led)

    @precondition(lambda self: self.now.graph.wires)
    @rule(data=st.data())
    def insert(self, data: st.DataObject) -> None:
        wire = data.draw(st.sampled_from(sorted(self.now.graph.wires)))
        call = self.pick(data, self.calls)
        try:
            document = rewiring.insert_on_wire(self.now, wire, call)
        except ProblemError:
            return
        assert wire not in document.graph.wires
        arriving = [w for w in document.graph.into(call) if w.start == wire.start]
        assert arriving
        leaving = [w for w in document.graph.out_of(call) if w.end == wire.end]
        assert wire.slot in {w.slot for w in leaving}
        self.do(document)

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), gone=st.booleans())
    def heal(self, data: st.DataObject, gone: bool) -> None:
        chosen = data.draw(st.lists(st.sampled_from(self.calls), min_size=1, max_size=3))
        document = rewiring.pulled_out(self.now, chosen)
        assert not any((w.source in chosen) != (w.target in chosen) for w in document.graph.wires)
        self.do(edits.remove_calls(document, chosen) if gone else document)

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), body=st.sampled_from(BODIES))
    def replace(self, data: st.DataObject, body: Layer) -> None:
        call = self.pick(data, self.calls)
        inputs = {self.now.entry(call).kind, body.kind} & {"Input"}
        if inputs:
            with pytest.raises(ProblemError, match="cannot be replaced"):
                rewiring.replace_layer(self.now, call, body)
            return
        left = self.now.graph.out_of(call)
        self.do(rewiring.replace_layer(self.now, call, body))
        assert self.now.entry(call).kind == body.kind
        assert self.now.graph.out_of(call) == left

    @precondition(lambda self: self.calls)
    @rule(data=st.data(), inbound=st.booleans())
    def copy(self, data: st.DataObject, inbound: bool) -> None:
        chosen = data.draw(st.lists(st.sampled_from(self.calls), min_size=1, max_size=3))
        part = excerpt(self.now, self.now.main, chosen)
        pasted = paste(self.now, part, self.now.main, (5.0, 0.0), inbound)
        assert self.given.isdisjoint(pasted.calls.values())
        self.given |= set(pasted.calls.values())
        names = [entry.name for entry in pasted.document.layers.values()]
        before = [entry.name for entry in self.now.layers.values()]
        if len(set(before)) == len(before):
            assert len(set(names)) == len(names)
        self.do(pasted.document)

    @rule()
    def undo(self) -> None:
        self.history.undo()

    @rule()
    def redo(self) -> None:
        self.history.redo()

    @invariant()
    def sound(self) -> None:
        is_sound(self.now)
        self.analysis = analyse(self.now, self.analysis)
        whole = analyse(self.now)
        assert self.analysis.specs == whole.specs
        assert self.analysis.bypass == whole.bypass
        assert all(old is not new for old, new in self.told)
        if self.told:
            assert self.told[-1][1] is self.now

    def teardown(self) -> None:
        last = self.now
        acts = 0
        while self.history.undo_label is not None:
            self.history.undo()
            acts += 1
            is_sound(self.now)
        assert content(self.now) == content(self.first)
        assert self.now.next_id == last.next_id
        for _ in range(acts):
            self.history.redo()
        assert self.now == last


TestEditing = Editing.TestCase
TestEditing.settings = settings(
    max_examples=200,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


# -- one by one ----------------------------------------------------------------------------------


def test_a_single_port_gives_up_the_wire_it_had() -> None:
    d = Drawing()
    a, b = d.add("Input", shape=(4,)), d.add("Input", shape=(4,))
    dense = d.add("Dense", a)
    document = edits.connect(d.document, out(b), into(dense))
    assert [w.source for w in document.graph.into(dense)] == [b]


def test_a_port_for_many_keeps_order_and_takes_a_slot() -> None:
    d = Drawing()
    a, b, c = (d.add("Input", shape=(4,)) for _ in range(3))
    join = d.add("Concatenate", a, b)
    document = edits.connect(d.document, out(c), into(join), slot=1)
    assert [w.source for w in document.graph.into(join)] == [a, c, b]
    first = document.graph.into(join)[0]
    assert [w.source for w in edits.disconnect(document, [first]).graph.into(join)] == [c, b]


def test_removing_a_source_leaves_no_hole() -> None:
    d = Drawing()
    a, b, c = (d.add("Input", shape=(4,)) for _ in range(3))
    join = d.add("Concatenate", a, b, c)
    left = edits.remove_calls(d.document, [b])
    assert [(w.source, w.slot) for w in left.graph.into(join)] == [(a, 0), (c, 1)]


def test_one_source_may_be_wired_twice_to_a_port_for_many() -> None:
    d = Drawing()
    a = d.add("Input", shape=(4,))
    join = d.add("Concatenate", a, a)
    assert [w.slot for w in d.document.graph.into(join)] == [0, 1]


def test_a_cycle_is_refused_and_names_the_call() -> None:
    d = Drawing()
    a = d.add("Dense")
    b = d.add("Dense", a)
    with pytest.raises(ProblemError) as caught:
        edits.connect(d.document, out(b), into(a))
    assert (caught.value.problems[0].code, caught.value.problems[0].where) == ("cycle", a)


def test_removing_the_last_call_removes_its_layer_and_plan() -> None:
    document, ids = headline()
    end = out(ids["aux_output"])
    document = edits.plan_output(document, end, loss=MeanSquaredError(), weight=0.2)
    document = edits.set_data(
        document,
        inputs={ids["main_input"]: TextColumn("title"), ids["aux_input"]: NumberColumns(("n",))},
        targets={end.key: NumberColumns(("y",))},
    )
    left = edits.remove_calls(document, [ids["aux_output"], ids["main_input"]])
    assert "aux_output" not in {entry.name for entry in left.layers.values()}
    assert left.plan.outputs == {}
    assert left.plan.data.targets == {}
    assert set(left.plan.data.inputs) == {ids["aux_input"]}
    assert left.graph.inputs == (ids["aux_input"],)
    assert document.plan.outputs.keys() == {end.key}


def test_a_twin_keeps_the_layer() -> None:
    d = Drawing()
    first = d.add("Dense")
    second = d.again(first)
    left = edits.remove_calls(d.document, [first])
    assert left.entry(second).name == "dense"


def test_names_are_keras_automatic_ones() -> None:
    d = Drawing()
    for kind in ("Input", "Dense", "Dense", "LSTM", "Input"):
        d.add(kind)
    names = [entry.name for entry in d.document.layers.values()]
    assert names == ["input_layer", "dense", "dense_1", "lstm", "input_layer_1"]
    freed = edits.rename_layer(d.document, d.layer_of("c3"), "mine")
    assert edits.rename_layer(freed, d.layer_of("c3"), "").layers["l3"].name == "dense"


def test_the_plan_is_edited_like_the_rest() -> None:
    document = edits.set_optimizer(Document(), Adam())
    document = edits.set_run(document, epochs=3)
    assert (document.plan.optimizer, document.plan.run.epochs) == (Adam(), 3)


def test_an_edit_shares_what_it_does_not_touch() -> None:
    document, ids = headline()
    moved = edits.move_calls(document, {ids["lstm"]: (5.0, 5.0)})
    assert moved.layers is document.layers
    assert moved.plan is document.plan
    assert moved.graph.calls[ids["join"]] is document.graph.calls[ids["join"]]
