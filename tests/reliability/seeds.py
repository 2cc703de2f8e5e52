"""Whole files of every kind that is opened, small ones, from which damaged ones are made."""

import gzip
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import HealthCheck, given, settings

from studio.declare import declared
from studio.document import edits
from studio.document.excerpt import excerpt
from studio.document.model import Document, Endpoint
from studio.document.plan import ClassColumn, DateColumn, NumberColumns, TextColumn
from studio.document.preprocess import FittedClasses, FittedDates, FittedNumbers, FittedText
from studio.document.project import Project, Run
from studio.examples import EXAMPLES
from studio.formats import clipboard, loom
from studio.formats.journal import Recorder
from studio.layers import CATALOGUE
from studio.layers.cell import Cell, Lag
from studio.layers.input import Input
from studio.train import keeper
from studio.train.arrays import Arrays
from studio.train.checkpoints import About as CheckpointAbout
from studio.train.checkpoints import Kept
from studio.train.course import Course
from studio.train.events import Hit
from studio.train.reproduction import About, Reproduction
from studio.train.reproduction import write as write_step
from tests.formats.documents import documents
from tests.formats.examples import fill, two_outputs
from tests.reliability.mutating import packed

GOLDEN = Path(__file__).parents[1] / "formats" / "golden"
HISTORY = {"loss": [0.7, 0.25], "val_loss": [0.75, float("nan")]}
RANDOM = 12  # documents


def write_all(folder: Path) -> dict[str, list[Path]]:
    """Write the seeds of all kinds into a folder, each kind into one of its own; where they are."""
    found: dict[str, list[Path]] = {}
    for kind, made in KINDS.items():
        (folder / kind).mkdir(parents=True)
        for name, data in made():
            path = folder / kind / name
            path.write_bytes(data)
            found.setdefault(kind, []).append(path)
    return found


# -- projects --------------------------------------------------------------------------------------


def full_project() -> Project:
    """A project with everything a file can hold."""
    project = fill(two_outputs())
    for number, (_, cell) in enumerate(project.store.items()):
        cell.slots["velocity"] = np.full_like(cell.value, 0.25)
        cell.trained = number % 3 > 0
    table = next(cell for key, cell in project.store.items() if key.weight == "embeddings")
    rows = len(table.value)
    table.lag = Lag(np.array(3, np.int32), np.arange(rows, dtype=np.int32) % 3, {})
    project.store.step = 42
    project.fitted = {
        "c2": FittedText(TextColumn("title", 12), ("the", "of", "café")),
        "c6": FittedNumbers(NumberColumns(("a", "b"), "standardize"), (1.0, 2.0), (0.5, 1.0)),
        "c7": FittedDates(DateColumn("when", ("year",)), False, 1.0, 9.0, (1.0,), (2.0,)),
        "c9.output": FittedClasses(ClassColumn("popular"), ("no", "yes")),
    }
    weights: dict[str, dict[tuple[str, tuple[int, ...]], Cell]] = {}
    for key, cell in project.store.items():
        weights.setdefault(key.layer, {})[key.weight, cell.value.shape] = Cell(cell.value + 1)
    settings_ = {"epochs": 2, "optimizer": {"kind": "RMSprop"}}
    run = Run("r10", settings_, HISTORY, 0, "val_loss", 1.5, "mine", "2026-01-02T03:04:05+00:00")
    fitted = {"c2": project.fitted["c2"]}
    kept = replace(run, id="r3", document=project.document, weights=weights, fitted=fitted)
    project.runs = [replace(run, id="r2"), kept, run]
    project.document = edits.set_run(project.document, epochs=77)
    project.thumbnail = b"\x89PNG\r\n\x1a\n" + bytes(40)
    return project


