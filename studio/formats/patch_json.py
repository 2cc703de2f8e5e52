"""Patches of documents ⇄ JSON values: what the recovery journal is made of.

A patch is one of::

    {"put": value}                                        this value, whatever was there
    {"fields": {"plan": patch, …}}                        of a thing with fields
    {"entries": [["c4", patch], …], "gone": ["c2"], …}    of a mapping; "order" where that changed
    {"new": [value, …], "gone": [value, …]}               of a set

What a value is follows from its place in a document, and is told by the type hints there.
"""

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any, get_args, get_origin, get_type_hints

from studio.document.looks import Point
from studio.document.model import Body, Document, Endpoint, Wire
from studio.document.patch import OPEN, Entries, Fields, Members, Patch, Put
from studio.formats.document_json import plain_body, read_body
from studio.formats.looks_json import plain_wire, read_wire
from studio.formats.strict_json import malformed
from studio.formats.values import array, has_choice, member, only, plain, read, table


def plain_patch(patch: Fields) -> dict[str, Any]:
    """The patch of a document as JSON values."""
    return _plain_patch(Document, patch)


def read_patch(value: Any, place: str) -> Fields:
    """The inverse of `plain_patch`.

    Raises:
        MalformedError: the value is none.
    """
    found = _read_patch(Document, value, place)
    if not isinstance(found, Fields):
        raise malformed(place, "missing", name="fields")
    return found


# -- writing -------------------------------------------------------------------------------------


def _plain_patch(hint: Any, patch: Patch) -> dict[str, Any]:
    match patch:
        case Put(value):
            return {"put": _writer(hint)(value)}
        case Fields(patches):
            hints = _hints(hint)
            return {"fields": {n: _plain_patch(hints[n], p) for n, p in patches.items()}}
        case Members(new, gone):
            write = _writer(hint)
            return {"new": write(new), "gone": write(gone)}
        case Entries(patches, gone, order):
            key, inner = get_args(hint)
            write = _writer(key)
            pairs = [[write(k), _plain_patch(inner, p)] for k, p in patches.items()]
            said: dict[str, Any] = {"entries": pairs}
            if gone:
                said["gone"] = list(map(write, gone))
            if order is not None:
                said["order"] = list(map(write, order))
            return said


@cache
def _writer(hint: Any) -> Callable[[Any], Any]:
    """What makes JSON of the values of a type hint; found once, used for each of thousands."""
    known: dict[Any, Callable[[Any], Any]]
    known = {Body: plain_body, Wire: plain_wire, Endpoint: list, str: str, bool: bool}
    if hint in known:
        return known[hint]
    if hint in OPEN:
        writers = {name: _writer(inner) for name, inner in _hints(hint).items()}
        return lambda value: {n: write(getattr(value, n)) for n, write in writers.items()}
    if get_origin(hint) is frozenset:
        write_one = _writer(get_args(hint)[0])
        return lambda value: sorted(map(write_one, value))
    if _is_mapping(hint):
        write_key, write_value = map(_writer, get_args(hint))
        return lambda value: [[write_key(k), write_value(v)] for k, v in value.items()]
    if _is_row(hint):
        write_each = _writer(get_args(hint)[0])
        return lambda value: list(map(write_each, value))
    return partial(plain, tagged=has_choice(hint))


# -- reading -------------------------------------------------------------------------------------


