"""``preprocessing``: what Keras makes of columns: Normalization, and windows over a series.

Arrays of ``normalization/<case>``: ``data`` (rows, columns), and ``y``, those rows as the layer
gives them after ``adapt``; ``x`` and ``y_x``, other rows. Of ``windows/<case>``: ``data`` (rows,
columns) and ``series`` (rows,), ``x`` and ``y`` of `timeseries_dataset_from_array` in one batch,
its targets ``ahead`` rows after a window's last. ``meta["windows"][case]``: ``length``, ``step``
and ``ahead``.

What is easily missed:
- Targets given to the function are those of a window's *first* row; it cuts off what has no target.
- A constant column: Keras divides by 1e-7 (so other rows explode); ours by 1. No such case here.

The windows need grain beside Keras (``format="grain"``), else TensorFlow.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from tests.references.recording import Recording, seeded

ROWS: dict[str, tuple[int, int]] = {"three": (23, 3), "one": (40, 1), "two_rows": (2, 2)}
WINDOWS: dict[str, tuple[int, int, int, int]] = {  # case → rows, length, step, ahead
    "next": (12, 3, 1, 1),
    "later": (12, 4, 1, 3),
    "stepped": (17, 3, 2, 1),
    "apart": (20, 4, 5, 2),
    "same": (9, 3, 1, 0),
    "just_one": (6, 5, 1, 1),
    "single": (7, 1, 1, 1),
}


def preprocessing() -> Recording:
    recording, windows = Recording(), dict[str, Any]()
    for number, (case, (rows, columns)) in enumerate(ROWS.items()):
        rng = seeded(1203, number)
        scale, shift = rng.uniform(0.1, 9, columns), rng.normal(0, 5, columns)
        data, x = (
            (rng.normal(size=(count, columns)) * scale + shift).astype(np.float32)
            for count in (rows, 4)
        )
        layer = keras.layers.Normalization()
        layer.adapt(data)
        made = {"data": data, "y": layer(data), "x": x, "y_x": layer(x)}
        for name, array in made.items():
            recording.put(f"normalization/{case}/{name}", array)
    for case, (rows, length, step, ahead) in WINDOWS.items():
        data = np.arange(2 * rows, dtype=np.float32).reshape(rows, 2)
        series = 100 + np.arange(rows, dtype=np.float32)
        (batch,) = keras.utils.timeseries_dataset_from_array(
            data,
            series[length - 1 + ahead :],
            length,
            sequence_stride=step,
            batch_size=rows,
            format="grain",
        )
        made = {"data": data, "series": series, "x": batch[0], "y": batch[1]}
        for name, array in made.items():
            recording.put(f"windows/{case}/{name}", array)
        windows[case] = {"length": length, "step": step, "ahead": ahead}
    recording.meta["windows"] = windows
    return recording


RECORDINGS: dict[str, Callable[[], Recording]] = {"preprocessing": preprocessing}
