"""The layers, one file each. In Python they are called as in Keras: ``Dense(64)(x)``.

What `studio.layers.Dense` gives is a handle with identity (`studio.layers.functional`); the
frozen declaration it wraps is the class in ``dense.py``.
"""

from importlib import import_module
from typing import Any

CATALOGUE = {
    "Input": "input",
    "Dense": "dense",
    "Embedding": "embedding",
    "Activation": "activation",
    "LSTM": "lstm",
    "Concatenate": "merge_concatenate",
    "Flatten": "flatten",
    "Dropout": "dropout",
    "TimeDistributed": "time_distributed",
}
_FUNCTIONS = {"concatenate": "Concatenate"}


def __getattr__(name: str) -> Any:
    if name not in CATALOGUE and name not in _FUNCTIONS:
        known = ", ".join((*CATALOGUE, *_FUNCTIONS))
        raise AttributeError(f"studio.layers has no {name!r}; it has {known}")
    functional = import_module("studio.layers.functional")
    if name in ("Input", "TimeDistributed"):
        return getattr(functional, name)
    if name in _FUNCTIONS:
        return functional.merge_function(_FUNCTIONS[name])
    return functional.handle_class(name)
