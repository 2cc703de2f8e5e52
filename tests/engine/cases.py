"""A use of an operator, and what tests of operators, layers and losses share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from studio.engine.builder import Builder, Value
from studio.engine.gradient import differentiate
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.program import Program, Spec

B = "batch"
Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Case:
    """One use of an operator: a Spec is fed, an array is a constant, None is absent.

    Attributes:
        draw: where samples lie: "any" (away from 0), "positive", "unit" (0.05 … 0.95), "above one",
            "wide" (−5 … 5), "binary" (0 or 1).
        high: one above the largest integer fed.
        wrt: positions of the operands to differentiate by; None means every float one.
    """

    op: str
    operands: tuple[Any, ...]
    attrs: Mapping[str, Any] = field(default_factory=dict)
    outputs: int = 1
    draw: str = "any"
    high: int = 4
    wrt: tuple[int, ...] | None = None

    def __str__(self) -> str:
        shapes = ",".join(
            "_" if o is None else "x".join(map(str, _shape(o))) for o in self.operands
        )
        attrs = ",".join(f"{k}={v}" for k, v in self.attrs.items())
        return f"{self.op}({shapes})" + (f"[{attrs}]" if attrs else "")

    def build(self) -> Program:
        """The operator alone, its Spec operands as inputs ``x0``, ``x1`` …"""
        op = Builder()
        operands = [
            op.input(f"x{i}", o) if isinstance(o, Spec) else o for i, o in enumerate(self.operands)
        ]
        with op.at("node"):
            results = op.call(self.op, operands, outputs=self.outputs, **self.attrs)
        return op.program(results)

    def feeds(self, batch: int, seed: int = 0) -> Arrays:
        """Samples for a batch size."""
        rng = np.random.default_rng([seed, batch])
        specs = {f"x{i}": o for i, o in enumerate(self.operands) if isinstance(o, Spec)}
        return {name: sample(rng, s, batch, self.draw, self.high) for name, s in specs.items()}


def _shape(operand: Any) -> tuple[Any, ...]:
    return operand.shape if isinstance(operand, Spec) else np.shape(operand)


def f(*shape: int | str) -> Spec:
    return Spec("float32", shape)


def i64(*shape: int | str) -> Spec:
    return Spec("int64", shape)


def i32(*shape: int | str) -> Spec:
    return Spec("int32", shape)


def boolean(*shape: int | str) -> Spec:
    return Spec("bool", shape)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def concrete(spec: Spec, sizes: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(d if isinstance(d, int) else sizes[d] for d in spec.shape)


def sample(
    rng: np.random.Generator, spec: Spec, batch: int, draw: str = "any", high: int = 4
) -> np.ndarray:
    """Numbers of a spec, away from the kinks of common functions."""
    shape = concrete(spec, {"batch": batch, "time": 3})
    if spec.dtype == "bool":
        return rng.random(shape) < 0.5
    if spec.dtype.startswith("int"):
        return rng.integers(0, high, shape).astype(spec.dtype)
    if draw == "binary":
        return rng.integers(0, 2, shape).astype(spec.dtype)
    low, up = {
        "positive": (0.2, 2),
        "above one": (1.1, 3),
        "unit": (0.05, 0.95),
        "wide": (0.1, 5),
        "any": (0.1, 2),
    }[draw]
    x = rng.uniform(low, up, shape)
    if draw in ("any", "wide"):
        x *= rng.choice([-1, 1], shape)
    return x.astype(spec.dtype)


# -- gradients against finite differences --------------------------------------------------------


def is_float(spec: Spec) -> bool:
    return spec.dtype.startswith("float")


def with_gradient(program: Program, wrt: list[str]) -> tuple[Program, list[str]]:
    """The program with the gradient of Σ output·seed; seeds are inputs ``seed/<output>``."""
    op = Builder.continuing(program)
    outputs = [op.value(name) for name in program.outputs if is_float(program.specs[name])]
    seeds: dict[Value, Value] = {y: op.input(f"seed/{y.name}", y.spec) for y in outputs}
    grads = differentiate(op, seeds, [op.value(name) for name in wrt])
    found = [name for name, g in zip(wrt, grads, strict=True) if g is not None]
    return op.program([g for g in grads if g is not None]), found


def check_gradient(
    program: Program, feeds: Arrays, state: Arrays | None = None, wrt: list[str] | None = None
) -> None:
    """Analytic gradients equal central differences, both in float64."""
    state = {k: v.astype(np.float64) for k, v in (state or {}).items()}
    feeds = {k: v.astype(np.float64) if v.dtype.kind == "f" else v for k, v in feeds.items()}
    read = {n for node in program.nodes for n in node.inputs} | set(program.outputs)
    candidates = [*program.inputs, *(s.input for s in program.state)]
    wrt = wrt or [n for n in candidates if is_float(program.specs[n]) and n in read]
    wrt = [n for n in wrt if not n.startswith("noise/")]
    backward, found = with_gradient(program, wrt)
    plain, backward = program.astype("float64"), backward.astype("float64")
    forward = NumpyExecutor(plain)
    forward.load(state)
    before = forward.run(feeds)
    forward.load(state)
    rng = np.random.default_rng(7)
    seeds = {
        n: rng.normal(size=before[n].shape) for n in program.outputs if is_float(program.specs[n])
    }

    def total() -> float:
        forward.load(state)
        results = forward.run(feeds)
        return sum(float((results[n] * seed).sum()) for n, seed in seeds.items())

    executor = NumpyExecutor(backward)
    executor.load(state)
    given = {**feeds, **{f"seed/{n}": seed for n, seed in seeds.items()}}
    results = executor.run(given)
    gradients = {n: results[y] for n, y in zip(found, backward.outputs, strict=True)}
    for name in wrt:
        array = feeds[name] if name in feeds else state[name]
        expected = differences(total, array)
        got = gradients.get(name, np.zeros_like(array))
        assert got.shape == array.shape, name
        np.testing.assert_allclose(got, expected, rtol=1e-6, atol=2e-8, err_msg=name)


def differences(total: Any, array: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """Central differences of ``total()`` by each number of `array`, changed in place."""
    flat, found = array.reshape(-1), np.zeros(array.size)
    assert np.shares_memory(flat, array)
    for i, x in enumerate(flat.copy()):
        flat[i] = x + step
        up = total()
        flat[i] = x - step
        down = total()
        flat[i] = x
        found[i] = (up - down) / (2 * step)
    return found.reshape(array.shape)
