"""Messages by two invented authors, in pairs of which neither half tells the answer."""

import numpy as np
import pytest

from studio.document.draws import generator
from studio.train.generators.tweets import LONGEST, _message, pairs


def test_messages_are_short_plain_and_rarely_alike() -> None:
    table = pairs(1000, 0)
    texts = [*table.texts("text_a"), *table.texts("text_b")]
    assert all(20 < len(text) <= LONGEST and text.isascii() for text in texts)
    assert len(set(texts)) > 1900
    assert len({letter for text in texts for letter in text}) < 60
    assert 0.45 < np.mean(table.numbers("same")) < 0.55


@pytest.mark.parametrize("column", ["text_a", "text_b"])
def test_one_message_alone_tells_nothing(column: str) -> None:
    table = pairs(3000, 0)
    same = table.numbers("same")
    for sign in ("!", "...", "#", ",", "W"):
        has = np.array([sign in text for text in table.texts(column)])
        assert abs(same[has].mean() - same[~has].mean()) < 0.07


def test_authors_differ_in_their_habits_but_not_always() -> None:
    rng = generator(0, "test")
    by_author = [[_message(author, rng) for _ in range(400)] for author in (0, 1)]
    share = [np.mean(["!" in text for text in texts]) for texts in by_author]
    assert 0.05 < share[0] < 0.4
    assert 0.5 < share[1] < 0.95
