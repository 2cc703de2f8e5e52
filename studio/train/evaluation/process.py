"""What evaluates in a process of its own, so that a window never waits for it: see `Aside`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from studio.document.project import Project
from studio.engine.threads import available
from studio.train.evaluation.evaluate import Judged, evaluate_project
from studio.train.evaluation.result import Evaluation, Row, Which


@dataclass(frozen=True)
class Question:
    """What is to be evaluated; see `evaluate_project`."""

    project: Project
    base: Path
    which: Which = "validation"
    file: Path | None = None


class Examiner:
    """The worker: evaluates, and has the table then, of which it is asked for rows."""

    def __init__(self) -> None:
        self._judged: Judged | None = None

    def __call__(self, asked: Question | Sequence[int]) -> Evaluation | list[Row]:
        """An evaluation; or rows of the table of the last one, asked for by their numbers."""
        if isinstance(asked, Question):
            threads = max(1, available() - 1)  # the window keeps one core
            self._judged = evaluate_project(
                asked.project, asked.base, asked.which, asked.file, threads
            )
            return self._judged.evaluation
        assert self._judged is not None
        return list(self._judged.rows(asked))
