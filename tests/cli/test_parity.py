"""``layerloom parity``: what it prints, writes and exits with."""

import json
import sys

import pytest

from studio.formats import loom
from tests.cli.commands import layerloom
from tests.train.parity.small import digits, knower, pretender

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="programs there are no scripts")


@pytest.fixture
def project(tmp_path):
    path = tmp_path / "digits.loom"
    loom.save(path, digits())
    return path


def test_what_is_equal_exits_with_0_and_is_written(project, tmp_path, monkeypatch, capsys):
    python, out = knower(tmp_path, monkeypatch, digits(), 2), tmp_path / "r.html"
    before = project.read_bytes()
    assert layerloom("parity", project, out, "--python", python, "--steps", "2") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "Equal to Keras 3.15.1: all 17 comparisons are within rounding." in lines
    assert lines[-1] == f"Written: {out}"
    assert "Weights after the last step" in out.read_text(encoding="utf-8")
    assert project.read_bytes() == before


def test_what_differs_exits_with_1(project, tmp_path, capsys):
    assert layerloom("parity", project, "--python", pretender(tmp_path), "--json") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["equal"] is False
    assert {row["verdict"] for row in found["compared"]} == {"missing"}


def test_chinese(project, tmp_path, capsys):
    python = pretender(tmp_path)
    assert layerloom("parity", project, "--python", python, "--language", "zh_CN") == 1
    assert "与 Keras 3.15.1 不一致" in capsys.readouterr().out


def test_no_keras_is_a_sentence(project, tmp_path, capsys):
    assert layerloom("parity", project, "--python", tmp_path / "python") == 1
    assert "is no Python that can be asked" in capsys.readouterr().err


def test_a_file_that_says_nothing_is_refused_before_anything_runs(project, tmp_path, capsys):
    assert layerloom("parity", project, tmp_path / "r.pdf", "--python", tmp_path) == 1
    assert "which say what to write" in capsys.readouterr().err
    assert layerloom("parity", project, "--language", "xx") == 2
