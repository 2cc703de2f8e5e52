"""Models to start from: each kind of table gets one that fits its data and learns from it."""

import csv
from pathlib import Path

import numpy as np
import pytest

from studio.document.analysis import analyse
from studio.document.model import Document
from studio.document.plan import (
    ClassColumn,
    DateColumn,
    FeatureColumns,
    NumberColumns,
    SequenceColumn,
    Series,
    TextColumn,
)
from studio.document.store import Store
from studio.layers.conv2d import Conv2D
from studio.layers.embedding import Embedding
from studio.layers.gru import GRU
from studio.layers.input import Input
from studio.train.data import check_data, load_data
from studio.train.events import EpochDone
from studio.train.fit import FitPlan, fit
from studio.train.proposals import seen_file
from studio.train.starting import Wish, batch_size, groups, starting_model
from studio.train.tables import read_table
from studio.train.trainer import Trainer

ROWS = 600
GOOD = ["fine", "lovely", "great", "superb", "pleasant", "nice"]
BAD = ["awful", "dire", "poor", "dreadful", "nasty", "grim"]
FILLER = ["the", "a", "film", "book", "plot", "and", "it", "of", "story", "page", "music", "was"]


def draws(seed=0):
    return np.random.default_rng(seed)


def written(path: Path, **columns) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def reviews(seed=0, rows=ROWS):
    """Texts, and whether each is kind."""
    rng, kind = draws(seed), draws(seed + 1).integers(0, 2, rows)
    texts = [
        " ".join(rng.permutation([*rng.choice(FILLER, 6), rng.choice(GOOD if k else BAD)]))
        for k in kind
    ]
    return texts, kind


def proposed(path: Path, series: Series | None = None, target: str = "") -> Document:
    seen = seen_file(path, None)
    wish = Wish(target or seen.roles.target, seen.roles.inputs, series)
    return starting_model(Document(), seen.table, seen.source, wish)


def assert_fits(document: Document) -> None:
    assert [str(p) for p in analyse(document).problems] == []
    assert [str(p) for p in check_data(document, Path())] == []


def trained(document: Document, epochs: int) -> dict[str, float]:
    """What the last epoch says."""
    data = load_data(document, Path())
    trainer = Trainer(document, Store())
    plan = FitPlan(epochs, document.plan.run.batch_size)
    events = list(fit(trainer, data.train, data.validation, plan))
    return [event for event in events if isinstance(event, EpochDone)][-1].logs


def kinds(document: Document) -> list[str]:
    return [document.entry(call).kind for call in document.graph.calls]


def bindings(document: Document) -> dict[str, object]:
    inputs = document.plan.data.inputs
    return {document.entry(call).name: binding for call, binding in inputs.items()}


def test_texts_are_averaged_word_vectors(tmp_path):
    texts, kind = reviews()
    document = proposed(written(tmp_path / "reviews.csv", text=texts, kind=kind))
    assert_fits(document)
    assert kinds(document) == ["Input", "Embedding", "GlobalAveragePooling1D", "Dense", "Dense"]
    binding = bindings(document)["text"]
    assert binding == TextColumn("text", length=8, vocabulary_size=100)
    assert document.plan.data.split.kind == "stratified"
    assert document.plan.run.early_stopping.restore_best_weights
    assert trained(document, 15)["val_accuracy"] > 0.9


def test_texts_named_alike_are_read_by_the_same_layers(tmp_path):
    (a, kind_a), (b, kind_b) = reviews(0, 1500), reviews(5, 1500)
    same = (kind_a == kind_b).astype(int)
    document = proposed(written(tmp_path / "pairs.csv", text_a=a, text_b=b, same=same))
    assert_fits(document)
    layers = [document.graph.calls[c].layer for c in document.graph.calls]
    tables = {i for i in layers if isinstance(document.layers[i].body, Embedding)}
    assert len(tables) == 1
    assert kinds(document).count("Embedding") == 2
    assert trained(document, 40)["val_accuracy"] > 0.9


def test_numbers_classes_and_dates_enter_side_by_side_with_a_text(tmp_path):
    texts, kind = reviews()
    rng = draws(3)
    days = [
        f"2024-{m:02}-{d:02}"
        for m, d in zip(rng.integers(1, 13, 616), [*range(1, 29)] * 22, strict=True)
    ]
    path = written(
        tmp_path / "mixed.csv",
        text=texts,
        stars=rng.integers(1, 60, ROWS),
        price=["" if i % 50 == 0 else f"{rng.normal():.3f}" for i in range(ROWS)],
        land=["" if i % 40 == 0 else rng.choice(["DE", "FR", "CN"]) for i in range(ROWS)],
        day=days[:ROWS],
        kind=kind,
    )
    document = proposed(path)
    assert_fits(document)
    features = bindings(document)["features"]
    assert isinstance(features, FeatureColumns)
    whole, gappy, land, day = features.parts
    assert whole == NumberColumns(("stars",), "standardize")
    assert gappy == NumberColumns(("price",), "standardize", "mean")
    assert (land.column, land.missing) == ("land", "class")
    assert day == DateColumn("day", ("month", "weekday"))
    assert trained(document, 12)["val_accuracy"] > 0.85


