"""Every metric: over batches, weighted or not, the numbers Keras recorded."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from studio.declare import declared, resolve
from studio.document.analysis import obstacles
from studio.engine.program import Spec
from studio.layers import Dense, Input
from studio.metrics import CATALOGUE
from studio.metrics.accuracy import Accuracy
from studio.metrics.auc import AUC
from studio.metrics.base import Metric
from studio.metrics.confusion import Precision
from studio.metrics.f_score import F1Score
from studio.metrics.iou import IoU, MeanIoU
from studio.metrics.losses import SparseCategoricalCrossentropy
from studio.metrics.regression import R2Score
from studio.metrics.trade_off import PrecisionAtRecall
from studio.models import Model
from studio.text import catalogue
from studio.train.forms import metrics_per_output
from tests import references

ACCURACY = references.meta("metrics")["accuracy"]


AUCS = {
    case: AUC.from_config(facts["config"])
    for case, facts in references.meta("metrics")["auc"].items()
}
LATER = references.meta("later_metrics")
SIZES = (5, 5, 2)
BETTER = {"up": "more", "down": "less", "": ""}


def spec(array: np.ndarray) -> Spec:
    return Spec(array.dtype.name, ("batch", *array.shape[1:]))


KINDS = {
    "binary": "BinaryAccuracy",
    "categorical": "CategoricalAccuracy",
    "sparse": "SparseCategoricalAccuracy",
}


def _tested(case: str) -> str:
    """What a case tests: the metric that ``accuracy`` stands for there, and its choice."""
    return f"{KINDS[case.partition('_')[0]]}-Accuracy-{case}"


each_accuracy = pytest.mark.parametrize("case", ACCURACY, ids=_tested)


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@each_accuracy
def test_accuracy_is_that_of_keras(case: str, weighted: bool) -> None:
    arrays, facts = references.case("metrics", f"accuracy_{case}"), ACCURACY[case]
    y, p = arrays["y_true"], arrays["y_pred"]
    weight = arrays["sample_weight"] if weighted else None
    if "refused" in facts:
        return
    state = Accuracy().start(spec(y), spec(p))
    size = facts["batch_size"]
    for at in range(0, len(p), size):
        rows = slice(at, at + size)
        state.update(y[rows], p[rows], None if weight is None else weight[rows])
    expected = facts["weighted_result" if weighted else "result"]
    assert state.result() == pytest.approx(expected, abs=1e-6)


@each_accuracy
def test_accuracy_chooses_as_keras(case: str) -> None:
    arrays, facts = references.case("metrics", f"accuracy_{case}"), ACCURACY[case]
    y, p = arrays["y_true"], arrays["y_pred"]
    if "refused" in facts:
        return
    chosen = declared("metrics", facts["chosen"])().start(spec(y), spec(p))
    automatic = Accuracy().start(spec(y), spec(p))
    for state in (chosen, automatic):
        state.update(y, p, None)
    assert chosen.result() == automatic.result()


@pytest.mark.parametrize("case", AUCS, ids="AUC-{}".format)
def test_auc_is_that_of_keras(case: str) -> None:
    arrays, facts = (
        references.case("metrics", f"auc_{case}"),
        references.meta("metrics")["auc"][case],
    )
    y, p, weight = arrays["y_true"], arrays["y_pred"], arrays.get("sample_weight")
    state = AUCS[case].start(spec(y), spec(p))
    at = 0
    for size, expected in zip(facts["sizes"], facts["results"], strict=True):
        rows = slice(at, at + size)
        state.update(y[rows], p[rows], None if weight is None else weight[rows])
        assert state.result() == pytest.approx(expected, abs=2e-6)
        at += size


@pytest.mark.parametrize("kind", CATALOGUE)
def test_over_nothing_it_is_zero(kind: str) -> None:
    metric, output = declared("metrics", kind)(), Spec("float32", ("batch", 3))
    target = Spec("int32", ("batch", 1)) if metric.compares == "classes" else output
    np.testing.assert_array_equal(metric.start(target, output).result(), 0.0)


@pytest.mark.parametrize("kind", CATALOGUE)
def test_names_json_and_help(kind: str) -> None:
    made = declared("metrics", kind)()
    assert resolve("metrics", json.loads(json.dumps({"kind": kind, **made.config()}))) == made
    assert replace(resolve("metrics", made.name), name=made.name) == made
    chinese = catalogue("zh_CN", "metrics")
    assert made.help()
    assert chinese.get(kind)
    for p in made.params():
        assert made.help(p.name)
        assert chinese.get(f"{kind}.{p.name}"), p.name


def test_names_are_keras_history_keys() -> None:
    assert [AUC().name, Accuracy().name] == ["auc", "accuracy"]
    assert resolve("metrics", "acc") == Accuracy()
    for written, key in LATER["keys"].items():
        (metric,) = metrics_per_output(["y"], [written])["y"]
        assert metric.name == key


def test_keras_recorded_every_metric() -> None:
    recorded = {facts["chosen"] for facts in ACCURACY.values() if "chosen" in facts}
    recorded |= {facts["metric"] for facts in LATER["cases"]} | {"Accuracy", "AUC"}
    assert recorded == set(CATALOGUE)


@pytest.mark.parametrize(
    "facts", LATER["cases"], ids=lambda f: f"{f['metric']}-{f['pair']}-{f['weight']}"
)
def test_it_accumulates_what_keras_accumulates(facts: dict[str, Any]) -> None:
    arrays = references.case("later_metrics", facts["pair"])
    metric = declared("metrics", facts["metric"])(**facts["config"])
    y, p, weight = arrays["y_true"], arrays["y_pred"], arrays.get(facts["weight"])
    if metric.compares == "classes" and y.ndim < p.ndim:
        y = y[..., None]
    state, at = metric.start(spec(y), spec(p)), 0
    for size, expected in zip(SIZES, facts["results"], strict=True):
        rows = slice(at, at + size)
        state.update(y[rows], p[rows], None if weight is None else weight[rows])
        assert np.shape(state.result()) == np.shape(expected)
        assert state.result() == pytest.approx(expected, rel=2e-5, abs=2e-6)
        at += size
    assert (metric.name, metric.better) == (facts["name"], BETTER[facts["better"]])


@pytest.mark.parametrize(
    ("metric", "target", "output", "code"),
    [
        (AUC(), ("batch", 1), ("batch", 4), "metric_alike"),
        (AUC(multi_label=True), ("batch", 2, 4), ("batch", 2, 4), "metric_labels"),
        (AUC(label_weights=(1.0,)), ("batch", 4), ("batch", 4), "metric_labels"),
        (Precision(class_id=4), ("batch", 4), ("batch", 4), "metric_class"),
        (MeanIoU(num_classes=10**9), ("batch", 1), ("batch", 2), "metric_too_large"),
        (AUC(num_thresholds=10**12), ("batch", 2), ("batch", 2), "metric_too_large"),
        (AUC(10**7, multi_label=True), ("batch", 2), ("batch", 2), "metric_too_large"),
        (PrecisionAtRecall(0.5, 10**9), ("batch", 2), ("batch", 2), "metric_too_large"),
        (IoU(num_classes=2, target_class_ids=(2,)), ("batch", 1), ("batch", 2), "metric_class_ids"),
        (SparseCategoricalCrossentropy(), ("batch", 4), ("batch", 4), "metric_classes"),
        (F1Score(average="macro"), ("batch", 2, 4), ("batch", 2, 4), "metric_rank"),
        (R2Score(), ("batch", 2, 4), ("batch", 2, 4), "metric_rank"),
    ],
    ids=lambda value: value.kind if hasattr(value, "kind") else str(value),
)
def test_what_it_cannot_compare_is_a_problem(
    metric: Metric, target: tuple[int | str, ...], output: tuple[int | str, ...], code: str
) -> None:
    problem = metric.misfit(Spec("float32", target), Spec("float32", output))
    assert problem is not None
    assert problem.code == code
    assert metric.kind in str(problem)


def test_a_metric_that_cannot_compare_is_removed_with_one_click() -> None:
    x = Input((3,))
    model = Model(x, Dense(4, activation="softmax")(x))
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy", "AUC"])
    with pytest.raises(ValueError, match="AUC compares targets shaped like the output"):
        model.fit(np.zeros((2, 3)), np.zeros(2), verbose=0)
    (problem,) = obstacles(model.document)
    fixed = problem.fix.edit(model.document)
    assert obstacles(fixed) == []
    (plan,) = fixed.plan.outputs.values()
    assert [metric.kind for metric in plan.metrics] == ["Accuracy"]


def test_named_twins_have_keys_of_their_own() -> None:
    x = Input((3,))
    model = Model(x, Dense(1, activation="sigmoid")(x))
    watched = [AUC(), AUC(curve="PR", name="pr"), "mse"]
    model.compile("sgd", "binary_crossentropy", metrics=watched)
    history = model.fit(np.eye(3), np.array([0, 1, 1]), verbose=0).history
    assert set(history) == {"loss", "auc", "pr", "mse"}


def test_the_next_of_one_name_is_numbered_as_in_keras() -> None:
    for settings, keys in LATER["twins"]:
        x = Input((2,))
        model = Model(x, Dense(2)(x))
        model.compile("sgd", "mse", **settings)
        history = model.fit(np.eye(2), np.eye(2), sample_weight=np.ones(2), verbose=0).history
        assert list(history) == keys


def made(metrics: Any) -> Any:
    """The objects of a recorded case, made in the order they are written in."""
    if isinstance(metrics, dict):
        return {name: made(value) for name, value in metrics.items()}
    if isinstance(metrics, list) and len(metrics) == 2 and isinstance(metrics[1], dict):
        return declared("metrics", metrics[0])(**metrics[1])
    return [made(value) for value in metrics] if isinstance(metrics, list) else metrics


def test_what_has_no_name_is_numbered_through_the_process_as_in_keras() -> None:
    for case, keys in LATER["automatic"]:
        names = [f"o{i + 1}" for i in range(case.get("outputs", 1))]
        x = Input((2,))
        model = Model(x, [Dense(2, activation="sigmoid", name=name)(x) for name in names])
        watched = {key: made(value) for key, value in case.items() if key != "outputs"}
        model.compile("sgd", ["mse"] * len(names), **watched)
        weight = [np.ones(2)] * len(names) if len(names) > 1 else np.ones(2)
        target = [np.eye(2)] * len(names)
        history = model.fit(np.eye(2), target, sample_weight=weight, verbose=0).history
        assert list(history) == keys


def test_a_metric_of_a_document_has_its_name_and_is_not_counted() -> None:
    first = AUC()
    assert [AUC.from_config({}).name, AUC.from_config(first.config()).name] == ["auc", "auc"]
    assert AUC().name == "auc_1"


def test_scores_that_are_no_numbers_count_as_zeros() -> None:
    """As Keras: training that diverges goes on, so that TerminateOnNaN can end it."""
    scores = np.array([[np.nan], [0.3], [0.8], [np.nan]], np.float32)
    state = AUC(num_thresholds=20).start(spec(scores), spec(scores))
    state.update(np.array([[1.0], [0.0], [1.0], [0.0]]), scores, None)
    assert state.result() == pytest.approx(0.625)
