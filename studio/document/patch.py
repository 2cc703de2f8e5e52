"""What differs between two documents, as a value: small for a small edit, and exact.

``apply(patch(old, new), old) == new``, and whatever has an order has the same one.

Q: How is an edit of a large document told in no time?
A: An edit makes new only what it changes. So parts are compared by identity, and of a mapping of a
   thousand entries each is looked at once, for as long as that takes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

from studio.document.looks import Looks
from studio.document.model import Call, Document, Graph, LayerEntry
from studio.document.plan import DataPlan, OutputPlan, TrainPlan

OPEN = (Document, Graph, Call, LayerEntry, Looks, TrainPlan, OutputPlan, DataPlan)
"""What is told part by part; of anything else, such as a layer's body, the whole."""


@dataclass(frozen=True)
class Put:
    """This value, whatever was there."""

    value: Any


@dataclass(frozen=True)
class Fields:
    """Of one of the classes in `OPEN`: what differs, by field."""

    patches: Mapping[str, "Patch"]


@dataclass(frozen=True)
class Entries:
    """Of a mapping.

    Attributes:
        patches: what differs, by key; new keys in their order.
        gone: the keys that are there no more.
        order: all keys that are there afterwards, in their order; None: those that stay are
            where they were, and new ones behind them.
    """

    patches: Mapping[Any, "Patch"]
    gone: tuple[Any, ...] = ()
    order: tuple[Any, ...] | None = None


@dataclass(frozen=True)
class Members:
    """Of a set: what is new in it, and what is gone."""

    new: frozenset[Any]
    gone: frozenset[Any]


Patch = Put | Fields | Entries | Members

NOTHING = Fields({})
_ABSENT: Any = object()


def patch(old: Document, new: Document) -> Fields:
    """What makes the new document of the old one."""
    found = _between(old, new)
    return found if isinstance(found, Fields) else NOTHING


def apply(found: Patch, old: Any) -> Any:
    """What a patch makes of the old value.

    Raises:
        LookupError, TypeError: it is a patch of something else.
    """
    match found:
        case Put(value):
            return value
        case Fields(patches):
            return replace(old, **{n: apply(p, getattr(old, n)) for n, p in patches.items()})
        case Members(new, gone):
            return (old - gone) | new
        case Entries():
            return _applied(found, old)


def _between(old: Any, new: Any) -> Patch | None:
    """None where the two are one and the same."""
    if old is new:
        return None
    kind = type(new)
    if kind is not type(old):
        return Put(new)
    if kind in OPEN:
        return _fields_between(old, new)
    if isinstance(new, Mapping):
        return _entries_between(old, new)
    if isinstance(new, frozenset):
        gained, lost = new - old, old - new
        return Members(gained, lost) if gained or lost else None
    return None if _is_same(old, new) else Put(new)


def _fields_between(old: Any, new: Any) -> Fields | None:
    found = {}
    kind: Any = type(new)
    for name in _names(kind):
        inner = _between(getattr(old, name), getattr(new, name))
        if inner is not None:
            found[name] = inner
    return Fields(found) if found else None


def _entries_between(old: Mapping[Any, Any], new: Mapping[Any, Any]) -> Entries | None:
    patches = {}
    for key, value in new.items():
        before = old.get(key, _ABSENT)
        if before is not value:
            inner = _between(before, value)
            if inner is not None:
                patches[key] = inner
    gone = tuple(key for key in old if key not in new)
    usual = [key for key in old if key in new] if gone else list(old)
    usual += [key for key in patches if key not in old]
    order = list(new)
    if usual != order:
        return Entries(patches, gone, tuple(order))
    return Entries(patches, gone) if patches or gone else None


def _applied(found: Entries, old: Mapping[Any, Any]) -> Mapping[Any, Any]:
    values = dict(old)
    for key in found.gone:
        del values[key]
    for key, inner in found.patches.items():
        values[key] = inner.value if isinstance(inner, Put) else apply(inner, old[key])
    return values if found.order is None else {key: values[key] for key in found.order}


def _is_same(old: Any, new: Any) -> bool:
    """Whether two values of one type are written alike; of others than these it is not asked."""
    return isinstance(new, str | int) and bool(old == new)


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind))
