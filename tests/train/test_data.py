"""From bindings to arrays, and what is said of data that does not fit."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from studio.document import edits
from studio.document.model import Document
from studio.document.plan import (
    ClassColumn,
    DateColumn,
    FeatureColumns,
    GeneratedSource,
    NumberColumns,
    Split,
    TableSource,
    TextColumn,
)
from studio.document.preprocess import FittedClasses, FittedText
from studio.examples import EXAMPLES
from studio.examples.headline import HEADLINE_NUMBERS
from studio.layers.dense import Dense
from studio.layers.embedding import Embedding
from studio.layers.flatten import Flatten
from studio.layers.input import Input
from studio.limits import GENERATED_ROWS
from studio.losses.probabilistic import CategoricalCrossentropy, SparseCategoricalCrossentropy
from studio.losses.regression import MeanSquaredError
from studio.problem import ProblemError
from studio.text import LANGUAGES, set_language
from studio.train.data import check_data, load_data, split_rows
from studio.train.tables import Table, table_source
from tests.train.tables_and_models import (
    ROWS,
    bound,
    chain,
    mended,
    numeric,
    refused,
    textual,
    written,
)

NUMBERS = NumberColumns(("a", "b"))
LABEL = ClassColumn("label")
TEXT = TextColumn("text", length=3, vocabulary_size=10)


# -- what fits -----------------------------------------------------------------------------------


def test_numbers_and_two_classes(tmp_path: Path) -> None:
    written(tmp_path)
    document = bound(numeric(), NUMBERS, LABEL)
    data = load_data(document, tmp_path)
    (x,), (y,) = data.train.inputs.values(), data.train.targets.values()
    assert x.dtype == y.dtype == np.float32
    np.testing.assert_array_equal(x, [[1, 10], [2, 20], [3, 30], [4, 40], [5, 50]])
    np.testing.assert_array_equal(y, [[0], [1], [0], [1], [1]])
    assert data.validation is None
    assert check_data(document, tmp_path) == []


def test_text_is_learnt_from_training_rows_only(tmp_path: Path) -> None:
    written(tmp_path)
    document = bound(textual(), TEXT, LABEL, Split("last", 0.2))
    data = load_data(document, tmp_path)
    (text,) = (f for f in data.fitted.values() if isinstance(f, FittedText))
    assert text.words == ("good", "bad", "day", "night")
    (train,), (held,) = data.train.inputs.values(), data.validation.inputs.values()  # type: ignore[union-attr]
    assert train.dtype == np.int32
    assert train.tolist() == [[2, 2, 4], [0, 3, 4], [0, 2, 5], [3, 3, 5]]
    assert held.tolist() == [[0, 1, 1]]
    assert data.validation_rows.tolist() == [4]


def test_statistics_are_learnt_from_training_rows_only(tmp_path: Path) -> None:
    written(tmp_path)
    split = Split("column", column="part", value="y")
    document = bound(numeric(), replace(NUMBERS, scaling="standardize"), LABEL, split)
    data = load_data(document, tmp_path)
    (train,), (held,) = data.train.inputs.values(), data.validation.inputs.values()  # type: ignore[union-attr]
    mean, deviation = np.mean([1, 2, 5]), np.std([1, 2, 5])
    np.testing.assert_allclose(train[:, 0], (np.array([1, 2, 5]) - mean) / deviation, rtol=1e-6)
    np.testing.assert_allclose(held[:, 0], (np.array([3, 4]) - mean) / deviation, rtol=1e-6)


@pytest.mark.parametrize(
    ("loss", "one_hot", "dtype", "shape"),
    [
        (SparseCategoricalCrossentropy(), False, np.int32, (5, 1)),
        (CategoricalCrossentropy(), True, np.float32, (5, 3)),
    ],
)
def test_several_classes(
    tmp_path: Path, loss: object, one_hot: bool, dtype: type, shape: tuple[int, int]
) -> None:
    written(tmp_path)
    kind = ClassColumn("kind", one_hot)
    data = load_data(bound(numeric(units=3, loss=loss), NUMBERS, kind), tmp_path)  # type: ignore[arg-type]
    (y,) = data.train.targets.values()
    (names,) = (f.names for f in data.fitted.values() if isinstance(f, FittedClasses))
    assert (y.dtype, y.shape) == (dtype, shape)
    classes = y.argmax(axis=1) if one_hot else y[:, 0]
    assert [names[c] for c in classes] == ["red", "blue", "green", "red", "blue"]


def test_numbers_are_targets_of_a_regression_and_fill_any_shape(tmp_path: Path) -> None:
    written(tmp_path)
    layers = Input(shape=(2, 1)), Dense(units=1)
    document, _, _ = chain(*layers, loss=MeanSquaredError())
    data = load_data(bound(document, NUMBERS, NumberColumns(("b", "a"))), tmp_path)
    (x,), (y,) = data.train.inputs.values(), data.train.targets.values()
    assert x.shape == y.shape == (5, 2, 1)
    assert x[1].ravel().tolist() == [2, 20]
    assert y[1].ravel().tolist() == [20, 2]


def test_an_input_of_any_length_takes_the_texts_length(tmp_path: Path) -> None:
    written(tmp_path)
    layers = Input(shape=(None,), dtype="int64"), Embedding(input_dim=10, output_dim=1)
    document, _, _ = chain(*layers)
    data = load_data(bound(document, replace(TEXT, length=7), None), tmp_path)
    (x,) = data.train.inputs.values()
    assert (x.shape, x.dtype) == ((5, 7), np.int64)


def test_what_was_learnt_is_used_again_whatever_the_columns_are_called(tmp_path: Path) -> None:
    written(tmp_path)
    document = bound(textual(), TEXT, LABEL)
    fitted = load_data(document, tmp_path).fitted
    written(tmp_path, ("words,label", "night night,0", "new good,1"), "u.csv")
    other = bound(textual(), replace(TEXT, column="words"), LABEL, file="u.csv")
    again = load_data(other, tmp_path, fitted)
    (x,), (before,) = again.train.inputs.values(), document.graph.inputs
    words = fitted[before].words  # type: ignore[union-attr]
    assert x.tolist() == [[0, *[words.index("night") + 2] * 2], [0, 1, words.index("good") + 2]]
    anew = load_data(bound(textual(), replace(TEXT, lower=False), LABEL), tmp_path, fitted)
    assert anew.fitted[before].binding.lower is False  # type: ignore[union-attr]


def test_other_labels_than_those_learnt_are_refused(tmp_path: Path) -> None:
    written(tmp_path)
    fitted = load_data(bound(numeric(), NUMBERS, LABEL), tmp_path).fitted
    written(tmp_path, ("a,b,label", "1,2,no", "3,4,yes"), "u.csv")
    with pytest.raises(ProblemError, match="reset the weights and train") as caught:
        load_data(bound(numeric(), NUMBERS, LABEL, file="u.csv"), tmp_path, fitted)
    (problem,) = caught.value.problems
    assert problem.args["expected"] == "0, 1"
    assert problem.args["more"] == 1


def test_strange_texts_for_a_known_vocabulary_are_warned_of(tmp_path: Path) -> None:
    written(tmp_path)
    document = bound(textual(), TEXT, LABEL)
    fitted = load_data(document, tmp_path).fitted
    assert load_data(document, tmp_path, fitted).warnings == ()
    written(tmp_path, ("text,label", "quite other words,0", "good things here,1"), "u.csv")
    (warning,) = load_data(bound(textual(), TEXT, LABEL, file="u.csv"), tmp_path, fitted).warnings
    assert warning.severity == "warning"
    assert str(warning).startswith("83 % of the words in “text” are unknown")


# -- splits --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fraction", "train"), [(0.2, 8), (0.9, 1), (0.25, 7), (0.0, 10)])
@pytest.mark.parametrize("kind", ["random", "last"])
def test_shares_are_cut_as_keras_cuts_them(kind: str, fraction: float, train: int) -> None:
    table = Table("t", {"a": ["0"] * 10})
    rows, held = split_rows(table, Split(kind, fraction, seed=1))  # type: ignore[arg-type]
    assert len(rows) == train
    assert sorted([*rows, *held]) == list(range(10))
    assert list(rows) == sorted(rows)
    assert (list(rows) == list(range(train))) is (kind == "last" or fraction == 0)


def test_a_random_split_depends_on_its_seed_alone() -> None:
    table = Table("t", {"a": ["0"] * 100})
    first, again, other = (split_rows(table, Split(seed=s))[1].tolist() for s in (3, 3, 4))
    assert first == again != other


@pytest.mark.parametrize(
    ("split", "code"),
    [
        (Split("last", 1.0), "no_training_rows"),
        (Split("column", column="part", value="z"), "split_value_missing"),
        (Split("column", column="nowhere", value="z"), "column_missing"),
    ],
)
def test_a_split_that_cannot_be(tmp_path: Path, split: Split, code: str) -> None:
    written(tmp_path)
    assert [p.code for p in refused(bound(numeric(), NUMBERS, LABEL, split), tmp_path)] == [code]


# -- what does not fit ---------------------------------------------------------------------------


def test_everything_wrong_is_found_at_once(tmp_path: Path) -> None:
    written(tmp_path, ("text,a,label", "x,1,0", ",oops,1", "y,,1"))
    document = bound(numeric(), NumberColumns(("a", "nowhere")), ClassColumn("gone"))
    found = refused(document, tmp_path)
    assert [p.code for p in found] == [
        "cell_empty",
        "cell_not_number",
        "column_missing",
        "column_missing",
    ]
    assert found[1].args == {"file": "t.csv", "column": "a", "row": 3, "cell": "oops"}
    (x,), (y,) = document.graph.inputs, document.graph.outputs
    assert [p.where for p in found] == [x, x, x, y.call]


FIXED: list[tuple[Callable[[], Document], str, str]] = [
    (lambda: bound(textual(length=2), TEXT, LABEL), "text_length", "3 integers"),
    (lambda: bound(textual(rows=6), TEXT, LABEL), "vocabulary_size", "only 6 rows"),
    (
        lambda: bound(numeric(), NUMBERS, ClassColumn("label", one_hot=True)),
        "one_hot_unwanted",
        "one-hot",
    ),
    (
        lambda: bound(
            numeric(units=3, loss=CategoricalCrossentropy()), NUMBERS, ClassColumn("kind")
        ),
        "one_hot_wanted",
        "takes 3 numbers",
    ),
    (
        lambda: bound(
            numeric(units=2, loss=SparseCategoricalCrossentropy()), NUMBERS, ClassColumn("kind")
        ),
        "class_count",
        "has 3 classes",
    ),
    (
        lambda: bound(
            numeric(units=5, loss=CategoricalCrossentropy()), NUMBERS, ClassColumn("kind", True)
        ),
        "class_count",
        "gives 5 values",
    ),
    (lambda: bound(numeric(), NUMBERS, ClassColumn("kind")), "classes_not_two", "has 3 classes"),
]


@pytest.mark.parametrize(("document", "code", "said"), FIXED)
def test_a_misfit_is_mended_by_its_repair(
    tmp_path: Path, document: Callable[[], Document], code: str, said: str
) -> None:
    written(tmp_path)
    (problem,) = refused(document(), tmp_path)
    assert problem.code == code
    assert said in str(problem)
    better = mended(document(), problem)
    assert check_data(better, tmp_path) == []
    load_data(better, tmp_path)


UNFIXED: list[tuple[Callable[[], Document], str]] = [
    (lambda: bound(numeric(width=3), NUMBERS, LABEL), "number_columns"),
    (lambda: bound(numeric(), NumberColumns(()), LABEL), "number_columns"),
    (lambda: bound(numeric(), NUMBERS, NumberColumns(("a", "b"))), "target_columns"),
    (lambda: bound(numeric(), NUMBERS, NumberColumns(("a",))), "cell_outside_and_more"),
    (lambda: bound(numeric(), NUMBERS, TEXT), "target_text"),
    (lambda: bound(numeric(), NUMBERS, None), "target_unbound"),
    (lambda: bound(numeric(), None, LABEL), "input_unbound"),
    (lambda: bound(numeric(), ClassColumn("kind", True), LABEL), "input_classes"),
    (lambda: bound(textual(1, rows=3), NumberColumns(("whole",)), LABEL), "cell_outside_and_more"),
    (lambda: bound(textual(1, rows=2), ClassColumn("kind"), LABEL), "classes_outside"),
    (
        lambda: bound(textual(1, rows=99), NumberColumns(("text",)), LABEL),
        "cell_not_number_and_more",
    ),
    (
        lambda: bound(numeric(), NUMBERS, ClassColumn("kind"), Split("last", 0.7)),
        "label_unseen_and_more",
    ),
]


@pytest.mark.parametrize(("document", "code"), UNFIXED)
def test_a_misfit_is_a_problem(tmp_path: Path, document: Callable[[], Document], code: str) -> None:
    written(tmp_path)
    assert code in [p.code for p in refused(document(), tmp_path)]


def test_text_to_a_float_input_names_the_type(tmp_path: Path) -> None:
    written(tmp_path)
    document = bound(chain(Input(shape=(3,)), Flatten())[0], TEXT, None)
    (problem,) = refused(document, tmp_path)
    assert problem.code == "text_needs_integers"
    assert check_data(mended(document, problem), tmp_path) == []


def test_fractions_and_standardizing_do_not_become_integers(tmp_path: Path) -> None:
    written(tmp_path, ("a,label", "1,0", "1.5,1"))
    document = bound(textual(1), NumberColumns(("a",), scaling="standardize"), LABEL)
    (problem,) = refused(document, tmp_path)
    assert problem.code == "integers_scaled"
    (problem,) = refused(mended(document, problem), tmp_path)
    assert (problem.code, problem.args["row"]) == ("cell_not_whole", 3)


def test_an_empty_text_is_a_problem(tmp_path: Path) -> None:
    written(tmp_path, ("text,label", "a,0", " ,1"))
    (problem,) = refused(bound(textual(), TEXT, LABEL), tmp_path)
    assert (problem.code, problem.args["row"]) == ("cell_empty", 3)


def test_an_error_of_a_spreadsheet_is_neither_filled_in_nor_a_class(tmp_path: Path) -> None:
    """An empty cell may be; “#DIV/0!” says that something went wrong."""
    written(tmp_path, ("a,b,when,kind,label", "1,2,2024-01-01,x,0", "#DIV/0!,3,#REF!,#NAME?,1"))
    numbers, dates = NumberColumns(("a", "b"), missing="mean"), DateColumn("when", missing="median")
    features = FeatureColumns((numbers, dates, ClassColumn("kind", one_hot=True, missing="class")))
    found = refused(bound(numeric(), features, LABEL), tmp_path)
    assert {p.code for p in found} == {"cell_error"}
    assert {(p.args["column"], p.args["cell"], p.args["row"]) for p in found} == {
        ("a", "#DIV/0!", 3),
        ("when", "#REF!", 3),
        ("kind", "#NAME?", 3),
    }
    for language in LANGUAGES:
        set_language(language)
        assert all("problems." not in str(p) and str(p.args["cell"]) in str(p) for p in found)
    set_language("en")
    written(tmp_path, ("text,label", "a,0", "#NAME?,1"))
    (problem,) = refused(bound(textual(), TEXT, LABEL), tmp_path)
    assert (problem.code, problem.args["row"]) == ("cell_error", 3)
    written(tmp_path, ("a,b,label", "1,1,0", "2,1,#REF!"))
    (problem,) = refused(bound(numeric(), NUMBERS, LABEL), tmp_path)
    assert (problem.code, problem.args["column"]) == ("cell_error", "label")


