"""Every optimizer: five steps on two variables, as Keras recorded them."""

import json

import numpy as np
import pytest

from studio.declare import declared, resolve
from studio.engine.builder import Builder
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.onnxruntime_executor import OnnxRuntimeExecutor
from studio.engine.program import Program, Role, Spec
from studio.optimizers import CATALOGUE
from studio.optimizers.base import Optimizer
from studio.optimizers.common import AVERAGE, averaged, clipped, decayed
from studio.text import catalogue
from tests import references

OPTIMIZERS: dict[str, type[Optimizer]] = {kind: declared("optimizers", kind) for kind in CATALOGUE}
each_optimizer = pytest.mark.parametrize("kind", OPTIMIZERS)


def recorded() -> dict[str, tuple[str, str, Optimizer]]:
    """The cases whose optimizer and settings we have: test id → (recording, case, optimizer)."""
    found = {}
    for recording in ("optimizers", "later_optimizers"):
        for case, facts in references.meta(recording)["cases"].items():
            if facts["optimizer"] in OPTIMIZERS:
                made = OPTIMIZERS[facts["optimizer"]].from_config(facts["config"])
                found[f"{made.kind}-{case}"] = (recording, case, made)
    return found


RECORDED = recorded()


def step_of(optimizer: Optimizer, specs: list[Spec]) -> Program:
    op = Builder()
    rate, step = op.input("rate", Spec("float32", ())), op.input("step", Spec("float32", ()))
    gradients = [op.input(f"g{i}", spec) for i, spec in enumerate(specs)]
    for i, gradient in enumerate(clipped(op, optimizer, gradients)):
        weight = op.state(f"w{i}", specs[i], Role.WEIGHT)
        slots = {s: op.state(f"{s}{i}", specs[i], Role.SLOT) for s in kept(optimizer)}
        start = decayed(op, optimizer, weight, rate)
        new, new_slots = optimizer.lower(op, start, gradient, slots, rate, step)
        if optimizer.use_ema:
            new, new_slots[AVERAGE] = averaged(op, optimizer, new, slots[AVERAGE], step)
        assert new_slots.keys() == slots.keys()
        op.update(weight, new)
        for name, slot in slots.items():
            op.update(slot, new_slots[name])
    return op.program([])


def kept(optimizer: Optimizer) -> list[str]:
    """The slots, in Keras's order."""
    return [*([AVERAGE] if optimizer.use_ema else []), *optimizer.slots()]


def test_every_recording_is_replayed() -> None:
    cases = [set(references.meta(r)["cases"]) for r in ("optimizers", "later_optimizers")]
    assert {case for _, case, _ in RECORDED.values()} == set.union(*cases)
    assert {made.kind for _, _, made in RECORDED.values()} == set(CATALOGUE)


@pytest.mark.parametrize("engine", [NumpyExecutor, OnnxRuntimeExecutor])
@pytest.mark.parametrize(("recording", "case", "optimizer"), RECORDED.values(), ids=RECORDED)
def test_five_steps_are_those_of_keras(
    recording: str, case: str, optimizer: Optimizer, engine: type
) -> None:
    arrays = references.case(recording, case)
    assert kept(optimizer) == references.meta(recording)["cases"][case]["slots"]
    starts = [arrays["start0"], arrays["start1"]]
    program = step_of(optimizer, [Spec("float32", a.shape) for a in starts])
    executor = engine(program)
    state = {f"w{i}": a for i, a in enumerate(starts)}
    for slot in kept(optimizer):
        state |= {
            f"{slot}{i}": np.full_like(a, optimizer.start(slot)) for i, a in enumerate(starts)
        }
    executor.load(state)
    for step in range(5):
        gradients = {f"g{i}": arrays[f"gradients{i}"][step] for i in range(2)}
        numbers = {"rate": optimizer.learning_rate, "step": step + 1}
        executor.run(gradients | {n: np.array(v, np.float32) for n, v in numbers.items()})
        found = executor.state()
        assert all(np.isfinite(array).all() for array in found.values())
        for i in range(2):
            expected = {f"w{i}": arrays[f"weights{i}"]}
            expected |= {f"{s}{i}": arrays[f"{s}{i}"] for s in kept(optimizer)}
            for name, after in expected.items():
                np.testing.assert_allclose(found[name], after[step], rtol=1e-5, atol=1e-7)


@each_optimizer
def test_names_json_and_help(kind: str) -> None:
    made = OPTIMIZERS[kind]()
    assert resolve("optimizers", kind) == resolve("optimizers", kind.lower()) == made
    assert resolve("optimizers", json.loads(json.dumps({"kind": kind, **made.config()}))) == made
    assert made.problems() == []
    chinese = catalogue("zh_CN", "optimizers")
    assert made.help()
    assert chinese.get(kind)
    for p in made.params():
        assert made.help(p.name)
        assert chinese.get(f"{kind}.{p.name}"), p.name


@each_optimizer
def test_a_negative_rate_is_a_problem(kind: str) -> None:
    (problem,) = OPTIMIZERS[kind](learning_rate=-1.0).problems()
    assert problem.code == "parameter_min"
    assert "learning_rate" in str(problem)
