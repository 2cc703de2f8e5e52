"""Randomness by counter: every draw is a function of what it is for, never of what came before.

Philox (Salmon et al., 2011), keyed by a hash of (seed, purpose, ids …). So adding a node, pausing
or asking twice changes no other draw, and a run repeats bit for bit.
"""

import hashlib

import numpy as np


def generator(seed: int, *purpose: str | int, counter: int = 0) -> np.random.Generator:
    """A generator for one purpose; `counter` is a step or an epoch."""
    text = "\x1f".join(map(str, (seed, *purpose)))
    digest = hashlib.sha256(text.encode()).digest()
    key = int.from_bytes(digest[:16], "little")
    return np.random.Generator(np.random.Philox(key=key, counter=[0, 0, counter, 0]))
