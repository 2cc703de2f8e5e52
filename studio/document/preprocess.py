"""Raw cells to numbers: what a binding learns from the training rows, and how it encodes.

Pure functions of text and arrays, so that training, prediction from raw text and the exported
script agree by construction.
"""

from dataclasses import dataclass

from studio.document.plan import ClassColumn, NumberColumns, TextColumn

PADDING, UNKNOWN = 0, 1  # the first two integers of every vocabulary


@dataclass(frozen=True)
class FittedText:
    """A text column's vocabulary: ``words[i]`` is integer i + 2."""

    binding: TextColumn
    words: tuple[str, ...]


@dataclass(frozen=True)
class FittedNumbers:
    """Number columns' statistics: (x − mean) / deviation; zeros and ones where not wanted."""

    binding: NumberColumns
    mean: tuple[float, ...]
    deviation: tuple[float, ...]


@dataclass(frozen=True)
class FittedClasses:
    """A label column's class names, in the order of their numbers."""

    binding: ClassColumn
    names: tuple[str, ...]


Fitted = FittedText | FittedNumbers | FittedClasses
