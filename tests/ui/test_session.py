"""A session: what its views hear, and what an undo takes back beside the document."""

from studio.document import edits
from studio.document.model import Document, Endpoint
from studio.document.project import Project
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