def test_a_changed_file_is_noticed_and_can_be_accepted(tmp_path: Path) -> None:
    path = written(tmp_path)
    document = bound(numeric(), NUMBERS, LABEL)
    document = edits.set_data(document, source=table_source(path, tmp_path))
    assert check_data(document, tmp_path) == []
    written(tmp_path, (*ROWS, "one more,6,60,5,0,red,x"))
    (problem,) = refused(document, tmp_path)
    assert problem.code == "file_changed"
    accepted = mended(document, problem)
    assert len(load_data(accepted, tmp_path).train) == 6
    path.unlink()
    (problem,) = refused(accepted, tmp_path)
    assert problem.code == "file_missing"


def test_bindings_are_checked_even_where_the_file_is_missing(tmp_path: Path) -> None:
    found = [p.code for p in check_data(bound(textual(length=2), TEXT, LABEL), tmp_path)]
    assert found == ["file_missing", "text_length"]


def test_no_data_is_a_warning_until_training_asks(tmp_path: Path) -> None:
    assert check_data(Document(), tmp_path) == []
    (problem,) = check_data(numeric(), tmp_path)
    assert (problem.code, problem.severity) == ("no_data", "warning")
    with pytest.raises(ProblemError, match="No data is bound"):
        load_data(numeric(), tmp_path)


