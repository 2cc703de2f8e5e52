"""What the axes of a value are called, where that can be told without knowing the layers.

Layers put the batch first and channels last, as Keras does, and what varies over time before what
there is at each step. One that says `channels_first` puts its channels after the batch.
"""

from studio.document.analysis import Analysis
from studio.document.edits import graph_of
from studio.document.model import Document, Endpoint

_PLAIN = {
    2: ("features",),
    3: ("time", "features"),
    4: ("height", "width", "channels"),
    5: ("time", "height", "width", "channels"),
}
_FIRST = {3: ("channels", "time"), 4: ("channels", "height", "width")}


def axes(document: Document, analysis: Analysis, end: Endpoint) -> tuple[str, ...]:
    """The names of the axes of what leaves a port: ``batch``, ``time``, ``features``, …

    Empty where its shape is not known; ``axis`` is one nobody can name.
    """
    spec = analysis.specs.get(end)
    if spec is None:
        return ()
    if spec.rank == 2 and (spec.shape[1] == "time" or _read_in_steps(document, analysis, end)):
        return "batch", "time"
    known = _FIRST if _channels_first(document, end) else _PLAIN
    rest = known.get(spec.rank, ("axis",) * (spec.rank - 1))
    return ("batch", *rest)[: spec.rank]


def _read_in_steps(document: Document, analysis: Analysis, end: Endpoint) -> bool:
    """Whether every reader makes of each integer in a row something of its own: an Embedding."""
    if not analysis.specs[end].dtype.startswith("int"):
        return False
    _, graph = graph_of(document, end.call)
    readers = {w.target for w in graph.out_of(end.call, end.port)}
    results = [spec for e, spec in analysis.specs.items() if e.call in readers]
    return bool(results) and all(spec.rank > 2 for spec in results)


def _channels_first(document: Document, end: Endpoint) -> bool:
    """Whether the layer a value leaves, or one that reads it, says so."""
    graph_id, graph = graph_of(document, end.call)
    calls = [end.call, *(w.target for w in graph.out_of(end.call, end.port))]
    bodies = (document.entry(call, graph_id).body for call in calls)
    return any(getattr(body, "data_format", "") == "channels_first" for body in bodies)
