"""A document in Keras's own words: classes with configurations, calls, losses, an optimizer.

What reads it is ``resources/parity/keras_side.py``, in a Python that knows nothing of this one.
Layers, calls and graphs go by their ids there: Keras wants names that are unique and plain.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from studio.declare import Declared
from studio.document.analysis import Analysis, analyse
from studio.document.inside import frozen_layers, graphs_of
from studio.document.lowering import starts_of
from studio.document.model import Document, Endpoint, Graph, LayerId, Submodel, Unknown, Wrapped
from studio.document.muting import computing_layers, needed, without_muted
from studio.document.names import output_names
from studio.document.plan import OutputPlan
from studio.layers.additive_attention import AdditiveAttention
from studio.layers.attention import Attention
from studio.layers.base import Layer
from studio.layers.bidirectional import Bidirectional
from studio.layers.edges import Edges
from studio.layers.identity import Identity
from studio.layers.input import Input
from studio.layers.layer_normalization import LayerNormalization
from studio.layers.multi_head_attention import MultiHeadAttention
from studio.layers.onnx_model import OnnxModel
from studio.layers.random_flip import RandomFlip
from studio.layers.recurrent import Recurrent
from studio.layers.softmax import Softmax
from studio.problem import Problem, ProblemError, refuse

Json = dict[str, Any]

# In Keras not of the constructor, but of the call.
_AT_THE_CALL = ("use_causal_mask", "return_attention_scores")
_RANDOM = ("rate", "stddev", "dropout", "recurrent_dropout")


def quiet(document: Document) -> tuple[Document, list[LayerId]]:
    """The document with nothing random in it, and the layers that were.

    Two programs never draw the same numbers. A rate becomes 0, which passes everything on, and
    pictures are not turned over.
    """
    layers, changed = dict(document.layers), []
    for layer in computing_layers(document):
        entry = layers[layer]
        body = _quiet(entry.body) if isinstance(entry.body, Layer) else entry.body
        if body != entry.body:
            layers[layer] = replace(entry, body=body)
            changed.append(layer)
    return (replace(document, layers=layers) if changed else document), changed


def _quiet(layer: Layer) -> Layer:
    if isinstance(layer, RandomFlip):
        return Identity()
    if isinstance(layer, Bidirectional):
        return replace(layer, layer=_quiet(layer.layer))
    own = {p.name for p in layer.params()}
    return replace(layer, **{name: 0.0 for name in _RANDOM if name in own})


def described(document: Document, steps: int) -> Json:
    """What the other side reads; without the weights, which it is told apart.

    Args:
        document: one that `quiet` gave.
        steps: how many are to be taken.

    Raises:
        ProblemError: what is wrong with the document; ``no_output``; ``parity_unsayable``, for
            each layer that Keras does not have.
    """
    analysis = analyse(document)
    if errors := [p for p in analysis.errors if p not in analysis.training]:
        raise ProblemError(errors)
    if not document.graph.outputs:
        raise refuse("no_output")
    computing = computing_layers(document)
    if unsayable := [p for layer in computing for p in _unsayable(document, layer)]:
        raise ProblemError(unsayable)
    frozen = frozen_layers(document)
    return {
        "main": document.main,
        "graphs": {
            graph: _graph(document, analysis, document.graphs[graph])
            for graph in graphs_of(document, document.main)
        },
        "layers": {layer: _layer(document, layer) for layer in computing},
        "frozen": [layer for layer in computing if layer in frozen],
        "weights": {
            layer: [weight.name for weight in analysis.weights[layer]]
            for layer in computing
            if isinstance(document.layers[layer].body, Layer) and analysis.weights.get(layer)
        },
        "losses": [_loss(document, analysis, endpoint) for endpoint in output_names(document)],
        "optimizer": in_keras(document.plan.optimizer),
        "steps": steps,
    }


def _unsayable(document: Document, layer: LayerId) -> Iterator[Problem]:
    entry = document.layers[layer]
    if isinstance(entry.body, OnnxModel | Unknown):
        yield Problem("parity_unsayable", args={"name": entry.name, "kind": entry.kind})


def _loss(document: Document, analysis: Analysis, endpoint: Endpoint) -> Json | None:
    """An output's loss.

    Class numbers go without their last axis of 1: with it, one of Keras's losses, in 3.15, holds
    every sample's class against every other sample's output.
    """
    plan = document.plan.outputs.get(endpoint.key, OutputPlan())
    if plan.loss is None:
        return None
    layer = document.graph.calls[endpoint.call].layer
    target = plan.loss.target(analysis.specs[endpoint])
    flat = target.dtype.startswith("int") and target.shape[-1:] == (1,)
    said = {"key": endpoint.key, "layer": layer, "scale": plan.weight, "flat": flat}
    return {**said, "loss": in_keras(plan.loss)}


# -- layers --------------------------------------------------------------------------------------


def _layer(document: Document, layer: LayerId) -> Json:
    body = document.layers[layer].body
    match body:
        case Submodel(graph):
            return {"graph": graph}
        case Wrapped(wrapper, inner):
            return {"class_name": wrapper.kind, "around": inner}
        case Layer():
            said = in_keras(body)
            return {**said, "config": {**said["config"], "name": layer}}
    raise TypeError(f"{body} is no layer of Keras's")


def in_keras(declared: Declared) -> Json:
    """A declaration as Keras's ``deserialize`` reads it, its parameters by their own names."""
    config = {p.name: _value(declared, p.name) for p in declared.params()}
    for name in _AT_THE_CALL:
        config.pop(name, None)
    if isinstance(declared, AdditiveAttention):
        del config["score_mode"]  # of Attention alone, in Keras
    if isinstance(declared, LayerNormalization) and not declared.rms_scaling:
        del config["rms_scaling"]  # newer ones do not know it
    return {
        "module": f"keras.{declared.family}",
        "class_name": declared.kind,
        "config": config,
        "registered_name": None,
    }