def later(data: bytes) -> bytes:
    """A project as a later version would write it: of another format, with names of its own."""
    with zipfile.ZipFile(BytesIO(data)) as file:
        members = {i.filename: (file.read(i), i.compress_type) for i in file.infolist()}
    value = json.loads(members["document.json"][0])
    value |= {"format": value["format"] + 1, "later": {"names": [1, 2]}}
    value["layers"][2]["config"]["later"] = True
    members["document.json"] = json.dumps(value).encode(), zipfile.ZIP_DEFLATED
    members["later/things.json"] = b"{}", zipfile.ZIP_DEFLATED
    return packed([(name, *member) for name, member in members.items()])


def every_layer() -> Document:
    """One of each layer there is, each fed by an Input of its own, one of them wrapped."""
    document = Document()
    for kind in CATALOGUE:
        if kind in ("Input", "TimeDistributed", "OnnxModel"):
            continue
        cls = declared("layers", kind)
        example = cls.examples[0]  # type: ignore[attr-defined]
        document, call = edits.add_layer(document, cls(**example.params))  # type: ignore[arg-type]
        ports = document.ports(document.entry(call))[0]
        for number, spec in enumerate(example.inputs):
            shape = tuple(d if isinstance(d, int) else None for d in spec.shape[1:])
            document, fed = edits.add_layer(document, Input(shape, spec.dtype))
            port = ports[min(number, len(ports) - 1)].name
            document = edits.connect(document, Endpoint(fed, "output"), Endpoint(call, port))
    return document


def _projects() -> Iterator[tuple[str, bytes]]:
    for path in sorted(GOLDEN.glob("*.loom")):
        yield path.name, path.read_bytes()
    made = {"full": full_project(), "layers": Project(every_layer())}
    made |= {name: Project(example()) for name, example in EXAMPLES.items()}
    made |= {f"random-{i}": Project(document) for i, document in enumerate(random_documents())}
    for name, project in made.items():
        yield f"{name}.loom", loom.to_bytes(project, Path("/nowhere"))
    yield "newer.loom", later(loom.to_bytes(full_project(), Path("/nowhere")))


