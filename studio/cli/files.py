"""The files of the commands: projects read and written, and what nothing may be written over."""

from collections.abc import Iterable
from pathlib import Path

from studio.document.project import Project
from studio.problem import refuse


def load(path: Path) -> Project:
    """The project in a file."""
    from studio.formats import loom

    return loom.load(path)


def save(path: Path, project: Project) -> None:
    """Write a project, all of it or nothing."""
    from studio.formats import loom

    loom.save(path, project)


def expect_loom(path: Path) -> None:
    """Refuse to write a project under a name that is not a project's."""
    if path.suffix.lower() != ".loom":
        raise refuse("project_suffix", file=str(path))


def spare_project(out: Path, project_file: Path) -> None:
    """Refuse to write anything else where the project, or any other, is or would be."""
    if out.suffix.lower() == ".loom" or _same(out, project_file):
        raise refuse("out_is_project", file=str(out))


def spare_data(out: Path, read: Iterable[Path]) -> None:
    """Refuse to write over a file that data is read from."""
    if any(_same(out, path) for path in read):
        raise refuse("out_is_data", file=str(out))


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them does not exist
        return False
