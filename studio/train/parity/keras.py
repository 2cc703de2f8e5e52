"""Keras in a process of its own: which Python has it, and what it says to a described model."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from studio.engine.program import Array
from studio.formats.atomic import reason
from studio.problem import refuse
from studio.progress import tell
from studio.text import resources

BACKENDS = ("jax", "tensorflow", "torch")  # packages have their names
SECONDS = 600.0  # in which the other side must be done
_LOOK = 30.0  # the same, for saying what it has
_TICK = 0.05
_ERRORS = 20  # lines of what it complained of that are shown
# Asked without importing anything large.
_QUESTION = """
import importlib.metadata as m, importlib.util as u, json
found = {p: bool(u.find_spec(p)) for p in ("keras", "jax", "tensorflow", "torch")}
found["version"] = m.version("keras") if found["keras"] else ""
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Python:
    """A Python that has Keras.

    Attributes:
        path: its program.
        version: Keras's.
        backends: which are there, the one that is used first.
    """

    path: str
    version: str
    backends: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What Keras said: arrays by name, and facts; see ``resources/parity/keras_side.py``."""

    arrays: Mapping[str, Array]
    facts: Mapping[str, Any]


def python_with_keras(path: str = "", backend: str = "") -> Python:
    """The Python at `path`; without one, the first with Keras of those a terminal would find.

    Args:
        path: of its program.
        backend: the one that is to be used; else the first it has of `BACKENDS`.

    Raises:
        ProblemError: ``keras_missing``, ``keras_not_there``, ``keras_old``, ``keras_no_backend``,
            ``parity_backend``, ``python_silent``.
    """
    if path:
        with contextlib.suppress(RuntimeError):  # ~of_nobody, which is nowhere then
            path = str(Path(path).expanduser())
        return _using(_asked(path), backend)
    for found in _nearby():
        try:
            return _using(_asked(found), backend)
        except ValueError:  # the next one may have it
            continue
    raise refuse("keras_missing")


def _using(python: Python, backend: str) -> Python:
    if not backend:
        return python
    if backend not in python.backends:
        expected = ", ".join(python.backends)
        raise refuse("parity_backend", file=python.path, received=backend, expected=expected)
    others = (other for other in python.backends if other != backend)
    return replace(python, backends=(backend, *others))


def _nearby() -> Iterator[str]:
    """This Python, unless it is packed into a program; that of an active environment; the others
    on the path; each once.
    """
    found = [] if _packed() else [sys.executable]
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        if home := os.environ.get(name):
            program = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
            found.append(str(Path(home) / program))
    found += [place for name in ("python3", "python") if (place := shutil.which(name))]
    yield from dict.fromkeys(place for place in found if place and Path(place).exists())


def _asked(path: str) -> Python:
    """What a Python says it has."""
    try:
        said = subprocess.run(
            [path, "-c", _QUESTION],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LOOK,
            env=_environment(),
            check=True,
            **_hidden(),
        )
        found = json.loads(said.stdout)
        version, known = str(found["version"]), [b for b in BACKENDS if found[b]]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError) as error:
        raise refuse("python_silent", file=path, reason=_why(error)) from error
    if not version:
        raise refuse("keras_not_there", file=path)
    if not version.split(".")[0].isdigit() or int(version.split(".")[0]) < 3:
        raise refuse("keras_old", file=path, received=version)
    if not known:
        raise refuse("keras_no_backend", file=path, expected=", ".join(BACKENDS))
    return Python(path, version, tuple(known))


def _why(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        lines = error.stderr.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"{error.returncode}"
    return reason(error) if isinstance(error, OSError) else str(error)


def ask(
    python: Python, model: Mapping[str, Any], given: Mapping[str, Array], seconds: float = SECONDS
) -> Answer:
    """What Keras makes of a described model.

    Args:
        python: where it is.
        model: what `describe.described` gave.
        given: weights and batches, by the names the other side knows.
        seconds: it is ended when it takes longer.

    Raises:
        ProblemError: ``keras_failed``, ``keras_slow``.
        Cancelled: nobody wants it any more; the process is gone then.
    """
    with tempfile.TemporaryDirectory(prefix="layerloom-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        script = folder / "keras_side.py"
        script.write_bytes((resources() / "parity" / script.name).read_bytes())
        (folder / "model.json").write_text(json.dumps(model), encoding="utf-8")
        arrays: Any = dict(given)
        np.savez(folder / "given.npz", **arrays)
        _run(python, script, folder, seconds)
        facts = json.loads((folder / "found.json").read_text(encoding="utf-8"))
        with np.load(folder / "found.npz", allow_pickle=False) as found:
            return Answer({name: found[name] for name in found.files}, facts)


def _run(python: Python, script: Path, folder: Path, seconds: float) -> None:
    """Run the script to its end, telling how far it is; the process never outlives this."""
    environment = {**_environment(), "KERAS_BACKEND": python.backends[0]}
    environment |= {"KERAS_HOME": str(folder), "JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}
    with (folder / "errors.txt").open("w+b") as errors:
        try:
            process = subprocess.Popen(
                [python.path, str(script), str(folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=folder,
                env=environment,
                **_hidden(),
            )
        except OSError as error:
            raise refuse("python_silent", file=python.path, reason=_why(error)) from error
        with process:
            try:
                _follow(process, seconds)
            finally:
                process.kill()
        if process.returncode or not (folder / "found.json").exists():
            errors.seek(0)
            lines = errors.read().decode(errors="replace").strip().splitlines()[-_ERRORS:]
            raise refuse("keras_failed", file=python.path, reason="\n".join(lines))


def _follow(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    """Wait until a process ends, telling what it says it is doing."""
    said: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_read, args=(process, said), daemon=True).start()
    doing, number, until = "start", 0, time.monotonic() + seconds
    tell("parity_start", 0)
    while process.poll() is None:
        try:
            word = json.loads(said.get(timeout=_TICK))
            doing, number = str(word["doing"]), int(word["number"])
        except (Empty, ValueError, KeyError, TypeError):  # back ends speak there, too
            pass
        tell(f"parity_{doing}", number)
        if time.monotonic() > until:
            raise refuse("keras_slow", seconds=round(seconds))


def _read(process: "subprocess.Popen[bytes]", said: "SimpleQueue[bytes]") -> None:
    assert process.stdout is not None
    for line in process.stdout:
        said.put(line)


def _environment() -> dict[str, str]:
    """That of this process, without what is meant for its own Python alone.

    A packed program begins by setting where libraries are, and keeps what was there before.
    """
    found = {name: value for name, value in os.environ.items() if name != "PYTHONHOME"}
    for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if _packed() else ():
        found.pop(name, None)
        if (before := found.pop(f"{name}_ORIG", None)) is not None:
            found[name] = before
    return found


def _packed() -> bool:
    """Whether this runs as a program that needs no Python."""
    return bool(getattr(sys, "frozen", False))


def _hidden() -> dict[str, Any]:
    """No window of a terminal on Windows."""
    return {"creationflags": 0x08000000} if sys.platform == "win32" else {}
