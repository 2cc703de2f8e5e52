"""Recurrent layers by their definitions, in NumPy and float64; any state can be nudged.

Keras's layouts and order of gates. Written from the definitions, not from the engine.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

Nudge = tuple[str, int, int]  # a state, a step, a unit


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


@dataclass
class Read:
    """What a cell gave, (steps, units) each; gates of steps that are skipped are zero."""

    gates: dict[str, np.ndarray]
    h: np.ndarray
    c: np.ndarray


def lstm(w: Mapping[str, np.ndarray], x: np.ndarray, h: np.ndarray, c: np.ndarray):
    z = x @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"]
    i, f, g, o = np.split(z, 4)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    c = f * c + i * g
    return o * np.tanh(c), c, {"i": i, "f": f, "c": g, "o": o}


def gru(w: Mapping[str, np.ndarray], x: np.ndarray, h: np.ndarray, c: np.ndarray):
    """Reset after the product, where there are two biases; else before it."""
    units, recurrent, bias = len(h), w["recurrent_kernel"], w["bias"]
    of_x = x @ w["kernel"] + (bias[0] if bias.ndim == 2 else bias)
    of_h = h @ recurrent + (bias[1] if bias.ndim == 2 else 0)
    z = sigmoid(of_x[:units] + of_h[:units])
    r = sigmoid(of_x[units : 2 * units] + of_h[units : 2 * units])
    if bias.ndim == 2:
        candidate = np.tanh(of_x[2 * units :] + r * of_h[2 * units :])
    else:
        candidate = np.tanh(of_x[2 * units :] + (r * h) @ recurrent[:, 2 * units :])
    return z * h + (1 - z) * candidate, c, {"z": z, "r": r, "h": candidate}


def simple(w: Mapping[str, np.ndarray], x: np.ndarray, h: np.ndarray, c: np.ndarray):
    return np.tanh(x @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"]), c, {}


CELLS = {"LSTM": lstm, "GRU": gru, "SimpleRNN": simple}


def read(
    kind: str,
    w: Mapping[str, np.ndarray],
    x: np.ndarray,
    valid: np.ndarray,
    backwards: bool = False,
    nudge: Nudge | None = None,
    by: float = 0.0,
    first: tuple[np.ndarray, np.ndarray] | None = None,
) -> Read:
    """A sequence (steps, width), from its end if `backwards`; steps not valid change nothing.

    `nudge`: the state that is `by` larger once this step is done, before anything reads it; c once
    h was made of it.
    """
    units = len(w["recurrent_kernel"])
    h, c = first or (np.zeros(units), np.zeros(units))
    found = Read({}, np.zeros((len(x), units)), np.zeros((len(x), units)))
    for t in range(len(x))[:: -1 if backwards else 1]:
        if valid[t]:
            h, c, gates = CELLS[kind](w, x[t], h, c)
            for name, gate in gates.items():
                found.gates.setdefault(name, np.zeros((len(x), units)))[t] = gate
            if nudge is not None and nudge[1] == t:
                moved = np.eye(units)[nudge[2]] * by
                h, c = (h + moved, c) if nudge[0] == "h" else (h, c + moved)
        found.h[t], found.c[t] = h, c
    return found
