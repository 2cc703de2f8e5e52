"""Invented headlines are worth learning from."""

import numpy as np

from studio.train.generators.headline import headlines


def test_headlines_tell_most_of_it_and_the_numbers_some() -> None:
    """Least squares on the words reads the text well, on the numbers a little, on both best."""
    table = headlines(4000, 0)
    label = np.array(table.numbers("popular")) * 2 - 1
    assert 0.4 < (label > 0).mean() < 0.6
    words = sorted({w for text in table.texts("headline") for w in text.lower().split()})
    held = np.array([[w in t.lower().split() for w in words] for t in table.texts("headline")])
    numbers = np.stack(
        [table.numbers(c) for c in table.columns if c not in ("headline", "popular")]
    )
    numbers = np.stack([*numbers, numbers[0] >= 17]).T  # the evening is not linear in the hour
    text_only, numbers_only, both = (
        accuracy(features, label) for features in (held, numbers, np.hstack([held, numbers]))
    )
    assert text_only > 0.88
    assert 0.55 < numbers_only < 0.75
    assert both > text_only + 0.03
    assert both > 0.93


def accuracy(features: np.ndarray, label: np.ndarray) -> float:
    x = np.hstack([features.astype(float), np.ones((len(features), 1))])
    weights = np.linalg.lstsq(x[:3000], label[:3000], rcond=None)[0]
    return float(((x[3000:] @ weights > 0) == (label[3000:] > 0)).mean())
