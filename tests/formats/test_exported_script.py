"""The exported script reads pictures, sequences and other people's tables as training does."""

import csv
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
from studio.document.plan import Binding, ImageColumn, NumberColumns, SequenceColumn, TableSource
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
    (expected,) = encode_columns(document, {}, read_table(table)).values()
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
    ],
)
def test_tables_of_other_people(tmp_path: Path, text: str, columns: tuple[str, ...]) -> None:
    table = tmp_path / "t.csv"
    table.write_text(text)
    found, expected = compared(same(NumberColumns(columns), 2), table, tmp_path)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
