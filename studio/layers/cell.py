"""Where the numbers of a weight are, once there are some."""

from dataclasses import dataclass, field

from studio.engine.program import Array


@dataclass
class Cell:
    """One weight's array with what training keeps beside it.

    Attributes:
        value: the weight itself.
        trained: whether training or a user gave it; False right after initialization.
        slots: the optimizer's arrays, by Keras's names; the weight's shape.
    """

    value: Array
    trained: bool = False
    slots: dict[str, Array] = field(default_factory=dict)


Cells = dict[tuple[str, tuple[int, ...]], Cell]  # of one layer, by (weight's name, shape)
