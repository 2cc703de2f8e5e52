"""What older files said, as this version says it: each step from one format to the next.

Values come as they were read, unchecked; what is not as it was written then is left for the reader
to refuse.
"""

from collections.abc import Callable
from typing import Any


def upgraded_bindings(document: dict[str, Any]) -> dict[str, Any]:
    """Format 2 to 3: numbers were standardized or not; now there are several scalings."""
    plan = document.get("plan")
    data = plan.get("data") if isinstance(plan, dict) else None
    if not isinstance(plan, dict) or not isinstance(data, dict):
        return {**document, "format": 3}
    changed = {
        ends: {key: _scaled(binding) for key, binding in data[ends].items()}
        for ends in ("inputs", "targets")
        if isinstance(data.get(ends), dict)
    }
    return {**document, "format": 3, "plan": {**plan, "data": {**data, **changed}}}


def upgraded_fitted(fitted: Any) -> Any:
    """Format 2 to 3 of ``preprocess.json``: likewise of what was learnt."""
    if not isinstance(fitted, dict):
        return fitted
    return {key: _fitted_numbers(found) for key, found in fitted.items()}


def _scaled(binding: Any) -> Any:
    if not isinstance(binding, dict) or binding.get("kind") != "NumberColumns":
        return binding
    return _scaling_of(binding)


def _scaling_of(binding: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in binding.items() if name != "standardize"}
    standard = binding.get("standardize", False)
    if standard is not True and standard is not False:
        return binding
    return {**kept, "scaling": "standardize" if standard else "none"}


def _fitted_numbers(found: Any) -> Any:
    if not isinstance(found, dict) or found.get("kind") != "FittedNumbers":
        return found
    names = {"mean": "offset", "deviation": "scale"}
    values = {names.get(name, name): value for name, value in found.items()}
    if isinstance(values.get("binding"), dict):
        values["binding"] = _scaling_of(values["binding"])
    return values


def fitted(learnt: Any, number: int) -> Any:
    """``preprocess.json`` beside a document of format `number`, as it is written now."""
    for step in range(number, max(FITTED) + 1):
        learnt = FITTED.get(step, lambda value: value)(learnt)
    return learnt


# By the format they start from: of document.json, and of preprocess.json.
DOCUMENT: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {
    1: lambda value: {**value, "format": 2, "looks": {}},  # what is missing is not muted
    2: upgraded_bindings,
    3: lambda value: {**value, "format": 4},  # what is missing takes its default
}
FITTED: dict[int, Callable[[Any], Any]] = {2: upgraded_fitted}
