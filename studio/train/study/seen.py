"""What was seen of what somebody looks at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from studio.train.study.wanted import Tap

if TYPE_CHECKING:  # what computes them is loaded by whoever looks, not by whoever is told of it
    from studio.train.study.lens import LensSample
    from studio.train.study.recurrent import RecurrentSample
    from studio.train.study.taps import TapSample


@dataclass(frozen=True)
class Seen:
    """One look.

    Attributes:
        epoch, batch: after which step of training; of a look that was asked for where nothing
            trains, how many epochs the newest run has had, and 0.
        at: within an epoch, at its end, or because it was asked for.
        lens, taps, recurrent: what was wanted of these; taps that there are no more are left out.
        seconds: how long it took.
    """

    epoch: int
    batch: int
    at: Literal["batch", "epoch", "asked"]
    lens: "LensSample | None" = None
    taps: Mapping[Tap, "TapSample"] = field(default_factory=dict)
    recurrent: "RecurrentSample | None" = None
    seconds: float = 0.0
