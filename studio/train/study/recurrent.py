"""A recurrent layer under the microscope: its gates and states at each step of one sample, and the
gradient of each loss that flows back to them through time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from studio.document.model import Path
from studio.document.nesting import layer_at
from studio.engine.bodies.operands import LENS, B, H, R, W, X
from studio.engine.program import Array
from studio.train.arrays import Arrays
from studio.train.study.bench import Bench
from studio.train.study.microscope import Cut, cut
from studio.train.study.recurrent_calls import recurrent_paths, unwrapped
from studio.train.study.taps import texts_behind
from studio.train.study.through_time import Walked, back_through_time, stacked
from studio.train.study.wanted import Wanted


@dataclass(frozen=True, eq=False)
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
            where nothing arrives at all or not all is finite.
    """

    number: int
    backwards: bool
    gates: Mapping[str, Array]
    states: Mapping[str, Array]
    gradients: Mapping[str, Array]
    memory: Mapping[str, Array]
    norms: Mapping[str, Array]
    vanished: Mapping[str, int | None]


@dataclass(frozen=True, eq=False)
class RecurrentSample:
    """One sample as a recurrent layer reads it, in inference mode: nothing is dropped.

    Attributes:
        kind: ``LSTM``, ``GRU`` or ``SimpleRNN``.
        length: how many steps there are.
        width: how many units.
        steps: the numbers of the steps that are in `readings`: all, or evenly chosen ones.
        units: likewise of the units.
        mask: which steps count, (readings' sequences, length); None where all do.
        losses: the loss of the sample for each output, by its key, without its weight.
        readings: of each sequence, forwards and then backwards; more than one in a Bidirectional
            or a TimeDistributed.
        sample: the number of the sample among its rows.
        words: what each step stands for, where the sequence is a text; else empty.
        path: whose it is.
        count: how many rows there are to choose samples from.
    """

    kind: str
    length: int
    width: int
    steps: Array
    units: Array
    mask: Array | None
    losses: Mapping[str, float]
    readings: tuple[Reading, ...]
    sample: int = 0
    words: tuple[str, ...] = ()
    path: Path = ()
    count: int = 1


VANISHED = 1e-3  # of the largest norm: below this, next to nothing arrives
STEPS, UNITS, SEQUENCES = 512, 256, 16  # at most; of more, evenly chosen ones

_GATES = {"LSTM": ("i", "o", "f", "c"), "GRU": ("z", "r", "h"), "RNN": ()}  # ONNX's order
_KERAS = {"LSTM": ("i", "f", "c", "o"), "GRU": ("z", "r", "h"), "RNN": ()}
_LAYERS = {"LSTM": "LSTM", "GRU": "GRU", "RNN": "SimpleRNN"}


def sampled(bench: Bench, wanted: Wanted) -> RecurrentSample | None:
    """The recurrent layer that is wanted, on the sample that is; None where none runs there.

    Raises:
        ProblemError: what keeps the model from being lowered, or a loss from being differentiated.
    """
    path, document = wanted.recurrent, bench.document
    if path is None or path not in recurrent_paths(document):
        return None
    sample = bench.chosen(wanted)
    program = cut(document, path, sample.weighted, sample.one_hots)
    if program is None:
        return None
    _, runner = bench.runner(("recurrent", program), lambda: program)
    feeds = bench.trainer.feeds(program.step, sample)
    for key, scale in (wanted.scales or {}).items():
        if name := program.step.scales.get(key):
            feeds[name] = np.array(scale, feeds[name].dtype)
    turned = bool(getattr(unwrapped(document, layer_at(document, path)), "go_backwards", False))
    count = len(bench.rows(wanted))
    found = examined(program, runner.run(feeds), turned, max(0, min(wanted.sample, count - 1)))
    words = _words(bench, sample, path, found.length)
    return replace(found, words=words, path=path, count=count)


def _words(bench: Bench, sample: Arrays, path: Path, length: int) -> tuple[str, ...]:
    """What each step stands for: of the one text with so many steps that the layer depends on."""
    texts = texts_behind(bench, sample, path[0], 0)
    fitting = [words for words in texts if len(words) == length]
    return fitting[0] if len(fitting) == 1 else ()


def examined(
    cut: Cut, found: Mapping[str, Array], turned: bool, sample: int = 0
) -> RecurrentSample:
    """What a run of a cut program shows of one sample.

    Args:
        cut: the program.
        found: its outputs.
        turned: whether the layer reads from the end; a masked sequence is then turned round before
            the operator reads it.
        sample: its number.
    """
    y = found[cut.results[0]]
    length, _, sequences, width = y.shape
    mask = None
    if cut.mask:
        mask = found[cut.mask][:, ::-1] if turned else found[cut.mask]
    steps, units = _some(length, STEPS), _some(width, UNITS)
    reads = [_Direction(cut, found, d, mask, turned) for d in range(y.shape[1])]
    readings = [read.of(row, steps, units) for row in _some(sequences, SEQUENCES) for read in reads]
    losses = {key: float(found[name]) for key, name in cut.step.losses.items()}
    return RecurrentSample(
        _LAYERS[cut.operator],
        length,
        width,
        steps,
        units,
        mask,
        losses,
        tuple(readings),
        sample,
    )


