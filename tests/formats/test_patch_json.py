"""Patches as JSON values: what is read is what was written, and nothing else is accepted."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from studio.document.model import Document
from studio.document.patch import Fields, apply, patch
from studio.formats.journal.lines import decoded, encoded
from studio.formats.patch_json import plain_patch, read_patch
from studio.formats.strict_json import MalformedError
from tests.document.drawn import headline
from tests.document.test_patch import laid_out
from tests.formats.documents import documents
from tests.reliability.random_edits import Hand


def through_json(found: Fields) -> Fields:
    return read_patch(json.loads(json.dumps(plain_patch(found))), "$")


@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(documents(), documents())
def test_any_patch_comes_back(old: Document, new: Document) -> None:
    made = apply(through_json(patch(old, new)), old)
    assert made == new
    assert laid_out(made) == laid_out(new)


@pytest.mark.parametrize("seed", range(4))
def test_every_edit_comes_back_from_a_line(seed: int) -> None:
    """Also one that puts in what no project file may hold."""
    hand, copy = Hand(headline()[0], seed, odd=True), headline()[0]
    for _ in range(150):
        _, new = hand.edit()
        record = decoded(encoded(plain_patch(patch(hand.document, new))))
        copy = apply(read_patch(record, "$"), copy)
        assert laid_out(copy) == laid_out(new)
        hand.document = new


@pytest.mark.parametrize(
    "value",
    [
        3,
        {},
        {"put": 3},
        {"new": [], "gone": []},
        {"entries": []},
        {"fields": {"nothing": {"put": 3}}},
        {"fields": {"main": {"put": 3}}},
        {"fields": {"main": {"fields": {}}}},
        {"fields": {"main": {"new": [], "gone": []}}},
        {"fields": {"main": {"put": "g1", "more": 3}}},
        {"fields": {"graphs": {"entries": [["g1"]]}}},
        {"fields": {"graphs": {"entries": [["g1", {"fields": {"wires": {"entries": []}}}]]}}},
        {"fields": {"graphs": {"entries": [["g1", {"fields": {"wires": {"new": [3]}}}]]}}},
        {"fields": {"layers": {"entries": [["l1", {"put": {"name": "x"}}]]}}},
        {"fields": {"layers": {"entries": [["l1", {"fields": {"body": {"put": {}}}}]]}}},
        {"fields": {"layers": {"gone": ["l1"]}}},
        {"fields": {"plan": {"fields": {"optimizer": {"put": {"kind": "os.system"}}}}}},
        {"fields": {"next_id": {"put": True}}},
    ],
    ids=str,
)
def test_what_is_no_patch_is_refused(value: Any) -> None:
    with pytest.raises(MalformedError):
        read_patch(value, "$")
