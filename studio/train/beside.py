"""A process beside this one, to speak with: whoever speaks never waits, and hears how it ended.

It is spawned, never forked, and imports nothing of the window. Threads spawn it, bring it what is
said to it and hear what it says: not even a large model, on its way in or out, makes a window wait.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from queue import SimpleQueue
from typing import Any

from studio.engine.memory import held
from studio.formats.atomic import reason
from studio.problem import Problem, ProblemError
from studio.train.pipe import receive, send

_NICE = 5  # below the window
_FAREWELL = 5.0  # seconds in which a process that says nothing more is to be over


@dataclass(frozen=True)
class Gone:
    """The last that is heard of a process: nobody is there any more.

    Attributes:
        code: its exit code, below 0 the signal it was ended by; None where it does not end.
        why: what kept it from being started at all.
    """

    code: int | None = None
    why: Exception | None = None


class Beside:
    """A process that is spoken to.

    Args:
        main: what the process does, given its end of the pipe; a function of a module.
        name: of the threads.

    Attributes:
        heard: what it said, the oldest first, for whoever takes it out; at the end `Gone`.
    """

    def __init__(self, main: Callable[[Connection], None], name: str) -> None:
        self._main = main
        self.heard: deque[Any] = deque()
        self._words: SimpleQueue[Any] = SimpleQueue()
        self._process: BaseProcess | None = None
        self._lock = threading.Lock()
        self._killed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Spawn it; this does not wait for it."""
        self._thread.start()

    def say(self, word: Any) -> None:
        """Bring it a word, once it is there, after those said before; lost where it is gone."""
        self._words.put(word)

    def kill(self) -> None:
        """End it at once, without waiting until it is gone."""
        with self._lock:
            self._killed = True
            if self._process is not None:
                self._process.kill()

    def join(self, seconds: float) -> None:
        """Wait until it is gone."""
        if self._thread.is_alive():
            self._thread.join(seconds)

    @property
    def pid(self) -> int | None:
        """Its number; None until it is there."""
        return self._process.pid if self._process is not None else None

    @property
    def alive(self) -> bool:
        """Whether it was started, and is not gone."""
        return self._thread.is_alive()

    # -- beside ----------------------------------------------------------------------------------

    def _run(self) -> None:
        """What the thread does: spawn, hear, say how it ended."""
        try:
            connection, process = self._spawn()
        except Exception as error:
            self.heard.append(Gone(why=error))
            return
        sender = threading.Thread(target=self._send, args=(connection,), daemon=True)
        sender.start()
        try:
            while True:
                self.heard.append(receive(connection))
        except Exception as error:
            if not isinstance(error, EOFError | OSError):
                process.kill()  # it says what nobody understands
            process.join(_FAREWELL)  # or the system keeps what is left of it
        self._words.put(_NOTHING_MORE)
        sender.join()  # nobody reads any more, so it is over; it must not meet a closed pipe
        connection.close()
        self.heard.append(Gone(process.exitcode))

    def _spawn(self) -> tuple[Connection, BaseProcess]:
        spawn = multiprocessing.get_context("spawn")
        mine, its = spawn.Pipe()
        process = spawn.Process(target=self._main, args=(its,), daemon=True)
        process.start()
        its.close()  # the child has its own, whose end we want to notice
        with self._lock:
            self._process = process
            if self._killed:
                process.kill()
        return mine, process

    def _send(self, connection: Connection) -> None:
        """What the other thread does: bring it what is said."""
        while (word := self._words.get()) is not _NOTHING_MORE:
            try:
                send(connection, word)
            except OSError:  # it is gone, which whoever hears it tells
                return
            except Exception:  # an error of ours; it would wait for the word for ever
                self.kill()
                raise


_NOTHING_MORE = object()


# -- in the process ------------------------------------------------------------------------------


def settle() -> None:
    """What such a process begins with: to be in nobody's way."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the window's to handle
    if hasattr(os, "nice"):
        os.nice(_NICE)


def problems_of(error: Exception, memory: str) -> tuple[Problem, ...]:
    """What broke an act off, in a sentence; nothing where it is an error of ours.

    Args:
        memory: the code of the problem that it is too large for the machine.
    """
    match error:
        case ProblemError(problems=problems):
            return problems
        case MemoryError():
            return (Problem(memory, args={"memory": held() / 2**30}),)
        case OSError():
            args = {"file": str(error.filename or ""), "reason": reason(error)}
            return (Problem("system_refused", args=args),)
    return ()
