"""Journals that are flushed, and tried again, sooner than people need it."""

import pytest

from studio.formats.journal import recorder


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "SYNC", 0.01)
    monkeypatch.setattr(recorder, "RETRY", 0.05)
