"""Runs a program in NumPy, by plans made once for each set of input shapes."""

import math
from collections.abc import Mapping

import numpy as np

from studio.engine.operator import Buffer
from studio.engine.passes.for_numpy import for_numpy
from studio.engine.planner import Plan, plan
from studio.engine.program import Array, Dim, Program, Spec
from studio.engine.threads import available, limited
from studio.problem import refuse


class NumpyExecutor:
    """An `Executor`. States live in arrays of its own that every plan writes in place; those of a
    program that writes none live with whoever loads them.

    Plans are kept by the shapes of the inputs, so a last smaller batch costs one more plan.

    Args:
        program: what to run.
        threads: how many the matrix products use; all cores if 0.
    """

    def __init__(self, program: Program, threads: int = 0) -> None:
        self.program = program
        self._faster = for_numpy(program)
        self.threads = threads or available()
        self._reads_only = all(state.input == state.output for state in program.state)
        self._state: dict[str, Buffer] = {}
        self._joined: dict[str, Buffer] = {}  # by the faster program's state: all of its parts
        self._plans: dict[tuple[tuple[int, ...], ...], Plan] = {}
        self._join()

    def _join(self) -> None:
        """Memory for the states that lie one behind the other in one of the faster program."""
        for whole in (state for state in self._faster.state if state.parts):
            spec = self._faster.specs[whole.input]
            memory = self._joined[whole.input] = np.zeros(tuple(map(int, spec.shape)), spec.dtype)
            shapes = [tuple(map(int, self.program.specs[part].shape)) for part in whole.parts]
            pieces = np.split(memory, np.cumsum(list(map(math.prod, shapes)))[:-1])
            for part, shape, piece in zip(whole.parts, shapes, pieces, strict=True):
                self._state[part] = piece.reshape(shape)

    def load(self, state: Mapping[str, Array]) -> None:
        """Set states by input name: see `Executor`. What was lent is taken back as it is."""
        for name in (s.input for s in self.program.state):
            array = np.asarray(state[name], self.program.specs[name].dtype)
            mine = self._state.get(name)
            if mine is array:
                continue
            if mine is not None and mine.shape == array.shape and not self._reads_only:
                np.copyto(mine, array)
            else:
                copied = None if self._reads_only else True
                self._state[name] = np.array(array, order="C", copy=copied)
                self._plans.clear()

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """One run; outputs are copies, the caller's own.

        Raises:
            ProblemError: ``feed_shape``, ``operator_refused``, at the first run of a shape.
        """
        current = self.plan(feeds)
        for name in self.program.inputs:
            np.copyto(current.buffers[name], feeds[name], casting="same_kind")
        # Infinities and NaN are results like others, as in ONNX: who trains looks at the loss.
        with limited(self.threads), np.errstate(all="ignore"):
            for call in current.calls:
                call()
        return {name: current.buffers[name].copy() for name in self.program.outputs}

    def state(self) -> dict[str, Array]:
        """A copy of every state, by input name."""
        return {name: array.copy() for name, array in self._state.items()}

    def lend(self) -> dict[str, Array]:
        """Every state by input name, the arrays every run writes."""
        return dict(self._state)

    def plan(self, feeds: Mapping[str, Array]) -> Plan:
        """The plan for inputs of these shapes, made at their first sight."""
        key = tuple(np.shape(feeds[name]) for name in self.program.inputs)
        if key not in self._plans:
            shapes = dict(zip(self.program.inputs, key, strict=True))
            states = {**self._state, **self._joined}
            states = {state.input: states[state.input] for state in self._faster.state}
            self._plans[key] = plan(self._faster, self._concrete(shapes), states)
        return self._plans[key]

    def _concrete(self, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Spec]:
        """The specs of the inputs with these shapes, which must be ones the program declares."""
        sizes: dict[Dim, int] = {}
        for name, shape in shapes.items():
            spec = self.program.specs[name]
            if len(shape) != spec.rank or any(
                sizes.setdefault(d, n) != n if isinstance(d, str) else d != n
                for d, n in zip(spec.shape, shape, strict=True)
            ):
                received = Spec(spec.dtype, shape)
                raise refuse("feed_shape", name=name, received=received, expected=spec)
        return {name: Spec(self.program.specs[name].dtype, s) for name, s in shapes.items()}
