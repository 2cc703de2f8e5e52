"""Files of which a damaged one can end the process that reads it, gone through in another first.

Q: What could they do?
A: The libraries that read Parquet and workbooks give memory to whatever a file says it holds, and
   end the process where there is not so much; two cells at the corners of a sheet are a sheet of
   17 thousand million. Whoever reads such a file holds a model that somebody works on, or trains.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

from studio import apart
from studio.problem import ProblemError, refuse

MEMORY = 2**28  # bytes, and so many times the size of a file
TIMES = 64
SECONDS = 60  # and one for so many bytes
PACE = 2**20


def expect_sound(path: Path, rows: int | None = None) -> None:
    """Go through a file in a process of its own, unless this process has had that done.

    Args:
        path: of the file.
        rows: of a Parquet file, how many are going to be read; all if None.

    Raises:
        OSError: there is none.
        ProblemError: ``file_unreadable``; or how the process ended (`apart.ask`), each naming it.
    """
    state = path.stat()
    _gone_through(path.resolve(), rows, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _gone_through(path: Path, rows: int | None, size: int, modified: int) -> None:
    bounds = apart.Bounds(MEMORY + TIMES * size, SECONDS + size // PACE, answer=0)
    try:
        apart.ask(__name__, {"path": str(path), "rows": rows}, path, bounds)
    except ProblemError as error:
        (problem, *_) = error.problems
        if problem.code in ("apart_ended", "apart_memory") and not _is_parquet(path):
            raise refuse("workbook_ended", file=path.name) from None  # what it mostly is
        raise


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() in (".parquet", ".pq")


# -- in the process ------------------------------------------------------------------------------


def ready() -> None:
    """Load the libraries."""
    import arro3.core
    import arro3.io  # noqa: F401
    import python_calamine  # noqa: F401


def answer(question: Any) -> apart.Answer:
    """Go through the file that is asked for."""
    from studio.train.tables.columnar import go_through_parquet
    from studio.train.tables.workbooks import go_through_workbook

    path = Path(question["path"])
    if _is_parquet(path):
        go_through_parquet(path, question["rows"])
    else:
        go_through_workbook(path)
    return None, ()
