"""``layers``, ``later_layers``, ``recurrent``: what layers and short chains compute, and gradients.

``meta["cases"][case]`` holds
  ``chain``     [{"layer": class name, "config": constructor arguments}, ...], applied in turn; an
                inner layer (of a wrapper) is a {"layer", "config"} in a configuration
  ``training``  the ``training`` argument of the call
  ``inputs``    how many inputs; several go to the first layer as one list
  ``states``    how many of them (the last ones) are the last layer's ``initial_state`` instead
  ``outputs``   how many outputs
  ``weights``   [[name, trainable], ...] in the order of Keras's ``get_weights()``; the name is
                Keras's path, with its automatic layer names

Arrays of a case: ``x0..`` inputs, ``w0..`` weights in that order, ``y0..`` outputs, ``r0..``
random arrays of the outputs' shapes, ``dx0..`` (float inputs only) and ``dw0..`` (trainable
weights only, numbered as the weights) the gradients of sum(y0*r0) + sum(y1*r1) + ...; ``new_w0..``
what non-trainable weights (numbered as the weights) are after a call in training.

What is easily missed:
- LSTM keeps [kernel, recurrent_kernel, bias], gates in the order i, f, c, o on the last axis.
  GRU's gates are z, r, h; with ``reset_after`` (default) its bias is (2, 3*units): input bias,
  recurrent bias. Bidirectional: forward weights, then backward.
- ``go_backwards`` leaves a returned sequence in reversed time; Bidirectional turns it back.
- hard_sigmoid is relu6(x + 3) / 6; gelu is the exact one (erf); leaky_relu's slope is 0.2;
  elu's alpha is 1. Gradients at the kinks: relu 0; relu6 0 at 0 and at 6; hard_sigmoid 0 at -3
  and 3; hard_tanh 1 at -1 and 1; leaky_relu and elu 1 at 0, selu 1.7581 (scale*alpha) at 0.
- Recurrent layers hold state over masked steps and repeat the last valid output (before the
  first valid step: zeros), whatever the mask's pattern.
- BatchNormalization: epsilon 1e-3 within the square root, biased variance, also in the moving
  average: moving = moving * 0.99 + batch * 0.01. Its weights are gamma, beta, moving_mean,
  moving_variance. LayerNormalization: epsilon 1e-3, biased variance.
- A Bidirectional that gives its steps gives zeros for masked ones, and holds its states.
- A mask that travels is not heeded by a recurrent layer that is given ``initial_state``, without a
  word, and is handed on all the same: Keras finds masks for a single tensor only. (Given as
  ``mask=`` it counts, and a row of nothing but padding ends with its first states.)
- go_backwards turns the mask as well. GlobalAveragePooling1D of nothing but padding is NaN;
  GlobalMaxPooling1D ignores a mask (with a warning).
- Dropout with a rate and every recurrent layer have a seed's state among ``variables`` and
  ``non_trainable_variables``, never among ``weights``.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import keras
import numpy as np

from tests.references.recording import Array, Recording, floats, seeded

ACTIVATIONS = [
    "linear relu sigmoid tanh softmax elu selu softplus softsign gelu silu swish hard_sigmoid",
    "exponential leaky_relu relu6 mish log_softmax celu hard_silu hard_swish hard_tanh",
    "log_sigmoid hard_shrink soft_shrink tanh_shrink squareplus sparse_plus sparse_sigmoid",
    "sparsemax",
]
KINKS = np.array(
    [[-100, -20, -6, -3, -2.5], [-1, -0.5, 0, 0.25, 0.5], [1, 2.5, 3, 6, 20]], np.float32
)
Chain = list[dict[str, Any]]


def known_activations() -> list[str]:
    wanted = " ".join(ACTIVATIONS).split()
    return [name for name in wanted if getattr(keras.activations, name, None) is not None]


def step(layer: str, /, **config: Any) -> dict[str, Any]:
    return {"layer": layer, "config": config}


def build(spec: dict[str, Any]) -> Any:
    config = {
        key: build(value) if isinstance(value, dict) and "layer" in value else value
        for key, value in spec["config"].items()
    }
    return getattr(keras.layers, spec["layer"])(**config)


def build_model(chain: Chain, inputs: list[Array], states: int) -> Any:
    symbols = [keras.Input(x.shape[1:], dtype=x.dtype.name) for x in inputs]
    plain = symbols[: len(symbols) - states]
    value: Any = plain[0] if len(plain) == 1 else plain
    for index, spec in enumerate(chain):
        keywords = (
            {"initial_state": symbols[-states:]} if states and index == len(chain) - 1 else {}
        )
        value = build(spec)(value, **keywords)
    return keras.Model(symbols, value)


def initial_weight(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> Array:
    if name.endswith("variance"):
        return (rng.uniform(0.5, 1.5, shape)).astype(np.float32)
    if name.endswith("gamma"):
        return (1 + rng.uniform(-0.3, 0.3, shape)).astype(np.float32)
    return floats(rng, *shape, scale=0.6)


def record_case(
    recording: Recording,
    name: str,
    chain: Chain,
    inputs: list[Array],
    training: bool = False,
    states: int = 0,
    built: Callable[[], Any] | None = None,
) -> None:
    keras.utils.clear_session()
    cases = recording.meta.setdefault("cases", {})
    rng = seeded(7, len(cases))
    model = built() if built else build_model(chain, inputs, states)
    weights = [initial_weight(rng, v.path, v.shape) for v in model.weights]
    model.set_weights(weights)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()  # which reads its weights
    outputs = keras.tree.flatten(model([jax.numpy.asarray(x) for x in inputs]))
    factors = [floats(rng, *y.shape) for y in outputs]
    held = [v.value for v in model.non_trainable_variables]
    is_float = [x.dtype == np.float32 for x in inputs]

    def objective(trainable: list[Any], given: list[Any]) -> Any:
        rest = iter(given)
        full = [next(rest) if flag else x for x, flag in zip(inputs, is_float, strict=True)]
        result, kept = model.stateless_call(trainable, held, full, training=training)
        values = keras.tree.flatten(result)
        return sum((y * r).sum() for y, r in zip(values, factors, strict=True)), (values, kept)

    given = [jax.numpy.asarray(x) for x, flag in zip(inputs, is_float, strict=True) if flag]
    trainable = [v.value for v in model.trainable_variables]
    gradient = jax.value_and_grad(objective, argnums=(0, 1), has_aux=True)
    (_, (values, kept)), (dweights, dinputs) = gradient(trainable, given)

    cases[name] = {
        "chain": chain,
        "training": training,
        "inputs": len(inputs),
        "states": states,
        "outputs": len(values),
        "weights": [[v.path, v.trainable] for v in model.weights],
    }
    for index, array in enumerate(inputs):
        recording.put(f"{name}/x{index}", array)
    for index, array in enumerate(weights):
        recording.put(f"{name}/w{index}", array)
    for index, (value, factor) in enumerate(zip(values, factors, strict=True)):
        recording.put(f"{name}/y{index}", value)
        recording.put(f"{name}/r{index}", factor)
    places = [index for index, flag in enumerate(is_float) if flag]
    for index, array in zip(places, dinputs, strict=True):
        recording.put(f"{name}/dx{index}", array)
    numbered = {id(v): index for index, v in enumerate(model.weights)}
    for variable, array in zip(model.trainable_variables, dweights, strict=True):
        recording.put(f"{name}/dw{numbered[id(variable)]}", array)
    if training:
        for variable, array in zip(model.non_trainable_variables, kept, strict=True):
            if id(variable) in numbered:
                recording.put(f"{name}/new_w{numbered[id(variable)]}", array)


def layers() -> Recording:
    recording = Recording()
    rng = seeded(1)

    def case(name: str, spec: dict[str, Any], *inputs: Array, training: bool = False) -> None:
        record_case(recording, name, [spec], list(inputs), training)

    table, sequence = floats(rng, 3, 4, scale=2), floats(rng, 2, 3, 4, scale=2)
    ids = rng.integers(0, 7, (3, 5)).astype(np.int32)
    known = known_activations()
    for name in known:
        case(f"dense_{name}", step("Dense", units=5, activation=name), table)
    case("dense_rank3", step("Dense", units=2, activation="tanh"), sequence)
    case("dense_rank3_softmax", step("Dense", units=3, activation="softmax"), sequence)
    case("dense_no_bias", step("Dense", units=3, activation="relu", use_bias=False), table)
    case("dense_no_bias_rank3", step("Dense", units=2, use_bias=False), sequence)
    for name in known:
        case(f"activation_{name}", step("Activation", activation=name), sequence)
        case(f"activation_{name}_kinks", step("Activation", activation=name), KINKS)
    case("embedding", step("Embedding", input_dim=7, output_dim=3), ids)
    case("embedding_rank1", step("Embedding", input_dim=7, output_dim=2), ids[:, 0])
    steps = floats(rng, 3, 5, 4)
    lstm = {"units": 3}
    case("lstm", step("LSTM", **lstm), steps)
    case("lstm_sequences", step("LSTM", **lstm, return_sequences=True), steps)
    case("lstm_backwards", step("LSTM", **lstm, go_backwards=True), steps)
    backwards = {"return_sequences": True, "go_backwards": True}
    case("lstm_backwards_sequences", step("LSTM", **lstm, **backwards), steps)
    case("lstm_no_bias", step("LSTM", **lstm, use_bias=False), steps)
    unusual = {"activation": "relu", "recurrent_activation": "hard_sigmoid"}
    case("lstm_activations", step("LSTM", **lstm, **unusual, return_sequences=True), steps)
    case("lstm_one_step", step("LSTM", **lstm), floats(rng, 2, 1, 4))
    left, right = floats(rng, 2, 3), floats(rng, 2, 4)
    case("concatenate", step("Concatenate"), left, right)
    case("concatenate_three", step("Concatenate", axis=-1), left, right, floats(rng, 2, 1))
    rank3 = [floats(rng, 2, n, 3) for n in (2, 4)]
    case("concatenate_axis1", step("Concatenate", axis=1), *rank3)
    case("dropout_inference", step("Dropout", rate=0.5), table)
    case("dropout_rate0_training", step("Dropout", rate=0.0), table, training=True)
    case("flatten_rank2", step("Flatten"), table)
    case("flatten_rank3", step("Flatten"), sequence)
    case("flatten_rank4", step("Flatten"), floats(rng, 2, 3, 2, 2))
    chain = [step("Embedding", input_dim=7, output_dim=3), step("LSTM", units=4)]
    record_case(recording, "embedding_lstm_dense", [*chain, step("Dense", units=2)], [ids])
    return recording


def later_layers() -> Recording:
    recording = Recording()
    rng = seeded(2)

    def case(name: str, spec: dict[str, Any], *inputs: Array, **options: Any) -> None:
        record_case(recording, name, [spec], list(inputs), **options)

    steps = floats(rng, 3, 5, 4)
    table = floats(rng, 4, 3, scale=2)
    for kind, settings in {
        "SimpleRNN": [{}],
        "GRU": [{"reset_after": True}, {"reset_after": False}],
        "LSTM": [{}],
    }.items():
        for extra in settings:
            before = "_reset_before" if extra.get("reset_after") is False else ""
            name = kind.lower() + before
            config = {"units": 3, **extra}
            if kind != "LSTM":
                case(name, step(kind, **config), steps)
                case(f"{name}_sequences", step(kind, **config, return_sequences=True), steps)
                case(f"{name}_no_bias", step(kind, **config, use_bias=False), steps)
                case(f"{name}_backwards", step(kind, **config, go_backwards=True), steps)
            states = 2 if kind == "LSTM" else 1
            start = [floats(rng, 3, 3) for _ in range(states)]
            full = {**config, "return_sequences": True, "return_state": True}
            case(f"{name}_state", step(kind, **config, return_state=True), steps)
            case(f"{name}_states", step(kind, **full), steps, *start, states=states)
            for merge in ("concat", "sum", "mul", "ave", None):
                if kind == "LSTM" or merge == "concat":
                    inner = step(kind, **config, return_sequences=True)
                    wrapper = step("Bidirectional", layer=inner, merge_mode=merge)
                    case(f"bidirectional_{name}_{str(merge).lower()}", wrapper, steps)
            case(
                f"bidirectional_{name}_last",
                step("Bidirectional", layer=step(kind, **config)),
                steps,
            )
            masked(recording, rng, name, step(kind, **config))
            masked(recording, rng, f"{name}_sequences", step(kind, **config, return_sequences=True))
            inner = step(kind, **config, return_sequences=True)
            masked(recording, rng, f"bidirectional_{name}", step("Bidirectional", layer=inner))
            backwards = step(kind, **config, go_backwards=True, return_sequences=True)
            masked(recording, rng, f"{name}_backwards", backwards)
    case("time_distributed", step("TimeDistributed", layer=step("Dense", units=2)), steps)
    normal = step("BatchNormalization", axis=-1)
    for mode in (False, True):
        word = "training" if mode else "inference"
        case(f"batch_normalization_{word}", normal, table, training=mode)
        case(f"batch_normalization_rank3_{word}", normal, steps, training=mode)
        plain = step("BatchNormalization", center=False, scale=False, momentum=0.9, epsilon=1e-5)
        case(f"batch_normalization_plain_{word}", plain, table, training=mode)
    case("layer_normalization", step("LayerNormalization"), steps)
    case("layer_normalization_axes", step("LayerNormalization", axis=[1, 2]), steps)
    pair = [floats(rng, 3, 4), floats(rng, 3, 4)]
    for kind in ("Add", "Multiply", "Average", "Maximum", "Minimum"):
        case(kind.lower(), step(kind), *pair)
        case(f"{kind.lower()}_three", step(kind), *pair, floats(rng, 3, 4))
        case(f"{kind.lower()}_broadcast", step(kind), steps, floats(rng, 3, 1, 4))
        case(f"{kind.lower()}_equal", step(kind), pair[0], pair[0].copy())
    case("subtract", step("Subtract"), *pair)
    case("dot", step("Dot", axes=-1), *pair)
    case("dot_normalize", step("Dot", axes=1, normalize=True), *pair)
    case("dot_rank3", step("Dot", axes=[2, 1]), steps, floats(rng, 3, 4, 2))
    case("reshape", step("Reshape", target_shape=[2, -1]), floats(rng, 3, 6))
    case("permute", step("Permute", dims=[2, 1]), steps)
    case("repeat_vector", step("RepeatVector", n=3), table)
    for kind in ("GlobalAveragePooling1D", "GlobalMaxPooling1D"):
        case(kind.lower(), step(kind), steps)
        case(f"{kind.lower()}_keepdims", step(kind, keepdims=True), steps)
    masked(recording, rng, "average", step("GlobalAveragePooling1D"), empty_row=False)
    spaced = steps.copy()
    spaced[0, :2], spaced[1, 3:], spaced[2, 2] = 0, 0, 0
    for last in (step("LSTM", units=3), step("GlobalAveragePooling1D")):
        chain = [step("Masking", mask_value=0.0), last]
        record_case(recording, f"masking_{last['layer'].lower()}", chain, [spaced])
    return recording


def recurrent() -> Recording:
    """Both directions from given states, and merged in every way; functions inside the cells."""
    recording = Recording()
    rng = seeded(3)
    steps = floats(rng, 3, 4, 3)
    for name, kind, extra in (
        ("simple_rnn", "SimpleRNN", {}),
        ("gru", "GRU", {}),
        ("gru_reset_before", "GRU", {"reset_after": False}),
        ("lstm", "LSTM", {}),
    ):
        full = {"units": 2, **extra, "return_sequences": True, "return_state": True}
        starts = [floats(rng, 3, 2) for _ in range(4 if kind == "LSTM" else 2)]
        both = step("Bidirectional", layer=step(kind, **full))
        case = f"bidirectional_{name}_states"
        record_case(recording, case, [both], [steps, *starts], states=len(starts))
    for merge in ("sum", "mul", "ave", None):
        for sequences in (True, False):
            inner = step("GRU", units=2, return_sequences=sequences, return_state=True)
            both = step("Bidirectional", layer=inner, merge_mode=merge)
            case = f"bidirectional_{str(merge).lower()}_{'sequences' if sequences else 'last'}"
            masked(recording, rng, case, both)
    for kind in ("SimpleRNN", "GRU", "LSTM"):
        for inside in ("elu", "leaky_relu", "softplus"):
            config = {"units": 2, "activation": inside, "return_sequences": True}
            if kind != "SimpleRNN":
                config["recurrent_activation"] = "hard_sigmoid"
            record_case(recording, f"{kind.lower()}_{inside}", [step(kind, **config)], [steps])
    return recording


def masked(
    recording: Recording,
    rng: np.random.Generator,
    name: str,
    last: Any,
    empty_row: bool = True,
    states: Sequence[Array] = (),
) -> None:
    """An Embedding with ``mask_zero`` before a layer: tokens padded in four ways at once."""
    ids = rng.integers(1, 7, (5, 6)).astype(np.int32)
    ids[0, :3] = 0  # before the text
    ids[1, 4:] = 0  # after it
    ids[2, [1, 4]] = 0  # scattered
    ids[3, 0 if empty_row else 2 :] = 0  # nothing but padding; row 4 has none
    chain = [step("Embedding", input_dim=7, output_dim=3, mask_zero=True), last]
    record_case(recording, f"masked_{name}", chain, [ids, *states], states=len(states))


RECORDINGS: dict[str, Callable[[], Recording]] = {
    "layers": layers,
    "later_layers": later_layers,
    "recurrent": recurrent,
}
