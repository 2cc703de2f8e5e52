"""Frozen dataclasses and declarations ⇄ JSON values, by their type hints.

Writing is generous, reading is strict: a value of another type, a name nobody knows, a kind that
is in no registry are refused with their place, or where `newer` is tolerant, passed over: of a
table such an entry, of a dataclass such a field that has a default. A name that is missing takes
its default, so a later version may add fields. Where a hint allows several classes, ``"kind"`` says
which.
"""

import reprlib
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from studio.declare import Declared, declared
from studio.formats import newer
from studio.formats.strict_json import MalformedError, below, malformed
from studio.problem import ProblemError


def plain(value: Any, *, tagged: bool = False) -> Any:
    """The JSON value of a dataclass, a declaration, or a tuple, list or mapping of them.

    Args:
        value: what to write.
        tagged: whether the reader needs ``"kind"`` to know the class.
    """
    if isinstance(value, Declared):
        return {"kind": value.kind, **value.config()}
    if is_dataclass(value) and not isinstance(value, type):
        hints = _hints(type(value))
        found = {
            f.name: plain(getattr(value, f.name), tagged=has_choice(hints[f.name]))
            for f in fields(value)
        }
        return {"kind": type(value).__name__, **found} if tagged else found
    if isinstance(value, Mapping):
        return {str(k): plain(v, tagged=tagged) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v, tagged=tagged) for v in value]
    return value.item() if isinstance(value, np.generic) else value


def read(hint: Any, value: Any, place: str) -> Any:
    """The inverse of `plain` for a value of this type hint.

    Raises:
        MalformedError: the value is not one.
    """
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _union(hint, value, place)
    if origin is Literal:
        return _literal(get_args(hint), value, place)
    if origin is tuple:
        return _tuple(get_args(hint), value, place)
    if origin is list:
        inner = get_args(hint)[0]
        return [read(inner, v, f"{place}[{i}]") for i, v in enumerate(array(value, place))]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(get_args(hint)[1], table(value, place), place)
    if isinstance(hint, type) and issubclass(hint, Declared):
        return declaration(hint.family, value, place)
    if isinstance(hint, type) and is_dataclass(hint):
        return _dataclass(hint, value, place)
    return value if hint is Any else _scalar(hint, value, place)


def has_choice(hint: Any) -> bool:
    """Whether values of a hint say which class they are of, since it allows several."""
    return len(_classes(hint)) > 1


def table(value: Any, place: str) -> dict[str, Any]:
    """`value`, which must be a JSON object."""
    if not isinstance(value, dict):
        raise malformed(place, "expected", expected="{…}", received=_short(value))
    return value


def array(value: Any, place: str, length: int | None = None) -> list[Any]:
    """`value`, which must be a JSON array (of this length)."""
    if not isinstance(value, list) or length not in (None, len(value)):
        expected = "[…]" if length is None else f"[{', '.join('…' * length)}]"
        raise malformed(place, "expected", expected=expected, received=_short(value))
    return value


def member(value: Any, name: str, place: str) -> Any:
    """What an object holds under a name that must be there."""
    found = table(value, place)
    if name not in found:
        raise malformed(place, "missing", name=name)
    return found[name]


def only(value: Any, names: tuple[str, ...], place: str) -> dict[str, Any]:
    """`value`, an object that holds no other names than these."""
    found = table(value, place)
    unknown = [name for name in found if name not in names]
    for name in unknown:
        if not newer.note(below(place, name)):
            raise malformed(place, "unknown_name", name=name, known=", ".join(names))
    return {name: v for name, v in found.items() if name in names} if unknown else found


def declaration(family: str, value: Any, place: str) -> Declared:
    """A declaration from ``{"kind": …, parameter: …}``; kinds are those of the registry only."""
    config = dict(table(value, place))
    kind = read(str, member(value, "kind", place), f"{place}.kind")
    del config["kind"]
    return configured(family, kind, config, place)


