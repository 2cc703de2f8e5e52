"""``layerloom check --gradients``: what it prints, and what it exits with."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from studio import layers
from studio.document.project import Project
from studio.formats import loom
from studio.models import Model
from studio.train.study import gradient_check
from tests.cli.commands import layerloom


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An inner model with a Dense of its own, and one behind it."""
    x = layers.Input((4,))
    inner = Model(x, layers.Dense(3, "tanh", name="within")(x), name="inner")
    a = layers.Input((4,), name="a")
    model = Model(a, layers.Dense(1, name="last")(inner(a)))
    model.compile("sgd", "mse")
    path = tmp_path / "p.loom"
    loom.save(path, Project(model.document))
    return path


def scale_gradients(monkeypatch: pytest.MonkeyPatch, factor: float) -> None:
    """Every gradient is so many times what it should be."""
    right = gradient_check._gradients

    def scaled(*given: Any) -> Callable[[], dict[str, Any]]:
        gradients = right(*given)
        return lambda: {name: factor * gradient for name, gradient in gradients().items()}

    monkeypatch.setattr(gradient_check, "_gradients", scaled)


@pytest.fixture
def wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every gradient is twice what it should be."""
    scale_gradients(monkeypatch, 2)


def test_a_right_gradient_is_a_table_and_a_sentence(project: Path, capsys: Any) -> None:
    layerloom("check", project, "--gradients")
    said = capsys.readouterr().out
    assert "within/kernel" in said
    assert "12 / 12" in said
    assert "Right: " in said
    assert "the total loss (last)" in said
    assert "random samples, as there is no data" in said
    assert "←" not in said


def test_a_wrong_one_is_marked_and_fails(project: Path, wrong: None, capsys: Any) -> None:
    assert layerloom("check", project, "--gradients") == 1
    said = capsys.readouterr().out
    assert "Wrong: " in said
    assert "last/bias[0]" in said
    assert "← wrong" in said


@pytest.mark.parametrize(
    ("node", "names"),
    [
        ("last", ["last/kernel", "last/bias", "inner"]),
        ("inner", ["within/kernel", "within/bias", "a"]),
        ("inner/within", ["within/kernel", "within/bias", "input_layer"]),
    ],
)
def test_one_node_alone(project: Path, node: str, names: list[str], capsys: Any) -> None:
    layerloom("check", project, "--gradients", "--node", node, "--json")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["name"] for line in lines if "kind" in line] == names
    assert lines[-1]["gradients"] == "right"
    assert lines[-1]["made_up"]


def test_nodes_that_are_not_there_are_refused(project: Path, capsys: Any) -> None:
    assert layerloom("check", project, "--gradients", "--node", "nope") == 1
    assert "Known: a, inner, inner/input_layer, inner/within, last" in capsys.readouterr().err
    assert layerloom("check", project, "--node", "last") == 2


def test_numbers_that_are_not_finite_are_json(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    scale_gradients(monkeypatch, float("nan"))
    assert layerloom("check", project, "--gradients", "--json") == 1
    refuse = lambda name: pytest.fail(f"{name} is not JSON")  # noqa: E731
    lines = capsys.readouterr().out.splitlines()
    last = [json.loads(line, parse_constant=refuse) for line in lines][-1]
    assert last["gradients"] == "wrong"
    assert last["relative"] is None
