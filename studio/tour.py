"""The guided tour: steps from an empty canvas to the trained headline model.

Each step is a condition on the project, so it does not matter how a person fulfils it, in which
order, or whether something is undone: the tour is at the first step whose condition does not hold.

Q: Why does each step also know the edit that fulfils it?
A: Who would rather watch lets the tour do a step. And a test then proves that the steps together
   make the example they promise.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from studio.document import edits
from studio.document.building import add, wired
from studio.document.model import CallId, Document, Endpoint
from studio.document.plan import GeneratedSource
from studio.document.project import Project
from studio.examples.headline import bound
from studio.layers.dense import Dense
from studio.layers.embedding import Embedding
from studio.layers.input import Input
from studio.layers.lstm import LSTM
from studio.layers.merge_concatenate import Concatenate
from studio.losses.probabilistic import BinaryCrossentropy

Place = Literal["palette", "node", "output", "parameter", "mark", "loss", "weight", "data", "train"]


@dataclass(frozen=True)
class Spot:
    """Where to look in the window.

    Attributes:
        place: what kind of place; ``output`` is a node's output port, ``mark``, ``loss`` and
            ``weight`` are fields of the inspector.
        name: the layer in the palette, or the parameter in the inspector.
        call: the node it belongs to.
    """

    place: Place
    name: str = ""
    call: CallId = ""


@dataclass(frozen=True)
class Step:
    """One thing to do.

    Attributes:
        id: names its texts, ``tour.<id>`` and ``tour.<id>_how``.
        done: whether it is.
        spot: where to look for it now.
        act: does it, for who would rather watch; None where no edit can.
    """

    id: str
    done: Callable[[Project], bool]
    spot: Callable[[Document], Spot]
    act: Callable[[Document], Document] | None


def position(project: Project) -> int:
    """The step a project is at; the number of steps when it is through."""
    undone = (i for i, step in enumerate(STEPS) if not step.done(project))
    return next(undone, len(STEPS))


# -- finding the parts of the model --------------------------------------------------------------

_WORDS: Mapping[str, object] = {"shape": (100,), "dtype": "int32"}
_VECTORS: Mapping[str, object] = {"input_dim": 10000, "output_dim": 512}
_FIVE: Mapping[str, object] = {"shape": (5,), "dtype": "float32"}
_JUDGE: Mapping[str, object] = {"units": 1, "activation": "sigmoid"}
_HIDDEN: Mapping[str, object] = {"units": 64, "activation": "relu"}


def _of(document: Document, kind: type) -> Iterator[CallId]:
    return (c for c in document.graph.calls if isinstance(document.entry(c).body, kind))


def _readers(document: Document, source: CallId | None, kind: type) -> Iterator[CallId]:
    """The calls of a kind that read a call."""
    graph = document.graph
    return (
        c
        for c in _of(document, kind)
        if source is not None and any(w.source == source for w in graph.into(c))
    )


def _has(document: Document, call: CallId, params: Mapping[str, object]) -> bool:
    body = document.entry(call).body
    return all(getattr(body, name) == value for name, value in params.items())


def some_input(document: Document) -> CallId | None:
    """What becomes the words: they themselves, else the first Input that is not the numbers."""
    five = numbers(document)
    return words(document) or next((c for c in _of(document, Input) if c != five), None)


def words(document: Document) -> CallId | None:
    """The Input of 100 word numbers."""
    return next((c for c in _of(document, Input) if _has(document, c, _WORDS)), None)


def embedding(document: Document) -> CallId | None:
    """The Embedding that reads the words."""
    return next(_readers(document, words(document), Embedding), None)


def lstm(document: Document) -> CallId | None:
    """The LSTM that reads the vectors."""
    return next(_readers(document, embedding(document), LSTM), None)


def judge(document: Document) -> CallId | None:
    """The Dense of one sigmoid that reads the LSTM alone."""
    return _judge_of(document, lstm(document))


def numbers(document: Document) -> CallId | None:
    """The Input of five numbers."""
    return next((c for c in _of(document, Input) if _has(document, c, _FIVE)), None)


def other_input(document: Document) -> CallId | None:
    """What becomes the five numbers: they themselves, else an Input that is not the words."""
    others = (c for c in _of(document, Input) if c != words(document))
    return numbers(document) or next(others, None)


def joined(document: Document) -> CallId | None:
    """The Concatenate of text and numbers."""
    five = numbers(document)
    both = _readers(document, lstm(document), Concatenate)
    return next((c for c in both if five in {w.source for w in document.graph.into(c)}), None)


def hidden(document: Document) -> list[CallId]:
    """The longest chain of Dense layers of 64 relu after the Concatenate, three at most."""
    start = joined(document)
    return _chain(document, start, 3) if start is not None else []


def _chain(document: Document, source: CallId, most: int) -> list[CallId]:
    fitting = (c for c in _readers(document, source, Dense) if _has(document, c, _HIDDEN))
    ways = [[c, *_chain(document, c, most - 1)] for c in fitting] if most else []
    return max(ways, key=len, default=[])


def main_judge(document: Document) -> CallId | None:
    """The Dense of one sigmoid at the end of the three."""
    layers = hidden(document)
    return _judge_of(document, layers[-1]) if len(layers) == 3 else None


def _judge_of(document: Document, source: CallId | None) -> CallId | None:
    return next((c for c in _readers(document, source, Dense) if _has(document, c, _JUDGE)), None)


def _learns(document: Document, call: CallId | None, weight: float) -> bool:
    """Whether a call is an output with the cross-entropy of two classes and this weight."""
    if call is None:
        return False
    end = Endpoint(call, "output")
    plan = document.plan.outputs.get(end.key)
    if end not in document.graph.outputs or plan is None:
        return False
    return isinstance(plan.loss, BinaryCrossentropy) and plan.weight == weight


def _fed(document: Document) -> bool:
    """Whether the made-up headlines reach the two inputs and the two outputs."""
    data, source = document.plan.data, document.plan.data.source
    inputs = {words(document), numbers(document)}
    outputs = {f"{call}.output" for call in (main_judge(document), judge(document))}
    return (
        isinstance(source, GeneratedSource)
        and source.name == "headline"
        and inputs <= data.inputs.keys()
        and outputs <= data.targets.keys()
    )


def _trained(project: Project) -> bool:
    return any(run.best_epoch >= 0 for run in project.runs)


# -- doing a step --------------------------------------------------------------------------------


def _set(
    document: Document, call: CallId | None, params: Mapping[str, object], name: str = ""
) -> Document:
    """With parameters of a call's layer set, and its name where it still is the automatic one."""
    assert call is not None, "an earlier step makes it"
    layer = document.graph.calls[call].layer
    entry = document.layers[layer]
    if name and entry.name.startswith(edits.automatic_stem(entry.body)):
        document = edits.rename_layer(document, layer, edits.free_name(document, name))
    return edits.set_parameters(document, layer, **params)


