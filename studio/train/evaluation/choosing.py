"""Parts of an evaluation to look at: one label of several, the samples of one cell."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from studio.text import text
from studio.train.evaluation.classes import Confusion
from studio.train.evaluation.ranking import Cut
from studio.train.evaluation.result import OutputEvaluation


def one_label(output: OutputEvaluation, label: int) -> OutputEvaluation:
    """One of several yes or no, as an output of its own; anything else as it is."""
    if output.kind != "labels" or output.samples is None:
        return output
    samples, name = output.samples, output.names[label]
    if samples.said.shape[1] == len(output.names):
        places = slice(label, label + 1)
        samples = replace(
            samples,
            truth=samples.truth[:, places].reshape(-1),
            said=samples.said[:, places].reshape(-1),
        )
        error = np.abs(samples.truth - samples.said)
        # The loss is of all labels together; by it the samples of one are in no order.
        samples = replace(samples, losses=error).take(np.argsort(-error, kind="stable"))
    each = len(output.calibrations) == len(output.names)
    return replace(
        output,
        kind="binary",
        names=(text("evaluation.not_label", name=name), name),
        samples=samples if samples.said.ndim == 1 else None,
        by_error=True,
        rankings=(output.rankings[label],),
        thresholds=(output.thresholds[label],),
        calibrations=output.calibrations[label : label + 1] if each else (),
        classes=output.classes,
    )


def at_cut(cut: Cut) -> Confusion:
    """The confusion a threshold gives."""
    (no, false), (missed, yes) = cut.counts
    places = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    counts = np.array([no, false, missed, yes], np.int64)
    there = counts > 0
    return Confusion(places[0][there], places[1][there], counts[there], 2)


def in_cell(output: OutputEvaluation, truth: int, said: int, threshold: float) -> NDArray[np.intp]:
    """The places among the samples of those of one class that are taken for another."""
    samples = output.samples
    if samples is None:
        return np.zeros(0, np.intp)
    if output.kind == "binary":
        told = samples.said.astype(np.float64) > threshold
        return np.flatnonzero((samples.truth == bool(truth)) & (told == bool(said)))
    return np.flatnonzero((samples.truth == truth) & (samples.said == said))


def of_row(output: OutputEvaluation, row: int) -> NDArray[np.intp]:
    """The places among the samples of one row of the table."""
    samples = output.samples
    return np.zeros(0, np.intp) if samples is None else np.flatnonzero(samples.rows == row)
