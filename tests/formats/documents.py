"""Random documents: whatever an editor might hold, valid as a file."""

from hypothesis import strategies as st

from studio.document.looks import COLOURS, Frame, Looks, Note
from studio.document.model import (
    Call,
    Document,
    Endpoint,
    Graph,
    LayerEntry,
    Submodel,
    Unknown,
    Wire,
    Wrapped,
)
from studio.document.plan import (
    ArrayColumn,
    ClassColumn,
    DataPlan,
    DateColumn,
    FeatureColumns,
    GeneratedSource,
    ImageColumn,
    NumberColumns,
    OutputPlan,
    PastedSource,
    Reading,
    RunPlan,
    SequenceColumn,
    Series,
    Split,
    TableSource,
    TextColumn,
    TrainPlan,
)
from studio.initializers.random import RandomNormal
from studio.layers.bidirectional import Bidirectional
from studio.layers.dense import Dense
from studio.layers.dropout import Dropout
from studio.layers.gru import GRU
from studio.layers.input import Input
from studio.layers.lstm import LSTM
from studio.layers.merge_concatenate import Concatenate
from studio.layers.time_distributed import TimeDistributed
from studio.losses.probabilistic import BinaryCrossentropy
from studio.losses.regression import MeanSquaredError
from studio.metrics.accuracy import BinaryAccuracy
from studio.metrics.auc import AUC
from studio.optimizers.adam import Adam
from studio.optimizers.rmsprop import RMSprop
from studio.optimizers.sgd import SGD

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
floats = st.floats(allow_nan=False, allow_infinity=False)
unit = st.floats(0, 1)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | floats | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
recurrent = st.one_of(
    st.builds(LSTM, st.integers(1, 9), return_sequences=st.booleans()),
    st.builds(GRU, st.integers(1, 9), return_state=st.booleans(), reset_after=st.booleans()),
)
bodies = st.one_of(
    st.builds(
        Dense,
        st.integers(1, 9),
        st.sampled_from(["relu", "tanh", "linear"]),
        st.booleans(),
        st.builds(RandomNormal, st.integers(0, 3) | unit, unit),
    ),
    recurrent,
    st.builds(Bidirectional, recurrent, st.sampled_from(["concat", "mul", None])),
    st.builds(Dropout, unit),
    st.builds(Concatenate, st.integers(-3, 3)),
    st.builds(Unknown, texts.map(lambda t: f"x{t}"), st.dictionaries(texts, json_values)),
)
inputs = st.builds(
    Input,
    st.lists(st.none() | st.integers(1, 9), min_size=1, max_size=3).map(tuple),
    st.sampled_from(["float32", "int32"]),
)
names = st.sampled_from(["dense", "dense_1", "lstm", "mine", "main_output"]) | texts
positions = st.tuples(floats, floats)
optimizers = st.one_of(
    st.builds(SGD, unit, unit, st.booleans()),
    st.builds(RMSprop, unit, centered=st.booleans()),
    st.builds(Adam, st.integers(0, 2)),
)
scalings = st.sampled_from(["none", "standardize", "min_max"])
numbers = st.builds(
    NumberColumns,
    st.lists(texts, max_size=3).map(tuple),
    scalings,
    st.sampled_from(["refuse", "mean", "median", "zero"]),
)
classes = st.builds(ClassColumn, texts, st.booleans(), st.sampled_from(["refuse", "class"]))
dates = st.builds(
    DateColumn,
    texts,
    st.lists(st.sampled_from(["year", "hour", "elapsed"])).map(tuple),
    st.booleans(),
    scalings,
    st.none() | st.booleans(),
)
bindings = st.one_of(
    st.builds(
        TextColumn,
        texts,
        st.integers(1, 9),
        padding=st.sampled_from(["pre", "post"]),
        one_hot=st.booleans(),
    ),
    numbers,
    classes,
    dates,
    st.builds(FeatureColumns, st.lists(numbers | classes | dates, max_size=3).map(tuple)),
    st.builds(ArrayColumn, texts, st.floats(allow_nan=False, allow_infinity=False)),
    st.builds(
        ImageColumn,
        texts,
        st.integers(1, 9),
        color=st.sampled_from(["rgb", "grayscale"]),
        resize=st.sampled_from(["stretch", "crop", "pad"]),
    ),
    st.builds(SequenceColumn, texts, st.integers(1, 9), st.sampled_from(["pre", "post"])),
)
readings = st.builds(
    Reading,
    st.sampled_from(["", "gb18030"]),
    st.sampled_from(["", ";", "\t"]),
    st.sampled_from(["", '"', "none"]),
    st.sampled_from(["detect", "yes", "no"]),
    sheet=texts,
)
sources = st.one_of(
    st.none(),
    st.builds(TableSource, st.just("/some/folder/data.csv"), st.integers(0, 99), texts, readings),
    st.builds(PastedSource, texts, texts),
    st.builds(GeneratedSource, texts, st.integers(0, 9), st.integers(0, 9)),
)
splits = st.builds(
    Split,
    st.sampled_from(["none", "random", "stratified", "last", "column", "file"]),
    unit,
    file=st.none() | st.builds(TableSource, st.just("/some/folder/held.csv"), st.integers(0, 9)),
)
output_plans = st.builds(
    OutputPlan,
    st.none() | st.sampled_from([BinaryCrossentropy(), MeanSquaredError()]),
    floats | st.integers(0, 3),
    st.lists(st.sampled_from([AUC(), BinaryAccuracy(threshold=0.25)]), max_size=2).map(tuple),
)


