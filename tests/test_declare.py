"""The declaration style: checks, JSON, names, help."""

import json
from dataclasses import dataclass

import pytest

from studio.declare import Declared, Expected, declared, param, registry, resolve, snake
from studio.initializers.base import Initializer
from studio.initializers.constant import Constant, Zeros
from studio.initializers.random import RandomNormal
from studio.layers.dense import Dense
from studio.layers.input import Input
from studio.losses.regression import MeanSquaredError
from studio.problem import ProblemError
from studio.text import set_language
from tests import references


@dataclass(frozen=True)
class Toy(Declared):
    """What the tests declare.

    More of it.
    """

    size: int = param(3, "How large", min=1, max=9)
    rate: float = param(0.5, "How fast", min=0)
    mode: str = param("fast", "How", choices=("fast", "slow"))
    on: bool = param(True, "Whether")
    shape: tuple[int | None, ...] = param((1,), "Sizes", min=1)
    limit: int | None = param(None, "At most", min=2)
    start: Initializer = param(Zeros(), "How it starts", family="initializers")


def test_what_is_wrong_with_a_declaration_it_holds_is_wrong_with_it() -> None:
    (problem,) = Toy(start=RandomNormal(stddev=-1.0)).problems()
    assert (problem.code, problem.args["kind"]) == ("parameter_min", "RandomNormal")


def codes(**values: object) -> list[str]:
    return [p.code for p in Toy(**values).problems()]


def test_parameters_are_read_off_the_class() -> None:
    size, *_, limit, start = Toy.params()
    assert (size.name, size.type, size.default, size.min, size.max) == ("size", "int", 3, 1, 9)
    assert (limit.optional, start.family) == (True, "initializers")
    assert [p.help for p in Toy.params()][:3] == ["How large", "How fast", "How"]


def test_the_help_is_the_first_line() -> None:
    assert Toy.help() == "What the tests declare."
    assert Toy.help("size") == "How large"
    set_language("zh_CN")
    assert Dense.help() != Dense.__doc__
    assert Dense.help("units")


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"size": 0}, "parameter_min"),
        ({"size": 10}, "parameter_max"),
        ({"size": 2.5}, "parameter_type"),
        ({"size": True}, "parameter_type"),
        ({"size": None}, "parameter_missing"),
        ({"size": "3"}, "parameter_type"),
        ({"rate": float("nan")}, "parameter_min"),
        ({"rate": "x"}, "parameter_type"),
        ({"mode": "other"}, "parameter_choice"),
        ({"mode": 1}, "parameter_type"),
        ({"on": 1}, "parameter_type"),
        ({"shape": 3}, "parameter_type"),
        ({"shape": (2, "x")}, "parameter_type"),
        ({"shape": (2, True)}, "parameter_type"),
        ({"shape": (2, 0)}, "parameter_min"),
        ({"limit": 1}, "parameter_min"),
        ({"start": 3}, "parameter_type"),
        ({"start": MeanSquaredError()}, "parameter_type"),
    ],
)
def test_what_is_wrong_with_a_value(values: dict[str, object], code: str) -> None:
    (problem,) = Toy(**values).problems()
    assert problem.code == code
    ((name, value),) = values.items()
    assert (problem.args["kind"], problem.args["name"]) == ("Toy", name)
    assert problem.args["received"] is value
    for language in ("en", "zh_CN"):
        set_language(language)
        assert name in str(problem)
        assert "problems." not in str(problem)


@pytest.mark.parametrize(
    "values",
    [{"rate": 2}, {"limit": None}, {"limit": 2}, {"shape": [2, None]}, {"start": "ones"}, {}],
)
def test_what_is_fine(values: dict[str, object]) -> None:
    assert codes(**values) == []


def test_lists_and_names_become_values() -> None:
    made = Toy(shape=[1, 2], start="zeros")
    assert (made.shape, made.start) == ((1, 2), Zeros())
    assert Toy(start={"kind": "Constant", "value": 2.0}).start == Constant(2.0)
    assert hash(made) == hash(Toy(shape=(1, 2)))


def test_json_and_back() -> None:
    made = Toy(size=4, shape=(2, None), start=Constant(0.5))
    assert Toy.from_config(json.loads(json.dumps(made.config()))) == made


def test_an_unknown_parameter_is_never_ignored() -> None:
    with pytest.raises(ProblemError, match="weight"):
        Dense.from_config({"units": 3, "weight": 1})


def test_an_unknown_kind_lists_the_known() -> None:
    for call in (lambda: resolve("losses", "nothing"), lambda: declared("losses", "os")):
        with pytest.raises(ProblemError) as caught:
            call()
        assert caught.value.problems[0].code == "unknown_kind"
        assert "quared" in str(caught.value)
    with pytest.raises(KeyError):
        registry("os")


def test_the_type_expected_is_said_in_the_language_it_is_shown_in() -> None:
    (problem,) = Toy(size=2.5).problems()
    assert str(problem) == "Toy: “size” is 2.5; expected a whole number."
    set_language("zh_CN")
    assert "整数" in str(problem)
    assert str(Expected("bool")) == "是或否"


def test_an_input_of_texts_is_a_problem() -> None:
    assert [p.code for p in Input(shape=("a",)).problems()] == ["parameter_type"]


@pytest.mark.parametrize(
    ("kind", "names"),
    [(k, n) for k, n in references.meta("utils")["names"].items() if k[0].isupper()],
)
def test_snake_case_is_keras(kind: str, names: list[str]) -> None:
    if kind not in ("Input", "InputLayer", "Model", "Functional"):
        assert snake(kind) == names[0]
