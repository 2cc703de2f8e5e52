"""What layers expect of their inputs, said in one place so that it reads the same everywhere."""

from studio.engine.program import Spec
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


def known_last_axis(kind: str, spec: Spec) -> int:
    """The size of the last axis, which weights depend on."""
    has_rank(kind, spec, at_least=2)
    size = spec.shape[-1]
    if not isinstance(size, int):
        raise refuse("expects_known_size", kind=kind, received=spec)
    return size
