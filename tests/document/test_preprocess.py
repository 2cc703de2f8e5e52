"""Text, numbers and classes to arrays: against Keras's own padding, and by properties."""

import string
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.document.dates import Moment, read_date
from studio.document.plan import (
    ClassColumn,
    DateColumn,
    FeatureColumns,
    Missing,
    NumberColumns,
    Scaling,
    TextColumn,
)
from studio.document.preprocess import (
    FIRST_WORD,
    UNKNOWN,
    FittedClasses,
    FittedFeatures,
    FittedNumbers,
    FittedText,
    decode_numbers,
    decode_text,
    encode_classes,
    encode_dates,
    encode_numbers,
    encode_text,
    fit_classes,
    fit_dates,
    fit_numbers,
    fit_text,
    one_hot,
    pad_sequences,
    refit,
    tokens,
    unfitted_numbers,
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
    fitted = fit_numbers(NumberColumns(("a", "b"), scaling="standardize"), values)
    encoded = encode_numbers(fitted, values)
    np.testing.assert_allclose(encoded.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(encoded.std(axis=0), 1)
    np.testing.assert_allclose(decode_numbers(fitted, encoded), values)


def test_a_constant_column_becomes_zeros_although_its_deviation_rounds_above_0() -> None:
    values = np.full((3, 1), 0.1)
    assert values.std() > 0
    fitted = fit_numbers(NumberColumns(("a",), scaling="standardize"), values)
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


# -- other writing -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("今天天气good!", ["今", "天", "天", "气", "good", "!"]),
        ("それはiPhone15です。", [*"それは", "iphone15", *"です", "。"]),
        ("ที่นี่ hot", ["ที่", "นี่", "hot"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("won't don’t l'été", ["won't", "don’t", "l'été"]),
        ("が", ["が"]),
        ("a中b", ["a", "中", "b"]),
    ],
)
def test_signs_that_no_space_parts_stand_alone(text: str, expected: list[str]) -> None:
    assert tokens(text, TextColumn("t", split="unspaced")) == expected


@given(st.text())
def test_spaced_writing_is_split_as_words_are(text: str) -> None:
    latin = "".join(letter for letter in text if ord(letter) < 0xE00)
    expected = tokens(latin, TextColumn("t"))
    assert tokens(latin, TextColumn("t", split="unspaced")) == expected


# -- empty cells and scalings --------------------------------------------------------------------

NAN = float("nan")
GAPPED = np.array([[1.0, NAN], [NAN, 10.0], [4.0, 30.0], [7.0, NAN]])


@pytest.mark.parametrize(
    ("missing", "fill"),
    [("mean", (4.0, 20.0)), ("median", (4.0, 20.0)), ("zero", (0.0, 0.0))],
)
def test_what_stands_for_empty_cells_is_learnt_before_the_scaling(
    missing: Missing, fill: tuple[float, float]
) -> None:
    fitted = fit_numbers(NumberColumns(("a", "b"), "standardize", missing), GAPPED)
    whole = np.where(np.isnan(GAPPED), fill, GAPPED)
    assert fitted.fill == fill
    assert (fitted.mean, fitted.least) == (tuple(whole.mean(axis=0)), tuple(whole.min(axis=0)))
    encoded = encode_numbers(fitted, GAPPED)
    np.testing.assert_allclose(encoded, (whole - whole.mean(axis=0)) / whole.std(axis=0))


def test_the_median_is_of_what_is_there() -> None:
    values = np.array([[5.0], [NAN], [1.0], [100.0], [NAN], [2.0]])
    assert fit_numbers(NumberColumns(("a",), missing="median"), values).fill == (3.5,)


def test_min_max_makes_0_to_1_of_the_rows_that_train_and_goes_back() -> None:
    values = np.array([[2.0, 7.0], [4.0, 7.0], [10.0, 7.0]])
    fitted = fit_numbers(NumberColumns(("a", "b"), "min_max"), values)
    encoded = encode_numbers(fitted, values)
    np.testing.assert_allclose(encoded, [[0, 0], [0.25, 0], [1, 0]])
    np.testing.assert_allclose(decode_numbers(fitted, encoded), values)
    np.testing.assert_allclose(encode_numbers(fitted, np.array([[14.0, 8.0]])), [[1.5, 1]])


@pytest.mark.parametrize("scaling", ["none", "standardize", "min_max"])
def test_one_row_and_constant_columns_are_no_nan(scaling: Scaling) -> None:
    for values in (np.array([[3.5, 0.0]]), np.full((7, 2), 0.1)):
        fitted = fit_numbers(NumberColumns(("a", "b"), scaling), values)
        encoded = encode_numbers(fitted, values)
        np.testing.assert_array_equal(encoded, values if scaling == "none" else 0 * values)


def test_numbers_of_which_nothing_must_be_learnt() -> None:
    plain = unfitted_numbers(NumberColumns(("a",), missing="zero"))
    assert plain is not None
    np.testing.assert_array_equal(encode_numbers(plain, np.array([[NAN], [2.0]])), [[0], [2]])
    assert unfitted_numbers(NumberColumns(("a",), missing="mean")) is None
    assert unfitted_numbers(NumberColumns(("a",), "min_max")) is None


# -- dates ---------------------------------------------------------------------------------------


def moments(*cells: str) -> list[Moment]:
    return [moment for cell in cells if (moment := read_date(cell, False))]


def test_only_what_is_no_sine_or_cosine_of_a_date_is_scaled() -> None:
    binding = DateColumn("d", ("month", "elapsed"), scaling="standardize")
    train = moments("2024-01-03", "2024-01-01", "2024-04-02")
    fitted = fit_dates(binding, False, train)
    found = encode_dates(fitted, train)
    days = np.array([2.0, 0.0, 92.0])
    np.testing.assert_allclose(found[:, 2], (days - days.mean()) / days.std())
    np.testing.assert_allclose(found[0, :2], [np.sin(2 * np.pi * 0), np.cos(0)], atol=1e-12)
    assert (fitted.first, fitted.last) == (19723, 19815)
    before = encode_dates(fitted, moments("1960-06-01"))
    assert before[0, 2] < -100


def test_one_date_is_no_nan() -> None:
    fitted = fit_dates(
        DateColumn("d", scaling="min_max", cyclic=False), False, moments("2024-05-06")
    )
    np.testing.assert_array_equal(encode_dates(fitted, moments("2024-05-06")), [[0, 0, 0]])


# -- what goes on being used ---------------------------------------------------------------------


def test_what_was_learnt_fits_other_columns_but_no_other_steps() -> None:
    numbers = NumberColumns(("a", "b"), "min_max", "median")
    learnt = fit_numbers(numbers, np.array([[1.0, 2.0], [3.0, 5.0]]))
    again = refit(learnt, replace(numbers, columns=("x", "y")))
    assert isinstance(again, FittedNumbers)
    assert (again.offset, again.binding.columns) == (learnt.offset, ("x", "y"))
    others = [("x",), "min_max", "median"], [("x", "y"), "none", "median"], [("x", "y"), "min_max"]
    assert not any(refit(learnt, NumberColumns(*other)) for other in others)  # type: ignore[arg-type]
    dates = fit_dates(DateColumn("d"), False, moments("2024-05-06"))
    assert refit(dates, DateColumn("e")) == replace(dates, binding=DateColumn("e"))
    assert refit(dates, DateColumn("d", day_first=True)) is None
    assert refit(dates, DateColumn("d", ("year",))) is None
    parts = (numbers, DateColumn("d"))
    features = FittedFeatures(FeatureColumns(parts), (learnt, dates))
    other = FeatureColumns((replace(numbers, columns=("x", "y")), DateColumn("e")))
    assert refit(features, other) == FittedFeatures(other, (again, refit(dates, DateColumn("e"))))  # type: ignore[arg-type]
    assert refit(features, FeatureColumns(parts[:1])) is None
    assert refit(features, FeatureColumns(parts[::-1])) is None
    classes = FittedClasses(ClassColumn("c"), ("a", "b"))
    assert refit(classes, ClassColumn("d", one_hot=True)) is not None
    assert refit(classes, ClassColumn("c", missing="class")) is None
