"""What layers share whose windows slide over time or over a picture."""

from collections.abc import Sequence
from typing import Any, ClassVar

from studio.engine.builder import Builder, Value
from studio.engine.program import Dim, Spec
from studio.layers.base import Layer
from studio.layers.expect import float_input, known_axis, known_last_axis
from studio.problem import Problem, refuse

FORMATS = ("channels_last", "channels_first")
PADDINGS = ("valid", "same")


class Sliding(Layer):
    """Base of the layers with windows; `spatial` says over how many axes they slide.

    No dataclass itself, so that those that are say where among their parameters Keras has
    ``data_format``.
    """

    spatial: ClassVar[int] = 2
    spans: ClassVar[tuple[str, ...]] = ()  # the parameters with a number for each axis
    padding: str
    data_format: str

    def __post_init__(self) -> None:
        for name in self.spans:
            value: Any = getattr(self, name)
            if isinstance(value, int):  # one for all axes, as in Keras
                object.__setattr__(self, name, (value,) * self.spatial)
        if isinstance(self.padding, str):  # which Keras takes in capitals, too
            object.__setattr__(self, "padding", self.padding.lower())
        super().__post_init__()

    def problems(self) -> list[Problem]:
        found = super().problems()
        for name in self.spans:
            value = getattr(self, name)
            if not found and value is not None and len(value) != self.spatial:
                about = {"kind": self.kind, "name": name, "received": value}
                fixed = (*value, *(value[-1:] or (1,)) * self.spatial)[: self.spatial]
                about |= {"expected": self.spatial}
                found.append(Problem("window_axes", args=about, fix={name: fixed}))
        return found

    def channels(self, x: Spec) -> int:
        """How many channels arrive, which weights depend on."""
        float_input(self.kind, x, rank=self.spatial + 2)
        if self.data_format == "channels_first":
            return known_axis(self.kind, 1, x)
        return known_last_axis(self.kind, x)

    def pictures(self, op: Builder, x: Value) -> Value:
        """What arrives with its channels second, as ONNX has them."""
        float_input(self.kind, x.spec, rank=self.spatial + 2)
        if self.data_format == "channels_first":
            return x
        found: Value = op.Transpose(x, perm=(0, x.rank - 1, *range(1, x.rank - 1)))
        return found

    def results(self, op: Builder, y: Value) -> Value:
        """The inverse of `pictures`."""
        if self.data_format == "channels_first":
            return y
        found: Value = op.Transpose(y, perm=(0, *range(2, y.rank), 1))
        return found

    def window(
        self,
        sizes: Sequence[Dim],
        kernel: Sequence[int],
        strides: Sequence[int],
        dilations: Sequence[int],
        padding: str,
    ) -> dict[str, Any]:
        """ONNX's attributes for Keras's padding, for an input of these sizes.

        Raises:
            ProblemError: ``window_too_large``, when no window fits.
        """
        reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
        found: dict[str, Any] = {"strides": tuple(strides)}
        if any(d != 1 for d in dilations):
            found["dilations"] = tuple(dilations)
        if padding == "valid":
            self._fit(sizes, reach)
            return found
        if padding == "causal":
            return {**found, "pads": (*(r - 1 for r in reach), *(0 for _ in reach))}
        totals = []
        for size, stride, r in zip(sizes, strides, reach, strict=True):
            if stride == 1:
                totals.append(r - 1)
            elif isinstance(size, int):
                totals.append(max(0, (-(-size // stride) - 1) * stride + r - size))
            else:  # only known when it runs
                return {**found, "auto_pad": "SAME_UPPER"}
        before = tuple(total // 2 for total in totals)
        after = tuple(total - half for total, half in zip(totals, before, strict=True))
        return {**found, "pads": before + after} if any(totals) else found

    def _fit(self, sizes: Sequence[Dim], reach: Sequence[int]) -> None:
        for size, r in zip(sizes, reach, strict=True):
            if isinstance(size, int) and size < r:
                raise refuse(
                    "window_too_large",
                    kind=self.kind,
                    received=size,
                    expected=r,
                    fix={"padding": "same"},
                )
