"""An act in a process of its own that can harm nobody: for files that may come from anybody.

The process knows one act and is bound before it looks at anything: in memory, in processor time,
and in files, of which it may write none. It is asked one question and answers in JSON and plain
bytes, which whoever asked checks. However it ends, that is a sentence that names the file.

Q: Why not `multiprocessing`?
A: Its processes begin by running the script they were started from once more, and what they answer
   is unpickled. A script that reads a model would have to be written for that, and a process that
   a file has got the better of could answer whatever it likes.
"""

import contextlib
import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

from studio.problem import Problem, ProblemError, refuse
from studio.progress import tell
from studio.text import language, set_language

FLAG = "--apart"  # what the bundled program is started with to do this and nothing else
Answer = tuple[Any, Sequence[Any]]  # what JSON can say, and buffers


class Act(Protocol):
    """A module of ours: what a process does."""

    def ready(self) -> None:
        """Load what it takes, before anything is bound."""

    def answer(self, question: Any) -> Answer:
        """Do it."""


_ALONE = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

_FRAME = struct.Struct("<QQ")  # bytes of JSON, and of what follows it
_HEADER = 2**25  # bytes of JSON
_OPEN_FILES = 64
_NICE = 5
_GRACE = 60.0  # seconds of a clock beyond four times those of the processor
_TURN = 0.05  # seconds between two words to whoever waits
_HANDFUL = 2**24  # bytes of address space for whatever is loaded late


@dataclass(frozen=True)
class Bounds:
    """What a process may use.

    Attributes:
        memory: bytes beyond what it holds when it begins. Systems that cannot be asked for this
            leave it to the act.
        seconds: of processor time; by the clock it has a few times as many.
        answer: bytes.
    """

    memory: int
    seconds: int = 30
    answer: int = 2**31


def ask(module: str, question: Mapping[str, Any], file: Path, bounds: Bounds) -> tuple[Any, Any]:
    """What ``module.answer(question)`` gives in a process of its own: JSON's values, and bytes.

    It tells how long it takes (``reading``), so that it can be cancelled.

    Args:
        module: of ours.
        question: what JSON can say.
        file: what it is about, for messages.
        bounds: what the process may use.

    Raises:
        ProblemError: what the act raised; or ``apart_time``, ``apart_memory``, ``apart_ended``,
            ``apart_not_started``.
    """
    said = {
        "question": question,
        "file": file.name,
        "memory": bounds.memory,
        "seconds": bounds.seconds,
        "language": language(),
    }
    try:
        process = subprocess.Popen(
            _command(module),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | _ALONE,
        )
    except OSError as error:
        why = error.strerror or str(error)
        raise refuse("apart_not_started", file=file.name, reason=why) from error
    try:
        return _judged(_Hearing(process, json.dumps(said).encode(), bounds).heard(), file, bounds)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):  # what it was not told any more
                pipe.close()  # type: ignore[union-attr]


def _command(module: str) -> list[str]:
    if getattr(sys, "frozen", False):
        return [sys.executable, FLAG, module]
    begin = f"import sys; sys.path[:] = {sys.path!r}; import {module} as act; "
    return [sys.executable, "-I", "-c", f"{begin}from studio.apart import serve; serve(act)"]


@dataclass(frozen=True)
class _Heard:
    """What a process said, as far as it is whole, and how it ended."""

    said: dict[str, Any] | None = None
    payload: bytearray | None = None
    code: int | None = None  # None where it did not end by itself


