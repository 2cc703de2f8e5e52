"""``layerloom lens``: who trains what, in the shell."""

import json
from pathlib import Path
from typing import Any

import pytest

from studio.document import edits
from studio.document.plan import GeneratedSource
from studio.document.project import Project
from studio.document.store import Store
from studio.examples import EXAMPLES
from studio.formats import loom
from tests.cli.commands import layerloom


@pytest.fixture
def headline(tmp_path: Path) -> Path:
    document = edits.set_run(EXAMPLES["headline"](), batch_size=8)
    document = edits.set_data(document, source=GeneratedSource("headline", 60))
    loom.save(tmp_path / "headline.loom", Project(document, Store()))
    return tmp_path / "headline.loom"


def test_each_layer_stands_there_with_each_loss(headline: Path, capsys: Any) -> None:
    assert layerloom("lens", headline) == 0
    said = capsys.readouterr().out.splitlines()
    rows = {line.split()[0]: line.split()[1:] for line in said[4:11]}
    assert said[2].split() == ["main_output", "×", "1", "aux_output", "×", "0.2"]
    assert rows.keys() >= {"embedding", "lstm", "aux_output", "dense", "main_output"}
    assert rows["aux_output"][0] == "—"
    assert rows["dense"][1] == "—"
    assert all(0 < float(cell) < 1 for cell in rows["lstm"])
    assert any(line.startswith("lstm: main_output pulls") for line in said)


def test_json_says_the_same_a_line_each(headline: Path, capsys: Any) -> None:
    assert layerloom("lens", headline, "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["weights"] == {"main_output": 1.0, "aux_output": 0.2}
    nodes = {line["node"]: line["strengths"] for line in lines if "node" in line}
    assert nodes["aux_output"]["main_output"] == 0.0
    pulls = [line for line in lines if "cosine" in line]
    assert [pull["layer"] for pull in pulls] == ["embedding", "lstm"]
    assert lines[-1]["proposed"].keys() == {"main_output", "aux_output"}
    assert loom.load(headline).document.plan.outputs  # nothing is applied
    weights = [plan.weight for plan in loom.load(headline).document.plan.outputs.values()]
    assert weights == [1.0, 0.2]


def test_what_keeps_it_from_looking_is_said(tmp_path: Path, capsys: Any) -> None:
    document = edits.set_data(EXAMPLES["digits"](), source=None)
    loom.save(tmp_path / "digits.loom", Project(document, Store()))
    assert layerloom("lens", tmp_path / "digits.loom") == 1
    assert "error:" in capsys.readouterr().err
    document = EXAMPLES["digits"]()
    document = edits.plan_output(document, document.graph.outputs[0], loss=None)
    loom.save(tmp_path / "digits.loom", Project(document, Store()))
    assert layerloom("lens", tmp_path / "digits.loom") == 1
    assert "loss" in capsys.readouterr().err
