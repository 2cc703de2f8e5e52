"""The guided tour in the window: a bar that says what to do, and a frame around where."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QModelIndex, QObject, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from studio.document.layout import arrange
from studio.document.model import Endpoint
from studio.text import text
from studio.tour import STEPS, Spot, position
from studio.ui.session import Session
from studio.ui.theme import mix, tokens
from studio.ui.tour_looks import LOOKS, Look, at_port, own_loss

if TYPE_CHECKING:  # the window holds the tour
    from studio.ui.window import MainWindow

_FOLLOW = 120  # milliseconds between looks at where a place is now
_IDS = [step.id for step in STEPS] + [look.id for look in LOOKS]


class TourBar(QFrame):
    """What to do now, how far one is, and ways on, back and out."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("tour")
        self.count, self.title, self.how = QLabel(), QLabel(), QLabel()
        for label in (self.title, self.how):
            label.setWordWrap(True)  # else the bar of a long step is wider than the canvas
        self.progress = QProgressBar()
        self.progress.setRange(0, len(_IDS))
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(6)
        self.back, self.on, self.end = QPushButton(), QPushButton(), QPushButton()
        words = QVBoxLayout()
        words.setSpacing(2)
        top = QHBoxLayout()
        top.setSpacing(12)
        top.addWidget(self.count)
        top.addWidget(self.title, 1)
        words.addLayout(top)
        words.addWidget(self.how)
        row = QHBoxLayout()
        row.addLayout(words, 1)
        for button in (self.back, self.on, self.end):
            row.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 8, 14, 8)
        layout.addLayout(row)
        layout.addWidget(self.progress)
        self.dress()
        self.hide()

    def dress(self) -> None:
        """In the colours of the theme."""
        t = tokens()
        ground = mix(t.accent, t.raised, 0.12)
        sheet = f"#tour {{ background: {ground}; border-bottom: 1px solid {t.accent}; }}"
        if sheet != self.styleSheet():  # setting it causes another PaletteChange
            self.setStyleSheet(sheet)
        self.count.setStyleSheet(f"color: {t.text2};")
        font = self.font()
        font.setBold(True)
        self.title.setFont(font)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "end"):
            self.dress()


