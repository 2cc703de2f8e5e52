"""A recurrent layer under the microscope: its gates and states at each step of one sample, and the
gradient of each loss that flows back to them through time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from studio.engine.program import Array


@dataclass(frozen=True)
class Reading:
    """One walk along one sequence. All arrays have the steps as the sequence has them, not as they
    are read, and are (steps, units) but for the norms, which are of every step and all units.

    Attributes:
        number: which of the sequences of the sample: within a TimeDistributed the outer step.
        backwards: whether it is read from its end.
        gates: after their functions, by Keras's letters: i, f, c, o of an LSTM; z, r, h of a GRU.
        states: what each step leaves behind: h, and of an LSTM its memory c.
        gradients: by the key of each loss what flows back into h at each step: from the output
            there, and from all that is read later. Of the loss with its weight.
        memory: likewise into the memory c as the next step takes it; of an LSTM only.
        norms: the length of the whole gradient by h at each step, whichever units are in the rest.
        vanished: the first step, in the order of reading, from which on a loss has a norm of
            `VANISHED` times its largest: less arrives before. None where nothing is before it, or
            where nothing arrives at all.
    """

    number: int
    backwards: bool
    gates: Mapping[str, Array]
    states: Mapping[str, Array]
    gradients: Mapping[str, Array]
    memory: Mapping[str, Array]
    norms: Mapping[str, Array]
    vanished: Mapping[str, int | None]


@dataclass(frozen=True)
class RecurrentSample:
    """One sample as a recurrent layer reads it, in inference mode: nothing is dropped.

    Attributes:
        kind: ``LSTM``, ``GRU`` or ``SimpleRNN``.
        length: how many steps there are.
        width: how many units.
        steps: the numbers of the steps that are in `readings`: all, or evenly chosen ones.
        units: likewise of the units.
        mask: which steps count, (readings' sequences, length); None where all do.
        words: what each step stands for, where the sequence is a text; else empty.
        losses: the loss of the sample for each output, by its key, with its weight.
        readings: of each sequence, forwards and then backwards; more than one in a Bidirectional
            or a TimeDistributed.
        sample: the number of the sample among its rows.
    """

    kind: str
    length: int
    width: int
    steps: Array
    units: Array
    mask: Array | None
    words: tuple[str, ...]
    losses: Mapping[str, float]
    readings: tuple[Reading, ...] = field(default=())
    sample: int = 0


VANISHED = 1e-3  # of the largest norm: below this, next to nothing arrives
