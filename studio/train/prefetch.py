"""The next thing is made while the one before is used: disk and step overlap."""

from collections.abc import Iterator
from threading import Thread
from typing import Generic, TypeVar

_T = TypeVar("_T")


def prefetched(items: Iterator[_T]) -> Iterator[_T]:
    """The same items, each made by a thread while whoever asked is busy with the one before.

    One item is made ahead, no more, and by a thread of its own that ends with it: nothing has to
    be closed, whether all are taken, or some, or an error ends the run. What making one raises is
    raised here.
    """
    ahead = _Ahead(items)
    while ahead.wait():
        item, ahead = ahead.item, _Ahead(items)
        yield item


class _Ahead(Thread, Generic[_T]):
    """Makes one item."""

    item: _T

    def __init__(self, items: Iterator[_T]) -> None:
        super().__init__(name="prefetch", daemon=True)
        self._items, self._more = items, True
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self.item = next(self._items)
        except StopIteration:
            self._more = False
        except BaseException as error:
            self._error = error

    def wait(self) -> bool:
        """Whether there is an item, once it is made."""
        self.join()
        if self._error is not None:
            raise self._error
        return self._more
