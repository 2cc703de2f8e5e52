"""What a regularizer is: a declaration that measures a weight, as a term of the loss."""

from dataclasses import dataclass
from typing import ClassVar

from studio.declare import Declared
from studio.engine.builder import Builder, Value


@dataclass(frozen=True)
class Regularizer(Declared):
    """Base of the regularizers."""

    family: ClassVar[str] = "regularizers"

    def accept(self, weight: str, shape: tuple[int, ...]) -> None:
        """Refuse a weight that cannot be measured; any can, unless a regularizer says otherwise.

        Raises:
            ProblemError: naming the weight, its shape and the remedy.
        """

    def lower(self, op: Builder, weight: Value) -> Value:
        """What `weight` adds to the loss: one number."""
        raise TypeError(f"{self.kind} does not say how it is computed")
