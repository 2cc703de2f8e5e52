"""The value everything becomes."""

import numpy as np

from studio.engine.builder import Builder
from studio.engine.program import Role, Spec
from tests.engine.cases import f, i32


def example():
    op = Builder()
    x, n = op.input("x", f("batch", 2)), op.input("n", i32("batch", 2))
    s = op.state("s", f(2), Role.WEIGHT)
    y = op.Add(op.Mul(x, op.Cast(n, to="float32")), s)
    op.update(s, op.Mul(s, 0.5))
    return op.program([y])


def test_writers_and_readers() -> None:
    program = example()
    assert program.writers()[program.outputs[0]].op == "Add"
    assert [n.op for n in program.readers()["s"]] == ["Add", "Mul"]
    assert list(program.results()) == ["Add", "Mul_1"]


def test_astype_changes_floats_everywhere_and_nothing_else() -> None:
    wide = example().astype("float64")
    assert {s.dtype for s in wide.specs.values()} == {"float64", "int32"}
    assert all(c.dtype != np.float32 for c in wide.consts.values())
    assert next(n for n in wide.nodes if n.op == "Cast").attrs["to"] == "float64"
    assert wide.astype("float32").specs == example().specs


def test_a_spec_reads_like_what_it_is() -> None:
    assert str(Spec("float32", ("batch", 3))) == "float32(batch, 3)"
    assert Spec("int32", ()).rank == 0