def _add_after(document: Document, source: CallId | None, layer: Embedding | LSTM) -> Document:
    assert source is not None, "an earlier step makes it"
    return add(document, layer, source)[0]


def _add_judge(document: Document, source: CallId | None, name: str) -> Document:
    assert source is not None, "an earlier step makes it"
    return add(document, Dense(units=1, activation="sigmoid"), source, name=name)[0]


def _join(document: Document) -> Document:
    """Text and numbers side by side; a Concatenate that reads one of them gets the other."""
    text, five = lstm(document), numbers(document)
    assert text is not None and five is not None, "earlier steps make them"
    half = next(_readers(document, text, Concatenate), None)
    if half is not None:
        return wired(document, half, five)
    return add(document, Concatenate(), text, five)[0]


def _add_hidden(document: Document) -> Document:
    last, layers = joined(document), hidden(document)
    assert last is not None, "an earlier step makes it"
    last = layers[-1] if layers else last
    for _ in range(3 - len(layers)):
        document, last = add(document, Dense(units=64, activation="relu"), last)
    return document


def _learn(document: Document, call: CallId | None, weight: float) -> Document:
    assert call is not None, "an earlier step makes it"
    end = Endpoint(call, "output")
    document = edits.mark_output(document, end)
    return edits.plan_output(document, end, loss=BinaryCrossentropy(), weight=weight)


def _feed(document: Document) -> Document:
    text, five = words(document), numbers(document)
    main, aux = main_judge(document), judge(document)
    assert text and five and main and aux, "earlier steps make them"
    return bound(document, text, five, (main, aux))


# -- where to look -------------------------------------------------------------------------------


def _set_spot(document: Document, call: CallId | None, params: Mapping[str, object]) -> Spot:
    """The first parameter that is not as wanted."""
    assert call is not None, "an earlier step makes it"
    wrong = (name for name, value in params.items() if not _has(document, call, {name: value}))
    return Spot("parameter", next(wrong, ""), call)


def _after_spot(document: Document, source: CallId | None, kind: type) -> Spot:
    """A layer is to read another: the palette, or the port a wire starts at when it is there."""
    lonely = [c for c in _of(document, kind) if not document.graph.into(c)]
    if lonely and source is not None:
        return Spot("output", "output", source)
    return Spot("palette", kind.__name__)


