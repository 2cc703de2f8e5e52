"""Judges one output, block by block: what it says against its target.

Counts and sums are of everything. Curves need every score at once: where there are more than
may be kept, they are of samples drawn at random, and the result says of how many.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from studio.document.draws import generator
from studio.document.plan import Binding, ClassColumn, NumberColumns
from studio.document.preprocess import Fitted, FittedClasses, FittedNumbers, decode_numbers
from studio.engine.program import Array
from studio.losses.base import Loss
from studio.losses.margins import CategoricalHinge, Hinge, SquaredHinge
from studio.train.evaluation.classes import ClassScores, PairCounter, per_class
from studio.train.evaluation.ranking import (
    Calibration,
    Flags,
    Floats,
    Ranking,
    Thresholds,
    calibrate,
    rank,
    thresholds,
)
from studio.train.evaluation.residuals import Moments
from studio.train.evaluation.result import Kind, OutputEvaluation, Samples, StepLosses

KEPT = 2**24  # numbers of an output that are kept for its curves,
ELEMENTS = 2**22  # of so many samples or steps
SHOWN = 2**17  # numbers of samples that are handed on
WORST = 200  # samples that are kept whatever is drawn
FINE, COARSE = 400, 60  # points of a curve, of few classes or many
MANY = 50  # labels or columns beyond which all are judged together


@dataclass(frozen=True)
class Target:
    """What is known of an output before it is judged.

    Attributes:
        key: its endpoint's.
        name: as users see it.
        loss: what it is trained by.
        binding: what its target is read from; None where arrays were given.
        fitted: what was learnt of that.
    """

    key: str
    name: str
    loss: Loss
    binding: Binding | None = None
    fitted: Fitted | None = None


@dataclass(frozen=True)
class Block:
    """Some samples of an output, each step an element of its own.

    Attributes:
        target: (elements, width), float64.
        output: likewise.
        losses: of each element; NaN where the loss is one of the whole batch.
        rows: the row of the table of each element.
        steps: its step.
    """

    target: Floats
    output: Floats
    losses: Floats
    rows: NDArray[np.int64]
    steps: NDArray[np.int64]

    def take(self, places: Array) -> "Block":
        """Those at these places."""
        return Block(
            self.target[places],
            self.output[places],
            self.losses[places],
            self.rows[places],
            self.steps[places],
        )


class Judge:
    """Takes in an output's blocks and says at the end how it does."""

    def __init__(self, target: Target, samples: int, seed: int = 0) -> None:
        """Of `samples` samples in all; `seed` says which are drawn where not all are kept."""
        self.about = target
        self._samples = samples
        self._random = generator(seed, "evaluation", target.key)
        self._kind: Kind | None = None
        self._rate = 1.0
        self._width = 0
        self._judged = self._masked = self._not_finite = 0
        self._pairs: PairCounter | None = None
        self._moments: list[Moments] = []
        self._parts: list[Samples] = []
        self._scores: list[Array] = []  # of several classes, of those drawn
        self._truths: list[Array] = []
        self._chances: list[Flags] = []  # which of the parts were drawn
        self._rows: dict[str, list[Array]] = {"rows": [], "losses": []}
        self._sums: Floats = np.zeros(0)
        self._counts: NDArray[np.int64] = np.zeros(0, np.int64)
        self._several = self._by_error = False

    # -- block by block --------------------------------------------------------------------------

    def add(
        self, target: Array, output: Array, losses: Array, valid: Array | None, rows: Array
    ) -> None:
        """Take in a batch.

        Args:
            target: as the loss takes it, samples first.
            output: what the model says.
            losses: of each element; of another shape where the loss is one of the whole batch.
            valid: which elements count; None for all.
            rows: the table's row of each sample.
        """
        axis = getattr(self.about.loss, "axis", -1)
        if self.about.loss.probabilities == "shared" and isinstance(axis, int):
            output = np.moveaxis(output, axis, -1)
            if target.shape[-1] != 1:
                target = np.moveaxis(target, axis, -1)
        shape = output.shape[:-1]
        steps = int(np.prod(shape[1:], dtype=np.int64))
        self._by_error = losses.shape != shape
        block = Block(
            np.asarray(target, np.float64).reshape(len(rows) * steps, -1),
            np.asarray(output, np.float64).reshape(len(rows) * steps, output.shape[-1]),
            _each(losses, shape),
            np.repeat(np.asarray(rows, np.int64), steps),
            np.tile(np.arange(steps), len(rows)),
        )
        if self._kind is None:
            self._begin(block, steps)
        counts = np.ones(len(block.rows), bool)
        if valid is not None and valid.size == len(counts):
            counts = np.asarray(valid, bool).reshape(-1)
        finite = np.isfinite(block.output).all(1) & np.isfinite(block.target).all(1)
        self._masked += int(np.count_nonzero(~counts))
        self._not_finite += int(np.count_nonzero(counts & ~finite))
        block = block.take(counts & finite)
        self._judged += len(block.rows)
        if len(block.rows):
            self._take(block)

    def _begin(self, block: Block, steps: int) -> None:
        self._several = steps > 1
        self._kind = kind_of(self.about, block.target, block.output.shape[1])
        self._width = block.output.shape[1]
        self._sums, self._counts = np.zeros(steps), np.zeros(steps, np.int64)
        elements = max(1, self._samples * steps)
        self._rate = min(1.0, KEPT / (elements * self._width), ELEMENTS / elements)
        if self._kind == "classes":
            self._pairs = PairCounter(self._width)
        if self._kind == "numbers":
            self._moments = [Moments() for _ in self._columns()]

    def _take(self, block: Block) -> None:
        samples = self._judge(block)
        if self._several:
            np.add.at(self._sums, block.steps, samples.losses)
            np.add.at(self._counts, block.steps, 1)
            places, inverse = np.unique(block.rows, return_inverse=True)
            means = np.bincount(inverse, samples.losses) / np.bincount(inverse)
            self._rows["rows"].append(places)
            self._rows["losses"].append(means)
        drawn = np.ones(len(samples), bool)
        if self._rate < 1:
            drawn = self._random.random(len(samples)) < self._rate
            kept = drawn.copy()
            worst = np.argsort(-samples.losses, kind="stable")[:WORST]
            kept[worst] = True
            samples, block, drawn = samples.take(kept), block.take(kept), drawn[kept]
        self._parts.append(samples)
        self._chances.append(drawn)
        if self._kind == "classes":
            self._scores.append(self._shares(block.output[drawn]).astype(np.float32))
            self._truths.append(samples.truth[drawn])

    def _judge(self, block: Block) -> Samples:
        truth: Array
        match self._kind:
            case "binary":
                truth = _yes(self.about.loss, block.target[:, 0])
                said = self._each_probability(block.output[:, 0])
                sure, error = np.where(said > 0.5, said, 1 - said), np.abs(truth - said)
            case "classes":
                shares = self._shares(block.output)
                truth, said = _class_of(block.target, self._width), shares.argmax(1)
                assert self._pairs is not None
                self._pairs.add(truth, said)
                each = np.arange(len(shares))
                sure, error = shares[each, said], 1 - shares[each, truth]
            case "labels":
                truth = _yes(self.about.loss, block.target)
                said = self._each_probability(block.output)
                sure, error = np.full(len(said), np.nan), np.abs(truth - said).mean(1)
            case _:
                truth, said = self._units(block.target), self._units(block.output)
                self._measure(truth, said)
                sure, error = np.full(len(said), np.nan), np.abs(truth - said).mean(1)
        losses = np.where(np.isnan(block.losses), error, block.losses)
        if self._kind in ("binary", "labels"):
            said = said.astype(np.float32)  # what the model gave, but for logits
        return Samples(block.rows, block.steps, truth, said, sure, losses)

    def _measure(self, truth: Floats, said: Floats) -> None:
        if len(self._moments) == truth.shape[1]:
            for column, moments in enumerate(self._moments):
                moments.add(truth[:, column], said[:, column])
        else:
            self._moments[0].add(truth.reshape(-1), said.reshape(-1))

    # -- what outputs mean -----------------------------------------------------------------------

    def _each_probability(self, output: Floats) -> Floats:
        return np.asarray(expit(output)) if self.about.loss.takes_logits else output

    def _shares(self, output: Floats) -> Floats:
        """Probabilities that sum to 1, as the loss makes them; other scores as they are."""
        if self.about.loss.takes_logits:
            return np.asarray(softmax(output, axis=1))
        total = output.sum(1, keepdims=True)
        if self.about.loss.probabilities == "shared" and (output >= 0).all() and (total > 0).all():
            return np.asarray(output / total)
        return output

    def _units(self, values: Floats) -> Floats:
        """Numbers in the units of their columns."""
        fitted = self.about.fitted
        if isinstance(fitted, FittedNumbers) and len(fitted.offset) == values.shape[1]:
            return decode_numbers(fitted, values)
        return values

    def _columns(self) -> tuple[str, ...]:
        if self._width > MANY:
            return ("",)  # all together
        binding = self.about.binding
        if isinstance(binding, NumberColumns) and len(binding.columns) == self._width:
            return binding.columns
        return (self.about.name,) if self._width == 1 else tuple(map(str, range(self._width)))

    def _class_names(self) -> tuple[str, ...]:
        count = max(2, self._width)
        fitted = self.about.fitted
        known = fitted.names if isinstance(fitted, FittedClasses) else ()
        return tuple(known[i] if i < len(known) else str(i) for i in range(count))

    # -- at the end ------------------------------------------------------------------------------

    def result(self) -> OutputEvaluation:
        """How the output does."""
        kind: Kind = self._kind or "unjudged"
        samples = _joined(self._parts)
        drawn = np.concatenate(self._chances) if self._chances else np.zeros(0, bool)
        counts = {
            "judged": self._judged,
            "masked": self._masked,
            "not_finite": self._not_finite,
            "drawn": int(np.count_nonzero(drawn)),
        }
        found: dict[str, object] = {}
        if samples is not None:
            chosen = samples if drawn.all() else samples.take(drawn)
            make = {"binary": self._binary, "classes": self._classes, "labels": self._labels}
            found = make.get(kind, self._numbers)(chosen)
            size = 1 if samples.said.ndim == 1 else samples.said.shape[1]
            worst = np.argsort(-samples.losses, kind="stable")[: max(WORST, SHOWN // size)]
            found["samples"] = samples.take(worst)
            found["by_error"] = self._by_error
        if self._several and self._judged:
            found |= self._sequences()
        about = self.about
        return OutputEvaluation(about.key, about.name, kind, about.loss.kind, **counts, **found)  # type: ignore[arg-type]

    def _binary(self, samples: Samples) -> dict[str, object]:
        names = self._class_names()
        truth, scores = samples.truth, samples.said.astype(np.float64)
        ranking, cut, calibration = _ranked(self.about.loss, truth, scores)
        counter = PairCounter(2)
        said = scores > cut.values[cut.usual]
        counter.add(truth.astype(np.intp), said.astype(np.intp))
        confusion = counter.confusion()
        both = (rank(~truth, -scores), ranking)
        classes = tuple(
            _with_areas(c, r) for c, r in zip(per_class(confusion, names), both, strict=True)
        )
        return {
            "names": names,
            "rankings": (ranking,),
            "thresholds": (cut,),
            "calibrations": (calibration,) if calibration else (),
            "confusion": confusion,
            "classes": classes,
        }

    def _classes(self, samples: Samples) -> dict[str, object]:
        names = self._class_names()
        assert self._pairs is not None
        confusion = self._pairs.confusion()
        truths, scores = np.concatenate(self._truths), np.concatenate(self._scores)
        points = FINE if self._width <= MANY else COARSE
        rankings = tuple(
            rank(truths == number, scores[:, number].astype(np.float64), points)
            for number in range(self._width)
        )
        classes = tuple(
            _with_areas(c, r) for c, r in zip(per_class(confusion, names), rankings, strict=True)
        )
        calibration = None
        if _probabilities(self.about.loss, scores):
            calibration = calibrate(samples.truth == samples.said, samples.sure)
        return {
            "names": names,
            "rankings": rankings,
            "calibrations": (calibration,) if calibration else (),
            "confusion": confusion,
            "classes": classes,
        }

    def _labels(self, samples: Samples) -> dict[str, object]:
        names = tuple(self._columns()) if self._width > MANY else self._class_names()
        truth, scores = samples.truth, samples.said.astype(np.float64)
        if len(names) == 1:
            truth, scores = truth.reshape(-1, 1), scores.reshape(-1, 1)
        judged = [
            _ranked(self.about.loss, truth[:, n], scores[:, n]) for n in range(truth.shape[1])
        ]
        classes = []
        for name, (ranking, cut, _) in zip(names, judged, strict=True):
            at = cut.cut(cut.usual)
            said = at.true_positives + at.false_positives
            scored = (ranking.positives, said, at.precision, at.recall, at.f1)
            classes.append(_with_areas(ClassScores(name, *scored), ranking))
        return {
            "names": names,
            "rankings": tuple(ranking for ranking, _, _ in judged),
            "thresholds": tuple(cut for _, cut, _ in judged),
            "calibrations": tuple(c for _, _, c in judged if c),
            "classes": tuple(classes),
        }

    def _numbers(self, samples: Samples) -> dict[str, object]:
        names = self._columns()
        truth, said, rows = samples.truth, samples.said, samples.rows
        if len(names) == 1 and self._width > 1:
            rows = np.repeat(rows, self._width)
            truth, said = truth.reshape(-1, 1), said.reshape(-1, 1)
        residuals = tuple(
            moments.residuals(name, truth[:, number], said[:, number], rows)
            for number, (name, moments) in enumerate(zip(names, self._moments, strict=True))
        )
        return {"names": names, "residuals": residuals}

    def _sequences(self) -> dict[str, object]:
        rows, losses = np.concatenate(self._rows["rows"]), np.concatenate(self._rows["losses"])
        worst = np.argsort(-losses, kind="stable")[:WORST]
        with np.errstate(invalid="ignore"):
            means = self._sums / self._counts
        return {
            "by_step": StepLosses(means, self._counts),
            "worst_rows": rows[worst],
            "worst_losses": losses[worst],
        }


# -- what an output is judged as -----------------------------------------------------------------


def kind_of(about: Target, target: Floats, width: int) -> Kind:
    """What an output is judged as, by its loss, what its target is bound to, and some targets."""
    classes = isinstance(about.binding, ClassColumn)
    if about.loss.probabilities == "shared" or isinstance(about.loss, CategoricalHinge):
        return "classes" if width > 1 else "numbers"
    if classes:
        return "binary" if width == 1 else "classes"
    signs = isinstance(about.loss, Hinge | SquaredHinge)
    if about.loss.probabilities == "each" or signs:
        known = target[np.isfinite(target)]
        # Shares of grey, say, are no yes or no.
        if np.isin(known, (-1.0, 0.0, 1.0) if signs else (0.0, 1.0)).all():
            return "binary" if width == 1 else "labels"
    return "numbers"


def _yes(loss: Loss, target: Floats) -> Flags:
    return np.asarray(target > (0.0 if isinstance(loss, Hinge | SquaredHinge) else 0.5))


def _class_of(target: Floats, width: int) -> NDArray[np.intp]:
    """Class numbers, given as they are or as one-hots."""
    if target.shape[1] == 1 and width > 1:
        return np.asarray(target[:, 0], np.intp).clip(0, width - 1)
    return np.asarray(target.argmax(1))


def _each(losses: Array, shape: Sequence[int]) -> Floats:
    """The loss of each element; NaN for all where the loss gives other numbers."""
    if losses.shape == tuple(shape):
        return np.asarray(losses, np.float64).reshape(-1)
    return np.full(int(np.prod(shape, dtype=np.int64)), np.nan)


def _ranked(
    loss: Loss, truth: Flags, scores: Floats
) -> tuple[Ranking, Thresholds, Calibration | None]:
    """Curves, thresholds and calibration of one yes or no."""
    sure = _probabilities(loss, scores)
    least, most = (0.0, 1.0) if sure else (float(scores.min()), float(scores.max()))
    usual = 0.0 if isinstance(loss, Hinge | SquaredHinge) else 0.5
    cut = thresholds(truth, scores, least, most, usual)
    return rank(truth, scores), cut, calibrate(truth, scores) if sure else None


def _probabilities(loss: Loss, scores: Array) -> bool:
    """Whether scores are probabilities; those of a hinge are none, even between 0 and 1."""
    signs = isinstance(loss, Hinge | SquaredHinge | CategoricalHinge)
    return not signs and bool(((scores >= 0) & (scores <= 1 + 1e-6)).all())


def _with_areas(scores: ClassScores, ranking: Ranking) -> ClassScores:
    return replace(scores, auc=ranking.auc, average_precision=ranking.average_precision)


def _joined(parts: Sequence[Samples]) -> Samples | None:
    if not parts:
        return None
    names = ("rows", "steps", "truth", "said", "sure", "losses")
    return Samples(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))
