"""Who looks on: how often, what it says, that training is what it is without it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from studio.document import edits
from studio.document.model import Document
from studio.document.plan import GeneratedSource
from studio.document.project import Project
from studio.document.store import Store
from studio.examples import EXAMPLES
from studio.formats.loom import load, save
from studio.problem import Problem, ProblemError
from studio.train.control import Orders
from studio.train.evaluation.evaluate import bare
from studio.train.events import Event, Finished, Started, Warned
from studio.train.job import Job, train
from studio.train.study import lens_look
from studio.train.study import observer as module
from studio.train.study.bench import Bench
from studio.train.study.history import LAYERS, Shares
from studio.train.study.lens import LensSample
from studio.train.study.lens_look import look
from studio.train.study.observer import AT_ENDS, INTERVAL, SHARE, Budget, observe
from studio.train.study.seen import Seen
from studio.train.study.wanted import Tap, Wanted
from studio.train.trainer import Trainer


class Clock:
    """Time by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def followed(
    epochs: int, batches: int, step: float, look: float, first: float
) -> tuple[float, ...]:
    """Looks through a made-up training: their share of the time, within epochs, at their ends."""
    clock = Clock()
    budget, spent, fresh = Budget(clock), 0.0, True
    counts = {"batch": 0, "epoch": 0}
    for _ in range(epochs):
        for number in range(batches + 1):
            at = "batch" if number < batches else "epoch"
            clock.now += step if at == "batch" else 0
            budget.passed()
            if budget.allows(at, fresh):
                seconds = first if fresh else look
                clock.now, spent = clock.now + seconds, spent + seconds
                budget.paid(at, seconds, fresh)
                fresh = False
                counts[at] += 1
    return spent / clock.now, counts["batch"], counts["epoch"]


def test_looks_take_a_tenth_of_trainings_time_at_most() -> None:
    for step, cost in ((0.001, 0.01), (0.02, 0.1), (0.02, 2.0), (0.5, 0.001)):
        share, within, at_ends = followed(40, 200, step, cost, cost * 3)
        assert share <= 1 / (SHARE + 1) + 0.02
        assert within + at_ends >= 3


def test_each_epochs_end_is_seen_where_that_can_be_afforded() -> None:
    share, within, at_ends = followed(50, 100, 0.02, 0.15, 0.5)  # an epoch of 2 s
    assert at_ends >= 45
    assert share < 0.1
    _, within, at_ends = followed(50, 100, 0.02, 0.05, 0.2)
    assert at_ends >= 48
    assert within >= 40


def test_there_are_no_more_than_five_looks_a_second() -> None:
    _, within, at_ends = followed(10, 1000, 0.001, 0.00001, 0.00001)
    assert within <= 10 / INTERVAL + 1
    _, _, at_ends = followed(1000, 1, 0.001, 0.00001, 0.00001)  # epochs of a millisecond
    assert at_ends <= 1 / AT_ENDS + 2


# -- in a training -------------------------------------------------------------------------------


def digits(epochs: int = 3) -> Project:
    document = edits.set_run(EXAMPLES["digits"](), epochs=epochs, engine="numpy")
    return Project(edits.set_data(document, source=GeneratedSource("digits", 200)), Store())


def events(project: Project, wanted: Wanted) -> Iterator[Event]:
    orders = Orders()
    orders.say(wanted)
    return train(Job(project), orders)


@pytest.fixture
def _always(monkeypatch: pytest.MonkeyPatch) -> None:
    """These trainings are so short that a tenth of their time is nothing."""
    monkeypatch.setattr(module, "SHARE", 1e-3)
    monkeypatch.setattr(module, "INTERVAL", 0.0)
    monkeypatch.setattr(module, "AT_ENDS", 0.0)


def of(found: list[Event], kind: type) -> list:
    return [event for event in found if isinstance(event, kind)]


@pytest.mark.usefixtures("_always")
def test_training_is_bit_for_bit_what_it_is_unseen() -> None:
    document = digits().document
    tap = Tap.of(document.graph.outputs[0])
    finished = []
    for wanted in (Wanted(), Wanted(lens=True, taps=(tap,))):
        found = list(events(digits(), wanted))
        assert bool(of(found, Seen)) == bool(wanted)
        finished += of(found, Finished)
    one, other = finished
    assert one.run.history == other.run.history
    for layer, cells in one.weights.items():
        for key, cell in cells.items():
            np.testing.assert_array_equal(cell.value, other.weights[layer][key].value)
            for slot, value in cell.slots.items():
                np.testing.assert_array_equal(value, other.weights[layer][key].slots[slot])


@pytest.mark.usefixtures("_always")
def test_what_is_wanted_is_seen_before_the_first_step_and_at_each_epochs_end() -> None:
    found = list(events(digits(), Wanted(lens=True)))
    started = next(i for i, event in enumerate(found) if isinstance(event, Started))
    first = of(found[: started + 2], Seen)
    assert [seen.at for seen in first] == ["asked"]
    seen = of(found, Seen)
    assert [s.epoch for s in seen if s.at == "epoch"] == [0, 1, 2]
    assert all(isinstance(s.lens, LensSample) for s in seen)
    assert not seen[0].taps


@pytest.mark.usefixtures("_always")
def test_the_run_keeps_what_each_loss_trained_in_each_epoch(tmp_path: Path) -> None:
    project = digits()
    (finished,) = of(list(events(project, Wanted(lens=True))), Finished)
    (key,) = (end.key for end in project.document.graph.outputs)
    shares = finished.run.shares
    assert shares.keys() == {key}
    assert shares[key].keys() == {"dense", "dense_1", "dense_2"}
    assert all(len(series) == 3 and min(series) > 0 for series in shares[key].values())
    project.runs.append(finished.run)
    save(tmp_path / "p.loom", project)
    assert load(tmp_path / "p.loom").runs[0].shares == shares


