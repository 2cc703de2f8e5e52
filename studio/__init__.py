"""Layerloom: wire neural networks, train them, leave with a proven ONNX file.

``import studio`` alone costs nothing: the public modules (``studio.layers``, ``studio.models``,
``studio.optimizers``, …) load when they are first named. As in Keras, ``studio.Input`` and
``studio.Model`` are there, too.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_PUBLIC = (
    *("callbacks", "constraints", "initializers", "layers", "losses"),
    *("metrics", "models", "optimizers", "regularizers"),
)

_SHORT = {"Input": "layers", "Model": "models"}  # name → the module it is from


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return importlib.import_module(f"studio.{name}")
    if name in _SHORT:
        return getattr(importlib.import_module(f"studio.{_SHORT[name]}"), name)
    known = ", ".join((*_PUBLIC, *_SHORT))
    raise AttributeError(f"module 'studio' has no attribute {name!r}; it has {known}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC, *_SHORT])
