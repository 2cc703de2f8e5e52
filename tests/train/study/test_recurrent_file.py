"""The table of what the recurrent microscope shows."""

import csv
import io

import numpy as np

from studio.train.study.recurrent import Reading, RecurrentSample
from studio.train.study.recurrent_file import recurrent_csv


def reading(number: int, backwards: bool) -> Reading:
    state = {"h": np.arange(4.0).reshape(2, 2) + 10 * number}
    into = {"c3.output": np.full((2, 2), 0.1 if backwards else 0.2)}
    return Reading(number, backwards, {}, state, into, {}, {}, {})


def test_a_line_for_each_step_that_is_shown_of_every_sequence_and_direction() -> None:
    sample = RecurrentSample(
        "SimpleRNN",
        length=5,
        width=9,
        steps=np.array([0, 4]),
        units=np.array([2, 8]),
        mask=np.array([[True] * 5, [False, True, True, True, True]]),
        losses={"c3.output": 1.0},
        readings=tuple(reading(n, back) for n in range(2) for back in (False, True)),
        words=("a", "b", "c", "d", "e"),
    )
    lines = list(csv.reader(io.StringIO(recurrent_csv(sample, {"c3.output": "judged"}))))
    titles = ["sequence", "direction", "quantity", "loss", "step", "word", "read"]
    assert lines[0] == [*titles, "unit 3", "unit 9"]
    assert len(lines) == 1 + 4 * 2 * 2
    assert lines[1] == ["1", "forward", "state", "", "1", "a", "1", "0", "1"]
    assert ["2", "backward", "state", "", "1", "a", "0", "10", "11"] in lines
    gradient = ["2", "backward", "gradient by the state", "judged", "5", "e", "1", "0.1", "0.1"]
    assert lines[-1] == gradient
