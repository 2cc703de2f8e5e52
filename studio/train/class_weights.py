"""Weights that make up for rare classes, from how often each is there."""

import numpy as np

from studio.document.model import Document
from studio.problem import Problem, ProblemError
from studio.train.arrays import Arrays, Column, blocks_of
from studio.train.feed import trained_outputs, with_class_weights

MOST = 10_000  # classes


def balanced(document: Document, data: Arrays) -> Arrays:
    """The samples, weighted at the outputs whose plan says so: Keras's `class_weight`.

    A class's weight is rows / (classes × rows of the class), over the classes there are.

    Raises:
        ProblemError: ``class_weight_not_classes``: a target is of numbers that are no classes.
    """
    tables = {
        name: class_weights(endpoint.call, name, data.targets[endpoint.key])
        for endpoint, name in trained_outputs(document).items()
        if document.plan.outputs[endpoint.key].class_weight == "balanced"
    }
    return with_class_weights(document, data, tables) if tables else data


def class_weights(call: str, name: str, target: Column) -> dict[int, float]:
    """The weight of each class of a target, class numbers or one-hots."""
    counts = np.zeros(0, np.int64)
    for block in blocks_of(target):
        classes = block.argmax(-1) if block.shape[-1] > 1 else block
        whole = np.all((block == np.trunc(block)) & (block >= 0) & (block < MOST))
        if not whole or (block.shape[-1] > 1 and np.any(block > 1)):
            raise ProblemError(Problem("class_weight_not_classes", call, {"port": name}))
        found = np.bincount(classes.ravel().astype(np.int64), minlength=len(counts))
        found[: len(counts)] += counts
        counts = found
    present = np.flatnonzero(counts)
    total = counts.sum()
    return {int(c): float(total / (len(present) * counts[c])) for c in present}
