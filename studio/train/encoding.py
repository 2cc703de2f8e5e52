"""One port's array from the cells of its columns, and what is wrong with those cells.

Of a large table, what a port takes is read by blocks from temporary files: texts are tokenised once
into one of integers; numbers lie in one as float64, standardized in another as float32. Arrays stay
where they are. In memory is one number a row for labels.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import prod

import numpy as np
from numpy.typing import NDArray

from studio.document import edits
from studio.document.edits import Fix
from studio.document.fitting import activated
from studio.document.model import Document
from studio.document.plan import ArrayColumn, Binding, ClassColumn, NumberColumns, TextColumn
from studio.document.preprocess import (
    PADDING,
    Fitted,
    FittedClasses,
    FittedNumbers,
    FittedText,
    divided,
    encode_numbers,
    encode_text,
    fit_numbers,
    fit_text,
    numbers_from,
    one_hot,
    unfitted_numbers,
)
from studio.document.vocabularies import text_mates
from studio.engine.program import Array
from studio.problem import Problem, ProblemError
from studio.train.array_files import LARGE
from studio.train.arrays import Column, OneHots, Packed
from studio.train.cells import Stripped, filled
from studio.train.ports import DataPort
from studio.train.streamed import Streamed, blocks, column_of, extremes
from studio.train.tables import LARGEST_NUMBER, Table, shape_text


def refit(fitted: Fitted, binding: Binding) -> Fitted | None:
    """What was learnt, for columns that may have other names; None if anything else changed."""
    match fitted, binding:
        case FittedText(), TextColumn() if (
            replace(fitted.binding, column=binding.column) == binding
        ):
            return replace(fitted, binding=binding)
        case FittedClasses(), ClassColumn():
            return replace(fitted, binding=binding)
        case FittedNumbers(), NumberColumns() if (
            len(fitted.mean) == len(binding.columns)
            and fitted.binding.standardize == binding.standardize
        ):
            return replace(fitted, binding=binding)
    return None


# -- texts ---------------------------------------------------------------------------------------


def fitted_text(
    document: Document,
    port: DataPort,
    binding: TextColumn,
    table: Table,
    train: NDArray[np.intp],
    known: Mapping[str, Fitted],
) -> FittedText:
    """The vocabulary of a text: what it, or another text of the same layer, learnt before; else
    what all texts of that layer learn together from the rows that train.
    """
    mates = text_mates(document, port.key)
    for key, mate in mates.items():
        before = refit(known[key], mate) if key in known else None
        if isinstance(before, FittedText):
            return replace(before, binding=binding)
    columns = [table.texts(column) for column in dict.fromkeys(m.column for m in mates.values())]
    return fit_text(binding, (cells[row] for cells in columns for row in train))


def encoded_text(table: Table, fitted: FittedText) -> Array | Streamed:
    """The texts of a column as integers, int32 (rows, length)."""
    cells = table.texts(fitted.binding.column)
    parts = (encode_text(fitted, cells[rows]) for rows in table.blocks())
    return column_of(filled(table.rows, parts, in_file=table.large))


def text_column(port: DataPort, fitted: FittedText, numbers: Array | Streamed) -> Column:
    """Encoded texts as the port takes them: integers, or one-hots, with zeros for padding."""
    if not fitted.binding.one_hot:
        return numbers.astype(port.spec.dtype)
    depth = fitted.binding.vocabulary_size
    return OneHots(applied(partial(_places, depth), numbers), depth)


def _places(depth: int, numbers: Array) -> Array:
    return np.where(numbers == PADDING, depth, numbers).astype(np.min_scalar_type(depth))


def applied(encode: Callable[[Array], Array], column: Array | Streamed) -> Array | Streamed:
    """What becomes of a column, sample by sample; one in a file becomes another in a file."""
    if not isinstance(column, Streamed):
        return encode(column)
    parts = (encode(block) for _, block in blocks(column))
    return column_of(filled(len(column), parts, in_file=True))


# -- arrays --------------------------------------------------------------------------------------


def array_column(document: Document, port: DataPort, table: Table, binding: ArrayColumn) -> Column:
    """A column of arrays as the port takes them; bytes stay bytes until a batch is taken.

    Raises:
        ProblemError: the column is missing or of cells, its arrays are of another size or hold
            what the port cannot take.
    """
    values = column_of(table.array(binding.column))
    wrong = _size_problem(document, port, table, binding, values)
    raise_any([wrong] if wrong else [])
    raise_any(_array_problems(port, table, binding, values))
    if port.integers or (binding.divisor == 1 and values.dtype == port.spec.dtype):
        return shaped(port, values)
    return Packed(values, partial(_divided, port, binding.divisor))


def _divided(port: DataPort, divisor: float, values: Array) -> Array:
    return _shaped(port, divided(values, divisor))


def _size_problem(
    document: Document,
    port: DataPort,
    table: Table,
    binding: ArrayColumn,
    values: Array | Streamed,
) -> Problem | None:
    """Arrays with more or fewer numbers than the port takes, or of texts."""
    about = {"file": table.name, "column": binding.column}
    if values.dtype.kind == "U":
        return port.problem("array_of_texts", **about)
    shape, sizes = values.shape[1:], port.spec.shape[1:]
    fits = prod(shape) == port.width or (
        len(shape) == len(sizes)
        and all(a == b or isinstance(b, str) for a, b in zip(shape, sizes, strict=True))
    )
    if fits:
        return None
    args = {"received": shape_text(shape), "expected": shape_text(sizes), **about}
    if port.loss:
        return port.problem("array_size", **args)
    layer = document.graph.calls[port.call].layer
    edit = edits.setting(layer, shape=shape)
    return port.problem("array_size", Fix("input_shape", edit, args), **args)


def _array_problems(
    port: DataPort, table: Table, binding: ArrayColumn, values: Array | Streamed
) -> list[Problem]:
    """The first number that the port cannot take, of each kind of misfit."""
    low, high = _range(port, binding)
    if values.dtype.kind == "u" and low <= 0 and np.iinfo(values.dtype).max <= high:
        return []  # bytes of pictures: many, and never wrong
    problems: dict[str, Problem] = {}
    for start, block in blocks(values):
        flat = block.reshape(len(block), -1)
        checks = [("array_value", ~((flat >= low) & (flat <= high)))]  # a NaN is neither
        if port.integers and flat.dtype.kind == "f":
            checks.append(("array_not_whole", flat != np.floor(flat)))
        for code, wrong in checks:
            for row in np.flatnonzero(wrong.any(axis=1))[:1].tolist():
                value = flat[row][np.argmax(wrong[row])].item()
                args = {"received": value, "expected": f"{low:.4g}…{high:.4g}"}
                at = table.place(start + row)
                place = {"file": table.name, "column": binding.column, "row": at}
                problems.setdefault(code, port.problem(code, **args, **place))
    return list(problems.values())


def _range(port: DataPort, binding: ArrayColumn) -> tuple[float, float]:
    """The least and the largest number a port takes from an array, before it is divided."""
    if port.integers:
        bounds = np.iinfo(port.spec.dtype)
        return (0, port.limit - 1) if port.limit else (bounds.min, bounds.max)
    if _each_a_probability(port):
        return min(0.0, binding.divisor), max(0.0, binding.divisor)
    return -LARGEST_NUMBER, LARGEST_NUMBER


# -- numbers -------------------------------------------------------------------------------------


def number_matrix(table: Table, columns: Sequence[str]) -> Array | Streamed:
    """Number columns side by side, float64 (rows, columns); raises all their problems."""
    return column_of(table.matrix(columns))


def fitted_numbers(
    binding: NumberColumns, values: Array | Streamed, train: NDArray[np.intp]
) -> FittedNumbers:
    """What the rows that train teach: see `fit_numbers`, which this equals to rounding."""
    if not binding.standardize:
        return unfitted_numbers(binding)
    some = values[train]
    if not isinstance(some, Streamed):
        return fit_numbers(binding, some)
    mean, least, most = (np.zeros(some.shape[1]) for _ in range(3))
    for start, block in blocks(some):
        mean += block.sum(axis=0) / len(some)
        first = block[0] if start == 0 else least
        least = np.minimum(first, block.min(axis=0))
        most = np.maximum(block[0] if start == 0 else most, block.max(axis=0))
    squares = sum(((block - mean) ** 2).sum(axis=0) for _, block in blocks(some))
    return numbers_from(binding, mean, np.sqrt(squares / len(some)), least, most)


def encoded_numbers(fitted: FittedNumbers, values: Array | Streamed) -> Array | Streamed:
    """Number columns, standardized if wanted: float64, or float32 in a file."""
    if not fitted.binding.standardize:
        return values
    if isinstance(values, Streamed):
        return applied(partial(_standardized, fitted), values)
    return encode_numbers(fitted, values)


def _standardized(fitted: FittedNumbers, values: Array) -> Array:
    return encode_numbers(fitted, values).astype(np.float32)


def value_problems(
    port: DataPort, table: Table, binding: NumberColumns, values: Array | Streamed
) -> list[Problem]:
    """Numbers that a port cannot take: fractions among integers, values out of range."""
    problems = []
    for code, wrong, expected in _value_checks(port, binding):
        found: dict[int, list[int]] = {}
        for start, block in blocks(values):
            rows, numbers = np.nonzero(wrong(block))
            for row, number in zip((rows + start).tolist(), numbers.tolist(), strict=True):
                found.setdefault(number, []).append(row)
        for number, places in sorted(found.items()):
            problem = table.misfit(code, binding.columns[number], places)
            args = {**problem.args, "port": port.name, "expected": expected}
            problems.append(replace(problem, args=args))
    return problems


_Check = tuple[str, Callable[[Array], Array], str]  # what is wrong, where, what is expected


def _value_checks(port: DataPort, binding: NumberColumns) -> list[_Check]:
    if port.integers:
        bounds = np.iinfo(port.spec.dtype)
        low, high = (0, port.limit - 1) if port.limit else (int(bounds.min), int(bounds.max))
        return [
            ("cell_not_whole", lambda values: values != np.floor(values), ""),
            ("cell_outside", lambda v: (v < low) | (v > high), f"{low}…{high}"),
        ]
    if _each_a_probability(port) and not binding.standardize:
        return [("cell_outside", lambda values: (values < 0) | (values > 1), "0…1")]
    return []


def _each_a_probability(port: DataPort) -> bool:
    return port.loss is not None and port.loss.probabilities == "each"


def unreachable_problems(
    document: Document, port: DataPort, values: Array | Streamed
) -> list[Problem]:
    """A warning of targets that an output's activation never gives."""
    if port.range is None or port.integers or not len(values):
        return []
    least, most = extremes(values)
    if port.range.holds(least, most):
        return []
    args = {"received": f"{least:.4g} … {most:.4g}", "expected": port.range, "name": port.name}
    problem = port.problem("target_unreachable", activated(document, port.range, "linear"), **args)
    return [replace(problem, severity="warning")]


