"""Writing programs."""

import numpy as np
import pytest

from studio.engine.builder import Builder
from studio.engine.program import Role, Spec
from tests.engine.cases import boolean, f, i32, ints
from tests.work import grows_with


def test_numbers_take_the_dtype_of_the_values_beside_them() -> None:
    op = Builder()
    x = op.input("x", Spec("float64", (2,)))
    assert op.Mul(x, 0.5).dtype == "float64"
    assert op.Mul(0.5, x).dtype == "float64"
    assert op.Add(op.input("n", i32(2)), 1).dtype == "int32"


def test_a_condition_says_nothing_of_the_numbers_beside_it() -> None:
    op = Builder()
    x, condition = op.input("x", f(2)), op.input("c", boolean(2))
    assert op.Where(condition, 0.0, x).dtype == "float32"
    assert op.Where(condition, x, 0.0).dtype == "float32"
    assert op.And(condition, True).dtype == "bool"


def test_equal_constants_are_one() -> None:
    op = Builder()
    assert op.const(ints(1, 2)) == op.const(ints(1, 2))
    assert op.const(ints(1, 2)) != op.const(np.array([1, 2], np.int32))
    assert op.const(np.float32(0)) != op.const(np.zeros(1, np.float32))
    assert op.const(np.float32(0.0)) != op.const(np.float32(-0.0))


def test_names_say_where_a_node_comes_from() -> None:
    op = Builder()
    x = op.input("x", f(2))
    with op.at("c1", "dense"):
        assert op.Relu(x).name == "dense/Relu"
        assert op.Relu(x).name == "dense/Relu_1"
        with op.at("c2"):
            assert op.Relu(x).name == "c2/Relu"
    assert op.Relu(x).name == "Relu"
    assert [n.source for n in op.nodes] == ["c1", "c1", "c2", ""]


def test_a_name_is_given_once() -> None:
    op = Builder()
    op.input("x", f(2))
    with pytest.raises(ValueError, match="x"):
        op.input("x", f(2))


def test_a_state_has_one_writer_of_its_own_spec() -> None:
    op = Builder()
    s = op.state("s", f(2), Role.SLOT)
    with pytest.raises(ValueError, match="float32"):
        op.update(s, op.const(np.zeros(3, np.float32)))
    op.update(s, op.Neg(s))
    with pytest.raises(ValueError, match="already"):
        op.update(s, op.Abs(s))
    assert op.program([]).state[0].role == Role.SLOT


def test_what_does_not_fit_is_refused_when_appended() -> None:
    op = Builder()
    x = op.input("x", f("batch", 3))
    with pytest.raises(ValueError, match="MatMul"):
        op.MatMul(x, op.const(np.zeros((2, 2), np.float32)))
    assert op.nodes == []


def test_no_such_attribute() -> None:
    with pytest.raises(AttributeError):
        _ = Builder().lowercase


def test_continuing_goes_on_with_the_same_names() -> None:
    op = Builder()
    x = op.input("x", f("batch", 2))
    s = op.state("s", f(2), Role.WEIGHT)
    y = op.Add(x, s)
    program = op.program([y])
    more = Builder.continuing(program)
    z = more.Add(more.value(y.name), 1.0)
    assert z.name == "Add_1"
    assert more.program([z]).inputs == ("x",)
    assert more.program([z]).state == program.state
    assert len(program.nodes) == 1


def test_the_shape_of_a_known_value_is_a_constant() -> None:
    op = Builder()
    x, y = op.input("x", f(2, 3)), op.input("y", f("batch", 3))
    assert op.consts[op.shape_of(x).name].tolist() == [2, 3]
    assert op.shape_of(y) == op.shape_of(y)
    assert [n.op for n in op.nodes] == ["Shape"]
    assert op.like(y, y) == y


def append(count: int) -> None:
    op = Builder()
    y = op.input("x", f("batch", 3))
    for _ in range(count):
        y = op.Neg(y)


def test_the_work_of_appending_a_node_does_not_grow_with_those_before_it() -> None:
    append(4)
    assert grows_with(append, 500, 4000) < 1.2
