"""Parquet files, workbooks and pictures, and damaged ones."""

import io
import random
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

SHEET = "xl/worksheets/sheet1.xml"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_RELATION = "application/vnd.openxmlformats-package.relationships+xml"
_SHEETS = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"


@cache
def parquet() -> bytes:
    """Two hundred rows of numbers, texts and lists."""
    from arro3.core import Array, DataType, Table, fixed_size_list_array
    from arro3.io import write_parquet

    rng = np.random.default_rng(2)
    columns = {
        "whole": Array.from_numpy(np.arange(200)),
        "real": Array.from_numpy(rng.normal(size=200)),
        "words": Array([f"word {i % 7}" for i in range(200)], type=DataType.utf8()),
        "list": fixed_size_list_array(Array.from_numpy(np.arange(400, dtype=np.float32)), 2),
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.parquet"
        write_parquet(Table.from_pydict(columns), str(path))
        return path.read_bytes()


def sheet(cells: Sequence[tuple[str, str]]) -> dict[str, bytes]:
    """A sheet of numbers by their places, as a member of a workbook."""
    rows = "".join(
        f'<row r="{"".join(c for c in at if c.isdigit())}"><c r="{at}"><v>{value}</v></c></row>'
        for at, value in cells
    )
    words = f'<?xml version="1.0"?><worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData>'
    return {SHEET: f"{words}</worksheet>".encode()}


def workbook(changed: Mapping[str, bytes | None] = {}) -> bytes:
    """A workbook of one sheet; some members may be others, or none."""
    start = '<?xml version="1.0"?>'
    members: dict[str, bytes | None] = {
        "[Content_Types].xml": (
            f'{start}<Types xmlns="{_PACKAGE}/content-types">'
            f'<Default Extension="rels" ContentType="{_RELATION}"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEETS}"/></Types>'
        ).encode(),
        "_rels/.rels": _relation("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": (
            f'{start}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
            '<sheets><sheet name="s" sheetId="1" r:id="rId1"/></sheets></workbook>'
        ).encode(),
        "xl/_rels/workbook.xml.rels": _relation("worksheet", "worksheets/sheet1.xml"),
        **sheet([(f"{c}{r}", str(r)) for r in range(1, 9) for c in "AB"]),
        **changed,
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members.items():
            if data is not None:
                made.writestr(name, data)
    return packed.getvalue()


def _relation(kind: str, target: str) -> bytes:
    return (
        f'<?xml version="1.0"?><Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/{kind}" Target="{target}"/></Relationships>'
    ).encode()


@cache
def pictures() -> tuple[bytes, ...]:
    """One of each format that pictures mostly come in."""
    from PIL import Image

    pixels = np.random.default_rng(3).integers(0, 256, (24, 20, 3)).astype(np.uint8)
    found = []
    for name in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "TGA"):
        made = io.BytesIO()
        Image.fromarray(pixels).save(made, name)
        found.append(made.getvalue())
    return tuple(found)


def mutant(kind: str, seed: int) -> bytes:
    """The mutant of this number of a kind: ``parquet``, ``workbook``, ``picture``."""
    chance = random.Random(f"{kind} {seed}")
    if kind == "workbook" and chance.random() < 0.7:
        return _of_members(chance)
    seeds = {"parquet": (parquet(),), "workbook": (workbook(),), "picture": pictures()}[kind]
    return damaged(chance, bytearray(chance.choice(seeds)))


def _of_members(chance: random.Random) -> bytes:
    """What is packed is damaged, so that unpacking goes well."""
    with zipfile.ZipFile(io.BytesIO(workbook())) as file:
        name = chance.choice(file.namelist())
        return workbook({name: damaged(chance, bytearray(file.read(name)))})


def damaged(chance: random.Random, data: bytearray) -> bytes:
    """Bytes of which some are others, gone, or there twice."""
    match chance.randrange(5):
        case 0:
            del data[chance.randrange(len(data)) :]
        case 1 | 2:
            for _ in range(chance.choice((1, 1, 2, 8))):
                data[chance.randrange(len(data))] = chance.randrange(256)
        case 3:
            start = chance.randrange(len(data))
            del data[start : start + chance.randrange(1, 20)]
        case 4:
            start, to = chance.randrange(len(data)), chance.randrange(len(data))
            data[to:to] = data[start : start + chance.randrange(1, 200)]
    return bytes(data)
