"""Short questions and messages, their buttons named by what they do."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from PySide6.QtWidgets import QCheckBox, QMessageBox, QWidget

from studio.problem import Problem
from studio.text import text

Dropped = Literal["insert", "open", "cancel"]
Answer = Literal["save", "discard", "cancel"]
Overtaken = Literal["replace", "elsewhere", "cancel"]


def ask_unsaved(parent: QWidget, name: str) -> Answer:
    """Whether to save `name` before it goes; Escape cancels."""
    box = _box(parent, QMessageBox.Icon.Question, "unsaved", text("window.unsaved", name=name))
    box.setInformativeText(text("window.unsaved_more"))
    save = box.addButton(text("window.save_changes"), QMessageBox.ButtonRole.AcceptRole)
    discard = box.addButton(text("window.discard"), QMessageBox.ButtonRole.DestructiveRole)
    cancel = box.addButton(text("window.cancel"), QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(save)
    box.setEscapeButton(cancel)
    clicked = _ask(box)
    return "save" if clicked is save else "discard" if clicked is discard else "cancel"


def ask_overtaken(parent: QWidget, path: Path, gone: bool) -> Overtaken:
    """Whether to write a file that is no longer what was opened, or is `gone` from there; Enter
    saves elsewhere.
    """
    key = "recovery.gone_ask" if gone else "recovery.changed_ask"
    question = text(key, name=path.name, folder=path.parent)
    box = _box(parent, QMessageBox.Icon.Question, "overtaken", question)
    elsewhere = box.addButton(text("recovery.save_elsewhere"), QMessageBox.ButtonRole.AcceptRole)
    yes = text("recovery.write_it" if gone else "recovery.replace_it")
    replace = box.addButton(yes, QMessageBox.ButtonRole.DestructiveRole)
    cancel = box.addButton(text("window.cancel"), QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(elsewhere)
    box.setEscapeButton(cancel)
    clicked = _ask(box)
    return "replace" if clicked is replace else "elsewhere" if clicked is elsewhere else "cancel"


def ask_dropped(parent: QWidget, name: str) -> tuple[Dropped, bool]:
    """What becomes of a project dropped on the window, and whether it comes frozen."""
    box = _box(parent, QMessageBox.Icon.Question, "dropped", text("window.dropped", name=name))
    box.setInformativeText(text("window.dropped_more"))
    frozen = QCheckBox(text("window.insert_frozen"))
    frozen.setToolTip(text("window.trainable_help"))
    box.setCheckBox(frozen)
    insert = box.addButton(text("window.insert_it"), QMessageBox.ButtonRole.AcceptRole)
    opened = box.addButton(text("window.open_it"), QMessageBox.ButtonRole.ActionRole)
    cancel = box.addButton(text("window.cancel"), QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(insert)
    box.setEscapeButton(cancel)
    clicked = _ask(box)
    answer: Dropped = "insert" if clicked is insert else "open" if clicked is opened else "cancel"
    return answer, frozen.isChecked()


def confirm(
    parent: QWidget, question: str, yes: str, *, name: str = "confirm", loses: bool = False
) -> bool:
    """Whether to do what the button `yes` says; Enter does so, unless something `loses` by it."""
    box = _box(parent, QMessageBox.Icon.Question, name, question)
    accept = box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
    cancel = box.addButton(text("window.cancel"), QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(cancel if loses else accept)
    box.setEscapeButton(cancel)
    return _ask(box) is accept


def tell(parent: QWidget, message: str, more: str = "", *, warning: bool = True) -> None:
    """Say something that needs no decision."""
    kind = QMessageBox.Icon.Warning if warning else QMessageBox.Icon.Information
    box = _box(parent, kind, "told", message)
    box.setInformativeText(more)
    box.addButton(text("window.close"), QMessageBox.ButtonRole.AcceptRole)
    _ask(box)


def tell_problems(parent: QWidget, message: str, problems: Iterable[Problem]) -> None:
    """Say that something was refused, and why."""
    tell(parent, message, "\n".join(map(str, problems)))


def _box(parent: QWidget, icon: QMessageBox.Icon, name: str, message: str) -> QMessageBox:
    box = QMessageBox(icon, text("window.title"), message, parent=parent)
    box.setObjectName(name)
    return box


def _ask(box: QMessageBox) -> object:
    box.exec()
    clicked = box.clickedButton()
    box.deleteLater()
    return clicked
