"""Tables, and reading them from the files and folders in which people have them."""

from studio.train.tables.kinds import LARGEST_NUMBER, Kind
from studio.train.tables.reading import detected, pasted_table, peek_table, read_table
from studio.train.tables.sources import fingerprint, pasted_source, table_source
from studio.train.tables.table import Table, shape_text

__all__ = [
    "LARGEST_NUMBER",
    "Kind",
    "Table",
    "detected",
    "fingerprint",
    "pasted_source",
    "pasted_table",
    "peek_table",
    "read_table",
    "shape_text",
    "table_source",
]
