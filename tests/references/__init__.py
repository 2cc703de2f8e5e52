"""What Keras 3.15.1 on its JAX back end computed, recorded in small .npz files beside this module.

Tests replay a recording and compare; they need neither Keras nor JAX. The modules beside this
one make the recordings again (``python -m tests.references.record [NAME ...]``, with Keras and
JAX installed): every weight and every number of data comes from a seeded NumPy generator and is
*set* into the Keras model, nothing is shuffled, so our engine can replay each run exactly. Their
docstrings say what is recorded under which entry, and what a re-implementation must copy.

Every file holds one text entry, ``meta``, with the settings as JSON; ``meta(name)`` parses it.
Entries of one case are named ``case/entry``; ``case(name, key)`` strips that prefix.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """The recordings there are, as ``load`` takes them."""
    return sorted(path.stem for path in FOLDER.glob("*.npz"))


@cache
def _read(name: str) -> dict[str, np.ndarray]:
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as archive:
        arrays = {key: archive[key] for key in archive.files}
    for array in arrays.values():
        array.setflags(write=False)
    return arrays


def load(name: str) -> dict[str, np.ndarray]:
    """Every array of a recording, read-only, by entry name; ``meta`` is its JSON as text."""
    return dict(_read(name))


def meta(name: str) -> dict[str, Any]:
    """The settings of a recording; dictionaries keep the order in which Keras made them."""
    return json.loads(str(_read(name)["meta"]))


def case(name: str, key: str) -> dict[str, np.ndarray]:
    """The arrays of one case of a recording, without the ``key/`` in front of their names."""
    prefix = f"{key}/"
    return {k.removeprefix(prefix): v for k, v in _read(name).items() if k.startswith(prefix)}


def parts(flat: np.ndarray, shapes: Sequence[Sequence[int]]) -> list[np.ndarray]:
    """Arrays of these shapes out of the one array that they were written into."""
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    pieces = np.split(flat, ends)
    assert not pieces.pop().size, "the shapes do not use up the array"
    return [piece.reshape(shape) for piece, shape in zip(pieces, shapes, strict=True)]


def spelled(settings: Any) -> Any:
    """Arguments of ``compile`` as recorded, where "AUC" stands for a metric that is named auc."""
    if isinstance(settings, dict):
        return {key: spelled(value) for key, value in settings.items()}
    if isinstance(settings, list):
        return [spelled(value) for value in settings]
    return "auc" if settings == "AUC" else settings
