"""P13: undo and redo are exact, whatever was done in between.

Somebody does anything to a project: every edit there is, saving, saving in vain, loading, learning,
looking into models. After each act everything that `Bench` knows is true; at the end all is undone
and done again, byte for byte.
"""

import gc
import inspect
import os
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import wraps
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from PySide6.QtCore import QCoreApplication, QEvent, QSettings
from PySide6.QtGui import QGuiApplication

import studio.document
from studio import garbage
from studio.document.excerpt import Pasted
from studio.document.model import Document
from studio.ui import sharing as sharing_acts
from studio.ui.canvas import clipboard
from studio.ui.theme import apply_theme
from tests.reliability import plan_acts  # noqa: F401 - registers its acts
from tests.reliability.acts import ACTS
from tests.reliability.bench import Bench, Choose, WindowBench
from tests.reliability.edited_projects import SEEDS


@pytest.fixture(autouse=True)
def quiet(qapp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """What is refused is no dialog here, nor are a person's settings touched; after it nothing is
    left, and the clipboard is empty.
    """
    ini = QSettings.Format.IniFormat
    QSettings.setDefaultFormat(ini)
    QSettings.setPath(ini, QSettings.Scope.UserScope, str(tmp_path / "settings"))
    apply_theme(qapp, "light")
    for module in (sharing_acts, clipboard):
        monkeypatch.setattr(module, "tell_problems", lambda *_: None)
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QGuiApplication.clipboard().clear()


class Anybody(RuleBasedStateMachine):
    """Does anything to a project; each of `ACTS` is a rule."""

    kind: type[Bench]
    folder: Path
    patch: pytest.MonkeyPatch
    done: Counter[str]
    whole = True  # nothing has failed by now

    @initialize(seed=st.sampled_from(sorted(SEEDS)))
    def start(self, seed: str) -> None:
        self.bench = self.kind(SEEDS[seed](), self.folder, self.patch)

    def teardown(self) -> None:
        if hasattr(self, "bench"):
            try:
                if self.whole:
                    self.bench.check_ways()
            finally:
                self.bench.close()
                QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def _rule(name: str) -> Any:
    def step(self: Anybody, data: st.DataObject) -> None:
        choose = Choose(lambda below: data.draw(st.integers(0, below - 1)))
        self.whole = False
        self.done[name] += self.bench.do(ACTS[name], choose)
        self.whole = True

    step.__name__ = name
    return rule(data=st.data())(step)


for _name in ACTS:
    setattr(Anybody, _name, _rule(_name))


def tried(bench: type[Bench], sessions: int, steps: int, folder: Path, patch: Any) -> str:
    """Let somebody do anything in so many sessions; what was done, in a sentence."""
    counts: Counter[str] = Counter()

    class Somebody(Anybody):
        kind, done = bench, counts

        def teardown(self) -> None:
            super().teardown()
            gc.collect()  # here, and in no other thread: see `Collecting`
            counts["sessions"] += 1
            if counts["sessions"] % 100 == 0:
                print(f"{counts['sessions']} of {sessions} sessions")

    Somebody.folder, Somebody.patch = folder, patch
    how = settings(
        max_examples=sessions,
        stateful_step_count=steps,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    with garbage.uncollected():
        run_state_machine_as_test(Somebody, settings=how)
    number = counts.pop("sessions")
    acts = ", ".join(f"{name} {count}" for name, count in counts.most_common())
    return f"{number} sessions of {steps} steps, {counts.total()} acts done: {acts}"


def test_undo_is_exact(tmp_path, monkeypatch, amount, tell):
    tell(tried(Bench, amount(10, 2000), 50, tmp_path, monkeypatch))


def test_undo_is_exact_in_the_window(tmp_path, monkeypatch, amount, tell):
    tell(tried(WindowBench, amount(1, 30), amount(20, 50), tmp_path, monkeypatch))


# -- every edit there is ---------------------------------------------------------------------------


def edits_there_are() -> dict[str, Callable[..., Any]]:
    """The public functions of `studio.document` that make a document of a document."""
    found = {}
    for module in iter_modules(studio.document.__path__, "studio.document."):
        for name, function in vars(import_module(module.name)).items():
            here = inspect.isfunction(function) and function.__module__ == module.name
            if name.startswith("_") or not here:
                continue
            signature = inspect.signature(function)
            takes = any(p.annotation is Document for p in signature.parameters.values())
            gives = signature.return_annotation
            if takes and (
                gives in (Document, Pasted) or "tuple[studio.document.model.Doc" in str(gives)
            ):
                found[f"{module.name}.{name}"] = function
    return found


class Census:
    """Counts how often each edit made another document, by whatever name it is called."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.changed = Counter(dict.fromkeys(edits_there_are(), 0))
        ours = [m for n, m in sys.modules.items() if n.startswith(("studio.", "tests."))]
        for name, function in edits_there_are().items():
            counting = self._counting(name, function)
            for module in ours:
                for here, value in list(vars(module).items()):
                    if value is function:
                        patch.setattr(module, here, counting)

    @property
    def missed(self) -> list[str]:
        return [name for name, count in self.changed.items() if not count]

    def _counting(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def counted(*args: Any, **values: Any) -> Any:
            made = function(*args, **values)
            before = next(a for a in (*args, *values.values()) if isinstance(a, Document))
            after = made.document if isinstance(made, Pasted) else made
            self.changed[name] += (after[0] if isinstance(after, tuple) else after) != before
            return made

        return counted


def test_every_edit_is_among_what_is_done(tmp_path, monkeypatch):
    """Each act can be done; together they reach every edit that `studio.document` has."""
    census, undone = Census(monkeypatch), set(ACTS)
    assert len(census.changed) > 50
    for number in range(40):
        draw = random.Random(number)
        choose = Choose(draw.randrange)
        bench = Bench(SEEDS[sorted(SEEDS)[number % len(SEEDS)]](), tmp_path, monkeypatch)
        names = sorted(ACTS)
        for name in draw.sample(names, len(names)):
            if bench.do(ACTS[name], choose, look=False):
                undone.discard(name)
        bench.close()
        if not undone and not census.missed:
            return
    assert not undone, "acts that could never be done"
    assert not census.missed, "edits that no act reaches: add one to tests/reliability/acts.py"
