"""Columns of pictures: opened, turned, brought to a size; and what is said of those that fail."""

import os
import subprocess
import sys
import tracemalloc
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
    ClassColumn,
    ImageColumn,
    PastedSource,
    Split,
    TableSource,
)
from studio.engine.program import Array
from studio.layers.conv2d import Conv2D
from studio.layers.dense import Dense
from studio.layers.flatten import Flatten
from studio.layers.input import Input
from studio.losses.probabilistic import BinaryCrossentropy
from studio.problem import ProblemError
from studio.progress import Cancelled, watched
from studio.text import LANGUAGES, set_language
from studio.train.arrays import unpacked
from studio.train.data import check_data, load_data
from studio.train.encoding import picture_files, pictures
from studio.train.encoding.picture_files import PictureError, decoded
from studio.train.prediction import encode_columns, encode_row
from studio.train.tables import pasted_source, pasted_table, peek_table, read_table, table_source
from tests.train.tables_and_models import bound, chain, mended, refused

PICTURE = ImageColumn("image", 4, 6)
LABEL = ClassColumn("label")


def noise(height: int = 8, width: int = 12, channels: int = 3, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    found = rng.integers(0, 256, (height, width, channels), np.uint8)
    return found if channels > 1 else found[..., 0]


def folder(where: Path) -> Path:
    """Two labels with three pictures each."""
    for number in range(6):
        place = where / "pets" / ("cat" if number % 2 else "dog")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noise(seed=number)).save(place / f"{number}.png")
    return where / "pets"


def model(*shape: int, dtype: str = "float32") -> Document:
    dense = Dense(units=1, activation="sigmoid")
    return chain(Input(shape, dtype=dtype), Flatten(), dense, loss=BinaryCrossentropy())[0]


def image_of(path: Path, **change: Any) -> Array:
    return decoded(path, replace(PICTURE, **change))


# -- one picture ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tiff", "a.webp", "a.gif", "a.ppm", "a.jpg"])
def test_every_kind_of_picture_is_bytes(tmp_path: Path, name: str) -> None:
    plain = np.full((4, 6, 3), (200, 100, 40), np.uint8)
    how = {"lossless": True} if name.endswith("webp") else {}
    Image.fromarray(plain).save(tmp_path / name, **how)
    found = image_of(tmp_path / name)
    assert found.dtype == np.uint8
    np.testing.assert_allclose(found.astype(int), plain, atol=6 if name.endswith("jpg") else 0)


def test_a_photo_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    upright = noise(4, 6)
    image = Image.fromarray(np.rot90(upright))  # as the sensor saw it
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    image.save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(image_of(tmp_path / "a.png"), upright)


