"""What a person chose for every project: language, theme, recent files, where the docks stand."""

import json
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from PySide6.QtCore import QByteArray, QLocale, QSettings

from studio.problem import Problem
from studio.text import LANGUAGES

THEMES = ("system", "light", "dark", "contrast")
WHEELS = ("zoom", "scroll")  # what the wheel of a mouse does to the canvas
MOST_THREADS = 256
MOST_MEMORY = 65_536  # gigabytes one may choose
_RECENT = 10
_YOUNG = 60.0  # seconds in which somebody may still be writing what lies beside the file
_EMPTY = 2.0  # seconds in which a lock may still lack the number of its process
_LEFT = re.compile(r"\.[A-Za-z0-9]{6}|\.lock(\.rmlock)+")  # behind its name: of Qt's writers

_OBJECT = re.compile(r"(?<!@)@(Variant|DateTime)\(")
_ESCAPE = re.compile(  # what Qt knows no meaning of is nothing
    r"""\\x([0-9A-Fa-f]+)|\\([0-7]+)|\\([abfnrtv"?'\\])|\\(?:\r\n|\n\r|.)|\"""", re.DOTALL
)


def sweep(file: Path) -> None:
    """Remove what Qt's writers of this file, who were killed while they wrote it, left behind.

    A lock without a number, too, which would hold every writer up for half a minute.
    """
    with suppress(OSError):
        for path in file.parent.iterdir():
            status, ending = path.stat(), path.name.removeprefix(file.name)
            age = time.time() - status.st_mtime
            empty = ending == ".lock" and not status.st_size and age > _EMPTY
            if path.name != ending and (empty or (_LEFT.fullmatch(ending) and age > _YOUNG)):
                path.unlink()


def set_strange_aside(file: Path) -> Path | None:
    """Rename a file that would have Qt make objects: PySide unpickles them, which can do anything.

    It is asked before Qt reads it. What is written here is made of texts and bytes alone. Gives
    where the file is now; None where nothing is wrong with it.
    """
    try:
        data = file.read_bytes() if file.is_file() else b""
    except OSError:
        return None  # Qt cannot read it either
    if _OBJECT.search(data.decode("latin-1")) or _OBJECT.search(_unescaped(data)):
        return file.replace(file.with_name(f"{file.name}.refused"))
    return None


def _unescaped(data: bytes) -> str:
    """The file as Qt takes it: without quotation marks, continued lines and escapes."""

    def letter(found: re.Match[str]) -> str:
        hexadecimal, octal, known = found.groups()
        if hexadecimal or octal:
            return chr(int(hexadecimal or octal, 16 if hexadecimal else 8) & 0xFFFF)
        return known or ""

    return _ESCAPE.sub(letter, data.decode("latin-1"))


