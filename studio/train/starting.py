"""A small model to start from, for a table of which one column is to be told from others.

Sizes follow the data, but stay such that a first training takes seconds and a person sees through
the graph: texts are averaged word vectors, pictures pass a few convolutions, sequences a GRU.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

from studio.document import edits
from studio.document.building import add, again
from studio.document.layout import arrange
from studio.document.model import CallId, Document, Endpoint
from studio.document.plan import Binding, ClassColumn, EarlyStopping, Series, Source, Split
from studio.layers.base import Layer
from studio.layers.conv2d import Conv2D
from studio.layers.dense import Dense
from studio.layers.embedding import Embedding
from studio.layers.flatten import Flatten
from studio.layers.global_average_pooling1d import GlobalAveragePooling1D
from studio.layers.global_average_pooling2d import GlobalAveragePooling2D
from studio.layers.gru import GRU
from studio.layers.input import Input
from studio.layers.max_pooling2d import MaxPooling2D
from studio.layers.merge_concatenate import Concatenate
from studio.layers.reshape import Reshape
from studio.train.plain_columns import is_plain
from studio.train.roles import alike, pixels
from studio.train.suited import SuitedInput, suited_input, suited_output
from studio.train.tables import Table

_EPOCHS = 20  # at most: training ends where the validation rows gain nothing any more
VECTOR = 32  # length of a word's vector
_SMALL = 2000  # rows below which fewer units learn better
_FLAT = 1600  # numbers a picture may still have where it is flattened
_STRIDED = 16  # pixels of a side from which every second place does
_PICTURE = 8  # pixels of the least side of what is taken for a picture
_SMALL_SIDE = 8  # pixels of a side that need no more convolutions


@dataclass(frozen=True)
class Wish:
    """Attributes:
    target: the column to be told.
    inputs: the columns it is told from.
    series: the windows it is told from, where the rows follow one another in time. What the
        target was in them is known, too.
    """

    target: str
    inputs: tuple[str, ...]
    series: Series | None = None


def starting_model(document: Document, table: Table, source: Source, wish: Wish) -> Document:
    """The document with a model in its empty graph, the columns bound, losses and run set.

    Args:
        document: its main graph has no calls.
        table: the data, or its first rows.
        source: where the data is.
        wish: what is to be told from what.
    """
    builder = _Builder(document, table, wish.series)
    columns = wish.inputs
    if wish.series and table.numeric(wish.target):
        columns = tuple(c for c in table.names if c in (*columns, wish.target))
    read = [builder.read(group) for group in groups(table, columns)]
    last = builder.joined([call for calls in read for call in calls])
    return builder.told(last, wish.target, source)


def groups(table: Table, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Columns by the way they enter: plain ones together, texts named alike together.

    Each picture, sequence and array, and each text that is like no other, by itself.
    """
    plain = tuple(c for c in columns if is_plain(table, c))
    texts = [c for c in columns if table.kind(c) == "text"]
    rest = [(c,) for c in columns if c not in plain and c not in texts]
    found = [*alike(texts), *rest, *([plain] if plain else [])]
    return sorted(found, key=lambda group: columns.index(group[0]))


