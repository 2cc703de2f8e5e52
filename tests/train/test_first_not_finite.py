"""NaN and infinity are found where they arise: in data, layers, losses, on the way back, …"""

from collections.abc import Iterator

import numpy as np
import pytest

from studio.document.plan import Breakpoints
from studio.train.arrays import Arrays
from studio.train.events import BatchDone, Event, Finished, Hit
from studio.train.fit import FitPlan, fit
from studio.train.lookout import Watched
from studio.train.trainer import Settings, Trainer
from tests.train.not_finite import BATCH, CASES, ROWS, Case, build


def arrays(case: Case) -> Arrays:
    graph = case.model.document.graph
    keys = [end.key for end in graph.outputs]
    weights = {} if case.weight is None else {keys[0]: case.weight}
    inputs = dict(zip(graph.inputs, case.x, strict=True))
    return Arrays(inputs, dict(zip(keys, case.y, strict=True)), weights)


def trained(case: Case, engine: str, epochs: int = 2) -> Iterator[Event]:
    model = case.model
    trainer = Trainer(model.document, model.project.store, Settings(engine, seed=1, threads=1))
    plan = FitPlan(epochs, BATCH, shuffle=False)
    return fit(trainer, arrays(case), None, plan, watched=Watched(Breakpoints))


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize("name", CASES)
def test_it_is_found_where_it_arises(name: str, engine: str) -> None:
    case = build(name)
    events = list(trained(case, engine))
    (hit,) = [e for e in events if isinstance(e, Hit)]
    said = {key: getattr(hit, key) for key in case.said if key != "call"}
    if "call" in case.said:
        said["call"] = hit.place[0]
    assert said == case.said
    assert (hit.kind, hit.epoch, hit.batch) == ("not_finite", 0, case.after)
    assert not np.isfinite(hit.value)
    assert sum(isinstance(e, BatchDone) for e in events) >= case.after


@pytest.mark.parametrize("name", [n for n in CASES if not n.startswith("nan_in_a_") or "seq" in n])
def test_the_weights_left_are_those_from_before_the_step(name: str) -> None:
    case, twin = build(name), build(name)
    *_, last = trained(case, "numpy")
    assert isinstance(last, Finished)
    assert last.run.ended == "not_finite"
    assert not last.stopped
    model, plan = twin.model, FitPlan(1, BATCH, shuffle=False, steps_per_epoch=max(1, twin.after))
    trainer = Trainer(model.document, model.project.store, Settings("numpy", seed=1, threads=1))
    if twin.after:
        list(fit(trainer, arrays(twin), None, plan))
        for one, other in zip(case.model.get_weights(), model.get_weights(), strict=True):
            assert np.array_equal(one, other)
    assert last.step == twin.after
    assert all(np.isfinite(w).all() for w in case.model.get_weights())


def test_there_are_many() -> None:
    assert len(CASES) >= 40
    assert ROWS % BATCH == 0
