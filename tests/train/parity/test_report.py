"""Verdicts, and reports to take away."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from studio.problem import Problem, ProblemError
from studio.text import set_language
from studio.train.parity.report import Pair, Report, rows
from studio.train.parity.write import as_lines, write

COLOURS = {"base": "#ffffff"}, {"base": "#000000"}


def row(single, double, theirs, kind="output"):
    (found,) = rows({"x": Pair(kind, "x", single, double)}, {"x": np.asarray(theirs)})
    return found


def numbers(*values):
    return np.array(values, np.float32)


def test_a_difference_within_rounding_is_equal():
    one = numbers(1, 2)
    found = row(one, one, [1, 2 + 1.5e-5])
    assert found.verdict == "equal"
    assert found.difference == pytest.approx(1.5e-5)
    assert found.relative == pytest.approx(0.75e-5, rel=1e-3)
    assert row(one, one, [1, 2 + 3e-5]).verdict == "differs"


def test_where_float32_and_float64_differ_more_is_allowed():
    one = numbers(1, 2)
    assert row(one, one + numbers(0, 1e-3), [1, 2.01]).verdict == "equal"
    assert row(one, one + numbers(0, 1e-3), [1, 2.02]).verdict == "differs"


def test_a_gradient_of_rounding_alone_is_judged_by_the_steepest():
    noise, steep = numbers(3e-9), numbers(1)
    pairs = {
        "a": Pair("gradient", "a", noise, noise),
        "b": Pair("gradient", "b", steep, steep),
    }
    small, _ = rows(pairs, {"a": numbers(-3e-9), "b": steep})
    assert small.verdict == "equal"
    assert row(noise, noise, [-3e-9], "gradient").verdict == "differs"
    assert row(noise, noise, [-3e-9], "weight").verdict == "differs"


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict"),
    [
        ([np.nan, 1], [np.nan, 1], "equal"),
        ([np.nan, 1], [1, np.nan], "differs"),
        ([np.inf, 1], [np.inf, 1], "equal"),
        ([np.inf, 1], [-np.inf, 1], "differs"),
        ([np.inf, 1], [1, 1], "differs"),
        ([1, 1], [np.nan, 1], "differs"),
        ([0, 0], [0, 0], "equal"),
        ([0, 0], [0, 1e-30], "differs"),
        ([1, 1], [[1, 1]], "missing"),
    ],
)
def test_numbers_that_are_none_must_be_so_in_both(ours, theirs, verdict):
    one = numbers(*ours)
    assert row(one, one, theirs).verdict == verdict


def test_what_keras_did_not_give_is_missing():
    (found,) = rows({"x": Pair("loss", "x", numbers(1), numbers(1))}, {})
    assert found.verdict == "missing"


@pytest.fixture
def report():
    one = numbers(1, 2)
    pairs = {
        "a": Pair("output", "main <1>", one, one),
        "b": Pair("gradient", "dense/kernel", one, one),
        "c": Pair("gradient", "dense/bias", one, one),
        "d": Pair("weight", "dense/kernel", one, one),
    }
    theirs = {"a": one, "b": one + numbers(0, 1e-2), "c": one + numbers(0, 1e-6)}
    notes = (Problem("parity_anew", severity="warning"),)
    found = tuple(rows(pairs, theirs))
    return Report("news", "3.15.1", "jax", "/usr/bin/python", 32, 3, found, notes)


def test_a_report_says_how_many_differ(report):
    assert not report.ok
    assert "2 of 4" in report.sentence()
    assert report.worst("gradient").name == "dense/kernel"
    assert report.worst("step") is None
    good = replace(report, compared=report.compared[:1])
    assert good.ok
    assert "all 1" in good.sentence()


def test_a_terminal_is_told_what_differs(report):
    lines = list(as_lines(report))
    assert any("dense/kernel (2)" in line and "differs" in line for line in lines)
    assert not any("dense/bias" in line for line in lines)
    assert lines[-1] == report.sentence()


def test_a_page_has_every_row(report, tmp_path):
    write(report, tmp_path / "r.html", COLOURS)
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "main &lt;1&gt;" in page
    assert page.count("<tr>") == 4 + 3  # and a head for each kind
    assert page.count('class="bad"') == 3  # the verdict, what differs, what is missing
    set_language("zh_CN")
    write(report, tmp_path / "r.html", COLOURS)
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert 'lang="zh-CN"' in page
    assert "不一致" in page
    assert "parity." not in page


def test_values_are_json(report, tmp_path):
    endless = row(numbers(np.inf), numbers(np.inf), [1.0])
    write(replace(report, compared=(*report.compared, endless)), tmp_path / "r.json", COLOURS)
    found = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert found["equal"] is False
    assert [r["verdict"] for r in found["compared"]][1:3] == ["differs", "equal"]
    assert found["compared"][-1]["difference"] is None
    assert found["notes"][0]["code"] == "parity_anew"


def test_a_table_has_a_line_for_each(report, tmp_path):
    write(report, tmp_path / "r.csv", COLOURS)
    with (tmp_path / "r.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["verdict"] for line in lines] == ["equal", "differs", "equal", "missing"]
    assert float(lines[1]["difference"]) == pytest.approx(0.01, rel=1e-3)


def test_another_suffix_is_refused(report, tmp_path):
    with pytest.raises(ProblemError, match=r"none of \.html"):
        write(report, tmp_path / "r.pdf", COLOURS)
