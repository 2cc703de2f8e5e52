"""What it costs to train on data larger than memory. Run by hand, asserts nothing.

python -m tests.benchmarks.large [--json] [--rows N]

Writes N × 784 float32 pictures to a temporary .npy (N = 1,000,000: 3.1 GB), and a tenth as many as
a CSV, removed at the end, and trains a net of three Dense layers on them, batch 32, RMSprop. Four
measurements, a process each, all with the peak of its anonymous memory (RssAnon), which holds no
page of a file:

- whole, csv: one epoch over the whole file, milliseconds a step, and the seconds before it;
- part, csv_part: a part that fits into memory, in memory and from the file in turns, milliseconds a
  step by the fastest round of each, their ratio, and that of the processor time of all threads,
  which tells more where other work shares the machine (with LAYERLOOM_THREADS=1: idle BLAS threads
  spin). Their memory is that of both together.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from studio.document import edits
from studio.document.model import Document
from studio.document.plan import ClassColumn, NumberColumns, Split, TableSource
from studio.layers import Dense, Input
from studio.models import Model
from studio.train.arrays import Arrays
from studio.train.data import load_data
from studio.train.events import EpochDone, Started
from studio.train.feed import as_arrays
from studio.train.fit import FitPlan, fit
from studio.train.generators.digits import draw
from studio.train.tables import delimited, reading
from studio.train.trainer import Settings, Trainer

WIDTH = 784
DRAWN = 10_000  # pictures drawn; a file repeats them
PART = 48_000  # samples that are compared in memory and from the file
ROUNDS = 8
BATCH = 32


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON, one object a line")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", help="where the files are written for a while")
    parser.add_argument("--child", choices=CHILDREN, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(CHILDREN[options.child](Path(options.folder))))
        return
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        _expect_space(folder, options.rows * (WIDTH * 4 + 8) * 2)
        write_pictures(folder, options.rows)
        for kind in CHILDREN:
            found = measured(kind, folder)
            line = ", ".join(f"{key} {value}" for key, value in found.items())
            print(json.dumps(found) if options.json else line, flush=True)


def _expect_space(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < 1.2 * size:
        raise SystemExit(f"{folder} has {free / 2**30:.1f} GiB free, {size / 2**30:.1f} are needed")


def write_pictures(folder: Path, rows: int) -> None:
    """``x.npy`` and ``y.npy``: drawn digits, from 0 to 1, and which they are."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, min(rows, DRAWN))
    pictures = draw(labels, rng).reshape(len(labels), WIDTH) / np.float32(255)
    for name, values in (("x", pictures), ("y", labels)):
        shape = (rows, *values.shape[1:])
        file = np.lib.format.open_memmap(folder / f"{name}.npy", "w+", values.dtype, shape)
        for start in range(0, rows, len(values)):
            file[start : start + len(values)] = values[: rows - start]


def write_table(path: Path, pictures: Any, labels: Any, rows: int) -> None:
    """The pictures as a CSV of bytes, ``p0`` to ``p783``, and ``digit``."""
    names = [*(f"p{number}" for number in range(WIDTH)), "digit"]
    lines = [
        ",".join(map(str, [*np.rint(picture * 255).astype(int).tolist(), label]))
        for picture, label in zip(pictures[:DRAWN], labels[:DRAWN].tolist(), strict=True)
    ]
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(names) + "\n")
        for row in range(rows):
            file.write(lines[row % len(lines)] + "\n")


# -- from outside --------------------------------------------------------------------------------


