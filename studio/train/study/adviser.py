"""What loss weights would let each loss pull as hard as the others where they train together."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, hypot, isfinite, log10

from studio.document.model import LayerId
from studio.train.study.lens import LayerShare, LensSample, Strengths

BOUND = 10.0  # no weight is proposed to become more than so many times, or so much less
ACROSS = 0.05  # of a cosine: nearer to nothing, the losses go their own ways
_WORTH = 1.1  # how many times another a weight must be to be worth a change
_DIGITS = 2


@dataclass(frozen=True)
class Pull:
    """What two losses do to one layer that both train.

    Attributes:
        first, second: the outputs' endpoint keys.
        ratio: how many times the length of the second's weighted gradient the first's is.
        cosine: between them: 1 the same way, -1 against each other.
    """

    layer: LayerId
    first: str
    second: str
    ratio: float
    cosine: float

    @property
    def conflict(self) -> bool:
        """Whether a step for one of them harms the other. No weights help against that."""
        return self.cosine < -ACROSS


@dataclass(frozen=True)
class Advice:
    """What was found, and what weights would change. Nothing is applied.

    Gradients are those by all layers that two losses or more train. The first loss keeps its
    weight, since the sum of all may well stay what it is: the others are weighed against it.

    Attributes:
        losses: the outputs' endpoint keys.
        weights: the loss weights as they are.
        proposed: with which gradients would have one length, within `BOUND` and rounded.
        norms: the lengths of the weighted gradients as they are.
        predicted: with `proposed`: exactly these for the same weights of the model.
        pulls: each two losses at each layer both train, in the model's order.
    """

    losses: tuple[str, ...]
    weights: Strengths
    proposed: Strengths
    norms: Strengths
    predicted: Strengths
    pulls: tuple[Pull, ...]

    @property
    def worthwhile(self) -> bool:
        """Whether the proposal is another than what is."""
        pairs = zip(self.weights, self.proposed, strict=True)
        return any(not 1 / _WORTH < new / old < _WORTH for old, new in pairs if old and new)


def advise(sample: LensSample, *more: LensSample) -> Advice:
    """Advice by one look, or by the mean of several: one batch says little about all.

    Those of `more` that have other losses are left out; loss weights that were others are made up
    for.
    """
    looks = [sample, *(other for other in more if other.losses == sample.losses)]
    layers = _together(sample, looks)
    losses = range(len(sample.losses))
    norms = tuple(hypot(*(share.norms[k] for share in layers.values())) for k in losses)
    proposed = _proposed(sample.weights, norms)
    predicted = tuple(
        norm * (new / old if old else 1.0)
        for norm, old, new in zip(norms, sample.weights, proposed, strict=True)
    )
    pulls = tuple(
        Pull(
            layer,
            sample.losses[i],
            sample.losses[j],
            share.norms[i] / share.norms[j],
            share.cosines[i][j],
        )
        for layer, share in layers.items()
        for i in losses
        for j in losses[i + 1 :]
        if share.norms[i] > 0 and share.norms[j] > 0
    )
    return Advice(sample.losses, sample.weights, proposed, norms, predicted, pulls)


def _together(sample: LensSample, looks: Sequence[LensSample]) -> dict[LayerId, LayerShare]:
    """The layers that two losses or more train, each by the mean of all looks."""
    found = {}
    for layer in sample.layers:
        shares = [_as_if(sample.weights, look, layer) for look in looks if layer in look.layers]
        mean = LayerShare.mean(shares)
        if sum(norm > 0 for norm in mean.norms) > 1:
            found[layer] = mean
    return found


def _as_if(weights: Strengths, look: LensSample, layer: LayerId) -> LayerShare:
    """A layer's share in a look, had the loss weights been these."""
    share = look.layers[layer]
    each = zip(share.norms, weights, look.weights, strict=True)
    norms = tuple(norm * (now / then if then else 0.0) for norm, now, then in each)
    return LayerShare(norms, share.cosines)


def _proposed(weights: Strengths, norms: Strengths) -> Strengths:
    """Weights for gradients of one length; those of losses that share nothing stay."""
    sharing = [k for k, norm in enumerate(norms) if norm > 0 and isfinite(norm)]
    if len(sharing) < 2:
        return weights
    anchor, found = norms[sharing[0]], list(weights)
    for k in sharing[1:]:
        factor = min(max(anchor / norms[k], 1 / BOUND), BOUND)
        found[k] = _rounded(weights[k] * factor)
    return tuple(found)


def _rounded(value: float) -> float:
    """To so many digits as a person would give."""
    if not value:
        return value
    return round(value, _DIGITS - 1 - floor(log10(abs(value))))
