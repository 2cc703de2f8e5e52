"""``masked_values``: what layers that look at masks do with them, masks and values both given.

``meta["cases"][case]``: ``layer`` (class name), ``config``, ``inputs`` (how many), ``masked``
(which of them have a mask), ``mask`` (whether the result has one), ``training``. Arrays of a case:
``x0..`` (2, 4, 3), ``m0..`` (2, 4) of those that are masked, ``y``, ``mask``, ``r``, ``dx0..``
(gradients of sum(y*r)), ``w0..`` weights, ``dw0..`` of trainable ones, ``new_w0..`` of others.

What is easily missed:
- A merge's result is masked only if every input is, and valid where *any* of them is. So for
  Concatenate along the last axis, whose result is valid everywhere if one input has no mask;
  along another axis masks are joined, ones for an input without.
- Maximum and Minimum take, where one input is masked and another not, the latter alone. Multiply
  takes ones for what is masked, and zeros where all inputs are.
- BatchNormalization in training takes mean and variance of what is valid, 1e-7 added to its
  number.
"""

from collections.abc import Callable
from typing import Any

import jax
import keras
import numpy as np
from keras.src import backend

from tests.references.layers import initial_weight
from tests.references.recording import Recording, floats, seeded

PAIRS = ([0, 1], [0], [1])


def masked_values() -> Recording:
    recording = Recording()
    recording.meta["cases"] = {}
    for kind in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"):
        for masked in PAIRS:
            case(recording, kind, {}, 2, masked)
    for kind in ("Multiply", "Maximum", "Minimum"):
        case(recording, kind, {}, 3, [0, 2])
        case(recording, kind, {}, 3, [0, 1, 2])
    for masked in PAIRS:
        case(recording, "Concatenate", {"axis": 1}, 2, masked)
    case(recording, "BatchNormalization", {"momentum": 0.9}, 1, [0], training=True)
    case(recording, "BatchNormalization", {"momentum": 0.9}, 1, [0])
    case(recording, "GlobalAveragePooling1D", {"keepdims": True}, 1, [0])
    case(recording, "LayerNormalization", {"rms_scaling": True}, 1, [0])
    return recording


def case(
    recording: Recording,
    kind: str,
    config: dict[str, Any],
    inputs: int,
    masked: list[int],
    training: bool = False,
) -> None:
    words = [kind.lower(), *map(str, config.values()), str(inputs), *map(str, masked)]
    name = "_".join([*words, *(["training"] if training else [])])
    rng = seeded(41, len(recording.meta["cases"]))
    xs = [floats(rng, 2, 4, 3) for _ in range(inputs)]
    given = [rng.random((2, 4)) < 0.6 if i in masked else None for i in range(inputs)]
    layer = getattr(keras.layers, kind)(**config)
    single = inputs == 1
    layer.build(xs[0].shape if single else [x.shape for x in xs])
    weights = [initial_weight(rng, v.path, v.shape) for v in layer.weights]
    layer.set_weights(weights)
    held = [v.value for v in layer.non_trainable_variables]

    def with_masks(arrays: list[Any]) -> Any:
        fresh = [x + 0 for x in arrays]  # values of their own, also while JAX traces
        for x, mask in zip(fresh, given, strict=True):
            if mask is not None:
                backend.set_keras_mask(x, jax.numpy.asarray(mask))
        return fresh[0] if single else fresh

    def result(trainable: list[Any], arrays: list[Any]) -> tuple[Any, Any]:
        options: dict[str, Any] = {"training": True} if training else {}
        if kind in ("BatchNormalization", "GlobalAveragePooling1D"):  # it takes it as an argument
            options["mask"] = jax.numpy.asarray(given[0])
        return layer.stateless_call(trainable, held, with_masks(arrays), **options)

    start = [v.value for v in layer.trainable_variables]
    arrays = [jax.numpy.asarray(x) for x in xs]
    value, kept = result(start, arrays)
    mask = backend.get_keras_mask(layer(with_masks(arrays)))
    factor = floats(rng, *value.shape)

    def objective(trainable: list[Any], arrays: list[Any]) -> Any:
        return (result(trainable, arrays)[0] * factor).sum()

    gradient = jax.grad(objective, argnums=(0, 1))
    dweights, dinputs = gradient(start, arrays)
    recording.meta["cases"][name] = {
        "layer": kind,
        "config": config,
        "inputs": inputs,
        "masked": masked,
        "mask": mask is not None,
        "training": training,
    }
    for index, (x, dx) in enumerate(zip(xs, dinputs, strict=True)):
        recording.put(f"{name}/x{index}", x)
        recording.put(f"{name}/dx{index}", dx)
        if given[index] is not None:
            recording.put(f"{name}/m{index}", given[index])
    recording.put(f"{name}/y", value)
    recording.put(f"{name}/r", factor)
    if mask is not None:
        recording.put(f"{name}/mask", mask)
    trainable = iter(dweights)
    after = iter(kept)
    for index, (variable, weight) in enumerate(zip(layer.weights, weights, strict=True)):
        recording.put(f"{name}/w{index}", weight)
        if variable.trainable:
            recording.put(f"{name}/dw{index}", next(trainable))
        elif training:
            recording.put(f"{name}/new_w{index}", np.asarray(next(after)))


RECORDINGS: dict[str, Callable[[], Recording]] = {"masked_values": masked_values}
