"""The exported script reads pictures, sequences and other people's tables as training does."""

import csv
import gzip
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studio.document import edits
from studio.document.model import Document
from studio.document.plan import (
    Binding,
    ImageColumn,
    NumberColumns,
    Reading,
    SequenceColumn,
    TableSource,
)
from studio.document.project import Project
from studio.engine.program import Array
from studio.formats.onnx_export import export
from studio.layers.activation import Activation
from studio.layers.base import Layer
from studio.layers.input import Input
from studio.train.arrays import unpacked
from studio.train.prediction import encode_columns
from studio.train.tables import read_table
from tests.train.tables_and_models import chain


def same(binding: Binding, *sizes: int | None) -> Document:
    """A model that gives back what it takes."""
    layers: list[Layer] = [Input(sizes), Activation("linear")]
    document = chain(*layers)[0]
    return edits.set_data(
        document, source=TableSource("t.csv"), inputs={document.graph.inputs[0]: binding}
    )


def compared(document: Document, table: Path, folder: Path) -> tuple[Array, Array]:
    """What the script gives for a table, and what the model takes of it."""
    export(Project(document), folder / "m.onnx")
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    ran = subprocess.run(
        [sys.executable, "-W", "error", str(folder / "m.py"), str(table)],
        capture_output=True,
        cwd=elsewhere,
        encoding="utf-8",
    )
    assert ran.returncode == 0, ran.stderr
    csv.field_size_limit(2**24)
    answers = list(csv.DictReader(ran.stdout.splitlines()))
    found = np.array([[float(v) for v in answer["y"].split()] for answer in answers])
    source = document.plan.data.source
    assert isinstance(source, TableSource)
    (expected,) = encode_columns(document, {}, read_table(table, source.reading)).values()
    return found, unpacked(expected).reshape(len(found), -1)


def pictures(folder: Path) -> None:
    """One of each kind that is opened differently."""
    rng = np.random.default_rng(2)
    for place in ("a", "b"):
        (folder / "all" / place).mkdir(parents=True)
    wide = Image.fromarray(rng.integers(0, 256, (40, 90, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    wide.resize((900, 400)).save(folder / "all/a/turned.jpg", exif=exif)
    wide.convert("RGBA").save(folder / "all/a/alpha.png")
    wide.quantize(8).save(folder / "all/b/palette.gif")
    deep = rng.integers(0, 65536, (30, 20), dtype=np.uint16)
    Image.fromarray(deep).save(folder / "all/b/deep.png")
    Image.fromarray((deep / 65535).astype(np.float32)).save(folder / "all/b/float.tiff")


PICTURE = ImageColumn("image", 5, 7)


@pytest.mark.parametrize(
    ("change", "sizes"),
    [
        ({}, (5, 7, 3)),
        ({"resize": "crop"}, (None, None, 3)),
        ({"resize": "pad", "color": "grayscale", "divisor": 127.5}, (5, 7)),
        ({"color": "grayscale"}, (35,)),
    ],
)
def test_pictures(tmp_path: Path, change: dict[str, Any], sizes: tuple[int | None, ...]) -> None:
    pictures(tmp_path)
    document = same(replace(PICTURE, **change), *sizes)
    found, expected = compared(document, tmp_path / "all", tmp_path)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    listed = tmp_path / "t.csv"
    listed.write_text("image\nall/a/turned.jpg\nall\\b\\deep.png\n")
    found, expected = compared(document, listed, tmp_path)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("end", ["pre", "post"])
def test_sequences(tmp_path: Path, end: Any) -> None:
    binding = SequenceColumn("s", 3, end, "post" if end == "pre" else "pre")
    table = tmp_path / "t.csv"
    table.write_text('s\n1 2 3 4\n"[5, 6]"\n7;8\n-9\n')
    found, expected = compared(same(binding, 3), table, tmp_path)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("a; b;c\n1,5;x;2\n-3;y;0,25\n", ("a", "c")),
        ("a\tb\tc\n1.5\tx\t2\n\n3\ty\t4\n", ("c", "a")),
        (",b\n0,5\n1,6\n", ("b", "column 1")),
        ("5.1,3.5,setosa\n4.9,3.0,virginica\n", ("column 1", "column 2")),
        ("a,a,b\n1,2,3\n4,5,6\n", ("a", "a (2)")),
        ('"a;\n""b"",,";c\n1,25;1.002,5\n3;4\n', ('a;\n"b",,', "c")),
        ("数|ق, 😀\n1|2\n3|4,5\n5|6\n", ("数", "ق, 😀")),
        ("\n;\nid;x\n1;2.5\n3;0.5\n", ("id", "x")),
    ],
)
def test_tables_of_other_people(tmp_path: Path, text: str, columns: tuple[str, ...]) -> None:
    table = tmp_path / "t.csv"
    table.write_text(text)
    found, expected = compared(same(NumberColumns(columns), 2), table, tmp_path)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_delimiter_in_a_cell_of_a_table_of_one_column(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("n\n1,5\n-2,25\n")
    found, expected = compared(same(NumberColumns(("n",)), 1), table, tmp_path)
    assert found.ravel().tolist() == expected.ravel().tolist() == [1.5, -2.25]


@pytest.mark.parametrize(
    ("encoding", "said"),
    [("utf-16", ""), ("utf-8-sig", ""), ("gb18030", "gb18030"), ("shift_jis", "shift_jis")],
)
def test_encodings(tmp_path: Path, encoding: str, said: str) -> None:
    table = tmp_path / "t.csv"
    table.write_text("数,x\n1,2\n3,4\n", encoding=encoding)
    document = same(NumberColumns(("数", "x")), 2)
    source = TableSource("t.csv", reading=Reading(encoding=said))
    document = edits.set_data(document, source=source)
    found, expected = compared(document, table, tmp_path)
    np.testing.assert_array_equal(found, expected)


def test_what_was_said_of_reading_holds_for_the_script(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("a~b\n'1'~2\n3~'4'\n")
    document = same(NumberColumns(("a", "b")), 2)
    source = TableSource("t.csv", reading=Reading(delimiter="~", quote="'"))
    document = edits.set_data(document, source=source)
    found, expected = compared(document, table, tmp_path)
    assert found.tolist() == expected.tolist() == [[1, 2], [3, 4]]


def test_a_zipped_table(tmp_path: Path) -> None:
    table = tmp_path / "t.csv.gz"
    table.write_bytes(gzip.compress(b"a,b\n1,2\n3,4\n"))
    found, expected = compared(same(NumberColumns(("b", "a")), 2), table, tmp_path)
    np.testing.assert_array_equal(found, expected)


def test_text_the_script_cannot_decode_is_refused_in_a_sentence(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_bytes("名,b\n1,2\n".encode("gb18030"))
    export(Project(same(NumberColumns(("b",)), 1)), tmp_path / "m.onnx")
    ran = subprocess.run(
        [sys.executable, str(tmp_path / "m.py"), str(table)], capture_output=True, encoding="utf-8"
    )
    assert ran.returncode == 1
    assert ran.stderr.splitlines() == [
        't.csv is not utf-8-sig: name its "encoding" in "reading" of the .json'
    ]