def test_colours_become_what_is_wanted(tmp_path: Path) -> None:
    rgb = np.full((4, 6, 3), (250, 120, 10), np.uint8)
    rgba = np.dstack([rgb, np.full((4, 6), 7, np.uint8)])
    Image.fromarray(rgba).save(tmp_path / "alpha.png")
    Image.fromarray(rgb).quantize(4).save(tmp_path / "palette.png")
    Image.fromarray(rgb).convert("CMYK").save(tmp_path / "cmyk.tiff")
    for name in ("alpha.png", "palette.png", "cmyk.tiff"):
        np.testing.assert_allclose(image_of(tmp_path / name).astype(int), rgb, atol=1)
    grey = image_of(tmp_path / "alpha.png", color="grayscale")
    assert grey.shape == (4, 6, 1)
    assert set(grey.ravel().tolist()) == {146}  # 0.299 R + 0.587 G + 0.114 B


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    deep = (np.arange(24).reshape(4, 6) * 257 * 10).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    Image.fromarray((deep / 65535).astype(np.float32)).save(tmp_path / "float.tiff")
    dark = (deep // 257).astype(np.uint16)  # nearly black, not a picture of bytes
    Image.fromarray(dark).save(tmp_path / "dark.png")
    for name in ("deep.png", "float.tiff"):
        found = image_of(tmp_path / name, color="grayscale")[..., 0]
        np.testing.assert_array_equal(found, np.arange(24).reshape(4, 6) * 10)
    assert image_of(tmp_path / "dark.png").max() == 1


def test_a_size_is_reached_in_three_ways(tmp_path: Path) -> None:
    wide = np.zeros((4, 12, 3), np.uint8)
    wide[:, 4:8] = 255
    Image.fromarray(wide).save(tmp_path / "wide.png")
    size = {"height": 4, "width": 4}
    stretched, cropped, padded = (
        image_of(tmp_path / "wide.png", resize=way, **size) for way in ("stretch", "crop", "pad")
    )
    assert (cropped == 255).all()
    assert (stretched[:, 0] < stretched[:, 1]).all()
    assert (padded.max(axis=(1, 2)) > 0).sum() == 1  # a third of its height, black around
    for found in (stretched, cropped, padded):
        assert found.shape == (4, 4, 3)


# -- columns -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "change", "sizes"),
    [
        ((4, 6, 3), {}, (4, 6, 3)),
        ((4, 6), {"color": "grayscale"}, (4, 6)),
        ((4, 6, 1), {"color": "grayscale"}, (4, 6, 1)),
        ((72,), {}, (72,)),
    ],
)
def test_a_folder_of_pictures_becomes_batches(
    tmp_path: Path, shape: Any, change: Any, sizes: Any
) -> None:
    where = folder(tmp_path)
    binding = replace(PICTURE, **change)
    data = load_data(bound(model(*shape), binding, LABEL, file="pets"), tmp_path)
    assert list(data.fitted) == [next(iter(data.train.targets))]
    column = next(iter(data.train.inputs.values()))
    found = unpacked(column)
    assert found.shape == (6, *sizes)
    assert found.dtype == np.float32
    table = read_table(where)
    first = decoded(where / table.columns["image"][0], binding)
    np.testing.assert_array_equal(found[0], np.float32(first.reshape(sizes)) / np.float32(255))
    assert column.kept.dtype == np.uint8  # kept small


def test_any_size_goes_where_the_input_leaves_it_open(tmp_path: Path) -> None:
    folder(tmp_path)
    free = chain(Input((None, None, 3)), Conv2D(1, 1), loss=None)[0]
    call = free.graph.inputs[0]
    free = edits.set_data(free, source=TableSource("pets"), inputs={call: PICTURE})
    inputs = encode_columns(free, {}, read_table(tmp_path / "pets"))
    assert unpacked(inputs[call]).shape == (6, 4, 6, 3)


def test_paths_in_a_table_start_beside_it(tmp_path: Path) -> None:
    where = folder(tmp_path)
    inside = tmp_path / "list.csv"
    absolute = where / "cat" / "3.png"
    inside.write_text(f"image,label\npets/cat/1.png,a\npets\\dog\\0.png,b\n{absolute},a\n")
    data = load_data(bound(model(4, 6, 3), PICTURE, LABEL, file="list.csv"), tmp_path)
    found = unpacked(next(iter(data.train.inputs.values())))
    for row, path in enumerate(("cat/1.png", "dog/0.png", "cat/3.png")):
        np.testing.assert_array_equal(found[row], np.float32(image_of(where / path)) / 255)


