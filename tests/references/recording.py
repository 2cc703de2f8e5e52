"""What the recording modules share: a recording being filled, seeded data, a stable file."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import jax
import keras
import numpy as np

FOLDER = Path(__file__).parent
Array = np.ndarray


class Recording:
    """Arrays and settings on their way into one .npz file."""

    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}
        self.meta: dict[str, Any] = {"keras": keras.__version__, "jax": jax.__version__}

    def put(self, key: str, value: Any) -> None:
        """Keeps an array: float32, int32, bool or what small integer type it has."""
        array = np.asarray(value)
        if array.dtype == np.float64:
            array = array.astype(np.float32)
        if array.dtype == np.int64:
            array = array.astype(np.int32)
        if key in self.arrays:
            raise KeyError(f"{key} is recorded twice")
        self.arrays[key] = array

    def save(self, name: str) -> Path:
        """Writes the file; the same content gives the same bytes."""
        path = FOLDER / f"{name}.npz"
        text = np.array(json.dumps(self.meta, ensure_ascii=False))
        with zipfile.ZipFile(path, "w") as archive:
            for key, array in {"meta": text, **self.arrays}.items():
                buffer = io.BytesIO()
                np.lib.format.write_array(buffer, array, allow_pickle=False)
                info = zipfile.ZipInfo(f"{key}.npy", (1980, 1, 1, 0, 0, 0))
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, buffer.getvalue())
        return path


def seeded(*seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(list(seed)))


def floats(rng: np.random.Generator, *shape: int, scale: float = 1.0) -> Array:
    return rng.uniform(-scale, scale, shape).astype(np.float32)


def numbers(history: dict[str, Any]) -> dict[str, Any]:
    """A log or history with plain Python floats, so that JSON keeps every digit."""
    return {
        key: [float(v) for v in value] if isinstance(value, list) else float(value)
        for key, value in history.items()
    }


def refusal(action: Any) -> str | None:
    """The type and first line of the error an action raises, or None where Keras accepts it."""
    try:
        action()
    except Exception as error:  # any refusal is a fact worth recording
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return None
