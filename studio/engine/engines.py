"""The engines by the names people give them: ``numpy``, ``onnxruntime:cuda``, ``auto``."""

from importlib import import_module

from studio.engine.executor import Executor
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.program import Program
from studio.engine.threads import available
from studio.problem import refuse

# What follows ``onnxruntime:``, its provider there, and what installs it.
PROVIDERS = {
    "cpu": ("CPUExecutionProvider", "onnxruntime"),
    "cuda": ("CUDAExecutionProvider", "onnxruntime-gpu"),
    "directml": ("DmlExecutionProvider", "onnxruntime-directml"),
    "coreml": ("CoreMLExecutionProvider", "onnxruntime"),
}
ENGINES = ("auto", "numpy", "onnxruntime", *(f"onnxruntime:{device}" for device in PROVIDERS))


def check_engine(engine: str) -> None:
    """Refuse a name that stands for no engine.

    Raises:
        ProblemError: ``engine_unknown``.
    """
    if engine not in ENGINES:
        raise refuse("engine_unknown", received=engine, expected=", ".join(ENGINES))


def executor(engine: str, program: Program, threads: int = 0) -> Executor:
    """The executor an engine's name stands for; ``auto`` is NumPy. All cores if `threads` is 0.

    Raises:
        ProblemError: ``engine_unknown``, ``provider_missing``, ``onnxruntime_refused``.
    """
    check_engine(engine)
    if engine in ("auto", "numpy"):
        return NumpyExecutor(program, threads)
    provider, package = PROVIDERS[engine.partition(":")[2] or "cpu"]
    module = import_module("studio.engine.onnxruntime_executor")  # loaded only where it is wanted
    present = module.available_providers()
    if provider not in present:
        raise refuse("provider_missing", received=engine, present=present, package=package)
    providers = dict.fromkeys((provider, PROVIDERS["cpu"][0]))  # what it lacks runs on the CPU
    found: Executor = module.OnnxRuntimeExecutor(program, tuple(providers), threads or available())
    return found
