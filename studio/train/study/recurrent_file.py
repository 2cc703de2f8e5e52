"""What the recurrent microscope shows, as a table."""

import csv
import io
from collections.abc import Iterator, Mapping

from studio.engine.program import Array
from studio.train.study.recurrent import Reading, RecurrentSample

GATES = {
    "LSTM": {"i": "input gate", "f": "forget gate", "c": "candidate", "o": "output gate"},
    "GRU": {"z": "update gate", "r": "reset gate", "h": "candidate"},
    "SimpleRNN": {},
}
STATES = {"h": "state", "c": "memory"}


def recurrent_csv(sample: RecurrentSample, losses: Mapping[str, str]) -> str:
    """A line for each step of each quantity: what it is, the step from 1, its word, the units.

    Args:
        sample: what is shown; of thinned steps and units those that are there, by their numbers.
        losses: the names of the losses by their keys.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    units = [f"unit {unit + 1}" for unit in sample.units.tolist()]
    writer.writerow(["sequence", "direction", "quantity", "loss", "step", "word", "read", *units])
    for reading in sample.readings:
        direction = "backward" if reading.backwards else "forward"
        for quantity, loss, values in _quantities(sample, reading, losses):
            for place, step in enumerate(sample.steps.tolist()):
                word = sample.words[step] if sample.words else ""
                read = 1 if sample.mask is None else int(sample.mask[reading.number, step])
                start = [reading.number + 1, direction, quantity, loss, step + 1, word, read]
                writer.writerow([*start, *(f"{v:.9g}" for v in values[place].tolist())])
    return out.getvalue()


def _quantities(
    sample: RecurrentSample, reading: Reading, losses: Mapping[str, str]
) -> Iterator[tuple[str, str, Array]]:
    """What it is, of which loss, and its numbers (steps, units)."""
    for letter, values in reading.gates.items():
        yield GATES[sample.kind][letter], "", values
    for letter, values in reading.states.items():
        yield STATES[letter], "", values
    for state, found in (("state", reading.gradients), ("memory", reading.memory)):
        for key, values in found.items():
            yield f"gradient by the {state}", losses.get(key, key), values
