"""Windows that slide over the spatial axes of an array: where convolutions and pools read.

Kernels here see channels last, (batch, *sizes, channels), as Keras lays arrays out: what a window
holds of a row is then one stretch of memory, and all channels are computed at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

import numpy as np

from studio.engine.operator import Buffer, as_tuple
from studio.engine.program import Attribute

Sizes = tuple[int, ...]


@dataclass(frozen=True)
class Window:
    """A window and its steps over axes of known sizes.

    Attributes:
        kernel: its size along each axis.
        strides: how far it moves.
        dilations: the distance of the elements it reads.
        before: how far before the first element it begins.
        sizes: of what it reads.
        places: how many steps there are along each axis.
    """

    kernel: Sizes
    strides: Sizes
    dilations: Sizes
    before: Sizes
    sizes: Sizes
    places: Sizes

    @property
    def plain(self) -> bool:
        """Whether it is one element that goes over all of them: nothing needs to be gathered."""
        return self.sizes == self.places and prod(self.kernel) == 1 and not any(self.before)

    @property
    def apart(self) -> bool:
        """Whether no element is in two windows."""
        reach = [(k - 1) * d + 1 for k, d in zip(self.kernel, self.dilations, strict=True)]
        return all(r <= s for r, s in zip(reach, self.strides, strict=True))

    @property
    def padded(self) -> Sizes:
        """The sizes with all that the windows read beyond the edges."""
        ends = zip(self.before, self.sizes, self._reach(), strict=True)
        return tuple(max(before + size, reach) for before, size, reach in ends)

    def inside(self) -> tuple[slice, ...]:
        """Where in an array of the padded sizes the elements are, behind the batch's axis."""
        edges = zip(self.before, self.sizes, strict=True)
        return (slice(None), *(slice(before, before + size) for before, size in edges))

    def taps(self) -> list[tuple[Sizes, tuple[slice, ...], tuple[slice, ...]]]:
        """For each element of the window: its index; the places where it is not beyond an edge;
        the elements that are there. Both behind the batch's axis.
        """
        return [
            (index, (slice(None), *places), (slice(None), *elements))
            for index in product(*map(range, self.kernel))
            for places, elements in [self._tap(index)]
        ]

    def _tap(self, index: Sizes) -> tuple[list[slice], list[slice]]:
        places, elements = [], []
        for axis, i in enumerate(index):
            stride = self.strides[axis]
            start = i * self.dilations[axis] - self.before[axis]
            first = max(0, -(start // stride))
            last = min(self.places[axis], (self.sizes[axis] - 1 - start) // stride + 1)
            last = max(first, last)
            places.append(slice(first, last))
            begin = start + first * stride
            elements.append(slice(begin, begin + (last - first) * stride, stride))
        return places, elements

    def counts(self, before: Sizes, after: Sizes) -> Buffer:
        """How many elements each window has, of those and so many beyond the edges: (*places)."""
        found = np.ones((), np.int64)
        for axis, places in enumerate(self.places):
            starts = np.arange(places) * self.strides[axis] - self.before[axis]
            read = starts[:, None] + np.arange(self.kernel[axis]) * self.dilations[axis]
            inside = (read >= -before[axis]) & (read < self.sizes[axis] + after[axis])
            found = np.multiply.outer(found, inside.sum(1))
        return found

    def _reach(self) -> list[int]:
        """One beyond the last element read, counted from the padded beginning."""
        axes = zip(self.places, self.strides, self.kernel, self.dilations, strict=True)
        return [(places - 1) * s + (k - 1) * d + 1 for places, s, k, d in axes]

    def view(self, padded: Buffer) -> Buffer:
        """Of an array of the padded sizes: (batch, *places, *kernel, channels), no copy."""
        batch, *along, last = padded.strides
        steps = [a * s for a, s in zip(along, self.strides, strict=True)]
        within = [a * d for a, d in zip(along, self.dilations, strict=True)]
        shape = (len(padded), *self.places, *self.kernel, padded.shape[-1])
        strides = (batch, *steps, *within, last)
        return np.lib.stride_tricks.as_strided(padded, shape, strides)


def window(
    attrs: Mapping[str, Attribute], kernel: Sequence[int], sizes: Sizes, places: Sizes
) -> Window:
    """The window of a node of ONNX's, of which the larger and the smaller sizes are known."""
    ones = (1,) * len(sizes)
    strides = as_tuple(attrs.get("strides", ones))
    dilations = as_tuple(attrs.get("dilations", ones))
    pads = padding(attrs, kernel, sizes, places)
    return Window(tuple(kernel), strides, dilations, pads[: len(sizes)], sizes, places)


def padding(
    attrs: Mapping[str, Attribute], kernel: Sequence[int], sizes: Sizes, places: Sizes
) -> Sizes:
    """ONNX's pads, first the beginnings, then the ends; those that ``auto_pad`` stands for."""
    rank = len(sizes)
    auto = attrs.get("auto_pad", "NOTSET")
    if auto == "NOTSET":
        return as_tuple(attrs.get("pads", (0,) * (2 * rank)))
    if auto == "VALID":
        return (0,) * (2 * rank)
    ones = (1,) * rank
    strides, dilations = (as_tuple(attrs.get(n, ones)) for n in ("strides", "dilations"))
    axes = zip(places, strides, kernel, dilations, sizes, strict=True)
    totals = [max(0, (p - 1) * s + (k - 1) * d + 1 - n) for p, s, k, d, n in axes]
    half = [(total + (auto == "SAME_LOWER")) // 2 for total in totals]
    return (*half, *(total - part for total, part in zip(totals, half, strict=True)))


def sizes_of_windows(attrs: Mapping[str, Attribute], w: Window) -> Buffer:
    """How many elements count in each window: what is beyond the edges only if it is said so."""
    rank = len(w.kernel)
    none = (0,) * rank
    if not attrs.get("count_include_pad", 0):
        return w.counts(none, none)
    pads = padding(attrs, w.kernel, w.sizes, w.places)
    return w.counts(pads[:rank], pads[rank:])
