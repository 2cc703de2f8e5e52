"""The window's texts are complete in every language and take the same arguments."""

import re
from pathlib import Path
from string import Formatter

import pytest

import studio
from studio.declare import declared, registry
from studio.text import LANGUAGES, catalogue
from studio.ui.output_form import OutputSettings
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
UI = Path(studio.__file__).parent / "ui"


def fields(template):
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def test_languages_have_the_same_texts_with_the_same_arguments():
    english = catalogue("en", "window")
    for code in LANGUAGES:
        other = catalogue(code, "window")
        assert set(other) == set(english)
        for key, template in other.items():
            assert fields(template) == fields(english[key]), key
            assert template.strip()


def test_every_text_the_code_names_exists():
    named = set()
    for path in UI.rglob("*.py"):
        named |= set(re.findall(r'"window\.([a-z_]+)"', path.read_text(encoding="utf-8")))
    assert len(named) > 50
    assert named <= set(catalogue("en", "window"))


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
