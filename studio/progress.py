"""How far a long act is, told by whoever does it to whoever waits for it.

What takes long calls `tell` now and then and knows nothing of windows or terminals; whoever wants
to know listens with `watched`, and may end the act by raising `Cancelled` from there.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str, int, int], None]


class Cancelled(Exception):  # noqa: N818 - nothing is wrong: somebody changed their mind
    """Nobody wants the act to go on."""


_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def watched(listener: Listener) -> Iterator[None]:
    """Whatever is told within goes to `listener`, which may raise `Cancelled`.

    Args:
        listener: given what is done, the key of a text below ``progress.``; how much is done; and
            how much there is in all, 0 where that is not known.
    """
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def tell(doing: str, done: int, total: int = 0) -> None:
    """Say how far an act is; where nobody listens this costs next to nothing.

    Raises:
        Cancelled: it is to end here. Whoever tells leaves nothing half done behind.
    """
    listener = _listener.get()
    if listener is not None:
        listener(doing, done, total)
