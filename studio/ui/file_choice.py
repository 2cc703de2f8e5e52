"""Asking for a file or a folder with a table."""

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from studio.text import text

_PATTERNS = (
    *("*.csv", "*.csv.gz", "*.tsv", "*.tsv.gz", "*.txt", "*.gz", "*.parquet", "*.pq"),
    *("*.xlsx", "*.xlsm", "*.xlsb", "*.xls", "*.ods"),
    *("*.json", "*.jsonl", "*.ndjson", "*.npz", "*.npy"),
)


def ask_file(parent: QWidget, start: Path, name: str = "") -> Path | None:
    """A file of the user's choice, from a folder on; `name` is the one that is looked for."""
    tables, others = text("training.tables"), text("training.all_files")
    filters = f"{tables} ({' '.join(_PATTERNS)});;{others} (*)"
    chosen, _ = QFileDialog.getOpenFileName(parent, _title("open_file", name), str(start), filters)
    return Path(chosen) if chosen else None


def ask_folder(parent: QWidget, start: Path, name: str = "") -> Path | None:
    """Likewise, a folder."""
    chosen = QFileDialog.getExistingDirectory(parent, _title("open_folder", name), str(start))
    return Path(chosen) if chosen else None


def _title(key: str, name: str) -> str:
    return text("data.where_is", name=name) if name else text(f"data.{key}")
