"""Columns bound from the command line, and proposed."""

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from studio.document import edits
from studio.document.model import Document
from studio.document.plan import (
    Binding,
    ClassColumn,
    DataPlan,
    DateColumn,
    FeatureColumns,
    ImageColumn,
    NumberColumns,
    SequenceColumn,
    Series,
    TableSource,
    TextColumn,
)
from studio.examples import EXAMPLES
from studio.layers.dense import Dense
from studio.layers.flatten import Flatten
from studio.layers.input import Input
from studio.losses.probabilistic import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from studio.losses.regression import MeanSquaredError
from studio.problem import ProblemError
from studio.train.bindings import suggest_bindings, with_data
from studio.train.data import check_data, load_data
from studio.train.generators import generate
from studio.train.tables import Table
from tests.train.tables_and_models import NO_SPLIT, chain, numeric, textual, written

NUMBERS = ("n1", "n2", "n3", "n4", "n5")


def plain(document: Document) -> Document:
    """Without any binding."""
    return edits.set_data(document, source=None, inputs={}, targets={})


def news(folder: Path, name: str = "news.csv") -> Path:
    header = f"title,{','.join(NUMBERS)},clicked"
    rows = (f"A title number {i},{i},2,3,4,{i * i},{i % 2}" for i in range(10))
    return written(folder, (header, *rows), name)


def refused(document: Document, *data: str) -> tuple[str, str]:
    with pytest.raises(ProblemError) as caught:
        with_data(document, data)
    return caught.value.problems[0].code, str(caught.value)


def test_ports_are_bound_by_name_with_what_suits_them(tmp_path: Path) -> None:
    path = news(tmp_path)
    columns = {
        "main_input": "title",
        "aux_input": ",".join(NUMBERS),
        "main_output": "clicked",
        "aux_output": "clicked",
    }
    data = [f"{port}={path}:{column}" for port, column in columns.items()]
    document = with_data(plain(EXAMPLES["headline"]()), data)
    main, aux = document.graph.inputs
    assert document.plan.data.inputs == {
        main: TextColumn("title", length=100, vocabulary_size=10000),
        aux: NumberColumns(NUMBERS, scaling="standardize"),
    }
    assert set(document.plan.data.targets.values()) == {ClassColumn("clicked")}
    assert check_data(document, tmp_path) == []
    assert len(load_data(document, Path("/")).train) == 8


def test_an_older_binding_keeps_its_settings(tmp_path: Path) -> None:
    document = EXAMPLES["headline"]()
    main, aux = document.graph.inputs
    old = TextColumn("headline", split="char", lower=False)
    inputs = {main: old, aux: NumberColumns(NUMBERS)}
    document = edits.set_data(document, inputs=inputs)
    document = with_data(document, [f"main_input={news(tmp_path)}:title"])
    assert document.plan.data.inputs == {**inputs, main: replace(old, column="title")}


def test_without_columns_a_port_keeps_its_own_or_takes_its_name(tmp_path: Path) -> None:
    path = written(tmp_path, ("x,other,y", "1,2,0", "3,4,1"))
    document = with_data(numeric(width=1), [f"x={path}", f"y={path}"])
    assert list(document.plan.data.inputs.values()) == [NumberColumns(("x",), "standardize")]
    assert list(document.plan.data.targets.values()) == [ClassColumn("y")]
    document = with_data(numeric(width=1), [f"x={path}:other"])
    assert with_data(document, [f"x={path}"]).plan.data.inputs == document.plan.data.inputs


def test_a_file_alone_replaces_the_table(tmp_path: Path) -> None:
    document = with_data(numeric(width=1), [f"x={news(tmp_path)}:n1"])
    other = news(tmp_path, "more.csv")
    moved = with_data(document, [str(other)])
    assert isinstance(moved.plan.data.source, TableSource)
    assert moved.plan.data.source.path == other.as_posix()
    assert moved.plan.data.inputs == document.plan.data.inputs
    assert with_data(document, []) is document


def test_what_a_target_is_depends_on_its_loss(tmp_path: Path) -> None:
    path = written(tmp_path, ("x,n,kind", "1,0.5,a", "2,1.5,b", "3,2.5,c"))
    expected = [
        (numeric(1, 3, SparseCategoricalCrossentropy()), "kind", ClassColumn("kind")),
        (numeric(1, 3, CategoricalCrossentropy()), "kind", ClassColumn("kind", one_hot=True)),
        (numeric(1, 1, MeanSquaredError()), "n", NumberColumns(("n",))),
        (numeric(1, 2, MeanSquaredError()), "n,x", NumberColumns(("n", "x"))),
    ]
    for document, columns, binding in expected:
        bound = with_data(document, [f"x={path}:x", f"y={path}:{columns}"])
        assert list(bound.plan.data.targets.values()) == [binding]
        found = check_data(edits.set_data(bound, split=NO_SPLIT), tmp_path)
        assert [p for p in found if p.severity == "error"] == []


