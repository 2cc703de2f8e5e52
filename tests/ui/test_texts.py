"""The window's texts are complete in every language and take the same arguments."""

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

import studio
from studio.declare import declared, registry
from studio.text import LANGUAGES, catalogue, resources
from studio.ui.output_form import OutputSettings
from studio.ui.training.breakpoints import BreakpointSettings, DivergingSettings
from studio.ui.training.settings import (
    EarlyStoppingSettings,
    OptimizerSettings,
    PlateauSettings,
    RunSettings,
)

FAMILIES = (
    *("layers", "losses", "optimizers", "metrics"),
    *("initializers", "regularizers", "constraints", "optimizers.schedules"),
)
KINDS = [declared(family, kind) for family in FAMILIES for kind in registry(family)]
OWN = [OptimizerSettings, RunSettings, EarlyStoppingSettings, PlateauSettings, OutputSettings]
OWN += [BreakpointSettings, DivergingSettings]
ENGLISH = resources() / "translations" / "en"
# Texts of declarations are told of below, those of problems in tests/test_problems.py.
DOMAINS = sorted(p.stem for p in ENGLISH.glob("*.json") if p.stem not in (*FAMILIES, "problems"))


class Written:
    """What stands in the sources in quotes, and what can be put together of it."""

    def __init__(self):
        self.whole, patterns = set(), set()
        for path in (*Path(studio.__file__).parent.rglob("*.py"), *resources().rglob("*.json")):
            if path.suffix == ".json" and ENGLISH.parent not in path.parents:
                self.whole |= set(re.findall(r'"([^"]*)"', path.read_text(encoding="utf-8")))
            elif path.suffix == ".py":
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                    self.whole |= set(_names(node))
                    if isinstance(node, ast.JoinedStr):
                        patterns.add(_pattern(node))
        self.patterns = [re.compile(p) for p in patterns if re.search("[a-z]", p)]

    def has(self, key, depth=0):
        """Whether it stands there, or a pattern whose gaps are filled by what does."""
        if key in self.whole or key.isdecimal():
            return True
        found = (pattern.fullmatch(key) for pattern in self.patterns) if depth < 2 else ()
        return any(all(self.has(gap, depth + 1) for gap in m.groups()) for m in found if m)


def _names(node):
    """A string, and names that values can have: of fields, arguments, functions and classes."""
    match node:
        case ast.Constant(value=str(value)):
            yield value
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.Name(id=name):
            yield name
        case ast.arg(arg=name) | ast.keyword(arg=str(name)) | ast.Attribute(attr=name):
            yield name.lower() if name.isupper() else name  # texts name phases in small letters


def _pattern(node):
    parts = (re.escape(p.value) if isinstance(p, ast.Constant) else "(.+)" for p in node.values)
    return "".join(parts)


WRITTEN = Written()


def fields(template):
    return {name for _, name, _, _ in Formatter().parse(template) if name}


@pytest.mark.parametrize("domain", DOMAINS)
def test_languages_have_the_same_texts_with_the_same_arguments(domain):
    english = catalogue("en", domain)
    for code in LANGUAGES:
        other = catalogue(code, domain)
        assert set(other) == set(english)
        for key, template in other.items():
            assert fields(template) == fields(english[key]), key
            assert template.strip()


def test_every_text_the_code_names_exists():
    key = re.compile(rf"({'|'.join(DOMAINS)})\.[a-z_]*[a-z]")
    named = {written for written in WRITTEN.whole if key.fullmatch(written)}
    assert len(named) > 500
    there = {f"{domain}.{key}" for domain in DOMAINS for key in catalogue("en", domain)}
    begun = {text[: text.rindex("_")] for text in there if "_" in text}  # as of what is counted
    assert named <= there | begun


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_text_is_used(domain):
    own = {f"{kind.__name__}.{p.name}" for kind in OWN for p in kind.params()}
    texts = set(catalogue("en", domain)) - own
    assert [key for key in texts if not WRITTEN.has(f"{domain}.{key}")] == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.__name__)
def test_help_of_every_declaration_is_translated(kind):
    for code in LANGUAGES:
        if code != "en":  # English stands in the declaration itself
            helps = catalogue(code, kind.family)
            assert kind.__name__ in helps
            assert [p.name for p in kind.params() if f"{kind.__name__}.{p.name}" not in helps] == []


@pytest.mark.parametrize("kind", [*KINDS, *OWN], ids=lambda k: k.__name__)
def test_every_parameter_has_a_label(kind):
    for code in LANGUAGES:
        labels = catalogue(code, "window")
        assert [p.name for p in kind.params() if f"param.{p.name}" not in labels] == []


@pytest.mark.parametrize("kind", OWN, ids=lambda k: k.__name__)
def test_the_windows_own_forms_have_help(kind):
    for code in LANGUAGES:
        for p in kind.params():
            assert f"{kind.__name__}.{p.name}" in catalogue(code, "window")
