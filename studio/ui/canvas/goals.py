"""What the outputs of a model are trained for, as the words its nodes show."""

from dataclasses import dataclass

from studio.document.model import Document, Endpoint
from studio.document.plan import OutputPlan
from studio.text import text
from studio.train.ports import columns_of

PARTS = ("loss", "weight", "metrics", "target")


@dataclass(frozen=True)
class Goal:
    """What one output is trained for.

    Attributes:
        number: which output of how many it is, from 1; 0 where it is the only one.
        lacking: the parts that training waits for.
    """

    loss: str
    weight: str
    metrics: str
    target: str
    number: int = 0
    lacking: tuple[str, ...] = ()

    def part(self, name: str) -> str:
        """The words of one of `PARTS`."""
        return str(getattr(self, name))

    @property
    def short(self) -> str:
        """The loss and its weight in a few letters, for where there is no room for more."""
        return "" if "loss" in self.lacking else f"{initials(self.loss)} {self.weight}"

    @property
    def said(self) -> str:
        """The loss and its weight: ``BinaryCrossentropy × 0.2``."""
        return text("canvas.output_no_loss") if "loss" in self.lacking else self._loss_and_weight

    @property
    def _loss_and_weight(self) -> str:
        return f"{self.loss} {self.weight}"

    @property
    def flag(self) -> str:
        """What stands on the flag beside the port."""
        return f"{text('canvas.output_inner')} {self.number or ''}".rstrip()


def goal_of(document: Document, end: Endpoint) -> Goal:
    """What an output of the main graph is trained for."""
    plan = document.plan.outputs.get(end.key, OutputPlan())
    data, outputs = document.plan.data, document.graph.outputs
    binding = data.targets.get(end.key)
    columns = columns_of(binding) if binding is not None else ()
    watched = [m.kind for m in (*plan.metrics, *plan.weighted_metrics)]
    lacking = () if plan.loss else ("loss",)
    if plan.loss and data.source is not None and not columns:
        lacking = ("target",)
    return Goal(
        loss=plan.loss.kind if plan.loss else text("canvas.goal_choose"),
        weight=weight_text(plan.weight),
        metrics=", ".join(watched) or text("canvas.goal_none"),
        target=", ".join(columns) or text(_unbound(data.source is not None)),
        number=outputs.index(end) + 1 if len(outputs) > 1 else 0,
        lacking=lacking,
    )


def _unbound(data: bool) -> str:
    return "canvas.goal_choose" if data else "canvas.goal_no_data"


def weight_text(weight: float) -> str:
    """``× 0.2``."""
    return f"× {weight:g}"


def initials(kind: str) -> str:
    """``BCE`` for ``BinaryCrossentropy``, as people abbreviate losses; a single word stays."""
    capitals = "".join(c for c in kind.replace("Crossentropy", "CrossEntropy") if c.isupper())
    return capitals if len(capitals) > 1 else kind