def measured(kind: str, folder: Path) -> dict[str, Any]:
    """What a process of its own says, and its peak of anonymous memory."""
    command = [sys.executable, "-m", "tests.benchmarks.large", "--child", kind]
    process = subprocess.Popen(
        [*command, "--folder", str(folder)], stdout=subprocess.PIPE, text=True
    )
    peak = 0
    while process.poll() is None:
        peak = max(peak, anonymous(process.pid))
        time.sleep(0.02)
    assert process.stdout is not None
    found = {key: round(value, 3) for key, value in json.loads(process.stdout.read()).items()}
    return {"what": kind, **found, "peak_anonymous_mib": peak // 2**20}


def anonymous(process: int | str = "self") -> int:
    """The bytes of memory that hold no file's pages; 0 once the process is gone."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except FileNotFoundError:
        return 0
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


# -- inside --------------------------------------------------------------------------------------


def whole(folder: Path) -> dict[str, float]:
    """One epoch over everything, from the file."""
    x, y = mapped(folder)
    model = digits_net()
    began = time.perf_counter()
    data = as_arrays(model.document, x, y)
    before = time.perf_counter() - began
    return {"rows": len(x), "before_s": before, "ms_a_step": epoch(model, data)[0]}


def part(folder: Path) -> dict[str, float]:
    """The first samples, in memory and from the file in turns."""
    model = digits_net()
    streamed = as_arrays(model.document, *(array[:PART] for array in mapped(folder)))
    return compared(model, streamed.loaded(), streamed)


def csv(folder: Path) -> dict[str, float]:
    """One epoch over a table in text, from its first byte on."""
    x, y = mapped(folder)
    write_table(folder / "t.csv", x, y, len(x) // 10)
    model = digits_net()
    began = time.perf_counter()
    data = load_data(bound(model.document), folder).train
    before = time.perf_counter() - began
    size = (folder / "t.csv").stat().st_size // 2**20
    return {"mib": size, "rows": len(data), "before_s": before, "ms_a_step": epoch(model, data)[0]}


def csv_part(folder: Path) -> dict[str, float]:
    """A smaller table, once in memory, once taken for a large one."""
    write_table(folder / "t.csv", *mapped(folder), DRAWN)
    model = digits_net()
    memory = load_data(bound(model.document), folder).train
    reading._read.cache_clear()
    delimited.LARGE_TEXT = 0
    return compared(model, memory, load_data(bound(model.document), folder).train)


def mapped(folder: Path) -> list[Any]:
    """The arrays of the two files."""
    return [np.load(folder / f"{name}.npy", mmap_mode="r") for name in "xy"]


def bound(document: Document) -> Document:
    """With its ports bound to the columns of the table."""
    (call,), (output,) = document.graph.inputs, document.graph.outputs
    pixels = NumberColumns(tuple(f"p{number}" for number in range(WIDTH)), scaling="standardize")
    return edits.set_data(
        document,
        source=TableSource("t.csv"),
        inputs={call: pixels},
        targets={output.key: ClassColumn("digit")},
        split=Split("none"),
    )


def compared(model: Model, memory: Arrays, streamed: Arrays) -> dict[str, float]:
    """Both in turns."""
    both = {"in_memory": memory, "streamed": streamed}
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in both}
    for name in ROUNDS * list(both):
        taken[name].append(epoch(model, both[name]))
    wall = {name: min(wall for wall, _ in steps) for name, steps in taken.items()}
    used = {name: min(used for _, used in steps) for name, steps in taken.items()}
    return {
        **{f"{name}_ms_a_step": value for name, value in wall.items()},
        "ratio": wall["streamed"] / wall["in_memory"],
        "processor_ratio": used["streamed"] / used["in_memory"],
    }


def digits_net() -> Model:
    """784-64-64-10."""
    picture = Input(shape=(WIDTH,))
    hidden = Dense(64, activation="relu")(Dense(64, activation="relu")(picture))
    model = Model(picture, Dense(10, activation="softmax")(hidden))
    model.compile("rmsprop", "sparse_categorical_crossentropy")
    return model


def epoch(model: Model, data: Arrays) -> tuple[float, float]:
    """Milliseconds a step over one epoch, by the clock and of processor time."""
    trainer = Trainer(model.document, model.project.store, Settings())
    steps, seconds, began = 1, 0.0, process_time()
    for event in fit(trainer, data, None, FitPlan(batch_size=BATCH), keep_best=False):
        if isinstance(event, Started):
            steps, began = event.batches, process_time()
        elif isinstance(event, EpochDone):
            seconds = event.seconds
    return 1000 * seconds / steps, 1000 * (process_time() - began) / steps


CHILDREN = {"whole": whole, "part": part, "csv": csv, "csv_part": csv_part}

if __name__ == "__main__":
    main()
