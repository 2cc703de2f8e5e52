"""Calls to the system that fail for a while."""

import os
from typing import Any

import pytest


class Failing:
    """Lets calls to the system fail while it is on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, code: int) -> None:
        self.on, self._real, self._code = False, getattr(os, name), code
        monkeypatch.setattr(os, name, self)

    def __call__(self, *args: Any) -> Any:
        if self.on:
            raise OSError(self._code, os.strerror(self._code))
        return self._real(*args)
