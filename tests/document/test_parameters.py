"""Parameters of a plan that cannot be: listed with the document's other problems, and repaired."""

from typing import Any

import numpy as np
import pytest

from studio.document import edits
from studio.document.analysis import analyse, obstacles
from studio.document.model import Document
from studio.document.parameters import plan_problems
from studio.losses import CategoricalCrossentropy, Huber, MeanSquaredError
from studio.metrics import AUC, Precision
from studio.models import Model
from studio.optimizers import SGD, Adam, RMSprop
from studio.optimizers.schedules import ExponentialDecay
from studio.problem import ProblemError
from studio.text import set_language
from tests.document.drawn import Drawing, out


def planned(**values: Any) -> tuple[Document, str]:
    d = Drawing()
    y = d.output(d.add("Dense", d.add("Input", shape=(4,)), units=2))
    document = edits.plan_output(d.document, out(y), **{"loss": MeanSquaredError(), **values})
    return document, y


@pytest.mark.parametrize(
    ("optimizer", "code", "name"),
    [
        (Adam(learning_rate=-1.0), "parameter_min", "learning_rate"),
        (SGD(momentum=2.0), "parameter_max", "momentum"),
        (RMSprop(rho="much"), "parameter_type", "rho"),
        (Adam(clipnorm=1.0, clipvalue=0.5), "clip_several", "clipvalue"),
    ],
    ids=lambda value: str(value),
)
def test_an_optimizers_problem_is_listed_and_repaired(optimizer: Any, code: str, name: str) -> None:
    document = edits.set_optimizer(planned()[0], optimizer)
    (problem,) = analyse(document).errors
    assert (problem.code, problem.where, problem.severity) == (code, "", "error")
    assert name in str(problem.fix)
    fixed = problem.fix.edit(document)
    assert analyse(fixed).errors == []
    default = next(p.default for p in optimizer.params() if p.name == name)
    assert getattr(fixed.plan.optimizer, name) == default


def test_a_schedule_within_has_its_problem_listed() -> None:
    optimizer = SGD(ExponentialDecay(0.1, -5))
    (problem,) = analyse(edits.set_optimizer(planned()[0], optimizer)).errors
    assert "decay_steps" in str(problem)
    assert problem.fix is None


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"loss": Huber(delta=-1.0)}, "delta"),
        ({"loss": CategoricalCrossentropy(label_smoothing=3.0)}, "label_smoothing"),
        ({"metrics": (AUC(), AUC(curve="round", name="b"))}, "curve"),
        ({"weighted_metrics": (Precision((0.5, 7.0)),)}, "thresholds"),
    ],
    ids=["loss", "smoothing", "metric", "weighted"],
)
def test_an_outputs_problem_is_at_its_node_and_repaired(values: Any, name: str) -> None:
    document, call = planned(**values)
    (problem,) = plan_problems(document)
    assert str(problem) in [str(p) for p in analyse(document).errors]
    assert (problem.where, name in str(problem)) == (call, True)
    fixed = problem.fix.edit(document)
    assert list(plan_problems(fixed)) == []
    assert len(fixed.plan.outputs[out(call).key].metrics) == len(values.get("metrics", ()))


def test_training_does_not_start_with_it_and_the_structure_is_not_at_fault() -> None:
    document, _ = planned()
    from studio.document.project import Project

    model = Model.from_project(Project(edits.set_optimizer(document, SGD(-1.0))))
    assert [p.code for p in obstacles(model.document) if p.severity == "error"] == ["parameter_min"]
    with pytest.raises(ProblemError, match="learning_rate"):
        model.fit(np.zeros((2, 4)), np.zeros((2, 2)), verbose=0)
    assert model.predict(np.zeros((2, 4))).shape == (2, 2)
    assert model.output_shape == (None, 2)


def test_in_chinese() -> None:
    document = edits.set_optimizer(planned()[0], Adam(clipnorm=1.0, clipvalue=0.5))
    (problem,) = plan_problems(document)
    english = str(problem)
    set_language("zh_CN")
    try:
        assert str(problem) != english
    finally:
        set_language("en")
