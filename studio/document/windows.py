"""Which ports take several rows of a series in one sample."""

from studio.document.model import Document
from studio.document.plan import (
    Binding,
    ClassColumn,
    DateColumn,
    FeatureColumns,
    NumberColumns,
)
from studio.engine.program import Spec


def window_of(document: Document, spec: Spec, binding: Binding | None) -> int:
    """How many rows a port takes of a series: those along its time axis; 0 if it has none.

    Without further axes, one number a row. Texts and arrays are of a window's last row.
    """
    series = document.plan.data.series
    if series is None:
        return 0
    match binding:
        case NumberColumns(columns=(_,)) | ClassColumn(one_hot=False):
            flat = spec.rank == 2 and spec.shape[1] == series.length > 1
        case NumberColumns() | ClassColumn() | DateColumn() | FeatureColumns():
            flat = False
        case _:
            return 0
    return max(1, series.length) if spec.rank > 2 or flat else 0
