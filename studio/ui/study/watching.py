"""What somebody looks at of a project's training, and what was seen of it last."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, QTimer, Signal

from studio.document.model import Document
from studio.document.project import Project
from studio.problem import Problem
from studio.train.aside import Aside, Done, Ended, Refused
from studio.train.evaluation.evaluate import bare
from studio.train.study.history import Series, Shares
from studio.train.study.lens import LensSample
from studio.train.study.observer import observe
from studio.train.study.seen import Seen
from studio.train.study.wanted import Path as CallPath
from studio.train.study.wanted import Tap, Wanted
from studio.ui.session import Session
from studio.ui.trainer import Phase, Training

_DEBOUNCE = 250  # milliseconds after the last change before the process is asked
_POLL = 40
_LOOKS = 8  # that advice is made of: one batch says little about all
_KEPT = 240  # epochs that are remembered; of more every second one is forgotten
_LINGER = 60_000  # milliseconds a process that nobody asks any more keeps its data


@dataclass(frozen=True)
class Wish:
    """What one view wants to see."""

    lens: bool = False
    taps: tuple[Tap, ...] = ()
    recurrent: CallPath | None = None


class Study(QObject):
    """What is looked at of a project, and what was seen: one for each project that is open.

    Views say what they want while somebody can see them, and take it back when not. While a
    training runs its own process looks, within its budget; while none does, another process
    computes it once for the weights and the rows as they are, and again when these change.

    Attributes:
        newest: what was seen last; None before anything was.
        past: what was seen at the end of each epoch of the last training, by its number.
        shares: how strongly each loss trained each layer in each epoch of it; see `Run.shares`.
        problems: why there is nothing to see, where the model or its data are in the way.
        report: of an error of ours instead.

    Signals:
        seen(): `current` is another.
        wanted_changed(): something else is looked at.
        state_changed(): whether it is `waiting`, or what is in the way, may be another.
    """

    seen = Signal()
    wanted_changed = Signal()
    state_changed = Signal()

    def __init__(self, session: Session, training: Training, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._training = session, training
        self._wishes: dict[str, Wish] = {}
        self._wanted = Wanted()
        self._epoch: int | None = None
        self.newest: Seen | None = None
        self.past: dict[int, Seen] = {}
        self.shares: Series = _shares(session.project)
        self._adding = Shares()
        self._looks: deque[LensSample] = deque(maxlen=_LOOKS)
        self._trained = session.document  # what the looks are at
        self._shares_epoch = 0
        self.problems: tuple[Problem, ...] = ()
        self.report = ""
        self._process: Aside | None = None
        self._stale = False  # what the process answers next is of what was: to be asked again
        self._soon = self._timer(self._ask, _DEBOUNCE, once=True)
        self._poll = self._timer(self._hear, _POLL)
        self._linger = self._timer(self._drop, _LINGER, once=True)
        training.phase_changed.connect(self._on_phase)
        training.saw.connect(self._take)
        session.changed.connect(self._on_change)
        session.weights_changed.connect(self._look_again)

    def _timer(self, act: Callable[[], None], interval: int, once: bool = False) -> QTimer:
        timer = QTimer(self, singleShot=once, interval=interval)
        timer.timeout.connect(act)
        return timer

    # -- what is wanted --------------------------------------------------------------------------

    @property
    def wanted(self) -> Wanted:
        """Everything that is looked at, by whatever view."""
        return self._wanted

    def want(
        self,
        *,
        lens: bool = False,
        taps: tuple[Tap, ...] = (),
        recurrent: CallPath | None = None,
        who: str = "canvas",
    ) -> None:
        """What the view called `who` wants to see from now on; nothing more by default."""
        self.wish(who, Wish(lens, taps, recurrent))

    def wish(self, who: str, wish: Wish) -> None:
        """The same, as a value."""
        if self._wishes.get(who, Wish()) != wish:
            self._wishes[who] = wish
            self._gather()

    @property
    def sample(self) -> int:
        """The one sample whose values are told, counted from 0 in `rows`."""
        return self._wanted.sample

    @sample.setter
    def sample(self, number: int) -> None:
        self._become(replace(self._wanted, sample=number))

    @property
    def rows(self) -> Literal["validation", "training"]:
        """The rows the values are of."""
        return self._wanted.rows

    @rows.setter
    def rows(self, which: Literal["validation", "training"]) -> None:
        self._become(replace(self._wanted, rows=which))

    @property
    def scales(self) -> Mapping[str, float] | None:
        """Loss weights that are tried out instead of the plan's."""
        return self._wanted.scales

    @scales.setter
    def scales(self, weights: Mapping[str, float] | None) -> None:
        self._become(replace(self._wanted, scales=weights))

    def _gather(self) -> None:
        wishes = self._wishes.values()
        taps = dict.fromkeys(tap for wish in wishes for tap in wish.taps)
        recurrent = next((w.recurrent for w in wishes if w.recurrent is not None), None)
        lens = any(wish.lens for wish in wishes)
        self._become(replace(self._wanted, lens=lens, taps=tuple(taps), recurrent=recurrent))

    def _become(self, wanted: Wanted) -> None:
        if wanted == self._wanted:
            return
        self._wanted = wanted
        self.wanted_changed.emit()
        self._look_again()

    # -- what was seen ---------------------------------------------------------------------------

    @property
    def current(self) -> Seen | None:
        """What views show: the newest, or that of the past epoch somebody looks back at."""
        return self.newest if self._epoch is None else self.past.get(self._epoch, self.newest)

    @property
    def looks(self) -> Sequence[LensSample]:
        """What was seen through the lens lately with the plan's own loss weights, newest first."""
        return tuple(self._looks)

    @property
    def epoch(self) -> int | None:
        """The past epoch somebody looks back at, counted from 0; None: the newest."""
        return self._epoch

    def look_back(self, epoch: int | None) -> None:
        """Show what was seen at the end of an epoch; the newest with None."""
        if epoch != self._epoch:
            self._epoch = epoch
            self.seen.emit()

    @property
    def live(self) -> bool:
        """Whether a training is under way: the project's own weights are those of before it."""
        return self._training.running

    @property
    def waiting(self) -> bool:
        """Whether something is looked at that has not been seen yet as things stand."""
        if self._training.running:
            return bool(self._wanted) and self.newest is None
        return self._soon.isActive() or (self._process is not None and self._process.busy)

    def _take(self, seen: Seen) -> None:
        self.newest = seen
        if self._training.running:
            self._add(seen)
        if seen.lens is not None and self._wanted.scales is None:
            self._remember(seen.lens)
        if seen.at == "epoch":
            self._keep(seen)
        self.problems, self.report = (), ""
        self.seen.emit()
        self.state_changed.emit()

    def _remember(self, sample: LensSample) -> None:
        if self._looks and self._looks[0].losses != sample.losses:
            self._looks.clear()
        if not self._training.running:
            self._looks.clear()  # nothing moves: the same batch gives the same
        self._looks.appendleft(sample)

    def _add(self, seen: Seen) -> None:
        """Let it count for the shares of its epoch; those before have ended."""
        if seen.epoch > self._shares_epoch:
            self.shares = self._adding.ended(self.shares, self._shares_epoch)
            self._shares_epoch = seen.epoch
        if seen.lens is not None and self._wanted.scales is None:
            self._adding.add(self._trained, seen.lens)

    def _keep(self, seen: Seen) -> None:
        self.past[seen.epoch] = seen
        if len(self.past) > _KEPT:
            last = max(self.past)
            self.past = {e: s for i, (e, s) in enumerate(self.past.items()) if i % 2 or e == last}

    # -- whom to ask -----------------------------------------------------------------------------

    def _on_phase(self) -> None:
        if self._training.phase is Phase.STARTING:
            self._epoch, self.past, self.newest = None, {}, None
            self.shares, self._adding, self._shares_epoch = {}, Shares(), 0
            self._trained = self._session.document
            self._looks.clear()
            self._training.look(self._wanted)
            self._drop()
            self.seen.emit()
        elif self._training.phase is Phase.IDLE:
            if self.past:
                self.shares = _shares(self._session.project) or self.shares
                self.seen.emit()
            self._look_again()  # it may have failed: then the weights are those of before it
        self.state_changed.emit()

    def _on_change(self, old: Document, new: Document) -> None:
        if old.graphs is not new.graphs or old.layers is not new.layers or old.plan is not new.plan:
            self._look_again()

    def _look_again(self) -> None:
        """Ask for what is wanted: of the training, or a moment later of a process."""
        if self._training.running:
            self._training.look(self._wanted)
        elif self._wanted:
            self._linger.stop()
            self._soon.start()
        else:
            self._soon.stop()
            self._linger.start()
        self.state_changed.emit()

    def _ask(self) -> None:
        if self._training.running or not self._wanted:
            return
        if self._process is not None and self._process.busy:
            self._stale = True
            return
        if errors := tuple(self._session.analysis.errors):
            self._refuse(errors)
            return
        if self._process is None or not self._process.alive:
            self._process = Aside()
        session = self._session
        self._stale = False
        base = session.path.parent if session.path else Path()
        project = bare(session.project, slots=self._wanted.lens)
        self._process.ask(partial(observe, project, base, self._wanted))
        self._poll.start()
        self.state_changed.emit()

    def _hear(self) -> None:
        if self._process is None:
            self._poll.stop()
            return
        for answer in self._process.poll():
            match answer:
                case Done(Seen() as seen):
                    self._take(seen)
                case Refused(problems, report):
                    killed = (Problem("look_killed"),) if not report else ()
                    self._refuse(problems or killed, report)
                case Ended():
                    self.state_changed.emit()
        if not self._process.busy:
            self._poll.stop()
            if self._stale:
                self._look_again()

    def _refuse(self, problems: tuple[Problem, ...], report: str = "") -> None:
        self.problems, self.report = problems, report
        self.state_changed.emit()

    def _drop(self) -> None:
        """End the process; it begins anew when something is wanted again."""
        self._soon.stop()
        self._poll.stop()
        if self._process is not None:
            self._process.kill()
            self._process = None

    def shutdown(self) -> None:
        """The project is closed."""
        self._wishes, self._wanted = {}, Wanted()
        self._linger.stop()
        self._drop()


def _shares(project: Project) -> Series:
    """Those of the newest run that has any."""
    return next((run.shares for run in reversed(project.runs) if run.shares), {})
