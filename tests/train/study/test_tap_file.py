"""Values written into files: as arrays and as tables, wholly or not at all."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from studio.document import edits
from studio.document.project import Project
from studio.engine.program import Array
from studio.problem import ProblemError
from studio.progress import Cancelled, watched
from studio.train.data import Dataset, load_data
from studio.train.study.bench import Bench
from studio.train.study.tap_file import TapFile
from studio.train.study.taps import computed
from studio.train.study.wanted import Tap
from studio.train.trainer import Settings, Trainer
from tests.document.drawn import out
from tests.train.study.small import project


def expected(made: Project, tap: Tap) -> tuple[Dataset, Array, Array | None]:
    data = load_data(made.document, Path())
    assert data.validation is not None
    trainer = Trainer(made.document, made.store, Settings("numpy", made.document.plan.run.seed))
    bench = Bench(trainer, data.train, data.validation, data.fitted)
    ((array, mask),) = computed(bench, data.validation.unpacked(), [tap]).values()
    return data, array, mask


def lines_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_an_array_holds_all_rows_that_validate(tmp_path: Path) -> None:
    made, ids = project()
    tap, path = Tap.of(out(ids["embedding"])), tmp_path / "embedding.npy"
    written = TapFile(made, Path(), tap, path)()
    _, array, _ = expected(made, tap)
    found = np.load(path, allow_pickle=False)
    assert written.shape == found.shape == array.shape
    np.testing.assert_allclose(found, array, atol=1e-6)


def test_an_array_of_the_rows_that_train_is_as_long_as_they_are(tmp_path: Path) -> None:
    made, ids = project()
    path = tmp_path / "dense.npy"
    TapFile(made, Path(), Tap.of(out(ids["dense0"])), path, "training")()
    data = load_data(made.document, Path())
    assert np.load(path).shape == (len(data.train), 4)


def test_a_table_has_a_line_for_each_step_with_row_word_and_mask(tmp_path: Path) -> None:
    made, ids = project()
    tap, path = Tap.of(out(ids["embedding"])), tmp_path / "embedding.csv"
    TapFile(made, Path(), tap, path)()
    data, array, mask = expected(made, tap)
    titles, *lines = lines_of(path)
    assert titles == ["row", "step", "word", "mask", "0", "1", "2", "3"]
    assert len(lines) == array.shape[0] * array.shape[1]
    numbers = np.array([line[4:] for line in lines], np.float32).reshape(array.shape)
    np.testing.assert_allclose(numbers, array, atol=1e-6)
    assert mask is not None
    assert [int(line[3]) for line in lines] == mask.ravel().astype(int).tolist()
    assert int(lines[0][0]) == data.validation_table.place(int(data.validation_rows[0]))
    assert all(bool(line[2]) == (line[3] == "1") for line in lines)  # padding has no word


def test_a_table_of_one_sample_without_steps_is_one_line(tmp_path: Path) -> None:
    made, ids = project()
    tap, path = Tap.of(out(ids["main_output"])), tmp_path / "y.csv"
    assert TapFile(made, Path(), tap, path, sample=5)().shape == (1, 1)
    data, array, _ = expected(made, tap)
    titles, line = lines_of(path)
    assert titles == ["row", "0"]
    assert int(line[0]) == data.validation_table.place(int(data.validation_rows[5]))
    assert float(line[1]) == pytest.approx(float(array[5, 0]), abs=1e-6)


def test_what_cannot_be_computed_is_refused_by_name_and_leaves_nothing(tmp_path: Path) -> None:
    made, ids = project()
    call = ids["dense1"]
    wires = made.document.graph.into(call)
    unfed = edits.unmark_output(edits.disconnect(made.document, wires), out(ids["main_output"]))
    path = tmp_path / "x.npy"
    with pytest.raises(ProblemError) as refused:
        TapFile(replace(made, document=unfed), Path(), Tap.of(out(call)), path)()
    assert refused.value.problems[0].code == "value_unknown"
    assert refused.value.problems[0].args["name"] == made.document.entry(call).name
    assert not list(tmp_path.iterdir())


def test_cancelling_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    made, ids = project()
    path = tmp_path / "x.csv"
    path.write_text("before")

    def listen(doing: str, done: int, total: int) -> None:
        if doing == "computing_values" and done:
            raise Cancelled

    act = TapFile(made, Path(), Tap.of(out(ids["embedding"])), path, "training")
    with pytest.raises(Cancelled), watched(listen):
        act()
    assert [p.read_text() for p in tmp_path.iterdir()] == ["before"]
