"""Reading tables from files and folders, kept until they change.

What a file is its name's end says: .parquet, .xlsx …, .json …, .npz, .npy; anything else is text.
The libraries that read a format are imported when the first file of it is.
"""

from functools import lru_cache
from pathlib import Path

from studio.document.plan import PastedSource, Reading
from studio.limits import PASTED, TABLE_BYTES
from studio.problem import ProblemError, refuse
from studio.text import text
from studio.train.tables.array_tables import beside, table_of_npy, table_of_npz
from studio.train.tables.delimited import detected_in_file, parse_table, table_of_text
from studio.train.tables.folders import called, listed, table_of_folder
from studio.train.tables.records import table_of_records
from studio.train.tables.table import Table

PEEKED = 1000  # rows
KINDS = {
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), "workbook"),
    **dict.fromkeys((".json", ".jsonl", ".ndjson"), "records"),
    ".npz": "npz",
    ".npy": "npy",
}


def read_table(path: Path, reading: Reading = Reading()) -> Table:
    """Read a table from a file or a folder; kept until that changes.

    Args:
        path: of text (CSV, TSV …; plain or gzipped), Parquet, a workbook, JSON records, .npz or
            .npy; or of a folder of pictures or texts. An .npy file makes a table of all such
            files in its folder, each a column by its name; it says how many rows there are.
        reading: what is not to be found out from the file.

    Raises:
        ProblemError: what is wrong with the file, naming it and, where there is one, the row.
    """
    return _table(path, reading, None)


def peek_table(path: Path, reading: Reading = Reading(), rows: int = PEEKED) -> Table:
    """The first rows of a table, read as `read_table` would, but without the rest of it.

    Of a folder they are some of every subfolder.

    Raises:
        ProblemError: as `read_table`, for what is wrong with those rows.
    """
    return _table(path, reading, rows)


def detected(path: Path, reading: Reading = Reading()) -> Reading:
    """How a file is read: what `reading` leaves open filled in; what does not concern it empty.

    Raises:
        ProblemError: the file cannot be read at all.
    """
    path = Path(path)
    try:
        kind = _kind(path)
        if kind == "workbook":
            from studio.train.tables.workbooks import detected_in_workbook

            return detected_in_workbook(path, reading, TABLE_BYTES)
        if kind != "text":
            return Reading(encoding=reading.encoding if kind in ("folder", "records") else "")
        return detected_in_file(path, reading, TABLE_BYTES)
    except OSError as error:
        raise _unreadable(path, error) from None


def pasted_table(source: PastedSource, folder: Path | None = None) -> Table:
    """The table that was pasted: as spreadsheets copy cells, parted by tabs, or as any text is.

    Args:
        source: has its text.
        folder: of the project it belongs to.

    Raises:
        ProblemError: ``pasted_too_large``, or as `read_table`.
    """
    if len(source.text) > PASTED:
        raise refuse("pasted_too_large", received=len(source.text), expected=PASTED)
    name = source.name or text("problems.pasted")
    data = source.text.encode(errors="replace")
    return parse_table(name, data, Reading(encoding="utf-8"), folder)


def _kind(path: Path) -> str:
    """What a file or folder is read as: by its name's end, else by its first bytes."""
    if path.is_dir():
        return "folder"
    known = KINDS.get(path.suffix.lower())
    if known:
        return known
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"\x93NUMPY"):
        return "npy"
    return "text"


def _table(path: Path, reading: Reading, rows: int | None) -> Table:
    path = Path(path)
    try:
        state = _state(path, rows)  # first: of links in a circle it says what is wrong
        return _read(path.resolve(), path.name, state, reading, rows)
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError) -> ProblemError:
    about = Path(error.filename) if isinstance(error.filename, str) else path
    within = path in about.parents  # something in a folder
    if isinstance(error, FileNotFoundError) and not within:
        return refuse("file_missing", file=called(path), path=str(path))
    name = str(about) if within else called(path)
    return refuse("file_unreadable", file=name, reason=error.strerror or str(error))


def _state(path: Path, rows: int | None) -> tuple[int, int, int]:
    """What changes with a file or folder: how many files there are, their size, the last time."""
    if "\0" in str(path):
        raise OSError(0, text("problems.reason_not_a_file"))
    if path.is_dir():
        files = listed(path, rows)
        times = [file.modified for file in files]
        return len(files), sum(file.size for file in files), max(times, default=0)
    if path.exists() and not path.is_file():
        raise OSError(0, text("problems.reason_not_a_file"))
    states = [file.stat() for file in (path, *beside(path))]
    return len(states), sum(s.st_size for s in states), max(s.st_mtime_ns for s in states)


@lru_cache(maxsize=8)
def _read(
    path: Path, name: str, state: tuple[int, int, int], reading: Reading, rows: int | None
) -> Table:
    match _kind(path):
        case "folder":
            return table_of_folder(path, reading, rows)
        case "npz":
            return table_of_npz(path, TABLE_BYTES)
        case "npy":
            return table_of_npy(path)
        case "parquet":
            from studio.train.tables.columnar import table_of_parquet

            return table_of_parquet(path, rows)
        case "workbook":
            from studio.train.tables.workbooks import table_of_workbook

            return table_of_workbook(path, reading, TABLE_BYTES, rows)
        case "records":
            return table_of_records(path, reading, rows)
    return table_of_text(path, reading, TABLE_BYTES, rows)
