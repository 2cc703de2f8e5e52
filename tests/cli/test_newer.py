"""The shell and Python on a later version's file: they say so, and never write over it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.document import edits
from studio.document.plan import GeneratedSource
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.formats import loom
from studio.models import load_model
from studio.problem import ProblemError
from tests.cli.commands import layerloom
from tests.formats.test_newer import LATER, rewritten


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """The headline example, made small, as a later version may have saved it."""
    document = EXAMPLES["headline"]()
    document = edits.set_data(document, source=GeneratedSource("headline", rows=64))
    document = edits.set_run(document, epochs=1)
    for layer, entry in document.layers.items():
        if entry.kind == "Embedding":
            document = edits.set_parameters(document, layer, output_dim=4)

    def grow(value: dict[str, Any]) -> None:
        value["plan"]["budget"] = {"hours": 3}

    path = tmp_path / "later.loom"
    path.write_bytes(rewritten(loom.to_bytes(Project(document), tmp_path), grow))
    return path


def test_train_says_where_else_to_write(later: Path, capsys: Any) -> None:
    before = later.read_bytes()
    assert layerloom("train", later) == 1
    said = capsys.readouterr().err
    assert str(later) in said
    assert f"{LATER}" in said
    assert "not written over" in said
    assert later.read_bytes() == before


def test_train_writes_elsewhere_and_says_what_is_lost(
    later: Path, tmp_path: Path, capsys: Any
) -> None:
    before = later.read_bytes()
    out = tmp_path / "mine.loom"
    assert layerloom("train", later, "--out", out) == 0
    said = capsys.readouterr().err
    assert "plan.budget" in said
    assert str(out) in said
    assert later.read_bytes() == before
    assert loom.load(out).runs
    assert loom.load(out).newer is None
    assert layerloom("train", out, "--out", later) == 1
    assert later.read_bytes() == before


@pytest.mark.parametrize("command", ["check", "summary", "evaluate"])
def test_others_warn(later: Path, capsys: Any, command: str) -> None:
    layerloom(command, later)
    said = capsys.readouterr().err
    assert "warning" in said
    assert "plan.budget" in said


def test_in_python_it_warns_and_refuses(later: Path, tmp_path: Path) -> None:
    before = later.read_bytes()
    with pytest.warns(UserWarning, match="plan.budget"):
        model = load_model(later)
    with pytest.raises(ProblemError, match="not written over"):
        model.save(later)
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    with pytest.warns(UserWarning, match="plan.budget"):
        model.save(tmp_path / "mine.loom")
    assert later.read_bytes() == before
    assert load_model(tmp_path / "mine.loom")
