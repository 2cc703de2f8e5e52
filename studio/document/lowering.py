"""From a graph of calls to a program of operators."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from studio.document.inside import frozen_layers, step_by_step
from studio.document.model import (
    CallId,
    Document,
    Endpoint,
    Graph,
    LayerId,
    Path,
    Submodel,
    Unknown,
    Wrapped,
)
from studio.document.muting import Bypass, needed, passed, unfit
from studio.document.names import input_names
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Layer, LayerBuilder, Weight
from studio.layers.input import Input
from studio.layers.shapes import results_of, weights_of
from studio.layers.time_distributed import Inner
from studio.problem import Problem, ProblemError, refuse


@dataclass(frozen=True)
class Variable:
    """Where a weight's value comes from: the Store's key, and how it is declared."""

    layer: LayerId
    weight: Weight
    value: Value
    trainable: bool

    @property
    def place(self) -> tuple[LayerId, Weight]:
        """Where the Store keeps it."""
        return (self.layer, self.weight)


@dataclass(frozen=True)
class Use:
    """A weight as one call reads it: a value of its own, and the state's name it is of."""

    value: Value
    variable: str


@dataclass
class Lowered:
    """A document as a program under construction, and what its parts are called there.

    Attributes:
        op: the builder, ready to go on with losses or to be closed.
        inputs: what is fed, by call id, in the model's order.
        outputs: by endpoint, in the model's order.
        variables: every weight, by state name, in the order they are met.
        states: the value of each weight, by where the Store keeps it.
        values: what leaves each port, at any depth. Of a layer that a wrapper applies step by
            step, what it gives for the last one.
        uses: each trained weight as each call reads it, where uses are apart.
        spans: the nodes of each call, from the first to before the last, with its path; those of
            calls inside lie within their model's.
        homes: the first call that reads each weight, by state name.
    """

    op: LayerBuilder
    inputs: dict[CallId, Value] = field(default_factory=dict)
    outputs: dict[Endpoint, Value] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    states: dict[tuple[LayerId, Weight], Value] = field(default_factory=dict)
    values: dict[tuple[Path, str], Value] = field(default_factory=dict)
    uses: dict[tuple[Path, str], Use] = field(default_factory=dict)
    spans: list[tuple[int, int, Path]] = field(default_factory=list)
    homes: dict[str, Path] = field(default_factory=dict)


def lower(
    document: Document,
    training: bool = False,
    one_hots: Iterable[tuple[CallId, int]] = (),
    *,
    apart: bool = False,
) -> Lowered:
    """Lower the main graph.

    Args:
        document: what is lowered.
        training: layers are in training mode.
        one_hots: the Inputs whose one-hots are fed as integers, the places of their ones, with
            the size of the last axis: int32 without that axis, where one outside it stands for
            zeros. The program makes one-hots of them, so the layers see what the Input takes.
        apart: each call reads each trained weight through an Identity of its own, so that a
            gradient by that is what the call alone adds to the weight's.

    Q: Are the open sizes of two Inputs the same size?
    A: They are where the model needs them to be, as when their values are added; an encoder's
       text and a decoder's may differ. So they are taken apart, unless that does not work.

    Raises:
        ProblemError: the first thing that keeps a call from being lowered, at that call.
    """
    placed = dict(one_hots)
    opened = [c for c in document.graph.inputs if None in inner_input(document, c).shape]
    if len(opened) > 1:
        try:
            sizes = {c: f"_{i}" if i else "" for i, c in enumerate(opened)}
            found = _lowered(document, training, placed, sizes, apart)
            if _sizes(found.outputs.values()) <= _sizes(found.inputs.values()):
                return found
        except ProblemError:
            pass  # or it fails again below, with the sizes' plain names
    return _lowered(document, training, placed, {}, apart)


def _lowered(
    document: Document,
    training: bool,
    placed: Mapping[CallId, int],
    sizes: Mapping[CallId, str],
    apart: bool,
) -> Lowered:
    lowered = Lowered(LayerBuilder(training))
    names, taken = input_names(document), dict[CallId, Value]()
    for call in document.graph.inputs:
        body = inner_input(document, call)
        raise_first([p.at(call) for p in body.too_large()])
        spec = body.spec(sizes.get(call, ""))
        if call in placed:
            fed = lowered.op.input(names[call], Spec("int32", spec.shape[:-1]))
            with lowered.op.at(call, names[call]):
                values = np.array([0, 1], spec.dtype)
                taken[call] = lowered.op.OneHot(fed, placed[call], values, axis=-1)
        else:
            fed = taken[call] = lowered.op.input(names[call], spec)
        lowered.inputs[call] = fed
    found = _Lowering(document, lowered, apart).graph(document.graph, taken)
    lowered.outputs = {e: _at(found, e) for e in document.graph.outputs}
    return lowered


def _sizes(values: Iterable[Value]) -> set[str]:
    """The names of open sizes."""
    return {d for value in values for d in value.shape if isinstance(d, str)}


