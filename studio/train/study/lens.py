"""How strongly each loss trains each part of a model: what a look through the lens gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from studio.document.model import LayerId, Path
from studio.train.study.wanted import Tap

SMALL = 1e-3  # root mean square of weights that, by what changes them, count as no smaller
Strengths = tuple[float, ...]  # one of each loss, in the order of `LensSample.losses`


@dataclass(frozen=True)
class LayerShare:
    """What the losses do to the weights of one layer, all of its calls together.

    Attributes:
        norms: the length of each weighted loss's gradient by all of its trained weights.
        cosines: between the gradients of each two losses: 1 the same way, -1 against each other;
            0 where one of them is nothing.
    """

    norms: Strengths
    cosines: tuple[Strengths, ...]


@dataclass(frozen=True)
class LensSample:
    """What each loss, times its weight, does in the step that this batch would make now.

    Losses are those of the outputs: what regularizers and activities cost is not among them, and
    clipping is left aside. 0.0 exactly where nothing arrives.

    Attributes:
        losses: the outputs' endpoint keys, in the model's order.
        values: each loss, without its weight.
        weights: the loss weights.
        rate: the learning rate of the step.
        strengths: of each call with trained weights: the length of the step that loss alone would
            make, by that of the weights. Of a table that is only looked up in, both are of the
            rows that the batch names. A call of a shared layer counts its own gradient alone;
            models and wrappers are their insides together.
        by_weight: likewise of each weight of a call.
        signals: of each value that is a float: the length of the gradient by it, times its own.
        layers: of each layer with trained weights.
        magnitudes: the root mean square of each value.
        resting: the trained weights that no loss reaches.
    """

    losses: tuple[str, ...]
    values: Strengths
    weights: Strengths
    rate: float
    strengths: Mapping[Path, Strengths] = field(default_factory=dict)
    by_weight: Mapping[tuple[Path, str], Strengths] = field(default_factory=dict)
    signals: Mapping[Tap, Strengths] = field(default_factory=dict)
    layers: Mapping[LayerId, LayerShare] = field(default_factory=dict)
    magnitudes: Mapping[Tap, float] = field(default_factory=dict)
    resting: tuple[tuple[Path, str], ...] = ()
