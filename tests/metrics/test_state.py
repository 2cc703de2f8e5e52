"""What a metric has accumulated is taken up by another, in every bit: a training may be cut off."""

from typing import Any

import numpy as np
import pytest

from studio.declare import declared
from studio.metrics import CATALOGUE
from studio.metrics.accuracy import Accuracy
from studio.metrics.base import Metric, put_state, state_of
from studio.metrics.mean import Mean
from tests import references
from tests.metrics.test_metrics import AUCS, LATER, spec

SIZES = (5, 5, 2)


def halves(metric: Metric, y: np.ndarray, p: np.ndarray, weight: np.ndarray | None) -> None:
    """Two accumulators of the same batches; one is handed on to a fresh one before each."""
    whole, at = metric.start(spec(y), spec(p)), 0
    handed = metric.start(spec(y), spec(p))
    for size in SIZES:
        rows = slice(at, at + size)
        fresh = metric.start(spec(y), spec(p))
        put_state(fresh, state_of(handed))
        handed = fresh
        for state in (whole, handed):
            state.update(y[rows], p[rows], None if weight is None else weight[rows])
        np.testing.assert_array_equal(whole.result(), handed.result())
        at += size


@pytest.mark.parametrize(
    "facts", LATER["cases"], ids=lambda f: f"{f['metric']}-{f['pair']}-{f['weight']}"
)
def test_it_is_handed_on(facts: dict[str, Any]) -> None:
    arrays = references.case("later_metrics", facts["pair"])
    metric = declared("metrics", facts["metric"])(**facts["config"])
    y, p, weight = arrays["y_true"], arrays["y_pred"], arrays.get(facts["weight"])
    halves(
        metric, y[..., None] if metric.compares == "classes" and y.ndim < p.ndim else y, p, weight
    )


@pytest.mark.parametrize("case", AUCS)
def test_an_area_is_handed_on(case: str) -> None:
    arrays = references.case("metrics", f"auc_{case}")
    halves(AUCS[case], arrays["y_true"], arrays["y_pred"], arrays.get("sample_weight"))


@pytest.mark.parametrize("kind", CATALOGUE)
def test_every_metric_has_a_state(kind: str) -> None:
    metric, output = declared("metrics", kind)(), spec(np.zeros((2, 3), np.float32))
    target = spec(np.zeros((2, 1), np.int32)) if metric.compares == "classes" else output
    assert state_of(metric.start(target, output))


def test_the_state_is_a_copy() -> None:
    metric = AUCS[next(iter(AUCS))]
    y = np.array([[0.0], [1.0]], np.float32)
    state = metric.start(spec(y), spec(y))
    before = state_of(state)
    kept = {name: array.copy() for name, array in before.items()}
    state.update(y, y, None)
    for name, array in kept.items():
        np.testing.assert_array_equal(before[name], array)


def test_of_another_metric_it_is_refused() -> None:
    y = np.zeros((2, 1), np.float32)
    with pytest.raises(ValueError, match="a state of"):
        put_state(AUCS[next(iter(AUCS))].start(spec(y), spec(y)), state_of(Mean(np.subtract)))
    put_state(Accuracy().start(spec(y), spec(y)), state_of(Accuracy().start(spec(y), spec(y))))
