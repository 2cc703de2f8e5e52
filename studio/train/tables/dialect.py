"""How a table in a text is written: what parts its cells, quotes them, and names its columns."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice, zip_longest
from typing import Any

from studio.document.plan import Reading
from studio.document.preprocess import is_gap
from studio.train.tables.kinds import kind_of

DELIMITERS = (",", ";", "\t", "|")
NO_QUOTE = "none"
ESCAPED = '\\"'  # cells quoted by ", and quotes inside them written \" instead of doubled
SPACED = ' "'  # the same, where a space may stand before
FURTHEST = 20  # lines above a table that may be a title
JUDGED = 500  # records by which a dialect is judged
SCORED = 2000  # cells that tell how many are numbers
JUDGED_CELLS = 40_000  # fewer records, if they are so wide

_COMMA = re.compile(r"\s*[-+]?(?:\d+|\d{1,3}(?:\.\d{3})+),\d+(?:[eE][-+]?\d+)?\s*")
_POINT = re.compile(r"\s*[-+]?\d+\.\d+(?:[eE][-+]?\d+)?\s*")
_SEP = re.compile(r"sep=([,;\t|])\s*$")  # Excel's way to name the delimiter
_YEAR = re.compile(r"(?:19|20)\d\d")

TELLING = frozenset(("number", "date", "image", "sequence"))  # kinds that no name is by chance

Records = list[list[str]]


def dialect_of(text: str, reading: Reading, whole: bool) -> tuple[Reading, int]:
    """The reading with delimiter, quote, decimal sign and header found out, where it leaves them.

    And how many lines stand above the table: titles, comments, ``sep=;``, and blank ones.

    Args:
        text: the start of the table.
        reading: what is settled already.
        whole: whether that is all of it; else its last line may be cut off.
    """
    lines = list(io.StringIO(text, newline=""))
    lines = lines if whole or len(lines) < 2 else lines[:-1]
    above = next((n for n, line in enumerate(lines) if line.strip()), 0)
    if said := _SEP.match(lines[above] if lines else ""):
        above += 1
        reading = replace(reading, delimiter=reading.delimiter or said[1])
    else:
        above += _title(lines[above:], reading)
    reading, records = _parted(lines[above:], reading)
    if not reading.decimal:
        comma = reading.delimiter != "," and _decimal_commas(records)
        reading = replace(reading, decimal="," if comma else ".")
    if reading.header == "detect":
        if reading.decimal == ",":
            records = [[with_point(cell) for cell in record] for record in records]
        reading = replace(reading, header="yes" if has_header(records) else "no")
    return reading, above


def settings(reading: Reading) -> dict[str, Any]:
    """What `csv.reader` is told."""
    plain, escaped = reading.quote == NO_QUOTE, reading.quote == ESCAPED
    return {
        "delimiter": reading.delimiter,
        "quotechar": None if plain else reading.quote[-1],
        "escapechar": "\\" if escaped else None,
        "doublequote": not escaped,
        "quoting": csv.QUOTE_NONE if plain else csv.QUOTE_MINIMAL,
        "skipinitialspace": reading.delimiter == " " or reading.quote == SPACED,
        "strict": True,
    }


def with_point(cell: str) -> str:
    """A number with a decimal comma as one with a decimal point; any other cell as it is."""
    if "," in cell and _COMMA.fullmatch(cell):
        return cell.replace(".", "").replace(",", ".")
    return cell


def _title(lines: Sequence[str], reading: Reading) -> int:
    """How many lines of one cell stand above a table that is wider."""
    delimiters = (reading.delimiter,) if reading.delimiter else DELIMITERS
    trials = [replace(reading, delimiter=d, quote=reading.quote or '"') for d in delimiters]
    parsed = [(trial, records) for trial in trials if (records := _records(lines, trial))]
    wide = [records for _, records in parsed if len(records[0]) > 1]
    if any(all(fits(record, len(records[0])) for record in records) for records in wide):
        return 0
    for trial, records in parsed:
        widths = [len(record) for record in records]
        width = max(set(widths), key=widths.count)
        first = widths.index(width)
        even = sum(fits(record, width) for record in records[first:])
        alone = 0 < first <= FURTHEST and set(widths[:first]) == {1}
        if width > 1 and alone and len(records) - first == even > 1:
            above = _lines_before(lines, trial, first)
            apart = any(not line.strip() or line.startswith("#") for line in lines[:above])
            return above if apart or _votes(records[first:]) > 0 else 0
    return 0


def _lines_before(lines: Sequence[str], reading: Reading, number: int) -> int:
    """How many lines stand before a record, counted from 0 without blank ones."""
    reader, before, seen = csv.reader(lines, **settings(reading)), 0, 0
    for record in reader:
        if record and seen == number:
            break
        seen += bool(record)
        before = reader.line_num
    return before


# -- delimiter and quotes ------------------------------------------------------------------------


def _parted(lines: Sequence[str], reading: Reading) -> tuple[Reading, Records]:
    """The delimiter and the quote under which the most records are as long as the first."""
    best: tuple[float, ...] = ()
    found, kept = reading, Records()
    for delimiter in _delimiters(lines, reading.delimiter):
        for trial, records in _quotings(lines, replace(reading, delimiter=delimiter)):
            score = _score(records, trial.quote)
            if score > best and (len(records[0]) > 1 or reading.delimiter):
                best, found, kept = score, trial, records
    return (found, kept) if best else _unparted(lines, reading)


def _quotings(lines: Sequence[str], reading: Reading) -> Iterator[tuple[Reading, Records]]:
    """What the records are by each quote that may be meant.

    By ``'`` if all of the first record but numbers are in such; after a space if else records are
    uneven. If the quoting is broken, with ``\\"`` inside, or not at all where ``"`` stands around
    few cells.
    """
    plain = replace(reading, quote=reading.quote or '"')
    found = _records(lines, plain)
    if found:
        yield plain, found
    if reading.quote or not lines:
        return
    by = {quote: replace(reading, quote=quote) for quote in ("'", SPACED, ESCAPED, NO_QUOTE)}
    bare = _records(lines[:1], by[NO_QUOTE]) or [[]]
    names = [cell for cell in bare[0] if not _number(cell)]
    tried = ["'"] if names and all(_within(name, "'") for name in names) else []
    tried += [SPACED] if any(f'{reading.delimiter} "' in line for line in lines) else []
    if not found:
        tried += [ESCAPED] if any(ESCAPED in line for line in lines) else []
        tried += [NO_QUOTE]
    for quote in tried:
        records = _records(lines, by[quote])
        if records and all(fits(record, len(records[0])) for record in records):
            cells = [cell for record in records for cell in record if cell]
            if quote != NO_QUOTE or 10 * sum(_within(cell, '"') for cell in cells) < len(cells):
                yield by[quote], records


def _within(cell: str, quote: str) -> bool:
    return len(cell) > 1 and cell[0] == cell[-1] == quote


def _delimiters(lines: Sequence[str], given: str) -> Sequence[str]:
    """Those to try; spaces only between columns of numbers."""
    if given:
        return (given,)
    widths = {len(line.split()) for line in lines[1:JUDGED] if line.strip()}
    spaced = len(widths) == 1 and widths != {1}
    numbers = spaced and any(_number(part) for part in lines[1].split())
    likely = [delimiter for delimiter in DELIMITERS if lines and delimiter in lines[0]]
    return [*likely, " "] if numbers else likely


def _unparted(lines: Sequence[str], reading: Reading) -> tuple[Reading, Records]:
    """One column: a delimiter that parts none of its cells. Or no dialect, as reading it says."""
    first = lines[0] if lines else ""
    most = max(DELIMITERS, key=first.count)
    delimiters = [reading.delimiter] if reading.delimiter else [most, *DELIMITERS]
    trials = [replace(reading, delimiter=d, quote=reading.quote or '"') for d in delimiters]
    for trial in () if most in first else trials:
        records = _records(lines, trial)
        if records and all(len(record) == 1 for record in records):
            return trial, records
    return trials[0], _records(lines, trials[0]) or []


def _records(lines: Sequence[str], reading: Reading) -> Records | None:
    """The first records; None where the quoting is broken, or there are none."""
    found = Records()
    try:
        reader = csv.reader(lines, **settings(reading))
        found.extend(islice((record for record in reader if record), JUDGED))
    except csv.Error as error:
        if "end of data" not in str(error) or len(found) < 2:
            return None  # else the text is cut off within a quoted cell
    most = JUDGED_CELLS // max(1, len(found[0])) if found else 0
    return found[: max(20, most)] or None


def _score(records: Records, quote: str) -> tuple[float, ...]:
    """How even the records are; among equals, how many cells are numbers, then their width."""
    width = len(records[0])
    even = sum(fits(record, width) for record in records) / len(records)
    cells = list(islice(chain.from_iterable(records), SCORED))
    numbers = sum(map(_number, cells)) / len(cells)
    return (round(even, 1), quote == "'", round(numbers, 1), width)


def fits(record: Sequence[str], width: int) -> bool:
    """Whether a record is as long as the header, or only longer by empty cells."""
    return len(record) == width or (len(record) > width and not any(record[width:]))


def _number(cell: str) -> bool:
    return bool(_POINT.fullmatch(cell) or _COMMA.fullmatch(cell) or cell.strip().isdigit())


def _decimal_commas(records: Records) -> bool:
    cells = [cell for record in records for cell in record]
    commas = sum(_COMMA.fullmatch(cell) is not None for cell in cells)
    return commas > sum(_POINT.fullmatch(cell) is not None for cell in cells)


# -- header --------------------------------------------------------------------------------------


def has_header(records: Sequence[Sequence[str]]) -> bool:
    """Whether the first record names the columns, rather than being one of the rows.

    A column tells where its other cells are all numbers (dates, paths …) and its first is one
    as well, or is not; or where its first cell is one of the labels that are repeated below it. If
    no column tells, the first record is a header.
    """
    first, rest = records[0] if records else [], records[1:]
    if len(first) > 1 and rest and first in (_counted(first, 0), _counted(first, 1)):
        return True  # 0, 1, 2 …, as programs number columns without names
    return _votes(records) >= 0


def _votes(records: Sequence[Sequence[str]]) -> int:
    """How many columns more have a name in the first record than a cell like the others."""
    columns = zip_longest(*records, fillvalue="")
    return sum(_vote(head, cells) for head, *cells in columns)


def _counted(first: Sequence[str], skip: int) -> list[str]:
    """0, 1, 2 … for as many columns, after one without a name that holds the row's own."""
    return [""] * skip + [str(number) for number in range(len(first) - skip)]


def _vote(head: str, cells: Sequence[str]) -> int:
    """1: the first cell is a name; −1: it is a cell like the others; 0: it does not tell."""
    head = head.strip()
    if is_gap(head):
        return 0
    kind, own = (
        "number" if found == "integer" else found for found in (kind_of(cells), kind_of([head]))
    )
    if own in TELLING and own == (kind if cells else own):
        year = own == "number" and _YEAR.fullmatch(head) and not all(map(_YEAR.fullmatch, cells))
        return 1 if year and cells else -1
    if kind in TELLING:
        return 1
    repeated = len(set(cells)) <= max(2, len(cells) // 2)
    return -1 if repeated and head in cells else 0
