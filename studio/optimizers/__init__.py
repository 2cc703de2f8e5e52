"""How a step changes the weights: ``studio.optimizers.RMSprop()`` and its kin, Keras's names.

``studio.optimizers.schedules`` has learning rates that change.
"""

from importlib import import_module
from typing import Any

from studio.declare import public

CATALOGUE = {
    "SGD": "sgd",
    "RMSprop": "rmsprop",
    "Adam": "adam",
    "AdamW": "adamw",
    "Adagrad": "adagrad",
    "Adadelta": "adadelta",
    "Adamax": "adamax",
    "Nadam": "nadam",
    "Ftrl": "ftrl",
    "Lion": "lion",
    "Lamb": "lamb",
    "ScheduleFreeAdamW": "schedule_free",
}
__all__ = [*CATALOGUE]


def __getattr__(name: str) -> Any:
    if name == "schedules":
        return import_module("studio.optimizers.schedules")
    return public("optimizers", name)
