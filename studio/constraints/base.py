"""What a constraint is: a declaration that puts a weight right after each step of training."""

from dataclasses import dataclass
from typing import ClassVar

from studio.declare import Declared
from studio.engine.builder import Builder, Value


@dataclass(frozen=True)
class Constraint(Declared):
    """Base of the constraints."""

    family: ClassVar[str] = "constraints"

    def accept(self, weight: str, shape: tuple[int, ...]) -> None:
        """Refuse a weight that cannot be held so; any can, unless a constraint says otherwise.

        Raises:
            ProblemError: naming the weight, its shape and the remedy.
        """

    def lower(self, op: Builder, weight: Value) -> Value:
        """What becomes of `weight`, the same shape."""
        raise TypeError(f"{self.kind} does not say how it is computed")
