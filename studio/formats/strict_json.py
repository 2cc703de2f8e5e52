"""JSON as files hold it: one way to write a value, and nothing dubious accepted when reading.

Refused: a name twice in one object, NaN and Infinity, numbers outside float64 or 64 bits, texts
that are no Unicode, nesting deeper than `JSON_DEPTH`, more than `JSON_BYTES` or about
`JSON_VALUES` values.
"""

import json
import math
from collections import Counter
from typing import Any

from studio.limits import JSON_BYTES, JSON_DEPTH, JSON_VALUES
from studio.problem import Problem
from studio.text import legible

_INT = 2**63


class MalformedError(Exception):
    """What a file holds is not what it must be: the place within it, and the reason."""

    def __init__(self, place: str, reason: Problem) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


def malformed(place: str, code: str, **args: Any) -> MalformedError:
    """``raise malformed("layers[2]", "twice", name="units")``; the text is ``reason_<code>``."""
    short = {name: legible(arg) if isinstance(arg, str) else arg for name, arg in args.items()}
    return MalformedError(legible(place, 500), Problem(f"reason_{code}", args=short))


def below(place: str, name: str) -> str:
    """The place of what an object holds under a name, however long that is: ``layers[2].units``."""
    return f"{place}.{legible(name)}"


def dumps(value: Any, place: str = "$") -> bytes:
    """UTF-8, sorted keys, arrays of plain values on one line. Equal values give equal bytes.

    Raises:
        MalformedError: a number is not finite, a text is not Unicode, the result is too large.
    """
    check(value, place)
    data = (_laid_out(value, "\n") + "\n").encode()
    refuse_large(data, place)
    return data


def loads(data: bytes, place: str = "$", around: int = 0) -> Any:
    """The value these bytes hold; `around` it may be so many levels more.

    Raises:
        MalformedError: they are not JSON, or hold what this page refuses.
    """
    refuse_large(data, place)
    try:
        value = json.loads(
            data.decode(),
            object_pairs_hook=lambda pairs: _object(place, pairs),
            parse_constant=lambda name: _refuse(place, name),
        )
    except RecursionError:
        raise malformed(place, "too_deep", expected=JSON_DEPTH) from None
    except ValueError as error:  # also an int of too many digits, and bytes that are not UTF-8
        raise malformed(place, "not_json", detail=str(error)) from error
    check(value, place, around)
    return value


def weight(data: bytes) -> int:
    """How much a JSON text will hold, counted before it is read: about one for each value.

    An array counts as one value more and an object as three: so much larger they are in memory.
    """
    return data.count(b",") + 2 * data.count(b"[") + 4 * data.count(b"{")


def refuse_large(data: bytes, place: str) -> None:
    """Refuse what `loads` refuses for its size, before anything is made of it.

    Raises:
        MalformedError: it is too large, or holds too many values.
    """
    if len(data) > JSON_BYTES:
        raise malformed(place, "too_large", expected=JSON_BYTES)
    count = weight(data)
    if count > JSON_VALUES:
        raise malformed(place, "too_many", received=count, expected=JSON_VALUES)


def _laid_out(value: Any, line: str) -> str:
    inner = line + " "
    if isinstance(value, dict) and value:
        names = ((json.dumps(name, ensure_ascii=False), value[name]) for name in sorted(value))
        return (
            f"{{{inner}{f',{inner}'.join(f'{n}: {_laid_out(v, inner)}' for n, v in names)}{line}}}"
        )
    if isinstance(value, list) and any(isinstance(v, list | dict) for v in value):
        return f"[{inner}{f',{inner}'.join(_laid_out(v, inner) for v in value)}{line}]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _object(place: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        name = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise malformed(place, "twice", name=name.encode(errors="replace").decode())
    return found


def _refuse(place: str, name: str) -> Any:
    raise malformed(place, "number", received=name)


def check(value: Any, place: str, around: int = 0) -> None:
    """Refuse what `dumps` refuses of a value, but for its size.

    Raises:
        MalformedError: naming the place in it.
    """
    try:
        _check(value, -around)
    except MalformedError as error:
        error.place = f"{place}{error.place}"
        raise


def _check(value: Any, depth: int = 0) -> None:
    """Refuse what is dubious; the place is put together on the way out, if there is any."""
    if depth > JSON_DEPTH:
        raise malformed("", "too_deep", expected=JSON_DEPTH)
    if isinstance(value, dict):
        for name, inner in value.items():
            _check_text(name)
            try:
                _check(inner, depth + 1)
            except MalformedError as error:
                error.place = f".{legible(name)}{error.place}"
                raise
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            try:
                _check(inner, depth + 1)
            except MalformedError as error:
                error.place = f"[{i}]{error.place}"
                raise
    elif isinstance(value, str):
        _check_text(value)
    elif not _ordinary(value):
        raise malformed("", "number", received=str(value)[:40])


def _ordinary(value: Any) -> bool:
    """Not a number that 64 bits cannot hold, and not NaN or infinite."""
    if isinstance(value, int):
        return -_INT <= value < _INT
    return not isinstance(value, float) or math.isfinite(value)


def _check_text(text: str) -> None:
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError:
        raise malformed("", "text") from None
