"""Who trains: each engine takes a system and gives steps and epochs."""

import os
from importlib import import_module
from importlib.util import find_spec
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # what an engine imports is timed, NumPy with it
    from tests.benchmarks.peers.systems import Array, System

ENGINES = {
    "ours": ("studio.models", "studio.layers", "studio.optimizers"),
    "torch": ("torch",),
    "keras-jax": ("keras", "jax"),
    "keras-tensorflow": ("keras", "tensorflow"),
    "keras-torch": ("keras", "torch"),
}
RATE = 0.001


def present() -> list[str]:
    """The engines this interpreter can import."""
    return [
        name
        for name, needs in ENGINES.items()
        if all(find_spec(module.partition(".")[0]) for module in needs)
    ]


def load(engine: str) -> Any:
    """Import what an engine needs: something with ``layers``, ``Model`` and ``optimizers``."""
    if engine.startswith("keras-"):
        os.environ["KERAS_BACKEND"] = engine.partition("-")[2]
    modules = [import_module(name) for name in ENGINES.get(engine, ENGINES["ours"])]
    if len(modules) < 3:
        return modules[0]
    models, layers, optimizers = modules
    return SimpleNamespace(Model=models.Model, layers=layers, optimizers=optimizers)


class Training(Protocol):
    """A model being trained."""

    def step(self) -> float:
        """One step on the first batch; the loss."""

    def epoch(self) -> float:
        """One pass over the data, batches in order; the mean loss."""

    def predict(self, inputs: "list[Array]") -> Any:
        """The outputs for some rows, computed at once."""

    def mean_square(self, inputs: "list[Array]") -> float:
        """One number of these outputs, to compare them by."""


def start(engine: str, api: Any, system: "System", x: "list[Array]", y: "list[Array]") -> Training:
    """The system built, its weights set, its data at hand."""
    if engine == "torch":
        made: Training = import_module("tests.benchmarks.peers.torch_models").Torch(system, x, y)
        return made
    kinds = {"ours": Fitted, "ours-onnxruntime": _OursOnOnnxRuntime, "onnxruntime": _OnnxRuntime}
    return kinds.get(engine, _Keras)(api, system, x, y)


class Fitted:
    """Ours, by the NumPy engine; and Keras's, which has the same API."""

    def __init__(self, api: Any, system: "System", x: "list[Array]", y: "list[Array]") -> None:
        from tests.benchmarks.peers.systems import first_weights

        self.model = system.build(api)
        optimizer = getattr(api.optimizers, system.optimizer)(learning_rate=RATE)
        self.model.compile(optimizer, loss=list(system.losses), loss_weights=list(system.weights))
        shapes = [array.shape for array in self.model.get_weights()]
        self.model.set_weights(first_weights(shapes))
        self.x, self.y, self.batch = x, y, system.batch

    def step(self) -> float:
        return self._fit(self.batch)

    def epoch(self) -> float:
        return self._fit(len(self.x[0]))

    def _fit(self, count: int) -> float:
        x, y = (_one_or_all([a[:count] for a in arrays]) for arrays in (self.x, self.y))
        fitted = self.model.fit(x, y, batch_size=self.batch, shuffle=False, verbose=0)
        return float(fitted.history["loss"][0])

    def predict(self, inputs: "list[Array]") -> Any:
        return self.model.predict(_one_or_all(inputs), batch_size=len(inputs[0]))

    def mean_square(self, inputs: "list[Array]") -> float:
        found = self.predict(inputs)
        outputs = found if isinstance(found, list | tuple) else [found]
        return float(sum((array**2).mean() for array in outputs))


class _Keras(Fitted):
    def predict(self, inputs: "list[Array]") -> Any:
        """By the way for one batch: ``predict`` itself takes tens of milliseconds more."""
        return self.model.predict_on_batch(_one_or_all(inputs))


class _OursOnOnnxRuntime(Fitted):
    def predict(self, inputs: "list[Array]") -> Any:
        from studio.train.feed import input_arrays
        from studio.train.predict import predict

        document, store = self.model.document, self.model.project.store
        data = input_arrays(document, _one_or_all(inputs)).inputs
        return list(predict(document, store, data, len(inputs[0]), "onnxruntime").values())


class _OnnxRuntime(Fitted):
    """onnxruntime alone, on the file we export."""

    session: Any = None

    def predict(self, inputs: "list[Array]") -> Any:
        if self.session is None:
            runtime = import_module("onnxruntime")
            with TemporaryDirectory() as folder:
                path = f"{folder}/model.onnx"
                self.model.export(path)
                self.session = runtime.InferenceSession(path)
            self.names = [value.name for value in self.session.get_inputs()]
        return self.session.run(None, dict(zip(self.names, inputs, strict=True)))


def _one_or_all(arrays: "list[Array]") -> Any:
    return arrays if len(arrays) > 1 else arrays[0]
