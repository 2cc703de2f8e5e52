"""One random edit after another, without a window: of any sort that a document has."""

import random
from collections.abc import Callable
from typing import Any

from studio.document import edits, layout, look_edits, muting, rewiring, sharing
from studio.document.excerpt import excerpt, paste
from studio.document.looks import Frame, Note
from studio.document.model import Document, Endpoint, Submodel, Unknown
from studio.document.plan import ClassColumn, NumberColumns, PastedSource, Split, TextColumn
from studio.layers.base import Layer
from studio.layers.dense import Dense
from studio.layers.dropout import Dropout
from studio.layers.embedding import Embedding
from studio.layers.input import Input
from studio.layers.lstm import LSTM
from studio.layers.merge_concatenate import Concatenate
from studio.layers.time_distributed import TimeDistributed
from studio.losses.regression import MeanSquaredError
from studio.metrics.auc import AUC
from studio.optimizers.adam import Adam
from studio.optimizers.sgd import SGD
from studio.problem import ProblemError

Edit = Callable[["Hand"], Document]
EDITS: list[Edit] = []
_BODIES = (
    Input((4,)),
    Input((6,), "int32"),
    Dense(3, "relu"),
    Embedding(9, 2),
    LSTM(2, return_sequences=True),
    Concatenate(),
    Dropout(0.5),
    Unknown("FromTheFuture", {"units": 3, "of": {"a": [1, 2.5, None]}}),
)
_ODD = (float("nan"), float("inf"), -0.0)


class Hand:
    """Draws at random, and chooses at random in what is there."""

    def __init__(self, document: Document, seed: int, odd: bool = False) -> None:
        """`odd`: also with values that no project file may hold, so that saving refuses them."""
        self.document, self.draw, self._odd = document, random.Random(seed), odd

    def edit(self) -> tuple[str, Document]:
        """What was done, and the document after it; the same one where nothing could be."""
        chosen = self.draw.choice(EDITS)
        try:
            made = chosen(self)
        except (ProblemError, IndexError):  # refused, or nothing there to choose from
            return chosen.__name__, self.document
        return chosen.__name__, made

    def calls(self) -> list[str]:
        return list(self.document.graph.calls)

    def some(self) -> list[str]:
        calls = self.calls()
        return self.draw.sample(calls, min(len(calls), self.draw.randint(1, 3)))

    def layer(self, *kinds: type) -> str:
        known = self.document.layers.items()
        return self.draw.choice([k for k, e in known if isinstance(e.body, kinds or object)])

    def port(self, side: int) -> Endpoint:
        document, call = self.document, self.draw.choice(self.calls())
        return Endpoint(call, self.draw.choice(document.ports(document.entry(call))[side]).name)

    def place(self) -> tuple[float, float]:
        return self.draw.randint(-999, 999), self.draw.random() * 99

    def odd(self) -> bool:
        """Whether the next value is to be one that no project file may hold."""
        return self._odd and self.draw.random() < 0.2


def _edit(function: Edit) -> Edit:
    EDITS.append(function)
    return function


@_edit
def add(hand: Hand) -> Document:
    return edits.add_layer(hand.document, hand.draw.choice(_BODIES), hand.place())[0]


@_edit
def add_wired(hand: Hand) -> Document:
    start = hand.port(1)
    made, call = edits.add_layer(hand.document, Dense(hand.draw.randint(1, 9)), hand.place())
    return edits.connect(made, start, Endpoint(call, "x"))


@_edit
def twin(hand: Hand) -> Document:
    return edits.use_layer(hand.document, hand.layer(), hand.place())[0]


@_edit
def connect(hand: Hand) -> Document:
    return edits.connect(hand.document, hand.port(1), hand.port(0))


@_edit
def disconnect(hand: Hand) -> Document:
    return edits.disconnect(hand.document, [hand.draw.choice(sorted(hand.document.graph.wires))])


@_edit
def remove(hand: Hand) -> Document:
    return edits.remove_calls(hand.document, hand.some()[:2])


@_edit
def pull_out(hand: Hand) -> Document:
    return rewiring.pulled_out(hand.document, hand.some())


@_edit
def move(hand: Hand) -> Document:
    return edits.move_calls(hand.document, {call: hand.place() for call in hand.some()})


@_edit
def rename(hand: Hand) -> Document:
    name = "half \ud800" if hand.odd() else hand.draw.choice(("", "mine", "层", "a/b"))
    return edits.rename_layer(hand.document, hand.layer(), name)


@_edit
def freeze(hand: Hand) -> Document:
    return edits.set_trainable(hand.document, hand.layer(), hand.draw.random() < 0.5)


@_edit
def set_parameter(hand: Hand) -> Document:
    units = 10**30 if hand.odd() else hand.draw.randint(1, 9)
    return edits.set_parameters(hand.document, hand.layer(Dense), units=units)


