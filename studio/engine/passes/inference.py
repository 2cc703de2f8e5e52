"""The program an expert would have written by hand: what is exported and predicts."""

from collections.abc import Mapping

from studio.engine.passes.eliminate_dead import eliminate_dead
from studio.engine.passes.eliminate_identity import eliminate_identity
from studio.engine.passes.fold_constants import fold_constants
from studio.engine.passes.freeze import freeze
from studio.engine.passes.merge_transposes import merge_transposes
from studio.engine.program import Array, Program


def for_inference(program: Program, weights: Mapping[str, Array]) -> Program:
    """`program` with these weights in it and nothing left that could be done beforehand.

    Changes of a weight's layout are folded, so an LSTM layer is one LSTM node and three constants.
    """
    program = fold_constants(freeze(program, weights))
    return eliminate_dead(merge_transposes(eliminate_identity(program)))
