"""Runs a program on onnxruntime: the other engine, and the proof of every exported file.

The only module that imports onnxruntime. Nothing imports this one until an executor is wanted, so
the window and the command line start without paying for it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime

from studio.engine.onnx_writer import state_outputs, to_onnx
from studio.engine.program import Array, Program
from studio.problem import refuse

_QUIET = 3  # errors only: they come back as exceptions anyway


class OnnxRuntimeExecutor:
    """An `Executor`. States are fed at each run and fetched where the program writes them.

    To run a trained model fast, put its weights into the program as constants first
    (`studio.engine.passes.freeze`): onnxruntime then packs them once.
    """

    def __init__(
        self,
        program: Program,
        providers: Sequence[str] = ("CPUExecutionProvider",),
        threads: int = 0,
    ) -> None:
        """Compile `program`; `threads` for one operator, 0 for onnxruntime's own choice.

        Raises:
            ProblemError: ``onnxruntime_refused``, when it cannot run the program.
        """
        self.program = program
        # A value may be an output twice, or an input as well; a file needs one name for each.
        self._outputs = [f"output/{i}" for i in range(len(program.outputs))]
        self._nexts = state_outputs(program)
        self._state: dict[str, Array] = {}
        self._session = session(to_onnx(program, outputs=self._outputs), providers, threads)

    def load(self, state: Mapping[str, Array]) -> None:
        """Set states by input name; the arrays are copied."""
        for name in (s.input for s in self.program.state):
            self._state[name] = np.array(state[name], self.program.specs[name].dtype, order="C")

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """One run; outputs are the caller's own."""
        fed: dict[str, Array] = dict(self._state)
        for name in self.program.inputs:
            fed[name] = as_fed(feeds[name], self.program.specs[name].dtype)
        wanted = [*self._outputs, *self._nexts.values()]
        found = run_session(self._session, wanted, fed)
        count = len(self._outputs)
        self._state |= dict(zip(self._nexts, found[count:], strict=True))
        return dict(zip(self.program.outputs, found[:count], strict=True))

    def state(self) -> dict[str, Array]:
        """A copy of every state, by input name."""
        return {name: array.copy() for name, array in self._state.items()}


def session(
    model: bytes, providers: Sequence[str] = ("CPUExecutionProvider",), threads: int = 0
) -> Any:
    """An inference session on the bytes of an ONNX file.

    Raises:
        ProblemError: ``onnxruntime_refused``.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _QUIET
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(model, options, providers=list(providers))
    except Exception as error:  # it raises a class of its own for each kind of refusal
        raise refuse("onnxruntime_refused", reason=str(error).strip()) from error


def run_session(session: Any, wanted: Sequence[str], feeds: Mapping[str, Array]) -> list[Array]:
    """The wanted outputs for these feeds.

    Raises:
        ProblemError: ``onnxruntime_refused``.
    """
    try:
        found: list[Array] = session.run(list(wanted), dict(feeds))
    except Exception as error:
        raise refuse("onnxruntime_refused", reason=str(error).strip()) from error
    return found


def as_fed(array: Array, dtype: str) -> Array:
    """A feed in the dtype the program declares; a cast that loses the kind is refused."""
    return np.asarray(array).astype(dtype, order="C", casting="same_kind", copy=False)


def available_providers() -> list[str]:
    """What this installation of onnxruntime can run on, best first."""
    found: list[str] = onnxruntime.get_available_providers()
    return found
