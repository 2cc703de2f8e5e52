"""Texts as integers, or as one-hots."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from studio.document.model import Document
from studio.document.plan import TextColumn
from studio.document.preprocess import (
    PADDING,
    UNKNOWN,
    Fitted,
    FittedText,
    encode_text,
    fit_text,
    refit,
)
from studio.document.vocabularies import text_mates
from studio.engine.program import Array
from studio.problem import Problem
from studio.train.arrays import Column, OneHots
from studio.train.cells import filled
from studio.train.encoding.common import applied, told_blocks, told_rows
from studio.train.ports import DataPort
from studio.train.streamed import Streamed, blocks, column_of
from studio.train.tables import Table


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
        before = refit(known.get(key), mate)
        if isinstance(before, FittedText):
            return replace(before, binding=binding)
    columns = [table.texts(column) for column in dict.fromkeys(m.column for m in mates.values())]
    return fit_text(binding, (cells[row] for cells in columns for row in told_rows(train)))


def encoded_text(table: Table, fitted: FittedText) -> Array | Streamed:
    """The texts of a column as integers, int32 (rows, length)."""
    cells = table.texts(fitted.binding.column)
    parts = (encode_text(fitted, cells[rows]) for rows in told_blocks(table))
    return column_of(filled(table.rows, parts, in_file=table.large))


def text_column(port: DataPort, fitted: FittedText, numbers: Array | Streamed) -> Column:
    """Encoded texts as the port takes them: integers, or one-hots, with zeros for padding."""
    if not fitted.binding.one_hot:
        return numbers.astype(port.spec.dtype)
    depth = fitted.binding.vocabulary_size
    return OneHots(applied(partial(_places, depth), numbers), depth)


def _places(depth: int, numbers: Array) -> Array:
    return np.where(numbers == PADDING, depth, numbers).astype(np.min_scalar_type(depth))


def stranger_problems(
    port: DataPort, binding: TextColumn, encoded: Array | Streamed
) -> list[Problem]:
    """A warning where a vocabulary learnt before, from other texts, lacks most words of these."""
    words = sum(int(np.count_nonzero(block)) for _, block in blocks(encoded))
    unknown = sum(int(np.count_nonzero(block == UNKNOWN)) for _, block in blocks(encoded))
    if 2 * unknown <= words:
        return []
    percent = round(100 * unknown / words)
    problem = port.problem("words_unknown", column=binding.column, percent=percent)
    return [replace(problem, severity="warning")]
