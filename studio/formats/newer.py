"""Reading what a later version wrote, as far as it is known here; what is not is noted.

Q: Why not always read so?
A: Of a format that is known here an unknown name is damage or a slip, and is refused with its
   place: whatever adds a name raises the format's number. Only of a later format unknown names
   are to be expected; and a file of one is never written over, so nothing in it is lost.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TypeVar

from studio.formats.strict_json import MalformedError

Value = TypeVar("Value")
Other = TypeVar("Other")


@dataclass
class Noted:
    """What is not known.

    Attributes:
        kept: the names, with the kinds, of layers that stay as they are.
        passed: the places of what is passed over.
    """

    kept: dict[str, None] = field(default_factory=dict)  # a file may hold a million of them
    passed: dict[str, None] = field(default_factory=dict)


_noted: ContextVar[Noted | None] = ContextVar("noted", default=None)


@contextmanager
def tolerant() -> Iterator[Noted]:
    """While within, what is not known is passed over, and noted."""
    noted = Noted()
    token = _noted.set(noted)
    try:
        yield noted
    finally:
        _noted.reset(token)


def is_tolerant() -> bool:
    """Whether what is not known is passed over now."""
    return _noted.get() is not None


def note(place: str, *, kept: bool = False) -> bool:
    """Note something unknown by its place or name; False where it may not be passed over now."""
    noted = _noted.get()
    if noted is None:
        return False
    places = noted.kept if kept else noted.passed
    places[place] = None
    return True


def known(read: Callable[[], Value], otherwise: Other) -> Value | Other:
    """What `read` gives; where it cannot be read and that is passed over, `otherwise`.

    Raises:
        MalformedError: it cannot be read.
    """
    try:
        return read()
    except MalformedError as error:
        if not note(error.place):
            raise
        return otherwise