def _value(declared: Declared, name: str) -> Any:
    value = getattr(declared, name)
    if isinstance(value, Declared):
        return in_keras(value)
    if isinstance(declared, Edges) and isinstance(value, tuple):
        pairs = [list(pair) for pair in zip(value[::2], value[1::2], strict=True)]
        return pairs[0] if len(pairs) == 1 else pairs
    return list(value) if isinstance(value, tuple) else value


# -- calls ---------------------------------------------------------------------------------------


def _graph(document: Document, analysis: Analysis, graph: Graph) -> Json:
    """A graph's calls in an order in which each finds what it reads; muted ones are passed by."""
    wanted = needed(graph, analysis.bypass)
    plain = without_muted(graph, analysis.bypass)
    inputs = {call: document.layers[graph.calls[call].layer].body for call in graph.inputs}
    taken = {c: (list(b.shape), b.dtype) for c, b in inputs.items() if isinstance(b, Input)}
    calls = [c for c in graph.order() if c in wanted and c not in taken]
    calls = [c for c in calls if not graph.calls[c].muted]
    ends = [analysis.bypass.get(endpoint, endpoint) for endpoint in graph.outputs]
    return {
        "inputs": list(graph.inputs),
        "taken": taken,
        "calls": [
            {"id": call, "layer": plain.calls[call].layer, **_arguments(document, plain, call)}
            for call in calls
        ],
        "outputs": [_number(document, graph, end) for end in ends],
    }


def _arguments(document: Document, graph: Graph, call: str) -> Json:
    """What a layer is called with in Keras, positional and by name."""
    entry = document.layers[graph.calls[call].layer]
    starts = starts_of(document, graph, call)
    given = [{"from": _number(document, graph, start)} for start in starts]
    ports = document.ports(entry)[0]
    match entry.body:
        case Recurrent() | Bidirectional() if len(given) > 1:
            return {"args": given[:1], "named": {"initial_state": given[1:]}}
        case Softmax() if len(given) > 1:
            return {"args": given[:1], "named": {"mask": given[1]}}
        case MultiHeadAttention():
            named = dict(zip(("key", "attention_mask"), given[2:], strict=False))
            return {"args": given[:2], "named": {**named, **_at_the_call(entry.body)}}
        case Attention():
            masks = {"mask": [*given[3:], *[None] * (5 - len(given))]} if len(given) > 3 else {}
            return {"args": [given[:3]], "named": {**masks, **_at_the_call(entry.body)}}
    many = any(port.many for port in ports) or len(given) > 1
    return {"args": [given] if many else given, "named": {}}


def _at_the_call(layer: Layer) -> Json:
    """The options that are given with a call, those that say something."""
    values: Mapping[str, Any] = {name: getattr(layer, name, False) for name in _AT_THE_CALL}
    return {name: value for name, value in values.items() if value}


def _number(document: Document, graph: Graph, end: Endpoint) -> Sequence[Any]:
    """A port as a call and which of its results."""
    ports = document.ports(document.layers[graph.calls[end.call].layer])[1]
    return [end.call, [port.name for port in ports].index(end.port)]
