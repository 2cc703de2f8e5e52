"""The end of a session that nobody in the window asked for: the system shuts down, or says TERM."""

import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from PySide6.QtCore import QObject, QSocketNotifier, QTimer
from PySide6.QtGui import QGuiApplication, QSessionManager

_ENDING = 30_000  # milliseconds in which a session that is being ended does end, or was not
_SIGNALS = ("SIGTERM", "SIGHUP", "SIGBREAK")  # as far as the system has them


class Leaving(QObject):
    """Hears of such an end; then nothing is asked, and what is unsaved stays kept.

    Q: Why not ask what becomes of changes, as a window that is closed does?
    A: Whoever shuts the system down may be gone, or gives a program some seconds. What is kept is
       offered at the next start.

    Args:
        leave: end the program, asking nothing.

    Attributes:
        ending: whether the system is about to end the session, and windows close for that.
    """

    def __init__(self, leave: Callable[[], object]) -> None:
        super().__init__()
        self.ending = False
        self._leave = leave
        self._stayed = QTimer(self, singleShot=True, interval=_ENDING)
        self._stayed.timeout.connect(self._stay)
        app = QGuiApplication.instance()
        assert isinstance(app, QGuiApplication)
        app.commitDataRequest.connect(self._end_session)
        self._listen()

    def close(self) -> None:
        """Hear nothing any more; signals do again what they did before."""
        app = QGuiApplication.instance()
        if isinstance(app, QGuiApplication):
            app.commitDataRequest.disconnect(self._end_session)
        for number, former in self._former.items():
            signal.signal(number, former)
        signal.set_wakeup_fd(self._former_wakeup)
        self._notifier.setEnabled(False)
        for end in self._ends:
            end.close()

    # -- signals ---------------------------------------------------------------------------------

    def _listen(self) -> None:
        """Python hears a signal only when Qt next calls it; the socket makes Qt do so at once."""
        self._ends = socket.socketpair()
        for end in self._ends:
            end.setblocking(False)
        self._notifier = QSocketNotifier(self._ends[0].fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._woken)
        self._former_wakeup = signal.set_wakeup_fd(
            self._ends[1].fileno(), warn_on_full_buffer=False
        )
        names = (name for name in _SIGNALS if hasattr(signal, name))
        numbers = (getattr(signal, name) for name in names)
        self._former = {number: signal.signal(number, self._signalled) for number in numbers}

    def _woken(self) -> None:
        with suppress(BlockingIOError):
            self._ends[0].recv(4096)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        # In a turn of its own: this may be amid anything.
        QTimer.singleShot(0, self, self._leave)

    # -- the system's session --------------------------------------------------------------------

    def _end_session(self, manager: QSessionManager) -> None:
        """Windows are closed next, if nobody else stops it."""
        self.ending = True
        self._stayed.start()

    def _stay(self) -> None:
        self.ending = False
