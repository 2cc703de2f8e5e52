"""What is seen of data: tables, problems, and what each port would receive."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from studio.document import edits
from studio.document.plan import (
    ClassColumn,
    DataPlan,
    GeneratedSource,
    NumberColumns,
    PastedSource,
    Reading,
    Series,
    Split,
    TableSource,
    TextColumn,
)
from studio.examples import EXAMPLES
from studio.layers import Dense, Flatten, Input
from studio.models import Model
from studio.train import look as looks
from studio.train import table_view
from studio.train.arrays import unpacked
from studio.train.bindings import ports_of
from studio.train.data import load_data, load_table
from studio.train.look import Looker, look, some_rows
from studio.train.samples import histogram_of, text_facts
from studio.train.table_view import is_large, open_source, view_of
from studio.train.tables import Table, read_table
from tests.train.tables.test_workbooks import workbook


@pytest.fixture
def document():
    return EXAMPLES["headline"]()


def port(document, name):
    return next(p for p in ports_of(document) if p.name == name)


def with_data(document, **changes):
    return edits.set_data(document, **changes)


def test_a_sample_is_the_first_row_that_training_gets(document, tmp_path):
    loaded = load_data(document, tmp_path)
    seen = look(document, tmp_path, {})
    assert seen.problems == ()
    assert seen.rows == (len(loaded.train_rows), len(loaded.validation_rows))
    for key, column in {**loaded.train.inputs, **loaded.train.targets}.items():
        assert np.array_equal(seen.samples[key].array, unpacked(column)[0])


def test_numbers_are_counted_over_many_rows(document, tmp_path):
    seen = look(document, tmp_path, {})
    sample = seen.samples[port(document, "aux_input").key]
    edges, counts = sample.histogram
    assert counts.sum() == sample.rows * sample.array.size
    assert len(edges) == len(counts) + 1


def test_classes_are_counted_over_all_rows_that_train(document, tmp_path):
    seen = look(document, tmp_path, {})
    sample = seen.samples[port(document, "main_output").key]
    loaded = load_data(document, tmp_path)
    cells = loaded.table.columns["popular"]
    wanted = tuple((n, sum(cells[r] == n for r in loaded.train_rows)) for n in ("0", "1"))
    assert sample.balance == wanted
    assert sample.rows == len(loaded.train_rows)


def test_what_becomes_of_texts():
    binding = TextColumn("t", length=3)
    numbers = np.array([[0, 0, 2], [2, 1, 3], [0, 2, 1]])
    facts, frequent = text_facts(binding, ["a", "a b c d e", "a z"], numbers)
    assert facts.cut == pytest.approx(1 / 3)
    assert facts.padding == pytest.approx(3 / 9)
    assert facts.unknown == pytest.approx(2 / 6)
    assert facts.lengths[1].sum() == 3
    assert frequent[0] == ("a", 3)


def test_whole_numbers_have_a_bar_each():
    edges, counts = histogram_of(np.array([1, 1, 3], np.int32))
    assert edges.tolist() == [0.5, 1.5, 2.5, 3.5]
    assert counts.tolist() == [2, 0, 1]
    assert histogram_of(np.array([np.nan])) is None


def test_a_look_can_be_sent_between_processes(document, tmp_path):
    document = with_data(document, inputs={})
    seen = look(document, tmp_path, {})
    again = pickle.loads(pickle.dumps(seen))
    assert [p.code for p in again.problems] == ["input_unbound", "input_unbound"]
    assert again.table.token == seen.table.token
    assert again.table.columns == seen.table.columns


def test_a_vocabulary_is_learnt_once_while_only_the_length_changes(document, tmp_path, monkeypatch):
    learnt = []
    learn = looks.learn

    def counted(document, port, *rest):
        learnt.append(port.key)
        return learn(document, port, *rest)

    monkeypatch.setattr(looks, "learn", counted)
    looker = Looker()
    looker.look(document, tmp_path, {})
    first = port(document, "main_input")
    assert learnt.count(first.key) == 1
    longer = replace(first.binding, length=100, padding="post")
    other = with_data(document, inputs={**document.plan.data.inputs, first.key: longer})
    seen = looker.look(other, tmp_path, {})
    assert learnt.count(first.key) == 1
    loaded = load_data(other, tmp_path)
    assert np.array_equal(
        seen.samples[first.key].array, unpacked(loaded.train.inputs[first.key])[0]
    )


def test_the_beginning_of_a_table_proves_only_what_it_can(document, tmp_path):
    rows = "".join(f"some words {i},{i},{'no' if i < 2000 else 'yes'}\n" for i in range(3000))
    (tmp_path / "t.csv").write_text("headline,hour,popular\n" + rows)
    document = with_data(
        document,
        source=TableSource("t.csv"),
        inputs={port(document, "main_input").key: port(document, "main_input").binding},
    )
    seen = Looker().peek(document, tmp_path, {})
    assert not seen.table.whole
    assert seen.table.rows == 1000
    assert seen.rows is None
    codes = {p.code for p in seen.problems}
    assert "input_unbound" in codes
    assert "one_class" not in codes  # the yes stand further below
    whole = look(document, tmp_path, {})
    assert whole.table.rows == 3000
    assert whole.table.profiles["popular"].top == (("no", 2000), ("yes", 1000))


def test_what_is_shown_of_a_table_is_small():
    wide = Table("wide", {f"c{i}": ["x" * 10] * 2000 for i in range(500)})
    view = view_of(wide, GeneratedSource("none"), None)
    assert view.rows == 2000
    assert sum(map(len, view.columns.values())) <= table_view.HEAD_CELLS
    pictures = Table("pictures", {}, arrays={"p": np.zeros((500, 200, 200, 3), np.uint8)})
    head = view_of(pictures, GeneratedSource("none"), None).head
    assert head.arrays["p"].nbytes <= table_view.HEAD_BYTES
    assert not np.shares_memory(head.arrays["p"], pictures.arrays["p"])


def test_kinds_are_those_of_the_whole_table():
    cells = ["1"] * 1500 + ["one"] * 500
    view = view_of(Table("t", {"c": cells}), GeneratedSource("none"), None)
    assert view.kind("c") == Table("t", {"c": cells}).kind("c") != "integer"
    assert view.head.kind("c") == view.kind("c")
    assert view.distinct("c") == 2


def test_some_rows_have_the_first_and_are_spread():
    table = Table("t", {"c": [str(i) for i in range(1000)]})
    some = some_rows(table, np.arange(500, 1000), 5)
    assert list(some.columns["c"]) == ["500", "600", "700", "800", "900"]


def test_a_source_is_opened_with_its_beginning(tmp_path):
    (tmp_path / "t.csv").write_text("a;b\n1;x\n2;y\n")
    opened = open_source(tmp_path / "t.csv", tmp_path)
    assert opened.source.path == "t.csv"
    assert opened.source.size == 12
    assert opened.view.whole
    assert opened.view.detected.delimiter == ";"
    pasted = open_source(PastedSource("a\tb\n1\t2\n"), tmp_path)
    assert pasted.view.names == ["a", "b"]


def test_the_sheets_of_a_workbook_are_named(tmp_path):
    path = workbook(tmp_path / "b.xlsx", {"one": [["a"], [1]], "two": [["b"], [2], [3]]})
    opened = open_source(path, tmp_path, Reading(sheet="two"))
    assert opened.view.sheets == ("one", "two")
    assert opened.view.names == ["b"]
    assert opened.view.detected.sheet == "two"


def test_which_tables_are_large(tmp_path):
    (tmp_path / "small.csv").write_text("a\n1\n")
    (tmp_path / "large.csv").write_text("a\n" + "1\n" * table_view.LARGE_FILE)
    assert not is_large(TableSource("small.csv"), tmp_path)
    assert is_large(TableSource("large.csv"), tmp_path)
    assert not is_large(TableSource("missing.csv"), tmp_path)
    assert not is_large(GeneratedSource("headline"), tmp_path)
    assert is_large(TableSource("."), tmp_path)  # a folder may hold many files


SERIES = "t,x,y\n" + "".join(f"{i},{i * 2},{i % 5}\n" for i in range(60))


def series_document(tmp_path):
    (tmp_path / "s.csv").write_text(SERIES)
    inputs = Input(shape=(4, 2))
    outputs = Dense(1)(Flatten()(inputs))
    model = Model(inputs, outputs)
    model.compile(loss="mean_squared_error")
    document = model.document
    source, target = ports_of(document)
    return edits.set_data(
        document,
        source=TableSource("s.csv"),
        inputs={source.key: NumberColumns(("x", "y"))},
        targets={target.key: NumberColumns(("x",))},
        series=Series(length=4, order="t"),
        split=Split("last", 0.2),
    )


def test_windows_over_a_series_are_sampled(tmp_path):
    document = series_document(tmp_path)
    seen = look(document, tmp_path, {})
    assert [str(p) for p in seen.problems] == []
    loaded = load_data(document, tmp_path)
    assert seen.rows == (len(loaded.train), len(loaded.validation))
    for key, column in {**loaded.train.inputs, **loaded.train.targets}.items():
        assert np.array_equal(seen.samples[key].array, unpacked(column)[0])
        assert seen.samples[key].rows == len(loaded.train)


def test_rows_of_another_file_validate(tmp_path, document):
    (tmp_path / "a.csv").write_text("headline,popular\n" + "a b,0\nc d,1\n" * 10)
    (tmp_path / "b.csv").write_text("headline,popular\n" + "a d,0\nc c,1\n" * 3)
    text, target = port(document, "main_input"), port(document, "main_output")
    data = DataPlan(
        TableSource("a.csv"),
        {text.key: text.binding},
        {target.key: ClassColumn("popular")},
        Split("file", file=TableSource("b.csv")),
    )
    document = replace(document, plan=replace(document.plan, data=data))
    assert look(document, tmp_path, {}).rows == (20, 6)
    assert read_table(tmp_path / "b.csv").rows == 6


def test_a_lost_file_is_told(tmp_path, document):
    document = with_data(document, source=TableSource("missing.csv"))
    for seen in (look(document, tmp_path, {}), Looker().peek(document, tmp_path, {})):
        assert seen.table is None
        assert seen.problems[0].code == "file_missing"
    assert load_table(GeneratedSource("headline"), tmp_path).rows == 4000
