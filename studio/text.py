"""Every sentence a user reads, in English and Simplified Chinese, looked up late.

A key is ``domain.name``; the domain is the file under ``resources/translations/<language>/``.
Texts are ``str.format`` templates, so a catalogue never runs code.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any
from unicodedata import category

LANGUAGES = {"en": "English", "zh_CN": "简体中文"}

_current = "en"


def resources() -> Path:
    """The folder of translations, icons and themes: inside a wheel, or beside it in a checkout."""
    package = Path(__file__).parent
    packed = package / "resources"
    return packed if packed.is_dir() else package.parent / "resources"


def set_language(language: str) -> None:
    """Choose the language of every text rendered from now on: a key of `LANGUAGES`."""
    global _current
    if language not in LANGUAGES:
        raise ValueError(f"language {language!r} is not one of {', '.join(LANGUAGES)}")
    _current = language


def language() -> str:
    """The language in use, a key of `LANGUAGES`."""
    return _current


@cache
def catalogue(language: str, domain: str) -> dict[str, str]:
    """All texts of one domain in one language; empty when the domain has no such file."""
    path = resources() / "translations" / language / f"{domain}.json"
    if not path.is_file():
        return {}
    texts: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return texts


def text(key: str, /, **arguments: Any) -> str:
    """The text of `key` in the current language, English where it is not translated.

    A key in no catalogue gives the key itself, so a missing text is visible and never a crash.
    """
    domain, _, name = key.partition(".")
    template = catalogue(_current, domain).get(name) or catalogue("en", domain).get(name)
    if template is None:
        return key
    return template.format(**arguments) if arguments else template


def legible(given: str, most: int = 200) -> str:
    """A stranger's text, fit to be repeated in a sentence: short, its unseen signs written out.

    A file's own words could be as long as the file, or turn the sentence around them about.
    """
    return without_tricks(given if len(given) <= most else f"{given[: most - 1]}…")


def listed(names: Sequence[str], most: int = 8) -> str:
    """Some names in a line, the first of many; "nothing" where there are none."""
    more = ["…"] if len(names) > most else []
    return ", ".join([*names[:most], *more]) or text("problems.nothing")


def without_tricks(given: str) -> str:
    """A text with the signs written out that nobody sees, or that turn others about."""
    if given.isprintable():
        return given
    return "".join(c.encode("unicode_escape").decode() if _tricks(c) else c for c in given)


def _tricks(sign: str) -> bool:
    """Whether a sign is of those; the joiners that some scripts and emoji need are not."""
    unseen = category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    return unseen and sign not in "\n\t\u200c\u200d"
