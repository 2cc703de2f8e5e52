"""Who trains: each engine takes a system and gives epochs."""

import os
from importlib import import_module
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any, Protocol

from tests.benchmarks.peers.systems import Array, System, first_weights

ENGINES = {
    "ours": ("studio",),
    "torch": ("torch",),
    "keras-jax": ("keras", "jax"),
    "keras-tensorflow": ("keras", "tensorflow"),
    "keras-torch": ("keras", "torch"),
}
RATE = 0.001


def present() -> list[str]:
    """The engines this interpreter can import."""
    return [name for name, needs in ENGINES.items() if all(map(find_spec, needs))]


class Training(Protocol):
    """A model being trained."""

    def epoch(self) -> float:
        """One pass over the data, batches in order; the mean loss."""

    def predict(self, inputs: list[Array]) -> Any:
        """The outputs for some rows, computed at once."""


def start(engine: str, system: System) -> Training:
    """The system built, its weights set, its data at hand."""
    if engine == "torch":
        return import_module("tests.benchmarks.peers.torch_models").Torch(system)
    if engine == "ours":
        models, layers = import_module("studio.models"), import_module("studio.layers")
        optimizers = import_module("studio.optimizers")
        return _Fitted(system, SimpleNamespace(Model=models.Model, layers=layers), optimizers)
    os.environ["KERAS_BACKEND"] = engine.partition("-")[2]
    keras = import_module("keras")
    return _Fitted(system, keras, keras.optimizers)


class _Fitted:
    """Ours and Keras's: the same API."""

    def __init__(self, system: System, api: Any, optimizers: Any) -> None:
        self.model = system.build(api)
        optimizer = getattr(optimizers, system.optimizer)(learning_rate=RATE)
        self.model.compile(optimizer, loss=list(system.losses), loss_weights=list(system.weights))
        shapes = [array.shape for array in self.model.get_weights()]
        self.model.set_weights(first_weights(shapes))
        self.x, self.y = system.arrays()
        self.batch = system.batch

    def epoch(self) -> float:
        x, y = (v if len(v) > 1 else v[0] for v in (self.x, self.y))
        fitted = self.model.fit(x, y, batch_size=self.batch, shuffle=False, verbose=0)
        return float(fitted.history["loss"][0])

    def predict(self, inputs: list[Array]) -> Any:
        x = inputs if len(inputs) > 1 else inputs[0]
        return self.model.predict(x, batch_size=len(inputs[0]), verbose=0)
