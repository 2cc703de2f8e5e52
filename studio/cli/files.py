"""The files of the commands: projects read and written, and what nothing may be written over."""

from collections.abc import Iterable
from pathlib import Path

from studio.cli.console import complain
from studio.document.project import Project
from studio.problem import refuse


def load(path: Path) -> Project:
    """The project in a file; what is not known of one that a later version wrote is said."""
    from studio.formats import loom
    from studio.formats.newer_files import newer_problem

    project = loom.load(path)
    if project.newer is not None:
        complain(newer_problem(project.newer, str(path)))
    return project


def save(path: Path, project: Project) -> None:
    """Write a project, all of it or nothing; what a later version's file had more is said."""
    from studio.formats import loom
    from studio.formats.newer_files import astray_problems, lost_problem

    places, moved = loom.lost(project), loom.astray(project, path)
    loom.save(path, project)
    if places:
        complain(lost_problem(places, str(path)))
    for problem in astray_problems(moved, str(path)):
        complain(problem)


def spare_newer(path: Path) -> None:
    """Refuse to write over a later version's file, before much work is done for it."""
    from studio.formats import newer_files

    newer_files.spare_newer(path)


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
