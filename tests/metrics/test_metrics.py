"""Every metric: over batches, weighted or not, the numbers Keras recorded."""

import json

import numpy as np
import pytest

from studio.declare import declared, resolve
from studio.engine.program import Spec
from studio.metrics import CATALOGUE
from studio.metrics.accuracy import Accuracy
from studio.metrics.auc import AUC
from studio.problem import ProblemError
from studio.text import catalogue
from tests import references

ACCURACY = references.meta("metrics")["accuracy"]


def auc_cases() -> dict[str, AUC]:
    found = {}
    for case, facts in references.meta("metrics")["auc"].items():
        try:
            found[case] = AUC.from_config(facts["config"])
        except ProblemError:
            continue  # a setting of later
    return found


AUCS = auc_cases()


def spec(array: np.ndarray) -> Spec:
    return Spec(array.dtype.name, ("batch", *array.shape[1:]))


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("case", ACCURACY)
def test_accuracy(case: str, weighted: bool) -> None:
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


@pytest.mark.parametrize("case", ACCURACY)
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


def test_every_auc_setting_we_have_is_replayed() -> None:
    assert {"column", "weighted", "soft_labels", "outside", "few_thresholds"} <= set(AUCS)


@pytest.mark.parametrize("case", AUCS)
def test_auc(case: str) -> None:
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
    output = Spec("float32", ("batch", 3))
    assert declared("metrics", kind)().start(output, output).result() == 0.0


@pytest.mark.parametrize("kind", CATALOGUE)
def test_names_json_and_help(kind: str) -> None:
    made = declared("metrics", kind)()
    assert resolve("metrics", json.loads(json.dumps({"kind": kind, **made.config()}))) == made
    assert resolve("metrics", made.name) == made
    chinese = catalogue("zh_CN", "metrics")
    assert made.help()
    assert chinese.get(kind)
    for p in made.params():
        assert made.help(p.name)
        assert chinese.get(f"{kind}.{p.name}"), p.name


def test_names_are_keras_history_keys() -> None:
    assert [AUC().name, Accuracy().name] == ["auc", "accuracy"]
    assert resolve("metrics", "acc") == Accuracy()
