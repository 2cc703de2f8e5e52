"""``keras_layers``: which layers and activations Keras has, and what they take.

``meta["layers"]``: class name → [[parameter, default], ...] in order; a default that is no JSON
value is its Python text, and ``…`` stands for none at all. ``meta["aliases"]``: other names of a
class → its own. ``meta["activations"]``: the names of functions.

``meta["configs"]``: class name → for each example of our catalogue what Keras's ``get_config``
gives of a layer made with the same parameters.
"""

import inspect
from collections.abc import Callable
from typing import Any

import keras

from studio.declare import Declared, declared
from studio.layers import CATALOGUE
from tests.references.recording import Recording

_NO_PARAMETERS = ("self", "args", "kwargs")


def keras_layers() -> Recording:
    recording = Recording()
    named = {n: o for n, o in vars(keras.layers).items() if inspect.isclass(o)}
    recording.meta["layers"] = {
        name: _parameters(kind) for name, kind in sorted(named.items()) if _own(name, kind, named)
    }
    recording.meta["aliases"] = {
        name: kind.__name__ for name, kind in sorted(named.items()) if not _own(name, kind, named)
    }
    recording.meta["activations"] = sorted(
        name
        for name, function in vars(keras.activations).items()
        if inspect.isfunction(function) and name not in ("get", "serialize", "deserialize")
    )
    recording.meta["configs"] = {
        kind: _configs(kind) for kind in CATALOGUE if hasattr(keras.layers, kind)
    }
    return recording


def _configs(kind: str) -> list[Any]:
    ours = declared("layers", kind)
    made = [_made(ours.from_config(example.params)) for example in ours.examples]
    return [keras.saving.serialize_keras_object(layer)["config"] for layer in made]


def _made(ours: Declared) -> Any:
    """Keras's layer with the parameters of ours; but initializers and the like are its own."""
    kind = getattr(keras.layers, ours.kind)
    given, taken = {}, dict(_parameters(kind))
    for name in (p.name for p in ours.params() if p.name in taken):
        value = getattr(ours, name)
        if isinstance(value, Declared):
            if value.family == "layers":
                given[name] = _made(value)
        elif name in ("padding", "cropping") and isinstance(value, tuple) and len(value) > 2:
            given[name] = list(zip(value[::2], value[1::2], strict=True))  # ours is one row
        elif value is not None or taken[name] is not None:
            given[name] = value
    return kind(**given)


def _own(name: str, kind: type, named: dict[str, type]) -> bool:
    """Whether a class is called so, and not rather by another of its names."""
    return name == kind.__name__ or kind.__name__ not in named


def _parameters(kind: type) -> list[list[Any]]:
    """Those of the constructor, by their names."""
    found = inspect.signature(kind.__init__).parameters.values()
    return [[p.name, _plain(p.default)] for p in found if p.name not in _NO_PARAMETERS]


def _plain(default: Any) -> Any:
    if default is inspect.Parameter.empty:
        return "…"
    if isinstance(default, tuple):
        return list(default)
    if default is None or isinstance(default, bool | int | float | str):
        return default
    return repr(default)


RECORDINGS: dict[str, Callable[[], Recording]] = {"keras_layers": keras_layers}
