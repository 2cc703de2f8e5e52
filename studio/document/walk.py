"""Shapes, masks and ranges carried along the wires of a graph, call by call.

An edit changes little: what a call gave is kept, and found anew only where the edit touched it or
where something else arrives.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from studio.document import edits
from studio.document.lowering import fits, inner_input, one_in_one_out, starts_of, unfed
from studio.document.model import (
    CallId,
    Document,
    Endpoint,
    Graph,
    GraphId,
    LayerId,
    Submodel,
    Unknown,
    Wrapped,
)
from studio.document.muting import passed, unfit
from studio.engine.program import Spec
from studio.layers.base import Layer, Port, Weight
from studio.layers.input import Input
from studio.layers.shapes import Shapes, shapes_of
from studio.layers.time_distributed import TimeDistributed
from studio.layers.values import Range
from studio.problem import Problem, ProblemError


@dataclass(frozen=True)
class Given:
    """What arrives at a port: the value, its mask, and where its numbers lie if that is known."""

    spec: Spec
    mask: Spec | None = None
    range: Range | None = None


@dataclass(frozen=True)
class Found:
    """What was found at one call.

    Attributes:
        arriving: what came along its wires, None where nothing was known.
        given: what leaves it, by port.
        problems: what is wrong with it.
        weights: what its layer owns.
        drops_mask: a mask arrives that it lets fall.
        bypass: of a muted one, by output the end of a wire into it whose value is passed on.
    """

    arriving: tuple[tuple[Endpoint, Given | None], ...] = ()
    given: tuple[tuple[Endpoint, Given], ...] = ()
    problems: tuple[Problem, ...] = ()
    weights: tuple[Weight, ...] | None = None
    drops_mask: bool = False
    bypass: tuple[tuple[Endpoint, Endpoint], ...] = ()


@dataclass(frozen=True)
class Walked:
    """What walks through the graphs of a document found at their calls."""

    document: Document
    found: Mapping[GraphId, Mapping[CallId, Found]] = field(default_factory=dict)


def untouched(document: Document, before: Walked) -> Mapping[GraphId, Mapping[CallId, Found]]:
    """What was found at calls that no edit touched since; what arrives there is to be compared.

    A call of a layer that holds others, or is used twice, depends on more than what arrives; one
    with an error may be judged anew by what is elsewhere.
    """
    layers, old = document.layers, before.document.layers
    uses = Counter(call.layer for _, _, call in document.calls())
    uses.update(e.body.layer for e in layers.values() if isinstance(e.body, Wrapped))
    alone = {
        layer
        for layer, entry in layers.items()
        if entry is old.get(layer) and uses[layer] == 1 and isinstance(entry.body, Layer)
    }
    kept = {}
    for graph_id in document.graphs.keys() & before.found.keys():
        graph, was = document.graphs[graph_id], before.document.graphs[graph_id]
        touched = {call for w in graph.wires ^ was.wires for call in (w.source, w.target)}
        touched |= {end.call for end in {*graph.outputs} ^ {*was.outputs}}
        kept[graph_id] = {
            call_id: found
            for call_id, found in before.found[graph_id].items()
            if call_id in graph.calls
            and call_id not in touched
            and graph.calls[call_id].layer in alone
            and graph.calls[call_id].layer == was.calls[call_id].layer
            and graph.calls[call_id].muted == was.calls[call_id].muted
            and not any(p.severity == "error" for p in found.problems)
        }
    return kept


class Walk:
    """Carries specs, masks and ranges along the wires of one graph.

    Attributes:
        weights: what each layer owns, shared by the walks through one document.
        given: what leaves each port, where it can be known.
        bypass: what stands at the outputs of muted calls.
    """

    def __init__(self, document: Document, weights: dict[LayerId, tuple[Weight, ...]]) -> None:
        self.document = document
        self.weights = weights
        self.given: dict[Endpoint, Given] = {}
        self.bypass: dict[Endpoint, Endpoint] = {}
        self.masks_inside: dict[Endpoint, Spec] = {}  # of models in use, by what arrives there
        self.drops_mask: set[CallId] = set()
        self.problems: list[Problem] = []

    @property
    def specs(self) -> dict[Endpoint, Spec]:
        """The shape and dtype of what leaves each port."""
        return {end: given.spec for end, given in self.given.items()}

    @property
    def masks(self) -> dict[Endpoint, Spec]:
        """The masks that travel with what leaves a port."""
        return {end: given.mask for end, given in self.given.items() if given.mask is not None}

    @property
    def ranges(self) -> dict[Endpoint, Range]:
        """Where the values that leave a port lie."""
        return {end: given.range for end, given in self.given.items() if given.range is not None}

    def graph(
        self,
        graph: Graph,
        entering: Mapping[CallId, Given] | None = None,
        kept: Mapping[CallId, Found] | None = None,
    ) -> dict[CallId, Found]:
        """Walk a graph, and tell what was found at its calls.

        Its Inputs are as they declare, or what is `entering` where it is a model in use. Of what
        is `kept` from before, that stays which the same arrives at.
        """
        order, found = graph.order(), dict[CallId, Found]()
        for call_id in order:
            old = (kept or {}).get(call_id)
            if old is not None and self._still(graph.calls[call_id].layer, old):
                new = old
            else:
                new = self._call(graph, call_id, entering or {})
            found[call_id] = new
            self._take(graph.calls[call_id].layer, call_id, new)
        for call_id in graph.calls.keys() - set(order):
            self.problems.append(Problem("cycle", call_id))
        return found

    def _still(self, layer: LayerId, found: Found) -> bool:
        """Whether what was found at a call of a layer would be found again."""
        if self.weights.get(layer, found.weights) is not found.weights:
            return False
        now = ((self.given.get(end), given) for end, given in found.arriving)
        return all(new is old or new == old for new, old in now)

    def _take(self, layer: LayerId, call_id: CallId, found: Found) -> None:
        """Go on with what was found at a call of a layer."""
        self.given.update(found.given)
        for end, start in found.bypass:
            self.bypass[end] = self.bypass.get(start, start)
        self.problems += found.problems
        if found.weights is not None:
            self.weights.setdefault(layer, found.weights)
        if found.drops_mask:
            self.drops_mask.add(call_id)

    def take_masks(self, inner: "Walk") -> None:
        """Remember what masks do inside a model."""
        self.masks_inside |= inner.masks | inner.masks_inside
        self.drops_mask |= inner.drops_mask

    def _call(
        self,
        graph: Graph,
        call_id: CallId,
        entering: Mapping[CallId, Given],
    ) -> Found:
        """What a call gives for what arrives."""
        layer_id = graph.calls[call_id].layer
        entry = self.document.layers[layer_id]
        inputs, outputs = self.document.ports(entry)
        known = not isinstance(entry.body, Unknown)
        problems = self._vanished(graph, call_id, inputs, outputs) if known else []
        missing = unfed(self.document, graph, call_id)
        if missing:
            return Found(problems=(*problems, *missing))
        starts = starts_of(self.document, graph, call_id)
        along = tuple((start, self.given.get(start)) for start in starts)
        arriving = [given for _, given in along if given is not None]
        if len(arriving) < len(along):
            return Found(along, problems=tuple(problems))  # said where it started
        if call_id in entering:
            value = entering[call_id]
            shapes = Shapes((value.spec,), masks=(value.mask,), ranges=(value.range,))
        else:
            shapes = self.shapes(call_id, layer_id, arriving)
        problems += [p.at(call_id) for p in shapes.problems]
        if any(p.severity == "error" for p in shapes.problems):
            return Found(along, problems=tuple(problems))
        given = _given(shapes, [Endpoint(call_id, p.name) for p in outputs])
        if graph.calls[call_id].muted:
            return self._muted(graph, call_id, Found(along, given, tuple(problems)))
        drops = any(a.mask for a in arriving) and not self._heeds_masks(layer_id, len(arriving))
        return Found(along, given, tuple(problems), self.weights.get(layer_id), drops)

    def _muted(self, graph: Graph, call_id: CallId, computed: Found) -> Found:
        """What a call passes on that would give what was `computed`, and what it cannot."""
        starts = [start for start, _ in computed.arriving]
        arriving = [given.spec for _, given in computed.arriving if given is not None]
        leaving = {end.port: given.spec for end, given in computed.given}
        bypass = passed(call_id, starts, arriving, leaving)
        lacking = unfit(self.document, graph, call_id, arriving, leaving, bypass)
        given = tuple((end, self.given[start]) for end, start in bypass.items())
        return Found(
            computed.arriving,
            given,
            (*computed.problems, *lacking),
            self.weights.get(graph.calls[call_id].layer),
            bypass=tuple(bypass.items()),
        )

    def _vanished(
        self, graph: Graph, call_id: CallId, inputs: Sequence[Port], outputs: Sequence[Port]
    ) -> list[Problem]:
        """Wires at ports that the layer no longer has."""
        known = {p.name for p in inputs}
        gone = [w.input for w in graph.into(call_id) if w.input not in known]
        left = {w.output for w in graph.out_of(call_id)}
        left |= {e.port for e in graph.outputs if e.call == call_id}
        lost = sorted(left - {p.name for p in outputs}) if outputs else []
        return [
            *(Problem("port_vanished", call_id, {"port": port}) for port in gone),
            *(Problem("output_port_vanished", call_id, {"port": port}) for port in lost),
        ]

    def shapes(self, call: CallId, layer_id: LayerId, arriving: list[Given]) -> Shapes:
        """What a layer gives; its problems are at `call` unless they have a place of their own."""
        entry = self.document.layers[layer_id]
        try:
            match entry.body:
                case Input() as body:
                    problems = tuple(body.problems())
                    return Shapes(problems=problems) if problems else Shapes((body.spec(),))
                case Submodel(graph):
                    return self.model(entry.name, graph, arriving)
                case Wrapped():
                    return self._wrapped(call, entry.body, arriving)
                case Layer() as body:
                    return self._layer(layer_id, body, arriving)
                case Unknown() as body:
                    return Shapes(problems=(body.problem(),))
        except ProblemError as error:
            return Shapes(problems=error.problems)

    def _layer(self, layer_id: LayerId, body: Layer, arriving: list[Given]) -> Shapes:
        masks = tuple(a.mask for a in arriving)
        found = shapes_of(body, tuple(a.spec for a in arriving), masks if any(masks) else ())
        if found.problems:
            repairable = tuple(edits.repairable(p, layer_id) for p in found.problems)
            return replace(found, problems=repairable)
        before = self.weights.setdefault(layer_id, found.weights)
        if [w.shape for w in before] == [w.shape for w in found.weights]:
            known = _range(layer_id, body, arriving, found.outputs[0])
            return Shapes(found.outputs, found.weights, (), found.masks, (known,))
        name = self.document.layers[layer_id].name
        return Shapes(problems=(Problem("twins_disagree", args={"name": name}),))

    def model(self, name: str, graph_id: GraphId, arriving: list[Given]) -> Shapes:
        """A model in use: its graph walked with what arrives in the place of its Inputs."""
        inner, _ = self.into(graph_id, arriving)
        self.take_masks(inner)
        problems = tuple(
            Problem("inside", args={"name": name, "problem": p}, severity=p.severity)
            for p in inner.problems
            if p.severity == "error"
        )[:1]
        outputs = self.document.graphs[graph_id].outputs
        known = [inner.given[e] for e in outputs if e in inner.given]
        if len(known) < len(outputs) and not problems:
            problems = (Problem("inside", args={"name": name, "problem": Problem("no_output")}),)
        return Shapes(
            tuple(given.spec for given in known),
            problems=problems,
            masks=tuple(given.mask for given in known),
            ranges=tuple(given.range for given in known),
        )

    def into(
        self, graph_id: GraphId, arriving: Sequence[Given]
    ) -> tuple["Walk", Mapping[CallId, Found]]:
        """A walk through a model in use, and what it found at the calls inside.

        Raises:
            ProblemError: ``model_input``: an Input cannot take what arrives in its place; what is
                wrong with an Input itself.
        """
        graph = self.document.graphs[graph_id]
        entering: dict[CallId, Given] = {}
        for call, value in zip(graph.inputs, arriving, strict=True):
            body = inner_input(self.document, call)
            if wrong := body.problems():
                raise ProblemError(wrong)
            declared = body.spec()
            fits(declared, value.spec)
            spec = Spec(declared.dtype, value.spec.shape)
            entering[call] = replace(value, spec=spec)
        inner = Walk(self.document, self.weights)
        return inner, inner.graph(graph, entering)

    def _wrapped(self, call: CallId, body: Wrapped, arriving: list[Given]) -> Shapes:
        """A wrapper in use: what is inside, at one step."""
        one_in_one_out(self.document, body.layer, len(arriving))
        (whole,) = arriving
        each = one_step(body.wrapper, whole)
        found = self.shapes(call, body.layer, [each])
        if found.problems:
            return found
        (step,) = found.outputs
        steps = body.wrapper.steps(whole.spec, step)
        return Shapes((steps,), masks=(whole.mask,), ranges=found.ranges)

    def _heeds_masks(self, layer: LayerId, arriving: int) -> bool:
        body = self.document.layers[layer].body
        return not isinstance(body, Layer) or body.heeds_mask(arriving)


def one_step(wrapper: TimeDistributed, whole: Given) -> Given:
    """What a wrapper gives the layer inside of what arrives: time is folded into the batch.

    Raises:
        ProblemError: ``expects_axes``: there is no time, or nothing at a step of it.
    """
    spec, mask = wrapper.step(whole.spec), whole.mask
    if mask is not None:
        mask = Spec("bool", (spec.shape[0], *mask.shape[2:]))
        mask = mask if mask.rank > 1 else None
    return Given(spec, mask, whole.range)


def _given(found: Shapes, ends: Sequence[Endpoint]) -> tuple[tuple[Endpoint, Given], ...]:
    """What leaves each port; masks and ranges may be told of fewer than there are."""
    masks, ranges = found.masks + (None,) * len(ends), found.ranges + (None,) * len(ends)
    values = map(Given, found.outputs, masks, ranges)
    return tuple(zip(ends, values, strict=False))


def _range(layer: LayerId, body: Layer, arriving: list[Given], leaving: Spec) -> Range | None:
    """Where a layer's first result lies; made by it unless it passes on what another made."""
    found = body.range(*(a.range for a in arriving))
    if found is None:
        return None
    moved = body.rearranges and [a.spec for a in arriving] != [leaving]
    shares = None if found.shares and moved else found.shares
    return Range(found.low, found.high, shares, found.by or layer)
