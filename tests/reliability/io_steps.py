"""The calls to the system that files are written by, one by one: at any of them something happens.

What SQLite's tests do: let the first call fail, then the second …, until nothing is left that
could; each time once, and each time for ever.
"""

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

Happening = Callable[[str], None]


class Steps:
    """Counts the calls that concern a folder; at the `at`-th `happen` is called with its name.

    A write that something happens to has been done by half.

    Args:
        folder: calls that concern nothing in it, or below it, go through uncounted.
        at: which call, from 1; 0: none.
        for_ever: whether it happens at every later call, too.
        happen: raises, or ends the process.
    """

    def __init__(self, folder: Path, at: int, for_ever: bool, happen: Happening) -> None:
        self._folder, self._at, self._for_ever = str(folder), at, for_ever
        self._happen = happen
        self._ours: set[int] = set()  # open files of that folder
        self.seen: list[str] = []

    @property
    def happened(self) -> bool:
        """Whether there were as many calls."""
        return 0 < self._at <= len(self.seen)

    @contextmanager
    def watching(self) -> Iterator["Steps"]:
        """While within, calls are counted, and it happens."""
        patches = [
            mock.patch.object(os, name, self._by_path(name, getattr(os, name)))
            for name in ("replace", "rename", "chmod", "unlink", "mkdir", "scandir")
        ]
        patches += [mock.patch.object(os, "fsync", self._by_handle("fsync", os.fsync))]
        patches += [
            mock.patch.object(os, "open", self._open),
            mock.patch.object(io, "open", self._io),
        ]
        patches += [mock.patch.object(os, "fdopen", self._fdopen)]
        patches += [mock.patch.object(os, "write", self._os_write)]
        if os.name != "nt":
            import fcntl

            patches += [mock.patch.object(fcntl, "flock", self._by_handle("flock", fcntl.flock))]
        for patch in patches:
            patch.start()
        try:
            yield self
        finally:
            for patch in reversed(patches):
                patch.stop()

    def step(self, name: str) -> None:
        """One call; what is to happen at it happens."""
        self.seen.append(name)
        if self._is_due(len(self.seen)):
            self._happen(name)

    def write(self, write: Callable[[Any], int], data: Any) -> int:
        """One write, which something may happen to in the middle."""
        if self._is_due(len(self.seen) + 1):
            write(memoryview(data)[: len(data) // 2])
        self.step("write")
        return write(data)

    def forget(self, handle: int) -> None:
        """It is closed; another may get its number."""
        self._ours.discard(handle)

    def _is_due(self, number: int) -> bool:
        return number == self._at or (self._for_ever and 0 < self._at <= number)

    def _concerns(self, path: Any) -> bool:
        return isinstance(path, str | os.PathLike) and os.fspath(path).startswith(self._folder)

    def _by_path(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, *args: Any, **named: Any) -> Any:
            if self._concerns(path):
                self.step(name)
            return real(path, *args, **named)

        return call

    def _by_handle(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(handle: Any, *args: Any) -> Any:
            if handle in self._ours:
                self.step(name)
            return real(handle, *args)

        return call

    def _open(self, path: Any, *args: Any, real: Any = os.open, **named: Any) -> int:
        if not self._concerns(path):
            return int(real(path, *args, **named))
        self.step("open")
        handle = int(real(path, *args, **named))
        self._ours.add(handle)
        return handle

    def _os_write(self, handle: int, data: Any, real: Any = os.write) -> int:
        if handle not in self._ours:
            return int(real(handle, data))
        return self.write(lambda piece: int(real(handle, piece)), data)

    def _fdopen(self, handle: int, mode: str, *args: Any, real: Any = os.fdopen) -> Any:
        if handle not in self._ours:
            return real(handle, mode, *args)
        return io.BufferedWriter(_Raw(handle, mode, self))

    def _io(self, path: Any, mode: str = "r", *args: Any, real: Any = io.open, **named: Any) -> Any:
        if not self._concerns(path) or "b" not in mode or "opener" in named:
            return real(path, mode, *args, **named)
        self.step("open")
        raw = _Raw(path, mode, self)
        self._ours.add(raw.fileno())
        if named.get("buffering", args[0] if args else -1) == 0:
            return raw
        return io.BufferedReader(raw) if "r" in mode else io.BufferedWriter(raw)


class _Raw(io.FileIO):
    """A file whose writes and closing are counted; it is closed whatever happens."""

    def __init__(self, file: Any, mode: str, steps: Steps) -> None:
        super().__init__(file, mode.replace("b", ""))
        self._steps = steps

    def write(self, data: Any) -> int:
        return self._steps.write(super().write, data)

    def close(self) -> None:
        if self.closed:
            return
        handle = self.fileno()
        try:
            self._steps.step("close")
        finally:
            super().close()
            self._steps.forget(handle)
