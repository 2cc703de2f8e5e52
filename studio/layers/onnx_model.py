"""A model that came in an ONNX file, as one layer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.imported import Imported
from studio.engine.onnx_reader import imported
from studio.engine.program import Array, Spec
from studio.initializers.base import Initializer
from studio.initializers.constant import Zeros
from studio.initializers.random import GlorotUniform
from studio.layers.base import Example, Layer, LayerBuilder, Port, Weight, Weights
from studio.problem import Problem, ProblemError, refuse

_SMALL = (  # tanh(x @ W + b), W 3 by 2, as `read_onnx` gives it
    "eNptT7sOgkAQ9AD1nPhisVAKNVcbC0s77e1MSDAWhxAx4ZEARvkuf9A746Ox2JnN7M5slneok8g6KpI8T1eN9YNhCn"
    "YH86i1k9XumrhvFm+Gi0/HAjI3YehqEBowgiZitWvtZRaLF1IzzcMo8ccqmBzYnFEPbWoGsjrFMLjpO/peH1014VpQ"
    "ZfgDnQ9wJVpaCJS//uc3thYaQypmsL+vLG/R5RxXJeEgPLGYi0Aciwmc38Ipz8pKZmrFOByf4us4xA=="
)


@dataclass(frozen=True)
class FromFile(Initializer):
    """What a weight is drawn as whose numbers came in a file, if somebody wants that: as Dense's.

    Nobody is given such a draw who asked for the file's numbers: see `lost_problem`.
    """

    def fill(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return (GlorotUniform() if len(shape) > 1 else Zeros()).fill(shape, rng)


@dataclass(frozen=True)
class OnnxModel(Layer):
    """A model from an ONNX file, with its weights.

    Q: Where is the file?
    A: Its operators are the parameter `model`, and its weights lie with the weights of all layers:
       they train, freeze and are saved like any. The file itself is not needed again.
    """

    category = "Core"
    synonyms = ("import", "onnx", "pretrained", "file", "导入", "预训练")
    model: str = param("", "What the file computes, without its weights", shown=False)
    examples = (
        Example({"model": _SMALL}, (Spec("float32", ("batch", 3)),)),
        Example({"model": ""}, (Spec("float32", ("batch", 3)),)),
    )

    def problems(self) -> list[Problem]:
        found = super().problems()
        try:
            self._read()
        except ProblemError as error:
            found += error.problems
        return found

    def _read(self) -> Imported | None:
        """None without a file: then it passes on what arrives."""
        return imported(self.model) if self.model else None

    def file(self) -> Imported | None:
        """What the file computes; None also where the text, of a damaged project, is not read."""
        return None if self.problems() else self._read()

    def inputs(self) -> tuple[Port, ...]:
        file = self.file()
        return tuple(Port(name) for name in file.inputs) if file else super().inputs()

    def outputs(self) -> tuple[Port, ...]:
        file = self.file()
        return tuple(Port(name) for name in file.outputs) if file else super().outputs()

    def weights(self, *x: Spec) -> tuple[Weight, ...]:
        """The file's own names; numbers of their own they have where the file was read."""
        file = self._read()
        if file is None:
            return ()
        frozen = _frozen(file, x)
        return tuple(
            Weight(name, _sizes(spec), FromFile(), name not in frozen)
            for name, spec in file.weights.items()
        )

    def looked_up(self, port: str) -> list[int]:
        """How many rows the smallest table has that the integers of a port look up; or nothing."""
        file = self.file()
        rows = file.rows(port) if file else None
        return [] if rows is None else [rows]

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value | Sequence[Value]:
        file = self._read()
        if file is None:
            return op.Identity(x[0])
        given = {
            name: _taken(op, value, declared)
            for (name, declared), value in zip(file.inputs.items(), x, strict=True)
        }
        weights = {name: getattr(w, name) for name in file.weights}
        return file.append(op, {**given, **weights})


def lost_problem(weight: Weight) -> Problem:
    """That a file gave the numbers of a weight, and they are not there."""
    return Problem("file_numbers_lost", args={"name": weight.name})


def frozen_problem(model: str) -> Problem | None:
    """Which weights of a file stay as they are for want of a gradient; None if none does."""
    file = imported(model)
    why = _frozen(file, tuple(file.inputs.values()))
    frozen = {n: op for n, op in why.items() if op not in ("statistics", "constant")}
    if not frozen:
        return None
    about = {"names": ", ".join(frozen), "operators": ", ".join(sorted({*frozen.values()}))}
    return Problem("onnx_frozen", args=about, severity="warning")


def _frozen(file: Imported, x: Sequence[Spec]) -> Mapping[str, str]:
    """The weights that stay as they are on inputs like these, and why; where these fit."""
    try:
        return file.frozen_on({**dict(zip(file.inputs, x, strict=True)), **file.weights})
    except ValueError:
        return file.frozen


def _sizes(spec: Spec) -> tuple[int, ...]:
    return tuple(int(size) for size in spec.shape)


def _taken(op: LayerBuilder, value: Value, declared: Spec) -> Value:
    """What arrives, as the file takes it: any batch, open sizes any, integers also as floats."""
    sizes = zip(declared.shape[1:], value.shape[1:], strict=False)
    fits = declared.rank == value.spec.rank and all(
        not isinstance(d, int) or d == size for d, size in sizes
    )
    if not fits or (value.dtype.startswith("float") and not declared.dtype.startswith("float")):
        raise refuse("model_input", received=value.spec, expected=declared)
    return value if value.dtype == declared.dtype else op.Cast(value, to=declared.dtype)
