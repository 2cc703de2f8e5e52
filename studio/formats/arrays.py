"""The two safetensors members of a project file: weights, and what training keeps beside them."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import IO, Any

import numpy as np
from safetensors import numpy as tensors

from studio.document.analysis import analyse
from studio.document.model import Document, LayerId
from studio.document.store import Store
from studio.engine.program import Array
from studio.formats import strict_json
from studio.formats.strict_json import below, malformed
from studio.formats.values import member, only, table
from studio.formats.values import read as read_value
from studio.layers.cell import Cell, Cells, Lag
from studio.limits import TENSOR_AXES, TENSORS

_SHAPE = re.compile(r"@[0-9x]*$")  # behind the name of a weight that is kept in several shapes
_HEADER = 8  # bytes that hold the length of the header
_DTYPES = {"float32": "F32", "float64": "F64", "int32": "I32", "int64": "I64", "bool": "BOOL"}
_NAMES = {kind: name for name, kind in _DTYPES.items()}
_PIECE = 2**20  # numbers written at once
_KEY = "layerloom"  # of the metadata; one key only, since their order in the file is not fixed


@dataclass(frozen=True)
class Tensors:
    """What a safetensors file holds: arrays by name, and texts about them."""

    arrays: Mapping[str, Array]
    about: Mapping[str, str] | None = None


def to_bytes(document: Document, store: Store) -> tuple[bytes, bytes]:
    """``weights.safetensors`` and ``state.safetensors`` of what the document needs now."""
    weights, state = tensors_of(document, store)
    about = dict(weights.about or {})
    beside = dict(state.about) if state.about else None
    return tensors.save(dict(weights.arrays), about), tensors.save(dict(state.arrays), beside)


def tensors_of(document: Document, store: Store) -> tuple[Tensors, Tensors]:
    """The weights the document needs now, and what training keeps beside them; not copied.

    A layer whose shapes are not known at the moment (a wire is missing) keeps everything it has.
    """
    return _tensors(needed(document, store), store.step)


def tensors_of_all(store: Store) -> tuple[Tensors, Tensors]:
    """All there are in a store, likewise: also those that only a document of before needs."""
    found: dict[str, Cell] = {}
    for layer, cells in store.shared().items():
        found |= _named(layer, cells)
    return _tensors(found, store.step)


def _tensors(cells: Mapping[str, Cell], step: int) -> tuple[Tensors, Tensors]:
    weights: dict[str, Array] = {}
    state: dict[str, Array] = {"step": np.array(step, np.int64)}
    untrained, lagging = [], {}
    for name, cell in cells.items():
        weights[name] = np.asarray(cell.value, order="C")
        state |= {f"{name}:{slot}": np.asarray(a, order="C") for slot, a in cell.slots.items()}
        if cell.lag is not None:
            state |= {f"{name}:clock": cell.lag.clock, f"{name}:touched": cell.lag.touched}
            lagging[name] = dict(cell.lag.decay)
        if not cell.trained:
            untrained.append(name)
    about = {_KEY: json.dumps({"untrained": sorted(untrained)}, ensure_ascii=False)}
    beside = {_KEY: json.dumps({"lagging": lagging}, sort_keys=True, ensure_ascii=False)}
    return Tensors(weights, about), Tensors(state, beside if lagging else None)


def write(file: IO[bytes], given: Tensors) -> None:
    """Write a safetensors file array by array, so that there is no second copy of all of them."""
    header: dict[str, Any] = {"__metadata__": dict(given.about)} if given.about else {}
    start = 0
    for name, array in given.arrays.items():
        end = start + array.nbytes
        header[name] = {
            "dtype": _DTYPES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [start, end],
        }
        start = end
    packed = json.dumps(header, ensure_ascii=False).encode()
    packed += b" " * (-len(packed) % _HEADER)
    file.write(len(packed).to_bytes(_HEADER, "little") + packed)
    for array in given.arrays.values():
        flat = np.ascontiguousarray(array).reshape(-1)
        for first in range(0, flat.size, _PIECE):
            file.write(flat[first : first + _PIECE].data.cast("B"))


def read(weights: bytes, state: bytes) -> Store:
    """The Store these two hold; either may be empty.

    Raises:
        MalformedError: they are damaged, or do not fit one another.
    """
    store, values = _weights(weights, "weights.safetensors")
    beside, about_state = read_tensors(state, "state.safetensors")
    store.step = _step(beside.pop("step", np.array(0, np.int64)))
    counters = {
        owner: (beside.pop(f"{owner}:clock", None), beside.pop(f"{owner}:touched", None), decay)
        for owner, decay in _lagging(about_state).items()
    }
    cells: dict[str, Cell] = {}
    for name, value in beside.items():
        owner, _, slot = name.rpartition(":")
        layer, _, weight = owner.partition("/")
        cell = store.cells(layer).get((_SHAPE.sub("", weight), value.shape))
        if cell is None or not slot or owner not in values or value.dtype != np.float32:
            raise malformed("state.safetensors", "tensors", detail=name[:100])
        cell.slots[slot] = value
        cells[owner] = cell
    for owner, found in counters.items():
        if owner not in cells:
            raise malformed("state.safetensors", "tensors", detail=owner[:100])
        cells[owner].lag = _lag(owner, cells[owner], *found)
    return store


def read_weights(data: bytes, place: str) -> Store:
    """The Store of weights alone; `place` is what messages call them.

    Raises:
        MalformedError: they are damaged.
    """
    return _weights(data, place)[0]


def _weights(data: bytes, place: str) -> tuple[Store, Mapping[str, Array]]:
    """A Store of weights, and the same arrays by their names."""
    store = Store()
    values, about = read_tensors(data, place)
    untrained = _untrained(about)
    for name, value in values.items():
        layer, _, weight = name.partition("/")
        weight = _SHAPE.sub("", weight)
        if not layer or not weight or value.dtype != np.float32:
            raise malformed(place, "tensors", detail=name[:100])
        store.cells(layer)[(weight, value.shape)] = Cell(value, name not in untrained)
    return store, values


def _lag(
    owner: str, cell: Cell, clock: Array | None, touched: Array | None, decay: Mapping[str, float]
) -> Lag:
    """How far a table's slots are behind, once it is sure that the counters can be used."""
    if (
        clock is None
        or touched is None
        or not clock.dtype == touched.dtype == np.int32
        or (cell.value.ndim, clock.shape, touched.shape) != (2, (), cell.value.shape[:1])
        or touched.min(initial=0) < 0
        or touched.max(initial=0) > clock
        or not decay.keys() <= cell.slots.keys()
        or not all(0 <= factor <= 1 for factor in decay.values())
    ):
        raise malformed("state.safetensors", "tensors", detail=f"{owner[:100]}: clock, touched")
    return Lag(clock, touched, decay)


