"""States that are only read become constants."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from studio.engine.program import Array, Program


def freeze(program: Program, values: Mapping[str, Array]) -> Program:
    """The program with its weights in it, for inference and export.

    1. A state that is only read and has a value becomes a constant of the same name.
    2. A state that is written, or has no value, stays a state.
    """
    frozen = {
        state.input
        for state in program.state
        if state.output == state.input and state.input in values
    }
    consts = {name: np.asarray(values[name], program.specs[name].dtype) for name in sorted(frozen)}
    left = tuple(state for state in program.state if state.input not in frozen)
    return replace(program, consts={**program.consts, **consts}, state=left)
