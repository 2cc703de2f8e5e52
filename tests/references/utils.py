"""``utils``: padding, default initializers and automatic names; all but arrays of examples in JSON.

``meta["pad_sequences"][case]``: ``sequences``, ``config``, and the result as the array
``pad_<case>``.

``meta["initializers"][case]``: ``layer``, ``config``, ``input_shape`` and ``weights``: for each
weight in order its ``name``, ``shape``, ``min``, ``max``, ``mean``, ``std`` and, of a matrix,
``gram_error`` (the largest deviation of W W^T, or W^T W where it is tall, from the identity: 0
where orthogonal), of a short vector ``values``.
``meta["facts"]``: the bound that each uniform initializer promises, for the shapes above.

``meta["names"]``: automatic names in a fresh process, class: names of the first three;
``meta["history_keys"]``: keys of the history in order, by case.

What is easily missed:
- pad_sequences pads *and* truncates at the front by default (the last tokens stay), int32, value 0,
  maxlen the longest. An empty sequence becomes padding only.
- Dense, and the input kernels of LSTM/GRU/SimpleRNN: glorot_uniform, limit sqrt(6 / (fan_in +
  fan_out)) of the *whole* kernel, so an LSTM's fan_out is 4*units, not one gate's. The
  recurrent kernel is orthogonal as a whole (units, 4*units): its rows are orthonormal, not
  each gate's block.
- LSTM's bias is 0 but for the forget gate's 1 (unit_forget_bias): [0]*u + [1]*u + [0]*2u.
- Embedding: uniform(-0.05, 0.05). BatchNormalization: gamma 1, beta 0, mean 0, variance 1.
- Names: snake case of the class, then _1, _2 per class in a process: input_layer, dense, lstm,
  time_distributed, batch_normalization, gru, simple_rnn, re_lu, global_max_pooling1d,
  functional (a Model of inputs and outputs).
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from tests.references.recording import Array, Recording, floats, seeded

SEQUENCES = [[1], [2, 3], [4, 5, 6, 7, 8], [], [9, 10, 11]]
PADDING: dict[str, dict[str, Any]] = {
    "default": {},
    "longer": {"maxlen": 7},
    "truncated": {"maxlen": 3},
    "post_post": {"maxlen": 3, "padding": "post", "truncating": "post"},
    "pre_post": {"maxlen": 3, "padding": "pre", "truncating": "post"},
    "post_pre": {"maxlen": 3, "padding": "post", "truncating": "pre"},
    "value": {"maxlen": 4, "value": -1.5, "dtype": "float32"},
}
LAYERS: dict[str, tuple[str, dict[str, Any], tuple[int, ...]]] = {
    "dense": ("Dense", {"units": 64}, (784,)),
    "dense_small": ("Dense", {"units": 1}, (32,)),
    "embedding": ("Embedding", {"input_dim": 200, "output_dim": 32}, (5,)),
    "lstm": ("LSTM", {"units": 32}, (5, 24)),
    "lstm_no_forget_bias": ("LSTM", {"units": 2, "unit_forget_bias": False}, (5, 3)),
    "lstm_small": ("LSTM", {"units": 2}, (5, 3)),
    "gru": ("GRU", {"units": 16}, (5, 24)),
    "simple_rnn": ("SimpleRNN", {"units": 16}, (5, 24)),
    "batch_normalization": ("BatchNormalization", {}, (4,)),
    "layer_normalization": ("LayerNormalization", {}, (4,)),
}
NAMED: dict[str, dict[str, Any]] = {
    "Dense": {"units": 1},
    "LSTM": {"units": 1},
    "Embedding": {"input_dim": 2, "output_dim": 2},
    "Concatenate": {},
    "Dropout": {"rate": 0.5},
    "Activation": {"activation": "relu"},
    "Flatten": {},
    "GRU": {"units": 1},
    "SimpleRNN": {"units": 1},
    "BatchNormalization": {},
    "LayerNormalization": {},
    "Add": {},
    "Dot": {"axes": 1},
    "Reshape": {"target_shape": [1]},
    "Permute": {"dims": [1]},
    "RepeatVector": {"n": 2},
    "Masking": {},
    "ReLU": {},
    "GlobalAveragePooling1D": {},
    "GlobalMaxPooling1D": {},
    "Conv1D": {"filters": 1, "kernel_size": 1},
    "Conv2D": {"filters": 1, "kernel_size": 1},
    "MaxPooling2D": {},
}


def statistics(name: str, value: Array) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "name": name,
        "shape": list(value.shape),
        "min": float(value.min()),
        "max": float(value.max()),
        "mean": float(value.mean()),
        "std": float(value.std()),
    }
    if value.ndim == 2:
        wide = value if value.shape[0] <= value.shape[1] else value.T
        error = np.abs(wide @ wide.T - np.eye(len(wide))).max()
        facts["gram_error"] = float(error) if error > 1e-5 else 0.0
    elif value.size <= 8:
        facts["values"] = value.tolist()
    return facts


def initializers() -> dict[str, Any]:
    result = {}
    for case, (kind, config, shape) in LAYERS.items():
        keras.utils.clear_session()
        keras.utils.set_random_seed(0)
        layer = getattr(keras.layers, kind)(**config)
        layer(keras.Input(shape))
        weights = [statistics(v.name, np.array(v.value)) for v in layer.weights]
        shown = {"layer": kind, "config": config, "input_shape": list(shape), "weights": weights}
        result[case] = shown
    return result


def automatic_names() -> dict[str, list[str]]:
    keras.utils.clear_session()
    result = {}
    for kind, config in NAMED.items():
        result[kind] = [getattr(keras.layers, kind)(**config).name for _ in range(3)]
    symbols = [keras.Input((1,)) for _ in range(3)]
    result["Input"] = [symbol._keras_history.operation.name for symbol in symbols]
    symbol = symbols[0]
    result["Model"] = [keras.Model(symbol, keras.layers.Dense(1)(symbol)).name for _ in range(3)]
    wrapper = keras.layers.TimeDistributed(keras.layers.Dense(1))
    result["TimeDistributed"] = [wrapper.name]
    result["Bidirectional"] = [keras.layers.Bidirectional(keras.layers.LSTM(1)).name]
    joined = keras.layers.concatenate([symbol, symbol])
    result["concatenate()"] = [joined._keras_history.operation.name]  # the fourth Concatenate
    return result


def history_keys() -> dict[str, list[str]]:
    rng = seeded(40)
    x = floats(rng, 8, 3)
    labels = (x[:, :1] > 0).astype(np.float32)
    cases: dict[str, tuple[list[str], dict[str, Any]]] = {
        "zeta, alpha": (["zeta", "alpha"], {"metrics": [["accuracy"], ["accuracy"]]}),
        "zeta, alpha; mae on both": (
            ["zeta", "alpha"],
            {"metrics": [["mae", "accuracy"], ["mae"]]},
        ),
        "zeta, alpha; weighted": (
            ["zeta", "alpha"],
            {"metrics": [["accuracy"], []], "weighted_metrics": [["accuracy"], ["mae"]]},
        ),
        "one output": (["only"], {"metrics": ["mae", "accuracy"]}),
        "one output, AUC by name": (["only"], {"metrics": ["auc", "acc"]}),
        "one output, no metric": (["only"], {}),
        "two outputs, no metric": (["zeta", "alpha"], {}),
    }
    result = {}
    for case, (outputs, settings) in cases.items():
        keras.utils.clear_session()
        symbol = keras.Input((3,))
        values = [
            keras.layers.Dense(1, activation="sigmoid", name=name)(symbol) for name in outputs
        ]
        single = len(values) == 1
        model = keras.Model(symbol, values[0] if single else values)
        loss = "binary_crossentropy"
        model.compile("sgd", loss if single else [loss, loss], **settings)
        y = labels if single else [labels, labels]
        options = {"verbose": 0, "validation_data": (x, y)}
        result[case] = list(model.fit(x, y, **options).history)
    return result


def utils() -> Recording:
    recording = Recording()
    padded = {}
    for case, config in PADDING.items():
        padded[case] = {"sequences": SEQUENCES, "config": config}
        recording.put(f"pad_{case}", keras.utils.pad_sequences(SEQUENCES, **config))
    recording.meta["pad_sequences"] = padded
    recording.meta["initializers"] = initializers()
    recording.meta["facts"] = {
        "dense kernel limit": float(np.sqrt(6 / (784 + 64))),
        "lstm kernel limit": float(np.sqrt(6 / (24 + 4 * 32))),
        "gru kernel limit": float(np.sqrt(6 / (24 + 3 * 16))),
        "embedding limit": 0.05,
    }
    recording.meta["names"] = automatic_names()
    recording.meta["history_keys"] = history_keys()
    return recording


RECORDINGS: dict[str, Callable[[], Recording]] = {"utils": utils}
