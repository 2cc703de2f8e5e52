"""For every test: texts in English, whatever the one before it chose."""

from collections.abc import Iterator

import pytest

from studio.text import set_language


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    set_language("en")
    yield
    set_language("en")
