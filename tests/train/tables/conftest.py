"""What is in the files is tried here; test_sound.py has that they are gone through first."""

import pytest


@pytest.fixture(autouse=True)
def _read_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.path.name != "test_sound.py":
        monkeypatch.setattr("studio.train.tables.sound._gone_through", lambda *about: None)
