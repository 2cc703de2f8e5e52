"""Engines by name."""

import pytest

from studio.engine import onnxruntime_executor
from studio.engine.builder import Builder
from studio.engine.engines import ENGINES, Choice, choose, executor
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.onnxruntime_executor import OnnxRuntimeExecutor, available_providers
from studio.engine.program import Program, Spec
from studio.problem import ProblemError


def program() -> Program:
    op = Builder()
    return op.program([op.Relu(op.input("x", Spec("float32", ("batch",))))])


def test_a_name_stands_for_an_executor() -> None:
    assert isinstance(executor("auto", program()), NumpyExecutor)
    assert isinstance(executor("numpy", program()), NumpyExecutor)
    assert isinstance(executor("onnxruntime", program()), OnnxRuntimeExecutor)
    assert isinstance(executor("onnxruntime:cpu", program()), OnnxRuntimeExecutor)


def test_a_name_that_stands_for_none_is_refused_with_those_that_do() -> None:
    with pytest.raises(ProblemError, match="onnxruntime:cuda"):
        executor("tensorflow", program())


def product(width: int) -> Program:
    op = Builder()
    x = op.input("x", Spec("float32", ("batch", width)))
    return op.program([op.MatMul(x, op.input("w", Spec("float32", (width, width))))])


@pytest.mark.parametrize(
    ("width", "providers", "expected"),
    [
        (64, ["CUDAExecutionProvider"], Choice("numpy", "small")),
        (8192, ["CPUExecutionProvider"], Choice("numpy", "no_gpu")),
        (8192, ["CUDAExecutionProvider"], Choice("onnxruntime:cuda", "gpu")),
    ],
)
def test_auto_looks_at_the_program_and_at_what_is_installed(
    monkeypatch: pytest.MonkeyPatch, width: int, providers: list[str], expected: Choice
) -> None:
    monkeypatch.setattr(onnxruntime_executor, "available_providers", lambda: providers)
    assert choose("auto", product(width)) == expected
    assert choose("onnxruntime", product(width)) == Choice("onnxruntime", "asked")


@pytest.mark.parametrize(
    ("engine", "provider", "package"),
    [
        ("onnxruntime:cuda", "CUDAExecutionProvider", "onnxruntime-gpu"),
        ("onnxruntime:directml", "DmlExecutionProvider", "onnxruntime-directml"),
    ],
)
def test_a_provider_that_is_missing_says_what_installs_it(
    engine: str, provider: str, package: str
) -> None:
    assert engine in ENGINES
    if provider in available_providers():
        pytest.skip(f"{provider} is here")
    with pytest.raises(ProblemError, match=f"pip install {package}"):
        executor(engine, program())