@pytest.mark.usefixtures("_always")
def test_trying_other_loss_weights_is_no_history() -> None:
    project = digits()
    (key,) = (end.key for end in project.document.graph.outputs)
    found = list(events(project, Wanted(lens=True, scales={key: 5.0})))
    assert of(found, Seen)[-1].lens.weights == (5.0,)
    assert of(found, Finished)[0].run.shares == {}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ProblemError(Problem("no_gradient", args={"operator": "Foo"})), "no_gradient"),
        (MemoryError(), "memory_short"),
        (IndexError("out of range"), "look_broke"),
    ],
    ids=["no gradient", "no memory", "an error of ours"],
)
@pytest.mark.usefixtures("_always")
def test_what_cannot_be_seen_is_said_once_and_training_goes_on(
    monkeypatch: pytest.MonkeyPatch, error: Exception, code: str
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(lens_look, "look", refuse)
    found = list(events(digits(), Wanted(lens=True)))
    (warned,) = of(found, Warned)
    assert (warned.problem.code, warned.problem.severity) == (code, "warning")
    assert of(found, Finished)[0].run.ended == "done"
    assert all(seen.lens is None for seen in of(found, Seen))


# -- at rest -------------------------------------------------------------------------------------


def test_a_project_is_looked_at_where_nothing_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    project, loads = digits(), []
    load_data = module.load_data
    monkeypatch.setattr(
        module, "load_data", lambda *given: loads.append(given) or load_data(*given)
    )
    monkeypatch.setattr(module, "_DESK", module._Desk())
    tap = Tap.of(project.document.graph.outputs[0])
    seen = observe(project, Path(), Wanted(lens=True, taps=(tap,)))
    assert (seen.epoch, seen.at) == (0, "asked")
    assert seen.lens is not None
    assert seen.taps.keys() == {tap}
    # Again, of other weights and another copy of the same document: the data is kept.
    other = Project(replace(project.document), Store())
    layer = project.document.graph.calls[tap.path[0]].layer
    for (name, _), cell in project.store.cells(layer).items():
        other.store.put(layer, name, cell.value * 0)
    again = observe(other, Path(), Wanted(lens=True, taps=(tap,)))
    assert len(loads) == 1
    assert again.lens is not None
    assert again.lens.values[0] == pytest.approx(np.log(10), rel=1e-4)  # it knows nothing any more
    assert again.lens.values != seen.lens.values


def test_another_model_is_another_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DESK", module._Desk())
    project = digits()
    first = observe(project, Path(), Wanted(lens=True))
    name = project.document.graph.order()[1]
    layer = project.document.graph.calls[name].layer
    frozen = edits.set_trainable(project.document, layer, False)
    second = observe(Project(frozen, project.store), Path(), Wanted(lens=True))
    assert first.lens is not None
    assert second.lens is not None
    assert first.lens.strengths.keys() - second.lens.strengths.keys() == {(name,)}


def test_at_rest_the_next_step_is_that_of_the_optimizer_as_training_left_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_DESK", module._Desk())
    project = digits(1)
    (finished,) = of(list(events(project, Wanted())), Finished)
    assert finished.step == project.store.step > 0
    samples = module.load_data(project.document, Path()).train
    expected = look(Bench(Trainer(project.document, project.store), samples))
    assert min(map(min, expected.strengths.values())) > 0
    seen, fresh = (
        observe(bare(project, slots=slots), Path(), Wanted(lens=True)) for slots in (True, False)
    )
    assert seen.lens is not None
    assert fresh.lens is not None
    assert seen.lens.strengths == expected.strengths
    assert fresh.lens.strengths != expected.strengths  # as if it were its first step


def test_at_rest_an_error_of_ours_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def fall(*_: object) -> None:
        raise IndexError("out of range")

    monkeypatch.setattr(lens_look, "look", fall)
    with pytest.raises(IndexError):
        observe(digits(), Path(), Wanted(lens=True))


def test_a_model_without_data_says_why_it_cannot_be_seen() -> None:
    document: Document = edits.set_data(digits().document, source=None)
    with pytest.raises(ProblemError):
        observe(Project(document, Store()), Path(), Wanted(lens=True))


# -- history -------------------------------------------------------------------------------------


def lens_of(document: Document, *strengths: float) -> LensSample:
    calls = [c for c in document.graph.order() if document.entry(c).kind == "Dense"]
    keys = tuple(end.key for end in document.graph.outputs)
    found = {(c,): (s,) for c, s in zip(calls, strengths, strict=True)}
    return LensSample(keys, (1.0,), (1.0,), 0.001, strengths=found)


def test_epochs_nobody_looked_at_are_no_numbers() -> None:
    document, shares = digits().document, Shares()
    (key,) = (end.key for end in document.graph.outputs)
    assert shares.ended({}, 0) == {}
    shares.add(document, lens_of(document, 1.0, 2.0, 3.0))
    shares.add(document, lens_of(document, 2.0, 2.0, 3.0))
    found = shares.ended({}, 2)
    assert np.isnan(found[key]["dense"][:2]).all()
    assert found[key]["dense"][2] == 1.5
    assert shares.ended(found, 3) is found
    shares.add(document, lens_of(document, 4.0, 2.0, 3.0))
    assert shares.ended(found, 4)[key]["dense"][2:] == pytest.approx(
        [1.5, np.nan, 4.0], nan_ok=True
    )
    assert len(found[key]) <= LAYERS
