"""The kinds of bindings, and the first one of a kind that a port is given."""

from studio.document.plan import (
    ArrayColumn,
    Binding,
    ClassColumn,
    DateColumn,
    FeatureColumns,
    ImageColumn,
    NumberColumns,
    SequenceColumn,
    TextColumn,
)
from studio.train.bindings import array_binding, characters, one_hot_text
from studio.train.plain_columns import feature_parts, is_plain
from studio.train.ports import DataPort, columns_of
from studio.train.table_view import TableView

KINDS: dict[str, type] = {
    "text": TextColumn,
    "numbers": NumberColumns,
    "classes": ClassColumn,
    "dates": DateColumn,
    "features": FeatureColumns,
    "images": ImageColumn,
    "sequences": SequenceColumn,
    "arrays": ArrayColumn,
}
_TARGETS = ("numbers", "classes", "arrays")  # what can be told
PARTS = ("numbers", "classes", "dates")  # of several steps side by side


def kinds_for(port: DataPort) -> tuple[str, ...]:
    """The kinds of bindings a port can have."""
    return _TARGETS if port.loss else tuple(KINDS)


def kind_of(binding: Binding | None) -> str:
    """One of `KINDS`, or ``none``."""
    return next((name for name, kind in KINDS.items() if isinstance(binding, kind)), "none")


def binding_of(kind: str, port: DataPort, table: TableView | None) -> Binding | None:
    """A first binding of a kind: on the columns bound before where they suit, else on others."""
    bound = columns_of(port.binding) if port.binding else ()
    match kind:
        case "text":
            return _text(port, _suiting(table, ("text",), bound)[0])
        case "numbers":
            kept = _suiting(table, ("number", "integer"), bound)
            enough = kept if len(kept) == port.width else _suiting(table, ("number", "integer"), ())
            floats = not port.loss and not port.integers
            return NumberColumns(enough[: port.width], "standardize" if floats else "none")
        case "classes":
            one_hot = not port.integers and port.width != 1
            return ClassColumn(_suiting(table, ("class",), bound)[0], one_hot)
        case "dates":
            return DateColumn(_suiting(table, ("date",), bound)[0])
        case "features":
            return _features(port, table, bound)
        case "images":
            return _image(port, _suiting(table, ("image",), bound)[0])
        case "sequences":
            length = port.spec.shape[1] if port.spec.rank > 1 else None
            column = _suiting(table, ("sequence",), bound)[0]
            return SequenceColumn(column, length if isinstance(length, int) else 100)
        case "arrays":
            return array_binding(port, table.head if table else None, _array(table, bound))
    return None


def part_of(kind: str, table: TableView | None) -> NumberColumns | ClassColumn | DateColumn:
    """A first step of a kind beside others."""
    match kind:
        case "classes":
            return ClassColumn(_suiting(table, ("class",), ())[0], one_hot=True)
        case "dates":
            return DateColumn(_suiting(table, ("date",), ())[0])
    return NumberColumns(_suiting(table, ("number", "integer"), ())[:1], "standardize")


def _text(port: DataPort, column: str) -> TextColumn:
    if one_hot_text(port):
        return characters(port, column)
    length, size = port.width or TextColumn.length, port.limit or TextColumn.vocabulary_size
    return TextColumn(column, length, size)


def _features(port: DataPort, table: TableView | None, bound: tuple[str, ...]) -> FeatureColumns:
    """The columns bound before and all other plain ones; without a table what was bound."""
    if isinstance(port.binding, NumberColumns | ClassColumn | DateColumn) and table is None:
        return FeatureColumns((port.binding,))
    if table is None:
        return FeatureColumns(())
    plain = [name for name in table.names if is_plain(table.head, name)]
    columns = [name for name in bound if name in plain] or plain
    return FeatureColumns(feature_parts(table.head, columns))


def _image(port: DataPort, column: str) -> ImageColumn:
    """Pictures of the port's size."""
    sizes = [size for size in port.spec.shape[1:] if isinstance(size, int)]
    if len(sizes) < 2:
        return ImageColumn(column)
    grey = len(sizes) == 2 or sizes[2] == 1
    high, wide = sizes[:2]
    return ImageColumn(column, high, wide, "grayscale" if grey else "rgb")


def _suiting(
    table: TableView | None, kinds: tuple[str, ...], bound: tuple[str, ...]
) -> tuple[str, ...]:
    """The bound columns that are of a kind, else the table's, else any; at least one name."""
    if table is None:
        return bound or ("",)
    known = tuple(c for c in bound if c in table.columns)
    if "number" not in kinds and known:
        return known
    for columns in (known, tuple(table.columns)):
        if found := tuple(c for c in columns if table.kind(c) in kinds):
            return found
    return tuple(table.columns) or ("",)


def _array(table: TableView | None, bound: tuple[str, ...]) -> str:
    """The bound column if it is of arrays, else the table's first that is; or just its name."""
    arrays = list(table.arrays) if table else []
    return next((c for c in (*bound, *arrays) if c in arrays), (*bound, "")[0])