def _some(count: int, most: int) -> Array:
    """The numbers below `count`, or `most` of them, evenly chosen."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))


class _Direction:
    """One direction of the operator over all sequences, with what flows back along it."""

    def __init__(
        self, cut: Cut, found: Mapping[str, Array], index: int, mask: Array | None, turned: bool
    ) -> None:
        runs_back = cut.attrs.get("direction") == "reverse" or index == 1
        self._mask, self._turned = mask, turned and mask is not None
        self._backwards = runs_back or self._turned
        self._gates = _gates(cut, found, index)
        self._states = _states(cut, found, index)
        self._into = _into(cut, found, index, _walked(cut, found, index, runs_back, self._states))

    def of(self, row: int, steps: Array, units: Array) -> Reading:
        """What is shown of one sequence."""
        places = self._places(row)

        def placed(values: Array) -> Array:
            """Of (time, rows, units) this row, its steps as the sequence has them."""
            whole = np.zeros((len(values), values.shape[-1]), values.dtype)
            whole[places] = values[: len(places), row]
            return whole

        def shown(arrays: Mapping[str, Array]) -> dict[str, Array]:
            return {name: placed(values)[np.ix_(steps, units)] for name, values in arrays.items()}

        order = np.sort(places)[::-1] if self._backwards else np.sort(places)
        hidden = {key: into[0] for key, into in self._into.items()}
        norms = {key: _length(placed(into)) for key, into in hidden.items()}
        return Reading(
            row,
            self._backwards,
            shown(self._gates),
            shown(self._states),
            shown(hidden),
            shown({key: into[1] for key, into in self._into.items() if len(into) > 1}),
            norms,
            {key: _vanished(norm, order) for key, norm in norms.items()},
        )

    def _places(self, row: int) -> Array:
        """The steps of the sequence that the operator read, by its own order of them."""
        if self._mask is None:
            return np.arange(len(self._states["h"]))
        valid = np.flatnonzero(self._mask[row])
        return valid[::-1] if self._turned else valid


def _length(values: Array) -> Array:
    """Of the last axis; in float64, where squares of small numbers are not lost."""
    found: Array = np.linalg.norm(values.astype(np.float64), axis=-1)
    return found


def _vanished(norms: Array, order: Array) -> int | None:
    """See `Reading`; `order` has the steps that count, the one read first first."""
    read = norms[order]
    if not len(read) or not read.max() > 0 or not np.isfinite(read).all():
        return None
    first = int(np.argmax(read >= VANISHED * read.max()))
    return int(order[first]) if first else None


def _gates(cut: Cut, found: Mapping[str, Array], index: int) -> dict[str, Array]:
    """Of one direction, (time, rows, units), in Keras's order."""
    if not _GATES[cut.operator]:
        return {}
    blocks = found[cut.results[1 + cut.states]][index]
    given = {letter: blocks[:, at] for at, letter in enumerate(_GATES[cut.operator])}
    return {letter: given[letter] for letter in _KERAS[cut.operator]}


def _states(cut: Cut, found: Mapping[str, Array], index: int) -> dict[str, Array]:
    """What each step leaves behind, of one direction, (time, rows, units)."""
    states = {"h": found[cut.results[0]][:, index]}
    if cut.states > 1:
        states["c"] = found[cut.results[2 + cut.states]][index][:, 0]
    return states


def _walked(
    cut: Cut, found: Mapping[str, Array], index: int, runs_back: bool, states: Mapping[str, Array]
) -> Walked:
    x = found[cut.operands[X]]
    order = list(range(len(x)))[:: -1 if runs_back else 1]
    given = (cut.operands.get(H + number) for number in range(cut.states))
    before = []
    for name, state in zip(given, states.values(), strict=True):
        first = found[name][index] if name else np.zeros_like(state[0])
        before.append(np.concatenate([first[None], state[order]]))
    weights = {
        place: found[cut.operands[place]][index : index + 1]
        for place in (W, R, B)
        if place in cut.operands
    }
    lengths = found[cut.operands[LENS]] if LENS in cut.operands else None
    return Walked(cut.operator, cut.attrs, x, weights, before, order, lengths)


def _into(
    cut: Cut, found: Mapping[str, Array], index: int, walked: Walked
) -> dict[str, list[Array]]:
    """By loss, for each state the gradient that flows into it, (time, rows, units)."""
    keys = list(cut.arriving)
    if not keys:
        return {}
    outputs, *ends = (
        [_arrived(cut, found, key, at, index, walked) for key in keys]
        for at in range(1 + cut.states)
    )
    flowed = back_through_time(
        stacked(walked, len(keys)),
        np.concatenate(outputs, axis=1),
        [np.concatenate(end, axis=0) for end in ends],
    )
    parts = [np.split(into, len(keys), axis=1) for into in flowed]
    return {key: [part[number] for part in parts] for number, key in enumerate(keys)}


def _arrived(
    cut: Cut, found: Mapping[str, Array], key: str, at: int, index: int, walked: Walked
) -> Array:
    """The gradient of a loss by the outputs of all steps (`at` 0), or by one of the last states."""
    name, like = cut.arriving[key][at], walked.states[0]
    if not at:
        return found[name][:, index] if name else np.zeros_like(like[1:])
    return found[name][index] if name else np.zeros_like(like[0])
