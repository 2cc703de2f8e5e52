"""What is wrong, as a value: it is listed, shown at its node, and repaired with one click.

Q: Why not raise?
A: A document is wrong most of the time while it is being drawn. Checking collects problems; only
   the Python interface and the command line turn the first one into an exception or a message.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from warnings import warn as warn_of

from studio.text import text, without_tricks

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        code: names the text in the catalogue, ``problems.<code>``.
        where: the id of the call, layer or file it belongs to; empty for the whole document.
        args: what was received, what was expected, for the text.
        fix: an edit that repairs it, or None; from a layer the parameters to set, by name.
        severity: an error keeps training from starting, a warning does not.
    """

    code: str
    where: str = ""
    args: Mapping[str, Any] = field(default_factory=dict)
    fix: Any = None
    severity: Severity = "error"

    def __str__(self) -> str:
        return without_tricks(text(f"problems.{self.code}", **self.args))

    def at(self, where: str) -> "Problem":
        """The same problem, placed at `where` unless it already has a place."""
        return self if self.where else replace(self, where=where)


class ProblemError(ValueError):
    """Carries problems through code that cannot go on; its text is the first problem's."""

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__(str(self.problems[0]))


def refuse(code: str, *, fix: Any = None, **args: Any) -> ProblemError:
    """``raise refuse("rank", received=2, expected=3)``: the exception for one problem."""
    return ProblemError(Problem(code, args=args, fix=fix))


def warn(problem: Problem) -> None:
    """Tell a script of something unusual, in the way Python does."""
    warn_of(str(problem), stacklevel=2)
