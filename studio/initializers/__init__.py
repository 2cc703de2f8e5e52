"""How weights start: ``studio.initializers.GlorotUniform()`` and its kin, Keras's names."""

from typing import Any

from studio.declare import declared

CATALOGUE = {
    "Zeros": "constant",
    "Ones": "constant",
    "Constant": "constant",
    "RandomUniform": "random",
    "RandomNormal": "random",
    "GlorotUniform": "random",
    "HeUniform": "random",
    "Orthogonal": "random",
}
ALIASES = {"uniform": "RandomUniform", "normal": "RandomNormal"}
__all__ = [*CATALOGUE]


def __getattr__(name: str) -> Any:
    if name in CATALOGUE:
        return declared("initializers", name)
    raise AttributeError(f"studio.initializers has no {name!r}; it has {', '.join(CATALOGUE)}")
