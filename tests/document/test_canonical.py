import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.document import edits
from studio.document.canonical import canonical
from studio.document.model import (
    Call,
    Document,
    Endpoint,
    Graph,
    LayerEntry,
    Submodel,
    Wire,
    Wrapped,
)
from studio.document.plan import GeneratedSource
from studio.layers.dense import Dense
from studio.layers.dropout import Dropout
from studio.layers.input import Input
from studio.layers.merge_concatenate import Concatenate
from studio.losses.regression import MeanSquaredError
from studio.metrics.auc import AUC
from studio.optimizers.adam import Adam
from studio.optimizers.rmsprop import RMSprop
from tests.formats.documents import documents
from tests.formats.examples import two_outputs


def shuffled(items, rng):
    return dict(rng.sample(list(items.items()), len(items)))


class Relabelled:
    """The same model as somebody else would have drawn it: other ids, places, order and looks."""

    def __init__(self, document, seed):
        self.old, self.rng = document, random.Random(seed)
        calls = [call for _, call, _ in document.calls()]
        numbers = iter(self.rng.sample(range(100, 10_000), 300))
        self.ids = {
            old: f"{old[0]}{next(numbers)}" for old in (*calls, *document.layers, *document.graphs)
        }

    def document(self):
        old, ids = self.old, self.ids
        plan = old.plan
        outputs = {self.key(k): v for k, v in shuffled(plan.outputs, self.rng).items()}
        layers = {ids[k]: self.entry(e) for k, e in shuffled(old.layers, self.rng).items()}
        graphs = {ids[k]: self.graph(g) for k, g in shuffled(old.graphs, self.rng).items()}
        plan = replace(plan, outputs=outputs, run=replace(plan.run, seed=self.rng.randint(0, 99)))
        return Document(graphs, layers, ids[old.main], plan, 20_000)

    def key(self, key):
        call, dot, port = key.rpartition(".")
        return f"{self.key(call) if '.' in call else self.ids[call]}{dot}{port}"

    def port(self, call, port, graph):
        body = self.old.layers[graph.calls[call].layer].body
        if not isinstance(body, Submodel):
            return port
        return ".".join(self.ids.get(part, part) for part in port.split("."))

    def entry(self, entry):
        body = entry.body
        if isinstance(body, Submodel):
            body = Submodel(self.ids[body.graph])
        elif isinstance(body, Wrapped):
            body = replace(body, layer=self.ids[body.layer])
        stem = edits.automatic_stem(body)
        number = f"_{self.rng.randint(0, 99)}"
        automatic = entry.name == stem or entry.name.startswith(f"{stem}_")
        return replace(entry, body=body, name=stem + number if automatic else entry.name)

    def graph(self, graph):
        ids = self.ids
        calls = {
            ids[k]: Call(ids[c.layer], (self.rng.random(), 5.0), self.rng.random() < 0.5, c.muted)
            for k, c in shuffled(graph.calls, self.rng).items()
        }
        wires = frozenset(
            Wire(
                ids[w.source],
                self.port(w.source, w.output, graph),
                ids[w.target],
                self.port(w.target, w.input, graph),
                w.slot,
            )
            for w in graph.wires
        )
        outputs = tuple(
            Endpoint(ids[e.call], self.port(e.call, e.port, graph)) for e in graph.outputs
        )
        return Graph(graph.name, calls, wires, tuple(ids[c] for c in graph.inputs), outputs)


@settings(max_examples=200)
@given(documents(), st.integers(0, 2**30))
def test_ids_positions_and_order_never_matter(document, seed):
    assert canonical(Relabelled(document, seed).document()) == canonical(document)


def model():
    return two_outputs().document


def without_loss_weight(d):
    return edits.plan_output(d, Endpoint("c5", "output"), weight=0.3)


