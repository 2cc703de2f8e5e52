"""A window that is killed at any moment loses at most the act under way; its files stay whole."""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from studio.document.model import Document
from studio.document.project import Project
from studio.formats import loom
from studio.formats.journal import Found, recover
from tests.reliability.killed_windows import FILE, TOLD, fingerprint, weights_of

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="sessions are forked")

SECONDS = 2.0  # what was learnt so long before the end is not lost


class Windows:
    """A process that opens windows, each to be killed."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.reliability.killed_windows"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)

    def work(self, seed: int, folder: Path, seconds: float) -> None:
        """Have somebody work in a window in `folder`, and kill it after so long."""
        assert self._process.stdin is not None
        print(
            json.dumps({"seed": seed, "folder": str(folder)}), file=self._process.stdin, flush=True
        )
        number = int(self._line())
        end = time.monotonic() + 60
        while b'"ready"' not in self._told(folder) and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(seconds)
        with suppress(ProcessLookupError):  # told of below
            os.kill(number, 9)
        ended = int(self._line())
        assert ended == -9, f"seed {seed}: the window ended by itself: {ended}"

    def close(self) -> None:
        with self._process:  # which closes its pipes, and waits
            pass

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    @staticmethod
    def _told(folder: Path) -> bytes:
        path = folder / TOLD
        return path.read_bytes() if path.exists() else b""


@dataclass
class Tab:
    """What is known of a tab of a window that was killed.

    Attributes:
        documents: what it had, one after the other.
        learnt: the weights at first, and each time some were learnt: when, and what they were.
        tables: what learns, of each document since, without interruption.
        path: its file, once it was saved.
    """

    documents: list[str] = field(default_factory=list)
    learnt: list[tuple[float, dict[str, str]]] = field(default_factory=list)
    tables: list[set[str]] = field(default_factory=list)
    path: str = ""


def tabs_of(told: list[dict[str, Any]]) -> dict[int, Tab]:
    tabs: dict[int, Tab] = {}
    for each in told:
        if "tab" not in each:
            continue
        tab = tabs.setdefault(each["tab"], Tab())
        match each["what"]:
            case "act":
                tab.documents.append(each["document"])
                for tables in tab.tables:
                    tables.intersection_update(each["tables"])
            case "learnt":
                tab.learnt.append((each["at"], each["weights"]))
                tab.tables.append(set(each["weights"]))
            case "save":
                tab.path = each["path"]
    return tabs


@pytest.fixture(scope="module")
def windows() -> Iterator[Windows]:
    made = Windows()
    yield made
    made.close()


def test_killed_windows_are_recovered(
    windows: Windows,
    tmp_path: Path,
    amount: Callable[[int, int], int],
    tell: Callable[[str], None],
) -> None:
    sessions, acts, projects, learnt, slow = amount(4, 200), 0, 0, 0, 0.0
    for seed in range(sessions):
        folder = tmp_path / str(seed)
        folder.mkdir()
        windows.work(seed, folder, random.Random(seed).uniform(0.0, amount(1, 8)))
        began = time.perf_counter()
        found = recover(folder / "state" / "layerloom" / "recovery")
        recovered = [(each, each.recovered().project) for each in found]
        slow = max(slow, time.perf_counter() - began)
        told = [json.loads(line) for line in (folder / TOLD).read_text().splitlines()]
        learnt += compare(seed, folder, told, recovered)
        acts += sum(each["what"] == "act" for each in told)
        projects += len(found)
        for each in found:
            each.leave()
        shutil.rmtree(folder)
    tell(
        f"{sessions} of {sessions} killed windows recovered: {projects} projects, {acts} acts, "
        f"each the document before or after the last act; {learnt} tables of weights; the slowest "
        f"took {slow:.2f} s"
    )


def compare(
    seed: int, folder: Path, told: list[dict[str, Any]], recovered: list[tuple[Found, Project]]
) -> int:
    """What was recovered with what was done; how many weights could be compared, too."""
    learnt = 0
    left = {fingerprint(project.document): (found, project) for found, project in recovered}
    tabs = tabs_of(told)
    for number, tab in tabs.items():
        ends = tab.documents[-2:]
        at = next((end for end in reversed(ends) if end in left), None)
        where = f"seed {seed}, tab {number}"
        if at is None:
            assert_nothing_is_missing(where, folder, tab)
            continue
        _, project = left[at]
        learnt += assert_learnt(where, told[-1]["at"], tab, project)
    extra = set(left) - {end for tab in tabs.values() for end in tab.documents[-2:]}
    assert not extra, f"seed {seed}: recovered what nobody left"
    assert_file_is_as_saved(seed, folder, told)
    return learnt


def assert_nothing_is_missing(where: str, folder: Path, tab: Tab) -> None:
    """Nothing was left: then the file, or the project as it was opened, has it all."""
    held = tab.documents[:1]
    if tab.path:
        held.append(fingerprint(loom.load(folder / FILE).document))
    assert set(held) & set(tab.documents[-2:]), f"{where}: the last acts are lost"


def assert_learnt(where: str, end: float, tab: Tab, project: Project) -> int:
    """The weights are what they were at most so long before: of tables there all the time.

    Returns:
        How many could be compared.
    """
    last = max((i for i, (at, _) in enumerate(tab.learnt) if at < end - SECONDS), default=-1)
    if last < 0:
        return 0
    found, tables = weights_of(project.store), tab.tables[last] & set(project.document.layers)
    for table in tables:
        may_be = {learnt.get(table) for _, learnt in tab.learnt[last:]}
        assert found.get(table) in may_be, f"{where}: what was learnt by {table} is lost"
    return len(tables)


def assert_file_is_as_saved(seed: int, folder: Path, told: list[dict[str, Any]]) -> None:
    """Nothing but saving ever touched it."""
    first = next(each["document"] for each in told if each["what"] == "act")
    saves = [each["document"] for each in told if each["what"] == "save"]
    held = fingerprint(loom.load(folder / FILE).document)
    assert held in [first, *saves][-2:], f"seed {seed}: the file was touched"


def test_fingerprints_tell_documents_apart() -> None:
    assert fingerprint(Document()) == fingerprint(Document(next_id=7))
