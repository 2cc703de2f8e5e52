"""How strongly each loss trains each part of a model: what a look through the lens gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from statistics import fmean

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

    @classmethod
    def mean(cls, shares: Sequence["LayerShare"]) -> "LayerShare":
        """Of several looks: lengths by their root mean squares, cosines by the mean products."""
        losses, count = range(len(shares[0].norms)), len(shares)
        norms = tuple(sqrt(sum(s.norms[k] ** 2 for s in shares) / count) for k in losses)

        def cosine(i: int, j: int) -> float:
            products = sum(s.norms[i] * s.norms[j] * s.cosines[i][j] for s in shares) / count
            lengths = norms[i] * norms[j]
            return products / lengths if lengths else 0.0

        return cls(norms, tuple(tuple(cosine(i, j) for j in losses) for i in losses))


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

    @classmethod
    def mean(cls, looks: Sequence["LensSample"]) -> "LensSample":
        """Of several looks at one model with the same losses and loss weights."""
        first = looks[0]
        return cls(
            first.losses,
            _averages([look.values for look in looks]),
            first.weights,
            first.rate,
            {path: _averages([look.strengths[path] for look in looks]) for path in first.strengths},
            {
                place: _averages([look.by_weight[place] for look in looks])
                for place in first.by_weight
            },
            {tap: _averages([look.signals[tap] for look in looks]) for tap in first.signals},
            {
                layer: LayerShare.mean([look.layers[layer] for look in looks])
                for layer in first.layers
            },
            {tap: fmean(look.magnitudes[tap] for look in looks) for tap in first.magnitudes},
            first.resting,
        )


def _averages(numbers: Sequence[Strengths]) -> Strengths:
    """The mean for each loss."""
    return tuple(map(fmean, zip(*numbers, strict=True)))
