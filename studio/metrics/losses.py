"""What losses compute, watched: means of their values, whatever the training makes small."""

from dataclasses import dataclass
from typing import ClassVar

from studio.declare import Unread, declared, param
from studio.engine.program import Array, Spec
from studio.losses.base import Loss
from studio.metrics.base import Accumulator, Better, Compared, Metric, spread_weight
from studio.metrics.mean import Mean, Values, computed

_LOGITS = "Outputs are logits: before sigmoid or softmax"
_SMOOTHING = "Share of each target that is spread over all classes"


@dataclass(frozen=True)
class LossMean(Metric):
    """Base of the metrics that are a loss's mean; the loss has the same kind and parameters.

    Attributes:
        loss_kind: the loss's kind, where it is another.
    """

    better: ClassVar[Better] = "less"
    compares: ClassVar[Compared] = "alike"
    loss_kind: ClassVar[str] = ""

    def loss(self) -> Loss:
        """The loss whose values are averaged."""
        config = {key: value for key, value in self.config().items() if key != "name"}
        found = declared("losses", self.loss_kind or self.kind).from_config(config)
        assert isinstance(found, Loss)
        return found

    def start(self, target: Spec, output: Spec) -> Accumulator:
        return Mean(computed(self.loss().lower, target, output))


@dataclass(frozen=True)
class MeanSquaredError(LossMean):
    """Mean of (output − target)²."""


@dataclass(frozen=True)
class MeanAbsoluteError(LossMean):
    """Mean of |target − output|."""


@dataclass(frozen=True)
class MeanAbsolutePercentageError(LossMean):
    """100 × the mean of |target − output| / |target|."""


@dataclass(frozen=True)
class MeanSquaredLogarithmicError(LossMean):
    """Mean of (log(1 + output) − log(1 + target))²."""


@dataclass(frozen=True)
class LogCoshError(LossMean):
    """Mean of log cosh(output − target)."""

    usual_name = "logcosh"
    loss_kind = "LogCosh"


@dataclass(frozen=True)
class Hinge(LossMean):
    """Mean of max(1 − y·output, 0), for targets −1 and 1, or 0 and 1."""


@dataclass(frozen=True)
class SquaredHinge(LossMean):
    """Mean of max(1 − y·output, 0)², for targets −1 and 1, or 0 and 1."""


@dataclass(frozen=True)
class CategoricalHinge(LossMean):
    """Mean of max(1 + the best wrong class's output − the right one's, 0)."""


@dataclass(frozen=True)
class KLDivergence(LossMean):
    """Mean of Σ y·log(y / p): how far one distribution is from another."""


@dataclass(frozen=True)
class Poisson(LossMean):
    """Mean of p − y·log p."""


@dataclass(frozen=True)
class BinaryCrossentropy(LossMean):
    """Mean of −y·log p − (1 − y)·log(1 − p)."""

    order = ("name", "dtype", "from_logits", "label_smoothing")
    from_logits: bool = param(False, _LOGITS)
    label_smoothing: float = param(0.0, _SMOOTHING, min=0, max=1)


@dataclass(frozen=True)
class CategoricalCrossentropy(LossMean):
    """Mean of −Σ y·log p, for one-hot targets."""

    order = ("name", "dtype", "from_logits", "label_smoothing", "axis")
    from_logits: bool = param(False, _LOGITS)
    label_smoothing: float = param(0.0, _SMOOTHING, min=0, max=1)
    axis: int = param(-1, "The axis of the classes")


@dataclass(frozen=True)
class SparseCategoricalCrossentropy(LossMean):
    """Mean of −log p of the target's class, for class numbers."""

    order = ("name", "dtype", "from_logits", "ignore_class", "axis")
    unread: ClassVar[Unread] = {**LossMean.unread, "axis": (-1,)}
    compares = "classes"
    from_logits: bool = param(False, _LOGITS)
    ignore_class: int | None = param(None, "A class number whose places count as 0")

    def start(self, target: Spec, output: Spec) -> Accumulator:
        values = computed(self.loss().lower, target, output)
        return Mean(values) if self.ignore_class is None else _Labelled(values, self.ignore_class)


class _Labelled(Mean):
    """As Keras: what is ignored counts as 0, and where samples are weighted not at all."""

    def __init__(self, values: Values, ignored: int) -> None:
        super().__init__(values)
        self._ignored = ignored

    def update(self, target: Array, output: Array, weight: Array | None) -> None:
        if weight is not None:
            shape = output.shape[:-1]
            weight = spread_weight(weight, shape) * (target.reshape(shape) != self._ignored)
        super().update(target, output, weight)


@dataclass(frozen=True)
class CosineSimilarity(LossMean):
    """Mean cosine of the angle between output and target: 1 where they point the same way."""

    order = ("name", "dtype", "axis")
    better = "more"
    axis: int = param(-1, "The axis of the vectors")

    def start(self, target: Spec, output: Spec) -> Accumulator:
        negative = computed(self.loss().lower, target, output)
        return Mean(lambda y, p: -negative(y, p))
