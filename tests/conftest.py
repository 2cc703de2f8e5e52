"""For every test: texts in English and names counted anew, whatever the one before it chose.

Workers side by side multiply on one thread each, or they would wait for each other's.
"""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from studio.declare import clear_session
from studio.engine.threads import VARIABLE
from studio.text import set_language

settings.register_profile("layerloom", deadline=None)  # a busy machine is no failure
settings.load_profile("layerloom")

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ[VARIABLE] = "1"


@pytest.fixture(autouse=True)
def names_from_the_beginning() -> None:
    clear_session()


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    set_language("en")
    yield
    set_language("en")
