"""What somebody looks at while a model trains, or while it rests."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from studio.document.model import Endpoint, Path

__all__ = ["Path", "Tap", "Wanted"]


class Tap(NamedTuple):
    """What leaves a port of a call, whatever wires carry it."""

    path: Path
    port: str

    @classmethod
    def of(cls, end: Endpoint) -> "Tap":
        """That of a port of the main graph."""
        return cls((end.call,), end.port)


@dataclass(frozen=True)
class Wanted:
    """What somebody looks at; nothing of the rest is computed.

    Attributes:
        lens: how strongly each loss trains each part.
        taps: the values that are looked at.
        recurrent: the recurrent layer under the microscope.
        rows: those that samples are chosen from.
        sample: which one of them, counted from 0.
        scales: other loss weights than the plan's, by the outputs' endpoint keys: to see what
            they would change. The others stay.
    """

    lens: bool = False
    taps: tuple[Tap, ...] = ()
    recurrent: Path | None = None
    rows: Literal["validation", "training"] = "validation"
    sample: int = 0
    scales: Mapping[str, float] | None = None

    def __bool__(self) -> bool:
        """Whether anything is looked at."""
        return bool(self.lens or self.taps or self.recurrent)
