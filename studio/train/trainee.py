"""The process that trains: it does a job, hears words, and says what happens."""

import threading
import time
import traceback
from collections import deque
from multiprocessing.connection import Connection

from studio.engine.memory import held
from studio.engine.threads import available
from studio.train.beside import problems_of, settle
from studio.train.control import Orders
from studio.train.events import (
    BatchDone,
    BatchStarted,
    EpochDone,
    Event,
    Failed,
    Hit,
    Paused,
    Speed,
    Started,
)
from studio.train.job import Job, train
from studio.train.pipe import receive, send

_INTERVAL = 0.05  # seconds between two BatchDone that are sent
_PULSE = 1.0  # seconds between two words about the speed
_SEEN = 3  # pulses over which the speed is measured


def main(connection: Connection) -> None:
    """What the process does."""
    settle()
    try:
        job: Job = receive(connection)
    except (EOFError, OSError):
        return  # the window went away meanwhile
    orders = Orders()
    mouth = _Mouth(connection, orders)
    for work in (_hear, mouth.pulse):
        given = (connection, orders) if work is _hear else ()
        threading.Thread(target=work, args=given, daemon=True).start()
    try:
        for event in train(job, orders, say=mouth.say, threads=_spare(), attended=True):
            mouth.say(event)
    except Exception as error:
        mouth.say(failure(error))


def failure(error: Exception) -> Failed:
    """What broke training off, in a sentence; an error of our own with a report."""
    if problems := problems_of(error, memory="trainer_memory"):
        return Failed(problems)
    return Failed(report="".join(traceback.format_exception(error)))


def _spare() -> int:
    """All cores but one, which the window keeps."""
    return max(1, available() - 1)


def _hear(connection: Connection, orders: Orders) -> None:
    """Take words in until nobody is there any more to say them."""
    while True:
        try:
            orders.say(receive(connection))
        except (EOFError, OSError):
            orders.abandon()
            return


class _Mouth:
    """Sends events: from the thread that trains, from the one that keeps, and, every second, the
    speed.
    """

    def __init__(self, connection: Connection, orders: Orders) -> None:
        self._connection, self._orders = connection, orders
        self._lock = threading.Lock()
        self._last = 0.0
        self._unsaid: BatchDone | None = None
        self._batches = 0
        self._rows = 0.0  # of a batch, on the average

    def say(self, event: Event) -> None:
        """Send it; of batches so many as a window can show."""
        if isinstance(event, BatchStarted):
            return
        if isinstance(event, BatchDone):
            self._batches += 1
            now = time.monotonic()
            if now - self._last < _INTERVAL:
                self._unsaid = event
                return
            self._last, self._unsaid = now, None
        elif isinstance(event, Started):
            self._rows = event.samples / max(1, event.batches)
        elif isinstance(event, Paused | Hit) and self._unsaid is not None:
            self._send(self._unsaid)  # it is looked at now
            self._unsaid = None
        elif isinstance(event, EpochDone):
            self._unsaid = None
        self._send(event)

    def pulse(self) -> None:
        """Say the speed, every second, whatever else goes on: so one hears that it is alive."""
        seen = deque([(time.monotonic(), 0)], maxlen=_SEEN + 1)
        while not self._orders.abandoned:
            time.sleep(_PULSE)
            seen.append((time.monotonic(), self._batches))
            (t0, n0), (t1, n1) = seen[0], seen[-1]
            speed = (n1 - n0) / (t1 - t0)
            self._send(Speed(speed, speed * self._rows, held()))

    def _send(self, event: Event) -> None:
        if self._orders.abandoned:
            return
        try:
            with self._lock:
                send(self._connection, event)
        except (BrokenPipeError, ConnectionResetError):
            self._orders.abandon()
