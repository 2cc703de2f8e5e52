"""What ``import studio`` offers: every public module lists its names, and has what it lists."""

import importlib

import pytest

import studio

CLOSED = [
    *("layers", "losses", "optimizers", "metrics"),
    *("initializers", "regularizers", "constraints", "optimizers.schedules"),
]


@pytest.mark.parametrize("name", CLOSED)
def test_everything_listed_is_there_and_comes_with_a_star(name: str) -> None:
    module, found = importlib.import_module(f"studio.{name}"), {}
    assert set(module.CATALOGUE) <= set(module.__all__)
    exec(f"from studio.{name} import *", found)
    for public in module.__all__:
        assert found[public] is getattr(module, public)
    with pytest.raises(AttributeError, match="it has"):
        module.Nothing  # noqa: B018


def test_public_modules_load_when_they_are_named() -> None:
    assert {name.split(".")[0] for name in CLOSED} <= set(dir(studio))
    assert studio.optimizers.schedules is importlib.import_module("studio.optimizers.schedules")
    assert studio.layers is importlib.import_module("studio.layers")
    with pytest.raises(AttributeError, match="layers"):
        studio.nothing  # noqa: B018


def test_input_and_model_are_where_keras_has_them() -> None:
    assert studio.Input is importlib.import_module("studio.layers").Input
    assert studio.Model is importlib.import_module("studio.models").Model
