"""Made-up tables: repeatable and quickly made."""

import numpy as np
import pytest

from studio.problem import ProblemError
from studio.train.generators import GENERATORS, generate
from studio.train.tables import Table


def same(one: Table, other: Table) -> bool:
    arrays = all(np.array_equal(a, other.arrays[name]) for name, a in one.arrays.items())
    return one.columns == other.columns and one.arrays.keys() == other.arrays.keys() and arrays


@pytest.mark.parametrize("name", GENERATORS)
def test_a_table_depends_on_rows_and_seed_alone(name: str) -> None:
    function, _ = GENERATORS[name]
    table = function(50, 3)
    assert table.rows == 50
    assert all(len(column) == 50 for column in (*table.columns.values(), *table.arrays.values()))
    assert same(table, function(50, 3))
    other = function(50, 4)
    assert table.columns != other.columns
    assert all(not np.array_equal(a, other.arrays[c]) for c, a in table.arrays.items())


@pytest.mark.parametrize("name", GENERATORS)
def test_a_whole_table_has_its_rows(name: str) -> None:
    function, default = GENERATORS[name]
    assert function(default, 7).rows == default
    assert generate(name).rows == default


def test_an_unknown_generator_names_those_there_are() -> None:
    with pytest.raises(ProblemError, match="headline, digits"):
        generate("weather")
