"""Folders as tables: one row for each picture or text in them, labelled by its subfolder.

A picture's cell is its path within the folder; a text's is the text. The label is the first
folder on the way; where those are parts such as train and test, the second, and the first is a
column of its own.
"""

import errno
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path, PurePosixPath

from studio.document.plan import Reading
from studio.limits import FOLDER_DEPTH, FOLDER_FILES, FOLDER_TEXT_BYTES
from studio.problem import Problem, ProblemError, refuse
from studio.progress import tell
from studio.train.cells import Block, Spool, gathered
from studio.train.tables.below import Below
from studio.train.tables.encodings import codec_of, encoding_of
from studio.train.tables.kinds import PICTURES
from studio.train.tables.table import Table

IMAGE, TEXT, LABEL, PART, FILE = "image", "text", "label", "part", "file"  # the columns
TEXTS = (".txt", ".text", ".md", "")
PARTS = frozenset(("train", "training", "test", "testing", "val", "valid", "validation", "dev"))
TOGETHER = 64  # texts read between two words to whoever waits
LARGE_FOLDER = 2**24  # bytes of texts from which they go to a temporary file
_STRANGE = ("__MACOSX", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class Found:
    """A file below a folder: its path there, with slashes, its size and when it changed."""

    path: str
    size: int
    modified: int


def called(path: Path) -> str:
    """What messages call a file or folder: its name; the root, which has none, its path."""
    return path.name or str(path)


def listed(folder: Path, most: int | None = None, outside: list[str] | None = None) -> list[Found]:
    """The files of a folder and of those in it, by path; hidden ones apart.

    Links are followed within it, but no folder is entered twice; those that lead out of it are
    left out, and their paths added to `outside`. Of each folder at most `most` files.

    Raises:
        ProblemError: ``folder_too_large``; OSError where the folder cannot be read.
    """
    walk = _Walk(Path(folder), most, [] if outside is None else outside)
    found = list(islice(walk.files(Path(folder), ""), FOLDER_FILES + 1))
    if len(found) > FOLDER_FILES:
        raise refuse("folder_too_large", file=called(folder), expected=FOLDER_FILES)
    return sorted(found, key=lambda each: each.path)


class _Walk:
    """One way through a folder."""

    def __init__(self, root: Path, most: int | None, outside: list[str]) -> None:
        self._below, self._most, self._outside = Below(root), most, outside
        self._seen: set[tuple[int, int]] = set()

    def files(self, folder: Path, way: str) -> Iterator[Found]:
        """The files below a folder, to which `way` leads from the first."""
        status = folder.stat()
        if (status.st_dev, status.st_ino) in self._seen or way.count("/") > FOLDER_DEPTH:
            return
        self._seen.add((status.st_dev, status.st_ino))
        folders, files = [], 0
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.name in _STRANGE:
                    continue
                found = self._looked_at(entry, way)
                if isinstance(found, str):
                    folders.append(found)
                elif found is not None and (self._most is None or files < self._most):
                    files += 1
                    yield found
        for name in sorted(folders):
            yield from self.files(folder / name, f"{way}{name}/")

    def _looked_at(self, entry: "os.DirEntry[str]", way: str) -> Found | str | None:
        """A file, or the name of a folder; None of what is neither, or leads elsewhere."""
        try:
            if entry.is_dir():
                return entry.name if self._here(entry, way) else None
            if not entry.is_file() or not self._here(entry, way):
                return None
            about = entry.stat()
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ELOOP):
                return None  # gone meanwhile, or a link to itself
            raise
        return Found(way + entry.name, about.st_size, about.st_mtime_ns)

    def _here(self, entry: "os.DirEntry[str]", way: str) -> bool:
        """Whether it does not lead out of the first folder."""
        if entry.is_file(follow_symlinks=False) or self._below.holds(Path(entry.path)):
            return True
        self._outside.append(way + entry.name)
        return False


