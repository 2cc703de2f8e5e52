"""Projects that edits start from: nothing, and some of everything."""

from collections.abc import Callable

from studio.document import edits, look_edits, sharing
from studio.document.looks import Frame, Note
from studio.document.model import Document, Endpoint, Unknown
from studio.document.plan import ClassColumn, NumberColumns, TextColumn
from studio.document.project import Project, Run
from studio.layers.time_distributed import TimeDistributed
from studio.losses.probabilistic import BinaryCrossentropy
from tests.document.drawn import Drawing, headline, out
from tests.formats.examples import fill


def two_losses() -> Project:
    """The guide's model with two outputs, learnt, its data bound, and a run of it."""
    document, ids = headline()
    for name in ("main_output", "aux_output"):
        document = edits.plan_output(document, out(ids[name]), loss=BinaryCrossentropy())
    inputs = {ids["main_input"]: TextColumn("text", 6), ids["aux_input"]: NumberColumns(("a", "b"))}
    targets = {out(ids["main_output"]).key: ClassColumn("label")}
    project = fill(Project(edits.set_data(document, inputs=inputs, targets=targets)))
    project.keep_run(Run("r1", history={"loss": [1.0, 0.5]}, document=headline()[0]))
    return project


def shared() -> Project:
    """Two inputs through one recurrent layer, joined."""
    d = Drawing()
    first, second = (d.add("Input", shape=(5, 3)) for _ in range(2))
    reader = d.add("LSTM", first, units=2)
    both = d.add("Concatenate", reader, d.again(reader, second))
    d.output(d.add("Dense", both, units=1, activation="sigmoid"))
    return fill(Project(d.document))


def nested() -> Project:
    """A model in a model, used twice; a wrapper around one; what is drawn beside."""
    d = Drawing()
    picture = d.add("Input", shape=(4,))
    first = d.add("Dense", picture, units=3)
    second = d.output(d.add("Dense", first, units=2))
    document, inner = sharing.group(d.document, [second], "inner")
    d.document, outer = sharing.group(document, [first, inner], "outer")
    other = d.add("Input", shape=(4,))
    again, film = d.again(outer), d.add("Input", shape=(6, 4))
    (door,) = d.document.ports(d.document.entry(again))[0]
    d.document = edits.connect(d.document, out(other), Endpoint(again, door.name))
    many = d.again(outer)
    d.document = sharing.wrap(d.document, many, TimeDistributed())
    d.document = edits.connect(d.document, out(film), Endpoint(many, "x"))
    return fill(Project(d.document))


def drawn() -> Project:
    """With frames, notes, bends, probes, what is muted and collapsed, and a kind nobody knows."""
    document, ids = headline()
    document, _ = look_edits.add_frame(document, Frame((-20.0, -20.0, 900.0, 200.0), "all"))
    document, _ = look_edits.add_note(document, Note((0.0, 300.0, 200.0, 90.0), "words"))
    wire = min(document.graph.wires)
    document = look_edits.bend(document, {wire: [(40.0, 80.0), (60.0, 90.0)]})
    document = look_edits.pin(document, {out(ids["lstm"]): (0.0, 80.0)})
    document = look_edits.collapse(document, [ids["dense1"]])
    document, _ = edits.add_layer(document, Unknown("Later", {"units": 3}), (40.0, 400.0))
    return Project(document)


SEEDS: dict[str, Callable[[], Project]] = {
    "nothing": lambda: Project(Document()),
    "two_losses": two_losses,
    "shared": shared,
    "nested": nested,
    "drawn": drawn,
}
