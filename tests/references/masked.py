"""``masked_layers`` and ``masks``: what layers do with a mask, and which mask leaves them.

``masked_layers`` has the form of ``layers`` (see there): chains that start with an Embedding of
``mask_zero``, its tokens padded before, after, between, wholly (row 3) and not at all (row 4); the
last layer is a recurrent one with ``return_state``, ``initial_state``, ``go_backwards``, one in
Bidirectional, or TimeDistributed. Where there are ``states``, they start the chain's last layer.

``masks``: ``meta["cases"][case]`` holds ``layer`` {"layer", "config"}, ``masked`` (for each input
whether it has a mask), ``results`` (for each result whether it has one). Arrays: ``x0..`` inputs
(zeros where masked), ``m0..`` their masks, ``mask0..`` those of the results, all bool (batch, ...).

What is easily missed:
- A state (``return_state``) has no mask, the sequence beside it has the input's.
- ``go_backwards`` with ``return_sequences`` returns reversed steps but the mask as it came.
- Add, Subtract, Multiply, Average, Maximum, Minimum: a step is valid where it is in *any* input;
  there is a mask only where every input has one. Concatenate over features: any as well, and an
  input without a mask counts as all valid, so that all is; over time: the masks one after another.
- Flatten, Reshape (that changes the shape), Permute, Dot, global pooling and the last output of a
  recurrent layer or Bidirectional end a mask. Masking replaces the mask it receives by its own.
- A mask passes into, through and out of a nested Model, whose warning says that it would not.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from tests.references.five_steps import RECURRENT
from tests.references.layers import build, masked, step
from tests.references.recording import Array, Recording, floats, seeded

STEPS = 4


def masked_layers() -> Recording:
    recording = Recording()
    rng = seeded(70)
    for name, (kind, extra) in RECURRENT.items():
        config = {"units": 2, **extra}
        count = 2 if kind == "LSTM" else 1
        everything = {**config, "return_sequences": True, "return_state": True}
        start = [floats(rng, 5, 2) for _ in range(count)]

        def case(name: str, spec: Any, *states: Array) -> None:
            masked(recording, rng, name, spec, states=states)

        case(f"{name}_state", step(kind, **config, return_state=True))
        case(f"{name}_everything", step(kind, **everything))
        case(f"{name}_last_backwards", step(kind, **config, go_backwards=True))
        case(f"{name}_initial_state", step(kind, **everything), *start)
        case(f"{name}_last_initial_state", step(kind, **config), *start)
        case(f"{name}_turned", step(kind, **everything, go_backwards=True), *start)
        case(f"bidirectional_{name}_last", step("Bidirectional", layer=step(kind, **config)))
        both = step("Bidirectional", layer=step(kind, **everything))
        case(f"bidirectional_{name}_everything", both)
        case(f"bidirectional_{name}_initial_state", both, *start, *[s[::-1] for s in start])
    wrapped = step("TimeDistributed", layer=step("Dense", units=2))
    case("time_distributed", wrapped)
    return recording


def with_mask(x: Array, mask: Array) -> Any:
    """A tensor that carries this mask, by way of Masking: zeros where it says no."""
    x[~mask] = 0
    return keras.layers.Masking()(x)


def masks() -> Recording:
    recording = Recording()
    recording.meta["cases"] = {}
    rng = seeded(71)
    every = np.array([[i >> k & 1 for k in range(STEPS)] for i in range(16)], bool)

    def case(name: str, spec: Any, masked: tuple[bool, ...] = (True,), widths: Any = (3,)) -> None:
        keras.utils.clear_session()
        given = []
        for index, (flag, width) in enumerate(zip(masked, widths, strict=True)):
            x = rng.integers(1, 9, (16, STEPS, width)).astype(np.float32) / 8
            x[:, 1] = 1 / 8  # what Masking(0.125) masks
            mask = np.roll(every, 5 * index, axis=0)
            given.append(with_mask(x, mask) if flag else x)
            recording.put(f"{name}/x{index}", x)
            if flag:
                recording.put(f"{name}/m{index}", mask)
        layer = spec if callable(spec) else build(spec)
        results = layer(given if len(given) > 1 else given[0])
        results = results if isinstance(results, list | tuple) else [results]
        found = [keras.src.backend.get_keras_mask(y) for y in results]
        for index, mask in enumerate(found):
            if mask is not None:
                recording.put(f"{name}/mask{index}", mask)
        recording.meta["cases"][name] = {
            "layer": None if callable(spec) else spec,
            "masked": list(masked),
            "results": [mask is not None for mask in found],
        }

    for kind, config in {
        "Dense": {"units": 2},
        "Activation": {"activation": "relu"},
        "Dropout": {"rate": 0.5},
        "Flatten": {},
        "RepeatVector": {"n": 2},
        "LayerNormalization": {},
        "BatchNormalization": {},
        "GlobalAveragePooling1D": {},
        "GlobalMaxPooling1D": {},
        "Masking": {"mask_value": 0.125},
        "Reshape": {"target_shape": [6, 2]},
        "Permute": {"dims": [2, 1]},
    }.items():
        if kind != "RepeatVector":  # takes no sequence
            case(kind, step(kind, **config))
    for kind in ("SimpleRNN", "GRU", "LSTM"):
        for options in ("", "sequences", "state", "sequences state", "sequences backwards"):
            config = {
                "units": 2,
                "return_sequences": "sequences" in options,
                "return_state": "state" in options,
                "go_backwards": "backwards" in options,
            }
            case("_".join([kind, *options.split()]), step(kind, **config))
            if "backwards" not in options:
                both = step("Bidirectional", layer=step(kind, **config))
                case("_".join(["Bidirectional", kind, *options.split()]), both)
    inner = step("GRU", units=2, return_sequences=True)
    case("Bidirectional_two", step("Bidirectional", layer=inner, merge_mode=None))
    case("TimeDistributed", step("TimeDistributed", layer=step("Dense", units=2)))
    for kind in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"):
        for flags in ((True, True), (True, False), (False, True)):
            words = "_".join("masked" if flag else "plain" for flag in flags)
            case(f"{kind}_{words}", step(kind), flags, (3, 3))
    case("Add_three", step("Add"), (True, True, True), (3, 3, 3))
    case("Add_three_one_plain", step("Add"), (True, False, True), (3, 3, 3))
    for flags in ((True, True), (True, False), (False, True)):
        words = "_".join("masked" if flag else "plain" for flag in flags)
        case(f"Concatenate_{words}", step("Concatenate"), flags, (3, 2))
        case(f"Concatenate_steps_{words}", step("Concatenate", axis=1), flags, (3, 3))
        case(f"Dot_{words}", step("Dot", axes=2), flags, (3, 3))
    sequence, symbol = step("LSTM", units=2, return_sequences=True), keras.Input((STEPS, 3))
    case("Model_dense", keras.Model(symbol, keras.layers.Dense(2)(symbol)))
    case("Model_sequences", keras.Model(symbol, build(sequence)(symbol)))
    case("Model_last", keras.Model(symbol, keras.layers.LSTM(2)(symbol)))
    case("Model_masking", keras.Model(symbol, keras.layers.Masking(0.125)(symbol)), (False,))
    return recording


RECORDINGS: dict[str, Callable[[], Recording]] = {"masked_layers": masked_layers, "masks": masks}
