"""What older files said of data is what this version says."""

import json
from typing import Any

import pytest

from studio.document import edits
from studio.document.model import Document
from studio.document.plan import ClassColumn, NumberColumns
from studio.document.preprocess import FittedNumbers
from studio.formats.document_json import from_json, to_json
from studio.formats.upgrades import upgraded_bindings, upgraded_fitted
from studio.formats.values import read
from studio.problem import ProblemError
from tests.train.tables_and_models import bound, numeric


def old_values(standardize: Any) -> dict[str, Any]:
    """A document of format 2, where numbers were standardized or not."""
    document = bound(numeric(), NumberColumns(("a", "b")), ClassColumn("label"))
    (output,) = document.graph.outputs
    targets = {output.key: NumberColumns(("y",))}
    value = to_json(edits.set_data(document, targets=targets))
    for ends in ("inputs", "targets"):
        (binding,) = value["plan"]["data"][ends].values()
        del binding["scaling"], binding["missing"]
        binding["standardize"] = standardize
    del value["plan"]["data"]["series"], value["plan"]["data"]["split"]["file"]
    return json.loads(json.dumps({**value, "format": 2}))  # type: ignore[no-any-return]


@pytest.mark.parametrize(("standardize", "scaling"), [(True, "standardize"), (False, "none")])
def test_standardizing_became_a_scaling(standardize: bool, scaling: str) -> None:
    data = from_json(old_values(standardize)).plan.data
    bindings = [*data.inputs.values(), *data.targets.values()]
    assert [b.columns for b in bindings if isinstance(b, NumberColumns)] == [("a", "b"), ("y",)]
    assert {b.scaling for b in bindings if isinstance(b, NumberColumns)} == {scaling}
    assert (data.series, data.split.file) == (None, None)


@pytest.mark.parametrize("standardize", ["yes", 1, None, []])
def test_what_was_no_answer_is_refused_still(standardize: Any) -> None:
    with pytest.raises(ProblemError):
        from_json(old_values(standardize))


@pytest.mark.parametrize("value", [{}, {"plan": 1}, {"plan": {"data": {"inputs": [1]}}}])
def test_what_is_no_document_is_left_to_the_reader(value: dict[str, Any]) -> None:
    assert upgraded_bindings(value) == {**value, "format": 3}
    assert upgraded_fitted(7) == 7


def test_what_was_learnt_of_numbers_is_known_still() -> None:
    binding = {"columns": ["a"], "standardize": True}
    old = {"c2": {"kind": "FittedNumbers", "binding": binding, "mean": [2], "deviation": [0.5]}}
    found = {name: v for name, v in upgraded_fitted(old)["c2"].items() if name != "kind"}
    expected = FittedNumbers(NumberColumns(("a",), "standardize"), (2.0,), (0.5,))
    assert read(FittedNumbers, found, "x") == expected
    assert expected.middle("a") == 2
    assert expected.ends("a") is None


def test_the_empty_document_goes_through_every_step() -> None:
    value = to_json(Document())
    del value["looks"]
    assert from_json({**value, "format": 1}) == Document()
