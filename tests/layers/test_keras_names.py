"""The catalogue beside Keras's own list: what it has is here, or named with the reason."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest

import studio.layers
from studio.declare import declared, snake
from studio.engine.program import Spec
from studio.layers import ALIASES, CATALOGUE, LSTM, Conv1D, Dense, Input, MaxPooling2D
from studio.layers.activations import ACTIVATIONS
from studio.layers.left_out import ACTIVATIONS as ACTIVATIONS_LEFT_OUT
from studio.layers.left_out import PARAMETERS, left_out
from studio.left_out import NAMES
from studio.problem import ProblemError
from studio.text import catalogue, set_language
from tests import references

KERAS: dict[str, Any] = references.meta("keras_layers")
LAYERS = NAMES["layers"]
SHARED = [kind for kind in KERAS["layers"] if kind in CATALOGUE and kind != "TimeDistributed"]
OURS = {"Input", "OnnxModel"}
AT_THE_CALL = {"use_causal_mask", "return_attention_scores"}  # in Keras not of the constructor
# What Keras wants to be given, or finds out; where a new node starts from something that works.
STARTS = {("CategoryEncoding", "num_tokens"), ("Discretization", "bin_boundaries")}
WORDS = {None: {"channels_last", "linear"}, "uniform": {"random_uniform"}, "Zeros": {"zeros"}}

each_shared = pytest.mark.parametrize("kind", SHARED)


@pytest.mark.parametrize("kind", KERAS["layers"])
def test_a_layer_is_here_or_named_with_the_reason(kind: str) -> None:
    assert (kind in CATALOGUE) != (kind in LAYERS)


def test_nothing_else_is_named() -> None:
    assert set(CATALOGUE) - OURS <= set(KERAS["layers"])
    assert set(LAYERS) <= set(KERAS["layers"])
    assert set(ACTIVATIONS) ^ set(ACTIVATIONS_LEFT_OUT) == set(KERAS["activations"])


def test_other_names_are_the_same() -> None:
    assert KERAS["aliases"] == ALIASES
    assert studio.layers.MaxPool2D is studio.layers.MaxPooling2D


@each_shared
def test_parameters_have_their_names_and_order(kind: str) -> None:
    own = [p.name for p in declared("layers", kind).params()]
    theirs = [name for name, _ in KERAS["layers"][kind]]
    by_name = {f.name for f in fields(declared("layers", kind)) if f.kw_only}
    assert [n for n in own if n in theirs and n not in by_name] == [
        n for n in theirs if n in own and n not in by_name
    ]
    added = {n for n in own if n not in theirs}
    assert added <= AT_THE_CALL | {"rms_scaling", "score_mode"}
    for name in theirs:
        assert name in own or name == "name" or left_out(kind, name), name


@each_shared
def test_defaults_are_the_same(kind: str) -> None:
    theirs = dict(KERAS["layers"][kind])
    for p in declared("layers", kind).params():
        given = theirs.get(p.name, "…")
        if given != "…" and (kind, p.name) not in STARTS:
            assert same(given, p.default), p.name


@each_shared
def test_what_is_left_out_takes_its_default(kind: str) -> None:
    own = {p.name for p in declared("layers", kind).params()}
    for name, default in KERAS["layers"][kind]:
        if name not in own and name != "name":
            found = left_out(kind, name)
            assert found is not None
            assert default in found.usual, name


def same(given: Any, ours: Any) -> bool:
    """Whether a default of Keras's is ours: one number for all axes, pairs, and names likewise."""
    word = snake(ours.kind) if hasattr(ours, "kind") else ours
    theirs = list(_numbers(given))
    if isinstance(ours, tuple):
        return list(ours) == theirs or (len(set(theirs)) == 1 and set(ours) == set(theirs))
    return [word] == theirs or word in WORDS.get(theirs[0], ())


def _numbers(given: Any) -> Iterator[Any]:
    if not isinstance(given, list | tuple):
        yield given
        return
    for part in given:
        yield from _numbers(part)


# -- what whoever asks is told -------------------------------------------------------------------


def test_reasons_are_told_in_both_languages() -> None:
    reasons = {why for names in NAMES.values() for why in names.values()}
    reasons |= set(ACTIVATIONS_LEFT_OUT.values())
    reasons |= {p.why for each in PARAMETERS.values() for p in each}
    for language in ("en", "zh_CN"):
        assert set(catalogue(language, "left_out")) == {reason.key for reason in reasons}


def test_a_layer_that_is_left_out_says_why() -> None:
    with pytest.raises(AttributeError, match=r"RandomZoom.*varies training data"):
        _ = studio.layers.RandomZoom
    with pytest.raises(ImportError, match=r"TextVectorization.*become integers in the data"):
        from studio.layers import TextVectorization  # noqa: F401 # type: ignore[attr-defined]
    assert not hasattr(studio.layers, "Lambda")


def test_a_parameter_that_changes_numbers_is_refused_with_the_reason() -> None:
    with pytest.raises(ProblemError, match="LSTM takes no stateful=True: every batch") as caught:
        LSTM(3, stateful=True)
    assert caught.value.problems[0].code == "parameter_left_out"
    set_language("zh_CN")
    try:
        assert str(caught.value.problems[0]).startswith("LSTM 不支持 stateful=True：每个批次")
    finally:
        set_language("en")
    with pytest.raises(ProblemError, match="no parameter"):
        Dense(3, stateful=True)


def test_what_changes_nothing_is_taken() -> None:
    LSTM(3, stateful=False, unroll=False, use_cudnn="auto", seed=None, dtype="float32")
    with pytest.warns(UserWarning, match="LSTM ignores unroll: it only says how fast"):
        LSTM(3, unroll=True)


def test_an_input_takes_what_it_takes_there() -> None:
    assert Input((5,), None, "int32", name="tokens").spec == Spec("int32", ("batch", 5))
    assert Input(batch_shape=(None, 5, 2)).shape == (None, 5, 2)
    assert Input((5,), sparse=False, optional=False).dtype == "float32"
    with pytest.warns(UserWarning, match="Input ignores batch_size: batches of any size"):
        assert Input((5,), batch_size=3).shape == (None, 5)
    with pytest.warns(UserWarning, match="Input ignores batch_size"):
        assert Input(batch_shape=(3, 5)).shape == (None, 5)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"shape": (5,), "sparse": True}, "parameter_left_out"),
        ({"shape": (5,), "ragged": True}, "parameter_left_out"),
        ({"shape": (5,), "optional": True}, "parameter_left_out"),
        ({"tensor": object()}, "parameter_left_out"),
        ({"shape": (5,), "batch_shape": (None, 5)}, "batch_shape"),
        ({"batch_size": 3, "batch_shape": (None, 5)}, "batch_shape"),
        ({}, "shape_no_tuple"),
    ],
)
def test_what_an_input_cannot_be_is_refused(params: dict[str, Any], code: str) -> None:
    with pytest.raises(ProblemError) as caught:
        Input(**params)
    assert caught.value.problems[0].code == code


def test_padding_may_be_in_capitals() -> None:
    assert Conv1D(2, 3, padding="SAME").declaration == Conv1D(2, 3, padding="same").declaration
    assert MaxPooling2D(padding="VALID").declaration.problems() == []
