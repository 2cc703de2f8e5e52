"""Excerpts of documents as text that people can keep, send and paste::

{"layerloom": "nodes", "document": {…as in document.json…},
 "inbound": [["c2", "output", "c3", "x", 0, "embedding"], …], "learnt": ["l3", …]}

What training learnt lies beside it, as in ``weights.safetensors``, where it is not too large.
"""

from dataclasses import replace
from io import BytesIO
from typing import Any

from studio.document.excerpt import Excerpt, Inbound
from studio.document.model import Graph, Wire
from studio.document.store import Store
from studio.formats import arrays
from studio.formats.document_json import file_problem, read_document, to_json
from studio.formats.strict_json import MalformedError, dumps, loads, malformed
from studio.formats.values import array, member, only, read, table
from studio.limits import COPIED_BYTES, JSON_BYTES
from studio.problem import refuse

MIME = "application/x-layerloom-nodes+json"
WEIGHTS_MIME = "application/x-layerloom-weights"
_MARK = ("layerloom", "nodes")
_PLACE = "$"


def to_text(part: Excerpt) -> str:
    """An excerpt as JSON; equal ones give equal texts.

    Raises:
        ProblemError: it is too large for a text.
    """
    inbound = [
        [i.wire.source, i.wire.output, i.wire.target, i.wire.input, i.wire.slot, i.name]
        for i in part.inbound
    ]
    value = {_MARK[0]: _MARK[1], "document": to_json(part.document), "inbound": inbound}
    if part.learnt:
        value["learnt"] = sorted(part.learnt)
    try:
        return dumps(value).decode()
    except MalformedError as error:
        raise file_problem("JSON", error) from error


def looks_like_nodes(text: str) -> bool:
    """Whether a text of the clipboard is meant to be an excerpt, without reading all of it."""
    return text.lstrip()[:1] == "{" and f'"{_MARK[0]}"' in text


def from_text(text: str) -> Excerpt:
    """The excerpt a text says.

    Raises:
        ProblemError: ``not_nodes`` for a text that means something else; ``file_problem``, naming
            the place in it and the reason, for one that is damaged.
    """
    if not looks_like_nodes(text):
        raise refuse("not_nodes")
    try:
        return _read(loads(text.encode(errors="replace"), _PLACE))
    except MalformedError as error:
        raise file_problem("JSON", error) from error


def _read(value: Any) -> Excerpt:
    found = only(table(value, _PLACE), (_MARK[0], "document", "inbound", "learnt"), _PLACE)
    if (mark := member(found, _MARK[0], _PLACE)) != _MARK[1]:
        place = f"{_PLACE}.{_MARK[0]}"
        raise malformed(place, "expected", expected=_MARK[1], received=str(mark)[:40])
    document = read_document(member(found, "document", _PLACE), f"{_PLACE}.document")
    place = f"{_PLACE}.inbound"
    rows = array(found.get("inbound", []), place)
    inbound = tuple(_inbound(v, f"{place}[{i}]") for i, v in enumerate(rows))
    learnt = read(tuple[str, ...], found.get("learnt", []), f"{_PLACE}.learnt")
    return Excerpt(document, inbound, frozenset(learnt))


def _inbound(value: Any, place: str) -> Inbound:
    *wire, name = read(tuple[str, str, str, str, int, str], value, place)
    return Inbound(Wire(*wire), name)


def weights_fit(store: Store) -> bool:
    """Whether these weights can be given to another program."""
    return sum(cell.value.nbytes for _, cell in store.items()) <= COPIED_BYTES


def weights_to_bytes(part: Excerpt, store: Store) -> bytes:
    """What the layers of an excerpt have learnt, without what an optimizer keeps."""
    document = part.document  # with nothing wired, as less may arrive at a layer than did
    document = replace(document, graphs={**document.graphs, document.main: Graph()})
    file = BytesIO()
    arrays.write(file, arrays.tensors_of(document, store)[0])
    return file.getvalue()


def weights_from_bytes(data: bytes) -> Store:
    """The weights that lie beside an excerpt.

    Raises:
        ProblemError: ``file_problem``: they are damaged, or too large.
    """
    try:
        if len(data) > COPIED_BYTES + JSON_BYTES:  # the arrays, and their header
            raise malformed(_PLACE, "too_large", expected=COPIED_BYTES)
        return arrays.read_weights(data, _PLACE)
    except MalformedError as error:
        raise file_problem("safetensors", error) from error
