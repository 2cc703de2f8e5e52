"""How weights start: ``studio.initializers.GlorotUniform()`` and its kin, Keras's names."""

from typing import Any

from studio.declare import declared

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


def __getattr__(name: str) -> Any:
    if name in CATALOGUE:
        return declared("initializers", name)
    raise AttributeError(f"studio.initializers has no {name!r}; it has {', '.join(CATALOGUE)}")