CHANGES = {
    "parameter": lambda d: edits.set_parameters(d, "l8", units=8),
    "inner parameter": lambda d: edits.set_parameters(d, "l8", kernel_initializer="he_uniform"),
    "trainable": lambda d: edits.set_trainable(d, "l8", False),
    "name": lambda d: edits.rename_layer(d, "l8", "mine"),
    "wire gone": lambda d: edits.disconnect(d, d.graph.into("c8")),
    "wire moved": lambda d: edits.connect(d, Endpoint("c6", "output"), Endpoint("c8", "x")),
    "slots": lambda d: edits.connect(
        edits.disconnect(d, [w for w in d.graph.into("c7") if w.slot == 0]),
        Endpoint("c4", "output"),
        Endpoint("c7", "x"),
    ),
    "call added": lambda d: edits.add_layer(d, Dropout())[0],
    "twin added": lambda d: edits.use_layer(d, "l8", (0, 0))[0],
    "call gone": lambda d: edits.remove_calls(d, ["c8"]),
    "output gone": lambda d: edits.unmark_output(d, Endpoint("c5", "output")),
    "outputs' order": lambda d: edits.order_outputs(d, d.graph.outputs[::-1]),
    "inputs' order": lambda d: replace(
        d, graphs={"g1": replace(d.graph, inputs=d.graph.inputs[::-1])}
    ),
    "loss": lambda d: edits.plan_output(d, Endpoint("c5", "output"), loss=MeanSquaredError()),
    "loss weight": without_loss_weight,
    "metrics": lambda d: edits.plan_output(d, Endpoint("c9", "output"), metrics=(AUC(),)),
    "optimizer": lambda d: edits.set_optimizer(d, Adam()),
    "learning rate": lambda d: edits.set_optimizer(d, RMSprop(0.5)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_the_model_is_matters(change):
    assert canonical(CHANGES[change](model())) != canonical(model())


@pytest.mark.parametrize(
    "change",
    [
        lambda d: edits.move_calls(d, {"c3": (3, 4)}),
        lambda d: edits.set_data(d, source=GeneratedSource("headlines")),
        lambda d: edits.set_run(d, epochs=3, seed=9),
        lambda d: edits.rename_layer(d, "l8", "dense_7"),
        lambda d: edits.plan_output(d, Endpoint("c9", "output"), weight=1),
        lambda d: replace(d, graphs={"g1": replace(d.graph, name="headline")}),
    ],
)
def test_whatever_names_files_places_or_machines_does_not(change):
    assert canonical(change(model())) == canonical(model())


def sharing(shared):
    """Two branches over one input: through one layer, or through two equal ones."""
    d, x = edits.add_layer(Document(), Input((3,)))
    d, first = edits.add_layer(d, Dense(4))
    if shared:
        d, second = edits.use_layer(d, d.graph.calls[first].layer, (0, 0))
    else:
        d, second = edits.add_layer(d, Dense(4))
    d, both = edits.add_layer(d, Concatenate())
    for start, end in ((x, first), (x, second), (first, both), (second, both)):
        d = edits.connect(d, Endpoint(start, "output"), Endpoint(end, "x"))
    return edits.mark_output(d, Endpoint(both, "output"))


def test_sharing_a_layer_is_not_having_two_equal_ones():
    assert canonical(sharing(True)) != canonical(sharing(False))


def test_who_shares_with_whom_matters():
    """Four equal calls in a row of slots: layers a, a, b, b or a, b, a, b."""
    forms = []
    for pattern in ("aabb", "abab", "bbaa"):
        calls = {f"c{i}": Call(letter) for i, letter in enumerate(pattern)}
        calls |= {"c10": Call("in"), "c11": Call("join")}
        wires = {Wire("c10", "output", f"c{i}", "x") for i in range(4)}
        wires |= {Wire(f"c{i}", "output", "c11", "x", i) for i in range(4)}
        layers = {k: LayerEntry(Dense(4), "dense") for k in "ab"}
        layers |= {"in": LayerEntry(Input((3,)), "in"), "join": LayerEntry(Concatenate(), "j")}
        graph = Graph("m", calls, frozenset(wires), ("c10",), (Endpoint("c11", "output"),))
        forms.append(canonical(Document({"g1": graph}, layers)))
    assert forms[0] != forms[1]
    assert forms[0] == forms[2]


def test_many_equal_parts_that_lead_nowhere_are_numbered_all_the_same():
    d, x = edits.add_layer(Document(), Input((3,)))
    for _ in range(12):
        d, call = edits.add_layer(d, Dense(4))
        d = edits.connect(d, Endpoint(x, "output"), Endpoint(call, "x"))
        d, after = edits.add_layer(d, Dropout())
        d = edits.connect(d, Endpoint(call, "output"), Endpoint(after, "x"))
    for seed in range(5):
        assert canonical(Relabelled(d, seed).document()) == canonical(d)
