"""What `Model`'s methods are given, checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from studio.declare import Declared
from studio.document.plan import TrainPlan
from studio.problem import Problem, ProblemError, refuse, warn
from studio.train.arrays import Arrays

SUFFIX = ".loom"


def split(data: Arrays, share: Any) -> tuple[Arrays, Arrays | None]:
    """The first samples to train on and the last `share` of them to validate, as Keras."""
    if not isinstance(share, int | float) or not 0.0 <= share < 1.0:
        raise refuse("split_outside", received=share)
    if not share:
        return data, None
    first = int(np.floor(len(data) * (1.0 - share)))
    if not 0 < first < len(data):
        raise refuse("split_empty", received=share, samples=len(data))
    return data.take(slice(0, first)), data.take(slice(first, None))


def validation(given: Any) -> tuple[Any, ...]:
    """Inputs, targets and perhaps sample weights."""
    if not isinstance(given, list | tuple) or len(given) not in (2, 3):
        raise refuse("validation_form", received=type(given).__name__)
    return tuple(given)


def loss_weight(name: str, given: Any) -> float:
    """The number a loss is multiplied by; 1.0 where none is given."""
    if given is None:
        return 1.0
    if isinstance(given, bool) or not isinstance(given, int | float | np.number):
        raise refuse("loss_weight_number", name=name, received=given)
    if not np.isfinite(given):
        raise refuse("loss_weight_number", name=name, received=given)
    return float(given)


def refuse_wrong(plan: TrainPlan) -> None:
    """Refuse parameters that an optimizer, a loss or a metric cannot have.

    Raises:
        ProblemError: all of them.
    """
    parts: list[Declared] = [plan.optimizer]
    for output in plan.outputs.values():
        parts += [output.loss] if output.loss else []
        parts += [*output.metrics, *output.weighted_metrics]
    wrong = [problem for part in parts for problem in part.problems()]
    if wrong:
        raise ProblemError(wrong)


def ignored(method: str, given: Mapping[str, tuple[Any, tuple[Any, ...]]]) -> None:
    """Warn of arguments of Keras's that change nothing here.

    Args:
        method: whose they are.
        given: by name what was given, and the values of which there is nothing to say.
    """
    for name, (value, usual) in given.items():
        if value not in usual:
            args = {"method": method, "name": name, "received": value}
            warn(Problem("argument_ignored", args=args, severity="warning"))


def project_path(given: Any, overwrite: bool) -> Path:
    """Where a project may be written.

    Raises:
        ProblemError: ``save_suffix``, ``file_exists``.
    """
    path = Path(given)
    if path.suffix != SUFFIX:
        raise refuse("save_suffix", received=path.name, name=path.stem)
    if not overwrite and path.exists():
        raise refuse("file_exists", file=str(path))
    return path