def test_large_amounts_are_told_in_units_that_can_be_learnt(tmp_path):
    rng = draws()
    x = rng.normal(size=(ROWS, 3))
    price = 200_000 + 40_000 * x[:, 0] - 30_000 * np.abs(x[:, 1])
    columns = {f"x{i}": [f"{v:.4f}" for v in x[:, i]] for i in range(3)}
    path = written(tmp_path / "houses.csv", **columns, price=[f"{p:.0f}" for p in price])
    document = proposed(path)
    assert_fits(document)
    (target,) = document.plan.data.targets.values()
    assert target == NumberColumns(("price",), "standardize")
    assert trained(document, 15)["val_mean_absolute_error"] < 0.4


def squares(rows=ROWS, side=16):
    """Pictures of a square at the left or at the right, and which."""
    rng = draws(7)
    where = rng.integers(0, 2, rows)
    pictures = rng.integers(0, 60, (rows, side, side)).astype(np.uint8)
    for picture, right in zip(pictures, where, strict=True):
        x, y = rng.integers(0, side // 2 - 4), rng.integers(0, side - 5)
        picture[y : y + 5, x + right * side // 2 : x + 4 + right * side // 2] = 230
    return pictures, where


def test_pictures_in_arrays_pass_convolutions(tmp_path):
    pictures, where = squares()
    np.savez(tmp_path / "squares.npz", image=pictures, label=where)
    document = proposed(tmp_path / "squares.npz")
    assert_fits(document)
    assert "Conv2D" in kinds(document)
    assert trained(document, 4)["val_accuracy"] > 0.9


def test_greys_in_columns_are_a_picture(tmp_path):
    pictures, where = squares(200, 8 * 2)
    flat = pictures.reshape(len(pictures), -1)
    columns = {f"pixel{i}": flat[:, i] for i in range(flat.shape[1])}
    document = proposed(written(tmp_path / "squares.csv", label=where, **columns))
    assert_fits(document)
    (call,) = document.graph.inputs
    assert document.entry(call).body == Input(shape=(16, 16, 1))
    assert any(isinstance(entry.body, Conv2D) for entry in document.layers.values())


def test_sequences_are_read_in_their_order(tmp_path):
    rng = draws(2)
    rising = rng.integers(0, 2, ROWS)
    cells = []
    for up in rising:
        steps = np.sort(rng.normal(size=12))
        cells.append(" ".join(f"{v:.3f}" for v in (steps if up else steps[::-1])))
    document = proposed(written(tmp_path / "lines.csv", line=cells, rising=rising))
    assert_fits(document)
    assert bindings(document) == {"line": SequenceColumn("line", 12)}
    assert trained(document, 6)["val_accuracy"] > 0.9


def test_a_series_is_told_from_what_was_before(tmp_path):
    time = np.arange(900)
    wave = np.sin(time / 6) + 0.05 * draws().normal(size=900)
    path = written(tmp_path / "waves.csv", level=[f"{v:.4f}" for v in wave])
    document = proposed(path, Series(length=16), target="level")
    assert_fits(document)
    (call,) = document.graph.inputs
    assert document.entry(call).body == Input(shape=(16, 1))
    assert any(isinstance(entry.body, GRU) for entry in document.layers.values())
    assert document.plan.data.split.kind == "last"
    assert trained(document, 8)["val_mean_absolute_error"] < 0.2


def test_a_target_with_empty_cells_is_trained_for(tmp_path):
    texts, kind = reviews()
    told = ["" if place % 9 == 0 else ("bad", "good")[k] for place, k in enumerate(kind)]
    document = proposed(
        written(tmp_path / "reviews.csv", text=texts, verdict=told), target="verdict"
    )
    assert_fits(document)
    assert list(document.plan.data.targets.values()) == [ClassColumn("verdict", missing="class")]
    assert trained(document, 3)["val_accuracy"] > 0.4


def test_chinese_texts_are_parted_where_no_space_does(tmp_path):
    rng, kind = draws(4), draws(5).integers(0, 2, 300)
    texts = ["".join(rng.choice(list("这部电影故事演员音乐画面"), 8)) + "好差"[k] for k in kind]
    document = proposed(written(tmp_path / "reviews.csv", text=texts, kind=kind))
    assert_fits(document)
    assert bindings(document)["text"].split == "unspaced"


def test_names_of_columns_become_names_of_layers(tmp_path):
    texts, kind = reviews(rows=100)
    path = written(tmp_path / "t.csv", **{"the text/1": texts, "Is it kind?": kind})
    document = proposed(path)
    assert_fits(document)
    assert {"the_text_1", "Is_it_kind"} <= {entry.name for entry in document.layers.values()}


def test_nodes_stand_side_by_side(tmp_path):
    texts, kind = reviews(rows=100)
    document = proposed(written(tmp_path / "t.csv", text=texts, kind=kind))
    places = [call.position for call in document.graph.calls.values()]
    assert len(set(places)) == len(places)


def test_columns_are_grouped_by_how_they_enter(tmp_path):
    texts, kind = reviews(rows=100)
    numbers = draws().normal(size=100)
    path = written(
        tmp_path / "t.csv", n=numbers, text_a=texts, land=["DE", "FR"] * 50, text_b=texts, kind=kind
    )
    table = read_table(path)
    assert groups(table, ["n", "text_a", "land", "text_b"]) == [("n", "land"), ("text_a", "text_b")]


@pytest.mark.parametrize(("rows", "size"), [(50, 16), (5000, 32), (25_000, 64), (10**6, 128)])
def test_an_epoch_has_some_hundred_steps(rows, size):
    assert batch_size(rows) == size
