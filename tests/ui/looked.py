"""Looks at the headline example, made by hand: what the lens would see there."""

from studio.document.model import CallId, Document
from studio.train.study.lens import LayerShare, LensSample
from studio.train.study.seen import Seen
from studio.train.study.wanted import Tap

STRENGTHS = {
    "embedding": (0.0, 0.0021),
    "lstm": (0.0008, 0.0043),
    "aux_output": (0.0, 0.011),
    "dense": (0.018, 0.0),
    "dense_1": (0.0072, 0.0),
    "dense_2": (0.011, 0.0),
    "main_output": (0.034, 0.0),
}
SIGNALS = {
    "embedding": (0.0, 0.2),
    "lstm": (0.01, 0.3),
    "aux_output": (0.0, 0.5),
    "concatenate": (0.1, 0.0),
    "dense": (0.3, 0.0),
    "dense_1": (0.4, 0.0),
    "dense_2": (0.7, 0.0),
    "main_output": (1.0, 0.0),
    "aux_input": (0.01, 0.0),
}


def call(document: Document, name: str) -> CallId:
    """The first call of a layer of this name."""
    return next(c for c in document.graph.calls if document.entry(c).name == name)


def headline_sample(document: Document) -> LensSample:
    """Both losses train the LSTM, the auxiliary one alone the Embedding."""
    graph = document.graph
    path = {name: (call(document, name),) for name in {*STRENGTHS, *SIGNALS}}
    lstm, embedding = (graph.calls[path[name][0]].layer for name in ("lstm", "embedding"))
    return LensSample(
        losses=tuple(end.key for end in graph.outputs),
        values=(0.6931, 0.7112),
        weights=(1.0, 0.2),
        rate=0.001,
        strengths={path[name]: values for name, values in STRENGTHS.items()},
        by_weight={
            (path["lstm"], "kernel"): (0.0004, 0.003),
            (path["lstm"], "bias"): (0.0, 0.03),
        },
        signals={Tap(path[name], "output"): values for name, values in SIGNALS.items()},
        layers={
            lstm: LayerShare((2.0, 0.5), ((1.0, -0.4), (-0.4, 1.0))),
            embedding: LayerShare((0.0, 0.5), ((0.0, 0.0), (0.0, 1.0))),
        },
    )


def look(document: Document, epoch: int = 2, batch: int = 14, at: str = "batch") -> Seen:
    """One look of a training."""
    return Seen(epoch, batch, at, headline_sample(document))