def test_what_cannot_be_opened_is_named_with_its_row(tmp_path: Path) -> None:
    where = folder(tmp_path)
    whole = (where / "cat" / "1.png").read_bytes()
    (where / "cat" / "cut.png").write_bytes(whole[:80])
    (where / "dog" / "text.png").write_text("hello")
    document = bound(model(4, 6, 3), PICTURE, LABEL, file="pets")
    (seen,) = check_data(document, tmp_path)  # by the first bytes of each file
    assert (seen.code, seen.args["cell"]) == ("picture_unreadable", "dog/text.png")
    with pytest.raises(ProblemError) as caught:
        load_data(document, tmp_path)
    (problem,) = caught.value.problems
    assert problem.code == "picture_unreadable_and_more"
    assert [problem.args[name] for name in ("cell", "row", "more")] == ["cat/cut.png", 4, 1]
    (tmp_path / "list.csv").write_text("image,label\npets/cat/1.png,a\n,b\ngone.png,a\n")
    wrong = refused(bound(model(4, 6, 3), PICTURE, LABEL, file="list.csv"), tmp_path)
    assert [p.code for p in wrong] == ["cell_empty", "picture_missing"]
    assert wrong[1].args["path"] == str(tmp_path / "gone.png")


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = folder(tmp_path)
    Image.new("1", (20_000, 20_000)).save(where / "cat" / "bomb.png")
    monkeypatch.setattr(picture_files, "PICTURE_PIXELS", 10_000)
    Image.new("L", (200, 200)).save(where / "dog" / "large.png")
    document = bound(model(4, 6, 3), PICTURE, LABEL, file="pets")
    (problem,) = refused(document, tmp_path)
    assert problem.args["cell"] == "cat/bomb.png"
    assert "10,000" in str(problem)
    assert problem.args["more"] == 1


def test_opening_tells_how_far_it_is_and_leaves_nothing_when_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "TOGETHER", 2)
    document = bound(model(4, 6, 3), PICTURE, LABEL, file=str(folder(tmp_path)))
    told: list[tuple[str, int, int]] = []

    def end(*what: Any) -> None:
        told.append(what)
        if what == ("decoding", 4, 6):
            raise Cancelled

    with pytest.raises(Cancelled), watched(end):
        load_data(document, tmp_path)
    assert ("decoding", 2, 6) in told
    assert not read_table(tmp_path / "pets").pictures
    load_data(document, tmp_path)
    (kept,) = read_table(tmp_path / "pets").pictures.values()
    before = len(told)
    with watched(lambda *what: told.append(what)):
        again = load_data(document, tmp_path)
    assert "decoding" not in {doing for doing, _, _ in told[before:]}
    np.testing.assert_array_equal(next(iter(again.train.inputs.values())).kept, kept)


def test_many_pictures_lie_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = bound(model(4, 6, 3), PICTURE, LABEL, Split("random", 0.34), str(folder(tmp_path)))
    small = load_data(document, tmp_path)
    read_table(tmp_path / "pets").pictures.clear()
    monkeypatch.setattr(pictures, "LARGE", 0)
    large = load_data(document, tmp_path)
    for ours, theirs in ((small.train, large.train), (small.validation, large.validation)):
        assert ours
        assert theirs
        assert theirs.streamed
        (a,), (b,) = ours.inputs.values(), theirs.inputs.values()
        np.testing.assert_array_equal(unpacked(a), unpacked(b.loaded()))


def test_another_folder_may_validate(tmp_path: Path) -> None:
    where = folder(tmp_path)
    other = folder(tmp_path / "held")
    document = bound(model(4, 6, 3), PICTURE, LABEL, file=str(where))
    split = Split("file", file=TableSource(str(other)))
    found = load_data(edits.set_data(document, split=split), tmp_path)
    assert found.validation is not None
    (a,), (b,) = found.train.inputs.values(), found.validation.inputs.values()
    np.testing.assert_array_equal(unpacked(a), unpacked(b))


# -- bindings that cannot fit --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "binding", "code"),
    [
        (lambda: model(8, 8, 3), PICTURE, "image_size"),
        (lambda: model(8, 8), PICTURE, "image_size"),
        (lambda: model(3, 4, 6), PICTURE, "image_size"),
        (lambda: model(5), PICTURE, "image_size"),
        (lambda: model(4, 6, 3), replace(PICTURE, divisor=0.0), "array_divisor"),
    ],
)
def test_a_misfit_is_mended_with_one_click(
    tmp_path: Path, document: Any, binding: Binding, code: str
) -> None:
    folder(tmp_path)
    wrong = bound(document(), binding, LABEL, file="pets")
    (problem,) = refused(wrong, tmp_path)
    assert problem.code == code
    mended_one = mended(wrong, problem)
    assert [p for p in check_data(mended_one, tmp_path) if p.severity == "error"] == []
    load_data(mended_one, tmp_path)


