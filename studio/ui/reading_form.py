"""How a file is read: what was found out about it, and what somebody knows better."""

from dataclasses import fields, replace
from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from studio.document.plan import Reading
from studio.text import text
from studio.ui.bindings.pairs import Pairs
from studio.ui.choices import ListedChoice

ENCODINGS = (
    *("utf-8", "utf-16", "gb18030", "big5", "shift_jis", "euc_jp", "euc_kr"),
    *("latin-1", "cp1250", "cp1251", "cp1252", "iso8859_2", "iso8859_15", "koi8_r"),
)
DELIMITERS = (",", ";", "\t", "|", " ")
_OFFERED: dict[str, tuple[str, ...]] = {
    "encoding": ENCODINGS,
    "delimiter": DELIMITERS,
    "quote": ('"', "'", "none"),
    "header": ("yes", "no"),
    "decimal": (".", ","),
    "sheet": (),
}
_SPELLED = {
    ",": "comma",
    ";": "semicolon",
    "\t": "tab",
    "|": "bar",
    " ": "space",
    ".": "point",
    '"': "double",
    "'": "single",
    "none": "none",
    "yes": "yes",
    "no": "no",
}
_SAID = {  # by themselves, without the field's label
    ("header", "yes"): "header_yes",
    ("header", "no"): "header_no",
    ("decimal", ","): "decimal_comma",
}
_ACROSS = 3  # fields side by side
FOUND = ("", "detect")  # stand for what is found out


class ReadingForm(QWidget):
    """A choice for everything that can be said of a file: what was found out stands first.

    Signals:
        edited(Reading): somebody knows it better.
    """

    edited = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._reading = Reading()
        self.fields: dict[str, ListedChoice] = {}
        self._labels = {name: QLabel(text(f"data.reading_{name}"), self) for name in _OFFERED}
        self._pairs = Pairs()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._pairs)
        for name in _OFFERED:
            field = ListedChoice([])
            field.setParent(self)
            field.setAccessibleName(text(f"data.reading_{name}"))
            field.setToolTip(text(f"data.reading_{name}_tip"))
            field.setObjectName(f"reading:{name}")
            field.setMinimumContentsLength(8)
            field.hide()
            field.edited.connect(partial(self._choose, name))
            self.fields[name] = field
        for label in self._labels.values():
            label.hide()
        self._shown: list[str] = []

    def show_reading(self, reading: Reading, found: Reading, sheets: tuple[str, ...] = ()) -> None:
        """Show what was chosen, and what was found; what does not concern the file is left out."""
        self._reading = reading
        shown = [name for name in _OFFERED if concerns(found, name) or _chosen(reading, name)]
        for name in shown:
            self._offer(name, reading, found, sheets)
        if shown != self._shown:
            self._shown = shown
            pairs = [(self._labels[name], self.fields[name]) for name in shown]
            lines = [pairs[at : at + _ACROSS] for at in range(0, len(pairs), _ACROSS)]
            self._pairs.show_lines(lines)

    def _offer(self, name: str, reading: Reading, found: Reading, sheets: tuple[str, ...]) -> None:
        value, detected = getattr(reading, name), getattr(found, name)
        unsaid = "detect" if name == "header" else ""
        values = list(sheets or _OFFERED[name])
        if value not in (*FOUND, *values):
            values.append(value)
        first = text("data.reading_found", value=spelled(name, detected))
        if _chosen(reading, name):
            first = text("data.reading_detect")
        choices = [(first, unsaid), *((spelled(name, v), v) for v in values)]
        self.fields[name].set_choices(choices)
        self.fields[name].show_value(value)

    def _choose(self, name: str, value: Any) -> None:
        self.edited.emit(replace(self._reading, **{name: value}))


def concerns(found: Reading, name: str) -> bool:
    """Whether a file has something of this name."""
    return getattr(found, name) not in FOUND


def _chosen(reading: Reading, name: str) -> bool:
    return getattr(reading, name) not in FOUND


def spelled(name: str, value: str) -> str:
    """What people call a value of a field."""
    if value in _SPELLED:
        return text(f"data.reading_{_SPELLED[value]}")
    return value.upper() if name == "encoding" else value


def summary(reading: Reading, found: Reading) -> str:
    """How a file is read, in a few words; empty where nothing is to be said."""
    parts = []
    for field in fields(Reading):
        name = field.name
        usual = name == "quote" or (name == "decimal" and found.decimal == ".")
        if not usual and concerns(found, name):
            value = getattr(found, name)
            key = _SAID.get((name, value))
            parts.append(text(f"data.{key}") if key else spelled(name, value))
    chosen = any(_chosen(reading, field.name) for field in fields(Reading))
    return " · ".join(parts) + (" *" if chosen and parts else "")
