"""What a person chose for every project: language, theme, recent files, where the docks stand."""

from pathlib import Path

from PySide6.QtCore import QByteArray, QLocale, QSettings

from studio.text import LANGUAGES

THEMES = ("system", "light", "dark")
_RECENT = 10


class Settings:
    """Typed access to QSettings; nonsense in the file counts as nothing chosen."""

    def __init__(self) -> None:
        where = QSettings.Scope.UserScope
        self._kept = QSettings(QSettings.defaultFormat(), where, "layerloom", "layerloom")

    @property
    def language(self) -> str:
        """The chosen language, else the system's where there is a translation, else English."""
        chosen = str(self._kept.value("language", ""))
        if chosen in LANGUAGES:
            return chosen
        return "zh_CN" if QLocale.system().language() == QLocale.Language.Chinese else "en"

    @language.setter
    def language(self, language: str) -> None:
        self._kept.setValue("language", language)

    @property
    def theme(self) -> str:
        """One of `THEMES`."""
        chosen = str(self._kept.value("theme", "system"))
        return chosen if chosen in THEMES else "system"

    @theme.setter
    def theme(self, theme: str) -> None:
        self._kept.setValue("theme", theme)

    @property
    def recent(self) -> list[Path]:
        """Files opened or saved, the latest first."""
        kept = self._kept.value("recent", [])
        names = kept if isinstance(kept, list) else [kept]
        return [Path(name) for name in names if name and isinstance(name, str)]

    def remember(self, path: Path) -> None:
        """Put a file first among the recent ones."""
        paths = [path, *(p for p in self.recent if p != path)]
        self._kept.setValue("recent", [str(p) for p in paths[:_RECENT]])

    def forget(self, path: Path) -> None:
        """Drop a file from the recent ones."""
        self._kept.setValue("recent", [str(p) for p in self.recent if p != path])

    @property
    def folder(self) -> Path:
        """Where file dialogs start: beside the latest file."""
        return next((p.parent for p in self.recent if p.parent.is_dir()), Path.home())

    def layout(self) -> tuple[QByteArray, QByteArray]:
        """The window's geometry and its docks' state; empty when never kept."""
        kept = (self._kept.value(f"window/{part}") for part in ("geometry", "state"))
        geometry, state = (v if isinstance(v, QByteArray) else QByteArray() for v in kept)
        return geometry, state

    def keep_layout(self, geometry: QByteArray, state: QByteArray) -> None:
        """Keep the window's geometry and its docks' state."""
        self._kept.setValue("window/geometry", geometry)
        self._kept.setValue("window/state", state)
        self._kept.sync()
