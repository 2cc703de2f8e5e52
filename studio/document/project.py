"""A project: the document and everything that lives beside it in a ``.loom`` file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from studio.document.model import Document, LayerId
from studio.document.preprocess import Fitted
from studio.document.store import Store
from studio.layers.cell import Cells
from studio.limits import RUN_BYTES, RUN_DOCUMENTS

Ended = Literal["", "done", "early", "stopped", "not_finite"]


@dataclass(frozen=True)
class Run:
    """One training: its settings, what each epoch gave, and the model it made.

    Attributes:
        id: the folder under ``runs/``: ``r1``, ``r2``, …
        settings: optimizer, epochs, batch size, seed, engine … as JSON values.
        history: Keras's keys, one number an epoch.
        best_epoch: counted from 0, by `monitor`; -1 before the first epoch ended.
        monitor: the history key the best epoch is chosen by.
        seconds: how long it took.
        name: what the user calls it; empty: by its id.
        created: when it began, as ISO 8601 in UTC.
        ended: by itself ("done"), by early stopping, because it was asked to, or because NaN or
            infinity came up; empty: unknown.
        pace: what going on for more epochs takes up: ``rate``, and what early stopping and the
            plateau had counted, as JSON values.
        document: the model and its plan as they were trained; None of runs too old for that.
        weights: those of the best epoch, values alone; None likewise.
        fitted: what preprocessing had learnt; None where it is the project's own.
        shares: where somebody looked at it: by loss key and layer name how strongly the loss
            trained the layer in each epoch; NaN for epochs nobody looked at.
    """

    id: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    history: Mapping[str, list[float]] = field(default_factory=dict)
    best_epoch: int = -1
    monitor: str = "loss"
    seconds: float = 0.0
    name: str = ""
    created: str = ""
    ended: Ended = ""
    pace: Mapping[str, Any] = field(default_factory=dict)
    document: Document | None = field(default=None, repr=False)
    weights: Mapping[LayerId, Cells] | None = field(default=None, compare=False, repr=False)
    fitted: Mapping[str, Fitted] | None = field(default=None, repr=False)
    shares: Mapping[str, Mapping[str, list[float]]] = field(default_factory=dict)

    @property
    def epochs(self) -> int:
        """How many epochs it has had."""
        return max(map(len, self.history.values()), default=0)


@dataclass(frozen=True)
class Newer:
    """The file of a later version that a project was read from, as far as it is known here.

    Attributes:
        format: the number of its format.
        writer: the version that wrote it; empty where it does not say.
        kept: the layers that are not known, or not as they are there: they stay.
        passed: the places of what else is not known.
        data: the whole file.
        known: tells what was read from what was changed since: see `studio.formats.loom`.
    """

    format: int
    writer: str
    kept: tuple[str, ...]
    passed: tuple[str, ...]
    data: bytes = field(repr=False)
    known: str = ""


@dataclass
class Project:
    """What is open.

    Attributes:
        document: the model and its plan.
        store: the weights.
        fitted: what preprocessing learnt (vocabularies, statistics, class names), keyed as the
            bindings are: by an Input's call id, by an output's endpoint key.
        runs: trainings, oldest first.
        thumbnail: what the graph looked like when it was last saved in a window, as a small PNG.
        newer: the file it was read from, where a later version wrote that.
    """

    document: Document = field(default_factory=Document)
    store: Store = field(default_factory=Store)
    fitted: dict[str, Fitted] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    thumbnail: bytes = b""
    newer: Newer | None = None

    def run(self, id: str) -> Run | None:
        """The run of that id."""
        return next((run for run in self.runs if run.id == id), None)

    def keep_run(self, run: Run) -> None:
        """Add a run, or put it in the place of the one of its id.

        The oldest runs forget their weights, and then their models, where all together would take
        more than `RUN_BYTES` and `RUN_DOCUMENTS`; their settings and histories stay.
        """
        if self.run(run.id) is None:
            self.runs.append(run)
        else:
            self.runs = [run if old.id == run.id else old for old in self.runs]
        left = RUN_BYTES
        for at in reversed(range(len(self.runs))):
            each, size = self.runs[at], _size(self.runs[at].weights)
            if size > left:
                each, size = replace(each, weights=None), 0
            if len(self.runs) - at > RUN_DOCUMENTS:
                each = replace(each, weights=None, document=None, fitted=None)
            self.runs[at], left = each, left - size

    def next_run(self) -> str:
        """The id of the next run: one more than the largest there is."""
        return f"r{max((int(run.id[1:]) for run in self.runs), default=0) + 1}"


def _size(weights: Mapping[LayerId, Cells] | None) -> int:
    cells = (cell for cells in (weights or {}).values() for cell in cells.values())
    return sum(cell.value.nbytes for cell in cells)


def restored(run: Run, document: Document) -> Document:
    """The model of a run, to take the place of `document`; its ids go on from those given since.

    The weights go into a Store by ``store.merge(run.weights)``, what preprocessing had learnt into
    ``project.fitted``, where the run has them.
    """
    assert run.document is not None, "a run that kept its model"
    return replace(run.document, next_id=max(run.document.next_id, document.next_id))
