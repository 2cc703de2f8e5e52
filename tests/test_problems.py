"""Every problem the sources name has a text, in both languages, with the fields it is given."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Formatter

import pytest

import studio
from studio.text import catalogue

SOURCES = [p for p in sorted(Path(studio.__file__).parent.rglob("*.py")) if "ui" not in p.parts]


@dataclass(frozen=True)
class Named:
    """A code in the sources; `given` is None where its fields cannot be read off."""

    code: str
    given: frozenset[str] | None
    place: str


def named() -> list[Named]:
    return [found for path in SOURCES for found in in_file(path)]


def in_file(path: Path) -> Iterator[Named]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        place = f"{path.name}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == "code" for t in node.targets
        ):
            yield from (Named(code, None, place) for code in texts_in(node.value))
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or not node.args:
            continue
        if node.func.id in ("Problem", "refuse", "Fix"):
            prefix = "fix_" if node.func.id == "Fix" else ""
            given = fields_given(node)
            yield from (Named(prefix + c, given, place) for c in texts_in(node.args[0]))


def texts_in(node: ast.expr) -> list[str]:
    if isinstance(node, ast.IfExp):
        return [*texts_in(node.body), *texts_in(node.orelse)]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def fields_given(call: ast.Call) -> frozenset[str] | None:
    if isinstance(call.func, ast.Name) and call.func.id == "refuse":
        names = [k.arg for k in call.keywords]
        return None if None in names else frozenset(n for n in names if n)
    given = next((k.value for k in call.keywords if k.arg == "args"), None)
    given = call.args[2] if given is None and len(call.args) > 2 else given
    if given is None:
        return frozenset()
    if not isinstance(given, ast.Dict) or not all(isinstance(k, ast.Constant) for k in given.keys):
        return None
    return frozenset(k.value for k in given.keys if isinstance(k, ast.Constant))


def fields_of(template: str) -> set[str]:
    return {name.split(".")[0] for _, name, _, _ in Formatter().parse(template) if name}


FOUND = named()
CODES = sorted({n.code for n in FOUND})


def test_the_search_finds_them() -> None:
    assert {"no_gradient", "cycle", "expects_integers", "fix_rename", "nothing_arrives"} <= set(
        CODES
    )


@pytest.mark.parametrize("language", ["en", "zh_CN"])
@pytest.mark.parametrize("code", CODES)
def test_it_has_a_text(code: str, language: str) -> None:
    places = [n.place for n in FOUND if n.code == code]
    template = catalogue(language, "problems").get(code)
    assert template, f"{code} has no text in {language}; it is raised at {places}"
    for use in FOUND:
        if use.code == code and use.given is not None:
            missing = fields_of(template) - use.given
            assert not missing, f"{code} in {language} wants {missing}, not given at {use.place}"


def test_both_languages_have_the_same_texts_and_fields() -> None:
    english, chinese = catalogue("en", "problems"), catalogue("zh_CN", "problems")
    assert english.keys() == chinese.keys()
    for code, template in english.items():
        assert fields_of(template) == fields_of(chinese[code]), code


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_texts_are_formatted_by_names_alone(language: str) -> None:
    for code, template in catalogue(language, "problems").items():
        assert all(name.isidentifier() for name in fields_of(template)), code
