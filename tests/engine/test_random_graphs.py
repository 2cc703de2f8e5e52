"""Random graphs of ONNX's operators: NumPy equals onnxruntime, and files come back as they were.

Operators, with their attributes and constants, are drawn from the cases of the table; an operand
is a value that an operator drawn earlier gave, where one has the shape, else an input or a weight.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.engine.builder import Builder, Value
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.onnx_reader import imported, normalized
from studio.engine.onnx_writer import to_onnx
from studio.engine.onnxruntime_executor import OnnxRuntimeExecutor
from studio.engine.operator import operator
from studio.engine.passes.fold_constants import fold_constants
from studio.engine.program import Program, Spec
from tests.engine.case_table import CASES
from tests.engine.cases import Case, concrete, is_float, sample

# What jumps or is steep would make much of a last bit that differs: its operands are fresh.
STEEP = {
    *("Floor", "Ceil", "Round", "Sign", "Mod", "Cast", "Hardmax", "ArgMax", "ArgMin", "TopK"),
    *("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Shrink", "ThresholdedRelu"),
    *("Exp", "Tan", "Sinh", "Cosh", "Div", "Pow", "Reciprocal", "Det", "LpNormalization"),
    *("BatchNormalization", "InstanceNormalization", "LayerNormalization", "ReduceLogSumExp"),
    *("MeanVarianceNormalization", "ReduceProd", "ReduceSumSquare"),
}
STANDARD = [case for case in CASES if operator(case.op).standard]


@dataclass
class Drawn:
    """A graph under construction, and what is fed to it."""

    op: Builder = field(default_factory=Builder)
    values: list[Value] = field(default_factory=list)  # what operators gave
    feeds: dict[str, np.ndarray] = field(default_factory=dict)
    batch: int = 2
    rng: np.random.Generator = field(default_factory=np.random.default_rng)

    def append(self, case: Case, data: st.DataObject) -> None:
        """One more operator."""
        operands = [self._operand(o, case, data) for o in case.operands]
        attrs = {name: _as_written(value) for name, value in case.attrs.items()}
        self.values += self.op.call(case.op, operands, outputs=case.outputs, **attrs)

    def _operand(self, wanted: Any, case: Case, data: st.DataObject) -> Any:
        if not isinstance(wanted, Spec):
            return wanted
        calm = case.op not in STEEP and case.draw in ("any", "wide") and is_float(wanted)
        fitting = [v for v in self.values if calm and v.spec == wanted]
        if fitting and data.draw(st.integers(0, 3)):
            return data.draw(st.sampled_from(fitting))
        array = sample(self.rng, wanted, self.batch, case.draw, case.high)
        if is_float(wanted) and wanted.rank and data.draw(st.booleans()):
            shape = concrete(wanted, {"batch": self.batch, "time": 3})
            if shape == wanted.shape:
                return array  # a weight of the file
        value = self.op.input(f"x{len(self.feeds)}", wanted)
        self.feeds[value.name] = array
        return value

    def program(self) -> Program:
        """Its outputs are what no operator reads."""
        read = {name for node in self.op.nodes for name in node.inputs}
        return self.op.program([v for v in self.values if v.name not in read])


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Program, dict[str, np.ndarray]]:
    data = draw(st.data())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    drawn = Drawn(batch=draw(st.integers(1, 4)), rng=rng)
    for case in draw(st.lists(st.sampled_from(STANDARD), min_size=1, max_size=12)):
        drawn.append(case, data)
    return drawn.program(), drawn.feeds


def same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray], close: float) -> None:
    for (name, array), wanted in zip(found.items(), expected.values(), strict=True):
        assert (array.dtype, array.shape) == (wanted.dtype, wanted.shape)
        np.testing.assert_allclose(array, wanted, rtol=close, atol=close, err_msg=name)


@settings(max_examples=60)
@given(graphs())
def test_numpy_equals_onnxruntime(drawn: tuple[Program, dict[str, np.ndarray]]) -> None:
    program, feeds = drawn
    ours, theirs = NumpyExecutor(program), OnnxRuntimeExecutor(program, threads=1)
    same(ours.run(feeds), theirs.run(feeds), 2e-4)


def read_back(data: bytes) -> Program:
    """What a file computes, as a program of the same inputs."""
    text, weights = normalized(onnx.load_from_string(data))
    file, op = imported(text), Builder()
    inputs = {name: op.input(name, spec) for name, spec in file.inputs.items()}
    return op.program(file.append(op, inputs | {n: op.const(a) for n, a in weights.items()}))


def _as_written(value: Any) -> Any:
    """A number as files have it."""
    if isinstance(value, tuple):
        return tuple(map(_as_written, value))
    return float(np.float32(value)) if isinstance(value, float) else value


def canonical(program: Program) -> list[Any]:
    """All that a program says, with values by number instead of by name."""
    number: dict[str, Any] = {name: i for i, name in enumerate(program.inputs)}
    number |= {n: (a.dtype.name, a.shape, a.tobytes()) for n, a in program.consts.items()} | {
        "": ""
    }
    found: list[Any] = [program.specs[name] for name in program.inputs]
    for node in program.nodes:
        operands = [number[name] for name in node.inputs]
        while operands[-1:] == [""]:  # an absent operand at the end says nothing
            operands.pop()
        found.append((node.op, operands, dict(node.attrs)))
        number |= {name: len(number) + i for i, name in enumerate(node.outputs) if name}
    return [*found, [number[name] for name in program.outputs]]


@settings(max_examples=60)
@given(graphs())
def test_exported_equals_imported_equals_exported_again(
    drawn: tuple[Program, dict[str, np.ndarray]],
) -> None:
    program, feeds = fold_constants(drawn[0]), drawn[1]  # as a reader does, too
    first = to_onnx(program)
    back = read_back(first)
    assert canonical(back) == canonical(program)
    second = to_onnx(back)
    assert canonical(read_back(second)) == canonical(program)
    assert to_onnx(read_back(second)) == second
    expected, arrays = NumpyExecutor(program).run(feeds), list(feeds.values())
    found = NumpyExecutor(back).run(dict(zip(back.inputs, arrays, strict=True)))
    same(found, expected, 0)
