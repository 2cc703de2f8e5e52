import json

import pytest

from studio import limits
from studio.formats.strict_json import MalformedError, dumps, loads


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"b": {"a": 1, "a": 1}}', "twice"),
        (b"[NaN]", "number"),
        (b"[-Infinity]", "number"),
        (b"[1e999]", "number"),
        (b"[9223372036854775808]", "number"),
        (b"[" + b"9" * 5000 + b"]", "not_json"),
        (b'"\\ud800"', "text"),
        (b'{"\\ud800": 1}', "text"),
        (b"\xff", "not_json"),
        (b"", "not_json"),
        (b"[1,]", "not_json"),
        (b"[" * 66 + b"]" * 66, "too_deep"),
        (b"[" * 100_000, "too_deep"),
        (b'"' + b" " * limits.JSON_BYTES + b'"', "too_large"),
        (b"[" + b"1," * limits.JSON_VALUES + b"1]", "too_many"),
    ],
)
def test_dubious_json_is_refused(data, code):
    with pytest.raises(MalformedError) as caught:
        loads(data)
    assert caught.value.reason.code == f"reason_{code}"
    assert "problems." not in str(caught.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**63, "\ud800"])
def test_what_could_not_be_read_back_is_not_written(value):
    with pytest.raises(MalformedError):
        dumps({"a": [value]}, "document")


def test_arrays_of_plain_values_stand_on_one_line():
    value = {"b": [["c2", 0], {}], "a": {"x": [1, 2.5, None, True, "é"]}, "c": []}
    assert dumps(value).decode() == (
        '{\n "a": {\n  "x": [1, 2.5, null, true, "é"]\n },\n'
        ' "b": [\n  ["c2", 0],\n  {}\n ],\n "c": []\n}\n'
    )
    assert json.loads(dumps(value)) == loads(dumps(value)) == value