def test_pictures_may_be_what_is_aimed_at(tmp_path: Path) -> None:
    folder(tmp_path)
    layers = (Input((4, 6, 3)), Conv2D(3, 3, padding="same", activation="sigmoid"))
    document = chain(*layers, loss=BinaryCrossentropy())[0]
    found = load_data(bound(document, PICTURE, PICTURE, file="pets"), tmp_path)
    (x,), (y,) = found.train.inputs.values(), found.train.targets.values()
    np.testing.assert_array_equal(unpacked(x), unpacked(y))
    undivided = replace(PICTURE, divisor=1.0)
    (problem,) = refused(bound(document, PICTURE, undivided, file="pets"), tmp_path)
    assert problem.code == "image_not_probable"


def test_a_picture_dropped_by_hand_is_read_from_its_path(tmp_path: Path) -> None:
    path = folder(tmp_path) / "cat" / "1.png"
    document = bound(model(4, 6, 3), PICTURE, LABEL)
    (column,) = encode_row(document, {}, {"image": str(path)}).values()
    np.testing.assert_array_equal(unpacked(column)[0], np.float32(image_of(path)) / 255)
    for cell in ("nowhere.png", ""):
        with pytest.raises(ProblemError) as caught:
            encode_row(document, {}, {"image": cell})
        for language in LANGUAGES:
            set_language(language)
            assert "problems." not in str(caught.value.problems[0])
        set_language("en")


# -- folders -------------------------------------------------------------------------------------


def test_a_folder_says_what_it_left_out(tmp_path: Path) -> None:
    where = folder(tmp_path)
    (where / "notes.txt").write_text("mine")
    (where / ".hidden.png").write_text("no")
    (where / "cat" / "Thumbs.db").write_text("no")
    (where / "cat" / "link.png").symlink_to(where / "dog" / "0.png")
    (where / "loop").symlink_to(where, target_is_directory=True)
    (where / "dog" / "broken.png").symlink_to(where / "nowhere.png")
    table = read_table(where)
    assert table.columns["image"] == [
        *("cat/1.png", "cat/3.png", "cat/5.png", "cat/link.png"),
        *("dog/0.png", "dog/2.png", "dog/4.png"),
    ]
    assert table.columns["label"] == ["cat"] * 4 + ["dog"] * 3
    assert (table.kind("image"), table.kind("label")) == ("image", "class")
    (warning,) = table.warnings
    assert (warning.code, warning.args["count"]) == ("folder_left_out", 1)
    assert "notes.txt" in str(warning)
    assert warning in check_data(bound(model(4, 6, 3), PICTURE, LABEL, file="pets"), tmp_path)
    assert set(peek_table(where, rows=2).columns["label"]) == {"cat", "dog"}


def test_a_folder_that_changed_has_another_print(tmp_path: Path) -> None:
    where = folder(tmp_path)
    source = table_source(where, tmp_path)
    assert source.path == "pets"
    assert source.size == sum(path.stat().st_size for path in where.rglob("*.png"))
    assert table_source(where, tmp_path) == source
    document = bound(model(4, 6, 3), PICTURE, LABEL)
    document = edits.set_data(document, source=source)
    load_data(document, tmp_path)
    (where / "cat" / "1.png").rename(where / "dog" / "1.png")
    with pytest.raises(ProblemError) as caught:
        load_data(document, tmp_path)
    (problem,) = caught.value.problems
    assert problem.code == "file_changed"
    load_data(mended(document, problem), tmp_path)


