"""Whatever a plan holds comes back from JSON as it was: values by their types, at random."""

import dataclasses
import json
import types
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.document import plan, preprocess
from studio.document.model import Document
from studio.formats import document_json, strict_json
from studio.formats.values import plain
from studio.formats.values import read as read_value

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
PLAIN = {
    str: st.text(st.characters(exclude_categories=("Cs",)), max_size=8),
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    type(None): st.none(),
}


def values_of(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a type."""
    if kind in PLAIN:
        return PLAIN[kind]
    parts = get_args(kind)
    if get_origin(kind) is Literal:
        return st.sampled_from(parts)
    if get_origin(kind) in (Union, types.UnionType):
        return st.one_of(*map(values_of, parts))
    if get_origin(kind) is tuple:
        if parts[1:] == (...,):
            return st.lists(values_of(parts[0]), max_size=3).map(tuple)
        return st.tuples(*map(values_of, parts))
    hints = get_type_hints(kind)
    fields = {f.name: values_of(hints[f.name]) for f in dataclasses.fields(kind)}
    return st.builds(kind, **fields)


@pytest.mark.parametrize("kind", get_args(preprocess.Fitted), ids=lambda kind: kind.__name__)
def test_what_preprocessing_learnt(kind: Any) -> None:
    @QUICK
    @given(values_of(kind))
    def check(value: Any) -> None:
        written = json.dumps(plain(value))
        found = read_value(kind, strict_json.loads(written.encode(), "f"), "f")
        assert repr(found) == repr(value)  # −0.0 is 0.0 otherwise

    check()


@pytest.mark.parametrize("kind", get_args(plan.Binding), ids=lambda kind: kind.__name__)
def test_documents(kind: Any) -> None:
    @QUICK
    @given(
        values_of(plan.RunPlan),
        values_of(plan.Split),
        values_of(plan.Series | None),
        values_of(plan.Source | None),
        values_of(kind),
    )
    def check(run: Any, split: Any, series: Any, source: Any, binding: Any) -> None:
        data = plan.DataPlan(source, {"c1": binding}, {"c2.output": binding}, split, series)
        document = dataclasses.replace(Document(), plan=plan.TrainPlan(data=data, run=run))
        written = json.dumps(document_json.to_json(document))
        found = document_json.read_document(strict_json.loads(written.encode(), "d"))
        assert repr(found.plan) == repr(document.plan)

    check()
