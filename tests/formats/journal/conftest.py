"""Journals that are flushed, and tried again, sooner than people need it."""

from pathlib import Path

import pytest

from studio.document.project import Project
from studio.formats.journal import recorder
from tests.document.drawn import headline
from tests.formats.journal.sitting import Sitting


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "SYNC", 0.01)
    monkeypatch.setattr(recorder, "RETRY", 0.05)


@pytest.fixture
def sitting(tmp_path: Path) -> Sitting:
    return Sitting(tmp_path / "root", Project(headline()[0]))
