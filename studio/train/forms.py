"""The forms in which losses, weights and metrics may be given: one for all, a list, a dict."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from studio.declare import resolve
from studio.metrics.base import Metric
from studio.problem import refuse
from studio.train.feed import by_name, wrong_number

_T = TypeVar("_T")


def declaration(base: type[_T], family: str, given: Any) -> _T:
    """A loss, metric or optimizer from itself or its name."""
    found = resolve(family, given)
    assert isinstance(found, base)
    return found


def per_output(what: str, names: list[str], given: Any) -> dict[str, Any]:
    """One value, or None, for each output; a single one stands for all."""
    if isinstance(given, Mapping):
        return {**dict.fromkeys(names), **by_name(what, _known(what, names, given), given)}
    if isinstance(given, list | tuple):
        if len(given) != len(names):
            raise wrong_number(what, len(given), names)
        return dict(zip(names, given, strict=True))
    return dict.fromkeys(names, given)


def _known(what: str, names: list[str], given: Mapping[str, Any]) -> list[str]:
    for name in given:
        if name not in names:
            raise refuse("unknown_name", what=what, name=name, known=", ".join(names))
    return [name for name in names if name in given]


def metrics_per_output(names: list[str], given: Any) -> dict[str, tuple[Metric, ...]]:
    """``["accuracy"]`` is for every output; a list as long as the outputs is one for each."""
    if given is None:
        return dict.fromkeys(names, ())
    one_each = isinstance(given, Mapping) or (
        isinstance(given, list | tuple)
        and len(given) == len(names)
        and (len(names) > 1 or isinstance(given[0], list | tuple))
    )
    chosen = per_output("metric", names, given) if one_each else dict.fromkeys(names, given)
    return {name: _metric_list(value) for name, value in chosen.items()}


def _metric_list(given: Any) -> tuple[Metric, ...]:
    if given is None:
        return ()
    several = given if isinstance(given, list | tuple) else [given]
    return tuple(as_metric(metric) for metric in several)


def as_metric(given: Any) -> Metric:
    """A metric given by its name, or as a function, is called as that, as in Keras."""
    found = declaration(Metric, "metrics", given)
    written = given if isinstance(given, str) else getattr(given, "name", "")
    return replace(found, name=written) if written else found
