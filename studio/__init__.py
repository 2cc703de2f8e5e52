"""Layerloom: wire neural networks, train them, leave with a proven ONNX file.

``import studio`` alone costs nothing: the public modules (``studio.layers``, ``studio.models``,
``studio.optimizers``, …) load when they are first named.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_PUBLIC = (
    *("callbacks", "constraints", "initializers", "layers", "losses"),
    *("metrics", "models", "optimizers", "regularizers"),
)


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return importlib.import_module(f"studio.{name}")
    raise AttributeError(f"module 'studio' has no attribute {name!r}; it has {', '.join(_PUBLIC)}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
