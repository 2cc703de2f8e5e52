"""Invented headlines, some of which draw readers."""

from collections.abc import Mapping

import numpy as np

from studio.document.draws import generator
from studio.train.tables import Table

Phrases = Mapping[str, float]  # a phrase and how much it draws readers

OPENINGS: Phrases = {
    "How {who} {did} {what}": 0.9,
    "Why {who} {did} {what}": 0.7,
    "The day {who} {did} {what}": 1.1,
    "You will not believe how {who} {did} {what}": 1.4,
    "Watch: {who} {did} {what}": 0.8,
    "{who} {did} {what}": -0.6,
    "Report: {who} {did} {what}": -1.2,
    "Minutes of the meeting: {who} {did} {what}": -1.5,
    "According to the council, {who} {did} {what}": -1.1,
    "In brief: {who} {did} {what}": -0.8,
}
WHO: Phrases = {
    "a lighthouse keeper": 0.8,
    "a shy octopus": 1.3,
    "the village baker": 0.6,
    "a retired astronaut": 1.0,
    "three young inventors": 0.9,
    "a school orchestra": 0.4,
    "a lost parrot": 1.2,
    "the night train crew": 0.3,
    "a beekeeper": 0.5,
    "the chess club": 0.1,
    "the parking office": -1.2,
    "the standards board": -1.3,
    "a pipe supplier": -0.9,
    "the budget committee": -1.4,
    "a cement works": -1.0,
    "the records office": -0.8,
    "the water authority": -0.7,
    "a paper mill": -0.5,
    "the road survey team": -0.6,
    "the tax advisers": -1.1,
}
DID: Phrases = {
    "discovered": 0.6,
    "rescued": 0.9,
    "secretly built": 1.1,
    "fell in love with": 1.0,
    "raced": 0.5,
    "painted": 0.3,
    "reviewed": -0.8,
    "postponed": -0.7,
    "approved": -0.6,
    "measured": -0.4,
    "filed a notice about": -1.1,
    "revised": -0.9,
}
WHAT: Phrases = {
    "a chocolate bridge": 1.2,
    "a hidden garden": 0.9,
    "a talking clock": 0.8,
    "the oldest kite in town": 0.7,
    "a family of otters": 1.3,
    "a midnight picnic": 0.6,
    "a flying bicycle": 1.1,
    "a giant pumpkin": 0.5,
    "the harbour lights": 0.2,
    "the drainage plan": -1.1,
    "a form in two copies": -1.2,
    "the storage rules": -0.9,
    "the quarterly figures": -1.3,
    "a delivery schedule": -0.8,
    "the second car park": -0.7,
    "a list of spare parts": -1.0,
    "the noise limits": -0.4,
    "the archive shelves": -0.3,
}
ENDINGS: Phrases = {
    "": 0.0,
    " in spring": 0.1,
    " in one night": 0.6,
    " and nobody noticed": 0.8,
    " before breakfast": 0.5,
    " with a paper boat": 0.7,
    " against all odds!": 0.9,
    " as planned": -0.6,
    " pending further review": -1.0,
    " until next quarter": -0.8,
    " under section four": -0.9,
    " on Tuesday": -0.2,
}


def headlines(rows: int, seed: int) -> Table:
    """Invented headlines, and whether each became popular.

    Most of it is in the text: every phrase draws readers or puts them off. The five numbers tell
    some of the rest (the evening, the weekend and pictures help; length hurts), and a little is
    luck. So the text alone predicts well, and text and numbers together better.
    """
    rng = generator(seed, "headline")
    parts: list[np.ndarray[tuple[int], np.dtype[np.str_]]] = []
    appeal = np.zeros(rows)
    for phrases in (OPENINGS, WHO, DID, WHAT, ENDINGS):
        chosen = rng.integers(len(phrases), size=rows)
        parts.append(np.array(list(phrases))[chosen])
        appeal += np.array(list(phrases.values()))[chosen]
    texts = []
    for opening, who, did, what, ending in zip(*(p.tolist() for p in parts), strict=True):
        text = opening.format(who=who, did=did, what=what) + ending
        texts.append(text[0].upper() + text[1:])
    hour = rng.integers(24, size=rows)
    weekday = rng.integers(1, 8, size=rows)
    words = rng.integers(120, 1200, size=rows)
    pictures = rng.integers(6, size=rows)
    links = rng.integers(10, size=rows)
    appeal += 0.7 * ((hour >= 17) - 0.3) + 0.5 * ((weekday >= 6) - 2 / 7)
    appeal += 0.2 * (pictures - 2.5) - 0.6 * (words - 660) / 540
    popular = (appeal + rng.normal(0, 0.25, size=rows) > 0).astype(int)
    numbers = {
        "hour": hour,
        "weekday": weekday,
        "words": words,
        "pictures": pictures,
        "links": links,
        "popular": popular,
    }
    columns = {name: list(map(str, values.tolist())) for name, values in numbers.items()}
    return Table("headline", {"headline": texts, **columns})
