"""Cells in which a spreadsheet shows an error instead of a value."""

import re

UNCALCULATED = "#UNCALCULATED!"  # a formula whose value the workbook does not hold
_UNKNOWN = "#ERROR!"  # what an error is called that has a name of some language
_NAMES = (
    *("#DIV/0!", "#REF!", "#NAME?", "#VALUE!", "#NUM!", "#NULL!", "#N/A", "#GETTING_DATA"),
    *("#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!", "#CONNECT!", "#UNKNOWN!", "#BUSY!", "#PYTHON!"),
    *(_UNKNOWN, UNCALCULATED),
)
_ERROR = re.compile(rf"\s*+(?:{'|'.join(map(re.escape, _NAMES))}|Err:\d{{3}})\s*+")


def is_error(cell: str) -> bool:
    """Whether a cell is the name of an error, as Excel or LibreOffice shows it, and nothing else.

    They stand in workbooks and in what was saved of them as text. ``#N/A`` is a gap as well.
    """
    return _ERROR.fullmatch(cell) is not None


def error_cell(shown: str) -> str:
    """The text of a cell that is known to hold an error, from what it shows."""
    return shown.strip() if is_error(shown) else _UNKNOWN