def needed(document: Document, store: Store) -> dict[str, Cell]:
    """The cells the document needs now, by the name they are saved under."""
    known = analyse(document).weights
    found: dict[str, Cell] = {}
    for layer in document.layers:
        if layer in known:
            pairs = store.current(layer, known[layer])
            found |= {f"{layer}/{name}": cell for name, cell in pairs}
        else:
            found |= _named(layer, store.cells(layer))
    return found


def _named(layer: LayerId, cells: Cells) -> dict[str, Cell]:
    """All cells of a layer; ``@<shape>`` tells several shapes apart."""
    found, names = {}, Counter(name for name, _ in cells)
    for (name, shape), cell in cells.items():
        tail = f"@{'x'.join(map(str, shape))}" if names[name] > 1 else ""
        found[f"{layer}/{name}{tail}"] = cell
    return found


def read_tensors(data: bytes, place: str) -> tuple[dict[str, Array], Mapping[str, str]]:
    """Arrays and metadata of a safetensors file: of our types only, and without holes.

    Raises:
        MalformedError: it is damaged, or holds what this page does not write.
    """
    if not data:
        return {}, {}
    length = int.from_bytes(data[:_HEADER], "little")
    if length > len(data) - _HEADER:
        raise malformed(place, "tensors", detail=f"header: {length:,} > {len(data) - _HEADER:,}")
    header = table(strict_json.loads(data[_HEADER : _HEADER + length], place), place)
    about = read_value(Mapping[str, str], header.pop("__metadata__", {}), f"{place}.metadata")
    if len(header) > TENSORS:
        raise malformed(place, "too_many", received=len(header), expected=TENSORS)
    entries = {name: _entry(entry, below(place, name)) for name, entry in header.items()}
    end = 0
    for name, (_, _, start, stop) in sorted(entries.items(), key=lambda item: item[1][2:]):
        if start != end:
            raise malformed(below(place, name), "tensors", detail=f"{start:,} ≠ {end:,}")
        end = stop
    rest = memoryview(data)[_HEADER + length :]
    if end != len(rest):
        raise malformed(place, "tensors", detail=f"{end:,} ≠ {len(rest):,}")
    return {
        name: _array(rest, *entry, below(place, name)) for name, entry in entries.items()
    }, about


def _entry(value: Any, place: str) -> tuple[str, list[int], int, int]:
    """Type, shape, and where the bytes begin and end, as many as these two say."""
    found = only(value, ("dtype", "shape", "data_offsets"), place)
    kind = read_value(str, member(found, "dtype", place), f"{place}.dtype")
    shape = read_value(list[int], member(found, "shape", place), f"{place}.shape")
    offsets = read_value(tuple[int, int], member(found, "data_offsets", place), place)
    if kind not in _NAMES:
        raise malformed(place, "tensors", detail=kind)
    if len(shape) > TENSOR_AXES:
        raise malformed(place, "too_many", received=len(shape), expected=TENSOR_AXES)
    size = prod(shape) * np.dtype(_NAMES[kind]).itemsize
    if min(shape, default=0) < 0 or offsets[1] - offsets[0] != size or offsets[0] < 0:
        raise malformed(place, "tensors", detail=f"{shape}: {offsets[0]:,} … {offsets[1]:,}")
    return kind, shape, *offsets


def _array(
    data: memoryview, kind: str, shape: list[int], start: int, stop: int, place: str
) -> Array:
    """An array of its own; the sizes were checked."""
    if kind == "BOOL" and np.frombuffer(data[start:stop], np.uint8).max(initial=0) > 1:
        raise malformed(place, "tensors", detail=kind)
    return np.frombuffer(data[start:stop], _NAMES[kind]).reshape(shape).copy()


def _untrained(about: Mapping[str, str]) -> set[str]:
    place = "weights.safetensors.metadata"
    found = strict_json.loads(about.get(_KEY, "{}").encode(), place)
    return set(read_value(tuple[str, ...], table(found, place).get("untrained", []), place))


def _lagging(about: Mapping[str, str]) -> Mapping[str, Mapping[str, float]]:
    """By table, what each update a row missed multiplies its slots by."""
    place = "state.safetensors.metadata"
    found = table(strict_json.loads(about.get(_KEY, "{}").encode(), place), place)
    given = found.get("lagging", {})
    lagging: Mapping[str, Mapping[str, float]]
    lagging = read_value(Mapping[str, Mapping[str, float]], given, place)
    return lagging


def _step(value: Array) -> int:
    found = int(value.item()) if value.dtype == np.int64 and value.shape == () else -1
    if found < 0:
        raise malformed("state.safetensors", "tensors", detail="step")
    return found
