"""What training takes: refused over the budget, with the batch that fits, before it is taken."""

from collections.abc import Callable

import numpy as np
import pytest

from studio.declare import clear_session
from studio.document import edits
from studio.document.edits import Fix
from studio.document.plan import TableSource
from studio.document.project import Project
from studio.engine import memory
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.onnxruntime_executor import OnnxRuntimeExecutor
from studio.examples import EXAMPLES
from studio.initializers.base import Initializer
from studio.layers import LSTM, Dense, Input
from studio.models import Model
from studio.problem import ProblemError
from studio.train.data import load_data, sample_counts
from studio.train.estimate import Amounts, Estimator, in_words, planned_estimator, verdict
from studio.train.feed import as_arrays
from studio.train.job import Job, train
from studio.train.trainer import Settings, Trainer


def dense(units: int = 1000) -> Model:
    inputs = Input((100,))
    model = Model(inputs, Dense(1)(Dense(units, activation="relu")(inputs)))
    model.compile("adam", "mse")
    return model


def samples(rows: int, wide: int = 100) -> tuple[np.ndarray, np.ndarray]:
    return np.ones((rows, wide), np.float32), np.ones((rows, 1), np.float32)


@pytest.fixture
def allow(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda size: monkeypatch.setenv(memory.VARIABLE, str(size))


def test_parameters_and_slots_are_those_of_the_model() -> None:
    model = dense()
    found = planned_estimator(model.document).planned(model.document)
    numbers = 100 * 1000 + 1000 + 1000 + 1
    assert found.parameters == 4 * numbers
    assert found.slots == 2 * 4 * numbers
    assert found.copies == 2 * (found.parameters + found.slots)
    assert found.total == sum(
        (found.parameters, found.slots, found.training, found.validation, found.copies)
    )


def test_what_was_estimated_is_what_the_plans_take() -> None:
    model, (x, y) = dense(), samples(50)
    data = as_arrays(model.document, x, y, None)
    trainer = Trainer(model.document, model.project.store, Settings("numpy"))
    found = Estimator(trainer, data.take(slice(0, 1))).at(Amounts(16, 16, rows=50, held=50))
    plans, given, passing = [0, 0], [0, 0], [0, 0]
    for i, rows in enumerate((16, 2)):
        for j, training in enumerate((True, False)):
            batch = data.take(slice(0, rows))
            (trainer.train_batch if training else trainer.test_batch)(batch)
            step, runner = trainer.compiled(training, batch.weighted, batch.one_hots)
            assert isinstance(runner, NumpyExecutor)
            sizes = runner.plan(trainer.feeds(step, batch)).sizes
            plans[j] += sizes.total - sizes.passing
            passing[j] = max(passing[j], sizes.passing)
            if i == 0:
                given[j] = sizes.feeds + 2 * sizes.results
    expected = [sum(parts) for parts in zip(plans, given, passing, strict=True)]
    assert [found.training, found.validation] == expected


def test_open_sizes_are_those_of_the_data() -> None:
    inputs = Input((None, 4))
    model = Model(inputs, Dense(1)(LSTM(8)(inputs)))
    model.compile("sgd", "mse")
    x, y = np.ones((8, 300, 4), np.float32), np.ones((8, 1), np.float32)
    data = as_arrays(model.document, x, y, None)
    trainer = Trainer(model.document, model.project.store, Settings("numpy"))
    long = Estimator(trainer, data.take(slice(0, 1))).at(Amounts(8, rows=8))
    usual = planned_estimator(model.document).planned(edits.set_run(model.document, batch_size=8))
    assert 2 < long.training / usual.training < 4
    assert "Open lengths count as 100." in in_words(usual, model.document)


def test_fit_is_refused_with_the_batch_that_fits(allow) -> None:
    model, (x, y) = dense(), samples(4096)
    allow("20M")
    with pytest.raises(ProblemError, match=r"Batches of [\d,]+ fit") as refused:
        model.fit(x, y, batch_size=4096, verbose=0)
    (problem,) = refused.value.problems
    assert problem.code == "memory_over_batch"
    fits = problem.args["fits"]
    assert isinstance(problem.fix, Fix)
    assert problem.fix.edit(model.document).plan.run.batch_size == fits
    model.fit(x, y, batch_size=fits, verbose=0)
    with pytest.raises(ProblemError, match="Batches of"):
        model.fit(x, y, batch_size=fits + 1, verbose=0)


def test_the_batch_of_the_validation_is_named_where_it_is_the_cause(allow) -> None:
    model, (x, y) = dense(), samples(4096)
    sizes = {"batch_size": 100, "validation_data": (x, y), "verbose": 0}
    allow("20M")
    with pytest.raises(ProblemError, match=r"Validation batches of [\d,]+ fit") as refused:
        model.fit(x, y, **sizes, validation_batch_size=200_000)
    (problem,) = refused.value.problems
    assert problem.code == "memory_over_validation"
    assert problem.args["batch"] == 200_000
    fits = problem.args["fits"]
    assert 100 < fits < 4096
    model.fit(x, y, **sizes, validation_batch_size=fits)
    with pytest.raises(ProblemError, match="Validation batches of"):
        model.fit(x, y, **sizes, validation_batch_size=fits + 1)
    with pytest.raises(ProblemError, match="Training with batches of 4,096"):
        model.fit(x, y, **{**sizes, "batch_size": 4096}, validation_batch_size=200_000)


def test_weights_alone_are_too_much(allow, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is drawn, no data is read."""
    monkeypatch.setattr(Initializer, "fill", None)
    model, (x, y) = dense(100_000), samples(8)
    allow("100M")
    with pytest.raises(ProblemError, match="more than the 100 MiB"):
        model.fit(x, y, verbose=0)
    job = Job(Project(edits.set_data(model.document)))
    with pytest.raises(ProblemError, match="more than the 100 MiB"):
        next(train(job))


def test_predictions_are_refused_as_well(allow) -> None:
    model, (x, _) = dense(), samples(8192)
    allow("10M")
    with pytest.raises(ProblemError, match="more than the 10"):
        model.predict(x, batch_size=8192)
    assert model.predict(x, batch_size=64).shape == (8192, 1)


@pytest.mark.parametrize("engine", [NumpyExecutor, OnnxRuntimeExecutor])
def test_either_engine_refuses_states_it_has_no_room_for(engine, allow) -> None:
    model = dense()
    step, _ = Trainer(model.document, model.project.store).made(True, frozenset())
    allow("1M")
    with pytest.raises(ProblemError, match=r"more than the 1\.00 MiB"):
        engine(step.program)


def test_a_batch_beyond_what_can_be_counted_is_too_much() -> None:
    model = dense()
    document = edits.set_run(model.document, batch_size=2**62)
    estimator = planned_estimator(document)
    with pytest.raises(ProblemError, match="more than"):
        estimator.planned(document)
    fits = estimator.largest(Amounts(2**62), 2**24)
    assert estimator.at(Amounts(fits)).total <= 2**24 < estimator.at(Amounts(fits + 1)).total


def test_the_verdict_names_the_batch(allow) -> None:
    clear_session()
    document = edits.set_run(EXAMPLES["headline"](), batch_size=3000)
    estimator = planned_estimator(document)
    found = estimator.planned(document)
    assert verdict(document, found, estimator) is None
    allow("400M")
    problem = verdict(document, found, estimator)
    assert problem is not None
    assert problem.severity == "error"
    allow("100M")
    assert verdict(document, found, estimator).code == "memory_over"


def test_batches_are_no_larger_than_the_samples_there_are(tmp_path) -> None:
    document = edits.set_run(EXAMPLES["headline"](), batch_size=10**9)
    counts = sample_counts(document, tmp_path)
    data = load_data(document, tmp_path, {})
    assert data.validation is not None
    assert counts == (len(data.train), len(data.validation))
    estimator = planned_estimator(document)
    found = estimator.planned(document, counts)
    whole = Amounts(counts[0], counts[1], *counts, copies=2)
    assert found.steps == estimator.at(whole).steps
    assert verdict(document, found, estimator, counts) is None
    assert verdict(document, estimator.planned(document), estimator) is not None


def test_what_no_data_says_is_not_known(tmp_path) -> None:
    document = EXAMPLES["headline"]()
    assert sample_counts(edits.set_data(document, source=None), tmp_path) is None
    gone = TableSource(str(tmp_path / "gone.csv"))
    assert sample_counts(edits.set_data(document, source=gone), tmp_path) is None


def test_data_in_memory_counts(tmp_path) -> None:
    document = EXAMPLES["headline"]()
    data = load_data(document, tmp_path, {})
    one = Estimator(Trainer(document, Project(document).store, Settings("numpy")), None)
    assert len(data.train) > 0
    base, more = one.at(Amounts(32)), one.at(Amounts(32, data=1000))
    assert more.total - base.total == 1000


def test_a_file_that_trains_by_no_rows_at_all_is_told_of() -> None:
    for size in (0, -3):
        document = edits.set_run(EXAMPLES["headline"](), batch_size=size)
        with pytest.raises(ProblemError) as refused:
            planned_estimator(document).planned(document)
        (problem,) = refused.value.problems
        assert problem.code == "batch_none"
        assert problem.fix is not None
        assert problem.fix.edit(document) == edits.set_run(document, batch_size=32)
