"""What training learnt, in files beside a journal: what no file of the project holds yet.

Not only what the document needs now: undoing brings back layers that were removed, and shapes.

``kept-<number>.loom`` is the project without its weights (runs, what preprocessing learnt);
``kept-<number>.weights`` and ``kept-<number>.state`` are as those members of a project's file.
They count once the journal names them.
"""

import errno
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import IO, cast

from studio.document.model import Document, LayerId
from studio.document.project import Project
from studio.document.store import Store
from studio.formats import arrays, loom
from studio.formats.arrays import Tensors
from studio.formats.atomic import writing
from studio.formats.journal.file import opened
from studio.formats.journal.story import Kept
from studio.formats.strict_json import malformed
from studio.limits import TENSORS

Place = tuple[LayerId, str, tuple[int, ...]]  # of a weight: whose it is, its name, its shape

_ENDS = ("loom", "weights", "state")


def light(project: Project) -> Project:
    """A project as it is now, in containers of its own; arrays are replaced, never changed."""
    store, fitted, runs = project.store.light(), dict(project.fitted), list(project.runs)
    return replace(project, store=store, fitted=fitted, runs=runs)


def has_learnt(project: Project) -> bool:
    """Whether there is anything beside the document."""
    return bool(project.runs or project.fitted or any(True for _ in project.store.items()))


def learnt(project: Project, layers: Iterable[LayerId] | None = None) -> frozenset[LayerId]:
    """Those of these layers (None: of all) of which there are weights."""
    cells = project.store.shared()
    return frozenset(layer for layer in (cells if layers is None else layers) if cells.get(layer))


def keys(store: Store) -> frozenset[Place]:
    """Which arrays a store has."""
    return frozenset((layer, *key) for layer, cells in store.shared().items() for key in cells)


def size(project: Project) -> int:
    """How many bytes its weights take, with what is kept beside them."""
    held = (
        array for _, cell in project.store.items() for array in (cell.value, *cell.slots.values())
    )
    return sum(array.nbytes for array in held)


def left_out(project: Project) -> Store:
    """The weights, shared, that are learnt and that a file of the project as it is now has not.

    They are those of layers that were removed, and of shapes that layers had.
    """
    store, cells = Store(), project.store.shared()
    store.step = project.store.step
    if not any(cell.trained for each in cells.values() for cell in each.values()):
        return store
    held = set(map(id, arrays.needed(project.document, project.store).values()))
    for layer, each in cells.items():
        left = {key: c for key, c in each.items() if c.trained and id(c) not in held}
        if left:
            store.adopt(layer, left)
    return store


def add(project: Project, beside: Project) -> None:
    """Add the weights that `left_out` gave to those of the project's file."""
    for layer, cells in beside.store.shared().items():
        mine = project.store.cells(layer)
        mine.update({key: cell for key, cell in cells.items() if key not in mine})


def keep(
    folder: Path, number: int, project: Project, unsaved: bool, stop: Callable[[], bool]
) -> Kept:
    """Write down what a project has beside its document, unless `stop` says so meanwhile.

    Of more arrays than are read again only those that the document needs now.

    Raises:
        ProblemError: ``file_not_written``, also where it was stopped.
        MalformedError: it holds what a file cannot.
    """
    about = replace(project, document=Document(), store=Store(), thumbnail=b"")
    (weights, state), missing = arrays.tensors_of_all(project.store), tuple[LayerId, ...]()
    if max(len(weights.arrays), len(state.arrays)) > TENSORS:
        weights, state = arrays.tensors_of(project.document, project.store)
        missing = tuple(left_out(project).shared())
    parts: tuple[bytes | Tensors, ...] = (loom.to_bytes(about, folder), weights, state)
    digests = {}
    for end, given in zip(_ENDS, parts, strict=True):
        with writing(folder / f"kept-{number}.{end}") as file:
            digests[end] = _write(file, given, stop)
    return Kept(number, unsaved, digests, missing=missing)


def read(folder: Path, kept: Kept) -> Project:
    """What was written down, with an empty document.

    Raises:
        OSError, MalformedError: it is not there, or damaged.
    """
    data = []
    for end in _ENDS:
        with opened(folder / f"kept-{kept.number}.{end}") as file:
            data.append(file.read())
    for end, found in zip(_ENDS, data, strict=True):
        if blake2b(found).hexdigest() != kept.digests.get(end):
            raise malformed(f"kept-{kept.number}.{end}", "changed")
    project = loom.from_bytes(data[0], folder)
    return replace(project, store=arrays.read(*data[1:]))


def sweep(folder: Path, kept: Kept | None) -> None:
    """Remove what was written down before, and what was never finished."""
    stays = f"kept-{kept.number}." if kept else "\0"
    with suppress(OSError):
        for path in folder.glob("*kept-*"):
            if not path.name.startswith(stays):
                with suppress(OSError):
                    path.unlink()


def _write(file: IO[bytes], given: bytes | Tensors, stop: Callable[[], bool]) -> str:
    """Write bytes or arrays, piece by piece, and give their digest."""
    digest = blake2b()

    class Digesting:
        def write(self, data: bytes) -> int:
            if stop():
                raise InterruptedError(errno.EINTR, os.strerror(errno.EINTR))
            digest.update(data)
            return file.write(data)

    if isinstance(given, bytes):
        Digesting().write(given)
    else:
        arrays.write(cast(IO[bytes], Digesting()), given)
    return digest.hexdigest()
