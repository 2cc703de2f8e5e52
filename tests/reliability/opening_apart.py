"""Opens what is opened in a process of its own, ONNX files and what libraries read; see `opening`.

What such a process does is done here, without one, so that many files are tried in little time;
this process may be ended by a table, as that one may. Then the window's part follows.

    python -m tests.reliability.opening_apart FOLDER attacks
    python -m tests.reliability.opening_apart FOLDER KIND:FIRST:LAST …
"""

import json
import shutil
import sys
import time
import warnings
from collections.abc import Callable, Mapping
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
from studio.formats import loom
from studio.layers import CATALOGUE
from studio.layers.onnx_model import OnnxModel, frozen_problem
from studio.layers.shapes import shapes_of
from studio.problem import ProblemError
from studio.train.encoding.pictures import picture_arrays
from studio.train.tables import Table, sound
from tests.reliability import attacks_onnx, onnx_mutants, opening, table_mutants
from tests.reliability.opening import SECONDS, Again, watched

SUFFIXES = {"onnx": ".onnx", "parquet": ".parquet", "workbook": ".xlsx", "picture": ".png"}
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

    def again() -> None:
        first = loom.to_bytes(project, path.parent)
        other = path.with_name("again.loom")
        other.write_bytes(first)
        assert loom.to_bytes(loom.load(other), path.parent) == first

    return again


def open_picture(path: Path) -> Again:
    table = Table("pictures.csv", {"picture": [path.name]}, folder=path.parent)
    binding = ImageColumn("picture", width=8, height=8)
    first = picture_arrays(table, binding)

    def again() -> None:
        assert (picture_arrays(table, binding) == first).all()

    return again


OPENERS: dict[str, Callable[[Path], Again]] = {
    "onnx": open_onnx,
    "parquet": opening.open_table,
    "workbook": opening.open_table,
    "picture": open_picture,
}


def tried(kind: str, path: Path, memory: int = 0) -> str:
    """What is wrong with how a file was opened; "refused" for a good refusal, else empty."""
    began = time.process_time()
    refusal, again = None, None
    try:
        with warnings.catch_warnings(), watched(path.stat().st_size + memory // 2):
            warnings.simplefilter("error")
            try:
                again = OPENERS[kind](path)
            except ProblemError as error:
                refusal = error
    except BaseException as error:
        return "raised " + opening._short(error)
    took = time.process_time() - began
    if opening._done:
        return f"did {opening._done[:3]}"
    if took > SECONDS:
        return f"took {took:.1f} s"
    if refusal is not None:
        return opening._ill_said(refusal, path.name) or "refused"
    try:
        again()  # type: ignore[misc]
    except BaseException as error:
        return "opened, but then " + opening._short(error)
    return ""


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
    """A line of JSON for each that is not as it should be, and one at the end."""
    counts = {"opened": 0, "refused": 0}
    with (folder / "progress").open("w") as progress:
        for part in parts:
            kind, first, last = part.split(":")
            for number in range(int(first), int(last)):
                progress.seek(0)
                progress.write(f"{kind}:{number}:{last} \n")
                progress.flush()
                path = emptied(folder) / f"file{SUFFIXES[kind]}"
                path.write_bytes(mutant(kind, number))
                pixels = PIXEL * 2**27 if kind == "picture" else 0
                found = tried(kind, path, pixels)
                if found in ("", "refused"):
                    counts[found or "opened"] += 1
                    if kind in ("parquet", "workbook"):  # the next may end this process
                        print(json.dumps(counts), flush=True)
                        counts = {"opened": 0, "refused": 0}
                else:
                    print(json.dumps({"mutant": f"{kind}:{number}", "found": found}), flush=True)
            print(json.dumps(counts), flush=True)
            counts = {"opened": 0, "refused": 0}


def main(folder: Path, asked: list[str]) -> None:
    _warm(folder)
    act = (
        partial(attacks, folder, *asked[1:])
        if asked[0] == "attacks"
        else partial(mutants, folder, asked)
    )
    act()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
