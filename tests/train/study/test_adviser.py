"""Advice about loss weights: what it proposes, and that its predictions come true."""

import numpy as np
import pytest

from studio.document import edits
from studio.document.model import Document
from studio.losses.regression import MeanSquaredError
from studio.optimizers.sgd import SGD
from studio.train.study.adviser import BOUND, Advice, Pull, advise
from studio.train.study.lens import LayerShare, LensSample
from studio.train.study.lens_look import look
from tests.document.drawn import Drawing, headline
from tests.train.study.test_lens import ROWS, batch_of, trained, warm


def conflicts(advice: Advice) -> list[Pull]:
    """Where losses work against each other."""
    return [pull for pull in advice.pulls if pull.conflict]


def sample(
    norms: tuple[float, ...], weights: tuple[float, ...] = (1.0, 0.2), cosine: float = 0.5
) -> LensSample:
    """Losses that meet in layer l1; l2 is trained by the first alone."""
    losses = tuple(f"c{i}.output" for i in range(len(norms)))
    cosines = tuple(
        tuple(1.0 if i == j else cosine for j in range(len(norms))) for i in range(len(norms))
    )
    alone = (5.0, *[0.0] * (len(norms) - 1))
    nothing = tuple((0.0,) * len(norms) for _ in norms)
    layers = {"l1": LayerShare(norms, cosines), "l2": LayerShare(alone, nothing)}
    return LensSample(losses, (0.5,) * len(norms), weights, 0.001, layers=layers)


def test_the_first_loss_keeps_its_weight_and_the_others_come_to_pull_alike() -> None:
    advice = advise(sample((3.0, 1.5)))
    assert advice.norms == (3.0, 1.5)  # of the layer that both train
    assert advice.proposed == (1.0, 0.4)
    assert advice.predicted == pytest.approx((3.0, 3.0))
    assert advice.worthwhile
    (pull,) = advice.pulls
    assert (pull.layer, pull.ratio, pull.cosine) == ("l1", 2.0, 0.5)
    assert not conflicts(advice)


def test_no_weight_is_proposed_beyond_ten_times() -> None:
    advice = advise(sample((100.0, 0.001)))
    assert advice.proposed == (1.0, pytest.approx(0.2 * BOUND))
    advice = advise(sample((0.001, 100.0)))
    assert advice.proposed == (1.0, pytest.approx(0.2 / BOUND))
    assert advice.predicted == pytest.approx((0.001, 10.0))


def test_losses_that_pull_alike_are_left_alone() -> None:
    advice = advise(sample((1.0, 1.02)))
    assert not advice.worthwhile


def test_conflicts_are_told() -> None:
    advice = advise(sample((1.0, 1.0), cosine=-0.3))
    assert [pull.cosine for pull in conflicts(advice)] == [-0.3]
    assert not conflicts(advise(sample((1.0, 1.0), cosine=-0.01)))  # that is noise


@pytest.mark.parametrize("norms", [(1.0, 0.0), (float("nan"), 1.0), (1.0, float("inf"))])
def test_a_loss_that_trains_nothing_there_or_is_no_number_is_left_out(norms) -> None:
    assert advise(sample(norms)).proposed == (1.0, 0.2)


def test_one_loss_alone_gets_no_advice() -> None:
    advice = advise(sample((3.0,), weights=(1.0,)))
    assert not advice.worthwhile
    assert advice.pulls == ()


def test_a_loss_of_weight_nothing_stays_so() -> None:
    advice = advise(sample((1.0, 0.0, 2.0), weights=(1.0, 0.0, 1.0)))
    assert advice.proposed == (1.0, 0.0, 0.5)


def test_several_looks_say_more_than_one() -> None:
    """Gradients of opposite signs in two batches are in no conflict on the whole."""
    one, other = sample((3.0, 1.0), cosine=-1.0), sample((4.0, 1.0), cosine=1.0)
    advice = advise(one, other)
    assert advice.norms == pytest.approx((np.sqrt(12.5), 1.0))
    assert advice.pulls[0].cosine == pytest.approx((4 - 3) / 2 / np.sqrt(12.5))
    assert not conflicts(advice)


def test_looks_by_other_weights_are_made_up_for() -> None:
    one = sample((3.0, 1.0), weights=(1.0, 0.2))
    other = sample((3.0, 5.0), weights=(1.0, 1.0))
    assert advise(one, other).norms == pytest.approx((3.0, 1.0))


def meeting() -> Document:
    """Two outputs behind one Dense; the second is much stronger."""
    d = Drawing()
    hidden = d.add("Dense", d.add("Input", shape=(4,)), units=6, activation="tanh")
    d.output(d.add("Dense", hidden, units=1))
    d.output(d.add("Dense", hidden, units=1))
    document = trained(d.document, SGD(0.1))
    return edits.plan_output(document, document.graph.outputs[1], loss=MeanSquaredError(), weight=3)


@pytest.mark.parametrize("document", [meeting(), trained(headline(vocabulary=12)[0])])
def test_what_is_predicted_comes_true(document: Document) -> None:
    bench = warm(document)
    advice = advise(look(bench))
    assert advice.worthwhile
    tried = advise(look(bench, dict(zip(advice.losses, advice.proposed, strict=True))))
    assert tried.norms == pytest.approx(advice.predicted, rel=1e-4)
    assert not tried.worthwhile or BOUND in [
        round(max(n / o, o / n)) for n, o in zip(advice.proposed, advice.weights, strict=True)
    ]
    assert len(batch_of(document)) == ROWS
