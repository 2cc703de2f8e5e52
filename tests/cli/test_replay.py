"""``train`` where NaN or infinity comes up, and ``replay`` of the step it came up in."""

import json
import sys
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from studio.document import edits
from studio.document.plan import Breakpoints
from studio.formats import loom
from studio.text import set_language
from tests.cli.commands import layerloom

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks where Linux keeps states")


@pytest.fixture(autouse=True)
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "layerloom" / "steps"


@pytest.fixture
def wild(project: Path) -> Path:
    """A project whose learning rate is far too large."""
    kept = loom.load(project)
    kept.document = edits.set_rate(kept.document, 1e37)
    loom.save(project, kept)
    return project


def strict(line: str) -> Any:
    """One line of JSON, without the numbers that JSON has no sign for."""

    def refuse(name: str) -> NoReturn:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(line, parse_constant=refuse)


def test_it_ends_with_status_1_and_finite_weights(wild: Path, steps: Path, capsys: Any) -> None:
    assert layerloom("train", wild, "--epochs", "2") == 1
    told = capsys.readouterr()
    assert told.err.startswith("error: Stopped at epoch 1, batch ")
    assert "arose in what dense_1 gives" in told.err
    assert "operator MatMul · sample " in told.err
    assert "of the data" in told.err
    assert "  Lower the learning rate." in told.err
    assert "Saved are the weights from before that step" in told.out
    kept = loom.load(wild)
    (run,) = kept.runs
    assert (run.ended, run.epochs) == ("not_finite", 0)
    cells = [cell for _, cell in kept.store.items()]
    assert cells
    assert any(cell.trained for cell in cells)
    assert all(np.isfinite(cell.value).all() for cell in cells)
    (path,) = steps.iterdir()
    assert f"layerloom replay {path}" in told.err


def test_as_json_every_line_is_json(wild: Path, capsys: Any) -> None:
    assert layerloom("train", wild, "--epochs", "2", "--json") == 1
    lines = [strict(line) for line in capsys.readouterr().out.splitlines()]
    (hit,) = [line for line in lines if line["event"] == "hit"]
    assert (hit["kind"], hit["where"], hit["layer"]) == ("not_finite", "forward", "dense_1")
    assert hit["value"] in ("nan", "inf", "-inf")
    assert lines[-1]["event"] == "finished"
    assert lines[-1]["ended"] == "not_finite"
    assert lines[-1]["history"] == {}


def test_the_step_is_done_again(wild: Path, steps: Path, capsys: Any) -> None:
    layerloom("train", wild, "--epochs", "1")
    (path,) = steps.iterdir()
    capsys.readouterr()
    assert layerloom("replay", path) == 0
    out = capsys.readouterr().out
    assert "are the same to the last bit" in out
    assert "arose in what dense_1 gives" in out
    assert layerloom("replay", path, "--json") == 0
    found = strict(capsys.readouterr().out)
    assert found["equal"]
    assert found["differences"] == []
    assert found["origin"]["layer"] == "dense_1"
    set_language("zh_CN")
    assert layerloom("replay", path) == 0
    assert "逐位相同" in capsys.readouterr().out


def test_what_is_no_step_is_refused(project: Path, tmp_path: Path, capsys: Any) -> None:
    assert layerloom("replay", project) == 1
    assert "is no file of a step" in capsys.readouterr().err
    assert layerloom("replay", tmp_path / "nowhere.step") == 1
    assert "cannot be opened" in capsys.readouterr().err
    project.rename(tmp_path / "other.step")
    assert layerloom("replay", tmp_path / "other.step") == 1
    assert "Traceback" not in capsys.readouterr().err


def test_where_it_is_not_asked_for_nothing_stops(wild: Path, steps: Path, capsys: Any) -> None:
    kept = loom.load(wild)
    kept.document = edits.set_run(kept.document, breakpoints=Breakpoints(not_finite=False))
    loom.save(wild, kept)
    assert layerloom("train", wild, "--epochs", "1", "--json") == 0
    *_, last = (strict(line) for line in capsys.readouterr().out.splitlines())
    assert last["ended"] == "done"
    assert last["history"]["loss"] == ["nan"]
    assert not steps.exists()


def test_other_breakpoints_are_told_and_training_goes_on(project: Path, capsys: Any) -> None:
    kept = loom.load(project)
    kept.document = edits.set_run(kept.document, breakpoints=Breakpoints(gradient_norm=1e-9))
    loom.save(project, kept)
    assert layerloom("train", project, "--epochs", "2") == 0
    err = capsys.readouterr().err
    assert err.count("the gradient is") == 1
    assert "warning: At epoch 1, batch 1, the gradient is" in err
    assert "Training goes on. · the longest part is that by " in err
