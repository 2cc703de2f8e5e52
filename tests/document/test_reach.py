"""What no loss reaches, and nothing that training could change."""

from studio.document import edits, sharing
from studio.document.analysis import analyse
from studio.document.model import Document, Endpoint
from studio.losses.regression import MeanSquaredError
from studio.problem import Problem
from studio.regularizers.norms import L2
from tests.document.drawn import Drawing, out


def of(document: Document, *codes: str) -> list[Problem]:
    return [p for p in analyse(document).problems if p.code in codes]


def with_loss(document: Document, end: Endpoint) -> Document:
    return edits.plan_output(document, end, loss=MeanSquaredError())


def fork() -> tuple[Drawing, dict[str, str]]:
    """A trunk with a branch that is trained and one that is not."""
    d, ids = Drawing(), {}
    ids["trunk"] = trunk = d.add("Dense", d.add("Input", shape=(4,)), name="trunk")
    ids["left"] = d.output(d.add("Dense", trunk, name="left"))
    ids["right"] = d.output(d.add("Dense", trunk, name="right"))
    d.document = with_loss(d.document, out(ids["left"]))
    return d, ids


def test_a_branch_without_a_loss_is_not_trained() -> None:
    d, ids = fork()
    (problem,) = of(d.document, "unreached")
    assert (problem.where, problem.severity) == (ids["right"], "warning")
    assert "“right”" in str(problem)
    assert str(problem.fix) == "Freeze “right”"
    assert of(problem.fix.edit(d.document), "unreached") == []
    assert of(with_loss(d.document, out(ids["right"])), "unreached") == []


def test_without_any_loss_nothing_more_is_said() -> None:
    d, ids = fork()
    document = edits.plan_output(d.document, out(ids["left"]), loss=None)
    assert of(document, "unreached", "nothing_trainable") == []


def test_what_a_regularizer_moves_is_trained() -> None:
    d, ids = fork()
    document = edits.set_parameters(
        d.document, d.layer_of(ids["right"]), kernel_regularizer=L2(0.1)
    )
    assert of(document, "unreached") == []


def test_one_result_of_a_model_that_is_not_trained() -> None:
    d, ids = fork()
    document, _ = sharing.group(d.document, list(ids.values()))
    (problem,) = of(document, "unreached")
    assert problem.where == ids["right"]


def test_a_layer_shared_with_a_trained_branch_is_trained() -> None:
    d, ids = fork()
    document = edits.unmark_output(d.document, out(ids["right"]))
    document = edits.remove_calls(document, [ids["right"]])
    document, twin = edits.use_layer(document, document.graph.calls[ids["left"]].layer)
    document = edits.connect(document, out(ids["trunk"]), Endpoint(twin, "x"))
    document = edits.mark_output(document, out(twin))
    assert of(document, "unreached") == []


def test_everything_frozen() -> None:
    d, ids = fork()
    document = d.document
    for name in ("trunk", "left"):
        document = edits.set_trainable(document, d.layer_of(ids[name]), False)
    (problem,) = of(document, "nothing_trainable")
    assert (problem.where, problem.severity) == (ids["left"], "error")
    assert str(problem.fix) == "Unfreeze what is frozen"
    fixed = problem.fix.edit(document)
    assert of(fixed, "nothing_trainable") == []
    assert fixed.layers[d.layer_of(ids["trunk"])].trainable


def test_a_frozen_model_around_everything() -> None:
    d, ids = fork()
    document, model = sharing.group(d.document, list(ids.values()))
    layer = document.graph.calls[model].layer
    document = edits.set_trainable(document, layer, False)
    (problem,) = of(document, "nothing_trainable")
    assert of(problem.fix.edit(document), "nothing_trainable") == []


def test_nothing_that_has_weights() -> None:
    d = Drawing()
    end = d.output(d.add("Dropout", d.add("Input", shape=(4,))))
    (problem,) = of(with_loss(d.document, out(end)), "nothing_trainable")
    assert problem.fix is None


def test_what_cannot_be_computed_is_not_judged() -> None:
    d = Drawing()
    end = d.output(d.add("Dense"))
    assert of(with_loss(d.document, out(end)), "nothing_trainable") == []
