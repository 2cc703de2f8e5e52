"""NumPy's .npz files as tables: what is read, and what is refused before it is."""

import io
import os
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from studio.problem import ProblemError
from studio.train.array_files import map_array, read_arrays
from studio.train.tables import array_tables, read_table, table_source


def saved(folder: Path, **arrays: object) -> Path:
    path = folder / "t.npz"
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return path


def code(path: Path, largest: int = 2**20) -> str:
    with pytest.raises(ProblemError) as caught:
        read_arrays(path, largest)
    assert "problems." not in str(caught.value)
    assert path.name in str(caught.value)
    return caught.value.problems[0].code


def test_arrays_of_one_length_are_the_columns(tmp_path: Path) -> None:
    pictures = np.arange(4 * 6, dtype=np.uint8).reshape(4, 2, 3)
    path = saved(
        tmp_path,
        x=pictures,
        y=np.array([3, 1, 2, 0]),
        good=np.array([True, False, True, True]),
        name=np.array(["a", "b", "b", "a"]),
        test=np.zeros((2, 6)),
        version=np.array(3),
    )
    table = read_table(path)
    assert table.rows == 4
    assert table.names == ["y", "good", "name", "x"]
    assert table.columns == {
        "y": ["3", "1", "2", "0"],
        "good": ["1", "0", "1", "1"],
        "name": ["a", "b", "b", "a"],
    }
    np.testing.assert_array_equal(table.array("x"), pictures)
    assert table.array("x").dtype == np.uint8
    assert [table.kind(column) for column in table.names] == [
        "integer",
        "integer",
        "class",
        "array",
    ]
    assert table.place(0) == 0
    assert table_source(path).size == path.stat().st_size


def test_compressed_and_fortran_ordered_arrays_are_read_too(tmp_path: Path) -> None:
    values = np.arange(24.0).reshape(4, 3, 2)
    path = tmp_path / "t.npz"
    np.savez_compressed(path, x=np.asfortranarray(values), big=values.astype(">f8"))
    found = read_arrays(path, 2**20)
    for array in found.values():
        np.testing.assert_array_equal(array, values)


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    path = saved(tmp_path, x=np.array([{}, []], object))
    assert code(path) == "array_refused"


def test_sizes_are_bounded_before_anything_is_read(tmp_path: Path) -> None:
    path = saved(tmp_path, x=np.zeros((100, 100)))
    assert code(path, 1000) == "file_too_large"


def test_a_header_may_not_promise_more_than_the_file_holds(tmp_path: Path) -> None:
    header = io.BytesIO()
    about = {"descr": "<f8", "fortran_order": False, "shape": (10**9, 10**9)}
    np.lib.format.write_array_header_1_0(header, about)
    path = tmp_path / "t.npz"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("x.npy", header.getvalue() + bytes(80))
    assert code(path) == "array_refused"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 but no more", b"a,b\n1,2\n"])
def test_what_is_no_npz_is_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.npz"
    path.write_bytes(content)
    with pytest.raises(ProblemError, match="ends too early; take a whole copy"):
        read_arrays(path, 2**20)


def test_damaged_members_are_said(tmp_path: Path) -> None:
    path = saved(tmp_path, x=np.zeros((10, 10)))
    data = bytearray(path.read_bytes())
    data[300] ^= 255  # a checksum no longer fits
    path.write_bytes(bytes(data))
    assert code(path) == "array_refused"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("x.npy", b"not an array")
    assert code(path) == "array_refused"


def test_a_file_without_rows_is_said(tmp_path: Path) -> None:
    path = saved(tmp_path, version=np.array(3), none=np.zeros((0, 3)))
    with pytest.raises(ProblemError) as caught:
        read_table(path)
    assert caught.value.problems[0].code == "file_without_arrays"
    with pytest.raises(ProblemError) as caught:
        read_table(tmp_path / "gone.npz")
    assert caught.value.problems[0].code == "file_missing"


def test_npy_files_are_in_memory_while_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(array_tables, "LARGE", 1000)
    for name, width in (("a", 40), ("x", 10), ("z", 1)):  # 3200, 800 and 80 bytes
        np.save(tmp_path / f"{name}.npy", np.ones((10, width)))
    arrays = read_table(tmp_path / "x.npy").arrays
    assert [type(arrays[name]) for name in "axz"] == [np.memmap, np.ndarray, np.ndarray]
    os.truncate(tmp_path / "x.npy", 200)
    assert arrays["x"].sum() == 100


@pytest.mark.parametrize("compressed", [True, False])
def test_a_damaged_file_is_refused_wherever_it_is(tmp_path: Path, compressed: bool) -> None:
    path = tmp_path / "t.npz"
    save = np.savez_compressed if compressed else np.savez
    save(path, x=np.arange(300.0), y=np.array(["a", "b"] * 150))
    whole, draw = path.read_bytes(), np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(whole)
        for place in draw.integers(0, len(whole), draw.integers(1, 6)):
            damaged[place] = draw.integers(256)
        path.write_bytes(damaged)
        with suppress(ProblemError, OSError):  # which `read_table` words
            read_arrays(path, 2**20)


def test_a_header_that_is_no_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, np.zeros((3, 2)))
    whole = path.read_bytes()
    for place in range(10, 60):
        path.write_bytes(whole[:place] + b"\0(" + whole[place + 2 :])
        with suppress(ProblemError):
            map_array(path)
