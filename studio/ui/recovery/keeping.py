"""Keeps what is done in a project while one works, for the case that it cannot be saved."""

import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import platformdirs
from PySide6.QtCore import QObject, Signal, SignalInstance

from studio.formats.journal.recorder import Recorder
from studio.problem import Problem
from studio.train import checkpoints
from studio.ui.session import Session
from studio.ui.trainer import Training

Done = Callable[[], object]


def root() -> Path:
    """The folder of all that is kept: this user's, for the state of programs."""
    return platformdirs.user_state_path("layerloom", appauthor=False) / "recovery"


class Keeping(QObject):
    """Has each act in a session written down, each save, and what training learnt.

    Args:
        root: the folder of all that is kept.
        session: whose acts; one that was recovered goes on with its own journal.

    Signals:
        told(problem): nothing can be kept now, a Problem; or (None) it can be again.

    Attributes:
        problem: why nothing can be kept; None while it is.
    """

    told = Signal(object)
    _said = Signal(object)  # both from the journal's thread
    _kept = Signal(object)

    def __init__(self, root: Path, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.problem: Problem | None = None
        self._session = session
        self._training: Training | None = None
        self._document = session.document
        self._trains = False  # as the journal has it
        self._said.connect(self._tell)
        self._kept.connect(self._be_done)
        say = self._from_thread(self._said)
        if session.found is not None:
            self._recorder = session.found.recorder(session.project, say)
            self._trains = bool(session.found.story and session.found.story.training)
        else:
            place = root / secrets.token_hex(8)
            self._recorder = Recorder(place, session.project, session.path, say)
        session.changed.connect(self._record)
        session.weights_changed.connect(self._learnt)
        session.path_changed.connect(self._saved)
        self._open = True

    def watch(self, training: Training) -> None:
        """Have it written down where the session's training is, and what it learnt."""
        self._training = training
        training.keep = self._keep
        training.phase_changed.connect(self._follow)

    def close(self, kept: bool = False) -> None:
        """Write no more. What was written is removed, or stays to be offered at the next start."""
        if self._open:
            self._recorder.close(discard=not kept)
            self._open = False  # now: it may just have written what a training learnt

    # -- what happens in the window --------------------------------------------------------------

    def _record(self) -> None:
        # The session's document, not the signal's: where hearing of one act causes another, the
        # signals arrive in the wrong order.
        old, new = self._document, self._session.document
        if self._open and new is not old:
            label, act = self._session.history.last
            self._document = new
            self._recorder.record(label, old, new, act)

    def _learnt(self) -> None:
        if self._open:
            self._recorder.trained(self._session.project)

    def _saved(self) -> None:
        if self._open and self._session.path is not None:
            self._recorder.saved(self._session.path)

    # -- trainings -------------------------------------------------------------------------------

    def _follow(self) -> None:
        """A training began or ended. Its checkpoints are of use as long as there are any."""
        assert self._training is not None
        place = self._training.place
        trains = self._training.running or (self._trains and checkpoints.exists(place))
        if self._open and trains != self._trains:
            self._trains = trains
            self._recorder.training(place if trains else None)

    def _keep(self, done: Done) -> None:
        """Call back once what training learnt is on the disk."""
        if self._open:
            kept = self._from_thread(self._kept)
            self._recorder.trained(self._session.project, lambda: kept(done))

    def _be_done(self, done: Done) -> None:
        done()
        self._follow()

    # -- the journal's thread --------------------------------------------------------------------

    def _from_thread(self, signal: SignalInstance) -> Callable[[object], None]:
        """Emits a signal of this, unless this is gone: the program may be ending."""

        def emit(what: object) -> None:
            with suppress(RuntimeError):
                signal.emit(what)

        return emit

    def _tell(self, problem: Problem | None) -> None:
        self.problem = problem
        self.told.emit(problem)
