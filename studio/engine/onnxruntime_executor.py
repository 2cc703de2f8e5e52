"""Runs a program on onnxruntime: the other engine, and the proof of every exported file.

The only module that imports onnxruntime. Nothing imports this one until an executor is wanted, so
the window and the command line start without paying for it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import onnxruntime

from studio.engine.memory import expect_room
from studio.engine.onnx_writer import state_outputs, to_onnx
from studio.engine.operator import operator
from studio.engine.passes.for_onnxruntime import for_onnxruntime
from studio.engine.program import Array, Node, Program
from studio.problem import refuse

_QUIET = 3  # errors only: they come back as exceptions anyway
_DEVICES = {"CUDAExecutionProvider": "cuda", "DmlExecutionProvider": "dml"}


class OnnxRuntimeExecutor:
    """An `Executor`. States stay where the provider computes, and are written there.

    A state whose old value nobody reads after its new one is written lies in one buffer, which
    every run updates in place; any other has a spare, from which the run's end copies.

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
            ProblemError: ``onnxruntime_refused``, when it cannot run the program; ``memory_over``,
                when its states alone take more than the budget.
        """
        expect_room(program.state_bytes())
        self.program = program
        faster = for_onnxruntime(program)
        # A value may be an output twice, or an input as well; a file needs one name for each.
        self._outputs = [f"output/{i}" for i in range(len(program.outputs))]
        self._nexts = state_outputs(program)
        self._reads_only = not self._nexts
        self._in_place = written_in_place(faster)
        self._device = _DEVICES.get(providers[0], "cpu")
        self._kept = {state.input for state in program.state}
        self._arrays: dict[str, Array] = {}  # on the CPU the memory of `_states`
        self._states: dict[str, Any] = {}  # the OrtValue of each
        self._spares: dict[str, Any] = {}
        model = to_onnx(faster, outputs=self._outputs)
        self._apart = _Apart() if any(n.op.endswith("Grad") for n in faster.nodes) else None
        self._session = self._do(lambda: session(model, providers, threads, bool(self._apart)))
        self._binding = self._session.io_binding()

    def load(self, state: Mapping[str, Array]) -> None:
        """Set states by input name: see `Executor`. What was lent is taken back as it is."""
        for name, given in state.items():
            if name not in self._kept:
                continue
            array = np.asarray(given, self.program.specs[name].dtype)
            mine = self._arrays.get(name)
            if mine is array and self._device == "cpu":
                continue
            if mine is not None and mine.shape == array.shape and not self._reads_only:
                np.copyto(mine, array)
            else:
                copied = None if self._reads_only and self._device == "cpu" else True
                self._arrays[name] = mine = np.array(array, order="C", copy=copied)
            self._states[name] = self._placed(mine)
            if name in self._nexts and name not in self._in_place:
                self._spares[name] = self._placed(np.empty_like(mine))

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """One run; outputs are the caller's own."""
        binding = self._binding
        for name in self.program.inputs:
            array = as_fed(feeds[name], self.program.specs[name].dtype)
            binding.bind_ortvalue_input(name, _ort_value(array))
        for name, value in self._states.items():
            binding.bind_ortvalue_input(name, value)
        for output in self._outputs:
            binding.bind_output(output)
        for name, output in self._nexts.items():
            binding.bind_ortvalue_output(output, self._spares.get(name, self._states[name]))
        self._do(self._run_bound)
        self._keep()
        found = binding.get_outputs()[: len(self._outputs)]
        return {n: v.numpy() for n, v in zip(self.program.outputs, found, strict=True)}

    def state(self) -> dict[str, Array]:
        """A copy of every state, by input name."""
        return {name: np.array(value.numpy()) for name, value in self._states.items()}

    def lend(self) -> dict[str, Array]:
        """Every state by input name: on the CPU what every run reads and writes, else copies."""
        return dict(self._arrays) if self._device == "cpu" else self.state()

    def _keep(self) -> None:
        """New values that were written beside the old ones take their place."""
        for name, spare in self._spares.items():
            if self._device == "cpu":
                np.copyto(self._arrays[name], spare.numpy())
            else:
                self._states[name], self._spares[name] = spare, self._states[name]

    def _placed(self, array: Array) -> Any:
        return _ort_value(array, self._device)

    def _run_bound(self) -> None:
        try:
            self._session.run_with_iobinding(self._binding)
        except Exception as error:
            raise refuse("onnxruntime_refused", reason=str(error).strip()) from error

    def _do(self, act: Callable[[], Any]) -> Any:
        return act() if self._apart is None else self._apart.do(act)


class _Apart:
    """A thread of its own for a session that takes denormal numbers for zeros.

    Gradients that vanish over time become denormal, and then every step crawls. onnxruntime's
    switch is the whole thread's, and would change what NumPy computes on the caller's.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="onnxruntime")

    def do(self, act: Callable[[], Any]) -> Any:
        return self._thread.submit(act).result()


def written_in_place(program: Program) -> set[str]:
    """The states whose new value may be written over the old one while a program runs.

    1. What reads the old value, or a view of it (onnxruntime reshapes without a copy), leads to
       the operator that writes the new one: it has run before.
    2. If that operator reads it, too, it allows it: elementwise, or one that changes rows.
    """
    writers, readers = program.writers(), program.readers()
    found = set()
    for state in program.state:
        last = writers.get(state.output)
        if last is None or state.output == state.input:
            continue
        rule = operator(last.op)
        over = dict(zip(last.outputs[: rule.over], last.inputs, strict=False))
        allowed = rule.elementwise or over.get(state.output) == state.input
        before = _before(last, writers)
        if all(allowed if n is last else id(n) in before for n in _reading(state.input, readers)):
            found.add(state.input)
    return found


def _reading(name: str, readers: Mapping[str, Sequence[Node]]) -> Iterator[Node]:
    """The nodes that read a value or a view of it."""
    for node in readers.get(name, ()):
        yield node
        if operator(node.op).view is not None and node.inputs[0] == name:
            yield from _reading(node.outputs[0], readers)


def _before(node: Node, writers: Mapping[str, Node]) -> set[int]:
    """The ids of the nodes that lead to `node`."""
    found: set[int] = set()
    waiting = [node]
    while waiting:
        for name in waiting.pop().reads():
            writer = writers.get(name)
            if writer is not None and id(writer) not in found:
                found.add(id(writer))
                waiting.append(writer)
    return found


def session(
    model: bytes,
    providers: Sequence[str] = ("CPUExecutionProvider",),
    threads: int = 0,
    flush: bool = False,
) -> Any:
    """An inference session on the bytes of an ONNX file.

    With `flush` denormal numbers are zeros on the thread that makes it, from then on.

    Raises:
        ProblemError: ``onnxruntime_refused``.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _QUIET
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    if flush:
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
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


def _ort_value(array: Array, device: str = "cpu") -> Any:
    """The array as onnxruntime's; on the CPU it is the same memory."""
    return onnxruntime.OrtValue.ortvalue_from_numpy(array, device, 0)


def as_fed(array: Array, dtype: str) -> Array:
    """A feed in the dtype the program declares; a cast that loses the kind is refused."""
    return np.asarray(array).astype(dtype, order="C", casting="same_kind", copy=False)


def available_providers() -> list[str]:
    """What this installation of onnxruntime can run on, best first."""
    found: list[str] = onnxruntime.get_available_providers()
    return found