def test_a_broken_model_says_what_breaks_it(tmp_path: Path) -> None:
    written(tmp_path)
    document = bound(textual(), TEXT, LABEL)
    broken = edits.disconnect(document, list(document.graph.wires)[:1])
    with pytest.raises(ProblemError) as caught:
        load_data(broken, tmp_path)
    assert caught.value.problems[0].code == "nothing_arrives"


# -- real tables ---------------------------------------------------------------------------------

PLACES = [
    os.environ.get("LAYERLOOM_DATA", ""),
    str(Path(__file__).parents[3] / "shared" / "data"),
]
DATA = next((Path(p) for p in PLACES if p and Path(p).is_dir()), None)
REAL = {
    "clickbait/clickbait.csv.gz": (
        "headline",
        ("n_words", "n_chars", "has_digit", "n_caps", "has_question"),
        "clickbait",
        32000,
    ),
    "tweets_2authors/tweets.csv.gz": (
        "text",
        ("hour", "weekday", "year", "replies", "favorites"),
        "popular",
        6380,
    ),
}


@pytest.mark.skipif(DATA is None, reason="the data sets are not here; set LAYERLOOM_DATA")
@pytest.mark.parametrize("name", REAL)
def test_real_tables_feed_the_headline_model(name: str) -> None:
    assert DATA is not None
    text, numbers, label, rows = REAL[name]
    document = EXAMPLES["headline"]()
    main, aux = document.graph.inputs
    document = edits.set_data(
        document,
        source=TableSource(name),
        inputs={main: TextColumn(text), aux: NumberColumns(numbers, "standardize")},
        targets={e.key: ClassColumn(label) for e in document.graph.outputs},
    )
    assert check_data(document, DATA) == []
    data = load_data(document, DATA)
    assert len(data.train) == rows * 4 // 5
    x = data.train.inputs[main]
    assert (x[:, -1] > 0).all()  # padding comes before
    assert (x == 1).mean() < 0.02  # hardly a word is unknown
    np.testing.assert_allclose(data.train.inputs[aux].mean(axis=0), 0, atol=1e-4)