def _read_patch(hint: Any, value: Any, place: str) -> Patch:
    found = table(value, place)
    if "put" in found:
        return Put(_read(hint, only(found, ("put",), place)["put"], f"{place}.put"))
    if "fields" in found:
        if hint not in OPEN:
            raise malformed(place, "expected", expected="put", received="fields")
        hints = _hints(hint)
        parts = only(only(found, ("fields",), place)["fields"], tuple(hints), f"{place}.fields")
        return Fields({n: _read_patch(hints[n], v, f"{place}.{n}") for n, v in parts.items()})
    if "new" in found:
        only(found, ("new", "gone"), place)
        inner = _inner(hint, frozenset, place)[0]
        new, gone = (_read_all(inner, member(found, n, place), place) for n in ("new", "gone"))
        return Members(frozenset(new), frozenset(gone))
    only(found, ("entries", "gone", "order"), place)
    key, inner = _inner(hint, Mapping, place)
    patches = {}
    for pair in array(member(found, "entries", place), place):
        name, patch = array(pair, place, 2)
        at = _read(key, name, place)
        patches[at] = _read_patch(inner, patch, f"{place}.{_shown(at)}")
    gone_keys = _read_all(key, found.get("gone", []), f"{place}.gone")
    order = _read_all(key, found["order"], f"{place}.order") if "order" in found else None
    return Entries(patches, gone_keys, order)


def _read(hint: Any, value: Any, place: str) -> Any:
    return _reader(hint)(value, place)


@cache
def _reader(hint: Any) -> Callable[[Any, str], Any]:
    """What makes values of a type hint of JSON: the inverse of `_writer`'s, found once, too."""
    if hint == Body:
        return lambda value, place: read_body(table(value, place), place)
    if hint is Wire:
        return read_wire
    if hint is Endpoint:
        return lambda value, place: Endpoint(*read(tuple[str, str], value, place))
    if hint in OPEN:
        return partial(_read_open, hint)
    if get_origin(hint) is frozenset:
        inner = get_args(hint)[0]
        return lambda value, place: frozenset(_read_all(inner, value, place))
    if _is_mapping(hint):
        return partial(_read_mapping, *get_args(hint))
    if _is_row(hint):
        return partial(_read_all, get_args(hint)[0])
    # Names and positions there are thousands of: `read` looks at those that are to be refused.
    if hint in (str, bool):
        return lambda value, place: value if type(value) is hint else read(hint, value, place)
    return _read_point if hint == Point else partial(read, hint)


def _read_point(value: Any, place: str) -> Any:
    is_pair = type(value) is list and len(value) == 2
    if is_pair and all(type(number) in (float, int) for number in value):
        return tuple(value)
    return read(Point, value, place)


def _read_mapping(key: Any, inner: Any, value: Any, place: str) -> Any:
    pairs = [array(pair, place, 2) for pair in array(value, place)]
    return {
        (at := _read(key, name, place)): _read(inner, v, f"{place}.{_shown(at)}")
        for name, v in pairs
    }


def _read_open(hint: Any, value: Any, place: str) -> Any:
    hints = _hints(hint)
    given = only(value, tuple(hints), place)
    return hint(
        **{
            name: _read(inner, member(given, name, place), f"{place}.{name}")
            for name, inner in hints.items()
        }
    )


def _read_all(hint: Any, value: Any, place: str) -> tuple[Any, ...]:
    return tuple(_read(hint, v, f"{place}[{i}]") for i, v in enumerate(array(value, place)))


# -- hints ---------------------------------------------------------------------------------------


@cache
def _hints(kind: Any) -> dict[str, Any]:
    named = {"Wire": Wire, "Endpoint": Endpoint, "CallId": str}  # what looks know by name only
    return get_type_hints(kind, localns=named)


def _inner(hint: Any, kind: type, place: str) -> tuple[Any, ...]:
    """What a set or a mapping holds."""
    origin = get_origin(hint)
    if not (isinstance(origin, type) and issubclass(origin, kind)):
        raise malformed(place, "expected", expected="put", received="…")
    return get_args(hint)


def _is_mapping(hint: Any) -> bool:
    origin = get_origin(hint)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _is_row(hint: Any) -> bool:
    """Whether values are tuples of any length of what only a document has."""
    inner = get_args(hint)
    return get_origin(hint) is tuple and inner[1:] == (Ellipsis,) and inner[0] is Endpoint


def _shown(key: Any) -> str:
    return key if isinstance(key, str) else repr(key)