@st.composite
def graphs(draw, layers, first):
    """Calls of these layers, wired forward only."""
    chosen = draw(st.lists(st.sampled_from(sorted(layers)), max_size=7)) if layers else []
    once = [x for i, x in enumerate(chosen) if not is_input(layers[x]) or x not in chosen[:i]]
    calls = {
        f"c{first + i}": Call(
            x, draw(positions), draw(st.booleans()), not is_input(layers[x]) and draw(st.booleans())
        )
        for i, x in enumerate(once)
    }
    wires, ids = set(), list(calls)
    for at, target in enumerate(ids):
        body = layers[calls[target].layer].body
        if isinstance(body, Input) or not at:
            continue
        limit = 3 if isinstance(body, Concatenate) else 1
        sources = draw(st.lists(st.sampled_from(ids[:at]), max_size=limit))
        wires |= {Wire(s, "output", target, "x", slot) for slot, s in enumerate(sources)}
    fed = draw(st.permutations([c for c in ids if is_input(layers[calls[c].layer])]))
    ends = draw(st.lists(st.sampled_from(ids), unique=True, max_size=3)) if ids else []
    outputs = tuple(Endpoint(c, "output") for c in ends)
    looks = draw(all_looks(sorted(wires), first, sorted(calls)))
    return Graph(draw(texts), calls, frozenset(wires), tuple(fed), outputs, looks)


@st.composite
def all_looks(draw, wires, first, calls):
    """Frames, notes, bends of some of these wires, and probes of some of these calls."""
    size = st.floats(1, 1e6)
    rects = st.tuples(floats, floats, size, size)
    frames = draw(st.lists(st.builds(Frame, rects, texts, st.sampled_from(COLOURS)), max_size=2))
    notes = draw(st.lists(st.builds(Note, rects, texts), max_size=2))
    bent = draw(st.lists(st.sampled_from(wires), unique=True)) if wires else []
    points = st.lists(positions, min_size=1, max_size=3).map(tuple)
    probed = draw(st.lists(st.sampled_from(calls), unique=True, max_size=2)) if calls else []
    return Looks(
        {f"f{first + i}": frame for i, frame in enumerate(frames)},
        {f"n{first + i}": note for i, note in enumerate(notes)},
        {wire: draw(points) for wire in bent},
        {Endpoint(call, "output"): draw(positions) for call in probed},
    )


def is_input(entry):
    return isinstance(entry.body, Input)


def _with_wrapper(draw, layers, layer_id):
    """Perhaps one layer more, around one of these."""
    inner = sorted(k for k, entry in layers.items() if not is_input(entry))
    if not inner or not draw(st.booleans()):
        return layers
    body = Wrapped(TimeDistributed(), draw(st.sampled_from(inner)))
    return {**layers, layer_id: LayerEntry(body, draw(names), draw(st.booleans()))}


@st.composite
def documents(draw):
    """A document of up to three graphs, each used as a layer of the next, and wrapped layers."""
    made = draw(st.lists(inputs | bodies, max_size=6))
    layers = {f"l{i}": LayerEntry(b, draw(names), draw(st.booleans())) for i, b in enumerate(made)}
    outer, found = _with_wrapper(draw, layers, "l6"), {}
    for graph, model, wrapper, first in (("g10", "l8", "l11", 20), ("g12", "l13", "l14", 30)):
        if draw(st.booleans()):
            found[graph] = draw(graphs(outer, first))
            outer = {**outer, model: LayerEntry(Submodel(graph), draw(names), draw(st.booleans()))}
            outer = _with_wrapper(draw, outer, wrapper)
    main = draw(graphs(outer, 40))
    found = {"g9": main, **found}
    keys = [e.key for e in main.outputs]
    plan = TrainPlan(
        draw(optimizers),
        {k: draw(output_plans) for k in keys},
        DataPlan(
            draw(sources),
            {c: draw(bindings) for c in main.inputs},
            {k: draw(bindings) for k in keys},
            draw(splits),
            draw(st.none() | st.builds(Series, st.integers(1, 9), group=texts)),
        ),
        draw(st.builds(RunPlan, st.integers(1, 9), seed=st.integers(0, 9))),
    )
    return Document(found, outer, "g9", plan, draw(st.integers(60, 2**40)))
