import numpy as np
import onnx
import pytest
from hypothesis import given, settings

from studio.document import edits, muting, sharing
from studio.document.additive import additive_heads
from studio.document.analysis import analyse, obstacles, why_not
from studio.document.canonical import canonical
from studio.document.lowering import lower
from studio.document.model import Document, Endpoint
from studio.document.project import Project
from studio.document.store import Store
from studio.document.summary import summary, totals
from studio.formats.onnx_export import exported
from studio.losses.regression import MeanSquaredError
from studio.problem import ProblemError
from studio.train.predict import predict
from tests.document.drawn import Drawing, out
from tests.formats.documents import documents

X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)


class Chain:
    """image (4) → first (4 units, tanh) → second (4 units, tanh) → head (1 unit, an output)."""

    def __init__(self) -> None:
        d = Drawing()
        self.image = d.add("Input", shape=(4,), name="image")
        dense = {"units": 4, "activation": "tanh"}
        self.first = d.add("Dense", self.image, name="first", **dense)
        self.second = d.add("Dense", self.first, name="second", **dense)
        self.head = d.output(d.add("Dense", self.second, name="head", units=1))
        self.document = d.document

    def without(self, call: str, source: str, target: str) -> Document:
        """The same model drawn without a call."""
        document = edits.remove_calls(self.document, [call])
        return edits.connect(document, out(source), Endpoint(target, "x"))


def given_by(document: Document, image: str, store: Store) -> np.ndarray:
    (result,) = predict(document, store, {image: X}).values()
    return result


def test_a_muted_call_passes_on_what_arrives() -> None:
    chain, store = Chain(), Store()
    muted = muting.mute(chain.document, [chain.first])
    plain = chain.without(chain.first, chain.image, chain.second)
    np.testing.assert_array_equal(
        given_by(muted, chain.image, store), given_by(plain, chain.image, store)
    )
    whole = given_by(chain.document, chain.image, store)
    assert np.abs(whole - given_by(muted, chain.image, store)).max() > 1e-3
    assert {v.layer for v in lower(muted).variables.values()} == {
        chain.document.graph.calls[c].layer for c in (chain.second, chain.head)
    }


def test_muted_calls_in_a_row_pass_on_the_first_ones_input() -> None:
    chain = Chain()
    muted = muting.mute(chain.document, [chain.first, chain.second])
    analysis = analyse(muted)
    assert not analysis.errors
    assert analysis.bypass == {out(c): out(chain.image) for c in (chain.first, chain.second)}
    store = Store()
    kernel = store.ensure(*lower(muted).variables["head/kernel"].place, seed=0).value
    np.testing.assert_allclose(given_by(muted, chain.image, store), X @ kernel, rtol=1e-6)


def test_unmuting_is_exact_and_the_twin_goes_on() -> None:
    chain = Chain()
    document, twin = edits.use_layer(
        chain.document, chain.document.graph.calls[chain.first].layer, (0, 0)
    )
    document = edits.connect(document, out(chain.second), Endpoint(twin, "x"))
    document = edits.connect(document, out(twin), Endpoint(chain.head, "x"))
    muted = muting.mute(document, [chain.first])
    assert muting.mute(muted, [chain.first], False) == document
    assert "first/kernel" in lower(muted).variables  # its other call computes
    assert canonical(muted) != canonical(document)
    assert canonical(muted) != canonical(muting.mute(document, [twin]))


def test_the_first_input_that_fits_is_passed_on() -> None:
    d = Drawing()
    small, large = d.add("Input", shape=(2,)), d.add("Input", shape=(4,))
    join = d.add("Concatenate", small, large)
    d.output(d.add("Dense", join, units=1))
    (problem,) = analyse(muting.mute(d.document, [join])).errors
    assert problem.code == "muted_unfit"
    d = Drawing()
    a, b = (d.add("Input", shape=(4,)) for _ in range(2))
    d.output(total := d.add("Add", a, b))
    assert analyse(muting.mute(d.document, [total])).bypass == {out(total): out(a)}


def test_what_does_not_fit_is_a_problem_that_unmutes() -> None:
    chain = Chain()
    muted = muting.mute(chain.document, [chain.head])
    (problem,) = analyse(muted).errors
    assert (problem.code, problem.where) == ("muted_unfit", chain.head)
    assert "float32(batch, 1)" in str(problem)
    assert "float32(batch, 4)" in str(problem)
    with pytest.raises(ProblemError) as caught:
        lower(muted)
    assert [str(p) for p in caught.value.problems] == [str(problem)]
    assert problem.fix.edit(muted) == chain.document


def test_a_muted_call_can_be_wired_though_nothing_fits_yet() -> None:
    d = Drawing()
    image, head = d.add("Input", shape=(4,)), d.add("Dense", units=1)
    muted = muting.mute(d.document, [head])
    assert why_not(muted, out(image), Endpoint(head, "x")) is None


def test_an_input_cannot_be_muted() -> None:
    chain = Chain()
    with pytest.raises(ProblemError) as caught:
        muting.mute(chain.document, [chain.image])
    assert caught.value.problems[0].code == "mute_input"
    both = muting.mute(chain.document, [chain.image, chain.first])
    assert both == muting.mute(chain.document, [chain.first])


