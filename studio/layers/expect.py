"""What layers expect of their inputs, said in one place so that it reads the same everywhere."""

from collections.abc import Mapping, Sequence
from typing import Any

from studio.engine.builder import Value
from studio.engine.program import Dim, Spec
from studio.problem import refuse


def float_input(
    kind: str, spec: Spec, *, rank: int | None = None, at_least: int | None = None
) -> None:
    """Refuse anything but floats, or another rank (batch included)."""
    if not spec.dtype.startswith("float"):
        raise refuse("expects_floats", kind=kind, received=spec)
    has_rank(kind, spec, rank=rank, at_least=at_least)


def integer_input(kind: str, spec: Spec) -> None:
    """Refuse anything but integers."""
    if not spec.dtype.startswith("int"):
        raise refuse("expects_integers", kind=kind, received=spec)


def has_rank(
    kind: str, spec: Spec, *, rank: int | None = None, at_least: int | None = None
) -> None:
    """Refuse another number of axes (batch included)."""
    if rank is not None and spec.rank != rank:
        raise refuse("expects_rank", kind=kind, expected=rank, received=spec, axes=spec.rank)
    if at_least is not None and spec.rank < at_least:
        raise refuse("expects_axes", kind=kind, expected=at_least, received=spec, axes=spec.rank)


def two_inputs(kind: str, x: Sequence[Value]) -> None:
    """Refuse more inputs than two, or fewer."""
    if len(x) != 2:
        raise refuse("expects_two", kind=kind, received=len(x))


def mask_fits(kind: str, mask: Spec, of: Spec) -> None:
    """Refuse a mask that does not broadcast against what it is the mask of, or would enlarge it."""
    aligned = zip(reversed(mask.shape), reversed(of.shape), strict=False)
    if mask.rank > of.rank or not all(_broadcasts(d, size) for d, size in aligned):
        raise refuse("mask_shape", kind=kind, received=mask, expected=of)


def _broadcasts(size: Dim, to: Dim) -> bool:
    """Of open sizes only the batch's is known: to be itself."""
    known = all(isinstance(d, int) or d == "batch" for d in (size, to))
    return size in (1, to) or not known


def axis_within(kind: str, axis: int, spec: Spec, fix: Mapping[str, Any] | None = None) -> int:
    """An axis counted from 0; refuse one there is not, and the batch.

    Args:
        kind: of the layer.
        axis: as it was given, from the end where below 0.
        spec: of the input.
        fix: the parameters to set instead; ``axis=-1`` if None.
    """
    found = axis + spec.rank if axis < 0 else axis
    if not 0 < found < spec.rank:
        raise refuse("axis_outside", kind=kind, received=axis, spec=spec, fix=fix or {"axis": -1})
    return found


def known_axis(kind: str, axis: int, spec: Spec) -> int:
    """The size of an axis, which weights depend on."""
    size = spec.shape[axis]
    if not isinstance(size, int):
        raise refuse("expects_known_axis", kind=kind, received=spec, axis=axis)
    return size


def known_sizes(kind: str, spec: Spec) -> list[int]:
    """Every size but the batch's."""
    sizes = [d for d in spec.shape[1:] if isinstance(d, int)]
    if len(sizes) != spec.rank - 1:
        raise refuse("expects_known_sizes", kind=kind, received=spec)
    return sizes


def known_last_axis(kind: str, spec: Spec) -> int:
    """The size of the last axis, which weights depend on."""
    has_rank(kind, spec, at_least=2)
    size = spec.shape[-1]
    if not isinstance(size, int):
        raise refuse("expects_known_size", kind=kind, received=spec)
    return size
