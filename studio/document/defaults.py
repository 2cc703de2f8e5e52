"""What an output is usually trained for, where nobody has chosen: by its activation and target.

Q: Why does what was given follow the model, and what was chosen not?
A: An output is marked before its activation is set and its target is bound as often as after. So
   whoever edits remembers what was `given`, and as long as the plan still says exactly that, each
   edit gives anew. One other loss, and it is a choice: it stays, whatever the model becomes. What
   comes from a file was chosen by whoever saved it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from studio.document import edits
from studio.document.model import Document, Endpoint
from studio.document.plan import ClassColumn, OutputPlan
from studio.engine.program import Spec
from studio.layers.values import Range
from studio.losses.base import Loss
from studio.losses.probabilistic import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from studio.losses.regression import MeanSquaredError
from studio.metrics.accuracy import Accuracy, BinaryAccuracy
from studio.metrics.base import Metric
from studio.metrics.losses import MeanAbsoluteError


@dataclass(frozen=True)
class Usual:
    """What an output was given; no loss while its shape is not known."""

    loss: Loss | None = None
    metrics: tuple[Metric, ...] = ()


Given = Mapping[str, Usual]  # by the output's endpoint key


def comparable(output: Spec) -> bool:
    """Whether a loss can be taken of an output: floats, with an axis beside the batch."""
    return output.dtype.startswith("float") and output.rank > 1


def usual_loss(document: Document, endpoint: Endpoint, spec: Spec, known: Range | None) -> Loss:
    """The loss such an output is usually trained for.

    Of shares of several classes it is the one for class numbers, unless the target is bound to
    something as wide as the output. Of anything between 0 and 1 it is binary. What an output of
    any numbers gives is squared errors, or logits where the target is of classes.
    """
    target = document.plan.data.targets.get(endpoint.key)
    several = spec.shape[-1] != 1
    numbered = target is None or (isinstance(target, ClassColumn) and not target.one_hot)
    if known is not None and known.shares and several:
        return SparseCategoricalCrossentropy() if numbered else CategoricalCrossentropy()
    if known is not None and known.low >= 0 and known.high <= 1:
        return BinaryCrossentropy()
    anything = known is not None and (known.low, known.high) == (Range.low, Range.high)
    if not isinstance(target, ClassColumn) or not anything:
        return MeanSquaredError()
    if not several:
        return BinaryCrossentropy(from_logits=True)
    kind = SparseCategoricalCrossentropy if numbered else CategoricalCrossentropy
    return kind(from_logits=True)


def usual_metrics(loss: Loss, spec: Spec) -> tuple[Metric, ...]:
    """What is usually watched beside a loss; nothing where that cannot judge the output."""
    usual: Metric
    if isinstance(loss, BinaryCrossentropy):
        # Logits are on the second class's side from 0; and of several outputs that are each a
        # probability Accuracy would ask for the largest, as Keras's "accuracy" does.
        plain = not loss.from_logits and spec.shape[-1] == 1
        usual = Accuracy() if plain else BinaryAccuracy(threshold=0.0 if loss.from_logits else 0.5)
    elif isinstance(loss, CategoricalCrossentropy | SparseCategoricalCrossentropy):
        usual = Accuracy()
    else:
        usual = MeanAbsoluteError()
    return () if usual.misfit(loss.target(spec), spec) else (usual,)


def usual(
    document: Document,
    endpoint: Endpoint,
    specs: Mapping[Endpoint, Spec],
    ranges: Mapping[Endpoint, Range],
) -> Usual:
    """What an output is usually trained for and watched by, as far as its shape is known."""
    spec = specs.get(endpoint)
    if spec is None or not comparable(spec):
        return Usual()
    loss = usual_loss(document, endpoint, spec, ranges.get(endpoint))
    return Usual(loss, usual_metrics(loss, spec))


def with_usual(
    before: Document,
    after: Document,
    specs: Mapping[Endpoint, Spec],
    ranges: Mapping[Endpoint, Range],
    given: Given,
) -> tuple[Document, Given]:
    """An edited document whose outputs have what is usual, where nobody chose otherwise.

    Args:
        before: the document that was edited.
        after: what the edit made of it.
        specs, ranges: what leaves the ports of `after`.
        given: what the outputs of `before` have because nobody chose.

    Returns:
        The document, `after` itself where nothing is to be given, and what is now given.
    """
    known = frozenset(before.graph.outputs)
    kept: dict[str, Usual] = {}
    for endpoint in after.graph.outputs:
        key = endpoint.key
        plan = after.plan.outputs.get(key, OutputPlan())
        fresh = endpoint not in known or (
            key in after.plan.data.targets and key not in before.plan.data.targets
        )
        old = given.get(key)
        if plan.loss is None and fresh and (old is None or old.loss is not None):
            old = Usual()
        if old is None or plan.loss != old.loss:
            continue
        new = kept[key] = usual(after, endpoint, specs, ranges)
        metrics = new.metrics if plan.metrics == old.metrics else plan.metrics
        if (plan.loss, plan.metrics) != (new.loss, metrics):
            after = edits.plan_output(after, endpoint, loss=new.loss, metrics=metrics)
    return after, kept
