"""``five_steps…``: single layers trained for five steps, each in a model of a few weights.

The model is that of `tests.systems.chain`: a Dense without bias before each float input, the
layers of ``chain``, and one Dense(1) over all results, flattened and joined. 20 rows, one epoch in
batches of 4, mean squared error, nothing shuffled.

``meta["optimizers"]``: name → configuration. ``meta["cases"][case]`` holds
  ``chain``     [{"layer", "config"}, ...], an inner layer of a wrapper likewise
  ``shapes``    [[shape, dtype], ...] of the inputs
  ``states``    how many inputs, the last ones, start the chain's last layer
  ``weights``   paths, and ``trainable_weights``; ``weight_shapes``
  ``history``   optimizer → what ``fit`` returned
Arrays of a case: ``x0..``, ``y``; ``w`` initial weights, ``RMSprop`` and ``SGD`` the weights after
five steps: flat, one after the other (``references.parts``).

What is easily missed:
- Token 0 under ``mask_zero`` never changes its row under a recurrent layer: a masked step has no
  gradient.
- BatchNormalization's moving statistics are among the weights and move; so is each step's within
  TimeDistributed, one step after the other.
- SimpleRNN takes an ``activity_regularizer`` and forgets it; the others measure states as well.
  MultiHeadAttention measures what its four products with kernels give.
- Dropout is here with rate 0: Keras's draws cannot be repeated.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from tests.references.layers import Chain, step
from tests.references.models import compiled
from tests.references.recording import Recording, numbers, seeded
from tests.references.systems import SGD, eighths, initial_weights
from tests.systems import chain

ROWS, BATCH = 20, 4
OPTIMIZERS = {"RMSprop": {"learning_rate": 0.01}, "SGD": SGD["config"]}
Shape = tuple[tuple[int, ...], str]
STEPS: Shape = ((5, 3), "float32")
TABLE: Shape = ((4,), "float32")
TOKENS: Shape = ((5,), "int32")
STATE: Shape = ((2,), "float32")
EMBEDDING = step("Embedding", input_dim=7, output_dim=3, mask_zero=True)
RECURRENT = {
    "simple_rnn": ("SimpleRNN", {}),
    "gru": ("GRU", {}),
    "gru_reset_before": ("GRU", {"reset_after": False}),
    "lstm": ("LSTM", {}),
}


def recurrent_cases() -> dict[str, tuple[Chain, list[Shape], int]]:
    found: dict[str, tuple[Chain, list[Shape], int]] = {}
    for name, (kind, extra) in RECURRENT.items():
        config = {"units": 2, **extra}
        count = 2 if kind == "LSTM" else 1
        sequences = {**config, "return_sequences": True}
        everything = {**sequences, "return_state": True}
        backwards = {**sequences, "go_backwards": True}
        start = [STATE] * count

        found[name] = [step(kind, **config)], [STEPS], 0
        found[f"{name}_sequences"] = [step(kind, **sequences)], [STEPS], 0
        found[f"{name}_backwards"] = [step(kind, **backwards)], [STEPS], 0
        found[f"{name}_no_bias"] = [step(kind, **config, use_bias=False)], [STEPS], 0
        found[f"{name}_state"] = [step(kind, **everything)], [STEPS], 0
        found[f"{name}_initial_state"] = [step(kind, **everything)], [STEPS, *start], count
        found[f"{name}_masked"] = [EMBEDDING, step(kind, **config)], [TOKENS], 0
        found[f"{name}_masked_backwards"] = [EMBEDDING, step(kind, **backwards)], [TOKENS], 0
        found[f"{name}_masked_states"] = (
            [EMBEDDING, step(kind, **everything)],
            [TOKENS, *start],
            count,
        )
        both = step("Bidirectional", layer=step(kind, **config))
        found[f"bidirectional_{name}"] = [both], [STEPS], 0
        both = step("Bidirectional", layer=step(kind, **everything))
        found[f"bidirectional_{name}_masked_state"] = [EMBEDDING, both], [TOKENS], 0
    for merge in ("sum", "mul", "ave", None):
        both = step(
            "Bidirectional", layer=step("GRU", units=2, return_sequences=True), merge_mode=merge
        )
        found[f"bidirectional_gru_{str(merge).lower()}"] = [both], [STEPS], 0
    return found


def cases() -> dict[str, tuple[Chain, list[Shape], int]]:
    def wrapped(inner: Any) -> Any:
        return step("TimeDistributed", layer=inner)

    lstm = step("LSTM", units=2)
    found = recurrent_cases()
    single: dict[str, tuple[Chain, Shape]] = {
        "embedding": ([step("Embedding", input_dim=7, output_dim=2)], TOKENS),
        "masking": ([step("Masking"), lstm], STEPS),
        "time_distributed_dense": ([wrapped(step("Dense", units=2))], STEPS),
        "time_distributed_masked": ([EMBEDDING, wrapped(step("Dense", units=2)), lstm], TOKENS),
        "time_distributed_embedding": (
            [wrapped(step("Embedding", input_dim=7, output_dim=2))],
            ((3, 2), "int32"),
        ),
        "time_distributed_lstm": ([wrapped(lstm)], ((2, 4, 3), "float32")),
        "time_distributed_normalization": (
            [wrapped(step("BatchNormalization", momentum=0.9))],
            STEPS,
        ),
        "reshape": ([step("Reshape", target_shape=[3, 5])], STEPS),
        "permute": ([step("Permute", dims=[2, 1]), lstm], STEPS),
        "repeat_vector": ([step("RepeatVector", n=3), lstm], TABLE),
        "flatten": ([step("Flatten")], STEPS),
        "dense": ([step("Dense", units=3, activation="tanh")], TABLE),
        "activation": ([step("Activation", activation="sigmoid")], TABLE),
        "dropout": ([step("Dropout", rate=0.0)], TABLE),
        "batch_normalization": ([step("BatchNormalization", momentum=0.9)], TABLE),
        "batch_normalization_steps": ([step("BatchNormalization", momentum=0.9)], STEPS),
        "batch_normalization_plain": (
            [step("BatchNormalization", momentum=0.9, center=False, scale=False)],
            TABLE,
        ),
        "batch_normalization_axis1": ([step("BatchNormalization", axis=1)], STEPS),
        "batch_normalization_masked": (
            [EMBEDDING, step("BatchNormalization", momentum=0.9), lstm],
            TOKENS,
        ),
        "layer_normalization": ([step("LayerNormalization")], STEPS),
        "layer_normalization_axes": ([step("LayerNormalization", axis=[1, 2])], STEPS),
        "layer_normalization_plain": (
            [step("LayerNormalization", center=False, scale=False)],
            TABLE,
        ),
        "average": ([step("GlobalAveragePooling1D")], STEPS),
        "average_masked": ([EMBEDDING, step("GlobalAveragePooling1D")], TOKENS),
        "maximum": ([step("GlobalMaxPooling1D")], STEPS),
    }
    found |= {name: (steps, [shape], 0) for name, (steps, shape) in single.items()}
    for kind in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"):
        found[f"{kind.lower()}_two"] = [step(kind)], [TABLE, TABLE], 0
    found["add_three"] = [step("Add")], [TABLE] * 3, 0
    found["concatenate_steps"] = [step("Concatenate", axis=1)], [STEPS, ((2, 3), "float32")], 0
    found["dot"] = [step("Dot", axes=-1)], [TABLE, TABLE], 0
    found["dot_normalized"] = [step("Dot", axes=1, normalize=True)], [TABLE, TABLE], 0
    found["dot_steps"] = [step("Dot", axes=2)], [STEPS, STEPS], 0
    return found


def record_case(
    recording: Recording, name: str, steps: Chain, shapes: list[Shape], states: int
) -> None:
    rng = seeded(60, len(recording.meta["cases"]))
    inputs = []
    for shape, dtype in shapes:
        if dtype == "float32":
            inputs.append(eighths(rng, ROWS, *shape))
            if name == "masking":
                inputs[0][rng.random((ROWS, shape[0])) < 0.25] = 0
            continue
        tokens = rng.integers(1, 7, (ROWS, *shape)).astype(np.int32)
        tokens[rng.random(tokens.shape) < 0.3] = 0
        if not name.startswith("average"):  # of nothing at all it is NaN
            tokens[2] = 0
        inputs.append(tokens)
    target = eighths(rng, ROWS, 1)
    case: dict[str, Any] = {"chain": steps, "shapes": shapes, "states": states, "history": {}}
    results = {}
    for optimizer, config in OPTIMIZERS.items():
        keras.utils.clear_session()
        model = chain(keras, steps, shapes, states)
        if not results:
            results["w"] = initial_weights(rng, model)
        model.set_weights(results["w"])
        compiled(model, {"name": optimizer, "config": config}, {"loss": "mse"})
        given = inputs if len(inputs) > 1 else inputs[0]
        fitted = model.fit(given, target, batch_size=BATCH, shuffle=False, verbose=0)
        case["history"][optimizer] = numbers(fitted.history)
        results[optimizer] = model.get_weights()
    case["weights"] = [v.path for v in model.weights]
    case["trainable_weights"] = [v.path for v in model.trainable_weights]
    case["weight_shapes"] = [list(v.shape) for v in model.weights]
    recording.meta["cases"][name] = case
    for index, array in enumerate(inputs):
        recording.put(f"{name}/x{index}", array)
    recording.put(f"{name}/y", target)
    for key, values in results.items():
        recording.put(f"{name}/{key}", np.concatenate([np.ravel(v) for v in values]))


def wider_cases() -> dict[str, tuple[Chain, list[Shape], int]]:
    """Layers that came later, and what large results cost."""
    dense = {"units": 3, "activation": "tanh", "activity_regularizer": "l2"}
    conv = {"filters": 2, "kernel_size": 2}
    inner = step("LSTM", units=2, return_state=True, activity_regularizer="l2")
    measured = {
        "conv_activity": ("Conv1D", conv, [STEPS]),
        "transpose_activity": ("Conv1DTranspose", conv, [STEPS]),
        "depthwise_activity": ("DepthwiseConv1D", {"kernel_size": 2}, [STEPS]),
        "separable_activity": ("SeparableConv1D", conv, [STEPS]),
        "heads_activity": ("MultiHeadAttention", {"num_heads": 2, "key_dim": 2}, [STEPS, STEPS]),
        "lstm_activity": ("LSTM", {"units": 2, "return_state": True}, [STEPS]),
        "gru_activity": ("GRU", {"units": 2, "return_sequences": True}, [STEPS]),
    }
    return {
        "activity_regularization": ([step("ActivityRegularization", l1=0.1, l2=0.2)], [STEPS], 0),
        "dense_activity": ([step("Dense", **dense)], [TABLE], 0),
        **{
            name: ([step(kind, **config, activity_regularizer="l2")], shapes, 0)
            for name, (kind, config, shapes) in measured.items()
        },
        "bidirectional_activity": ([step("Bidirectional", layer=inner)], [STEPS], 0),
        "prelu": ([step("PReLU", shared_axes=[1])], [STEPS], 0),
        "group_normalization": ([step("GroupNormalization", groups=-1)], [STEPS], 0),
        "rms_normalization": ([step("RMSNormalization")], [STEPS], 0),
        "attention": ([step("Attention", use_scale=True)], [STEPS, STEPS], 0),
        "additive_attention": ([step("AdditiveAttention")], [STEPS, STEPS], 0),
    }


def _recorded(cases: dict[str, tuple[Chain, list[Shape], int]]) -> Recording:
    recording = Recording()
    recording.meta |= {"batch_size": BATCH, "optimizers": OPTIMIZERS, "cases": {}}
    for name, (steps, shapes, states) in cases.items():
        record_case(recording, name, steps, shapes, states)
    return recording


RECORDINGS: dict[str, Callable[[], Recording]] = {
    "five_steps": lambda: _recorded(cases()),
    "five_steps_wider": lambda: _recorded(wider_cases()),
}