@_edit
def replace_layer(hand: Hand) -> Document:
    call = hand.draw.choice(hand.calls())
    return rewiring.replace_layer(hand.document, call, hand.draw.choice((Dense(2), Dropout(0.2))))


@_edit
def group(hand: Hand) -> Document:
    return sharing.group(hand.document, hand.some(), "part")[0]


@_edit
def ungroup(hand: Hand) -> Document:
    document = hand.document
    models = [c for c in hand.calls() if isinstance(document.entry(c).body, Submodel)]
    return sharing.ungroup(document, hand.draw.choice(models))


@_edit
def wrap(hand: Hand) -> Document:
    call = hand.draw.choice(hand.calls())
    if any(wire.slot for wire in hand.document.graph.into(call)):
        return hand.document  # a wrapper takes one wire
    return sharing.wrap(hand.document, call, TimeDistributed())


@_edit
def make_independent(hand: Hand) -> Document:
    return sharing.make_independent(hand.document, hand.draw.choice(hand.calls()))[0]


@_edit
def paste_again(hand: Hand) -> Document:
    document = hand.document
    part = excerpt(document, document.main, hand.some(), list(document.graph.looks.pieces)[:1])
    return paste(document, part, document.main, hand.place()).document


@_edit
def mute(hand: Hand) -> Document:
    return muting.mute(hand.document, hand.some(), hand.draw.random() < 0.6)


@_edit
def collapse(hand: Hand) -> Document:
    return look_edits.collapse(hand.document, hand.some(), hand.draw.random() < 0.6)


@_edit
def arrange(hand: Hand) -> Document:
    return layout.arrange(hand.document)


@_edit
def frame(hand: Hand) -> Document:
    return look_edits.add_frame(hand.document, Frame((*hand.place(), 90.0, 40.0), "框"))[0]


@_edit
def note(hand: Hand) -> Document:
    return look_edits.add_note(hand.document, Note((*hand.place(), 90.0, 40.0), "two\nlines"))[0]


@_edit
def remove_piece(hand: Hand) -> Document:
    pieces = list(hand.document.graph.looks.pieces)
    return look_edits.remove_pieces(hand.document, [hand.draw.choice(pieces)])


@_edit
def bend(hand: Hand) -> Document:
    wire = hand.draw.choice(sorted(hand.document.graph.wires))
    return look_edits.bend(hand.document, {wire: [hand.place()][: hand.draw.randint(0, 1)]})


@_edit
def pin(hand: Hand) -> Document:
    return look_edits.pin(hand.document, {hand.port(1): hand.place()})


@_edit
def toggle_output(hand: Hand) -> Document:
    end, outputs = hand.port(1), hand.document.graph.outputs
    change = edits.unmark_output if end in outputs else edits.mark_output
    return change(hand.document, end)


@_edit
def order_outputs(hand: Hand) -> Document:
    outputs = list(hand.document.graph.outputs)
    hand.draw.shuffle(outputs)
    return edits.order_outputs(hand.document, tuple(outputs))


@_edit
def plan_output(hand: Hand) -> Document:
    end = hand.draw.choice(hand.document.graph.outputs)
    weight = hand.draw.choice(_ODD) if hand.odd() else hand.draw.randint(1, 9)
    values: dict[str, Any] = hand.draw.choice(
        ({"loss": MeanSquaredError()}, {"weight": weight}, {"metrics": (AUC(),)})
    )
    return edits.plan_output(hand.document, end, **values)


@_edit
def set_optimizer(hand: Hand) -> Document:
    return edits.set_optimizer(hand.document, hand.draw.choice((Adam(0.01), SGD(0.1, 0.9))))


@_edit
def set_run(hand: Hand) -> Document:
    return edits.set_run(hand.document, epochs=hand.draw.randint(1, 99))


@_edit
def set_data(hand: Hand) -> Document:
    inputs = hand.document.graph.inputs
    bound = {call: hand.draw.choice((TextColumn("text"), NumberColumns(("a",)))) for call in inputs}
    targets = {end.key: ClassColumn("label") for end in hand.document.graph.outputs}
    values: dict[str, Any] = hand.draw.choice(
        (
            {"inputs": bound},
            {"targets": targets},
            {"source": PastedSource("a,b\n1,2\n", "pasted")},
            {"split": Split("last", 0.5)},
        )
    )
    return edits.set_data(hand.document, **values)


@_edit
def set_layer_anew(hand: Hand) -> Document:
    """All parameters of another layer of its kind, as an inspector's reset does."""
    layer = hand.layer(Layer)
    body = hand.document.layers[layer].body
    entry = hand.document.layers[layer]
    return edits.with_layer(
        hand.document, layer, type(entry)(type(body)(), entry.name, entry.trainable)
    )
