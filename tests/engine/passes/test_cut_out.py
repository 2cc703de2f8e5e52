"""A part cut out of a program computes what it computed there."""

import numpy as np

from studio.engine.builder import Builder
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.passes.cut_out import cut_out
from studio.engine.program import Program, Role, Spec


def whole() -> Program:
    """``twice = (x + w) * 2``, ``sums = Σ twice``, with a state that grows by one."""
    op = Builder()
    x = op.input("x", Spec("float32", ("batch", 3)))
    weight = op.state("w", Spec("float32", (3,)), Role.WEIGHT)
    with op.at("", "moved"):
        moved = op.Add(x, weight)
    with op.at("", "twice"):
        twice = op.Mul(moved, 2.0)
    with op.at("", "sums"):
        sums = op.ReduceSum(twice, np.array([1], np.int64), keepdims=0)
    op.update(weight, op.Add(weight, 1.0))
    return op.program([sums, twice])


def test_what_lies_before_the_starts_is_left_out() -> None:
    part = cut_out(whole(), ["moved/Add"], ["twice/Mul"])
    assert part.inputs == ("moved/Add",)
    assert part.outputs == ("twice/Mul",)
    assert [node.op for node in part.nodes] == ["Mul"]
    assert part.state == ()
    given = {"moved/Add": np.ones((2, 3), np.float32)}
    np.testing.assert_array_equal(NumpyExecutor(part).run(given)["twice/Mul"], np.full((2, 3), 2.0))


def test_states_are_read_and_never_written() -> None:
    part = cut_out(whole(), [], ["twice/Mul"])
    assert [(state.input, state.output) for state in part.state] == [("w", "w")]
    runner = NumpyExecutor(part)
    runner.load({"w": np.arange(3, dtype=np.float32)})
    for _ in range(2):
        found = runner.run({"x": np.zeros((1, 3), np.float32)})
    np.testing.assert_array_equal(found["twice/Mul"], [[0.0, 2.0, 4.0]])


def test_a_start_that_nothing_reads_is_no_input() -> None:
    assert cut_out(whole(), ["moved/Add", "x"], ["sums/ReduceSum"]).inputs == ("moved/Add",)


def test_outputs_of_a_node_that_nobody_reads_keep_their_names() -> None:
    op = Builder()
    x = op.input("x", Spec("float32", ("batch", 4)))
    first, _ = op.call("Split", [x], 2, num_outputs=2, axis=1)
    (node,) = cut_out(op.program([first]), [], [first.name]).nodes
    assert all(node.outputs)