class _Builder:
    """Puts one layer after another."""

    def __init__(self, document: Document, table: Table, series: Series | None) -> None:
        self._document, self._table, self._series = document, table, series
        self._bound: dict[CallId, Binding] = {}
        self._units = 32 if table.rows < _SMALL else 64

    def _add(self, layer: Layer, *sources: CallId, name: str = "") -> CallId:
        name = edits.free_name(self._document, as_name(name)) if name else ""
        self._document, call = add(self._document, layer, *sources, name=name)
        return call

    def _input(self, suited: SuitedInput, name: str) -> CallId:
        call = self._add(Input(shape=suited.shape, dtype=suited.dtype), name=name)
        self._bound[call] = suited.binding
        return call

    def read(self, columns: tuple[str, ...]) -> list[CallId]:
        """An Input for these columns and what reads it: the calls that give vectors."""
        table, single = self._table, columns[0]
        if table.kind(single) == "text":
            return self._texts(columns)
        suited = suited_input(table, columns)
        match table.kind(single):
            case "image":
                return [self._picture(self._input(suited, single), suited.shape)]
            case "sequence":
                return [self._add(GRU(units=32), self._input(suited, single))]
            case "array":
                return [self._array(self._input(suited, single), suited.shape)]
        if pixels(table, columns):
            return [self._picture(self._input(suited, "picture"), suited.shape)]
        name = single if len(columns) == 1 else "features"
        if self._series is None:
            return [self._input(suited, name)]
        suited = replace(suited, shape=(self._series.length, *suited.shape))
        return [self._add(GRU(units=32), self._input(suited, name))]

    def _texts(self, columns: tuple[str, ...]) -> list[CallId]:
        """Texts through one table of word vectors, each averaged; two and more are compared."""
        suits = [suited_input(self._table, (column,), texts=columns) for column in columns]
        calls = [self._input(o, c) for o, c in zip(suits, columns, strict=True)]
        reader: list[Layer] = [
            Embedding(input_dim=suits[0].limit, output_dim=VECTOR, mask_zero=True),
            GlobalAveragePooling1D(),
        ]
        if len(columns) > 1:
            reader.append(Dense(units=VECTOR, activation="tanh"))  # relu is slower to compare
        for layer in reader:
            calls = self._shared(layer, calls)
        return calls

    def _shared(self, layer: Layer, sources: Sequence[CallId]) -> list[CallId]:
        """One layer, called on each."""
        first, *others = sources
        made = [self._add(layer, first)]
        for source in others:
            self._document, call = again(self._document, made[0], source)
            made.append(call)
        return made

    def _picture(self, call: CallId, shape: Sequence[int]) -> CallId:
        """Convolutions until a picture is small; the first takes every second place, to be fast."""
        if len(shape) == 2:
            call = self._add(Reshape(target_shape=(*shape, 1)), call)
        high, wide = shape[:2]
        filters = 16
        if min(high, wide) >= _STRIDED:
            call = self._add(_convolution(filters, 5, 2), call)
            high, wide, filters = -(-high // 2), -(-wide // 2), 2 * filters
        while max(high, wide) > _SMALL_SIDE and min(high, wide) > 3:
            call = self._add(MaxPooling2D(), self._add(_convolution(filters, 3, 1), call))
            high, wide, filters = high // 2, wide // 2, min(64, 2 * filters)
        flat = high * wide * filters <= 2 * _FLAT  # the last has half as many filters as a next
        return self._add(Flatten() if flat else GlobalAveragePooling2D(), call)

    def _array(self, call: CallId, shape: Sequence[int]) -> CallId:
        if len(shape) == 1:
            return call
        if looks_like_picture(shape):
            return self._picture(call, shape)
        if len(shape) == 2:
            return self._add(GRU(units=32), call)
        return self._add(Flatten(), call)

    def joined(self, calls: Sequence[CallId]) -> CallId:
        """All side by side, and hidden layers."""
        last = calls[0] if len(calls) == 1 else self._add(Concatenate(), *calls)
        layers = 2 if set(calls) <= set(self._bound) else 1  # nothing was learnt on the way yet
        for _ in range(layers):
            last = self._add(Dense(units=self._units, activation="relu"), last)
        return last

    def told(self, last: CallId, target: str, source: Source) -> Document:
        """The output, its loss and target, the data, and a run of a fitting length."""
        suited = suited_output(self._table, target)
        head = Dense(units=suited.units, activation=suited.activation)
        output = Endpoint(self._add(head, last, name=target), "output")
        document = edits.mark_output(self._document, output)
        document = edits.plan_output(document, output, loss=suited.loss, metrics=suited.metrics)
        targets = {output.key: suited.binding}
        data = replace(
            document.plan.data,
            source=source,
            inputs=self._bound,
            targets=targets,
            split=self._split(suited.binding),
            series=self._series,
        )
        document = replace(document, plan=replace(document.plan, data=data))
        size = batch_size(self._table.rows)
        patience = EarlyStopping(patience=3, restore_best_weights=True)
        document = edits.set_run(document, epochs=_EPOCHS, batch_size=size, early_stopping=patience)
        return arrange(document)

    def _split(self, target: Binding) -> Split:
        """The last rows of a series validate, else as many of each class, else drawn ones."""
        if self._series is not None:
            return Split("last")
        return Split("stratified" if isinstance(target, ClassColumn) else "random")


def _convolution(filters: int, size: int, stride: int) -> Conv2D:
    return Conv2D(
        filters=filters,
        kernel_size=(size, size),
        strides=(stride, stride),
        padding="same",
        activation="relu",
    )


def looks_like_picture(shape: Sequence[int]) -> bool:
    """Whether arrays of this shape are probably pictures: high and wide, grey or in colours."""
    high = len(shape) >= 2 and min(shape[:2]) >= _PICTURE
    colours = len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4))
    return high and colours and max(shape[:2]) <= 4 * min(shape[:2])


def batch_size(rows: int) -> int:
    """So many that an epoch has some hundred steps: 16 to 128."""
    size = 16
    while size < 128 and rows / size > 500:
        size *= 2
    return max(size, 32) if rows >= 320 else size


def as_name(column: str) -> str:
    """A column's name as a layer's: without what names of files and ports cannot have."""
    kept = "".join(sign if sign.isalnum() or sign in "_-." else "_" for sign in column.strip())
    return kept.strip("._")[:40] or "column"


def up(value: float, step: int) -> int:
    """Rounded up to whole steps."""
    return step * ceil(value / step)
