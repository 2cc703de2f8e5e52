"""Where checkpoints live, and when they go."""

import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.train import checkpoints
from studio.train.arrays import Arrays, OneHots, Packed
from studio.train.checkpoints import FILE, KEPT_DAYS, discard, exists, place_of, sweep
from studio.train.fingerprint import fingerprint
from studio.train.streamed import Streamed


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's place for the state of programs."""
    root = tmp_path / "state"
    monkeypatch.setattr("platformdirs.user_state_path", lambda *_, **__: root)
    return root


def test_each_file_has_a_folder_of_its_own(state: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "a.loom", tmp_path / "b.loom"
    assert place_of(one) == place_of(tmp_path / "x" / ".." / "a.loom")
    assert place_of(one) != place_of(other)
    assert place_of(one).parent == state / "training"
    assert place_of(one).name.isalnum()


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_is_the_file_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "a.loom").touch()
    (tmp_path / "link.loom").symlink_to(tmp_path / "a.loom")
    assert place_of(tmp_path / "link.loom") == place_of(tmp_path / "a.loom")


def test_projects_without_a_file_have_folders_of_their_own() -> None:
    assert place_of(None, 1) == place_of(None, 1)
    assert place_of(None, 1) != place_of(None, 2)


def test_nothing_is_made_by_asking(state: Path, tmp_path: Path) -> None:
    place_of(tmp_path / "a.loom")
    sweep()
    assert not state.exists()


def test_what_nobody_came_back_to_goes(tmp_path: Path) -> None:
    old, new = place_of(tmp_path / "old.loom"), place_of(tmp_path / "new.loom")
    for place in (old, new):
        place.mkdir(parents=True)
        (place / FILE).touch()
    now = (new / FILE).stat().st_mtime
    os.utime(old / FILE, (now, now - KEPT_DAYS * 86_400 - 60))
    sweep(now)
    assert (exists(old), exists(new)) == (False, True)
    discard(new)
    discard(new)
    assert not new.exists()


def test_samples_are_told_apart_by_any_number() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.random((5000, 3)).astype(np.float32), rng.integers(0, 3, (5000, 1))
    eye = np.eye(3, dtype=np.float32)

    def told(x: Any, y: Any, weights: Any = None) -> str:
        held = {"t": weights} if weights is not None else {}
        return fingerprint(Arrays({"x": x}, {"t": y}, held), None)

    def changed(array: Any) -> Any:
        other = array.copy()
        other[4321] += 1
        return other

    found = [
        told(x, y),
        told(changed(x), y),
        told(x, changed(y)),
        told(x[:-1], y[:-1]),
        told(x, y, np.ones(5000, np.float32)),
        told(OneHots(y, 3), y),
        told(OneHots(changed(y), 3), y),
        told(Packed(changed(y), partial(np.take, np.eye(4, 3), axis=0)), y),
        told(Packed(y, partial(np.take, 2 * eye, axis=0)), y),
        told(Streamed.of(x), y),
        fingerprint(Arrays({"x": x}, {"t": y}), Arrays({"x": x}, {"t": y})),
    ]
    assert len(set(found)) == len(found)
    assert told(x.copy(), y.copy()) == found[0]


def test_what_cannot_be_read_is_nothing_to_go_on_with(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    assert checkpoints.interrupted(tmp_path) is None
    assert not exists(tmp_path)