def test_one_integer_is_a_number_and_not_a_text(tmp_path: Path) -> None:
    path = written(tmp_path, ("user,y", "3,0", "4,1"))
    document = with_data(textual(1), [f"x={path}:user"])
    assert list(document.plan.data.inputs.values()) == [NumberColumns(("user",))]


def test_names_may_hold_colons_and_commas(tmp_path: Path) -> None:
    path = written(tmp_path, ('"a,b:c",d', "1,0", "2,1"), "odd:name.csv")
    document = with_data(numeric(), [f'x={path}:"a,b:c",d'])
    assert list(document.plan.data.inputs.values()) == [
        NumberColumns(("a,b:c", "d"), "standardize")
    ]


def test_what_cannot_be_bound_is_said(tmp_path: Path) -> None:
    path, document = news(tmp_path), numeric(width=1)
    code, said = refused(document, f"z={path}:n1")
    assert code == "data_port_unknown"
    assert "“z”; it has: x, y" in said
    assert refused(document, f"x={path}")[0] == "data_column_needed"
    assert refused(document, f"x={path}:nowhere")[0] == "column_missing"
    code, said = refused(document, f"x={tmp_path}/gone.csv:n1")
    assert code == "file_missing"
    assert said.startswith("“gone.csv” is not at")
    assert refused(document, "gone.csv")[0] == "file_missing"
    other = news(tmp_path, "other.csv")
    assert refused(document, f"x={path}:n1", f"y={other}:clicked")[0] == "data_several_files"
    lossless = edits.plan_output(document, document.graph.outputs[0], loss=None)
    assert refused(lossless, f"y={path}:clicked")[0] == "no_loss"


# -- proposals -----------------------------------------------------------------------------------


def proposed(document: Document, table: Table) -> DataPlan:
    return suggest_bindings(plain(document), table)


def test_a_proposal_fits_the_headline_model(tmp_path: Path) -> None:
    document = EXAMPLES["headline"]()
    text = [f"text number {i}" for i in range(60)]
    numbers = {name: list(map(str, range(60))) for name in NUMBERS}
    labels = [str(i % 2) for i in range(60)]
    users = ["u", "v"] * 30
    table = Table("t.csv", {"user": users, "text": text, **numbers, "popular": labels})
    plan = proposed(document, table)
    main, aux = document.graph.inputs
    assert plan.inputs == {main: TextColumn("text"), aux: NumberColumns(NUMBERS, "standardize")}
    assert set(plan.targets.values()) == {ClassColumn("popular")}
    assert len(plan.targets) == 2


@pytest.mark.parametrize(
    ("file", "columns", "chosen"),
    [
        ("t.csv", ("b", "y", "label", "c"), "y"),  # the output's own name
        ("spam.csv.gz", ("label", "spam", "c"), "spam"),  # the file's
        ("t.csv", ("b", "label", "c"), "label"),  # the usual
        ("t.csv", ("b", "c"), "c"),  # the last
    ],
)
def test_a_target_is_proposed_by_name(file: str, columns: tuple[str, ...], chosen: str) -> None:
    table = Table(file, {"x1": list("1234"), **{c: list("0101") for c in columns}})
    plan = proposed(numeric(width=1), table)
    assert list(plan.targets.values()) == [ClassColumn(chosen)]
    assert list(plan.inputs.values()) == [NumberColumns(("x1",), "standardize")]


def test_nothing_is_proposed_where_nothing_suits() -> None:
    plan = proposed(textual(), Table("t", {"n": list("123456789")}))
    assert plan.inputs == {}
    assert plan.targets == {}


def test_a_binding_that_still_fits_stays() -> None:
    document = EXAMPLES["headline"]()
    plan = document.plan.data
    assert suggest_bindings(document, generate("headline", rows=50)) == plan


def test_zipped_files_are_bound_too(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"x,y\n1,0\n2,1\n"))
    document = with_data(numeric(width=1), [f"x={path}:x", f"y={path}:y"])
    assert len(load_data(edits.set_data(document, split=NO_SPLIT), tmp_path).train) == 2


# -- other kinds of columns ----------------------------------------------------------------------


