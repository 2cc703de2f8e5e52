"""How weights start: ``studio.initializers.GlorotUniform()`` and its kin, Keras's names."""

from typing import Any

from studio.declare import declared, public

CATALOGUE = {
    "Zeros": "constant",
    "Ones": "constant",
    "Constant": "constant",
    "Identity": "constant",
    "RandomUniform": "random",
    "RandomNormal": "random",
    "TruncatedNormal": "random",
    "VarianceScaling": "random",
    "GlorotUniform": "random",
    "GlorotNormal": "random",
    "HeUniform": "random",
    "HeNormal": "random",
    "LecunUniform": "random",
    "LecunNormal": "random",
    "Orthogonal": "random",
}
ALIASES = {
    "zero": "Zeros",
    "one": "Ones",
    "uniform": "RandomUniform",
    "normal": "RandomNormal",
    "IdentityInitializer": "Identity",
    "OrthogonalInitializer": "Orthogonal",
}
__all__ = [*CATALOGUE]


def __getattr__(name: str) -> Any:  # Keras has other spellings of the classes
    return public("initializers", name, lambda _, kind: declared("initializers", kind))
