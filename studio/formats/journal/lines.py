"""A file that is only ever added to: one record a line, each told whole by what stands before it.

::

    00000042 3f0c…e1 {"act":"do","label":"Move","patch":{…}}
    length   check   JSON, UTF-8, no line break within

The check is BLAKE2b over the check of the line before and this line's JSON: a line counts only
behind all that were there when it was written. What was cut off while being written, and what was
damaged, ends the file: `Lines` gives what stands before it.

Documents may hold what JSON cannot, before somebody mends it (NaN in a parameter). Such values are
written as objects of the one name ``"~"``, in records that say so.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any

from studio.formats import strict_json
from studio.formats.strict_json import MalformedError
from studio.limits import JSON_BYTES

Check = bytes

START: Check = b""
_SIZE = 16  # bytes of a check
_HEAD = 8 + 1 + 2 * _SIZE + 1  # length and check, each with a space
_LONG = re.compile(rb"[0-9]{19}")  # perhaps an integer of more than 64 bits
_ODD = "~"


def line(record: bytes, before: Check) -> tuple[bytes, Check]:
    """A record as a line, and its check."""
    check = _check(before, record)
    return b"%08x %s %s\n" % (len(record), check.hex().encode(), record), check


def lines(records: Iterable[bytes], before: Check = START) -> tuple[bytes, Check]:
    """Several records, and the check of the last."""
    made = []
    for record in records:
        found, before = line(record, before)
        made.append(found)
    return b"".join(made), before


def encoded(record: Mapping[str, Any]) -> bytes:
    """A record as JSON."""
    try:
        data = _dumps(record)
        if not _LONG.search(data):
            return data
        strict_json.check(record, "$")
    except (ValueError, MalformedError):  # ValueError: NaN, or a text that is no Unicode
        return _dumps({"odd": _tagged(record)})
    return data


def decoded(data: bytes) -> dict[str, Any]:
    """The inverse of `encoded`.

    Raises:
        MalformedError: it is no record.
    """
    found = strict_json.loads(data, "journal", around=16)
    if isinstance(found, dict) and found.keys() == {"odd"}:
        found = _untagged(found["odd"])
    if not isinstance(found, dict):
        raise strict_json.malformed("journal", "expected", expected="{…}", received=data[:40])
    return found


def is_readable(record: bytes) -> bool:
    """Whether `decoded` reads a record of this size."""
    try:
        strict_json.refuse_large(record, "journal")
    except MalformedError:
        return False
    return True


class Lines:
    """The records of a file, one after another, from its beginning as far as it can be relied on.

    One at a time is in memory: as values they are large.

    Attributes:
        count: how many were given.
        damaged: once all were given: whether more follows than a line that was cut off.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.count, self.damaged = 0, False

    def __iter__(self) -> Iterator[dict[str, Any]]:
        data, at, before = self._data, 0, START
        self.count = 0
        while (record := _record(data, at)) is not None:
            check = _check(before, record)
            if check.hex().encode() != data[at + 9 : at + _HEAD - 1]:
                break
            try:
                found = decoded(record)
            except MalformedError:
                break
            before, at = check, at + _HEAD + len(record) + 1
            self.count += 1
            yield found
        self.damaged = b"\n" in data[at:]


def _record(data: bytes, at: int) -> bytes | None:
    """The JSON of the line that begins there; None where there is no whole one."""
    try:
        length = int(data[at : at + 8], 16)
    except ValueError:
        return None
    start, end = at + _HEAD, at + _HEAD + length
    fits = 0 <= length <= JSON_BYTES and data[end : end + 1] == b"\n"
    return data[start:end] if fits and data[start - 1 : start] == b" " else None


def _check(before: Check, record: bytes) -> Check:
    return blake2b(before + record, digest_size=_SIZE).digest()


def _dumps(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


# -- what JSON cannot say ------------------------------------------------------------------------


def _tagged(value: Any) -> Any:
    if isinstance(value, Mapping):
        inner = {_text(name): _tagged(v) for name, v in value.items()}
        return {_ODD: inner} if _ODD in inner else inner
    if isinstance(value, list | tuple):
        return [_tagged(v) for v in value]
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return {_ODD: ["int", hex(value)]}
    if isinstance(value, float) and not math.isfinite(value):
        return {_ODD: ["float", str(value)]}
    if isinstance(value, str) and _text(value) != value:
        return {_ODD: ["text", value.encode("utf-16-le", "surrogatepass").hex()]}
    return value


def _text(text: str) -> str:
    """A text as Unicode has it: what is left of halves of letters is a question mark."""
    return text.encode(errors="replace").decode()


def _untagged(value: Any) -> Any:
    if isinstance(value, list):
        return [_untagged(v) for v in value]
    if not isinstance(value, dict):
        return value
    if value.keys() != {_ODD}:
        return {name: _untagged(v) for name, v in value.items()}
    inner = value[_ODD]
    if isinstance(inner, dict):
        return {name: _untagged(v) for name, v in inner.items()}
    try:
        kind, said = inner
        return _UNTAGGED[kind](said)
    except (ValueError, TypeError, KeyError) as error:
        raise strict_json.malformed("journal", "not_json", detail=str(error)) from error


_UNTAGGED: dict[str, Any] = {
    "int": lambda said: int(said, 16),
    "float": float,
    "text": lambda said: bytes.fromhex(said).decode("utf-16-le", "surrogatepass"),
}
