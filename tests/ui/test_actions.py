"""The list of acts: all have texts and icons, all are in a menu."""

from pathlib import Path

import pytest

from studio.document.project import Project
from studio.text import LANGUAGES, catalogue, resources
from studio.ui.commands import (
    CONTEXT_CANVAS,
    CONTEXT_NODE,
    CONTEXT_PIECE,
    CONTEXT_PROBE,
    TOOLBAR,
    menus,
)
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.window import MainWindow


@pytest.fixture
def window(qtbot):
    made = MainWindow(Settings(), Session(Project()))
    qtbot.addWidget(made)
    return made


def listed(entries):
    for entry in entries:
        if isinstance(entry, tuple):
            yield from listed(entry[1])
        elif isinstance(entry, str) and entry != "-":
            yield entry


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_act_has_a_text(window, code):
    for action in window.actions_.all.values():
        domain, _, name = action.key.partition(".")
        assert name in catalogue(code, domain), f"{action.id} has no text in {code}"


def submenus(entries):
    for entry in entries:
        if isinstance(entry, tuple):
            yield entry[0]
            yield from submenus(entry[1])


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_submenu_has_a_text(window, code):
    contexts = (CONTEXT_NODE, CONTEXT_CANVAS, CONTEXT_PIECE, CONTEXT_PROBE)
    for menu in (*menus(window).values(), *contexts):
        for name in submenus(menu):
            assert f"menu_{name}" in catalogue(code, "window")


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_act_that_can_be_impossible_says_why(window, code):
    for action in window.actions_.all.values():
        domain, _, name = action.why.partition(".")
        assert name in catalogue(code, domain), f"{action.id} does not say why not in {code}"


def test_every_act_is_in_a_menu_and_every_entry_is_an_act(window):
    entries = [e for menu in menus(window).values() for e in listed(menu)]
    assert sorted(entries) == sorted(window.actions_.all)
    for bar in (TOOLBAR, CONTEXT_NODE, CONTEXT_CANVAS, CONTEXT_PIECE, CONTEXT_PROBE):
        assert set(listed(bar)) <= set(window.actions_.all)


def test_every_icon_exists_and_the_tool_bar_has_them(window):
    for action in window.actions_.all.values():
        if action.icon:
            assert (Path(resources()) / "icons" / f"{action.icon}.svg").is_file()
    assert all(window.actions_.all[i].icon for i in TOOLBAR if i != "-")


def test_menus_have_mnemonics_that_differ(window):
    for code in LANGUAGES:
        texts = catalogue(code, "window")
        marks = [texts[f"menu_{name}"].split("&")[1][0].lower() for name in menus(window)]
        assert len(set(marks)) == len(marks)
