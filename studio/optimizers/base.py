"""What an optimizer is: a declaration that says, in operators, what one step makes of a weight."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from studio.declare import ANY, Declared, Unread, param
from studio.engine.builder import Builder, Value
from studio.optimizers.schedules.base import Schedule
from studio.problem import Problem


@dataclass(frozen=True)
class Optimizer(Declared):
    """Base of the optimizers. Slots have the weight's shape."""

    family: ClassVar[str] = "optimizers"
    by_number: ClassVar[bool] = True  # what a number becomes hangs on no other of its weight
    unread: ClassVar[Unread] = {
        "loss_scale_factor": (None,),
        "name": ANY,
    }
    learning_rate: float | Schedule = param(
        0.001, "Size of a step", min=0, family="optimizers.schedules"
    )
    weight_decay: float | None = param(
        None,
        "Share of each weight taken off in a step, times the rate",
        min=0,
        kw_only=True,
        rare=True,
    )
    clipnorm: float | None = param(
        None, "Shorten each weight's gradient to this length", min=0, kw_only=True, rare=True
    )
    clipvalue: float | None = param(
        None, "Bound every number of the gradients by this", min=0, kw_only=True, rare=True
    )
    global_clipnorm: float | None = param(
        None,
        "Shorten all gradients so that together they have this length",
        min=0,
        kw_only=True,
        rare=True,
    )
    use_ema: bool = param(
        False,
        "Keep a running mean of each weight, which it becomes in the end",
        kw_only=True,
        rare=True,
    )
    ema_momentum: float = param(
        0.99,
        "Share of the weights' running means kept at each step",
        min=0,
        max=1,
        kw_only=True,
        rare=True,
    )
    ema_overwrite_frequency: int | None = param(
        None,
        "After how many steps, again and again, weights become their means",
        min=1,
        kw_only=True,
        rare=True,
    )

    gradient_accumulation_steps: int | None = param(
        None,
        "Over how many batches gradients are averaged before weights change",
        min=2,
        kw_only=True,
        rare=True,
    )

    @classmethod
    def signature(cls) -> tuple[str, ...]:
        """Keras has the factor of losses before the last of the options."""
        names = [name for name in super().signature() if name != "loss_scale_factor"]
        names.insert(names.index("gradient_accumulation_steps"), "loss_scale_factor")
        return tuple(names)

    def problems(self) -> list[Problem]:
        found, names = super().problems(), ("clipnorm", "clipvalue", "global_clipnorm")
        given = [name for name in names if getattr(self, name) is not None]
        if len(given) > 1:
            about = {"kind": self.kind, "name": given[-1], "received": ", ".join(given)}
            found.append(Problem("clip_several", args=about))
        return found

    def rate(self, steps: int) -> float:
        """The learning rate once so many steps were taken."""
        rate = self.learning_rate
        return rate.at(steps) if isinstance(rate, Schedule) else rate

    def plain(self) -> bool:
        """Whether a step is what `lower` says and no more: see `studio.optimizers.common`."""
        clips = self.clipnorm or self.clipvalue or self.global_clipnorm
        whole = clips or self.use_ema or self.gradient_accumulation_steps
        return not (self.weight_decay or whole)

    def slots(self) -> tuple[str, ...]:
        """The arrays kept for each weight, by Keras's names, without those of `common`."""
        return ()

    def start(self, slot: str) -> float:
        """What every number of a slot is before the first step."""
        return 0.0

    def lower(
        self,
        op: Builder,
        weight: Value,
        gradient: Value,
        slots: Mapping[str, Value],
        rate: Value,
        step: Value,
    ) -> tuple[Value, dict[str, Value]]:
        """The new weight and the new slots.

        Args:
            op: the builder of the training step.
            weight: the weight before the step.
            gradient: of the total loss, the weight's shape.
            slots: the arrays `slots` names.
            rate: the learning rate, a scalar.
            step: the number of this step, from 1, a float scalar.
        """
        raise TypeError(f"{self.kind} does not say what a step does")

    def lazy(self) -> Mapping[str, float] | None:
        """What a step does to a table's row that has no gradient, where that can wait.

        By slot what it is multiplied by, the row itself staying as it is; None where more happens
        to it, so that every row must be looked at in every step.
        """
        return None

    def lower_rows(
        self,
        op: Builder,
        table: Value,
        arriving: Sequence[Value],
        slots: Mapping[str, Value],
        lag: Mapping[str, Value],
        rate: Value,
    ) -> tuple[Value, dict[str, Value]]:
        """As `lower`, for a table where only some rows have a gradient; only if it is `lazy`.

        Args:
            op: the builder of the training step.
            table: a matrix, before the step.
            arriving: indices of rows and the gradients that arrive there, in turns.
            slots: the arrays `slots` names.
            lag: if slots wait: ``clock``, the number of this update of the table, and
                ``touched``, after which one each row was written; the latter is renewed with
                the slots.
            rate: the learning rate, a scalar.
        """
        raise TypeError(f"{self.kind} does not say what a step does to a few rows")
