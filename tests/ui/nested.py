"""A document with everything that nests: a model used twice, a model in it, a wrapper around it."""

from dataclasses import replace

from studio.document import edits
from studio.document.model import Document, Endpoint, Graph, Submodel, Wrapped
from studio.layers.dense import Dense
from studio.layers.embedding import Embedding
from studio.layers.input import Input
from studio.layers.lstm import LSTM
from studio.layers.merge_concatenate import Concatenate
from studio.layers.time_distributed import TimeDistributed

INNER, MIDDLE, MAIN = "g8", "g9", "g1"


def call(document: Document, name: str, graph: str = MAIN, nth: int = 0) -> str:
    """The call of a graph whose layer has a name; of several the nth."""
    calls = document.graphs[graph].calls
    return [c for c in calls if document.entry(c, graph).name == name][nth]


def nested_document() -> Document:
    """left, right → digits, twice → pair → same; film → each (TimeDistributed of core) → recall;
    words → table, with a mask → mixer, which drops it.

    digits holds pixels → hidden → core → digit (an output), and hidden → odd (another); core
    holds core_in → core_dense.
    """
    document = replace(
        Document(),
        graphs={MAIN: Graph(), INNER: Graph("core"), MIDDLE: Graph("digits")},
        next_id=10,
    )
    for graph, name, body, x, y in (
        (INNER, "core_in", Input((8,)), 0, 0),
        (INNER, "core_dense", Dense(8, "relu"), 240, 0),
        (MIDDLE, "pixels", Input((16,)), 0, 0),
        (MIDDLE, "hidden", Dense(8), 240, 0),
        (MIDDLE, "core", Submodel(INNER), 480, 0),
        (MIDDLE, "digit", Dense(4, "softmax"), 720, 0),
        (MIDDLE, "odd", Dense(1, "sigmoid"), 720, 160),
        (MAIN, "left", Input((16,)), 0, 0),
        (MAIN, "right", Input((16,)), 0, 200),
        (MAIN, "digits", Submodel(MIDDLE), 240, 0),
        (MAIN, "pair", Concatenate(), 520, 80),
        (MAIN, "same", Dense(1, "sigmoid"), 760, 80),
        (MAIN, "film", Input((5, 8)), 0, 420),
    ):
        place = (float(x), float(y))
        document, _ = edits.add_layer(document, body, place, name=name, graph=graph)
        for start, end in (("core_in", "core_dense"), ("pixels", "hidden"), ("hidden", "odd")):
            if name == end:
                document = _wired(document, graph, start, end)
        if name in ("core_dense", "digit", "odd"):
            document = edits.mark_output(document, Endpoint(call(document, name, graph), "output"))
    core = _port_names(document, INNER)
    document = _wired(document, MIDDLE, "hidden", "core", into=core[0])
    document = _wired(document, MIDDLE, "core", "digit", out=core[1])
    ports = _port_names(document, MIDDLE)
    layer = document.graphs[MAIN].calls[call(document, "digits")].layer
    document, _ = edits.use_layer(document, layer, (240.0, 200.0))
    for nth, source in enumerate(("left", "right")):
        document = _wired(document, MAIN, source, "digits", into=ports[0], nth=nth)
        start = Endpoint(call(document, "digits", nth=nth), ports[1])
        document = edits.connect(document, start, Endpoint(call(document, "pair"), "x"))
    document = _wired(document, MAIN, "pair", "same")
    document = edits.mark_output(document, Endpoint(call(document, "same"), "output"))
    shared = document.graphs[MIDDLE].calls[call(document, "core", MIDDLE)].layer
    for name, body, x, y in (
        ("each", Wrapped(TimeDistributed(), shared), 240, 420),
        ("recall", LSTM(3), 520, 420),
        ("words", Input((7,), "int32"), 0, 560),
        ("table", Embedding(50, 4, mask_zero=True), 240, 560),
        ("mixer", Dense(2), 520, 560),
    ):
        document, _ = edits.add_layer(document, body, (float(x), float(y)), name=name)
    for start, end in (
        ("film", "each"), ("each", "recall"), ("words", "table"), ("table", "mixer"),
    ):  # fmt: skip
        document = _wired(document, MAIN, start, end)
    for name in ("recall", "mixer"):
        document = edits.mark_output(document, Endpoint(call(document, name), "output"))
    return document


def _port_names(document: Document, graph: str) -> list[str]:
    """The ports of the model that uses a graph: its inputs', then its outputs'."""
    here = document.graphs[graph]
    return [*here.inputs, *(endpoint.key for endpoint in here.outputs)]


def _wired(
    document: Document, graph: str, start: str, end: str, out="output", into="x", nth=0
) -> Document:
    source = Endpoint(call(document, start, graph), out)
    return edits.connect(document, source, Endpoint(call(document, end, graph, nth), into))