def unseen_problems(
    port: DataPort,
    table: Table,
    binding: ClassColumn,
    fitted: FittedClasses,
    classes: NDArray[np.int32],
    before: bool,
) -> list[Problem]:
    """Labels no training row has; `before` says that the classes come from an earlier training."""
    rows = np.flatnonzero(classes < 0).tolist()
    if not rows:
        return []
    problem = table.misfit("label_unlearnt" if before else "label_unseen", binding.column, rows)
    names = ", ".join(fitted.names[:20]) + ("…" if len(fitted.names) > 20 else "")
    return [replace(problem, args={**problem.args, "port": port.name, "expected": names})]


def class_array(port: DataPort, fitted: FittedClasses, classes: NDArray[np.int32]) -> Column:
    """Classes as the port takes them: (rows, 1) numbers, or (rows, classes) one-hot.

    Where those were large, they are made batch by batch.
    """
    count = len(fitted.names)
    if not fitted.binding.one_hot:
        return _shaped(port, classes[:, None])
    if 4 * len(classes) * count > LARGE:
        return Packed(classes, partial(_one_hot, port, count))
    return _one_hot(port, count, classes)


def _one_hot(port: DataPort, count: int, classes: NDArray[np.int32]) -> Array:
    return _shaped(port, one_hot(classes, count))


def shaped(port: DataPort, values: Array | Streamed) -> Array | Streamed:
    """In the port's dtype and shape, one sample a row."""
    if isinstance(values, Streamed):
        sizes = _shaped(port, np.zeros((1, *values.sizes))).shape[1:]
        return values.astype(port.spec.dtype).sized(*sizes)
    return _shaped(port, values)


def _shaped(port: DataPort, values: Array) -> Array:
    sizes = [size if isinstance(size, int) else -1 for size in port.spec.shape[1:]]
    return np.ascontiguousarray(values.reshape(len(values), *sizes), port.spec.dtype)


def labels(table: Table, column: str) -> Sequence[str]:
    """The labels of a column, without spaces around them."""
    cells = table.texts(column)
    return Stripped(cells) if table.large else [cell.strip() for cell in cells]


def raise_any(problems: list[Problem]) -> None:
    """Raise these problems, if there are any."""
    if problems:
        raise ProblemError(problems)
