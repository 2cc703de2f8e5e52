"""The waves of a project: one after each step of training that was asked for, or on request."""

from collections.abc import Iterable, Mapping

from PySide6.QtCore import QObject

from studio.document.model import Document
from studio.document.names import output_names
from studio.text import text
from studio.train.study.lens import LensSample
from studio.train.study.wanted import Tap
from studio.ui.canvas.board import Board
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.study.watching import Study
from studio.ui.study.wave import Wave, backward, forward
from studio.ui.study.wave_show import WaveShow
from studio.ui.trainer import Phase, Training

_WHO = "wave"  # among those who want something of the study


class Waves(QObject):
    """Shows what a look through the lens told of a step as a wave over the canvas.

    Attributes:
        show: what plays it.
    """

    def __init__(self, session: Session, canvas: Board, training: Training, study: Study) -> None:
        super().__init__(canvas)
        self._session, self._training, self._study = session, training, study
        self._canvas = canvas
        self._settings = Settings()
        self._due = False  # the next look is to be shown
        self._at_once = False  # though training goes on
        self._sample: LensSample | None = None
        self.show = WaveShow(canvas)
        self.show.closed.connect(self._rest)
        training.phase_changed.connect(self._on_phase)
        study.seen.connect(self._on_seen)
        study.state_changed.connect(self._on_state)
        session.entered.connect(self._on_entered)
        session.changed.connect(self._on_change)

    def expect(self) -> None:
        """A step was asked for: show it, once it is done, where waves are wanted."""
        if self._settings.waves:
            self._due, self._at_once = True, False
            self._study.want(lens=True, who=_WHO)

    def play(self) -> None:
        """Show the newest step as a wave, as soon as it can be; again where it is shown already."""
        self._due = self._at_once = True
        self._study.want(lens=True, who=_WHO)
        if self._study.waiting:
            self._canvas.told.emit(text("breakpoints.wave_soon"))
        else:
            self._on_seen()

    def _on_seen(self) -> None:
        seen = self._study.newest
        may = self._at_once or self._training.phase is Phase.PAUSED
        if self._due and may and seen is not None and seen.lens is not None:
            self._due, self._sample = False, seen.lens
            self.show.show_wave(self._wave(seen.lens))

    def _on_state(self) -> None:
        """Say so where there is nothing to show."""
        problems = self._study.problems
        if self._due and problems and not self._study.waiting:
            self._due = False
            self._rest()
            self._canvas.told.emit(str(problems[0]))

    def _wave(self, sample: LensSample) -> Wave:
        return wave_of(sample, self._session)

    def _on_phase(self) -> None:
        phase = self._training.phase
        if phase is Phase.PAUSED:
            return
        self.show.end()
        if phase in (Phase.TRAINING, Phase.IDLE):
            self._due = False
            self._rest()

    def _rest(self) -> None:
        """Nobody looks at it any more."""
        self._sample = None
        self.show.end()
        self._study.want(who=_WHO)

    def _on_entered(self) -> None:
        if self.show.running and self._sample is not None:
            self.show.replace(self._wave(self._sample))

    def _on_change(self, old: Document, new: Document) -> None:
        if self.show.running and (old.graphs is not new.graphs or old.layers is not new.layers):
            self._rest()


def wave_of(sample: LensSample, session: Session) -> Wave:
    """A step as a wave through the graph one looks into."""
    graph, way = session.seen.graph, session.way
    names = {endpoint.key: name for endpoint, name in output_names(session.document).items()}

    def largest(values: Iterable[tuple[Tap, float]]) -> Mapping[str, float]:
        """By call the largest of what leaves its ports."""
        found: dict[str, float] = {}
        for tap, value in values:
            call = tap.path[-1]
            if tap.path[:-1] == way and call in graph.calls:
                found[call] = max(value, found.get(call, value))
        return found

    phases = [forward(graph, largest(sample.magnitudes.items()))]
    for k, (key, value) in enumerate(zip(sample.losses, sample.values, strict=True)):
        strengths = largest((tap, signal[k]) for tap, signal in sample.signals.items())
        phases.append(backward(graph, k, names.get(key, key), value, strengths))
    return tuple(phases)
