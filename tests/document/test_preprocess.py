"""Text, numbers and classes to arrays: against Keras's own padding, and by properties."""

import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.document.plan import ClassColumn, NumberColumns, TextColumn
from studio.document.preprocess import (
    FIRST_WORD,
    UNKNOWN,
    FittedText,
    decode_numbers,
    decode_text,
    encode_classes,
    encode_numbers,
    encode_text,
    fit_classes,
    fit_numbers,
    fit_text,
    one_hot,
    pad_sequences,
    tokens,
)
from tests.references import load, meta

PADDING = meta("utils")["pad_sequences"]


@pytest.mark.parametrize("case", [c for c in PADDING if c != "value"])  # ours is always 0, int32
def test_padding_equals_keras(case: str) -> None:
    sequences, config = PADDING[case]["sequences"], dict(PADDING[case]["config"])
    length = config.pop("maxlen", max(map(len, sequences)))
    ours = pad_sequences(sequences, length, **config)
    theirs = load("utils")[f"pad_{case}"]
    assert ours.dtype == np.int32
    np.testing.assert_array_equal(ours, theirs)


def test_words_keep_their_apostrophes_and_signs_stand_alone() -> None:
    text = "You won't BELIEVE #this: <url>, 97% l’été!"
    expected = [
        "you",
        "won't",
        "believe",
        "#",
        "this",
        ":",
        "<",
        "url",
        ">",
        ",",
        "97",
        "%",
        "l’été",
        "!",
    ]
    assert tokens(text, TextColumn("t")) == expected
    assert tokens("Ab c", TextColumn("t", lower=False, split="char")) == ["A", "b", " ", "c"]


def test_vocabulary_is_by_frequency_then_by_first_appearance() -> None:
    fitted = fit_text(TextColumn("t", length=4), ["b a c", "c a", "d c"])
    assert fitted.words == ("c", "a", "b", "d")
    assert encode_text(fitted, ["c a e"]).tolist() == [[0, 2, 3, UNKNOWN]]


def test_padding_comes_before_the_text_unless_told() -> None:
    after = TextColumn("t", length=3, padding="post")
    assert encode_text(fit_text(after, ["a"]), ["a", ""]).tolist() == [[2, 0, 0], [0, 0, 0]]
    before = TextColumn("t", length=3)
    assert encode_text(fit_text(before, ["a"]), ["a"]).tolist() == [[0, 0, 2]]


texts = st.lists(st.text(string.ascii_letters + " .,'", max_size=30), min_size=1, max_size=8)


@given(texts, st.integers(2, 20), st.sampled_from(["word", "char"]))
def test_integers_stay_below_the_vocabulary_size(rows: list[str], size: int, split: str) -> None:
    binding = TextColumn("t", length=12, vocabulary_size=size, split=split)  # type: ignore[arg-type]
    encoded = encode_text(fit_text(binding, rows), rows)
    assert encoded.shape == (len(rows), 12)
    assert encoded.min() >= 0
    assert encoded.max() < max(size, FIRST_WORD)


@given(texts, st.sampled_from(["pre", "post"]), st.booleans())
def test_known_text_is_decoded_to_its_tokens(rows: list[str], padding: str, lower: bool) -> None:
    binding = TextColumn("t", length=40, vocabulary_size=1000, padding=padding, lower=lower)  # type: ignore[arg-type]
    fitted = fit_text(binding, rows)
    for row, encoded in zip(rows, encode_text(fitted, rows), strict=True):
        assert decode_text(fitted, encoded) == tokens(row, binding)


def test_no_vocabulary_makes_every_word_unknown() -> None:
    fitted = FittedText(TextColumn("t", length=2), ())
    assert encode_text(fitted, ["any thing"]).tolist() == [[UNKNOWN, UNKNOWN]]


def test_standardized_numbers_have_mean_0_and_deviation_1() -> None:
    values = np.random.default_rng(0).normal(5, 3, (50, 2))
    fitted = fit_numbers(NumberColumns(("a", "b"), standardize=True), values)
    encoded = encode_numbers(fitted, values)
    np.testing.assert_allclose(encoded.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(encoded.std(axis=0), 1)
    np.testing.assert_allclose(decode_numbers(fitted, encoded), values)


def test_a_constant_column_becomes_zeros_although_its_deviation_rounds_above_0() -> None:
    values = np.full((3, 1), 0.1)
    assert values.std() > 0
    fitted = fit_numbers(NumberColumns(("a",), standardize=True), values)
    assert encode_numbers(fitted, values).tolist() == [[0.0]] * 3
    assert encode_numbers(fitted, np.array([[1.1]])).tolist() == [[1.0]]


def test_numbers_are_left_alone_unless_told() -> None:
    values = np.array([[1.0, -2.5]])
    fitted = fit_numbers(NumberColumns(("a", "b")), values)
    assert encode_numbers(fitted, values).tolist() == values.tolist()


def test_class_names_are_in_numeric_order_or_sorted() -> None:
    assert fit_classes(ClassColumn("c"), ["10", "9", "-1", "9"]).names == ("-1", "9", "10")
    assert fit_classes(ClassColumn("c"), ["b", "10", "9"]).names == ("10", "9", "b")


@given(st.lists(st.text(max_size=3), min_size=1, max_size=9))
def test_classes_stand_for_their_names(labels: list[str]) -> None:
    fitted = fit_classes(ClassColumn("c"), labels)
    classes = encode_classes(fitted, labels)
    assert [fitted.names[number] for number in classes] == labels
    assert one_hot(classes, len(fitted.names)).argmax(axis=1).tolist() == classes.tolist()
    assert encode_classes(fitted, ["never"]).tolist() == [-1]
