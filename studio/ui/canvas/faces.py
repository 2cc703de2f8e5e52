"""What a node shows, as values: everything the painter writes, nothing of how it is painted."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from studio.document.analysis import Analysis
from studio.document.inside import frozen_layers, within
from studio.document.model import CallId, Document, Endpoint, LayerEntry, LayerId, Submodel, Wrapped
from studio.document.nesting import file_inside, owner
from studio.document.store import Store
from studio.engine.program import Spec
from studio.layers.base import Layer, Port
from studio.layers.input import Input
from studio.text import text
from studio.ui.canvas.goals import Goal, goal_of

K = TypeVar("K")


@dataclass(frozen=True)
class PortFace:
    """One port of a node.

    Attributes:
        name: its id within the layer.
        label: its name where a node has several on that side, else empty.
        group: what shape and colour it has: float, int, bool, unknown.
        places: where wires can end, one below the other; 1 but for a port for many.
        wired: how many wires end there or start there.
        shape: what leaves it, as ``batch × 64``; empty for inputs and where unknown.
        tag: for an output of the model, what it is trained for; None for any other port.
        goal: the same in its parts; None for an output of a model that others use as a layer.
        optional: may stay unwired.
    """

    name: str
    label: str = ""
    group: str = "unknown"
    places: int = 1
    wired: int = 0
    shape: str = ""
    tag: str | None = None
    goal: Goal | None = None
    optional: bool = False

    @property
    def lacking(self) -> bool:
        """Whether it is an output without a loss."""
        return self.goal is not None and "loss" in self.goal.lacking

    @property
    def short(self) -> str:
        """The tag in a few letters: ``BCE × 0.2``."""
        return self.goal.short if self.goal else ""


@dataclass(frozen=True)
class Face:
    """One node.

    Attributes:
        signature: its kind and the parameters that tell it from others: ``Dense(64, relu)``.
        weights: its size in words, empty where it has none.
        parameters: its size as a number.
        trained: whether its weights are; None where it has none.
        twins: how many calls use the same layer, `twin` being which of them this is, from 1.
        model: it is a model one can look into.
        inner: what a wrapper holds.
        drops_mask: a mask arrives that no later layer gets.
        collapsed: it is drawn as its title only.
        muted: it passes on what arrives; `bypass` says from which input, its port and slot, to
            which output.
        problems: texts with their severity, the worst first.
    """

    title: str
    kind: str
    category: str
    signature: str
    inputs: tuple[PortFace, ...] = ()
    outputs: tuple[PortFace, ...] = ()
    weights: str = ""
    parameters: int = 0
    trained: bool | None = None
    frozen: bool = False
    twins: int = 1
    twin: int = 1
    model: bool = False
    inner: "Inner | None" = None
    drops_mask: bool = False
    collapsed: bool = False
    muted: bool = False
    bypass: tuple[tuple[str, int, str], ...] = ()
    problems: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Inner:
    """What is drawn inside a wrapper: a layer or a model."""

    kind: str
    category: str
    title: str


def dtype_group(spec: Spec | None) -> str:
    """The group a dtype is drawn as."""
    return "unknown" if spec is None else _group(spec.dtype)


@cache
def _group(dtype: str) -> str:
    groups = ("float", "int", "bool")
    return next((g for g in groups if dtype.removeprefix("u").startswith(g)), "unknown")


def shape_text(spec: Spec | None) -> str:
    """``batch × 100 × 512``, the names of open sizes in the current language."""
    if spec is None:
        return ""
    return " × ".join(map(size_text, spec.shape))


def size_text(size: int | str) -> str:
    """A size; the name of an open one in the current language."""
    if isinstance(size, int):
        return str(size)
    key = f"canvas.size_{size}"
    known = text(key)
    return size if known == key else known


def signature(entry: LayerEntry) -> str:
    """The kind as it is called in Keras, with the leading sizes and whatever is not a default."""
    if not isinstance(entry.body, Layer):
        return entry.kind
    if isinstance(entry.body, Input):
        return f"Input({entry.body.dtype})"
    said: list[str] = []
    leading = True
    for p in entry.body.params():
        value = getattr(entry.body, p.name)
        if p.family or not p.shown:
            continue
        number = isinstance(value, int | float | tuple) and not isinstance(value, bool)
        if leading and number and p.name != "axis":
            said.append(_value(value))
            continue
        leading = False
        if value == p.default:
            continue
        if value is True:
            said.append(p.name)
        elif p.name == "activation":
            said.append(str(value))
        else:
            said.append(f"{p.name}={_value(value)}")
    if not said and entry.kind == "Activation":
        said.append(str(getattr(entry.body, "activation", "")))
    return f"{entry.kind}({', '.join(said)})" if said else entry.kind


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return "×".join(map(_value, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def category(entry: LayerEntry) -> str:
    """What group of layers one is drawn as; empty for models and the unknown."""
    if isinstance(entry.body, Wrapped):
        return entry.body.wrapper.category
    return entry.body.category if isinstance(entry.body, Layer) else ""


def held(document: Document, entry: LayerEntry) -> Inner | None:
    """What a wrapper holds: a layer among its parameters."""
    if isinstance(entry.body, Wrapped):
        inner = document.layers[entry.body.layer]
        title = inner.name if isinstance(inner.body, Submodel) else signature(inner)
        return Inner(inner.kind, category(inner), title)
    if not isinstance(entry.body, Layer):
        return None
    for p in entry.body.params():
        value = getattr(entry.body, p.name)
        if isinstance(value, Layer):
            return Inner(value.kind, value.category, signature(LayerEntry(value, "")))
    return None


def port_label(document: Document, entry: LayerEntry, port: str) -> str:
    """What a port is called: a model used as a layer names its ports by its own layers."""
    if isinstance(entry.body, Submodel):
        inner = document.graphs[entry.body.graph].calls
        call = inner.get(port) or inner.get(Endpoint.parse(port).call)
        return document.layers[call.layer].name if call else port
    return port


class Faces:
    """Makes faces for one graph as analysed, and tells which differ from another's.

    Args:
        document: its main graph is the one shown.
        analysis: of the whole document.
        store: the weights.
        inner: the graph shown is a model's that others use as a layer.
    """

    def __init__(
        self, document: Document, analysis: Analysis, store: Store, inner: bool = False
    ) -> None:
        self.document = document
        self.analysis = analysis
        self.inner = inner
        self.users: dict[LayerId, list[CallId]] = {}
        for _, call_id, call in document.calls():
            self.users.setdefault(owner(document, call.layer), []).append(call_id)
        self.frozen = frozen_layers(document)
        self.problems: dict[str, list[tuple[str, str]]] = {}
        for problem in analysis.problems:
            if problem.where:
                said = (problem.severity, str(problem))
                self.problems.setdefault(problem.where, []).append(said)
        self.tags = {e: self._tag(e) for e in document.graph.outputs}
        wires, masks = document.graph.wires, analysis.masks
        self.masked = frozenset(w for w in wires if w.start in masks) if masks else frozenset()
        self.groups = {end: dtype_group(spec) for end, spec in analysis.specs.items()}
        self.trained = {
            layer: store.trained(layer, weights)
            for layer, weights in analysis.weights.items()
            if weights
        }

    def face(self, call_id: CallId) -> Face:
        """What the node of a call shows."""
        call = self.document.graph.calls[call_id]
        layer_id = call.layer
        entry = self.document.layers[layer_id]
        takes, gives = self.document.ports(entry)
        weighted = [k for k in within(self.document, layer_id) if k in self.trained]
        count = self.analysis.count(weighted)
        users = self.users[owner(self.document, layer_id)]
        return Face(
            title=entry.name,
            kind=entry.kind,
            category=category(entry),
            signature=self._signature(entry),
            inputs=self._inputs(call_id, takes),
            outputs=self._outputs(call_id, gives),
            weights=text("canvas.parameters", count=count) if weighted else "",
            parameters=count,
            trained=all(self.trained[k] for k in weighted) if weighted else None,
            frozen=self.frozen.issuperset(weighted) if weighted else not entry.trainable,
            twins=len(users),
            twin=users.index(call_id) + 1,
            model=isinstance(entry.body, Submodel) or bool(file_inside(self.document, layer_id)),
            inner=held(self.document, entry),
            drops_mask=call_id in self.analysis.drops_mask,
            collapsed=call.collapsed,
            muted=call.muted,
            bypass=tuple(self._bypass(call_id)) if call.muted else (),
            problems=tuple(sorted(self.problems.get(call_id, ()))),  # errors before warnings
        )

    def twins(self, call_id: CallId) -> list[CallId]:
        """The calls of the graph shown that use the same layer, itself among them."""
        calls = self.document.graph.calls
        call = calls.get(call_id)
        users = self.users[owner(self.document, call.layer)] if call else []
        return [c for c in users if c in calls]

    def _bypass(self, call_id: CallId) -> Iterator[tuple[str, int, str]]:
        """From where to where a muted call passes on."""
        known = self.analysis.bypass
        for end, start in known.items():
            if end.call == call_id:
                wires = self.document.graph.into(call_id)
                wire = next((w for w in wires if known.get(w.start, w.start) == start), None)
                if wire is not None:
                    yield wire.input, wire.slot, end.port

    def _signature(self, entry: LayerEntry) -> str:
        """The kind and its parameters; of a model, how many nodes it has."""
        if not isinstance(entry.body, Submodel):
            return signature(entry)
        nodes = len(self.document.graphs[entry.body.graph].calls)
        return text("canvas.model_signature", count=nodes)

    def differences(self, old: "Faces") -> set[CallId]:
        """The calls whose face may differ from what `old` made of it; parts equal by identity
        are not looked into.
        """
        calls, before = self.document.graph.calls, old.document
        found = {c for c, call in calls.items() if before.graph.calls.get(c) is not call}
        stale = {
            layer
            for layer, entry in self.document.layers.items()
            if before.layers.get(layer) is not entry
            or self.analysis.weights.get(layer) != old.analysis.weights.get(layer)
            or self.users.get(layer) != old.users.get(layer)
            or self.trained.get(layer) != old.trained.get(layer)
            or layer in self.analysis.inside  # told by layers that are elsewhere
        }
        stale |= self.frozen ^ old.frozen
        found |= self.analysis.drops_mask ^ old.analysis.drops_mask
        found |= {c for c, call in calls.items() if call.layer in stale}
        for wire in self.document.graph.wires ^ before.graph.wires:
            found |= {wire.source, wire.target}
        ends = _changed(old.analysis.specs, self.analysis.specs) | _changed(old.tags, self.tags)
        for end in ends:
            found.add(end.call)
            found |= {w.target for w in self.document.graph.out_of(end.call, end.port)}
        found |= _changed(old.problems, self.problems)
        return found & calls.keys()

    def _inputs(self, call_id: CallId, declared: Sequence[Port]) -> tuple[PortFace, ...]:
        wires, entry = self.document.graph.into(call_id), self.document.entry(call_id)
        ports = [*declared, *_vanished((w.input for w in wires), declared)]
        faces = []
        for port in ports:
            ending = [w for w in wires if w.input == port.name]
            first = self.analysis.specs.get(ending[0].start) if ending else None
            faces.append(
                PortFace(
                    port.name,
                    label=self._label(entry, port.name, len(ports)),
                    group=dtype_group(first),
                    places=max((w.slot for w in ending), default=-1) + 2 if port.many else 1,
                    wired=len(ending),
                    optional=port.optional,
                )
            )
        return tuple(faces)

    def _outputs(self, call_id: CallId, declared: Sequence[Port]) -> tuple[PortFace, ...]:
        wires, entry = self.document.graph.out_of(call_id), self.document.entry(call_id)
        ports = [*declared, *_vanished((w.output for w in wires), declared)]
        faces = []
        for port in ports:
            end = Endpoint(call_id, port.name)
            spec = self.analysis.specs.get(end)
            tag, goal = self.tags.get(end, (None, None))
            faces.append(
                PortFace(
                    port.name,
                    label=self._label(entry, port.name, len(ports)),
                    group=dtype_group(spec),
                    wired=sum(w.output == port.name for w in wires),
                    shape=shape_text(spec),
                    tag=tag,
                    goal=goal,
                )
            )
        return tuple(faces)

    def _label(self, entry: LayerEntry, port: str, ports: int) -> str:
        """A port's name, where it tells something: one of several, or a model's."""
        if ports < 2 and not isinstance(entry.body, Submodel):
            return ""
        return port_label(self.document, entry, port)

    def _tag(self, end: Endpoint) -> tuple[str, Goal | None]:
        if self.inner:
            return text("canvas.output_inner"), None
        goal = goal_of(self.document, end)
        return goal.said, goal


def _changed(old: Mapping[K, object], new: Mapping[K, object]) -> set[K]:
    """The keys under which two mappings differ."""
    here = {k for k, value in new.items() if k not in old or old[k] != value}
    return here | (old.keys() - new.keys())


def _vanished(used: Iterable[str], declared: Sequence[Port]) -> list[Port]:
    """Ports that wires still name though the layer no longer has them: drawn, and a problem."""
    known = {p.name for p in declared}
    return [Port(name) for name in sorted(set(used)) if name not in known]
