"""``wider_…``: layers beyond the first catalogue, each alone, in the form of ``layers`` (see there).

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


RECORDINGS: dict[str, Callable[[], Recording]] = {"wider_activations": wider_activations}
