"""The lines of a journal: a file counts as far as it is as it was written."""

import json
import random
from typing import Any

import pytest

from studio.formats.journal.lines import START, Lines, decoded, encoded, line, lines
from studio.formats.strict_json import MalformedError

RECORDS = [{"act": "a", "n": n, "text": "层\n" * n} for n in range(6)]


def data(records: list[dict[str, Any]] = RECORDS) -> bytes:
    return lines(map(encoded, records))[0]


def whole(found: bytes) -> tuple[list[dict[str, Any]], bool]:
    """What can be relied on, and whether there is damage."""
    read = Lines(found)
    records = list(read)
    assert read.count == len(records)
    assert list(read) == records  # again and again
    return records, read.damaged


def ends() -> list[int]:
    """Where each line ends."""
    found = data()
    return [i + 1 for i, byte in enumerate(found) if byte == ord("\n")]


def test_what_was_written_is_read() -> None:
    assert whole(data()) == (RECORDS, False)


def test_lines_are_text() -> None:
    head, *_ = data().decode().splitlines()
    length, check, record = head.split(" ", 2)
    assert json.loads(record) == RECORDS[0]
    assert int(length, 16) == len(record)
    assert len(check) == 32


def test_a_line_added_later_is_of_the_same_file() -> None:
    start, check = lines(map(encoded, RECORDS[:2]))
    assert start + line(encoded(RECORDS[2]), check)[0] == data(RECORDS[:3])


def test_cut_at_any_byte_what_is_whole_counts() -> None:
    found, whole_at = data(), ends()
    for cut in range(len(found) + 1):
        records, damaged = whole(found[:cut])
        assert records == RECORDS[: sum(end <= cut for end in whole_at)]
        assert not damaged  # it was only cut off


def test_a_bit_that_turned_ends_the_file_there() -> None:
    found, whole_at = data(), ends()
    for at in range(len(found)):
        for bit in range(8):
            turned = bytearray(found)
            turned[at] ^= 1 << bit
            records, damaged = whole(bytes(turned))
            before = sum(end <= at for end in whole_at)
            # A digit of a length may be written in two ways; nothing else may.
            assert records in (RECORDS[:before], RECORDS)
            assert damaged or records == RECORDS or before == len(RECORDS) - 1


def test_lines_of_another_place_do_not_count() -> None:
    """Repeated, left out, exchanged, or of another journal."""
    parts = data().splitlines(keepends=True)
    for made in (
        [*parts[:3], parts[2], *parts[3:]],
        [*parts[:3], *parts[4:]],
        [*parts[:3], parts[4], parts[3], parts[5]],
        [*parts[:3], *data(RECORDS[3:]).splitlines(keepends=True)],
    ):
        assert whole(b"".join(made)) == (RECORDS[:3], True)


def test_noise_gives_nothing() -> None:
    draw = random.Random(0)
    for size in (0, 1, 41, 42, 43, 1000):
        assert whole(draw.randbytes(size))[0] == []
    assert whole(b"\0" * 1000)[0] == []


@pytest.mark.parametrize(
    "length", [b"ffffffff", b"-0000001", b"00_00001", b"        ", b"+000000f"]
)
def test_a_length_that_cannot_be_is_an_end(length: bytes) -> None:
    assert whole(length + data()[8:])[0] == []


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        -float("inf"),
        10**30,
        -(2**63) - 1,
        2**63,
        "\ud800",
        "a\udfff\ud800b",
        {"~": 1},
        {"~": ["int", "0x1"], "b": float("nan")},
        {"~": {"~": float("inf")}},
        [[1, (2, float("-inf"))]],
        True,
    ],
    ids=repr,
)
def test_what_json_cannot_say_comes_back(value: Any) -> None:
    odd = {"act": "a", "value": value, "beside": [float("nan")]}
    assert repr(decoded(encoded(odd))) == repr({**odd, "value": _lists(value)})


def _lists(value: Any) -> Any:
    """JSON has no tuples."""
    return [_lists(v) for v in value] if isinstance(value, list | tuple) else value


def test_ordinary_records_are_plain_json() -> None:
    record = {"big": 2**63 - 1, "small": -(2**63), "text": "1" * 40, "~": 3}
    assert json.loads(encoded(record)) == record
    assert decoded(encoded(record)) == record


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b"3",
        b"[]",
        b"{",
        b'{"a":NaN}',
        b'{"a":1,"a":2}',
        b'{"a":1e999}',
        b"\xff",
        b'{"odd":3}',
        b'{"odd":{"a":{"~":["eval","1"]}}}',
        b'{"odd":{"a":{"~":["int","x"]}}}',
        b'{"odd":{"a":{"~":["text","6"]}}}',
        b'{"odd":{"a":{"~":3}}}',
        b"[" * 100_000,
    ],
    ids=lambda record: record[:20],
)
def test_what_is_no_record_is_refused(record: bytes) -> None:
    with pytest.raises(MalformedError):
        decoded(record)
    assert whole(line(record, START)[0])[0] == []
