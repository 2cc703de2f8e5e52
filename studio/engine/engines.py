"""The engines by the names people give them: ``numpy``, ``onnxruntime:cuda``, ``auto``."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from studio.engine.executor import Executor
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.program import Program
from studio.engine.threads import available
from studio.engine.work import multiplications
from studio.problem import refuse

# What follows ``onnxruntime:``, its provider there, and what installs it.
PROVIDERS = {
    "cpu": ("CPUExecutionProvider", "onnxruntime"),
    "cuda": ("CUDAExecutionProvider", "onnxruntime-gpu"),
    "directml": ("DmlExecutionProvider", "onnxruntime-directml"),
    "coreml": ("CoreMLExecutionProvider", "onnxruntime"),
}
LARGE = 1 << 31  # multiplications a step, from which a GPU is worth the way to it
ENGINES = ("auto", "numpy", "onnxruntime", *(f"onnxruntime:{device}" for device in PROVIDERS))


def check_engine(engine: str) -> None:
    """Refuse a name that stands for no engine.

    Raises:
        ProblemError: ``engine_unknown``.
    """
    if engine not in ENGINES:
        raise refuse("engine_unknown", received=engine, expected=", ".join(ENGINES))


@dataclass(frozen=True)
class Choice:
    """An engine, and why that one: ``training.engine_REASON`` in the texts.

    Attributes:
        engine: any of `ENGINES` but ``auto``.
        reason: ``asked``, ``small``, ``no_gpu`` or ``gpu``.
    """

    engine: str
    reason: str


def choose(engine: str, program: Program) -> Choice:
    """What an engine's name stands for where this program is trained.

    The rule of ``auto`` looks at the program and at what is installed, never at a clock, so runs
    repeat: onnxruntime on a CUDA GPU where there is one and a step of 32 rows multiplies at least
    `LARGE` times; else NumPy, which is the faster engine on a CPU.

    Raises:
        ProblemError: ``engine_unknown``.
    """
    check_engine(engine)
    if engine != "auto":
        return Choice(engine, "asked")
    if multiplications(program) < LARGE:
        return Choice("numpy", "small")
    if PROVIDERS["cuda"][0] not in _onnxruntime().available_providers():
        return Choice("numpy", "no_gpu")
    return Choice("onnxruntime:cuda", "gpu")


def executor(engine: str, program: Program, threads: int = 0) -> Executor:
    """The executor of an engine. All cores if `threads` is 0.

    Raises:
        ProblemError: ``engine_unknown``, ``provider_missing``, ``onnxruntime_refused``.
    """
    engine = choose(engine, program).engine
    if engine == "numpy":
        return NumpyExecutor(program, threads)
    provider, package = PROVIDERS[engine.partition(":")[2] or "cpu"]
    present = _onnxruntime().available_providers()
    if provider not in present:
        listed = ", ".join(present)
        raise refuse("provider_missing", received=engine, present=listed, package=package)
    providers = dict.fromkeys((provider, PROVIDERS["cpu"][0]))  # what it lacks runs on the CPU
    found: Executor = _onnxruntime().OnnxRuntimeExecutor(
        program, tuple(providers), threads or available()
    )
    return found


def _onnxruntime() -> Any:
    """The module that loads onnxruntime: only where it is wanted, for that takes a while."""
    return import_module("studio.engine.onnxruntime_executor")
