"""Steps of many small weights made together: the optimizer's operators stand once for all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np

from studio.document.model import Path
from studio.engine.builder import Builder, Value
from studio.optimizers.base import Optimizer
from studio.train.study.alone import Alone

MOST = 1 << 15  # numbers of a weight that is put beside others; copying larger ones costs more
_LINE = np.array([-1], np.int64)
_Place = tuple[Path, str]


@dataclass(frozen=True)
class _Use:
    weight: Value
    slots: Mapping[str, Value]
    gradients: Sequence[Value | None]

    @property
    def numbers(self) -> int:
        return prod(int(d) for d in self.weight.shape)


@dataclass
class Joined:
    """Uses of weights, each with what each loss alone sends there.

    Only for an optimizer whose numbers go each by its own gradient.
    """

    uses: dict[_Place, _Use] = field(default_factory=dict)

    @staticmethod
    def takes(optimizer: Optimizer, weight: Value) -> bool:
        """Whether this is a weight to be put beside others."""
        return optimizer.by_number and prod(int(d) for d in weight.shape) <= MOST

    def add(
        self,
        place: _Place,
        weight: Value,
        slots: Mapping[str, Value],
        gradients: Sequence[Value | None],
    ) -> None:
        """One more use."""
        self.uses[place] = _Use(weight, slots, gradients)

    def changes(
        self, op: Builder, optimizer: Optimizer, rate: Value, step: Value
    ) -> dict[_Place, list[Value | None]]:
        """By how much each loss alone would change each, as of `Alone.change`, in one line."""
        found: dict[_Place, list[Value | None]] = {place: [] for place in self.uses}
        for number in range(max((len(use.gradients) for use in self.uses.values()), default=0)):
            reached = {p: use for p, use in self.uses.items() if use.gradients[number]}
            parts = _changed(op, optimizer, list(reached.values()), number, rate, step)
            by_place = dict(zip(reached, parts, strict=True))
            for place, changes in found.items():
                changes.append(by_place.get(place))
        return found


def _changed(
    op: Builder, optimizer: Optimizer, uses: Sequence[_Use], number: int, rate: Value, step: Value
) -> Sequence[Value]:
    """What the loss of this number changes of these."""
    if not uses:
        return []
    gradients = [gradient for use in uses if (gradient := use.gradients[number])]
    slots = {slot: _beside(op, [use.slots[slot] for use in uses]) for slot in uses[0].slots}
    weights = _beside(op, [use.weight for use in uses])
    change = Alone(op, optimizer, weights, slots, rate, step).change(_beside(op, gradients))
    ends = np.cumsum([use.numbers for use in uses])
    starts = ends - [use.numbers for use in uses]
    return [
        op.Slice(change, np.array([start], np.int64), np.array([end], np.int64))
        for start, end in zip(starts, ends, strict=True)
    ]


def _beside(op: Builder, values: Sequence[Value]) -> Value:
    lines = [op.Reshape(value, _LINE) for value in values]
    joined: Value = op.Concat(*lines, axis=0) if len(lines) > 1 else lines[0]
    return joined
