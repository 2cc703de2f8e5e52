"""Outputs for new inputs, nothing learnt."""

from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from typing import Protocol

import numpy as np

from studio.document.lowering import Lowered, lower
from studio.document.model import CallId, Document
from studio.document.names import output_names
from studio.document.store import Store
from studio.engine.engines import executor
from studio.engine.executor import Executor
from studio.engine.program import Array
from studio.train.arrays import Arrays, Column, Placed, batches, fed


class Watch(Protocol):
    """Whoever looks on while a model predicts."""

    def begin(self) -> None:
        """Before the first batch."""

    def batch_begin(self, batch: int) -> None:
        """Before a batch."""

    def batch_end(self, batch: int, outputs: Mapping[str, Array]) -> None:
        """After a batch, with its outputs by name."""

    def end(self) -> None:
        """After the last batch."""


def predict(
    document: Document,
    store: Store,
    inputs: Mapping[CallId, Column],
    batch_size: int = 32,
    engine: str = "auto",
    limit: int | None = None,
    watch: "Watch | None" = None,
) -> dict[str, Array]:
    """Every output by its display name, samples first.

    Args:
        document: compiled once and remembered.
        store: weights never initialized are initialized now, by the document's seed.
        inputs: by the id of the Input call.
        batch_size: samples computed at once.
        engine: see `studio.engine.engines`.
        limit: how many batches; all if None.
        watch: looks on.

    Raises:
        ProblemError: what keeps the document from being computed.
    """
    data = Arrays(inputs)
    lowered, runner = _compiled(document, engine, data.one_hots)
    seed = document.plan.run.seed
    if watch:
        watch.begin()
    runner.load({name: store.ensure(*v.place, seed).value for name, v in lowered.variables.items()})
    names = output_names(document)
    parts: dict[str, list[Array]] = {name: [] for name in names.values()}
    for number, batch in enumerate(islice(batches(data, batch_size), limit)):
        if watch:
            watch.batch_begin(number)
        feeds = {lowered.inputs[call].name: fed(column) for call, column in batch.inputs.items()}
        results = runner.run(feeds)
        for endpoint, name in names.items():
            parts[name].append(results[lowered.outputs[endpoint].name])
        if watch:
            watch.batch_end(number, {name: found[-1] for name, found in parts.items()})
    if watch:
        watch.end()
    return {name: np.concatenate(found) for name, found in parts.items()}


@lru_cache(maxsize=4)
def _compile(key: "_Key") -> tuple[Lowered, Executor]:
    lowered = lower(key.document, one_hots=key.one_hots)
    program = lowered.op.program(list(lowered.outputs.values()))
    return lowered, executor(key.engine, program)


class _Key:
    """Documents are compared by identity here: hashing a whole one would cost more."""

    def __init__(self, document: Document, engine: str, one_hots: Placed) -> None:
        self.document, self.engine, self.one_hots = document, engine, one_hots

    def __hash__(self) -> int:
        return hash((id(self.document), self.engine, self.one_hots))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Key)
            and self.document is other.document
            and (self.engine, self.one_hots) == (other.engine, other.one_hots)
        )


def _compiled(document: Document, engine: str, one_hots: Placed) -> tuple[Lowered, Executor]:
    return _compile(_Key(document, engine, one_hots))
