"""A look through the lens: the program run once, and what it gave put in order."""

from collections.abc import Mapping, Sequence
from math import hypot, isfinite, nan, sqrt

import numpy as np

from studio.document.model import Path
from studio.engine.program import Array
from studio.train.study.bench import Bench
from studio.train.study.lens import SMALL, LayerShare, LensSample, Strengths
from studio.train.study.lens_step import Compared, LensStep, Measured, build_lens


def look(bench: Bench, scales: Mapping[str, float] | None = None) -> LensSample:
    """Look at the batch trained last, on the newest weights.

    Everything is as in the step that the batch would be trained by next: its draws, its learning
    rate, what the optimizer keeps.

    Args:
        bench: where.
        scales: other loss weights than the plan's, by endpoint key.
    """
    trainer, batch = bench.trainer, bench.batch
    kind = (batch.weighted, batch.one_hots)
    found, runner = bench.runner(
        ("lens", kind),
        lambda: build_lens(trainer.document, *kind),
        lambda made: trainer.state(made.step),
    )
    feeds = trainer.feeds(found.step, batch, trainer.store.step + 1)
    outputs, changed = trainer.document.plan.outputs, scales or {}
    weights = tuple(changed.get(key, outputs[key].weight) for key in found.losses)
    for key, weight in zip(found.losses, weights, strict=True):
        name = found.step.scales[key]
        feeds[name] = np.array(weight, feeds[name].dtype)
    return _Telling(found, runner.run(feeds)).sample(weights, trainer.rate)


class _Telling:
    """What the program gave, as a sample."""

    def __init__(self, found: LensStep, results: Mapping[str, Array]) -> None:
        self.found, self._results = found, results

    def number(self, name: str) -> float:
        """A scalar; of nothing, 0."""
        return float(self._results[name]) if name else 0.0

    def numbers(self, names: Sequence[str]) -> Strengths:
        return tuple(map(self.number, names))

    def sample(self, weights: Strengths, rate: float) -> LensSample:
        found, step = self.found, self.found.step
        lengths = {tap: self.number(size) for tap, (size, _) in found.values.items()}
        counts = {tap: self.number(count) for tap, (_, count) in found.values.items()}
        uses = {place: self._use(measured) for place, measured in found.uses.items()}
        return LensSample(
            found.losses,
            self.numbers([step.losses[key] for key in found.losses]),
            weights,
            rate,
            self._strengths(uses),
            {place: _ratios(*use) for place, use in uses.items()},
            {
                tap: tuple(slope * lengths[tap] for slope in self.numbers(names))
                for tap, names in found.signals.items()
            },
            {layer: self._share(parts) for layer, parts in found.layers.items()},
            {tap: lengths[tap] / sqrt(max(1.0, counts[tap])) for tap in lengths},
            found.resting,
        )

    def _use(self, measured: Measured) -> tuple[float, Strengths]:
        """The length of a weight, or as much as weights of that many numbers have at least; and
        those of the steps.
        """
        least = SMALL * sqrt(self.number(measured.count))
        return max(self.number(measured.size), least), self.numbers(measured.steps)

    def _strengths(
        self, uses: Mapping[tuple[Path, str], tuple[float, Strengths]]
    ) -> dict[Path, Strengths]:
        """Those of calls, and of models and wrappers, which are all that is inside."""
        inside: dict[Path, list[tuple[float, Strengths]]] = {}
        for (path, _), use in uses.items():
            for depth in range(1, len(path) + 1):
                inside.setdefault(path[:depth], []).append(use)
        idle = (0.0,) * len(self.found.losses)
        found = {path[:d]: idle for path, _ in self.found.resting for d in range(1, len(path) + 1)}
        for path, parts in inside.items():
            sizes, steps = zip(*parts, strict=True)
            each = tuple(hypot(*of_loss) for of_loss in zip(*steps, strict=True))
            found[path] = _ratios(hypot(*sizes), each)
        return found

    def _share(self, parts: Sequence[Compared]) -> LayerShare:
        """Of a layer, by what was compared of each of its weights."""
        norms = [self.numbers(part.norms) for part in parts]
        whole = tuple(hypot(*of_loss) for of_loss in zip(*norms, strict=True))
        losses = range(len(whole))
        products = {(i, j): 0.0 for i in losses for j in losses}
        for part, lengths in zip(parts, norms, strict=True):
            for (i, j), name in part.cosines.items():
                products[i, j] += self.number(name) * lengths[i] * lengths[j]
        return LayerShare(
            whole,
            tuple(tuple(_cosine(i, j, products, whole) for j in losses) for i in losses),
        )


def _cosine(i: int, j: int, products: Mapping[tuple[int, int], float], lengths: Strengths) -> float:
    if not (isfinite(lengths[i]) and isfinite(lengths[j])):
        return nan
    if lengths[i] == 0 or lengths[j] == 0:
        return 0.0
    if i == j:
        return 1.0
    return max(-1.0, min(1.0, products[max(i, j), min(i, j)] / lengths[i] / lengths[j]))


def _ratios(size: float, steps: Strengths) -> Strengths:
    """Steps by the size of what they change."""
    return tuple(step / size if size else 0.0 for step in steps)