def test_texts_in_folders_are_rows(tmp_path: Path) -> None:
    for place, text, encoding in (
        ("train/pos/1.txt", "好评如潮，很好看", "gb18030"),
        ("train/neg/2.txt", "bad", "utf-8"),
        ("test/pos/3.txt", "été", "cp1252"),
        ("test/neg/4.txt", "", "utf-8"),
    ):
        path = tmp_path / "texts" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode(encoding))
    table = read_table(tmp_path / "texts")
    assert dict(table.columns) == {
        "text": ["", "été", "bad", "好评如潮，很好看"],
        "file": ["test/neg/4.txt", "test/pos/3.txt", "train/neg/2.txt", "train/pos/1.txt"],
        "label": ["neg", "pos", "neg", "pos"],
        "part": ["test", "test", "train", "train"],
    }


@pytest.mark.parametrize(("name", "code"), [(None, "folder_empty"), ("a.csv", "folder_unknown")])
def test_a_folder_of_neither_is_no_table(tmp_path: Path, name: str | None, code: str) -> None:
    if name:
        (tmp_path / name).write_text("a\n1\n")
    with pytest.raises(ProblemError) as caught:
        read_table(tmp_path)
    assert [p.code for p in caught.value.problems] == [code]


def test_what_was_pasted_is_a_table(tmp_path: Path) -> None:
    document = bound(model(4, 6, 3), PICTURE, LABEL)
    path = folder(tmp_path) / "cat" / "1.png"
    pasted = PastedSource(f"image\tlabel\n{path}\ta\n{path}\tb\n")
    assert len(load_data(edits.set_data(document, source=pasted), tmp_path).train) == 2
    large = PastedSource("a,b\n" + "1,2\n" * 300_000)
    for refusing in (lambda: pasted_table(large), lambda: pasted_source(large.text)):
        with pytest.raises(ProblemError) as caught:
            refusing()
        assert [p.code for p in caught.value.problems] == ["pasted_too_large"]


def test_a_large_picture_of_sixteen_bits_takes_little_beside_itself(tmp_path: Path) -> None:
    """As floats of 64 bits, three times over, one of 2**27 pixels took three gigabytes."""
    values = np.arange(3000 * 2000, dtype=np.uint32).astype(np.uint16).reshape(3000, 2000)
    Image.fromarray(values).save(tmp_path / "x.png")
    binding = ImageColumn("image", 3000, 2000, "grayscale")
    tracemalloc.start()
    try:
        found = decoded(tmp_path / "x.png", binding)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    expected = np.clip(np.round(values / 257), 0, 255).astype(np.uint8)
    np.testing.assert_array_equal(found[..., 0], expected)
    assert peak < 5 * values.size + 2**26


def test_nothing_that_pillow_says_reaches_the_terminal(tmp_path: Path) -> None:
    """It warned of pictures that our own limit lets pass, and of damaged notes in them."""
    Image.new("1", (10_000, 10_000)).save(tmp_path / "many.png")
    exif = b"Exif\0\0II*\0\x08\0\0\0\x02\0\x12\x01\x02\0\xff\0\0\0\xff\0\0\0"  # cut off
    Image.new("RGB", (9, 9)).save(tmp_path / "notes.jpg", exif=exif)
    script = (
        "import sys; from pathlib import Path; from studio.document.plan import ImageColumn\n"
        "from studio.train.encoding.picture_files import decoded, expect_picture\n"
        "expect_picture(Path(sys.argv[1])); decoded(Path(sys.argv[2]), ImageColumn('x', 4, 4))"
    )
    paths = [str(tmp_path / name) for name in ("many.png", "notes.jpg")]
    command = [sys.executable, "-W", "default", "-c", script, *paths]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes in folders")
def test_a_pipe_is_no_picture(tmp_path: Path) -> None:
    """Dropped on a field it held up the window for ever."""
    os.mkfifo(tmp_path / "x.png")
    with pytest.raises(PictureError, match="not a regular file"):
        decoded(tmp_path / "x.png", PICTURE)


@pytest.mark.skipif(sys.platform == "win32", reason="links take rights there")
def test_a_link_to_itself_is_left_out_of_a_folder(tmp_path: Path) -> None:
    """One held up the whole folder: too many levels of symbolic links."""
    where = folder(tmp_path)
    (where / "dog" / "round.png").symlink_to("round.png")
    assert read_table(where).rows == 6
