"""What this program is, the versions a question about it should name, and whose work it holds."""

import os
import platform
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QPlainTextEdit,
    QSplitter,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from studio import __version__
from studio.text import text
from studio.ui.icons import icon
from studio.ui.parts import note, plain
from studio.ui.report import about_this_machine

_OWN = "layerloom"
_TEXTS = re.compile(r"(licen[cs]es?|copying|copyright|notice|third.?party)", re.IGNORECASE)
_LONGEST = 400_000  # characters of one licence text that are shown


# -- whose work it holds -------------------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """A package this program runs on, as it is installed here.

    Attributes:
        licence: its name, empty where the package does not say it.
        files: its licence texts.
        home: where it comes from.
    """

    name: str
    version: str
    licence: str
    files: tuple[Path, ...]
    home: str = ""

    def texts(self) -> str:
        """All its licence texts, or where to find them."""
        found = [path.read_text(encoding="utf-8", errors="replace") for path in self.files]
        if not found:
            found = [text("window.licence_elsewhere", name=self.name, home=self.home or "–")]
        return "\n\n".join([f"{self.name} {self.version}\n{self.licence}", *found])[:_LONGEST]


def parts() -> list[Part]:
    """Python, and every package that is needed and installed, in alphabetical order."""
    python = Path(os.__file__).with_name("LICENSE.txt")
    own = Part(
        "Python",
        platform.python_version(),
        "PSF-2.0",
        (python,) if python.is_file() else (),
        "https://www.python.org",
    )
    needed = [_part(each) for each in _needed(_OWN, set())]
    return sorted([own, *needed], key=lambda part: part.name.casefold())


def _needed(name: str, seen: set[str]) -> Iterator[metadata.Distribution]:
    """What a package needs, and what that needs; each once. Extras are left out."""
    try:
        required = metadata.distribution(name).requires or []
    except metadata.PackageNotFoundError:
        return  # of another system, or started from a folder that was never installed
    for line in required:
        found = re.match(r"[\w.-]+", line)
        if found is None or "extra ==" in line:
            continue
        key = re.sub(r"[-_.]+", "-", found[0]).casefold()
        if key not in seen:
            seen.add(key)
            try:
                yield metadata.distribution(key)
            except metadata.PackageNotFoundError:
                continue
            yield from _needed(key, seen)


def _part(package: metadata.Distribution) -> Part:
    files = [file for file in package.files or () if _TEXTS.match(file.name)]
    located = [Path(str(file.locate())) for file in files if file.suffix in ("", ".txt", ".md")]
    said = package.metadata
    links = [url.partition(", ")[2] for url in said.get_all("Project-URL") or ()]
    home = next(iter([*(said.get_all("Home-page") or ()), *links]), "")
    readable = tuple(path for path in located if path.is_file())
    return Part(said["Name"], package.version, _licence(package), readable, home)


def _licence(package: metadata.Distribution) -> str:
    """The name of a package's licence; some put the whole text where the name should be."""
    said = package.metadata
    for field in ("License-Expression", "License"):
        for named in said.get_all(field) or ():
            if len(named) < 80 and "\n" not in named:
                return str(named)
    marks = (c for c in said.get_all("Classifier") or () if c.startswith("License ::"))
    return ", ".join(mark.rpartition(" :: ")[2] for mark in marks)


# -- the dialog ----------------------------------------------------------------------------------


class AboutDialog(QDialog):
    """Name, purpose, versions; licences on a second page."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(plain(text("window.about")))
        self.pages = QTabWidget()
        self.licences = Licences()
        self.pages.addTab(self._about(), plain(text("window.about")))
        self.pages.addTab(self.licences, text("window.licences"))
        buttons = QDialogButtonBox()
        close = buttons.addButton(text("window.close"), QDialogButtonBox.ButtonRole.RejectRole)
        close.clicked.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.pages, 1)
        layout.addWidget(buttons)
        self.resize(820, 480)

    def _about(self) -> QWidget:
        page = QWidget()
        picture = QLabel()
        picture.setPixmap(icon("layerloom").pixmap(64, 64))
        picture.setAlignment(Qt.AlignmentFlag.AlignTop)
        title = QLabel(f"<h2>{text('window.title')} {__version__}</h2>")
        words = QVBoxLayout()
        for part in (title, note(text("window.about_text")), note(about_this_machine())):
            words.addWidget(part)
        words.addStretch(1)
        row = QHBoxLayout(page)
        row.setContentsMargins(16, 16, 16, 16)
        row.setSpacing(16)
        row.addWidget(picture)
        row.addLayout(words, 1)
        return page


class Licences(QSplitter):
    """The packages, and the licence texts of the one chosen, read from where it is installed."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = parts()
        self.list = QListWidget()
        self.list.setAccessibleName(text("window.licences"))
        for part in self.parts:
            self.list.addItem(f"{part.name} {part.version}")
        self.text = QPlainTextEdit(readOnly=True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setAccessibleName(text("window.licence_text"))
        self.list.currentRowChanged.connect(
            lambda row: self.text.setPlainText(self.parts[row].texts())
        )
        self.addWidget(self.list)
        self.addWidget(self.text)
        self.setSizes([210, 580])
        self.setChildrenCollapsible(False)
        self.list.setCurrentRow(0)