class Halo(QWidget):
    """A frame around a place of the window; the mouse goes through it."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def surround(self, rect: QRect | None) -> None:
        """Lie around this rectangle of the window; nowhere for None."""
        if rect is None:
            self.hide()
            return
        self.setGeometry(rect.adjusted(-6, -6, 6, 6))
        self.show()
        self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        colour = QColor(tokens().accent)
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for width, alpha in ((6.0, 70), (2.5, 255)):
                colour.setAlpha(alpha)
                painter.setPen(QPen(colour, width))
                painter.drawRoundedRect(QRectF(self.rect()).adjusted(3, 3, -3, -3), 7, 7)


class Tour(QObject):
    """Leads one session of a window through the steps.

    Attributes:
        bar: shown while the tour goes on.
        halo: around what the step is about.
    """

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self._window = window
        self._session: Session | None = None
        self._looked_back = 0  # steps
        self._pointed: Spot | None = None
        self._looked: set[str] = set()  # the ids of looks that were done
        self._shown: object = None
        self.bar, self.halo = TourBar(), Halo(window)
        self.bar.back.clicked.connect(self._back)
        self.bar.on.clicked.connect(self._on)
        self.bar.end.clicked.connect(self.end)
        self._timer = QTimer(self, interval=_FOLLOW)
        self._timer.timeout.connect(self._follow)

    @property
    def running(self) -> bool:
        return self._session is not None

    @property
    def at(self) -> int:
        """The step shown; the number of steps, looks included, at the end."""
        return max(0, self._reached - self._looked_back)

    @property
    def _reached(self) -> int:
        """The first step that is not done.

        While the model trains there is already much to see; and who has seen it and stops before
        an epoch has ended is not sent back.
        """
        assert self._session is not None
        at = position(self._session.project)
        looks = self._busy or bool(self._looked)
        if at < len(STEPS) and not (looks and STEPS[at].act is None):
            return at
        undone = (i for i, look in enumerate(LOOKS) if look.id not in self._looked)
        return len(STEPS) + next(undone, len(LOOKS))

    def _take_note(self) -> None:
        """Of a look that is done: it stays so."""
        at = self._reached - len(STEPS)
        if 0 <= at < len(LOOKS) and LOOKS[at].done(self._window):
            self._looked.add(LOOKS[at].id)
            self._looked_back = 0

    def begin(self, session: Session) -> None:
        """Lead this session from wherever it is."""
        self.end()
        self._session = session
        self._shown = None
        session.changed.connect(self._on_change)
        session.weights_changed.connect(self._on_change)
        self._looked_back, self._pointed, self._looked = 0, None, set()
        self.bar.show()
        self._timer.start()
        self.refresh()

    def end(self) -> None:
        """Leave the person alone."""
        if self._session is not None:
            self._session.changed.disconnect(self._on_change)
            self._session.weights_changed.disconnect(self._on_change)
        self._session = None
        self._timer.stop()
        self.bar.hide()
        self.halo.surround(None)

    def show_session(self, session: Session) -> None:
        """Another session is in the window: the tour was about the one before."""
        if self.running and session is not self._session:
            self.end()

    # -- what is shown ---------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the step, in the language in use."""
        if self._session is None:
            return
        at, bar = self.at, self.bar
        over = at == len(_IDS)
        name = "done" if over else _IDS[at]
        done = self._looked_back > 0
        bar.count.setText("" if over else text("tour.step", number=at + 1, count=len(_IDS)))
        bar.count.setVisible(not over)
        bar.title.setText(("✓ " if done or over else "") + text(f"tour.{name}"))
        look = LOOKS[at - len(STEPS)] if len(STEPS) <= at < len(_IDS) else None
        bar.how.setText(look.how(self._window) if look else text(f"tour.{name}_how"))
        bar.progress.setValue(at)
        bar.progress.setAccessibleName(text("tour.name"))
        bar.back.setText(text("tour.back"))
        bar.back.setEnabled(at > 0)
        bar.on.setText(text("tour.next" if done else "tour.do"))
        bar.on.setVisible(not over)
        bar.on.setEnabled(done or self._can_do)
        bar.end.setText(text("tour.finish" if over else "tour.end"))
        self._follow()

    @property
    def _busy(self) -> bool:
        return self._window.training.running

    @property
    def _can_do(self) -> bool:
        """Whether the step can be done for who would rather watch; looks can at any time."""
        return self.at >= len(STEPS) or not self._busy

    def _on_change(self, *_: object) -> None:
        self._looked_back = 0
        self.refresh()

    # -- ways on and back ------------------------------------------------------------------------

    def _back(self) -> None:
        """Look at the step before; what was done stays."""
        self._looked_back += 1
        self.refresh()

    def _on(self) -> None:
        """The next step after looking back, else: do this one."""
        if self._looked_back:
            self._looked_back -= 1
            self.refresh()
            return
        assert self._session is not None
        if self.at >= len(STEPS):
            LOOKS[self.at - len(STEPS)].act(self._window)
            self.refresh()
            return
        step = STEPS[self.at]
        if step.act is None:
            self._window.train()
            self.refresh()
            return
        session = self._session
        document = arrange(step.act(session.document))
        before = set(session.document.graph.calls)
        session.look(())
        session.commit(text("tour.undo", step=text(f"tour.{step.id}")), document)
        made = [c for c in document.graph.calls if c not in before]
        if made:
            session.select(made[-1:])
        self._window.canvas.fit()

    # -- where to look ---------------------------------------------------------------------------

    def _follow(self) -> None:
        """Frame the place the step is about, wherever it is now."""
        if self._session is None:
            return
        self._take_note()
        if self._shown != (shown := (self.at, self._busy, own_loss(self._window) is None)):
            self._shown = shown
            self.refresh()
            return
        if self.at == len(_IDS) or self._looked_back:
            self.halo.surround(None)
            return
        self.bar.on.setEnabled(self._can_do)
        if self.at >= len(STEPS):
            self.halo.surround(self._look_place(LOOKS[self.at - len(STEPS)]))
            return
        spot = STEPS[self.at].spot(self._session.document)
        if spot != self._pointed:
            self._pointed = spot
            self._bring(spot)
        self.halo.surround(None if self._busy else self._place(spot))

    def _look_place(self, look: Look) -> QRect | None:
        area = look.area(self._window)
        return None if area is None else self._within(*area)

    def _bring(self, spot: Spot) -> None:
        """See to it that a place can be seen; a dock is raised, nothing is selected."""
        window = self._window
        if spot.place == "palette":
            window.docks["palette"].show()
            window.palette_.search.clear()
            index = self._entry(spot.name)
            window.palette_.list.scrollTo(index, window.palette_.list.ScrollHint.PositionAtCenter)
        elif spot.place == "data":
            window.raise_dock("data")
        else:
            field = self._field(spot)
            if field is not None:
                window.inspector.ensureWidgetVisible(field)

    def _entry(self, kind: str) -> QModelIndex:
        model = self._window.palette_.model
        rows = (model.index(row, 0) for row in range(model.rowCount()))
        return next((index for index in rows if index.data() == kind), QModelIndex())

    def _place(self, spot: Spot) -> QRect | None:
        """The rectangle of a place, in the window."""
        window = self._window
        if spot.place == "palette":
            index = self._entry(spot.name)
            view = window.palette_.list
            return self._within(view.viewport(), view.visualRect(index))
        if spot.place == "data":
            return self._whole(window.data.source)
        if spot.place == "train":
            return self._whole(window.toolbar.widgetForAction(window.actions_.qt["train"]))
        field = self._field(spot)
        return self._whole(field) if field is not None else self._on_canvas(spot)

    def _field(self, spot: Spot) -> QWidget | None:
        """The field of the inspector, where it shows the node of the spot."""
        page, session = self._window.inspector.page, self._session
        if session is None or session.selection != {spot.call} or spot.place == "output":
            return None
        if spot.place == "parameter":
            return page.form.editor(spot.name) if getattr(page, "form", None) else None
        end = Endpoint(spot.call, "output")
        if spot.place == "mark":
            return getattr(page, "marks", {}).get(end)
        plan = getattr(page, "plans", {}).get(end)
        return plan.settings.editor(spot.place) if plan is not None else None

    def _on_canvas(self, spot: Spot) -> QRect | None:
        """The node, or its port."""
        view = self._window.canvas
        item = view.canvas.items_by_call.get(spot.call)
        if item is None:
            return None
        if spot.place == "output":
            area = at_port(self._window, Endpoint(spot.call, spot.name))
            return None if area is None else self._within(*area)
        return self._within(view.viewport(), view.mapFromScene(item.scene_rect()).boundingRect())

    def _whole(self, widget: QWidget | None) -> QRect | None:
        return None if widget is None else self._within(widget, widget.rect())

    def _within(self, widget: QWidget, rect: QRect) -> QRect | None:
        """A rectangle of a widget in the window; None where nothing of it can be seen."""
        seen = rect & widget.visibleRegion().boundingRect()
        if not widget.isVisible() or seen.isEmpty():
            return None
        return QRect(widget.mapTo(self._window, seen.topLeft()), seen.size())
