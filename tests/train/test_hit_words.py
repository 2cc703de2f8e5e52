"""What a breakpoint met is said in a sentence, in both languages, with no field left open."""

from dataclasses import replace
from typing import Any, get_args

import pytest

from studio.document import edits
from studio.document.model import Document
from studio.document.plan import Breakpoints, ClassColumn, FeatureColumns, NumberColumns
from studio.text import set_language
from studio.train.events import Hit, Where
from studio.train.hit_words import facts, sentence
from studio.train.remedies import advice, fixes, likely
from tests.document.drawn import Drawing, headline

HIT = Hit("not_finite", 2, 7, float("nan"), "forward", ("c3",), "lstm", "LSTM", "", "", 3, 9, 4)


def document(**stops: Any) -> Document:
    return edits.set_run(headline()[0], breakpoints=Breakpoints(**stops))


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("where", get_args(Where))
def test_every_place_has_a_sentence(where: Any, language: str) -> None:
    set_language(language)
    (output, _) = (end.key for end in document().graph.outputs)
    said = sentence(replace(HIT, where=where, weight="kernel", output=output), document())
    assert "3" in said
    assert "8" in said
    assert "NaN" in said
    assert "breakpoints." not in said
    assert "{" not in said


def test_they_name_what_is_named_on_the_canvas() -> None:
    first = document()
    keys = [end.key for end in first.graph.outputs]
    assert "lstm" in sentence(HIT, first)
    assert "aux_output" in sentence(replace(HIT, where="loss", output=keys[0]), first)
    assert facts(HIT) == ["operator LSTM", "sample 4 of the batch", "time step 5"]
    rate = replace(HIT, where="update", layer="", weight="", value=float("inf"))
    assert "the learning rate is ∞" in sentence(rate, first)
    weight = replace(HIT, where="backward", weight="kernel")
    assert "the gradient by kernel of lstm" in sentence(weight, first)


@pytest.mark.parametrize("waits", [True, False])
def test_what_need_not_end_a_training(waits: bool) -> None:
    long = replace(HIT, kind="gradient_norm", value=12.5, weight="kernel")
    said = sentence(long, document(gradient_norm=5.0), waits)
    assert "12.5" in said
    assert "longer than 5" in said
    assert ("Paused" in said) == waits
    assert ("goes on" in said) != waits
    assert facts(long)[0] == "the longest part is that by kernel of lstm"
    rising = replace(HIT, kind="diverging", value=0.7)
    said = sentence(rising, document(rising="val_loss", falling="loss", epochs=4), waits)
    assert "val_loss has risen for 4 epochs, now to 0.7, while loss fell" in said
    assert "while" not in sentence(rising, document(rising="val_loss"), waits)


# -- what may help -------------------------------------------------------------------------------


def helped(hit: Hit, first: Document, fed: float = 0.0) -> list[str]:
    found = replace(hit, remedies=likely(first, hit, fed))
    assert len(advice(found)) == len(found.remedies)
    assert not any("breakpoints." in line for line in advice(found))
    return [str(fix) for fix in fixes(first, found)]


def test_a_lower_rate_and_clipping() -> None:
    first = document()
    assert helped(HIT, first) == [
        "Lower the learning rate from 0.001 to 0.0001",
        "Clip gradients to a length of 1",
    ]
    hit = replace(HIT, remedies=likely(first, HIT))
    lower, clip = (fix.edit(first).plan.optimizer for fix in fixes(first, hit))
    assert lower.learning_rate == 1e-4
    assert clip.global_clipnorm == 1.0
    clipped = edits.set_optimizer(first, clip)
    assert helped(HIT, clipped) == ["Lower the learning rate from 0.001 to 0.0001"]


def test_data_and_weights_have_advice_but_no_edit() -> None:
    for where, name in (("input", "mend_data"), ("weights", "fresh_weights")):
        hit = replace(HIT, where=where)  # type: ignore[arg-type]
        assert likely(document(), hit) == (name,)
        assert helped(hit, document()) == []


def test_a_loss_that_rises_may_stop_early() -> None:
    first = document(rising="val_loss", epochs=5)
    hit = replace(HIT, kind="diverging")
    found = replace(hit, remedies=likely(first, hit))
    (stop, _) = fixes(first, found)
    assert str(stop) == "Stop early by val_loss, and keep the best epoch"
    stopping = stop.edit(first).plan.run.early_stopping
    assert stopping is not None
    assert (stopping.monitor, stopping.patience) == ("val_loss", 5)
    assert stopping.restore_best_weights


def test_large_inputs_are_to_be_standardized_first() -> None:
    first = document()
    call = first.graph.inputs[1]
    features = FeatureColumns((NumberColumns(("a", "b")), ClassColumn("c", one_hot=True)))
    first = edits.set_data(first, inputs={call: features})
    assert likely(first, HIT, fed=50.0) == ("lower_rate", "clip", "standardize")
    assert likely(first, HIT, fed=5000.0) == ("standardize", "lower_rate", "clip")
    (fix, *_) = fixes(first, replace(HIT, remedies=("standardize",)))
    binding = fix.edit(first).plan.data.inputs[call]
    assert isinstance(binding, FeatureColumns)
    (numbers, classes) = binding.parts
    assert isinstance(numbers, NumberColumns)
    assert numbers.scaling == "standardize"
    assert classes == features.parts[1]
    assert "standardize" not in likely(fix.edit(first), HIT, fed=5000.0)


def test_an_exponential_may_be_a_softplus() -> None:
    drawn = Drawing()
    wild = drawn.add("Dense", drawn.add("Input", shape=(3,)), units=2, activation="exponential")
    drawn.output(wild)
    hit = replace(HIT, place=(wild,), layer="dense")
    assert helped(hit, drawn.document)[0] == "Set the activation of “dense” to softplus"
    hit = replace(hit, remedies=likely(drawn.document, hit))
    changed = fixes(drawn.document, hit)[0].edit(drawn.document)
    assert changed.layers[drawn.layer_of(wild)].body.activation == "softplus"  # type: ignore[union-attr]
    assert "activation" not in likely(changed, hit)
    gone = edits.remove_calls(drawn.document, [wild])
    assert all(fix.code != "activation" for fix in fixes(gone, hit))
