"""``optimizers`` and ``later_optimizers``: five steps on two variables with given gradients.

``meta["cases"][case]``: ``optimizer`` (class name), ``config`` (constructor arguments), ``slots``
(names of the slots in Keras's order; Keras's path of a slot is
``<optimizer>/<variable path, / as _>_<slot>``). Arrays of a case, v in 0, 1: ``start{v}``,
``gradients{v}`` (5, ...), ``weights{v}`` (5, ...) after each step, ``<slot>{v}`` (5, ...).
Variable 0 is a matrix, whose row 1 never has a gradient and row 2 has one in step 0 only;
variable 1 a vector, with tiny, zero and large gradients.

What is easily missed:
- RMSprop: v = rho*v + (1 - rho)*g*g, then lr*g / sqrt(v + epsilon): epsilon (1e-7) stands
  *within* the root; centred: sqrt(v - mean*mean + epsilon). With momentum:
  m = momentum*m + that increment; w -= m. Defaults: lr 0.001, rho 0.9.
- Adam: m += (g - m)*(1 - beta_1); v += (g*g - v)*(1 - beta_2); w -= m*alpha / (sqrt(v) + epsilon)
  with alpha = lr*sqrt(1 - beta_2**t) / (1 - beta_1**t): epsilon stands *outside* the root and is
  not corrected. t starts at 1. amsgrad: the greatest *uncorrected* v so far replaces v.
  1 - beta is taken in double precision, the powers of beta in float32.
- Adagrad: a += g*g, then lr*g / sqrt(a + epsilon); epsilon (1e-7) stands *within* the root.
- SGD with momentum: m = momentum*m - lr*g; w += m. Nesterov: w += momentum*m - lr*g. Keras insists
  on a float momentum, so 0 and 1 as integers are refused. Default lr 0.01.
- A slot starts at 0 (Adagrad's accumulator at 0.1) and moves for rows without a gradient too.
- ``clipnorm`` clips each variable by its own norm, ``global_clipnorm`` all by the norm of all,
  ``clipvalue`` each number; at most one may be set. ``weight_decay`` multiplies the weights by
  1 - lr*decay before the step.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from tests.references.recording import Array, Recording, floats, seeded

STEPS = 5
SPINE: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd": ("SGD", {}),
    "sgd_momentum": ("SGD", {"learning_rate": 0.05, "momentum": 0.9}),
    "sgd_nesterov": ("SGD", {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True}),
    "rmsprop": ("RMSprop", {}),
    "rmsprop_settings": ("RMSprop", {"learning_rate": 0.01, "rho": 0.8, "epsilon": 1e-3}),
    "rmsprop_momentum": ("RMSprop", {"momentum": 0.9}),
    "rmsprop_centered": ("RMSprop", {"centered": True}),
    "rmsprop_centered_momentum": ("RMSprop", {"centered": True, "momentum": 0.5}),
    "adam": ("Adam", {}),
    "adam_settings": (
        "Adam",
        {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3},
    ),
    "adam_amsgrad": ("Adam", {"amsgrad": True}),
    "adagrad": ("Adagrad", {}),
    "adagrad_settings": (
        "Adagrad",
        {"learning_rate": 0.05, "initial_accumulator_value": 0.5, "epsilon": 1e-3},
    ),
}
LATER: dict[str, tuple[str, dict[str, Any]]] = {
    "adadelta": ("Adadelta", {}),
    "adamax": ("Adamax", {}),
    "nadam": ("Nadam", {}),
    "adamw": ("AdamW", {}),
    "ftrl": ("Ftrl", {}),
    "lion": ("Lion", {}),
    "sgd_clipnorm": ("SGD", {"clipnorm": 0.5}),
    "sgd_clipvalue": ("SGD", {"clipvalue": 0.25}),
    "sgd_global_clipnorm": ("SGD", {"global_clipnorm": 0.5}),
    "adam_weight_decay": ("Adam", {"weight_decay": 0.01}),
    "rmsprop_clipnorm": ("RMSprop", {"clipnorm": 0.5, "momentum": 0.9}),
}


def gradients(rng: np.random.Generator) -> list[Array]:
    matrix, vector = floats(rng, STEPS, 4, 3), floats(rng, STEPS, 5)
    matrix[:, 1] = 0
    matrix[1:, 2] = 0
    vector[:, 0] = 0
    vector[:, 1] *= 1e-5
    vector[:, 2] *= 1e3
    return [matrix, vector]


def record_case(recording: Recording, name: str, kind: str, config: dict[str, Any]) -> None:
    keras.utils.clear_session()
    rng = seeded(11)
    starts = [floats(rng, 4, 3), floats(rng, 5)]
    given = gradients(rng)
    variables = [keras.Variable(w, name=f"v{index}") for index, w in enumerate(starts)]
    optimizer = getattr(keras.optimizers, kind)(**config)
    optimizer.build(variables)
    names = [v.name for v in optimizer.variables]
    slots = {s: v for s, v in zip(names, optimizer.variables, strict=True) if s[:2] in ("v0", "v1")}
    trace: dict[str, list[Array]] = {f"weights{index}": [] for index in range(2)}
    for step in range(STEPS):
        optimizer.apply([g[step] for g in given])
        for index, variable in enumerate(variables):
            trace[f"weights{index}"].append(np.array(variable.value))
        for slot, variable in slots.items():
            place = f"{slot[3:]}{slot[1]}"
            trace.setdefault(place, []).append(np.array(variable.value))
    recording.meta.setdefault("cases", {})[name] = {
        "optimizer": kind,
        "config": config,
        "slots": [s[3:] for s in slots if s[1] == "0"],
        "variables": names,
    }
    for index in range(2):
        recording.put(f"{name}/start{index}", starts[index])
        recording.put(f"{name}/gradients{index}", given[index])
    for key, values in trace.items():
        recording.put(f"{name}/{key}", np.stack(values))


def recorder(table: dict[str, tuple[str, dict[str, Any]]]) -> Callable[[], Recording]:
    def make() -> Recording:
        recording = Recording()
        for name, (kind, config) in table.items():
            record_case(recording, name, kind, config)
        return recording

    return make


RECORDINGS: dict[str, Callable[[], Recording]] = {
    "optimizers": recorder(SPINE),
    "later_optimizers": recorder(LATER),
}
