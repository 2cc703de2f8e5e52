"""Results of several numbers: F1 by class, recall at some thresholds.

Logs, plots, runs and files hold one number a key: ``f1_score[0]``, ``f1_score[1]``, …; scripts and
callbacks are given Keras's form, one array at ``f1_score``.
"""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from studio.metrics.base import Result

_PART = re.compile(r"(.+)\[(\d+)\]")


def apart(key: str, result: Result) -> dict[str, float]:
    """A result as one number a key."""
    if isinstance(result, float):
        return {key: result}
    return {f"{key}[{index}]": float(number) for index, number in enumerate(result)}


def joined(logs: Mapping[str, Any]) -> dict[str, Any]:
    """Logs with an array where `apart` made several numbers of one; the rest as it is."""
    found: dict[str, Any] = {}
    several: dict[str, dict[int, Any]] = {}
    for key, value in logs.items():
        match = _PART.fullmatch(key)
        if match is None:
            found[key] = value
            continue
        name, index = match[1], int(match[2])
        several.setdefault(name, {})[index] = value
        found[name] = None  # the place of all
    for name, values in several.items():
        found[name] = np.array([values[index] for index in sorted(values)], np.float32)
    return found