def _judge_spot(document: Document, source: CallId | None) -> Spot:
    """A Dense of one sigmoid is to read a call."""
    readers = [c for c in _readers(document, source, Dense) if not _has(document, c, _HIDDEN)]
    if readers:
        return _set_spot(document, readers[-1], _JUDGE)
    return _after_spot(document, source, Dense)


def _hidden_spot(document: Document) -> Spot:
    layers = hidden(document)
    source = layers[-1] if layers else joined(document)
    readers = list(_readers(document, source, Dense))
    if readers:
        return _set_spot(document, readers[-1], _HIDDEN)
    return _after_spot(document, source, Dense)


def _join_spot(document: Document) -> Spot:
    """The palette, then the port of whichever of the two is not wired yet."""
    text, five = lstm(document), numbers(document)
    known = list(_of(document, Concatenate))
    if not known:
        return Spot("palette", "Concatenate")
    read = {w.source for c in known for w in document.graph.into(c)}
    return Spot("output", "output", (five if text in read else text) or "")


def _learn_spot(document: Document, call: CallId | None) -> Spot:
    assert call is not None, "an earlier step makes it"
    end = Endpoint(call, "output")
    if end not in document.graph.outputs:
        return Spot("mark", "", call)
    plan = document.plan.outputs.get(end.key)
    lacking = plan is None or not isinstance(plan.loss, BinaryCrossentropy)
    return Spot("loss" if lacking else "weight", "", call)


# -- the steps -----------------------------------------------------------------------------------


def _are_vectors(project: Project) -> bool:
    found = embedding(project.document)
    return found is not None and _has(project.document, found, _VECTORS)


STEPS: Sequence[Step] = (
    Step(
        "input",
        lambda p: some_input(p.document) is not None,
        lambda d: Spot("palette", "Input"),
        lambda d: add(d, Input(), name="main_input")[0],
    ),
    Step(
        "words",
        lambda p: words(p.document) is not None,
        lambda d: _set_spot(d, some_input(d), _WORDS),
        lambda d: _set(d, some_input(d), _WORDS, "main_input"),
    ),
    Step(
        "embedding",
        lambda p: embedding(p.document) is not None,
        lambda d: _after_spot(d, words(d), Embedding),
        lambda d: _add_after(d, words(d), Embedding()),
    ),
    Step(
        "vectors",
        _are_vectors,
        lambda d: _set_spot(d, embedding(d), _VECTORS),
        lambda d: _set(d, embedding(d), _VECTORS),
    ),
    Step(
        "lstm",
        lambda p: lstm(p.document) is not None,
        lambda d: _after_spot(d, embedding(d), LSTM),
        lambda d: _add_after(d, embedding(d), LSTM(units=32)),
    ),
    Step(
        "judge",
        lambda p: judge(p.document) is not None,
        lambda d: _judge_spot(d, lstm(d)),
        lambda d: _add_judge(d, lstm(d), "aux_output"),
    ),
    Step(
        "judge_loss",
        lambda p: _learns(p.document, judge(p.document), 0.2),
        lambda d: _learn_spot(d, judge(d)),
        lambda d: _learn(d, judge(d), 0.2),
    ),
    Step(
        "numbers",
        lambda p: numbers(p.document) is not None,
        lambda d: (
            _set_spot(d, other_input(d), _FIVE) if other_input(d) else Spot("palette", "Input")
        ),
        lambda d: (
            _set(d, other_input(d), _FIVE, "aux_input")
            if other_input(d)
            else add(d, Input(shape=(5,)), name="aux_input")[0]
        ),
    ),
    Step("join", lambda p: joined(p.document) is not None, _join_spot, _join),
    Step("hidden", lambda p: len(hidden(p.document)) == 3, _hidden_spot, _add_hidden),
    Step(
        "main",
        lambda p: main_judge(p.document) is not None,
        lambda d: _judge_spot(d, hidden(d)[-1]),
        lambda d: _add_judge(d, hidden(d)[-1], "main_output"),
    ),
    Step(
        "main_loss",
        lambda p: _learns(p.document, main_judge(p.document), 1.0),
        lambda d: _learn_spot(d, main_judge(d)),
        lambda d: _learn(d, main_judge(d), 1.0),
    ),
    Step("data", lambda p: _fed(p.document), lambda d: Spot("data"), _feed),
    Step("train", _trained, lambda d: Spot("train"), None),
)
