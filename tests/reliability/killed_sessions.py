"""Sessions without a window that are killed: is what was done had again?

    python -m tests.reliability.killed_sessions FOLDER TRIALS SEED

Each trial is a process of its own that edits, undoes, trains and saves at random until SIGKILL
ends it, at a random moment or before its n-th call to the system; then another that goes on with
what was recovered and is killed as well, perhaps while it recovers. What a process does it tells in
a file, before and after its journal hears of it. Prints JSON: what was found, and what was wrong,
by trial.
"""

import gc
import hashlib
import json
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from studio.document.model import Document
from studio.document.project import Project
from studio.formats import document_json, loom
from studio.formats.journal import recorder
from studio.formats.journal.recovery import recover
from studio.formats.journal.story import STEPS
from studio.formats.strict_json import MalformedError
from tests.document.drawn import headline
from tests.formats.examples import fill, two_outputs
from tests.formats.journal.sitting import Sitting
from tests.reliability.io_steps import Steps
from tests.reliability.random_edits import Hand

_TOLD = "told"
_RIVALS = 3  # processes that look for what was left, all at once
_STEPS = 150  # calls to the system before which a process is killed


def fingerprint(document: Document, counter: bool = True) -> str:
    """Tells documents apart, by everything there is of them and its order."""
    plain = document_json.to_json(document)
    if not counter:
        del plain["next_id"]
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()[:16]


def weights_of(project: Project, document: Document) -> list[str]:
    """The weights there are of the layers of a document, whatever their shape."""
    found = ((key.layer, f"{key}{cell.value.shape}") for key, cell in project.store.items())
    return sorted(name for layer, name in found if layer in document.layers)


# -- the one that is killed ----------------------------------------------------------------------


