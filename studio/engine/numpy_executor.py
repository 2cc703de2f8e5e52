"""Runs a program in NumPy, by plans made once for each set of input shapes."""

import math
from collections.abc import Mapping

import numpy as np

from studio.engine.arena import Sizes
from studio.engine.memory import expect_room
from studio.engine.operator import Buffer
from studio.engine.passes.for_numpy import for_numpy
from studio.engine.planner import Layout, Plan, lay_out
from studio.engine.program import Array, Dim, Program, Spec
from studio.engine.threads import available, limited
from studio.problem import refuse

_LAYOUTS = 4  # as many plans as a training has: of full batches and the last, twice
_Key = tuple[tuple[int, ...], ...]  # the shapes of the inputs


class NumpyExecutor:
    """An `Executor`. States live in arrays of its own that every plan writes in place; those of a
    program that writes none live with whoever loads them.

    Plans are kept by the shapes of the inputs, so a last smaller batch costs one more plan.

    Args:
        program: what to run.
        threads: how many the matrix products use; all cores if 0.
    """

    def __init__(self, program: Program, threads: int = 0) -> None:
        """Compile `program` for any sizes.

        Raises:
            ProblemError: ``memory_over``, when its states alone take more than the budget.
        """
        expect_room(program.state_bytes())
        self.program = program
        self._faster = for_numpy(program)
        self.threads = threads or available()
        self._reads_only = all(state.input == state.output for state in program.state)
        self._kept = {state.input for state in program.state}
        self._state: dict[str, Buffer] = {}
        self._joined: dict[str, Buffer] = {}  # by the faster program's state: all of its parts
        self._layouts: dict[_Key, Layout] = {}  # of plans that are not made yet
        self._plans: dict[_Key, Plan] = {}
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
        for name, given in state.items():
            if name not in self._kept:
                continue
            array = np.asarray(given, self.program.specs[name].dtype)
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
            ProblemError: ``feed_shape``, ``operator_refused``, ``memory_over``, at the first run of
                a shape.
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
            states = {**self._state, **self._joined}
            states = {state.input: states[state.input] for state in self._faster.state}
            self._plans[key] = self._layout(key).plan(states)
            del self._layouts[key]
        return self._plans[key]

    def sizes(self, shapes: Mapping[str, tuple[int, ...]], limit: int) -> Sizes:
        """What the plan for inputs of these shapes takes, or will take: see `Layout.sizes`.

        Raises:
            ProblemError: ``feed_shape``, ``operator_refused``.
        """
        key = tuple(shapes[name] for name in self.program.inputs)
        made = self._plans.get(key)
        return made.sizes if made else self._layout(key).sizes(limit)

    def _layout(self, key: _Key) -> Layout:
        if key not in self._layouts:
            if len(self._layouts) >= _LAYOUTS:  # somebody only asks
                self._layouts.clear()
            shapes = dict(zip(self.program.inputs, key, strict=True))
            states = {s.input: self._faster.specs[s.input] for s in self._faster.state}
            self._layouts[key] = lay_out(self._faster, self._concrete(shapes), states)
        return self._layouts[key]

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
