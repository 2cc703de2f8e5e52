"""What columns amount to, against NumPy and Python's own counting."""

import pickle
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from studio.progress import watched
from studio.train import cells as cell_files
from studio.train import profiles
from studio.train.profiles import profile
from studio.train.tables import Table, delimited, read_table, reading


def test_numbers_with_gaps_and_strangers() -> None:
    numbers = ["1", " 2.5 ", "-3", "", "NA", "2.5", "x"] + ["4"] * 9
    found = profile(Table("t", {"n": numbers}, _kinds={"n": "number"}), "n")
    values = np.array([1, 2.5, -3, 2.5] + [4] * 9)
    assert (found.rows, found.missing, found.strange) == (16, 2, 1)
    assert (found.least, found.most) == (-3, 4)
    assert found.mean == pytest.approx(values.mean())
    assert found.deviation == pytest.approx(values.std())
    counts, edges = np.histogram(values, profiles.BINS)
    assert found.counts == tuple(counts)
    assert found.edges == pytest.approx(tuple(edges))
    assert found.top[0] == ("4", 9)
    assert pickle.loads(pickle.dumps(found)) == found


def test_a_few_whole_numbers_have_a_bin_each() -> None:
    found = profile(Table("t", {"n": ["0", "2", "2", "3"]}), "n")
    assert (found.kind, found.counts) == ("integer", (1, 0, 2, 1))


def test_labels_texts_and_paths() -> None:
    labels, texts = ["a", "b", "a", " a ", ""] * 5, [f"text {i}" for i in range(25)]
    table = Table("t", {"label": labels, "text": texts})
    found = profile(table, "label")
    assert (found.kind, found.missing, found.distinct) == ("class", 5, 2)
    assert found.top == (("a", 15), ("b", 5))
    found = profile(table, "text")
    assert (found.kind, found.distinct, found.longest, found.shortest) == ("text", 25, 7, 6)
    assert found.edges == ()


def test_dates_and_sequences() -> None:
    dates = ["13/1/2024", "2/1/2024", "NA", "1/1/1970 12:00"]
    sequences = ["1 2 3", "4", "[5; 6]", ""]
    table = Table("t", {"d": dates, "s": sequences})
    found = profile(table, "d")
    assert (found.kind, found.missing, found.least) == ("date", 1, 0.5)
    assert found.most == (np.datetime64("2024-01-13") - np.datetime64("1970-01-01")).astype(int)
    found = profile(table, "s")
    assert (found.kind, found.longest, found.shortest, found.missing) == ("sequence", 3, 1, 1)
    assert (found.least, found.most, found.mean) == (1, 6, 3.5)


def test_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = np.random.default_rng(0).normal(size=(50, 4, 4)).astype(np.float32)
    pictures[3, 1, 1] = np.nan
    found = profile(Table("t", {}, arrays={"x": pictures}), "x")
    fine = pictures[np.isfinite(pictures)].astype(np.float64)
    assert (found.kind, found.rows) == ("array", 50)
    assert found.mean == pytest.approx(fine.mean())
    assert found.deviation == pytest.approx(fine.std())
    assert sum(found.counts) == fine.size


def test_a_large_table_amounts_to_what_a_small_one_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(1)
    rows = [f"{rng.normal():.3f},{i % 7},word {i},{rng.integers(9)} 2" for i in range(3000)]
    path = tmp_path / "t.csv"
    path.write_text("a,b,c,d\n" + "\n".join(rows) + "\n,NA,,\n")
    small = read_table(path)
    expected = {name: profile(small, name) for name in small.names}
    reading._read.cache_clear()
    monkeypatch.setattr(delimited, "LARGE_TEXT", 0)
    monkeypatch.setattr(cell_files, "BLOCK", 20_000)
    told: list[tuple[str, int, int]] = []
    with watched(lambda *what: told.append(what)):
        large = read_table(path)
        assert large.large
        for name, before in expected.items():
            after = profile(large, name)
            assert after.mean == (None if before.mean is None else pytest.approx(before.mean))
            assert after.deviation == pytest.approx(before.deviation) if before.mean else True
            same = {"mean": 0, "deviation": 0}
            assert {**vars(after), **same} == {**vars(before), **same}
    assert {"reading", "counting"} == {doing for doing, _, _ in told}
    counted = Counter(row.split(",")[1] for row in rows)
    assert dict(expected["b"].top) == dict(counted)
    reading._read.cache_clear()


def test_many_values_are_not_all_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiles, "MOST_DISTINCT", 100)
    monkeypatch.setattr(profiles, "TOGETHER", 50)
    texts = [*map(str, range(0, 5000, 7)), *["often"] * 40]
    found = profile(Table("t", {"a": ["often", *texts]}), "a")
    assert found.distinct == 100
    assert found.top[0] == ("often", 41)


def test_what_comes_after_too_many_values_counts_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [*map(str, range(1000)), *["NA", "", "3.5"] * 20, *map(str, range(1000)), "123456.5"]
    whole = profile(Table("t", {"a": cells}), "a")
    monkeypatch.setattr(profiles, "MOST_DISTINCT", 90)
    monkeypatch.setattr(profiles, "TOGETHER", 70)
    some = profile(Table("t", {"a": cells}), "a")
    assert (some.missing, some.strange, some.distinct) == (40, 0, 90)
    assert (some.least, some.most, some.longest) == (0, 123456.5, 8)
    assert (some.mean, some.counts) == (pytest.approx(whole.mean), whole.counts)
