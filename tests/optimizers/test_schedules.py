"""Learning rates that change: Keras's numbers, in files, in ``fit`` and set from outside."""

import json

import numpy as np
import pytest

from studio.callbacks import LambdaCallback
from studio.declare import declared, resolve, snake
from studio.document import edits
from studio.engine.numpy_executor import NumpyExecutor
from studio.formats.document_json import from_json, to_json
from studio.layers import Dense, Input
from studio.models import Model, load_model
from studio.optimizers.adam import Adam
from studio.optimizers.schedules import CATALOGUE
from studio.optimizers.schedules.base import Schedule
from studio.optimizers.schedules.cosine import CosineDecay
from studio.optimizers.schedules.decay import ExponentialDecay
from studio.optimizers.schedules.piecewise import PiecewiseConstantDecay
from studio.optimizers.sgd import SGD
from studio.problem import ProblemError
from studio.text import catalogue
from studio.train.trainer import Trainer
from tests import references
from tests.document.drawn import Drawing

FAMILY = "optimizers.schedules"
CASES = references.meta("schedules")["cases"]


def made(kind: str, **config: object) -> Schedule:
    found = declared(FAMILY, kind).from_config(config)
    assert isinstance(found, Schedule)
    return found


@pytest.mark.parametrize("case", CASES)
def test_the_rates_of_forty_steps_are_those_of_keras(case: str) -> None:
    schedule = made(CASES[case]["schedule"], **CASES[case]["config"])
    assert schedule.problems() == []
    rates = [schedule.at(step) for step in range(40)]
    np.testing.assert_allclose(rates, references.load("schedules")[case], rtol=2e-6, atol=1e-8)


def test_every_schedule_is_compared_with_keras() -> None:
    assert {facts["schedule"] for facts in CASES.values()} == set(CATALOGUE)


@pytest.mark.parametrize("kind", CATALOGUE)
def test_names_json_and_help(kind: str) -> None:
    found, chinese = made(kind), catalogue("zh_CN", FAMILY)
    assert found.problems() == []
    assert resolve(FAMILY, kind) == resolve(FAMILY, snake(kind)) == found
    config = json.loads(json.dumps(Adam(found).config()))
    assert resolve("optimizers", {"kind": "Adam", **config}) == Adam(found)
    assert chinese.get(kind)
    for p in found.params():
        assert found.help(p.name)
        assert chinese.get(f"{kind}.{p.name}"), p.name


@pytest.mark.parametrize("kind", CATALOGUE)
def test_a_document_with_one_is_saved(kind: str) -> None:
    document = edits.set_optimizer(Drawing().document, SGD(made(kind)))
    assert from_json(to_json(document), "file").plan.optimizer == SGD(made(kind))


def test_what_a_file_says_wrongly_of_a_schedule_is_told_of_the_schedule() -> None:
    value = to_json(edits.set_optimizer(Drawing().document, SGD(ExponentialDecay())))
    value["plan"]["optimizer"]["learning_rate"]["kind"] = "Sawtooth"
    with pytest.raises(ProblemError, match=r"Sawtooth.*ExponentialDecay"):
        from_json(value, "file")


@pytest.mark.parametrize(
    ("rate", "code"),
    [
        (PiecewiseConstantDecay((5,), (0.1,)), "schedule_values"),
        (ExponentialDecay(decay_steps=0), "parameter_min"),
        ("fast", "parameter_type"),
        (None, "parameter_missing"),
    ],
)
def test_a_rate_that_cannot_be_is_a_problem(rate: object, code: str) -> None:
    (problem,) = SGD(learning_rate=rate).problems()  # type: ignore[arg-type]
    assert problem.code == code
    assert str(problem)


def trained(optimizer: SGD, **options: object) -> tuple[Model, list[float]]:
    """A model after two epochs of three steps, and the rate after each step."""
    x = Input((2,))
    model, rates = Model(x, Dense(1)(x)), list[float]()
    model.compile(optimizer, loss="mse")
    watch = LambdaCallback(
        on_train_batch_end=lambda batch, logs: rates.append(model.optimizer.learning_rate)
    )
    given = np.ones((12, 2), np.float32), np.ones((12, 1), np.float32)
    callbacks = [watch, *options.pop("callbacks", [])]  # type: ignore[misc]
    model.fit(*given, epochs=2, batch_size=4, verbose=0, callbacks=callbacks)
    return model, rates


def test_the_rate_follows_the_steps_and_goes_on_after_a_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    schedule = ExponentialDecay(0.1, decay_steps=1, decay_rate=0.5)
    model, rates = trained(SGD(schedule))
    np.testing.assert_allclose(rates, 0.1 * 0.5 ** np.arange(1, 7), rtol=1e-6)
    model.save(tmp_path / "m.loom")
    again = load_model(tmp_path / "m.loom").optimizer
    assert (again.iterations, again.learning_rate) == (6, pytest.approx(0.1 * 0.5**6))
    assert again.get_config()["learning_rate"]["kind"] == "ExponentialDecay"


def test_a_number_may_be_set_while_it_trains_and_nothing_is_compiled_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compiled, start = list[object](), NumpyExecutor.__init__

    def counted(self: NumpyExecutor, *args: object, **options: object) -> None:
        compiled.append(self)
        start(self, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(NumpyExecutor, "__init__", counted)

    class Halve(LambdaCallback):
        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            self.model.optimizer.learning_rate = self.model.optimizer.learning_rate / 2

    model, rates = trained(SGD(0.1), callbacks=[Halve()])
    assert rates == [0.1] * 3 + [0.05] * 3
    assert len(compiled) == 1
    assert model.optimizer.learning_rate == 0.025
    assert model.document.plan.optimizer == SGD(0.025)
    fresh, _ = trained(SGD(0.1))
    assert not np.allclose(fresh.get_weights()[0], model.get_weights()[0])


def test_a_scheduled_rate_cannot_be_set() -> None:
    model, _ = trained(SGD(CosineDecay()))
    with pytest.raises(ProblemError, match="CosineDecay"):
        model.optimizer.learning_rate = 0.1
    with pytest.raises(ProblemError, match="CosineDecay"):
        Trainer(model.document, model.project.store).rate = 0.1
