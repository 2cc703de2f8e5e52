"""``wider_…``: layers beyond the first catalogue, each alone, in the form of ``layers``.

What is easily missed:
- A mask given to Softmax leaves shares of 0, also where nothing is valid.
- ReLU with a max_value other than 6 has half the gradient at it; PReLU has none at 0.
"""

from collections.abc import Callable
from typing import Any

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


RECORDINGS: dict[str, Callable[[], Recording]] = {
    "wider_activations": wider_activations,
    "wider_reshaping": wider_reshaping,
}
