"""Text tables: CSV, TSV and their kin, plain or gzipped.

What the encoding is, what parts cells, and whether the first row names the columns is found out
from the start of the text, where it is not said. Text of more than `LARGE_TEXT` bytes is read
once, by blocks, into a temporary file of cells; of such a table no more is in memory than some
blocks, and whatever has one number a row.
"""

import codecs
import csv
import gzip
import io
import os
import zlib
from array import array as numbers_of
from collections.abc import Callable, Iterable, Iterator, MutableSequence, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import IO

from studio import garbage
from studio.document.plan import Reading
from studio.limits import CELL, COLUMNS, PACKED_BYTES, PACKED_RATIO
from studio.problem import Problem, ProblemError, refuse
from studio.progress import tell
from studio.train.cells import Block, Spool, gathered, rows_of_block
from studio.train.tables.dialect import (
    ESCAPED,
    NO_QUOTE,
    SPACED,
    dialect_of,
    fits,
    settings,
    with_point,
)
from studio.train.tables.encodings import codec_of, encoding_of, known_encoding, not_text
from studio.train.tables.headers import named, numbered
from studio.train.tables.table import Table
from studio.train.tables.values import compact

LARGE_TEXT = 2**24  # bytes; short cells take thirty times as many in memory
SAMPLE = 2**18  # bytes by which a text is judged
_BLANK_LINES = 100_000  # above a table; what has more is none
_DAMAGED = (gzip.BadGzipFile, EOFError, zlib.error)


def table_of_text(path: Path, reading: Reading, most: int, rows: int | None = None) -> Table:
    """The table in a text file, or its first rows.

    Args:
        path: of the file.
        reading: what is said of it.
        most: bytes that a compressed file may hold.
        rows: how many are wanted; all if None.
    """
    size = path.stat().st_size
    with path.open("rb") as raw:
        stream = _unzipped(path.name, raw, most)
        try:
            found, above = detected_in(path.name, stream, reading)
            if rows is None and isinstance(stream, _Bounded):
                stream.go_through()  # before its cells are kept, which takes far longer
            large = rows is None and (size > LARGE_TEXT or _longer(stream, LARGE_TEXT))
            text = Text(path.name, stream, found, above, partial(_told, raw, size))
            return text.table(large, rows, path.parent)
        except _DAMAGED as error:
            raise refuse("file_unreadable", file=path.name, reason=str(error)) from None


def _told(raw: IO[bytes], size: int) -> None:
    tell("reading", raw.tell(), size)


def detected_in_file(path: Path, reading: Reading, most: int) -> Reading:
    """How a text file is read: what was found out of it."""
    with path.open("rb") as raw:
        try:
            return detected_in(path.name, _unzipped(path.name, raw, most), reading)[0]
        except _DAMAGED as error:
            raise refuse("file_unreadable", file=path.name, reason=str(error)) from None


def parse_table(
    name: str, data: bytes, reading: Reading = Reading(), folder: Path | None = None
) -> Table:
    """A table from the bytes of a text called `name`; see `read_table`."""
    stream = io.BytesIO(data)
    return Text(name, stream, *detected_in(name, stream, reading)).table(folder=folder)


def detected_in(name: str, stream: IO[bytes], reading: Reading) -> tuple[Reading, int]:
    """The reading with what was left open found out from the start of a text; see `dialect_of`.

    Raises:
        ProblemError: ``file_not_text``; ``reading_encoding``, ``reading_delimiter``,
            ``reading_quote``, ``reading_decimal``: what no text can be read with.
    """
    _check(name, reading)
    stream.seek(0)
    data = stream.read(SAMPLE)
    whole = len(data) < SAMPLE
    if not reading.encoding:
        if not_text(data, whole):
            raise refuse("file_not_text", file=name)
        later = b"" if whole else _later(stream)
        reading = replace(reading, encoding=encoding_of(data, whole, later))
    decoder = codecs.getincrementaldecoder(codec_of(reading.encoding))("replace")
    try:
        start = decoder.decode(data)
    except UnicodeError:  # the first bytes are no mark of UTF-16 or UTF-32
        raise refuse("file_undecodable", file=name, received=reading.encoding, row=1) from None
    return dialect_of(start, reading, whole)