class _Hearing:
    """A process asked: its answer is taken in by a thread, so that waiting can be ended."""

    def __init__(self, process: "subprocess.Popen[bytes]", question: bytes, bounds: Bounds) -> None:
        self._process, self._question, self._bounds = process, question, bounds
        self._found = _Heard()
        self._thread = threading.Thread(target=self._take, daemon=True, name="apart")

    def heard(self) -> _Heard:
        """Wait for it, as long as whoever listens wants to."""
        until = time.monotonic() + 4 * self._bounds.seconds + _GRACE
        self._thread.start()
        try:
            while self._thread.is_alive():
                tell("reading", 0)
                self._thread.join(_TURN)
                if time.monotonic() > until:
                    return _Heard()
        finally:
            self._process.kill()
            self._thread.join()
        return self._found

    def _take(self) -> None:
        said: dict[str, Any] | None = None
        payload: bytearray | None = None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):  # it ended: what it says, or how it ended, tells
            self._process.stdin.write(self._question)
            self._process.stdin.close()
        with contextlib.suppress(OSError, ValueError, EOFError):
            out = self._process.stdout
            header, rest = _FRAME.unpack(_exactly(out, _FRAME.size))
            if header <= _HEADER and rest <= self._bounds.answer:
                words = json.loads(bytes(_exactly(out, header)))
                payload = _exactly(out, rest)
                said = words if isinstance(words, dict) else None
        # Whole, it need not be waited for; else how it ended is what there is to tell.
        self._found = _Heard(said, payload, None if said else self._ended())

    def _ended(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(timeout=_TURN * 20)
        return None


def _exactly(file: IO[bytes], count: int) -> bytearray:
    found = bytearray(count)
    view, done = memoryview(found), 0
    while done < count:
        got = file.readinto(view[done:])  # type: ignore[attr-defined]
        if not got:
            raise EOFError
        done += got
    return found


def _judged(heard: _Heard, file: Path, bounds: Bounds) -> tuple[Any, Any]:
    """Its answer, or what is to be said where there is none."""
    if heard.said is None:
        slow = heard.code is None or heard.code == -getattr(signal, "SIGXCPU", 0)
        if slow:
            raise refuse("apart_time", file=file.name, seconds=bounds.seconds)
        raise refuse("apart_ended", file=file.name, reason=_how(heard.code or 0))
    if "problems" in heard.said:
        raise ProblemError([_problem(p) for p in heard.said["problems"]])
    if "report" in heard.said:
        raise RuntimeError(heard.said["report"])
    return heard.said.get("answer"), heard.payload


def _how(code: int) -> str:
    """An exit code, or the signal it was ended by, for people who can read such."""
    with contextlib.suppress(ValueError):
        return signal.Signals(-code).name
    return str(code)


def _problem(said: Any) -> Problem:
    args = said["args"].items()
    made = {k: _problem(v) if isinstance(v, dict) else v for k, v in args}
    return Problem(said["code"], args=made, severity=said["severity"])


# -- in the process ------------------------------------------------------------------------------


def serve(act: Act) -> None:
    """What the process does: hear the question, be bound, answer, and be over."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for whoever asked
    if hasattr(os, "nice"):
        os.nice(_NICE)
    # Whatever a library prints must not be taken for the answer.
    with os.fdopen(os.dup(1), "wb") as out, Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        words = json.loads(sys.stdin.buffer.read())
        set_language(words["language"])
        sys.dont_write_bytecode = True
        act.ready()
        bind(words["memory"], words["seconds"])
        said, buffers = _answer(act, words)
        data = json.dumps(said).encode()
        out.write(_FRAME.pack(len(data), sum(memoryview(b).nbytes for b in buffers)))
        out.write(data)
        for buffer in buffers:
            out.write(buffer)
        out.flush()
        os._exit(0)  # nothing of what a file made is to be torn down in peace


def _answer(act: Act, words: Mapping[str, Any]) -> tuple[Mapping[str, Any], Sequence[Any]]:
    try:
        answer, buffers = act.answer(words["question"])
    except ProblemError as error:
        return {"problems": [_said(problem) for problem in error.problems]}, ()
    except MemoryError:
        args = {"file": words["file"], "memory": words["memory"] // 2**20}
        return {"problems": [_said(Problem("apart_memory", args=args))]}, ()
    except Exception:
        return {"report": traceback.format_exc()}, ()
    return {"answer": answer}, buffers


def _said(problem: Problem) -> dict[str, Any]:
    """A problem as JSON says it; whatever JSON cannot say as the text it would be."""

    def plain(value: Any) -> Any:
        if isinstance(value, Problem):
            return _said(value)
        return value if isinstance(value, str | int | float) else str(value)

    args = {key: plain(value) for key, value in problem.args.items()}
    return {"code": problem.code, "args": args, "severity": problem.severity}


def bind(memory: int, seconds: int) -> None:
    """Bound what this process may use from now on, as far as the system can be asked for it."""
    try:
        import resource
    except ImportError:  # Windows: whoever asked looks at the clock
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = int(used.ru_utime + used.ru_stime) + 1 + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (until, until + 5))
    allow(memory)


def allow(memory: int) -> None:
    """Let this process have so many bytes beyond what it has, where Linux is there to see to it."""
    pages = Path("/proc/self/statm")
    if pages.exists():
        import resource

        size = int(pages.read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        soft = size + memory + _HANDFUL
        soft = soft if hard == resource.RLIM_INFINITY else min(soft, hard)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