def configured(family: str, kind: str, config: Any, place: str) -> Declared:
    """A declaration of a kind from its parameters.

    None stands for a value not given yet; the document's own checks list it.
    """
    try:
        cls: Any = declared(family, kind)
        hints, values = _hints(cls), dict(table(config, place))
        for p in cls.params():
            if values.get(p.name) is not None:
                values[p.name] = read(hints[p.name], values[p.name], f"{place}.{p.name}")
        found: Declared = cls.from_config(values)
    except ProblemError as error:
        raise MalformedError(place, error.problems[0]) from error
    return found


# -- inside --------------------------------------------------------------------------------------


@cache
def _hints(cls: Any) -> dict[str, Any]:
    return get_type_hints(cls)


@cache
def _classes(hint: Any) -> tuple[type, ...]:
    """The dataclasses a hint allows, declarations aside: those always say their kind."""
    if is_dataclass(hint) and isinstance(hint, type) and not issubclass(hint, Declared):
        return (hint,)
    return tuple(c for inner in get_args(hint) for c in _classes(inner))


def _union(hint: Any, value: Any, place: str) -> Any:
    options = get_args(hint)
    if value is None and type(None) in options:
        return None
    classes = {c.__name__: c for c in _classes(hint)}
    if len(classes) > 1:
        kind = read(str, member(value, "kind", place), f"{place}.kind")
        if kind not in classes:
            raise malformed(place, "unknown_name", name=kind, known=", ".join(classes))
        return _dataclass(classes[kind], {k: v for k, v in value.items() if k != "kind"}, place)
    refusals = []
    for option in options:
        if option is not type(None):
            try:
                return read(option, value, place)
            except MalformedError as error:
                refusals.append(error)
    raise refusals[-1 if isinstance(value, dict) else 0]  # a table is meant for the last


def _dataclass(cls: type, value: Any, place: str) -> Any:
    known = {f.name: f for f in fields(cls)}
    given = only(value, tuple(known), place)
    for name, f in known.items():
        if name not in given and f.default is MISSING and f.default_factory is MISSING:
            raise malformed(place, "missing", name=name)
    hints = _hints(cls)
    values = {}
    for name, v in given.items():
        f, at = known[name], f"{place}.{name}"
        has_default = f.default is not MISSING or f.default_factory is not MISSING
        values[name] = _known(hints[name], v, at) if has_default else read(hints[name], v, at)
    return cls(**{name: v for name, v in values.items() if v is not MISSING})


def _mapping(inner: Any, value: dict[str, Any], place: str) -> dict[str, Any]:
    found = {k: _known(inner, v, below(place, k)) for k, v in value.items()}
    return {k: v for k, v in found.items() if v is not MISSING}


def _known(hint: Any, value: Any, place: str) -> Any:
    """`read`; MISSING where the value is not known and that is passed over."""
    return newer.known(lambda: read(hint, value, place), MISSING)


def _tuple(inner: tuple[Any, ...], value: Any, place: str) -> tuple[Any, ...]:
    found = array(value, place, None if inner[1] is Ellipsis else len(inner))
    hints = inner[:1] * len(found) if inner[1] is Ellipsis else inner
    pairs = enumerate(zip(hints, found, strict=True))
    return tuple(read(hint, v, f"{place}[{i}]") for i, (hint, v) in pairs)


def _literal(options: tuple[Any, ...], value: Any, place: str) -> Any:
    if value not in options or isinstance(value, bool):
        raise malformed(
            place, "expected", expected=" / ".join(map(str, options)), received=_short(value)
        )
    return value


_SCALARS: dict[Any, tuple[tuple[type, ...], str]] = {
    bool: ((bool,), "true / false"),
    int: ((int,), "1, 2, 3 …"),
    float: ((int, float), "0.5, 1, 2 …"),
    str: ((str,), "“…”"),
}


def _scalar(hint: Any, value: Any, place: str) -> Any:
    allowed, expected = _SCALARS[hint]
    if not isinstance(value, allowed) or (isinstance(value, bool) and hint is not bool):
        raise malformed(place, "expected", expected=expected, received=_short(value))
    return value


def _short(value: Any) -> str:
    text = reprlib.repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