class Settings:
    """Typed access to QSettings; nonsense in the file counts as nothing chosen.

    Attributes:
        refused: what to tell of files that were set aside unread.
    """

    def __init__(self) -> None:
        made = QSettings.defaultFormat(), QSettings.Scope.UserScope
        file = Path(QSettings(*made, "layerloom-nowhere", "layerloom").fileName())  # reads nothing
        folder = file.parents[1]
        # Qt reads the second where the first says nothing.
        places = folder / "layerloom" / file.name, folder / file.name
        aside = [found for place in places if (found := set_strange_aside(place)) is not None]
        self.refused = [Problem("settings_refused", args={"file": str(path)}) for path in aside]
        self._kept = QSettings(*made, "layerloom", "layerloom")
        self._kept.setFallbacksEnabled(False)
        sweep(Path(self._kept.fileName()))

    def flush(self) -> Problem | None:
        """Write what was chosen to its file now; what is wrong where that cannot be done."""
        self._kept.sync()
        if self._kept.status() == QSettings.Status.NoError:
            return None
        return Problem("settings_not_kept", args={"file": self._kept.fileName()})

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
    def wheel(self) -> str:
        """One of `WHEELS`."""
        chosen = str(self._kept.value("wheel", "zoom"))
        return chosen if chosen in WHEELS else "zoom"

    @wheel.setter
    def wheel(self, wheel: str) -> None:
        self._kept.setValue("wheel", wheel)

    @property
    def threads(self) -> int:
        """How many cores to use at most; 0 for all."""
        chosen = str(self._kept.value("threads", 0))
        return min(int(chosen), MOST_THREADS) if chosen.isascii() and chosen.isdigit() else 0

    @threads.setter
    def threads(self, threads: int) -> None:
        self._kept.setValue("threads", threads)

    @property
    def memory(self) -> int:
        """How many gigabytes a model may take at most; 0 for half of what there is."""
        chosen = str(self._kept.value("memory", 0))
        return min(int(chosen), MOST_MEMORY) if chosen.isascii() and chosen.isdigit() else 0

    @memory.setter
    def memory(self, gigabytes: int) -> None:
        self._kept.setValue("memory", gigabytes)

    @property
    def keras_python(self) -> str:
        """The path of the Python that has Keras; empty: it is looked for."""
        return str(self._kept.value("keras_python", ""))

    @keras_python.setter
    def keras_python(self, path: str) -> None:
        self._kept.setValue("keras_python", path)

    @property
    def keys(self) -> dict[str, str]:
        """The keys chosen for acts, by the act's id; whether they are any good is not asked."""
        try:
            kept = json.loads(str(self._kept.value("keys", "{}")))
        except (ValueError, RecursionError):
            return {}
        pairs = kept.items() if isinstance(kept, dict) else ()
        return {act: keys for act, keys in pairs if isinstance(keys, str)}

    @keys.setter
    def keys(self, keys: Mapping[str, str]) -> None:
        self._kept.setValue("keys", json.dumps(dict(keys)))

    @property
    def recent_acts(self) -> list[str]:
        """What was taken from the search lately, the latest first."""
        return self._names("recent_acts")

    def remember_act(self, act: str) -> None:
        """Put an act first among the recent ones."""
        acts = [act, *(a for a in self.recent_acts if a != act)]
        self._kept.setValue("recent_acts", acts[:_RECENT])

    @property
    def recent_layers(self) -> list[str]:
        """The kinds of layers that were added from a list at the cursor, the latest first."""
        return self._names("recent_layers")

    def remember_layer(self, kind: str) -> None:
        """Put a kind of layer first among the recent ones."""
        kinds = [kind, *(k for k in self.recent_layers if k != kind)]
        self._kept.setValue("recent_layers", kinds[:_RECENT])

    def _names(self, key: str) -> list[str]:
        kept = self._kept.value(key, [])
        names = kept if isinstance(kept, list) else [kept]
        return [name for name in names if name and isinstance(name, str)]

    @property
    def wire_shapes(self) -> bool:
        """Whether every wire shows the shape of what it carries."""
        return self._kept.value("wire_shapes", "false") in (True, "true")

    @wire_shapes.setter
    def wire_shapes(self, shown: bool) -> None:
        self._kept.setValue("wire_shapes", "true" if shown else "false")

    @property
    def waves(self) -> bool:
        """Whether a step of training that is looked at runs over the canvas as a wave."""
        return self._kept.value("waves", "true") in (True, "true")

    @waves.setter
    def waves(self, shown: bool) -> None:
        self._kept.setValue("waves", "true" if shown else "false")

    @property
    def wave_speed(self) -> float:
        """How many times as fast as usual a wave goes, from 1/8 to 8."""
        chosen = str(self._kept.value("wave_speed", "1"))
        try:
            return min(max(0.125, float(chosen)), 8.0)
        except ValueError:
            return 1.0

    @wave_speed.setter
    def wave_speed(self, factor: float) -> None:
        self._kept.setValue("wave_speed", str(factor))

    @property
    def recent(self) -> list[Path]:
        """Files opened or saved, the latest first."""
        return [Path(name) for name in self._names("recent")]

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
        """The window's geometry and its docks' state; empty when never kept, or damaged since.

        Qt believes what stands there: of damaged ones the process dies, at every start.
        """
        kept = (self._kept.value(f"window/{part}") for part in ("geometry", "state"))
        geometry, state = (v if isinstance(v, QByteArray) else QByteArray() for v in kept)
        if self._kept.value("window/check") != _check(geometry, state):
            return QByteArray(), QByteArray()
        return geometry, state

    def keep_layout(self, geometry: QByteArray, state: QByteArray) -> None:
        """Keep the window's geometry and its docks' state."""
        self._kept.setValue("window/geometry", geometry)
        self._kept.setValue("window/state", state)
        self._kept.setValue("window/check", _check(geometry, state))
        self._kept.sync()


def _check(geometry: QByteArray, state: QByteArray) -> str:
    """Tells whether a layout is as it was kept."""
    found = blake2b(digest_size=16)
    for part in (geometry, state):
        found.update(bytes(part.data()) + b"\0")
    return found.hexdigest()
