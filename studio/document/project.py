"""A project: the document and everything that lives beside it in a ``.loom`` file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from studio.document.model import Document
from studio.document.preprocess import Fitted
from studio.document.store import Store


@dataclass(frozen=True)
class Run:
    """One training: its settings, and what each epoch gave.

    Attributes:
        id: the folder under ``runs/``: ``r1``, ``r2``, …
        settings: optimizer, epochs, batch size, seed, engine … as JSON values.
        history: Keras's keys, one number an epoch.
        best_epoch: counted from 0, by `monitor`; -1 before the first epoch ended.
        monitor: the history key the best epoch is chosen by.
        seconds: how long it took.
    """

    id: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    history: Mapping[str, list[float]] = field(default_factory=dict)
    best_epoch: int = -1
    monitor: str = "loss"
    seconds: float = 0.0


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
    """

    document: Document = field(default_factory=Document)
    store: Store = field(default_factory=Store)
    fitted: dict[str, Fitted] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    thumbnail: bytes = b""
