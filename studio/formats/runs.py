"""Runs ⇄ JSON values: ``run.json`` of a project file, and of a checkpoint.

A run's numbers may be what JSON's may not: a loss that became NaN must be seen again.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from studio.document.project import Run
from studio.formats.strict_json import below, malformed
from studio.formats.values import plain, read, table

_BESIDE = ("document", "weights", "fitted")  # members of their own
_NUMBERS = ("history", "pace", "shares")  # that may be none of JSON's
_ODD = ("nan", "inf", "-inf")


def plain_run(run: Run) -> dict[str, Any]:
    """A run as JSON values, but for its document, weights and fitted preprocessing."""
    found = plain(replace(run, document=None, weights=None, fitted=None))
    kept = {name: value for name, value in found.items() if name not in _BESIDE}
    return {**kept, **{name: plain_numbers(getattr(run, name)) for name in _NUMBERS}}


def read_run(value: Any, place: str) -> Run:
    """The inverse of `plain_run`.

    Raises:
        MalformedError: the value is none.
    """
    found = dict(table(value, place))
    for name in _BESIDE:
        if name in found:
            raise malformed(place, "unknown_name", name=name, known="id, settings, history …")
    history = _series(found.get("history", {}), f"{place}.history")
    pace = table(found.get("pace", {}), f"{place}.pace")
    shares = {
        loss: _series(layers, below(f"{place}.shares", loss))
        for loss, layers in table(found.get("shares", {}), f"{place}.shares").items()
    }
    run: Run = read(Run, {**found, **{key: {} for key in _NUMBERS}}, place)
    return replace(run, history=history, pace=numbers(pace), shares=shares)


def _series(value: Any, place: str) -> dict[str, list[float]]:
    """Numbers, one an epoch, by their names."""
    return {
        key: [_number(v, f"{below(place, key)}[{i}]") for i, v in enumerate(series)]
        for key, series in read(Mapping[str, list[Any]], value, place).items()
    }


def plain_numbers(value: Any) -> Any:
    """JSON values with every number that JSON has no sign for as a text."""
    if isinstance(value, Mapping):
        return {key: plain_numbers(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain_numbers(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(float(value))
    return plain(value)


def numbers(value: Any) -> Any:
    """The inverse of `plain_numbers`, for values without other texts of that kind."""
    if isinstance(value, dict):
        return {key: numbers(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [numbers(inner) for inner in value]
    return float(value) if isinstance(value, str) and value in _ODD else value


def _number(value: Any, place: str) -> float:
    if value in _ODD:
        return float(value)
    found: float = read(float, value, place)
    return found