class _Lowering:
    """Appends the calls of a document's graphs to a program."""

    def __init__(self, document: Document, lowered: Lowered, apart: bool = False) -> None:
        self.document = document
        self.lowered = lowered
        self.apart = apart
        self.frozen = frozen_layers(document)

    def graph(
        self, graph: Graph, inputs: Mapping[CallId, Value], within: str = "", path: Path = ()
    ) -> dict[Endpoint, Value]:
        """Every value of a graph by the port it leaves; only calls an output needs are lowered.

        Args:
            graph: the main one, or a model's.
            inputs: what its Inputs are.
            within: the names of the models around it, to begin its values' names.
            path: the calls of the models around it.
        """
        values: dict[Endpoint, Value] = {}
        muted = any(call.muted for call in graph.calls.values())
        bypass = self._bypass(graph, inputs) if muted else {}
        wanted = needed(graph, bypass)
        for call_id in graph.order():
            if call_id not in wanted:
                continue
            first = len(self.lowered.op.nodes)
            if graph.calls[call_id].muted:
                name = f"{within}{self.document.layers[graph.calls[call_id].layer].name}"
                with self.lowered.op.at(call_id, name):
                    starts = {e: s for e, s in bypass.items() if e.call == call_id}
                    given = {e: self._passed(values[s]) for e, s in starts.items()}
            else:
                given = self._call(graph, call_id, values, inputs, within, path)
            values |= given
            self.lowered.spans.append((first, len(self.lowered.op.nodes), (*path, call_id)))
            self.lowered.values |= {((*path, e.call), e.port): v for e, v in given.items()}
        if cyclic := wanted - set(graph.order()):
            raise ProblemError(Problem("cycle", min(cyclic)))
        return values

    def _call(
        self,
        graph: Graph,
        call_id: CallId,
        values: Mapping[Endpoint, Value],
        inputs: Mapping[CallId, Value],
        within: str = "",
        path: Path = (),
    ) -> dict[Endpoint, Value]:
        """What leaves a call that computes."""
        layer_id = graph.calls[call_id].layer
        entry = self.document.layers[layer_id]
        try:
            raise_first(unfed(self.document, graph, call_id))
            arriving = [_at(values, start) for start in starts_of(self.document, graph, call_id)]
            name = f"{within}{entry.name}"
            with self.lowered.op.at(call_id, name):
                if isinstance(entry.body, Input):
                    results: Sequence[Value] = [inputs[call_id]]
                else:
                    results = self.layer(layer_id, arriving, f"{name}/", (*path, call_id))
        except ProblemError as error:
            raise ProblemError(p.at(call_id) for p in error.problems) from error
        ends = (Endpoint(call_id, port.name) for port in self.document.ports(entry)[1])
        return dict(zip(ends, results, strict=True))

    def _bypass(self, graph: Graph, inputs: Mapping[CallId, Value]) -> Bypass:
        """What stands at the outputs of muted calls.

        Found by lowering the graph once beside the program, muted calls included: nobody knows
        what one would give before.
        """
        trial = _Lowering(self.document, Lowered(LayerBuilder(self.lowered.op.training)))
        fed = {call: trial.lowered.op.input(call, value.spec) for call, value in inputs.items()}
        values, found = dict[Endpoint, Value](), dict[Endpoint, Endpoint]()
        lacking: dict[CallId, list[Problem]] = {}
        asked = needed(graph, {})
        for call_id in (c for c in graph.order() if c in asked):
            given = trial._call(graph, call_id, values, fed)
            if graph.calls[call_id].muted:
                starts = starts_of(self.document, graph, call_id)
                arriving = [values[start].spec for start in starts]
                leaving = {end.port: value.spec for end, value in given.items()}
                here = passed(call_id, starts, arriving, leaving)
                lacking[call_id] = unfit(self.document, graph, call_id, arriving, leaving, here)
                given |= {end: values[start] for end, start in here.items()}
                found |= {end: found.get(start, start) for end, start in here.items()}
            values |= given
        wanted = needed(graph, found)
        raise_first([p for call, problems in lacking.items() if call in wanted for p in problems])
        return found

    def _passed(self, value: Value) -> Value:
        """A value passed on, with its mask: an identity, so that the call has its own value."""
        op = self.lowered.op
        result, mask = op.Identity(value), op.mask(value)
        if mask is not None:
            op.set_mask(result, mask)
        return result

    def layer(
        self, layer_id: LayerId, arriving: Sequence[Value], within: str, path: Path
    ) -> Sequence[Value]:
        """What a layer gives for what arrives, at the call that `path` ends with."""
        entry = self.document.layers[layer_id]
        match entry.body:
            case Submodel(graph_id):
                inner = self.document.graphs[graph_id]
                fed = {
                    call: self._taken(call, value)
                    for call, value in zip(inner.inputs, arriving, strict=True)
                }
                found = self.graph(inner, fed, within, path)
                return [_at(found, e) for e in inner.outputs]
            case Wrapped(wrapper, wrapped):
                one_in_one_out(self.document, wrapped, len(arriving))
                around = Inner(
                    lambda x: self.layer(wrapped, [x], within, path)[0], self._updates(wrapped)
                )
                return [wrapper.around(self.lowered.op, around, *arriving)]
            case Layer() as body:
                raise_first(body.problems())
                weights = weights_of(body, [v.spec for v in arriving])
                values = {w.name: self._weight(layer_id, w, path) for w in weights}
                self.lowered.op.frozen = layer_id in self.frozen
                return results_of(body, self.lowered.op, values, arriving)
            case Unknown() as body:
                raise ProblemError(body.problem())

    def _taken(self, call: CallId, value: Value) -> Value:
        """A value as an Input of a model takes it: integers become floats where it wants floats."""
        spec = inner_input(self.document, call).spec()
        fits(spec, value.spec)
        if spec.dtype == value.dtype:
            return value
        op = self.lowered.op
        cast, mask = op.Cast(value, to=spec.dtype), op.mask(value)
        if mask is not None:
            op.set_mask(cast, mask)
        return cast

    def _updates(self, layer: LayerId) -> bool:
        """Whether a step of this program changes statistics inside a layer."""
        return self.lowered.op.training and step_by_step(self.document, layer, self.frozen)

    def _weight(self, layer_id: LayerId, weight: Weight, path: Path) -> Value:
        """A weight as a call reads it; one that is trained apart from others that do, if asked."""
        value, use = self._variable(layer_id, weight), (path, weight.name)
        self.lowered.homes.setdefault(value.name, path)
        if not (self.apart and self.lowered.variables[value.name].trainable):
            return value
        if use not in self.lowered.uses:
            self.lowered.uses[use] = Use(self.lowered.op.Identity(value), value.name)
        return self.lowered.uses[use].value

    def _variable(self, layer_id: LayerId, weight: Weight) -> Value:
        """The state of a weight, declared at the first call that uses its layer."""
        lowered, place = self.lowered, (layer_id, weight)
        if place in lowered.states:
            return lowered.states[place]
        name = f"{self.document.layers[layer_id].name}/{weight.name}"
        if name in lowered.op.specs:
            name = f"{self.document.layers[layer_id].name}/{layer_id}/{weight.name}"
        value = lowered.states[place] = lowered.op.state(
            name, Spec("float32", weight.shape), weight.role
        )
        trainable = weight.trainable and layer_id not in self.frozen
        lowered.variables[name] = Variable(layer_id, weight, value, trainable)
        return value


