"""What is known of the numbers that leave a layer, whatever its weights."""

from dataclasses import dataclass
from math import inf


@dataclass(frozen=True)
class Range:
    """Numbers lie between `low` and `high`, both included.

    Attributes:
        shares: whether those along the last axis are none below 0 and sum to 1, as a softmax's
            do; None where that is not known.
        by: the layer that makes them so, by its id in the document; empty for a layer by itself.
    """

    low: float = -inf
    high: float = inf
    shares: bool | None = False
    by: str = ""

    def holds(self, *numbers: float) -> bool:
        """Whether all of these may occur."""
        return all(self.low <= number <= self.high for number in numbers)

    def __str__(self) -> str:
        ends = (f"{end:g}".replace("inf", "∞").replace("-", "−") for end in (self.low, self.high))
        return " … ".join(ends)


def joined(ranges: tuple[Range | None, ...]) -> Range | None:
    """The range of values picked from several; None where one of them is not known."""
    known = [r for r in ranges if r is not None]
    if len(known) < len(ranges) or not known:
        return None
    if len(set(known)) == 1:
        return known[0]
    shares = None if any(r.shares is not False for r in known) else False
    makers = {r.by for r in known}
    by = makers.pop() if len(makers) == 1 else ""
    return Range(min(r.low for r in known), max(r.high for r in known), shares, by)
