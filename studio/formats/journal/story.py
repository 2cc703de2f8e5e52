"""What a journal's records say, and what they come to: the documents that were, one after another.

==============  ==================================================================================
``journal``     the first record: the number of the format, and a random text that is of no other
``base``        a document, whole; the project's file, and whether that holds this document
``done``        one act: its label, and the patch it made. ``undone``, ``redone``: likewise, and
                where in the history of acts it leads. With ``again`` it was counted before, with
                ``alone`` it is not known what came before it, so that nothing can be undone
``saved``       the project's file holds what is here
``kept``        where the weights are that no file of the project holds
``training``    where a training under way is written down (`studio.train.checkpoints`)
==============  ==================================================================================
"""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple

from studio.document.history import LIMIT, Act, Step
from studio.document.model import Document, LayerId
from studio.document.patch import apply, patch
from studio.formats.document_json import read_document, to_json
from studio.formats.journal.lines import encoded, is_readable
from studio.formats.patch_json import plain_patch, read_patch
from studio.formats.strict_json import MalformedError, malformed
from studio.formats.values import member, plain, read, table

FORMAT = 2  # 1 knew neither `missing` nor what is kept beside a file, nor acts that are alone
Kind = Act | Literal["saved", "kept", "training"]
STEPS = 100  # that can still be undone, and redone, once a journal was written anew
STEP_BYTES = 2**22  # of records of these, in either direction: it is to be read in seconds


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
        beside: whether it is only what the project's file lacks, of removed layers and the like.
        missing: layers of which it lacks weights, since there were too many.
    """

    number: int
    unsaved: bool
    digests: Mapping[str, str]
    beside: bool = False
    missing: tuple[LayerId, ...] = ()


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
        missing: layers of which weights were in memory alone: the file lacks them, and they are
            not written down yet.
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
    missing: tuple[LayerId, ...] = ()
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

    def _leads(self, what: Act, document: Document) -> bool:
        """Whether this is where an act leads, as far as is known: it may go back further.

        Documents are compared by their parts' identity: of those that are read it cannot be asked.
        """
        steps = {"undone": self.past, "redone": self.future, "done": []}[what]
        return not steps or _is_one(steps[-1].document, document)

    def took(self, what: Act, label: str, document: Document, alone: bool = False) -> None:
        """One act; `alone`: whatever came before it, was another history."""
        self.label, self.acts = label, self.acts + 1
        if alone:
            self.past, self.future = [], []
            self.now = Step("", document)
        else:
            self._step(what, label, document)

    def _step(self, what: Act, label: str, document: Document) -> None:
        match what:
            case "undone":
                self.future.append(replace(self.now, label=label or self.now.label))
                # A journal written anew goes back less far than the window does.
                before = self.past.pop() if self.past else Step("", document)
                self.now = replace(before, document=document)
            case "redone":
                self.past.append(self.now)
                after = self.future.pop() if self.future else Step(label, document)
                self.now = replace(after, document=document)
            case "done":
                self.past.append(self.now)
                self.now, self.future = Step(label, document), []
        del self.past[:-LIMIT], self.future[:-LIMIT]

    def was_saved(
        self, path: Path, stamp: Stamp | None, kept: bool, missing: tuple[LayerId, ...] = ()
    ) -> None:
        """The file holds everything; `kept`: what was written down holds no less, and stays.

        Of layers that are `missing` there are weights that neither holds: undoing may need them.
        """
        if not kept or self.kept is None or self.kept.beside:
            self.missing = missing  # else that of what was written down
        self.path, self.stamp, self.saved, self.acts = path, stamp, self.now.document, 0
        self.kept = replace(self.kept, unsaved=False) if self.kept and kept else None
        self.bare = self.bare and kept

    def was_kept(self, kept: Kept) -> None:
        """What lies beside the document was written down."""
        self.kept, self.bare, self.missing = kept, False, kept.missing

    def copied(self) -> "Story":
        """The same, in lists of its own."""
        made = copy(self)
        made.past, made.future = list(self.past), list(self.future)
        return made


class Told(NamedTuple):
    """One act as it is told, for `Story.took`."""

    what: Act
    label: str
    document: Document
    alone: bool

    @classmethod
    def of(cls, story: Story, what: Act, label: str, document: Document) -> "Told":
        """An act behind this story; alone, where it does not lead to what that knows of."""
        return cls(what, label, document, not story._leads(what, document))

    def after(self, old: Document, when: float) -> bytes:
        """Its record."""
        return act(self.what, self.label, old, self.document, when, alone=self.alone)


# -- writing -------------------------------------------------------------------------------------


def written(story: Story) -> Iterator[bytes]:
    """A whole journal that comes to this story, with its last acts, to be undone and redone."""
    when = story.when

    def done(before: Step, after: Step) -> bytes:
        again = {"again": True, "saved": _is_same(story.saved, after.document)}
        return act("done", after.label, before.document, after.document, when, **again)

    def undone(after: Step, before: Step) -> bytes:
        return act("undone", "", after.document, before.document, when, again=True)

    back = [story.now, *story.past[::-1]]
    past = _near(back, lambda after, before: (done(before, after),))
    ahead = _near(
        [story.now, *story.future[::-1]],
        lambda before, after: (done(before, after), undone(after, before)),
    )
    first = back[len(past)]
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
            "missing": list(story.missing),
            "training": story.training,
            "time": story.when,
        }
    )
    yield from (record for (record,) in reversed(past))
    yield from (forth for forth, _ in ahead)
    yield from (and_back for _, and_back in reversed(ahead))


def _near(
    steps: Sequence[Step], records: Callable[[Step, Step], tuple[bytes, ...]]
) -> list[tuple[bytes, ...]]:
    """The records of as many steps next to the first as there is room for."""
    found, room = [], STEP_BYTES
    for one, further in pairwise(steps[: STEPS + 1]):
        made = records(one, further)
        room -= sum(map(len, made))
        if room < 0 or not all(map(is_readable, made)):
            break
        found.append(made)
    return found


def _is_same(saved: Document | None, document: Document) -> bool:
    """Whether it is what the file holds; the counter of ids does not count."""
    return saved is not None and replace(document, next_id=saved.next_id) == saved


def _is_one(one: Document, other: Document) -> bool:
    """Whether two are made of the very same parts; the counter of ids does not count."""
    names = (f.name for f in fields(Document) if f.name != "next_id")
    return all(getattr(one, name) is getattr(other, name) for name in names)


def act(what: Act, label: str, old: Document, new: Document, when: float, **about: bool) -> bytes:
    """The record of an act."""
    said = {"act": what, "label": label, "patch": plain_patch(patch(old, new)), "time": when}
    return encoded({**said, **{name: True for name, value in about.items() if value}})


def saved(
    path: Path, stamp: Stamp | None, kept: bool, missing: tuple[LayerId, ...], when: float
) -> bytes:
    """The record of a save; see `Story.was_saved`."""
    said = {"act": "saved", "path": str(path), "stamp": plain(stamp), "kept": kept}
    return encoded({**said, "missing": list(missing), "time": when})


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
        missing=_missing(record, place),
        training=read(str, record.get("training", ""), place),
        when=read(float, record.get("time", 0.0), place),
    )


def _missing(record: Mapping[str, Any], place: str) -> tuple[LayerId, ...]:
    found: tuple[LayerId, ...] = read(tuple[str, ...], record.get("missing", []), place)
    return found


def _follow(story: Story, record: Mapping[str, Any], place: str) -> None:
    kind = read(
        Literal["done", "undone", "redone", "saved", "kept", "training"], record["act"], place
    )
    when = read(float, member(record, "time", place), place)
    match kind:
        case "saved":
            stamp = read(Stamp | None, record.get("stamp"), place)
            path, kept = (member(record, name, place) for name in ("path", "kept"))
            where, missing = Path(read(str, path, place)), _missing(record, place)
            story.was_saved(where, stamp, read(bool, kept, place), missing)
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
        story.took(what, label, document, alone="alone" in record)
    if "saved" in record:
        story.saved = document
