"""Invented short messages of two invented authors with different habits, in pairs.

Both write of the same things; they differ in how. No habit is sure: each author now and then
writes as the other would.
"""

from collections.abc import Sequence

import numpy as np

from studio.document.draws import generator
from studio.train.tables import Table

LONGEST = 140  # characters
FAITHFUL = 0.85  # how often an author follows a habit of their own

SUBJECTS = (
    "the garden", "the night train", "our soup", "the library", "this old bike", "the harbour",
    "the choir", "the new bridge", "my umbrella", "the bakery", "the chess club", "a small owl",
    "the market", "the first snow", "our neighbour's cat", "the lighthouse",
)  # fmt: skip
SAYINGS = (
    "is open again", "was late today", "looks different", "needs a little rest", "made my day",
    "smells of summer", "is full of people", "sounds better now", "has a new colour",
    "went by without a word", "taught me something", "can wait until monday",
)  # fmt: skip
# Of each habit: how the one author does it, how the other.
OPENINGS: Sequence[Sequence[str]] = (
    ("maybe ", "i think ", "quietly, ", "as it seems, ", "once more, "),
    ("Wow, ", "Look: ", "Great news: ", "Must see: ", "So good: "),
)
ENDINGS: Sequence[Sequence[str]] = (("...", ", i guess.", ", or so."), ("!", "!!", " - finally!"))
TAGS: Sequence[Sequence[str]] = (
    (" #slow_days", " #small_things", " #notes"),
    (" #BestDay", " #NeverStop", " #TeamCity"),
)


def pairs(rows: int, seed: int) -> Table:
    """Two messages a row, and whether one author wrote both (1) or not (0).

    Each author writes half of the first and half of the second messages, in all four
    combinations alike: neither message alone tells anything about the answer.
    """
    rng = generator(seed, "tweets")
    first, second = rng.integers(2, size=rows), rng.integers(2, size=rows)
    columns = {
        "text_a": [_message(author, rng) for author in first.tolist()],
        "text_b": [_message(author, rng) for author in second.tolist()],
        "same": list(map(str, (first == second).astype(int).tolist())),
    }
    return Table("tweets", columns)


def _message(author: int, rng: np.random.Generator) -> str:
    def own() -> int:
        return author if rng.random() < FAITHFUL else 1 - author

    def pick(phrases: Sequence[str]) -> str:
        return phrases[int(rng.integers(len(phrases)))]

    said = f"{pick(SUBJECTS)} {pick(SAYINGS)}"
    if own() == 0:  # the one goes on, the other is brief
        said += f" and {pick(SUBJECTS)} {pick(SAYINGS)}"
    said = pick(OPENINGS[own()]) + said + pick(ENDINGS[own()])
    if rng.random() < 0.6:
        said += pick(TAGS[own()])
    if own() == 1:
        said = said[0].upper() + said[1:]
    return said[:LONGEST]
