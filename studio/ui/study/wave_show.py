"""Plays a wave over a canvas: by itself, or front by front, as fast as one likes."""

from PySide6.QtCore import QEvent, QObject, QTimer, Signal

from studio.text import text
from studio.train.written import brief
from studio.ui.canvas.board import Board
from studio.ui.canvas.loss_inks import ink
from studio.ui.settings import Settings
from studio.ui.study.wave import Phase, Place, Wave, places
from studio.ui.study.wave_bar import WaveBar
from studio.ui.study.wave_item import WaveItem
from studio.ui.theme import tokens

_TICK = 33  # milliseconds between two pictures
_FRONT = 450.0  # milliseconds from one front to the next, at the usual speed
_REST = 2  # how many times as long the last front of a phase stays
_DRESSING = (QEvent.Type.LanguageChange, QEvent.Type.PaletteChange)
_EDGE = 14  # pixels between the bar and the edge of the canvas


class WaveShow(QObject):
    """The wave of one canvas; nothing is seen until there is one.

    Signals:
        closed(): somebody closed it.
    """

    closed = Signal()

    def __init__(self, canvas: Board) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._settings = Settings()
        self._wave: Wave = ()
        self._places: list[Place] = []
        self._at = 0  # which of the places
        self._since = 0.0  # milliseconds it has been on its way there
        self._bar: WaveBar | None = None
        self._item: WaveItem | None = None
        self._timer = QTimer(self, interval=_TICK)
        self._timer.timeout.connect(self._tick)
        canvas.installEventFilter(self)

    @property
    def bar(self) -> WaveBar:
        """Where it is, in words; made when it is first wanted."""
        if self._bar is None:
            # Not a child of the viewport, whose widgets scroll with the scene.
            bar = self._bar = WaveBar(self._canvas)
            bar.stepped.connect(self.step)
            bar.jumped.connect(self.jump)
            bar.toggled.connect(self.toggle)
            bar.sped.connect(self._speed_up)
            bar.closed.connect(self._close)
        return self._bar

    @property
    def running(self) -> bool:
        """Whether there is a wave to be seen, moving or not."""
        return bool(self._places)

    @property
    def wave(self) -> Wave:
        """What is shown; nothing where none is."""
        return self._wave

    @property
    def plays(self) -> bool:
        """Whether it goes on by itself."""
        return self._timer.isActive()

    @property
    def at(self) -> Place | None:
        """Where it is."""
        return self._places[self._at] if self._places else None

    def show_wave(self, wave: Wave) -> None:
        """Play a wave from its beginning; it is of the graph the canvas shows."""
        self._wave, self._places = wave, places(wave)
        if not self._places:
            self.end()
            return
        if self._item is None:
            self._item = WaveItem(self._canvas.canvas)
            self._canvas.canvas.add_overlay(self._item)
        self.bar.show_speed(self._settings.wave_speed)
        self._go(0)
        self._play(True)

    def replace(self, wave: Wave) -> None:
        """The canvas shows another graph: its wave, at the same phase, waiting at its end."""
        phase = self._places[self._at].phase if self._places else 0
        self._wave, self._places = wave, places(wave)
        if not self._places:
            self.end()
            return
        phase = min(phase, len(wave) - 1)
        self._play(False)
        self._go(max(i for i, place in enumerate(self._places) if place.phase == phase))

    def end(self) -> None:
        """Show no wave any more."""
        self._timer.stop()
        self._wave, self._places = (), []
        if self._bar is not None:
            self._bar.hide()
        if self._item is not None:
            self._canvas.canvas.remove_overlay(self._item)
            self._item = None
            self._canvas.refresh_far()

    # -- ways through it -------------------------------------------------------------------------

    def step(self, by: int) -> None:
        """One front on or back, brought in sight, and wait there."""
        self._play(False)
        if self._places:
            self._go(min(max(self._at + by, 0), len(self._places) - 1))
            self._show_front()

    def jump(self, by: int) -> None:
        """To the beginning of the next phase, or of the one before; and go on as it did."""
        if not self._places:
            return
        phase = min(max(self._places[self._at].phase + by, 0), len(self._wave) - 1)
        self._go(self._places.index(Place(phase, 0)), moving=self.plays)
        self._show_front()

    def _show_front(self) -> None:
        place = self._places[self._at]
        fronts = self._wave[place.phase].fronts
        if fronts:
            self._canvas.show_rect(self._canvas.canvas.extent(fronts[place.front]))

    def toggle(self) -> None:
        """Go on by itself, from the beginning where it is at its end; or wait."""
        if self.plays:
            self._play(False)
            self._travel(1.0)
            return
        self._go(0 if self._at == len(self._places) - 1 else self._at)
        self._play(True)

    def _close(self) -> None:
        self.end()
        self.closed.emit()

    def _speed_up(self, factor: float) -> None:
        self._settings.wave_speed = factor

    def _play(self, yes: bool) -> None:
        if yes:
            self._timer.start()
        else:
            self._timer.stop()
        self.bar.show_playing(yes)

    def _tick(self) -> None:
        last = self._at == len(self._places) - 1
        turns = not last and self._places[self._at + 1].phase != self._places[self._at].phase
        self._since += _TICK * self._settings.wave_speed
        share = self._since / _FRONT
        self._travel(min(1.0, 2 * share))  # half the time the dots travel, half they have arrived
        if share < (_REST if turns else 1):
            return
        if last:
            self._play(False)
        else:
            self._go(self._at + 1, moving=True)

    def _go(self, at: int, moving: bool = False) -> None:
        self._at, self._since = at, 0.0
        place = self._places[at]
        phase = self._wave[place.phase]
        mark = None if phase.loss is None else ink(phase.loss)
        colour = tokens().text2 if mark is None else mark.colour.name()
        assert self._item is not None, "there is a wave"
        self._item.show_front(self._canvas.session.seen.graph, phase, place.front, colour)
        self._travel(0.0 if moving else 1.0)
        words = self._phase_words(phase), self._where_words(phase, place.front)
        way = "forward" if mark is None else "back"
        number, tip = (text(f"breakpoints.wave_{way}_{length}") for length in ("number", "tip"))
        self.bar.show_at(*words, number, tip, colour, mark.letter if mark else "")
        self._place_bar()

    def _travel(self, share: float) -> None:
        if self._item is not None and self._item.travelled != share:
            self._item.travel(share)
            self._canvas.refresh_far()

    # -- words -----------------------------------------------------------------------------------

    def _phase_words(self, phase: Phase) -> str:
        if phase.loss is None:
            return text("breakpoints.wave_forward")
        value = "–" if phase.value is None else brief(phase.value)
        return text("breakpoints.wave_backward", name=phase.name, value=value)

    def _where_words(self, phase: Phase, front: int) -> str:
        if not phase.fronts:
            return text("breakpoints.wave_nothing")
        calls, seen = phase.fronts[front], self._canvas.session.seen
        names = [seen.entry(call).name for call in calls[:2]]
        more = len(calls) - len(names)
        listed = ", ".join(names) + (text("breakpoints.wave_more", count=more) if more else "")
        return text(
            "breakpoints.wave_front", number=front + 1, count=len(phase.fronts), names=listed
        )

    # -- where the bar is ------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if self._places and event.type() == QEvent.Type.Resize:
            self._place_bar()
        elif self._places and event.type() in _DRESSING:
            self._go(self._at)
        return super().eventFilter(watched, event)

    def _place_bar(self) -> None:
        room = self._canvas.size()
        size = self.bar.fit(room.width() - 2 * _EDGE)
        left, top = (room.width() - size.width()) // 2, room.height() - size.height() - _EDGE
        self.bar.setGeometry(left, top, size.width(), size.height())
