"""``wider_…``: layers beyond the first catalogue, each alone, in the form of ``layers``.

What is easily missed:
- A mask given to Softmax leaves shares of 0, also where nothing is valid.
- Attention takes ``use_causal_mask`` and ``return_attention_scores`` when it is called; here they
  are among the configuration. Masks come after query, value and key: Attention's two are of the
  queries and the values, MultiHeadAttention's is (batch, queries, values).
- A query to which MultiHeadAttention may show nothing weighs all values alike, but if it has a
  dropout or gives its scores they are 0.
- ReLU with a max_value other than 6 has half the gradient at it; PReLU has none at 0.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from tests.references.layers import KINKS, record_case, step
from tests.references.recording import Array, Recording, floats, seeded


def _cases(recording: Recording) -> Callable[..., None]:
    def case(name: str, spec: dict[str, Any], *inputs: Array, training: bool = False) -> None:
        record_case(recording, name, [spec], list(inputs), training)

    return case


def wider_activations() -> Recording:
    recording, rng = Recording(), seeded(20)
    case = _cases(recording)
    steps = floats(rng, 2, 3, 4, scale=4)
    for name, kind, configs in (
        (
            "relu",
            "ReLU",
            (
                {},
                {"max_value": 6.0},
                {"max_value": 1.0},
                {"negative_slope": 0.25},
                {"negative_slope": 0.25, "max_value": 6.0},
                {"threshold": 0.5},
                {"threshold": 1.0, "max_value": 2.5, "negative_slope": 0.5},
            ),
        ),
        ("leaky_relu", "LeakyReLU", ({}, {"negative_slope": 0.05})),
        ("elu", "ELU", ({}, {"alpha": 0.5})),
        ("prelu", "PReLU", ({}, {"shared_axes": [1]})),
    ):
        for number, config in enumerate(configs):
            case(f"{name}_{number}", step(kind, **config), steps)
            case(f"{name}_{number}_kinks", step(kind, **config), KINKS)
    case("softmax", step("Softmax"), steps)
    case("softmax_axis", step("Softmax", axis=1), steps)
    case("softmax_axes", step("Softmax", axis=[1, 2]), steps)
    case("dense_glu", step("Dense", units=6, activation="glu"), steps)
    case("activation_glu", step("Activation", activation="glu"), steps)
    return recording


def wider_reshaping() -> Recording:
    recording, rng = Recording(), seeded(21)
    case = _cases(recording)
    steps, image = floats(rng, 2, 4, 3), floats(rng, 2, 4, 3, 2)
    first = {"data_format": "channels_first"}
    for name, kind, x, configs in (
        ("padding", "ZeroPadding1D", steps, ({}, {"padding": [0, 2]}, {"padding": 2, **first})),
        ("padding2", "ZeroPadding2D", image, ({}, {"padding": [[0, 1], [2, 3]]}, first)),
        ("cropping", "Cropping1D", steps, ({}, {"cropping": [2, 0]})),
        (
            "cropping2",
            "Cropping2D",
            image,
            ({}, {"cropping": 1}, {"cropping": [[0, 2], [1, 0]]}, {"cropping": [1, 0], **first}),
        ),
        ("up", "UpSampling1D", steps, ({}, {"size": 3})),
        (
            "up2",
            "UpSampling2D",
            image,
            (
                {},
                {"size": [1, 3]},
                {"size": 2, **first},
                {"interpolation": "bilinear"},
                {"size": [3, 1], "interpolation": "bilinear", **first},
            ),
        ),
    ):
        for number, config in enumerate(configs):
            case(f"{name}_{number}", step(kind, **config), x)
    for kind, config in {
        "GaussianNoise": {"stddev": 0.0},
        "GaussianDropout": {"rate": 0.0},
        "AlphaDropout": {"rate": 0.0},
        "SpatialDropout1D": {"rate": 0.0},
        "SpatialDropout2D": {"rate": 0.0},
    }.items():
        x = image if kind.endswith("2D") else steps
        case(f"{kind.lower()}_training", step(kind, **config), x, training=True)
        case(kind.lower(), step(kind, **dict.fromkeys(config, 0.5)), x)
    return recording


def wider_normalization() -> Recording:
    recording, rng = Recording(), seeded(22)
    case = _cases(recording)
    steps, image = floats(rng, 2, 3, 4), floats(rng, 2, 3, 2, 4)
    case("group", step("GroupNormalization", groups=2), image)
    case("group_steps", step("GroupNormalization", groups=4, epsilon=0.01), steps)
    case("group_axis", step("GroupNormalization", groups=1, axis=1), image)
    case("group_instance", step("GroupNormalization", groups=-1, center=False), image)
    case("group_plain", step("GroupNormalization", groups=2, center=False, scale=False), steps)
    case("unit", step("UnitNormalization"), steps)
    case("unit_axes", step("UnitNormalization", axis=[1, 2]), steps)
    case("rms", step("RMSNormalization"), steps)
    case("rms_axes", step("RMSNormalization", axis=[1, 2], epsilon=0.1), steps)
    case("normalization", step("Normalization"), steps)
    case("normalization_axis", step("Normalization", axis=1, invert=True), steps)
    case("normalization_axes", step("Normalization", axis=[1, 3]), image)
    case("normalization_one", step("Normalization", axis=None), steps)
    given = {"mean": [1.0, -2.0, 0.5, 3.0], "variance": [1.0, 0.25, 4.0, 0.0]}
    case("normalization_given", step("Normalization", **given), steps)
    case("normalization_number", step("Normalization", mean=2.0, variance=3.0), steps)
    case("group_row", step("GroupNormalization", groups=2), floats(rng, 2, 6))
    return recording


def _attention(spec: dict[str, Any], inputs: list[Array], masks: int) -> Any:
    """A model of one attention layer; the last inputs are its masks."""
    config = dict(spec["config"])
    at_call = ("use_causal_mask", "return_attention_scores")
    keywords: dict[str, Any] = {name: config.pop(name) for name in at_call if name in config}
    symbols = [keras.Input(x.shape[1:], dtype=x.dtype.name) for x in inputs]
    plain, last = symbols[: len(symbols) - masks], symbols[len(symbols) - masks :]
    layer = getattr(keras.layers, spec["layer"])(**config)
    if spec["layer"] == "Softmax":
        return keras.Model(symbols, layer(*plain, mask=last[0]))
    if spec["layer"] == "MultiHeadAttention":
        keywords |= {"attention_mask": last[0]} if last else {}
        return keras.Model(symbols, layer(*plain, **keywords))
    keywords |= {"mask": last} if last else {}
    return keras.Model(symbols, layer(plain, **keywords))


def wider_attention() -> Recording:
    recording, rng = Recording(), seeded(23)

    def case(name: str, spec: dict[str, Any], *inputs: Array, masks: int = 0) -> None:
        given = list(inputs)
        record_case(recording, name, [spec], given, built=lambda: _attention(spec, given, masks))

    query, value, key = (floats(rng, 3, n, 4) for n in (3, 5, 5))
    wide, seen = floats(rng, 3, 5, 2), rng.random((3, 5)) < 0.6
    asked = np.array([[True, True, False], [True, False, True], [True, True, True]])
    seen[1] = False  # nothing to see
    pairs = rng.random((3, 3, 5)) < 0.5
    pairs[0, 1] = False
    scores, causal = {"return_attention_scores": True}, {"use_causal_mask": True}
    case("softmax_mask", step("Softmax"), value[:, :, 0], seen, masks=1)
    case("softmax_mask_pairs", step("Softmax"), floats(rng, 3, 3, 5, scale=3), pairs, masks=1)
    for name, kind, configs in (
        ("attention", "Attention", ({}, {"use_scale": True}, {"score_mode": "concat"})),
        ("additive", "AdditiveAttention", ({}, {"use_scale": False})),
    ):
        for number, config in enumerate(configs):
            case(f"{name}_{number}", step(kind, **config), query, value)
            case(f"{name}_{number}_scores", step(kind, **config, **scores), query, wide, key)
            case(f"{name}_{number}_causal", step(kind, **config, **causal), query, value)
            everything = step(kind, **config, **scores, **causal)
            case(f"{name}_{number}_masked", everything, query, value, key, asked, seen, masks=2)
            plain = step(kind, **config)
            case(f"{name}_{number}_seen", plain, query, value, key, asked, seen, masks=2)
    heads = {"num_heads": 2, "key_dim": 3}
    for name, config in {
        "heads": {},
        "heads_scores": scores,
        "heads_causal": causal,
        "heads_causal_scores": {**scores, **causal},
        "heads_sizes": {"value_dim": 2, "output_shape": [5], **scores},  # else JAX cannot
        "heads_shape": {"output_shape": [2, 3]},
        "heads_no_bias": {"use_bias": False},
        "heads_dropout": {"dropout": 0.5},
    }.items():
        made = step("MultiHeadAttention", **heads, **config)
        case(name, made, query, value)
        case(f"{name}_key", made, query, wide, key)
        case(f"{name}_masked", made, query, value, key, pairs, masks=1)
    return recording


def wider_encoding() -> Recording:
    recording, rng = Recording(), seeded(24)
    case = _cases(recording)
    steps, tokens = floats(rng, 3, 4, 2, scale=2), rng.integers(0, 5, (3, 4)).astype(np.int32)
    ends = [-1.0, 0.0, 0.25]
    steps[0, 0] = ends[:2]
    case("identity", step("Identity"), steps)
    case("activity", step("ActivityRegularization", l1=0.1, l2=0.2), steps)
    case("rescaling", step("Rescaling", scale=0.5, offset=-1.0), steps)
    case("rescaling_each", step("Rescaling", scale=[0.5, 2.0], offset=[1.0, 0.0]), steps)
    for mode in ("multi_hot", "one_hot", "count"):
        config = {"output_mode": mode}
        case(f"category_{mode}", step("CategoryEncoding", num_tokens=5, **config), tokens)
        one = step("CategoryEncoding", num_tokens=5, **config)
        case(f"category_{mode}_one", one, tokens[:, :1])
    for mode in ("int", "multi_hot", "one_hot", "count"):
        made = step("Discretization", bin_boundaries=ends, output_mode=mode)
        case(f"discretization_{mode}", made, steps[:, :, 0])
    return recording


RECORDINGS: dict[str, Callable[[], Recording]] = {
    "wider_activations": wider_activations,
    "wider_reshaping": wider_reshaping,
    "wider_normalization": wider_normalization,
    "wider_attention": wider_attention,
    "wider_encoding": wider_encoding,
}
