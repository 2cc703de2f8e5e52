"""What optimizers do: alone, and in ``fit``.

``optimizers`` and ``later_optimizers``: five steps on two variables with given gradients.

``meta["cases"][case]``: ``optimizer`` (class name), ``config`` (constructor arguments), ``slots``
(names of the slots in Keras's order; Keras's path of a slot is
``<optimizer>/<variable path, / as _>_<slot>``). Arrays of a case, v in 0, 1: ``start{v}``,
``gradients{v}`` (5, ...), ``weights{v}`` (5, ...) after each step, ``<slot>{v}`` (5, ...).
Variable 0 is a matrix, whose row 1 never has a gradient and row 2 has one in step 0 only;
variable 1 a vector, with tiny, zero and large gradients.

``schedules``: ``meta["cases"][case]``: ``schedule`` (class name), ``config``. An array of each
case, by its name: the rates of steps 0 to 39.

``fitted``: the model of `model`, two epochs in batches of 4, nothing shuffled, the last 8 rows for
validation. ``meta["cases"][case]``: ``optimizer``, ``config``, ``history``. Arrays ``x``, ``y``,
``w0..`` initial weights; of a case ``final0..``.

What is easily missed:
- RMSprop: v = rho*v + (1 - rho)*g*g, then lr*g / sqrt(v + epsilon): epsilon (1e-7) stands
  *within* the root; centred: sqrt(v - mean*mean + epsilon). With momentum:
  m = momentum*m + that increment; w -= m. Defaults: lr 0.001, rho 0.9.
- Adam: m += (g - m)*(1 - beta_1); v += (g*g - v)*(1 - beta_2); w -= m*alpha / (sqrt(v) + epsilon)
  with alpha = lr*sqrt(1 - beta_2**t) / (1 - beta_1**t): epsilon stands *outside* the root and is
  not corrected. t starts at 1. amsgrad: the greatest *uncorrected* v so far replaces v.
  1 - beta is taken in double precision (but in float32 for Nadam and Lion, where that changes
  1 - 0.999 by 1e-5), the powers of beta in float32.
- Adagrad: a += g*g, then lr*g / sqrt(a + epsilon); epsilon (1e-7) stands *within* the root.
- SGD with momentum: m = momentum*m - lr*g; w += m. Nesterov: w += momentum*m - lr*g. Keras insists
  on a float momentum, so 0 and 1 as integers are refused. Default lr 0.01.
- A slot starts at 0 (Adagrad's accumulator at 0.1) and moves for rows without a gradient too.
- ``clipnorm`` clips each variable by its own norm, ``global_clipnorm`` all by the norm of all,
  ``clipvalue`` each number; at most one may be set. ``weight_decay`` multiplies the weights by
  1 - lr*decay before the step.
- ``use_ema``: after the step, mean = momentum*mean + (1 - momentum)*w; the first mean is w itself.
  With ``ema_overwrite_frequency`` w becomes the mean at steps n, 2n …; ``fit`` ends with w = mean.
- A schedule is asked with the number of steps taken before: 0 at the first. Weight decay uses the
  same rate. Schedules reckon in float32.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from tests.references.recording import Array, Recording, floats, numbers, seeded

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
    "adadelta_settings": ("Adadelta", {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-3}),
    "adamax_settings": ("Adamax", {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}),
    "nadam_settings": ("Nadam", {"beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}),
    "adamw_settings": ("AdamW", {"weight_decay": 0.1, "amsgrad": True, "clipvalue": 0.5}),
    "ftrl_settings": (
        "Ftrl",
        {
            "learning_rate": 0.05,
            "learning_rate_power": -0.6,
            "initial_accumulator_value": 0.2,
            "l1_regularization_strength": 0.4,
            "l2_regularization_strength": 0.3,
            "l2_shrinkage_regularization_strength": 0.2,
            "beta": 0.1,
        },
    ),
    "lion_settings": ("Lion", {"beta_1": 0.7, "beta_2": 0.8, "weight_decay": 0.05}),
    "sgd_ema": ("SGD", {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.8}),
    "adam_ema_often": (
        "Adam",
        {"use_ema": True, "ema_momentum": 0.6, "ema_overwrite_frequency": 2},
    ),
    "adagrad_all": (
        "Adagrad",
        {
            "learning_rate": 0.05,
            "weight_decay": 0.2,
            "global_clipnorm": 2.0,
            "use_ema": True,
            "ema_overwrite_frequency": 3,
        },
    ),
    "rmsprop_clipnorm": ("RMSprop", {"clipnorm": 0.5, "momentum": 0.9}),
    "lamb": ("Lamb", {}),
    "lamb_settings": (
        "Lamb",
        {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3, "weight_decay": 0.1},
    ),
    "schedule_free": ("ScheduleFreeAdamW", {}),
    "schedule_free_settings": (
        "ScheduleFreeAdamW",
        {
            "learning_rate": 0.05,
            "beta_1": 0.8,
            "beta_2": 0.9,
            "epsilon": 1e-3,
            "warmup_steps": 3,
            "weight_decay": 0.1,
        },
    ),
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


def scheduled(kind: str, initial: float, **config: Any) -> dict[str, Any]:
    return {"kind": kind, "initial_learning_rate": initial, **config}


SCHEDULES: dict[str, tuple[str, dict[str, Any]]] = {
    "exponential": (
        "ExponentialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.6},
    ),
    "exponential_stairs": (
        "ExponentialDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.6, "staircase": True},
    ),
    "inverse_time": (
        "InverseTimeDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.6},
    ),
    "inverse_time_stairs": (
        "InverseTimeDecay",
        {"initial_learning_rate": 0.1, "decay_steps": 7, "decay_rate": 0.6, "staircase": True},
    ),
    "piecewise": (
        "PiecewiseConstantDecay",
        {"boundaries": [3, 9, 20], "values": [0.5, 0.2, 0.3, 0.01]},
    ),
    "polynomial": ("PolynomialDecay", {"initial_learning_rate": 0.1, "decay_steps": 12}),
    "polynomial_cycle": (
        "PolynomialDecay",
        {
            "initial_learning_rate": 0.1,
            "decay_steps": 7,
            "end_learning_rate": 0.01,
            "power": 2.0,
            "cycle": True,
        },
    ),
    "cosine": ("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 12, "alpha": 0.2}),
    "cosine_warmup": (
        "CosineDecay",
        {
            "initial_learning_rate": 0.01,
            "decay_steps": 12,
            "warmup_target": 0.3,
            "warmup_steps": 5,
        },
    ),
    "restarts": ("CosineDecayRestarts", {"initial_learning_rate": 0.1, "first_decay_steps": 5}),
    "restarts_settings": (
        "CosineDecayRestarts",
        {
            "initial_learning_rate": 0.1,
            "first_decay_steps": 5,
            "t_mul": 1.5,
            "m_mul": 0.8,
            "alpha": 0.1,
        },
    ),
    "restarts_alike": (
        "CosineDecayRestarts",
        {"initial_learning_rate": 0.1, "first_decay_steps": 5, "t_mul": 1.0},
    ),
}


def schedules() -> Recording:
    recording = Recording()
    recording.meta["cases"] = {}
    for name, (kind, config) in SCHEDULES.items():
        rate = getattr(keras.optimizers.schedules, kind)(**config)
        recording.meta["cases"][name] = {"schedule": kind, "config": config}
        # As the optimizer calls it: with a variable that counts steps.
        steps = [keras.Variable(n, dtype="int32") for n in range(40)]
        recording.put(name, np.array([float(rate(step)) for step in steps]))
    return recording


FITTED: dict[str, tuple[str, dict[str, Any]]] = {
    "sgd_global": ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "global_clipnorm": 0.05}),
    "sgd_clipvalue": ("SGD", {"learning_rate": 0.1, "clipvalue": 0.01}),
    "rmsprop_decay": ("RMSprop", {"learning_rate": 0.01, "weight_decay": 0.1, "clipnorm": 0.05}),
    "rmsprop_ema": ("RMSprop", {"learning_rate": 0.01, "use_ema": True, "ema_momentum": 0.7}),
    "adam_ema_often": (
        "Adam",
        {
            "learning_rate": 0.01,
            "use_ema": True,
            "ema_momentum": 0.7,
            "ema_overwrite_frequency": 3,
            "global_clipnorm": 0.1,
        },
    ),
    "adamw": ("AdamW", {"learning_rate": 0.01, "weight_decay": 0.1}),
    "adagrad_decay": ("Adagrad", {"learning_rate": 0.1, "weight_decay": 0.01}),
    "adadelta": ("Adadelta", {"learning_rate": 1.0}),
    "adamax": ("Adamax", {"learning_rate": 0.01}),
    "nadam": ("Nadam", {"learning_rate": 0.01}),
    "ftrl": ("Ftrl", {"learning_rate": 0.1, "l1_regularization_strength": 0.01}),
    "lion": ("Lion", {}),
    "lamb": ("Lamb", {"learning_rate": 0.01}),
    "schedule_free": ("ScheduleFreeAdamW", {"learning_rate": 0.01, "warmup_steps": 4}),
    "sgd_accumulated": ("SGD", {"learning_rate": 0.1, "gradient_accumulation_steps": 2}),
    "adam_accumulated": (
        "Adam",
        {
            "learning_rate": 0.01,
            "gradient_accumulation_steps": 3,
            "weight_decay": 0.1,
            "clipnorm": 0.05,
            "use_ema": True,
            "ema_momentum": 0.7,
        },
    ),
    "adagrad_accumulated": (
        "Adagrad",
        {
            "learning_rate": 0.1,
            "gradient_accumulation_steps": 2,
            "use_ema": True,
            "ema_overwrite_frequency": 2,
        },
    ),
    "nadam_accumulated": ("Nadam", {"learning_rate": 0.01, "gradient_accumulation_steps": 4}),
    "sgd_exponential": (
        "SGD",
        {"learning_rate": scheduled("ExponentialDecay", 0.2, decay_steps=4, decay_rate=0.5)},
    ),
    "adam_cosine": (
        "Adam",
        {
            "learning_rate": scheduled(
                "CosineDecay", 0.0, decay_steps=6, warmup_target=0.05, warmup_steps=4
            ),
            "weight_decay": 0.1,
        },
    ),
}


def built(config: dict[str, Any]) -> dict[str, Any]:
    """The arguments, with the schedule that a mapping stands for."""
    rate = config.get("learning_rate")
    if not isinstance(rate, dict):
        return config
    kind = getattr(keras.optimizers.schedules, rate["kind"])
    return {**config, "learning_rate": kind(**{k: v for k, v in rate.items() if k != "kind"})}


def model() -> Any:
    keras.utils.clear_session()
    layers = keras.layers
    x = keras.Input((5,), dtype="int32")
    y = layers.GlobalAveragePooling1D()(layers.Embedding(9, 4)(x))
    y = layers.Dense(4, activation="tanh", kernel_constraint=keras.constraints.MaxNorm(0.9))(y)
    y = layers.Dense(3, activation="tanh")(y)
    return keras.Model(x, layers.Dense(1)(y))


def fitted() -> Recording:
    recording, rng = Recording(), seeded(41)
    x, y = rng.integers(0, 8, (32, 5)).astype(np.int32), floats(rng, 32, 1)
    weights = [floats(rng, *w.shape) for w in model().weights]
    recording.put("x", x)
    recording.put("y", y)
    for index, weight in enumerate(weights):
        recording.put(f"w{index}", weight)
    recording.meta["cases"] = {}
    for name, (kind, config) in FITTED.items():
        made = model()
        made.set_weights(weights)
        made.compile(getattr(keras.optimizers, kind)(**built(config)), loss="mse")
        options = {"epochs": 2, "batch_size": 4, "shuffle": False, "verbose": 0}
        history = made.fit(x, y, validation_split=0.25, **options).history
        recording.meta["cases"][name] = {
            "optimizer": kind,
            "config": config,
            "history": numbers(history),
        }
        for index, weight in enumerate(made.get_weights()):
            recording.put(f"{name}/final{index}", weight)
    return recording


RECORDINGS: dict[str, Callable[[], Recording]] = {
    "optimizers": recorder(SPINE),
    "later_optimizers": recorder(LATER),
    "schedules": schedules,
    "fitted": fitted,
}
