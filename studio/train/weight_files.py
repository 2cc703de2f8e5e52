"""One weight in a .npy file: read for a layer whose shape is known, written for other programs."""

from io import BytesIO
from pathlib import Path

import numpy as np

from studio.engine.program import Array
from studio.formats.atomic import write_bytes
from studio.layers.base import Weight
from studio.problem import refuse
from studio.train.array_files import map_array


def read_weight(path: Path, weight: Weight) -> Array:
    """The numbers of an .npy file, as float32, for a weight of that shape.

    Raises:
        ProblemError: ``weight_array_kind``, ``weight_array_shape``, ``weight_array_broken``: it
            holds no real numbers, has another shape, or holds some that float32 cannot hold;
            ``array_refused``; a file that is missing raises OSError.
    """
    array = map_array(path)
    about = {"file": path.name, "name": weight.name}
    if array.dtype.kind not in "fiub":
        raise refuse("weight_array_kind", **about, received=array.dtype.name)
    if array.shape != weight.shape:
        raise refuse("weight_array_shape", **about, received=array.shape, expected=weight.shape)
    with np.errstate(over="ignore"):
        found = np.array(array, np.float32, order="C")
    broken = int(found.size - np.count_nonzero(np.isfinite(found)))
    if broken:
        raise refuse("weight_array_broken", **about, count=broken)
    return found


def write_weight(path: Path, array: Array) -> None:
    """Write an array as an .npy file, or leave the old file as it was.

    Raises:
        ProblemError: ``file_not_written``.
    """
    data = BytesIO()
    np.save(data, array, allow_pickle=False)
    write_bytes(path, data.getvalue())