def table_of_folder(folder: Path, reading: Reading, rows: int | None = None) -> Table:
    """One row for each picture in a folder, or for each text, whichever are more.

    Args:
        folder: with or without subfolders.
        reading: its encoding is that of texts.
        rows: how many are wanted, some of every subfolder; all if None.

    Raises:
        ProblemError: ``folder_empty``, ``folder_unknown``; ``folder_text_large``,
            ``file_undecodable``.
    """
    outside: list[str] = []
    files = _some(listed(folder, rows, outside), rows)
    pictures = [f for f in files if f.path.lower().endswith(PICTURES)]
    texts = [f for f in files if PurePosixPath(f.path).suffix.lower() in TEXTS]
    links = links_problems(folder, outside)
    if not files and links:
        raise ProblemError([replace(problem, severity="error") for problem in links])
    if not files:
        raise refuse("folder_empty", file=called(folder))
    if not pictures and not texts:
        first = ", ".join(f.path for f in files[:3])
        raise refuse("folder_unknown", file=called(folder), received=first)
    chosen = pictures if len(pictures) >= len(texts) else texts
    warnings = (*links, *(_left_out(folder, files, chosen) if rows is None else ()))
    labels = _labels([f.path for f in chosen])
    places = range(1, len(chosen) + 1)
    columns: dict[str, Sequence[str]] = {}
    if chosen is pictures:
        columns[IMAGE] = [f.path for f in chosen]
    else:
        blocks = _blocks(folder, chosen, reading)
        if sum(f.size for f in chosen) > LARGE_FOLDER:
            columns[TEXT] = Spool(blocks).column(0)
        else:
            columns[TEXT] = gathered(blocks, 1)[0]
        columns[FILE] = [f.path for f in chosen]
    return Table(called(folder), columns | labels, places, folder=folder, warnings=warnings)


def links_problems(folder: Path, outside: Sequence[str]) -> tuple[Problem, ...]:
    """A warning of what was left out of a folder because it leads elsewhere."""
    if not outside:
        return ()
    args = {"file": called(folder), "count": len(outside), "first": ", ".join(sorted(outside)[:3])}
    return (Problem("folder_links", args=args, severity="warning"),)


def _some(files: list[Found], rows: int | None) -> list[Found]:
    """So many files, as many of each folder as there are."""
    if rows is None or len(files) <= rows:
        return files
    folders: dict[str, list[Found]] = {}
    for file in files:
        folders.setdefault(str(PurePosixPath(file.path).parent), []).append(file)
    each = max(1, rows // len(folders))
    return list(chain.from_iterable(some[:each] for some in folders.values()))


def _left_out(folder: Path, files: Sequence[Found], chosen: Sequence[Found]) -> tuple[Problem, ...]:
    taken = {file.path for file in chosen}
    rest = [file.path for file in files if file.path not in taken]
    if not rest:
        return ()
    args = {"file": called(folder), "count": len(rest), "first": ", ".join(rest[:3])}
    return (Problem("folder_left_out", args=args, severity="warning"),)


def _labels(paths: Sequence[str]) -> dict[str, list[str]]:
    """The columns that the folders on the way to files make."""
    ways = [path.split("/")[:-1] for path in paths]
    if not any(ways):
        return {}
    firsts = {way[0].lower() if way else "" for way in ways}
    if firsts <= PARTS and all(len(way) > 1 for way in ways):
        return {LABEL: [way[1] for way in ways], PART: [way[0] for way in ways]}
    return {LABEL: [way[0] if way else "" for way in ways]}


def _blocks(folder: Path, files: Sequence[Found], reading: Reading) -> Iterator[Block]:
    for start in range(0, len(files), TOGETHER):
        tell("reading", start, len(files))
        some = files[start : start + TOGETHER]
        yield [[_text(folder, file, reading)] for file in some]


def _text(folder: Path, file: Found, reading: Reading) -> str:
    if file.size > FOLDER_TEXT_BYTES:
        about = {"received": file.size // 2**20, "expected": FOLDER_TEXT_BYTES // 2**20}
        raise refuse("folder_text_large", file=file.path, **about)
    data = (folder / file.path).read_bytes()
    encoding = reading.encoding or encoding_of(data, whole=True)
    try:
        return data.decode(codec_of(encoding))
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise refuse("file_undecodable", file=file.path, received=encoding, row=line) from None
