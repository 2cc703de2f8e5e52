"""What a journal's records say, and what they come to: the documents that were, one after another.

==============  ==================================================================================
``journal``     the first record: the number of the format, and a random text that is of no other
``base``        a document, whole; the project's file, and whether that holds this document
``done``        one act: its label, and the patch it made. ``undone``, ``redone``: likewise, and
                where in the history of acts it leads. With ``again`` it was counted before
``saved``       the project's file holds what is here
``kept``        where the weights are that no file of the project holds
``training``    where a training under way is written down (`studio.train.checkpoints`)
==============  ==================================================================================
"""

import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from studio.document.history import LIMIT, Act, Step
from studio.document.model import Document
from studio.document.patch import apply, patch
from studio.formats.document_json import read_document, to_json
from studio.formats.journal.lines import encoded
from studio.formats.patch_json import plain_patch, read_patch
from studio.formats.strict_json import MalformedError, malformed
from studio.formats.values import member, plain, read, table

FORMAT = 1
Kind = Act | Literal["saved", "kept", "training"]
STEPS = 100  # that can still be undone, once a journal was written anew


@dataclass(frozen=True)
class Stamp:
    """A file as it was once seen.

    Attributes:
        size: in bytes.
        changed: when, in nanoseconds since 1970.
    """

    size: int
    changed: int

    @classmethod
    def of(cls, path: Path | None) -> "Stamp | None":
        """How a file is now; None where there is none."""
        try:
            found = path.stat() if path else None
        except (OSError, ValueError):  # ValueError: a NUL in the name
            return None
        return cls(found.st_size, found.st_mtime_ns) if found else None


@dataclass(frozen=True)
class Kept:
    """Where what training learnt lies, in the journal's folder: ``kept-<number>``.

    Attributes:
        number: counted up; the largest is the latest.
        unsaved: whether no file of the project holds it.
        digests: of its files, BLAKE2b, by name.
    """

    number: int
    unsaved: bool
    digests: Mapping[str, str]


@dataclass
class Story:
    """A project's acts as a journal tells them.

    Attributes:
        now: the document as it is, and the label of the act that made it.
        path: the project's file; None: it has none yet.
        stamp: that file when it was opened or saved.
        past: what can be undone, oldest first.
        future: what can be redone, latest first.
        saved: the document the file holds; None: it is no longer known.
        acts: how many there were since.
        label: of the last one.
        kept: where the weights are; None: in the file, or there are none.
        bare: whether there is nothing beside the document.
        training: where a training under way is written down; empty: none is.
        when: the time of the last record, in seconds since 1970.
    """

    now: Step
    path: Path | None = None
    stamp: Stamp | None = None
    past: list[Step] = field(default_factory=list)
    future: list[Step] = field(default_factory=list)
    saved: Document | None = None
    acts: int = 0
    label: str = ""
    kept: Kept | None = None
    bare: bool = False
    training: str = ""
    when: float = 0.0

    @classmethod
    def beginning(cls, document: Document, path: Path | None, bare: bool = True) -> "Story":
        """Of a project that was just opened."""
        made = cls(Step("", document), path, Stamp.of(path), saved=document, when=time.time())
        made.bare = bare
        return made

    @property
    def lacking(self) -> bool:
        """Whether the project's file lacks something of this, or a training can be gone on with."""
        changed = not _is_same(self.saved, self.now.document)
        learnt = self.kept is not None and self.kept.unsaved
        return changed or learnt or bool(self.training and Path(self.training).exists())

    def took(self, what: Act, label: str, document: Document) -> None:
        """One act."""
        self.label, self.acts = label, self.acts + 1
        self._step(what, label, document)

    def _step(self, what: Act, label: str, document: Document) -> None:
        if what == "undone" and self.past:
            self.future.append(self.now)
            self.now = replace(self.past.pop(), document=document)
        elif what == "redone" and self.future:
            self.past.append(self.now)
            self.now = replace(self.future.pop(), document=document)
        else:
            self.past.append(self.now)
            self.now, self.future = Step(label, document), []
        del self.past[:-LIMIT]

    def was_saved(self, path: Path, stamp: Stamp | None, kept: bool) -> None:
        """The file holds everything; `kept`: also what was written down is what it holds."""
        self.path, self.stamp, self.saved, self.acts = path, stamp, self.now.document, 0
        self.kept = replace(self.kept, unsaved=False) if self.kept and kept else None
        self.bare = self.bare and kept

    def was_kept(self, kept: Kept) -> None:
        """What lies beside the document was written down."""
        self.kept, self.bare = kept, False

    def copied(self) -> "Story":
        """The same, in lists of its own."""
        made = copy(self)
        made.past, made.future = list(self.past), list(self.future)
        return made


# -- writing -------------------------------------------------------------------------------------