def test_a_branch_that_is_kept_out_costs_nothing() -> None:
    d = Drawing()
    image = d.add("Input", shape=(4,))
    branch = d.add("Dense", image, units=4, name="branch")
    join = d.add("Add", image, branch)
    d.output(d.add("Dense", join, units=1))
    muted = muting.mute(d.document, [join])
    assert not analyse(muted).errors
    assert "unused" not in {p.code for p in analyse(muted).problems}
    assert not any(name.startswith("branch") for name in lower(muted).variables)
    broken = edits.set_parameters(muted, d.layer_of(branch), units=0)
    assert [p.where for p in obstacles(broken) if p.severity == "error"] == [branch]
    with pytest.raises(ProblemError):  # what Add would give is not known
        lower(broken)


def test_a_muted_output_is_still_an_output() -> None:
    d = Drawing()
    image = d.add("Input", shape=(4,), name="image")
    d.output(first := d.add("Dense", image, units=4, name="first"))
    d.output(second := d.add("Dropout", first, name="second"))
    muted = muting.mute(d.document, [first, second])
    found = predict(muted, Store(), {image: X})
    assert found.keys() == {"first", "second"}
    for value in found.values():
        np.testing.assert_array_equal(value, X)


def test_a_model_is_muted_as_a_whole_and_inside() -> None:
    chain, store = Chain(), Store()
    document, model = sharing.group(chain.document, [chain.first, chain.second])
    plain = chain.without(chain.second, chain.first, chain.head)
    whole = muting.mute(document, [model])
    assert not analyse(whole).errors
    only_head = edits.connect(
        edits.remove_calls(plain, [chain.first]), out(chain.image), Endpoint(chain.head, "x")
    )
    np.testing.assert_array_equal(
        given_by(whole, chain.image, store), given_by(only_head, chain.image, store)
    )
    inside = muting.mute(document, [chain.second])
    assert not analyse(inside).errors
    np.testing.assert_array_equal(
        given_by(inside, chain.image, store), given_by(plain, chain.image, store)
    )


def test_a_mask_passes_a_muted_call() -> None:
    d = Drawing()
    words = d.add("Input", shape=(5,), dtype="int32")
    table = d.add("Embedding", words, input_dim=9, output_dim=4, mask_zero=True)
    flat = d.add("Dense", table, units=4)
    state = d.output(d.add("LSTM", flat, units=3))
    muted = muting.mute(d.document, [flat])
    plain = edits.connect(d.document, out(table), Endpoint(state, "x"))
    assert out(flat) in analyse(muted).masks
    store, x = Store(), np.array([[1, 2, 0, 0, 3], [0, 4, 4, 0, 0]], np.int32)
    (a,), (b,) = (predict(doc, store, {words: x}).values() for doc in (muted, plain))
    np.testing.assert_array_equal(a, b)


def test_training_leaves_a_muted_layer_alone() -> None:
    chain = Chain()
    planned = edits.plan_output(chain.document, out(chain.head), loss=MeanSquaredError())
    muted = muting.mute(planned, [chain.second])
    assert not analyse(muted).problems
    trainable = {n for n, v in lower(muted, training=True).variables.items() if v.trainable}
    assert trainable == {"first/kernel", "first/bias", "head/kernel", "head/bias"}
    nothing = muting.mute(planned, [chain.first, chain.second])
    assert [p.code for p in analyse(nothing).problems] == []


def test_no_warning_of_a_muted_head() -> None:
    d = Drawing()
    left, right = (d.add("Input", shape=(4,)) for _ in range(2))
    one = d.add("Dense", left, units=1)
    two = d.again(one, right)
    join = d.add("Concatenate", one, two)
    act = d.add("Dense", join, units=2, activation="relu")
    head = d.output(d.add("Dense", act, units=1, activation="sigmoid"))
    document = edits.plan_output(d.document, out(head), loss=MeanSquaredError())
    assert not list(additive_heads(document, {}))
    muted = muting.mute(document, [act])  # what compared the two is gone
    (problem,) = additive_heads(muted, analyse(muted).bypass)
    assert problem.code == "additive_head"


def test_the_summary_counts_what_computes() -> None:
    chain = Chain()
    muted = muting.mute(chain.document, [chain.first])
    table = summary(muted)
    assert "first (Dense, muted)" in table
    assert totals(muted, analyse(muted)) == (20 + 5, 0)
    assert totals(chain.document, analyse(chain.document)) == (20 + 20 + 5, 0)


def test_an_exported_file_has_no_trace_of_a_muted_call() -> None:
    chain = Chain()
    data, proof = exported(Project(muting.mute(chain.document, [chain.first])))
    model = onnx.load_from_string(data)
    assert not [n for n in model.graph.node if n.op_type == "Identity"]
    assert {i.name.split("/")[0] for i in model.graph.initializer} == {"second", "head"}
    assert proof


@settings(max_examples=60, deadline=None)
@given(documents())
def test_whatever_is_muted_analysis_and_lowering_agree(document) -> None:
    analysis = analyse(document)
    wanted = muting.needed(document.graph, analysis.bypass)
    unfit = [p for p in analysis.problems if p.code == "muted_unfit" and p.where in wanted]
    try:
        lowered = lower(document)
    except ProblemError:
        assert analysis.errors
    else:
        assert not unfit
        for end, value in lowered.outputs.items():
            assert analysis.specs[end].shape == value.shape or len(document.graph.inputs) > 1