def inner_input(document: Document, call: CallId) -> Input:
    """The Input that is a call, in whatever graph it stands."""
    graph = next(g for g in document.graphs.values() if call in g.calls)
    body = document.layers[graph.calls[call].layer].body
    assert isinstance(body, Input)
    return body


def fits(declared: Spec, given: Spec) -> None:
    """Refuse what an Input of a model used as a layer cannot take; open sizes take any."""
    ranks_differ = declared.rank != given.rank
    sizes_differ = any(
        isinstance(d, int) and d != g
        for d, g in zip(declared.shape[1:], given.shape[1:], strict=False)
    )
    floats_given = declared.dtype.startswith("int") and not given.dtype.startswith("int")
    if ranks_differ or sizes_differ or floats_given:
        raise refuse("model_input", received=given, expected=declared)


def one_in_one_out(document: Document, layer: LayerId, arriving: int) -> None:
    """Refuse a layer that a wrapper cannot apply: it must take one value and give one."""
    entry = document.layers[layer]
    inputs, outputs = document.ports(entry)
    # One port may take many wires; a model whose Input is gone takes none, whatever arrives.
    taken = max(arriving, sum(not p.optional for p in inputs)) if inputs else 0
    if not isinstance(entry.body, Unknown) and (taken, len(outputs)) != (1, 1):
        raise refuse("wrapper_one", name=entry.name, inputs=taken, outputs=len(outputs))


def unfed(document: Document, graph: Graph, call: CallId) -> list[Problem]:
    """The problem of a call that lacks a wire at a port which needs one; empty if none does."""
    entry = document.layers[graph.calls[call].layer]
    inputs = document.ports(entry)[0]
    wired = [bool(graph.into(call, p.name)) for p in inputs]
    # An optional port before a wired one is needed as well.
    missing = [
        p.name
        for i, p in enumerate(inputs)
        if not wired[i] and (not p.optional or any(wired[i + 1 :]))
    ]
    if not missing:
        return []
    only = [p.name for p in inputs if not p.optional] == missing[:1]
    code = "nothing_arrives" if only else "port_empty"
    return [Problem(code, call, {"port": missing[0], "name": entry.name})]


def _at(values: Mapping[Endpoint, Value], start: Endpoint) -> Value:
    """What leaves a port; a wire may name one its layer no longer has."""
    if start not in values:
        raise ProblemError(Problem("output_port_vanished", start.call, {"port": start.port}))
    return values[start]


def starts_of(document: Document, graph: Graph, call: CallId) -> list[Endpoint]:
    """Where what arrives at a call comes from, in the order of its layer's ports and slots."""
    inputs, _ = document.ports(document.layers[graph.calls[call].layer])
    return [wire.start for port in inputs for wire in graph.into(call, port.name)]


def raise_first(problems: Sequence[Problem]) -> None:
    """Raise the errors among these, if any."""
    errors = [p for p in problems if p.severity == "error"]
    if errors:
        raise ProblemError(errors)
