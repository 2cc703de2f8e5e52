"""How columns come to a port, in words."""

import pytest

from studio.document.plan import (
    ArrayColumn,
    ClassColumn,
    DateColumn,
    FeatureColumns,
    ImageColumn,
    NumberColumns,
    SequenceColumn,
    TextColumn,
)
from studio.text import LANGUAGES, set_language
from studio.train.wording import some, steps_said

BINDINGS = (
    TextColumn("title", length=36, one_hot=True),
    TextColumn("title", split="unspaced", padding="post"),
    NumberColumns(("a", "b"), scaling="min_max", missing="median"),
    ClassColumn("kind", one_hot=True, missing="class"),
    DateColumn("day", scaling="standardize"),
    ImageColumn("picture", resize="crop", color="grayscale"),
    SequenceColumn("steps", padding="pre"),
    ArrayColumn("image", divisor=255.0),
    FeatureColumns((NumberColumns(("a",)), ClassColumn("kind"))),
)


@pytest.fixture(params=LANGUAGES)
def spoken(request):
    set_language(request.param)
    yield request.param
    set_language("en")


@pytest.mark.parametrize("binding", BINDINGS, ids=lambda b: type(b).__name__)
def test_every_step_is_said_in_every_language(spoken, binding):
    said = steps_said(binding)
    assert said
    assert not any("binding." in step or "training." in step for step in said)


def test_the_columns_come_first_and_then_what_happens_to_them():
    columns, *steps = steps_said(NumberColumns(("a", "b"), "standardize", "median"))
    assert columns == "a, b"
    assert len(steps) == 2  # empty cells are filled, then all are scaled
    assert steps_said(NumberColumns(("a",))) == ["a"]


def test_of_many_columns_some_are_named():
    assert some(("a", "b", "c", "d")) == "a, b, c, d"
    assert some(tuple("abcdef")).startswith("a, b, c ")
    assert "3" in some(tuple("abcdef"))
