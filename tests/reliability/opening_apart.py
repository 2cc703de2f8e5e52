"""Opens what is opened in a process of its own, ONNX files and what libraries read; see `opening`.

What such a process does is done here, without one, so that many files are tried in little time;
this process may be ended by a table, as that one may. Then the window's part follows.

    python -m tests.reliability.opening_apart FOLDER attacks
    python -m tests.reliability.opening_apart FOLDER KIND:FIRST:LAST …
"""

import json
import shutil
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from studio import apart
from studio.document import edits
from studio.document.analysis import analyse
from studio.document.model import Document
from studio.document.plan import ImageColumn
from studio.document.project import Project
from studio.engine import onnx_apart
from studio.layers import CATALOGUE
from studio.layers.onnx_model import OnnxModel, frozen_problem
from studio.layers.shapes import shapes_of
from studio.train.encoding.pictures import picture_arrays
from studio.train.tables import Table, sound
from tests.reliability import attacks_onnx, onnx_mutants, opening, table_mutants
from tests.reliability.opening import Again, Opener, judged, try_all

SUFFIXES = {"onnx": ".onnx", "parquet": ".parquet", "workbook": ".xlsx", "picture": ".png"}
DEADLY = ("parquet", "workbook")  # libraries that read them may end their process
PIXEL = 8  # bytes: as it is unpacked, and once more


def _here(module: str, question: Mapping[str, Any], file: Path, bounds: apart.Bounds) -> Any:
    """What a process would be asked, done in this one."""
    act = {onnx_apart.__name__: onnx_apart, sound.__name__: sound}[module]
    said, buffers = act.answer(json.loads(json.dumps(question)))
    return json.loads(json.dumps(said)), bytearray().join(memoryview(b).cast("B") for b in buffers)


def open_onnx(path: Path) -> Again:
    text, weights = onnx_apart.open_onnx(path)
    layer = OnnxModel(text)
    assert not layer.problems()
    frozen_problem(text)
    file = layer.file()
    assert file is not None
    shapes_of(layer, tuple(file.inputs.values()))
    project = Project(Document())
    project.document, call = edits.add_layer(project.document, layer, (0, 0), name="file")
    place = project.document.graph.calls[call].layer
    for name, array in weights.items():
        project.store.put(place, name, array)
    analyse(project.document)
    return partial(opening.save_again, project, path.with_name("again.loom"))


def open_picture(path: Path) -> Again:
    table = Table("pictures.csv", {"picture": [path.name]}, folder=path.parent)
    binding = ImageColumn("picture", width=8, height=8)
    first = picture_arrays(table, binding)

    def again() -> None:
        assert (picture_arrays(table, binding) == first).all()

    return again


OPENERS: dict[str, Opener] = {
    "onnx": open_onnx,
    "parquet": opening.open_table,
    "workbook": opening.open_table,
    "picture": open_picture,
}


def tried(kind: str, path: Path, memory: int = 0) -> str:
    """What is wrong with how a file is opened, as `opening.judged`; it may take memory besides."""
    return judged(OPENERS[kind], path, path.stat().st_size + memory // 2, path.name)


def emptied(folder: Path) -> Path:
    """A folder within this one with nothing in it."""
    place = folder / "place"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    return place


def mutant(kind: str, number: int) -> bytes:
    """The damaged file of this number."""
    return onnx_mutants.mutant(number) if kind == "onnx" else table_mutants.mutant(kind, number)


def _warm(folder: Path) -> None:
    apart.ask = _here
    onnx_apart.ready()
    sound.ready()
    assert CATALOGUE
    seeds = {
        "onnx": [make().SerializeToString() for make in onnx_mutants.SEEDS],
        "parquet": [table_mutants.parquet()],
        "workbook": [table_mutants.workbook()],
        "picture": list(table_mutants.pictures()),
    }
    for kind, files in seeds.items():
        for data in files:
            path = emptied(folder) / f"file{SUFFIXES[kind]}"
            path.write_bytes(data)
            wrong = tried(kind, path)
            assert not wrong, f"{kind}: {wrong}"
    opening.warm_up({}, folder)


def attacks(folder: Path, wanted: str = "") -> None:
    """A line of JSON for each: its name, and "refused", "opens" or what went wrong."""
    for name, attack in attacks_onnx.ATTACKS.items():
        if wanted not in name or attack.verdict == "ends":
            continue
        place = emptied(folder)
        path = place / f"file{attack.suffix}"
        path.write_bytes(attack.make(place))
        print(json.dumps([name, tried(attack.kind, path) or "opens"]), flush=True)


def mutants(folder: Path, parts: list[str]) -> None:
    """Try mutants."""

    def one(kind: str, number: int) -> str:
        path = emptied(folder) / f"file{SUFFIXES[kind]}"
        path.write_bytes(mutant(kind, number))
        return tried(kind, path, PIXEL * 2**27 if kind == "picture" else 0)

    try_all(folder, parts, one, DEADLY)


def main(folder: Path, asked: list[str]) -> None:
    _warm(folder)
    if asked[0] == "attacks":
        attacks(folder, *asked[1:])
    else:
        mutants(folder, asked)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