class Worker:
    """Does one act after another, and tells of each in a file that outlives its process.

    What it learns in its n-th training is the number n, in all weights.
    """

    def __init__(self, folder: Path, seed: int, begin: Callable[[], Sitting]) -> None:
        self._file = os.open(folder / _TOLD, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._hand = Hand(Document(), seed, odd=True)
        self._draw, self._path = self._hand.draw, folder / "p.loom"
        recorder.LONG = self._draw.choice((5_000, 50_000, 2**22))
        recorder.COPIED = self._draw.choice((100, 2**28))
        recorder.SYNC = self._draw.choice((0.001, 0.02, 1.0))
        self._sitting = begin()
        self._sitting.history._listeners.insert(0, partial(self._tell, "about to"))
        self._sitting.history.subscribe(partial(self._tell, "document"))
        file = self._path.read_bytes() if self._path.exists() else b""
        self._tell("begin", file=hashlib.sha256(file).hexdigest())
        self._tell("document")

    def work(self) -> None:
        """Until killed."""
        history = self._sitting.history
        while True:
            chance = self._draw.random()
            if chance < 0.75:
                self._hand.document = self._sitting.document
                history.commit(*self._hand.edit())
            elif chance < 0.86:
                history.undo()
            elif chance < 0.92:
                history.redo()
            elif chance < 0.95:
                self._train()
            elif chance < 0.98:
                time.sleep(self._draw.random() * 0.02)
            else:
                self._save()

    def _train(self) -> None:
        project = self._sitting.project
        project.store.step = number = project.store.step + 1
        for layer, cells in project.store.shared().items():
            for name, shape in tuple(cells):
                project.store.put(layer, name, np.full(shape, number))
        self._tell("learnt", number=number)
        self._sitting.recorder.trained(project, lambda: self._tell("kept", number=number))

    def _save(self) -> None:
        project = self._sitting.project
        try:
            data = loom.to_bytes(project, self._path.parent)
        except MalformedError:  # a number that no file may hold
            return
        about = {"number": project.store.step, "file": hashlib.sha256(data).hexdigest()}
        self._tell("saving", **about)
        self._sitting.save(self._path)
        self._tell("saved", **about)

    def _tell(self, what: str, *_: Document, **facts: Any) -> None:
        history = self._sitting.history
        facts |= {"what": what, "depth": len(history._past)}
        facts["document"] = fingerprint(history.document)
        facts["weights"] = weights_of(self._sitting.project, history.document)
        facts["model"] = fingerprint(history.document, counter=False)
        os.write(self._file, json.dumps(facts).encode() + b"\n")


def _new(folder: Path, seed: int) -> Sitting:
    """A new project, one that has learnt, or one from a file."""
    draw, root, path = random.Random(seed), folder / "root", folder / "p.loom"
    if draw.random() < 0.3:
        return Sitting(root, Project(headline()[0]))
    project = fill(two_outputs(), seed)
    if draw.random() < 0.5:
        return Sitting(root, project)
    loom.save(path, project)
    return Sitting(root, loom.load(path), path)


def _left(folder: Path) -> Sitting:
    """The one that was left."""
    (found,) = recover(folder / "root")
    return Sitting.going_on(found)


# -- who looks at what is left -------------------------------------------------------------------


@dataclass
class Told:
    """What killed processes told of themselves.

    Attributes:
        now: the present document; two where an act was under way.
        models: likewise, whatever their counters of ids.
        depths: likewise, how many acts could be undone.
        deepest: how many ever.
        every: all documents there ever were.
        learnt: the first and the last of the trainings that may be had again.
        saved: the models that the project's file may hold, and the training.
        files: what that file may be, byte by byte.
        weights: which there were, by document.
    """

    now: set[str] = field(default_factory=set)
    models: set[str] = field(default_factory=set)
    depths: set[int] = field(default_factory=set)
    deepest: int = 0
    every: set[str] = field(default_factory=set)
    learnt: tuple[int, int] = (0, 0)
    saved: set[tuple[str, int]] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    weights: dict[str, set[str]] = field(default_factory=dict)

    def take(self, line: dict[str, Any]) -> None:
        """One line of what they told."""
        number, (first, last) = line.get("number", 0), self.learnt
        match line["what"]:
            case "begin":
                self.files.add(line["file"])
            case "document":
                self.now, self.models, self.depths = set(), set(), set()
            case "learnt":
                self.learnt = first, number
            case "kept":
                self.learnt = max(first, number), last
            case "saving":
                self.files.add(line["file"])
                self.saved.add((line["model"], number))
            case "saved":
                self.files, self.saved = {line["file"]}, {(line["model"], number)}
                self.learnt = number, last
        self.now.add(line["document"])
        self.models.add(line["model"])
        self.depths.add(line["depth"])
        self.deepest = max(self.deepest, line["depth"])
        self.every.add(line["document"])
        self.weights[line["document"]] = set(line["weights"])


def told(folder: Path) -> Told:
    """All that was told in a folder; of a line that was cut off nothing."""
    found = Told()
    lines = (folder / _TOLD).read_bytes().split(b"\n")[:-1]
    for line in map(json.loads, lines):
        if not found.every:  # a project that was just opened lacks nothing
            found.saved.add((line["model"], 0))
        found.take(line)
    return found


def wrong(folder: Path) -> str:
    """What is wrong with what was left; empty where nothing is."""
    said, left, path = told(folder), recover(folder / "root"), folder / "p.loom"
    if not said.every:
        return ""  # it was killed while it began
    if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() not in said.files:
        return "the file of the project is none that was saved"
    if not left:
        nothing = any(m in said.models and n >= said.learnt[0] for m, n in said.saved)
        return "" if nothing else "nothing is left, and not all was saved"
    (found,) = left
    try:
        had = found.recovered()
    finally:
        found.leave()
    depth, step = len(had.past), had.project.store.step
    was_long = said.deepest >= STEPS and depth < max(said.depths)  # and was written anew
    # Between a save and its being told, the file is one that nobody knows of yet.
    saving = {"journal_other_weights"} if len(said.files) > 1 else set[str]()
    codes = {problem.code for problem in had.problems}
    doubts = codes - saving - {"journal_weights_missing"}
    there = set(weights_of(had.project, had.project.document))
    lost = said.weights.get(fingerprint(had.project.document), set()) - there
    if had.path is None or codes & {"journal_weights_missing", "journal_other_weights"}:
        lost = set()  # yet to be written for the first time; or it is said
    numbers = [cell.value for _, cell in had.project.store.items()] if step else []
    shown = (
        (found.problem is None, f"problem: {found.problem}"),
        (not doubts, f"problems: {doubts}"),
        (fingerprint(had.project.document) in said.now, "not the document"),
        (said.learnt[0] <= step <= said.learnt[1], f"{step} learnt, not {said.learnt}"),
        (not lost, f"weights that nobody has: {sorted(lost)}"),
        (all((array == step).all() for array in numbers), "weights of several trainings"),
        (depth in said.depths or was_long, f"{depth} acts to undo: {said.depths}"),
        (
            all(fingerprint(s.document) in said.every for s in (*had.past, *had.future)),
            "a document that never was",
        ),
    )
    return "; ".join(words for right, words in shown if not right)


@dataclass
class Found:
    """What became of the sessions.

    Attributes:
        trials: how many processes were killed.
        acts: how many acts they did.
        left: of how many something was left to be had again.
        wrong: what was wrong, by trial.
    """

    trials: int = 0
    acts: int = 0
    left: int = 0
    wrong: dict[str, str] = field(default_factory=dict)


def kill(folder: Path, begin: Callable[[], Sitting], seed: int, moment: float) -> str:
    """Kill a process; empty unless it ended by itself.

    `moment` is so many seconds after it began; an int is the number of its calls to the system
    that concern journals, before the last of which it kills itself.
    """
    steps = Steps(folder / "root", moment if isinstance(moment, int) else 0, False, _kill_myself)
    said = size(folder / _TOLD)
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.write(theirs, b"!")
            with steps.watching() if isinstance(moment, int) else nullcontext():
                Worker(folder, seed, begin).work()
        except BaseException:
            (folder / "error").write_text(traceback.format_exc())
        finally:
            os._exit(1)
    os.read(ours, 1)
    stolen: list[object] = []
    if isinstance(moment, float):
        time.sleep(moment)
        if size(folder / _TOLD) > said:  # else what was left may be nobody's yet
            stolen += recover(folder / "root")  # of one that lives
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.close(ours)
    os.close(theirs)
    if stolen:
        return "somebody else's was taken"
    return "" if os.WIFSIGNALED(status) else (folder / "error").read_text()


def size(path: Path) -> int:
    """Of a file that may not be there yet."""
    return path.stat().st_size if path.exists() else 0


def _kill_myself(_: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def owners(root: Path) -> int:
    """How many of some processes that look at once are given what was left."""
    here, there = os.pipe()
    stay, go = os.pipe()
    children = []
    for _ in range(_RIVALS):
        child = os.fork()
        if not child:
            os.close(go)
            found = recover(root)
            os.write(there, bytes([len(found)]))
            os.read(stay, 1)  # hold it until all have looked
            os._exit(0)
        children.append(child)
    counted = sum(os.read(here, 1)[0] for _ in children)
    os.close(go)
    for child in children:
        os.waitpid(child, 0)
    for end in (here, there, stay):
        os.close(end)
    return counted


def warm_up(place: Path) -> None:
    """Load what edits and files need, so that those who are killed have time for acts."""
    hand = Hand(headline()[0], 0)
    for _ in range(300):
        _, hand.document = hand.edit()
    loom.save(place / "warm.loom", fill(two_outputs()))
    loom.load(place / "warm.loom")
    gc.freeze()


def tried(place: Path, trials: int, seed: int) -> Found:
    """Kill as many processes, half of them while they go on with what another left."""
    draw, found = random.Random(seed), Found()
    warm_up(place)
    for number in count():
        if found.trials >= trials:
            break
        folder = place / str(number)
        folder.mkdir()
        step = 1 + number // 2 * 7 % _STEPS  # each in turn
        moments = (step, step) if number % 2 else (draw.random() * 0.6, draw.random() * 0.3)
        begins = (partial(_new, folder, number), partial(_left, folder))
        for begin, moment in zip(begins, moments, strict=True):
            error = kill(folder, begin, draw.getrandbits(32), moment)
            error = error or (wrong(folder) if (folder / _TOLD).exists() else "")
            if error:
                found.wrong[f"{number}, {moment}"] = error
            found.trials += 1
            left = owners(folder / "root")
            if left > 1:
                found.wrong[f"{number}, {moment}"] = f"{left} processes were given it"
            found.left += left
            if error or not left:
                break
        if (folder / _TOLD).exists():
            found.acts += (folder / _TOLD).read_bytes().count(b'"about to"')
    return found


if __name__ == "__main__":
    print(json.dumps(asdict(tried(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))))