def _later(stream: IO[bytes]) -> bytes:
    """Lines from the middle and the end of a text; none of a zipped one, which has no middle."""
    if isinstance(stream, _Bounded):
        return b""
    size = stream.seek(0, os.SEEK_END)
    found = b""
    for start in (max(SAMPLE, size // 2), max(SAMPLE, size - SAMPLE)):
        stream.seek(start)
        part = stream.read(SAMPLE)
        found += part[part.find(b"\n") + 1 : part.rfind(b"\n") + 1]
    return found


def _check(name: str, reading: Reading) -> None:
    if reading.encoding and not known_encoding(reading.encoding):
        raise refuse("reading_encoding", file=name, received=reading.encoding)
    quote = "" if reading.quote in (NO_QUOTE, ESCAPED, SPACED) else reading.quote
    for field, value in (("delimiter", reading.delimiter), ("quote", quote)):
        if len(value) > 1 or (value and value in "\r\n"):
            raise refuse(f"reading_{field}", file=name, received=value)
    if reading.decimal not in ("", ".", ","):
        raise refuse("reading_decimal", file=name, received=reading.decimal)


def _unzipped(name: str, raw: IO[bytes], most: int) -> IO[bytes]:
    zipped = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    if not zipped:
        return raw
    size = raw.seek(0, os.SEEK_END)
    raw.seek(0)
    most = min(most, PACKED_BYTES + PACKED_RATIO * size)
    return _Bounded(name, gzip.GzipFile(fileobj=raw), most)  # type: ignore[return-value, arg-type]


def _longer(stream: IO[bytes], size: int) -> bool:
    """Whether a stream holds more than so many bytes."""
    stream.seek(0)
    return len(stream.read(size + 1)) > size


class Text:
    """One text that holds a table.

    Args:
        name: what messages call it.
        stream: its bytes.
        reading: how to read it, nothing left open.
        above: lines above the table.
        told: called now and then while it is read.
    """

    def __init__(
        self,
        name: str,
        stream: IO[bytes],
        reading: Reading,
        above: int = 0,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        self.name, self.stream, self.reading, self.told = name, stream, reading, told
        self._above = above

    def table(
        self, large: bool = False, count: int | None = None, folder: Path | None = None
    ) -> Table:
        """The table, its cells in a temporary file if it is large; or its first `count` rows."""
        self.stream.seek(0)
        places = numbers_of("q")
        opened = io.TextIOWrapper(self.stream, codec_of(self.reading.encoding), newline="")
        # A million rows are a million lists, which the collector would look at again and again.
        with opened as text, garbage.uncollected():
            header, warnings, blocks = self._opened(text, count, places)
            columns: dict[str, Sequence[str]]
            if large:
                spool = Spool(blocks)
                columns = {title: spool.column(n) for n, title in enumerate(header)}
            else:
                columns = dict(zip(header, gathered(blocks, len(header)), strict=True))
        return Table(self.name, columns, compact(places), folder=folder, warnings=warnings)

    def _opened(
        self, text: io.TextIOWrapper, count: int | None, places: MutableSequence[int]
    ) -> tuple[list[str], tuple[Problem, ...], Iterator[Block]]:
        """The names of the columns, and the rows by blocks, at least one row.

        As rows are read, their numbers go to `places`.
        """
        try:
            titles = [line.strip() for line in islice(text, self._above)]
        except UnicodeDecodeError:
            raise self._undecodable() from None
        records = self._records(text, count)
        opening = (
            (n, block[0])
            for n, block in islice(records, _BLANK_LINES)
            if any(map(str.strip, block[0]))
        )
        start, first = next(opening, (0, []))
        if not first:
            raise refuse("file_empty", file=self.name)
        if len(first) > COLUMNS:
            about = {"received": len(first), "expected": COLUMNS}
            raise refuse("file_too_wide", file=self.name, **about)
        warnings: Sequence[Problem] = ()
        if self.reading.header == "no":
            header = numbered(len(first))
            records = chain([(start, [first])], records)
        else:
            header, warnings = named(self.name, first)
        blocks = self._rows(records, len(header), count, places)
        some = next(blocks, None)
        if some is None:
            raise refuse("file_without_rows", file=self.name)
        return header, (*self._left_out(titles), *warnings), chain([some], blocks)

    def _left_out(self, titles: Sequence[str]) -> Iterator[Problem]:
        for row, title in enumerate(titles, 1):
            if title and not title.startswith("sep="):
                args = {"file": self.name, "row": row, "received": title[:60]}
                yield Problem("title_left_out", args=args, severity="warning")

    def _rows(
        self,
        records: Iterator[tuple[int, Block]],
        width: int,
        count: int | None,
        places: MutableSequence[int],
    ) -> Iterator[Block]:
        """Blocks of rows as long as the header."""
        point = self.reading.decimal == ","
        for start, block in records:
            numbers: Iterable[int] = range(start, start + len(block))
            if set(map(len, block)) != {width}:
                numbers = [n for n, record in zip(numbers, block, strict=True) if record]
                block = [record for record in block if record]
                self._refuse_ragged(numbers, block, width)
                block = [record[:width] for record in block]
            rest = len(block) if count is None else count - len(places)
            places.extend(islice(numbers, rest))
            block = block[:rest]
            if point:
                block = [[with_point(cell) for cell in record] for record in block]
            if block:
                yield block
            self.told()
            if count is not None and len(places) >= count:
                return

    def _refuse_ragged(self, numbers: Iterable[int], block: Block, width: int) -> None:
        for number, record in zip(numbers, block, strict=True):
            if not fits(record, width):
                args = {"row": number, "received": len(record), "expected": width}
                raise refuse("row_ragged", file=self.name, **args)

    def _records(self, text: io.TextIOWrapper, count: int | None) -> Iterator[tuple[int, Block]]:
        """The records by blocks, numbered from 1; blank lines are empty records.

        To the first that is not blank, each is a block, so that the header stands alone. If only
        the first `count` are wanted, blocks are no longer.
        """
        csv.field_size_limit(CELL)
        reader = csv.reader(text, **settings(self.reading))
        number, size, opened = self._above + 1, 1, False
        while True:
            block: list[list[str]] = []
            try:
                block.extend(islice(reader, size))  # keeps what came before an error
            except csv.Error as error:
                row = number + len(block)
                if "field limit" in str(error):
                    most = CELL // 2**20
                    raise refuse("cell_too_long", file=self.name, row=row, expected=most) from None
                raise refuse("file_malformed", file=self.name, row=row, reason=error) from None
            except UnicodeDecodeError:
                raise self._undecodable() from None
            if not block:
                return
            yield number, block
            number += len(block)
            opened = opened or any(map(str.strip, chain.from_iterable(block)))
            size = rows_of_block(block) if opened else 1
            size = size if count is None else max(1, min(size, count))

    def _undecodable(self) -> ProblemError:
        """What to say where the first bytes are that the encoding does not know."""
        self.stream.seek(0)
        decoder = codecs.getincrementaldecoder(codec_of(self.reading.encoding))()
        line = 1
        try:
            while data := self.stream.read(SAMPLE):
                line += decoder.decode(data).count("\n")
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            before = bytes(error.object[: error.start])
            line += before.decode(codec_of(self.reading.encoding), "replace").count("\n")
        about = {"received": self.reading.encoding, "row": line}
        return refuse("file_undecodable", file=self.name, **about)


class _Bounded(io.BufferedIOBase):
    """An unpacked stream, of which no more than so many bytes are read.

    Nor a line that no table has: a small file can hold one as long as all of them.
    """

    def __init__(self, name: str, stream: IO[bytes], most: int) -> None:
        self._name, self._stream, self._most = name, stream, most
        self._read = self._line = 0  # bytes in all, and since a line began

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._read = self._line = 0
        return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def read(self, size: int | None = -1) -> bytes:
        return self._counted(self._stream.read(-1 if size is None else size))

    def read1(self, size: int = -1) -> bytes:
        return self._counted(self._stream.read1(size))  # type: ignore[attr-defined]

    def go_through(self) -> None:
        """Unpack all of it, a piece at a time, and keep nothing.

        Raises:
            ProblemError: ``file_too_large``, ``line_too_long``.
        """
        self.seek(0)
        while self.read(SAMPLE):
            pass

    def _counted(self, data: bytes) -> bytes:
        self._read += len(data)
        begun = max(data.rfind(b"\n"), data.rfind(b"\r"))
        self._line = len(data) - begun if begun >= 0 else self._line + len(data)
        if self._line > 4 * CELL:
            raise refuse("line_too_long", file=self._name, expected=4 * CELL // 2**20)
        if self._read > self._most:
            raise refuse("file_too_large", file=self._name, expected=self._most // 2**20)
        return data
