"""What runs a program: two engines with one interface, each the other's test."""

from collections.abc import Mapping
from typing import Protocol

from studio.engine.program import Array


class Executor(Protocol):
    """Runs one program, keeping its states between runs."""

    def load(self, state: Mapping[str, Array]) -> None:
        """Set states by input name, all of them or one after the other; copied, unless the program
        writes none of them: then they may be read where they are.
        """

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """One run: the outputs by name. They are the caller's own, valid after the next run."""

    def state(self) -> dict[str, Array]:
        """A copy of every state, by input name."""

    def lend(self) -> dict[str, Array]:
        """Every state by input name; where it can be so, the arrays that runs read and write."""
