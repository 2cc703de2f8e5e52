"""What the comparison with other engines says of what it measured; nothing here is timed."""

import numpy as np
import pytest

from studio.engine.operator import table
from tests.benchmarks.peers import engines, tables
from tests.benchmarks.peers.__main__ import chosen, main
from tests.benchmarks.peers.parts import parts
from tests.benchmarks.peers.systems import GROWTH, GUIDE, SYSTEMS, first_weights


def rows(**more: object) -> list[tables.Row]:
    memory = {"peak_mb": 80.4, "files_mb": 30.0, "import": 0.5, "first": 0.75, **more}
    found = [
        ("ours", 2.0, 0.7, 0.6),
        ("torch", 3.0, 0.70001, 0.603),
        ("keras-jax", 8.0, 0.701, 0.6),
    ]
    return [
        {"system": "digits", "engine": engine, "ms": ms, "loss": loss, "later": later, **memory}
        for engine, ms, loss, later in found
    ]


def test_the_ratio_is_the_fastest_peer_over_each_engine() -> None:
    found = tables.compared(rows())
    assert [row["ratio"] for row in found] == [1.5, 1.0, 0.375]
    assert [row["agrees"] for row in found] == [True, True, False]


def test_without_a_peer_there_is_no_ratio() -> None:
    (ours,) = tables.compared(rows()[:1])
    assert ours["ratio"] is None
    one_of_ours = tables.compared(rows()[:2], ["torch"])
    assert [row["ratio"] for row in one_of_ours] == [None, None]


def test_a_table_names_who_differs_and_where_our_time_goes() -> None:
    found = tables.compared(rows())
    calls = [("MatMul", 0.5), ("Add", 0.1)]
    found[0]["parts"] = {
        "step_ms": 2.0, "products_ms": 0.5, "around_ms": 0.1, "count": 7, "calls": calls
    }  # fmt: skip
    said = tables.training(found).splitlines()
    assert said[:3] == [
        "system  engine     ms/step  ratio  peak MB  files MB  import  1st step  loss    later",
        "digits  ours       2.000    1.50   80       30        0.50 s  0.75 s    0.7000  0.6000",
        "digits  torch      3.000    1.00   80       30        0.50 s  0.75 s    0.7000  0.6030",
    ]
    assert said[3].endswith("0.7010  0.6000 differs")
    assert "matrix products alone take 0.500 ms (25%)" in said[4]
    assert said[5].endswith("MatMul 0.500 ms (25%), Add 0.100 ms (5%)")


def test_a_table_of_inference() -> None:
    found = [{**row, "samples": 1, "output": 0.25} for row in rows()[:2]]
    said = tables.inference(tables.compared(found)).splitlines()
    assert said[1] == "digits  ours    1        2.000  1.50   0.2500"


def test_a_large_vocabulary_is_compared_with_a_small_one() -> None:
    found = [
        {"system": f"vocabulary-{size}-SGD-uniform", "engine": engine, "ms": ms}
        for size, engine, ms in [(100, "ours", 4.0), (1000, "ours", 5.0), (1000, "torch", 90.0)]
    ]
    assert tables.vocabularies(found).splitlines()[1] == "SGD-uniform  10    1.25"
    assert tables.vocabularies(found[:1]) == tables.vocabularies([]) == ""


def test_systems_are_chosen_by_name_or_by_what_comes_before_a_dash() -> None:
    assert chosen(GUIDE, "") == list(GUIDE)
    assert [s.name for s in chosen(GUIDE, "headline,digits")] == [
        "digits", "headline-zipf", "headline-uniform", "headline-adam"
    ]  # fmt: skip
    assert {s.size for s in chosen(GROWTH, "vocabulary-10000")} == {10_000}


@pytest.mark.parametrize("name", ["digits", "vocabulary-10000-Adagrad-uniform"])
def test_ours_trains_and_says_where_its_time_goes(name: str) -> None:
    system = SYSTEMS[name]
    x, y = ([a[: 2 * system.batch] for a in arrays] for arrays in system.arrays())
    training = engines.start("ours", engines.load("ours"), system, x, y)
    assert isinstance(training, engines.Fitted)
    assert training.step() > 0
    assert np.isfinite(training.epoch())
    assert training.mean_square([a[:1] for a in x]) > 0
    found = parts(training)
    assert found["products_ms"] > 0
    assert len({name for name, _ in found["calls"]} & {*table(), "copy"}) > 1
    assert np.matmul.__class__ is np.ufunc


def test_first_weights_are_those_keras_starts_with() -> None:
    kernel, recurrent, bias = first_weights([(3, 8), (2, 8), (8,)])
    assert np.abs(kernel).max() <= np.sqrt(6 / 11)
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(2), atol=1e-6)
    assert bias.tolist() == [0, 0, 1, 1, 0, 0, 0, 0]


def test_onnxruntime_alone_answers_what_we_answer() -> None:
    system = SYSTEMS["digits"]
    x, y = ([a[:4] for a in arrays] for arrays in system.arrays())
    ways = ("ours", "ours-onnxruntime", "onnxruntime")
    made = [engines.start(way, engines.load(way), system, x, y) for way in ways]
    found = [training.mean_square(x) for training in made]
    np.testing.assert_allclose(found, found[0], rtol=1e-5)


@pytest.mark.parametrize(
    "options", [["--engines", "foo"], ["--only", "nosuch"], ["--rounds", "0"]], ids=str
)
def test_options_that_measure_nothing_are_refused(
    options: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["peers", *options])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert options[1] in capsys.readouterr().err