def test_the_example_needs_no_file(tmp_path: Path) -> None:
    document = EXAMPLES["headline"]()
    assert document.plan.data.source == GeneratedSource("headline")
    data = load_data(document, tmp_path)
    assert len(data.train) == 3200
    assert set(HEADLINE_NUMBERS) < set(data.table.columns)


def test_labels_that_are_all_one_are_warned_of(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "one.csv").write_text("a,b,label\n" + "".join(f"{i},{i},x\n" for i in range(6)))
    document = edits.set_data(
        bound(numeric(), NUMBERS, LABEL), source=TableSource(str(tmp_path / "one.csv"))
    )
    (warning,) = load_data(document, tmp_path).warnings
    assert warning.code == "one_class"
    assert warning.severity == "warning"
    assert "“label”" in str(warning)


@pytest.mark.parametrize("rows", [-1, GENERATED_ROWS + 1, 2**62])
def test_rows_that_nobody_makes_up_are_refused_before_they_are(rows: int, tmp_path: Path) -> None:
    document = EXAMPLES["video"]()
    asked = edits.set_data(document, source=GeneratedSource("video", rows))
    (problem,) = check_data(asked, tmp_path)
    assert problem.code == "generated_rows"
    assert mended(asked, problem).plan.data.source == GeneratedSource("video")
