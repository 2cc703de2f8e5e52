"""For every test: texts in English and names counted anew, whatever the one before it chose.

Workers side by side multiply on one thread each, or they would wait for each other's.

With ``--long`` the tests in tests/reliability try as often as a release asks for, instead of as
often as there is time for at every change.
"""

import os
from collections.abc import Callable, Iterator

import pytest
from hypothesis import settings

from studio.declare import clear_session
from studio.engine.threads import VARIABLE
from studio.text import set_language

settings.register_profile("layerloom", deadline=None)  # a busy machine is no failure
settings.load_profile("layerloom")

if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ[VARIABLE] = "1"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="tests/reliability: as a release asks")


@pytest.fixture
def amount(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """How often to try: ``amount(short, long)``, the second with ``--long``."""

    def of(short: int, long: int) -> int:
        return long if request.config.getoption("--long") else short

    return of


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Says what was found, in a sentence; ``--long`` prints it when all is over."""
    return lambda sentence: record_property("told", sentence)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if not config.getoption("--long"):
        return
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, sentence in report.user_properties:
                if name == "told" and getattr(report, "when", "") == "call":
                    terminalreporter.write_line(f"{report.nodeid}: {sentence}")


@pytest.fixture(autouse=True)
def names_from_the_beginning() -> None:
    clear_session()


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    set_language("en")
    yield
    set_language("en")
