"""Tables made up from a seed, so that an example trains where there is no file.

Everything is invented here. A generator is a function (rows, seed) → Table; the same rows and
seed give the same table.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache

from studio.problem import refuse
from studio.train.generators.digits import digits
from studio.train.generators.headline import headlines
from studio.train.generators.tweets import pairs
from studio.train.generators.video import films
from studio.train.tables import Table

GENERATORS: Mapping[str, tuple[Callable[[int, int], Table], int]] = {
    "headline": (headlines, 4000),  # and how many rows it gives unless told
    "digits": (digits, 5000),
    "video": (films, 800),
    "tweets": (pairs, 3000),
}


@lru_cache(maxsize=4)
def generate(name: str, rows: int = 0, seed: int = 0) -> Table:
    """The table of a built-in generator; `rows` 0 means the generator's own default.

    Raises:
        ProblemError: ``generator_unknown``.
    """
    if name not in GENERATORS:
        raise refuse("generator_unknown", received=name, expected=", ".join(GENERATORS))
    function, default = GENERATORS[name]
    return function(rows or default, seed)
