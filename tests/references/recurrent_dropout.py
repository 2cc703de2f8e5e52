"""``recurrent_dropout``: recurrent layers in training, in the form of ``layers`` (see there).

The draws that Keras would make are given: ``meta["cases"][case]["draws"]`` says how many arrays
``u0..`` there are. Each is (gates, batch, width), uniform in [0, 1), for one cell (forward, then
backward), of its input if it drops that, then of its state. A value is kept where its draw is not
below the rate.

What is easily missed:
- With ``recurrent_dropout`` LSTM and GRU have a draw for each gate, of the input as well, in the
  order of their kernels (LSTM: i, f, c, o; GRU: z, r, h); without, one for all gates.
- A draw holds for all steps, masked ones or not.
- GRU's new state is made of the whole one before: only what gates multiply is dropped.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from keras.src.layers.rnn.dropout_rnn_cell import DropoutRNNCell

from tests.references.layers import Chain, record_case, step
from tests.references.recording import Array, Recording, floats, seeded


@contextmanager
def given_draws(batch: int, draws: list[Array]) -> Iterator[None]:
    """Cells drop by draws from a seeded generator, put into `draws` as they are first asked for."""
    rng, known = seeded(9), dict[tuple[int, str], Any]()

    def maker(which: str) -> Callable[[DropoutRNNCell, Any], Any]:
        def mask(cell: DropoutRNNCell, step_input: Any) -> Any:
            rate = getattr(cell, which)
            if not rate:
                return None
            if (id(cell), which) not in known:
                count = getattr(cell, "dropout_mask_count", None)
                found = rng.random((count or 1, batch, step_input.shape[-1])).astype(np.float32)
                draws.append(found)
                masks = [(u >= np.float32(rate)) / np.float32(1 - rate) for u in found]
                known[id(cell), which] = masks if count else masks[0]
            return known[id(cell), which]

        return mask

    names = {"get_dropout_mask": "dropout", "get_recurrent_dropout_mask": "recurrent_dropout"}
    before = {name: getattr(DropoutRNNCell, name) for name in names}
    for name, which in names.items():
        setattr(DropoutRNNCell, name, maker(which))
    try:
        yield
    finally:
        for name, function in before.items():
            setattr(DropoutRNNCell, name, function)


def recurrent_dropout() -> Recording:
    recording, rng = Recording(), seeded(25)
    steps = floats(rng, 3, 4, 3)
    ids = rng.integers(1, 7, (3, 4)).astype(np.int32)
    ids[0, :2], ids[1, 3], ids[2, 1] = 0, 0, 0

    def case(name: str, chain: Chain, *inputs: Array, states: int = 0) -> None:
        draws: list[Array] = []
        with given_draws(len(inputs[0]), draws):
            record_case(recording, name, chain, list(inputs), training=True, states=states)
        recording.meta["cases"][name]["draws"] = len(draws)
        for number, array in enumerate(draws):
            recording.put(f"{name}/u{number}", array)

    rates = {"dropout": 0.4, "recurrent_dropout": 0.3}
    embedding = step("Embedding", input_dim=7, output_dim=3, mask_zero=True)
    for name, kind, extra in (
        ("simple_rnn", "SimpleRNN", {}),
        ("gru", "GRU", {}),
        ("gru_reset_before", "GRU", {"reset_after": False}),
        ("lstm", "LSTM", {}),
    ):
        plain = {"units": 2, **extra}
        both = {**plain, **rates, "return_sequences": True, "return_state": True}
        start = [floats(rng, 3, 2) for _ in range(2 if kind == "LSTM" else 1)]
        for which, rate in rates.items():
            case(f"{name}_{which}", [step(kind, **plain, **{which: rate})], steps)
        case(f"{name}_both", [step(kind, **both)], steps)
        case(f"{name}_backwards", [step(kind, **both, go_backwards=True)], steps)
        case(f"{name}_states", [step(kind, **both)], steps, *start, states=len(start))
        case(f"{name}_masked", [embedding, step(kind, **both)], ids)
        case(f"{name}_bidirectional", [step("Bidirectional", layer=step(kind, **both))], steps)
        wrapper = step("Bidirectional", layer=step(kind, **both))
        case(f"{name}_bidirectional_masked", [embedding, wrapper], ids)
    return recording


RECORDINGS: dict[str, Callable[[], Recording]] = {"recurrent_dropout": recurrent_dropout}