def random_documents(count: int = RANDOM) -> list[Document]:
    """Documents as hypothesis makes them up, the same ones each time; the largest of many."""
    found: list[Document] = []

    @settings(
        max_examples=10 * count,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(documents())
    def collect(document: Document) -> None:
        found.append(document)

    collect()
    return sorted(found, key=lambda d: len(repr(d)))[-count:]


def _excerpts() -> Iterator[tuple[str, bytes]]:
    document = two_outputs().document
    calls = list(document.graph.calls)
    for name, chosen in (("all", calls), ("some", calls[2:5])):
        part = excerpt(document, document.main, chosen)
        yield f"{name}.json", clipboard.to_text(part).encode()


# -- trainings -------------------------------------------------------------------------------------


def _steps() -> Iterator[tuple[str, bytes]]:
    project = full_project()
    given = Reproduction(project.document, project.store, _batch(project), _about(), _results())
    with TemporaryDirectory() as folder:
        write_step(Path(folder, "full.step"), given)
        yield "full.step", Path(folder, "full.step").read_bytes()


def _batch(project: Project) -> Arrays:
    rng = np.random.default_rng(0)
    specs = {c: project.document.entry(c).body.spec() for c in project.document.graph.inputs}  # type: ignore[union-attr]
    inputs = {c: rng.integers(0, 9, (4, *s.shape[1:])).astype(s.dtype) for c, s in specs.items()}
    ends = [end.key for end in project.document.graph.outputs]
    targets = {key: rng.random((4, 1)).astype(np.float32) for key in ends}
    return Arrays(inputs, targets, {ends[0]: np.ones(4, np.float32)})


def _about() -> About:
    hit = Hit("not_finite", 2, 7, float("nan"), "forward", ("c1", "c2"), "dense", sample=3, row=9)
    return About(hit, "numpy", 1, 7, True, {}, {"l3/embeddings": "ab" * 32})


def _results() -> dict[str, np.ndarray]:
    return {"loss": np.array(0.5, np.float32), "output/c9.output": np.ones((4, 1), np.float32)}


def _checkpoints() -> Iterator[tuple[str, bytes]]:
    project = full_project()
    run = replace(project.runs[0], id="r11")
    best = project.store.shared()
    course = Course(run, 1, 3, 1, 3, 0.25, best, 0.01, {"best": 0.5, "wait": 1}, {}, {}, (1.0, 2.0))
    course = replace(course, means={"loss": np.array([1.0, 2.0])})
    about = CheckpointAbout(10, "numpy", 1, 7, "abc", True)
    kept = Kept(project.document, project.store, course, project.fitted, about)
    out = BytesIO()
    keeper.write(out, kept)
    yield "checkpoint.zip", out.getvalue()


def _journals() -> Iterator[tuple[str, bytes]]:
    project = two_outputs()
    with TemporaryDirectory() as folder:
        recorder = Recorder(Path(folder, "s1"), project, Path("/nowhere/model.loom"))
        old = project.document
        for number, call in enumerate([c for c in old.graph.calls if c not in old.graph.inputs]):
            new = edits.move_calls(old, {call: (number * 10.0, 5.0)})
            new = edits.set_run(new, epochs=number + 1)
            recorder.record("Move", old, new)
            old = new
        recorder.record("Undo", old, project.document, "undone")
        recorder.close(discard=False)
        for path in sorted(Path(folder, "s1").glob("journal-*")):
            yield path.name, path.read_bytes()


# -- tables ----------------------------------------------------------------------------------------


def _arrays() -> Iterator[tuple[str, bytes]]:
    rng = np.random.default_rng(0)
    found = {
        "x": rng.random((5, 4, 3)),
        "bytes": rng.integers(0, 256, (5, 8, 8), np.uint8),
        "y": np.arange(5),
        "name": np.array(["a", "bb", "ccc", "é", ""]),
        "other": np.ones((3, 2), np.float32),
    }
    for name, save in (("stored.npz", np.savez), ("packed.npz", np.savez_compressed)):
        out = BytesIO()
        save(out, **found)  # type: ignore[operator]
        yield name, out.getvalue()
    for name, array in (*found.items(), ("fortran", np.asfortranarray(found["x"]))):
        out = BytesIO()
        np.save(out, array)
        yield f"{name}.npy", out.getvalue()


def _texts() -> Iterator[tuple[str, bytes]]:
    rows = [("title", "a", "when", "tags", "popular")]
    rows += [
        (f"the café, {i}", f"{i / 3:.3f}", f"2024-01-{i + 1:02}", "1 2 3", "yes") for i in range(9)
    ]
    lines = "\n".join(",".join(f'"{cell}"' for cell in row) for row in rows) + "\n"
    yield "quoted.csv", lines.encode()
    yield "packed.csv.gz", gzip.compress(lines.encode(), mtime=0)
    yield "bom.csv", lines.encode("utf-8-sig")
    yield "wide.csv", lines.encode("utf-16")
    yield "latin.csv", lines.encode("latin-1")
    yield "tabs.tsv", "\n".join("\t".join(row) for row in rows).encode()
    yield "semicolons.csv", b"a;b;c\n1,5;2,5;x\n3,5;4,5;y\n"
    yield "numbers.txt", b"1 2 3\n4 5 6\n7 8 9\n"


def _records() -> Iterator[tuple[str, bytes]]:
    rows = [{"title": f"é {i}", "a": i / 4, "b": i, "tags": [1, 2], "ok": i > 2} for i in range(6)]
    yield "list.json", json.dumps(rows).encode()
    yield "answer.json", json.dumps({"count": 6, "rows": rows}).encode()
    yield "lines.jsonl", "\n".join(map(json.dumps, rows)).encode()


KINDS: dict[str, Callable[[], Iterator[tuple[str, bytes]]]] = {
    "project": _projects,
    "nodes": _excerpts,
    "step": _steps,
    "checkpoint": _checkpoints,
    "journal": _journals,
    "arrays": _arrays,
    "text": _texts,
    "records": _records,
}
