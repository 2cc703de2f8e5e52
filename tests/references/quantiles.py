"""``quantiles``: the bins that Discretization learns from data, and what it then gives.

``meta["cases"][case]``: ``num_bins``, ``epsilon``, ``batches`` (how many there are; 0 for one
array) and the ``boundaries`` learnt. Arrays of a case: ``data`` or ``data0..``, ``x``, and
``y_int``, ``y_one_hot``, ``y_multi_hot``, ``y_count``, as the layer gives them in each of its
output modes.

What is easily missed:
- Of less than 1 / epsilon numbers all are kept; of less than num_bins there are fewer bins.
- A step through the sorted numbers is cut off to an integer, but weighs what it was before.
- What batches give depends on their order.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from tests.references.recording import Recording, seeded

# Case → bins, epsilon, sizes of the batches; of one array the shape.
CASES: dict[str, tuple[int, float, list[tuple[int, ...]]]] = {
    "few": (4, 0.01, [(2, 4)]),
    "fewer_than_bins": (8, 0.01, [(5,)]),
    "many": (5, 0.01, [(257, 3)]),
    "coarse": (3, 0.1, [(64, 2)]),
    "as_many": (4, 0.25, [(17,)]),
    "batches": (6, 0.02, [(40, 2), (90, 2), (7, 2)]),
    "coarse_batches": (4, 0.1, [(33,), (8,), (120,), (1,)]),
    "two": (2, 0.01, [(10, 1)]),
    "one": (1, 0.01, [(10, 1)]),
    "ties": (4, 0.01, [(150, 1), (150, 1)]),
}


def quantiles() -> Recording:
    recording, cases = Recording(), dict[str, Any]()
    for number, (case, (bins, epsilon, shapes)) in enumerate(CASES.items()):
        rng = seeded(97, number)
        data = [np.round(rng.normal(0, 2, shape), 2).astype(np.float32) for shape in shapes]
        if case == "ties":
            data = [np.round(each) for each in data]
        layer = keras.layers.Discretization(num_bins=bins, epsilon=epsilon)
        for each in data:  # what adapt does; itself it asks for TensorFlow before anything else
            layer.update_state(each)
        layer.finalize_state()
        ends = layer.bin_boundaries
        batches = len(data) if len(data) > 1 else 0
        cases[case] = {"num_bins": bins, "epsilon": epsilon, "batches": batches, "boundaries": ends}
        for i, each in enumerate(data):
            recording.put(f"{case}/data{i if batches else ''}", each)
        x = rng.normal(0, 2, (6, 3)).astype(np.float32)
        x[0, : len(ends)] = ends[:3]
        recording.put(f"{case}/x", x)
        for mode in ("int", "one_hot", "multi_hot", "count"):
            made = keras.layers.Discretization(ends, output_mode=mode)
            recording.put(f"{case}/y_{mode}", made(x))
    recording.meta["cases"] = cases
    return recording


RECORDINGS: dict[str, Callable[[], Recording]] = {"quantiles": quantiles}
