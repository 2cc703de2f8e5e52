"""A session: what its views hear, and what an undo takes back beside the document."""

from studio.document import edits
from studio.document.model import Document, Endpoint
from studio.document.project import Project
from studio.document.sharing import group
from studio.layers.dense import Dense
from studio.layers.input import Input
from studio.losses.probabilistic import BinaryCrossentropy
from studio.losses.regression import Huber, MeanSquaredError
from studio.ui.session import Session


def one_output() -> tuple[Session, Endpoint]:
    """A Dense whose output was just marked, and so was given the usual loss."""
    document, numbers = edits.add_layer(Document(), Input((3,)))
    document, head = edits.add_layer(document, Dense(1))
    end = Endpoint(head, "output")
    document = edits.connect(document, Endpoint(numbers, "output"), Endpoint(head, "x"))
    session = Session(Project(document))
    session.commit("mark", edits.mark_output(document, end))
    assert session.document.plan.outputs[end.key].loss == MeanSquaredError()
    return session, end


def doubled(document: Document, model: str, times: int) -> Document:
    """A model that holds itself of before twice, so often."""
    for _ in range(times):
        document, twin = edits.use_layer(document, document.graph.calls[model].layer)
        document, model = group(document, [model, twin])
    return document


def nested(document: Document, model: str, times: int) -> Document:
    """A model within a model, so often."""
    for _ in range(times):
        document, model = group(document, [model])
    return document


def test_what_no_file_could_hold_is_refused_at_the_edit():
    """It was done, took minutes to be looked at, and could not be saved."""
    session = Session(Project())
    document, dense = edits.add_layer(session.document, Dense(1))
    document, model = group(document, [dense])
    session.commit("model", document)
    refused = []
    session.refused.connect(refused.append)
    session.commit("little", doubled(session.document, model, 3))
    assert not refused
    before = session.document
    session.commit("much", doubled(document, model, 12))
    session.commit("deep", nested(document, model, 70))
    assert [p.code for p in refused] == ["too_many_nodes", "too_deep"]
    assert session.document is before
    assert session.history.undo_label == "little"


def as_probability(session: Session, end: Endpoint) -> object:
    """The output's loss once its layer gives a probability."""
    layer = session.document.graph.calls[end.call].layer
    changed = edits.set_parameters(session.document, layer, activation="sigmoid")
    session.commit("activation", changed)
    return session.document.plan.outputs[end.key].loss


def test_what_was_given_follows_the_model():
    assert as_probability(*one_output()) == BinaryCrossentropy()


def test_a_choice_stays_and_one_taken_back_is_none():
    session, end = one_output()
    session.commit("choose", edits.plan_output(session.document, end, loss=Huber()))
    assert as_probability(session, end) == Huber()
    session.history.undo()
    session.history.undo()
    assert session.document.plan.outputs[end.key].loss == MeanSquaredError()
    assert as_probability(session, end) == BinaryCrossentropy()


def test_a_choice_done_again_is_one():
    session, end = one_output()
    session.commit("choose", edits.plan_output(session.document, end, loss=Huber()))
    session.history.undo()
    session.history.redo()
    assert as_probability(session, end) == Huber()