def written(story: Story) -> Iterator[bytes]:
    """A whole journal that comes to this story, with its last acts, to be undone."""
    steps = [*story.past, story.now][-STEPS:]
    first = steps[0]
    yield encoded({"act": "journal", "format": FORMAT, "id": secrets.token_hex(16)})
    yield encoded(
        {
            "act": "base",
            "document": to_json(first.document),
            "label": first.label,
            "path": str(story.path) if story.path else None,
            "stamp": plain(story.stamp),
            "saved": _is_same(story.saved, first.document),
            "acts": story.acts,
            "last": story.label,
            "kept": plain(story.kept),
            "bare": story.bare,
            "training": story.training,
            "time": story.when,
        }
    )
    ahead = story.future[::-1]
    for before, after in pairwise([*steps, *ahead]):
        again = {"again": True, "saved": _is_same(story.saved, after.document)}
        yield act("done", after.label, before.document, after.document, story.when, **again)
    back = [story.now, *ahead][::-1]
    for before, after in pairwise(back):
        yield act("undone", "", before.document, after.document, story.when, again=True)


def _is_same(saved: Document | None, document: Document) -> bool:
    """Whether it is what the file holds; the counter of ids does not count."""
    return saved is not None and replace(document, next_id=saved.next_id) == saved


def act(what: Act, label: str, old: Document, new: Document, when: float, **about: bool) -> bytes:
    """The record of an act."""
    said = {"act": what, "label": label, "patch": plain_patch(patch(old, new)), "time": when}
    return encoded({**said, **{name: True for name, value in about.items() if value}})


def saved(path: Path, stamp: Stamp | None, kept: bool, when: float) -> bytes:
    """The record of a save; see `Story.was_saved`."""
    said = {"act": "saved", "path": str(path), "stamp": plain(stamp), "kept": kept}
    return encoded({**said, "time": when})


def kept(kept: Kept, when: float) -> bytes:
    """The record of weights that were written down."""
    return encoded({"act": "kept", "kept": plain(kept), "time": when})


def training(place: str, when: float) -> bytes:
    """The record of a training that began, or (empty) ended."""
    return encoded({"act": "training", "place": place, "time": when})


# -- reading -------------------------------------------------------------------------------------


def told(records: Iterable[Mapping[str, Any]]) -> tuple[Story, bool]:
    """What records come to, and whether all could be followed; else as far as they could be.

    Raises:
        MalformedError: there is no document to begin with.
    """
    each = iter(records)
    first, second = next(each, None), next(each, None)
    if first is None or second is None:
        raise malformed("journal", "missing", name="base")
    _head(first)
    story = _base(second)
    for i, record in enumerate(each, 2):
        try:
            _follow(story, record, f"journal[{i}]")
        except (MalformedError, LookupError, TypeError, ValueError):
            return story, False
    return story, True


def _head(record: Mapping[str, Any]) -> None:
    if record.get("act") != "journal":
        raise malformed("journal", "missing", name="journal")
    number = read(int, member(record, "format", "journal"), "journal.format")
    if number > FORMAT:
        raise malformed("journal.format", "too_new", received=number, expected=FORMAT)


def _base(record: Mapping[str, Any]) -> Story:
    place = "journal[1]"
    if record.get("act") != "base":
        raise malformed(place, "missing", name="base")
    document = read_document(member(record, "document", place), f"{place}.document")
    path = read(str | None, record.get("path"), f"{place}.path")
    return Story(
        Step(read(str, record.get("label", ""), place), document),
        Path(path) if path else None,
        read(Stamp | None, record.get("stamp"), f"{place}.stamp"),
        saved=document if read(bool, record.get("saved", False), place) else None,
        acts=read(int, record.get("acts", 0), place),
        label=read(str, record.get("last", ""), place),
        kept=read(Kept | None, record.get("kept"), f"{place}.kept"),
        bare=read(bool, record.get("bare", False), place),
        training=read(str, record.get("training", ""), place),
        when=read(float, record.get("time", 0.0), place),
    )


def _follow(story: Story, record: Mapping[str, Any], place: str) -> None:
    kind = read(
        Literal["done", "undone", "redone", "saved", "kept", "training"], record["act"], place
    )
    when = read(float, member(record, "time", place), place)
    match kind:
        case "saved":
            stamp = read(Stamp | None, record.get("stamp"), place)
            path, kept = (member(record, name, place) for name in ("path", "kept"))
            story.was_saved(Path(read(str, path, place)), stamp, read(bool, kept, place))
        case "kept":
            story.was_kept(read(Kept, member(record, "kept", place), place))
        case "training":
            story.training = read(str, member(record, "place", place), place)
        case "done" | "undone" | "redone" as what:
            _act(story, what, table(record, place), place)
    story.when = when


def _act(story: Story, what: Act, record: Mapping[str, Any], place: str) -> None:
    label = read(str, member(record, "label", place), place)
    found = read_patch(member(record, "patch", place), f"{place}.patch")
    document = apply(found, story.now.document)
    if "again" in record:
        story._step(what, label, document)
    else:
        story.took(what, label, document)
    if "saved" in record:
        story.saved = document
