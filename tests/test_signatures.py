"""What constructors take: Keras's arguments, in its order, with its defaults."""

import inspect
from importlib import import_module
from typing import Any

import pytest

from studio.declare import Declared, declared
from studio.problem import ProblemError
from tests import references
from tests.left_out import ARGUMENTS, METHODS

DECLARED = (
    *("losses", "metrics", "optimizers", "optimizers.schedules"),
    *("initializers", "regularizers", "constraints"),
)
KERAS = references.meta("signatures")
ENTRIES = [
    pytest.param(family, kind, id=f"{family}-{kind}")
    for family in DECLARED
    for kind in import_module(f"studio.{family}").CATALOGUE
]


def keras_takes(family: str, kind: str) -> list[list[Any]]:
    """Name, kind and default of each argument; of some classes it knows nothing but ``*args``."""
    return [p for p in KERAS[family][kind] if p[1] != "rest"]


def ours(kind: type[Declared]) -> dict[str, Any]:
    """The default of each argument, in order."""
    defaults = {p.name: p.default for p in kind.params()}
    unread = dict.fromkeys(kind.unread)
    return {name: (defaults | unread)[name] for name in kind.signature()}


def same(ours: Any, keras: Any) -> bool:
    """Equal, or required in Keras only; one axis is a list of one."""
    return keras == "…" or ours in (tuple(keras) if isinstance(keras, list) else keras, (keras,))


@pytest.mark.parametrize(("family", "kind"), ENTRIES)
def test_arguments_have_keras_names_order_and_defaults(family: str, kind: str) -> None:
    found, expected = ours(declared(family, kind)), keras_takes(family, kind)
    assert list(found) == [name for name, _, _ in expected]
    entry = declared(family, kind)
    for name, _, default in expected:
        if name == "name":  # a metric's is its key in the history; elsewhere it says nothing
            assert family != "metrics" or default in (None, entry().name)  # type: ignore[attr-defined]
        elif name in entry.unread:
            allowed = entry.unread[name]
            assert allowed == (...,) or default is None or default in allowed
        else:
            assert same(found[name], default), name


@pytest.mark.parametrize(("family", "kind"), ENTRIES)
def test_keras_defaults_may_be_given_one_after_the_other(family: str, kind: str) -> None:
    entry, values = declared(family, kind), []
    for name, _, default in keras_takes(family, kind):
        required = next((p.default for p in entry.params() if p.name == name), None)
        values.append(required if default == "…" else default)
    assert entry(*values).config() == entry.from_config({}).config()  # type: ignore[call-arg]


def unread() -> dict[str, list[str]]:
    """The arguments that are taken and say nothing but what Keras's default says."""
    found: dict[str, list[str]] = {}
    for family in DECLARED:
        for kind in import_module(f"studio.{family}").CATALOGUE:
            entry = declared(family, kind)
            names = [n for n, allowed in entry.unread.items() if allowed != (...,)]
            found.setdefault(family, []).extend(names)
    return found


def test_what_is_not_read_is_left_out_for_a_reason() -> None:
    assert {family: set(names) for family, names in unread().items() if names} == {
        family: set(reasons) for family, reasons in ARGUMENTS.items() if family != "callbacks"
    }


@pytest.mark.parametrize(("family", "kind"), ENTRIES)
def test_what_is_not_read_is_refused_where_it_would_say_something(family: str, kind: str) -> None:
    entry = declared(family, kind)
    for name, allowed in entry.unread.items():
        if allowed == (...,):
            assert entry.from_config({name: "any"}) == entry.from_config({})
            continue
        with pytest.raises(ProblemError, match=name):
            entry(**{name: "float16"})


def test_more_arguments_than_there_are_and_one_given_twice() -> None:
    kind: Any = declared("losses", "MeanSquaredError")
    with pytest.raises(ProblemError, match="at most 3"):
        kind("sum", "mse", "float32", 1)
    with pytest.raises(TypeError, match="reduction"):
        kind("sum", reduction="mean")


@pytest.mark.parametrize("kind", import_module("studio.callbacks").__all__)
def test_callbacks_take_what_keras_takes(kind: str) -> None:
    function = getattr(import_module("studio.callbacks"), kind).__init__
    _takes(function, keras_takes("callbacks", kind), ())


@pytest.mark.parametrize("method", KERAS["methods"])
def test_methods_of_a_model_take_what_keras_takes(method: str) -> None:
    from studio.models import Model

    _takes(getattr(Model, method), KERAS["methods"][method], METHODS.get(method, {}))


def _takes(function: Any, expected: list[list[Any]], left_out: Any) -> None:
    """The arguments of Keras first, in its order, but for those left out; then our own."""
    found = [
        p
        for p in inspect.signature(function).parameters.values()
        if p.name not in ("self", "hooks")
    ]
    wanted = [p for p in expected if p[1] != "rest" and p[0] not in left_out]
    for p, (name, _, default) in zip(found, wanted, strict=False):
        assert p.name == name
        assert default == "…" or p.default == default, name
    assert len(found) >= len(wanted)