def mixed() -> Table:
    """Numbers, one with empty cells; classes; a date; as rows of a shop's book."""
    rows = range(60)
    return Table(
        "sales.csv",
        {
            "when": [f"2024-{n % 12 + 1:02}-11 {n % 24}:00" for n in rows],
            "price": [f"{n / 7:.2f}" for n in rows],
            "left": ["" if n % 5 == 0 else str(n) for n in rows],
            "colour": [["red", "green", "blue"][n % 3] for n in rows],
            "popular": [str(n % 2) for n in rows],
        },
    )


PRICE = NumberColumns(("price",), "standardize")
LEFT = NumberColumns(("left",), "standardize", "mean")
COLOUR = ClassColumn("colour", True)
WHEN = DateColumn("when", ("month", "weekday", "hour"))


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (1, PRICE),
        (2, NumberColumns(("price", "left"), "standardize", "mean")),
        (5, FeatureColumns((PRICE, LEFT, COLOUR))),
        (8, FeatureColumns((PRICE, LEFT, WHEN))),
        (11, FeatureColumns((PRICE, LEFT, WHEN, COLOUR))),
        (4, FeatureColumns((PRICE, LEFT, WHEN, COLOUR))),  # none make it full: its shape will do
    ],
)
def test_numbers_classes_and_dates_are_proposed_side_by_side(
    tmp_path: Path, width: int, expected: Binding
) -> None:
    layers = Input(shape=(width,)), Dense(units=1, activation="sigmoid")
    document, call, _ = chain(*layers, loss=BinaryCrossentropy())
    table = mixed()
    plan = proposed(document, table)
    assert plan.inputs == {call: expected}
    assert list(plan.targets.values()) == [ClassColumn("popular")]
    lines = [",".join(row) for row in zip(*table.columns.values(), strict=True)]
    written(tmp_path, (",".join(table.columns), *lines), "sales.csv")
    document = edits.set_data(
        document, inputs=plan.inputs, targets=plan.targets, source=TableSource("sales.csv")
    )
    codes = [problem.code for problem in check_data(document, tmp_path)]
    assert codes == (["feature_width"] if width == 4 else [])


def test_steps_whose_columns_are_there_stay() -> None:
    steps = FeatureColumns((replace(PRICE, scaling="min_max"), COLOUR))
    document = numeric(width=4)
    (call,) = document.graph.inputs
    document = edits.set_data(document, inputs={call: steps})
    assert suggest_bindings(document, mixed()).inputs == {call: steps}


def test_the_command_line_binds_columns_of_several_kinds(tmp_path: Path) -> None:
    table = mixed()
    lines = [",".join(row) for row in zip(*table.columns.values(), strict=True)]
    path = written(tmp_path, (",".join(table.columns), *lines), "sales.csv")
    document = with_data(numeric(width=10), [f"x={path}:price,colour,when"])
    assert list(document.plan.data.inputs.values()) == [FeatureColumns((PRICE, COLOUR, WHEN))]


@pytest.mark.parametrize(
    ("shape", "dtype", "expected"),
    [
        ((28, 20, 1), "float32", ImageColumn("picture", 28, 20, "grayscale")),
        ((None, 20, 3), "float32", ImageColumn("picture", 32, 20, "rgb")),
        ((8, 8), "float32", ImageColumn("picture", 8, 8, "grayscale")),
        ((6, 1), "float32", SequenceColumn("steps", 6)),
        ((6,), "float32", SequenceColumn("steps", 6)),
        ((6,), "int32", SequenceColumn("steps", 6)),
    ],
)
def test_pictures_and_sequences_are_proposed_as_the_input_takes_them(
    shape: tuple[int | None, ...], dtype: str, expected: Binding
) -> None:
    columns = {"picture": ["a.png", "b.png"], "steps": ["1 2 3", "4 5"], "n": ["1.5", "2"]}
    document, call, _ = chain(Input(shape=shape, dtype=dtype), Flatten())
    plan = proposed(document, Table("t.csv", columns))
    assert plan.inputs == {call: expected}


def test_texts_without_spaces_are_proposed_sign_by_sign() -> None:
    texts = [f"今天的天气真好，我们去公园散步吧{n}" for n in range(60)]
    document = textual(length=12)
    (call,) = document.graph.inputs
    plan = proposed(document, Table("t.csv", {"t": texts, "label": ["0", "1"] * 30}))
    assert plan.inputs == {call: TextColumn("t", 12, 10, "unspaced")}


def test_rows_of_a_series_are_proposed_by_what_one_row_takes() -> None:
    layers = Input(shape=(7, 2)), Flatten(), Dense(units=1)
    document, call, _ = chain(*layers, loss=MeanSquaredError())
    document = edits.set_data(document, series=Series(7))
    plan = suggest_bindings(document, mixed())
    assert plan.inputs == {call: NumberColumns(("price", "left"), "standardize", "mean")}
