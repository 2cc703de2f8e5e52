"""Weights alone, in a file and out of one, and a model's clone."""

import tracemalloc
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest

from studio.layers import LSTM, BatchNormalization, Dense, Input, TimeDistributed
from studio.models import Model, clone_model
from studio.problem import ProblemError

GIVEN = np.random.default_rng(3).random((6, 4, 3)).astype(np.float32)


def made(units: int = 2) -> Model:
    """A model with a model inside, statistics and names of its own each time."""
    pixels, frames = Input((3,)), Input((4, 3))
    inner = Model(pixels, BatchNormalization()(Dense(units, activation="tanh")(pixels)))
    model = Model(frames, Dense(1)(LSTM(2)(TimeDistributed(inner)(frames))))
    model.compile("adam", "mse", metrics=["mae"])
    return model


def same(one: Any, other: Any) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_weights_go_into_another_model_of_the_same_layers(tmp_path: Path) -> None:
    model, other = made(), made()
    model.fit(GIVEN, GIVEN[:, 0, :1], verbose=0)
    model.save_weights(tmp_path / "w.weights.npz")
    model.save(tmp_path / "m.loom")
    assert not same(model.get_weights(), other.get_weights())
    with np.load(tmp_path / "w.weights.npz") as archive:
        assert archive.files == [v.path for v in model.weights]
        assert same([archive[name] for name in archive.files], model.get_weights())
    for name in ("w.weights.npz", "m.loom"):
        other.set_weights([np.zeros(v.shape) for v in other.weights])
        other.load_weights(tmp_path / name)
        assert same(model.get_weights(), other.get_weights())
        np.testing.assert_array_equal(other.predict(GIVEN), model.predict(GIVEN))


def test_training_goes_on_from_the_weights_loaded(tmp_path: Path) -> None:
    """As with set_weights: the optimizer keeps what it has."""
    model, other, y = made(), made(), GIVEN[:, 0, :1]
    model.save_weights(tmp_path / "w.weights.npz")
    other.set_weights(model.get_weights())
    for each in (model, other):
        each.fit(GIVEN, y, shuffle=False, verbose=0)
    model.load_weights(tmp_path / "w.weights.npz")
    with np.load(tmp_path / "w.weights.npz") as archive:
        other.set_weights([archive[name] for name in archive.files])
    found = [each.fit(GIVEN, y, shuffle=False, verbose=0).history for each in (model, other)]
    assert found[0] == found[1]


def test_what_does_not_fit_is_refused_and_sets_nothing(tmp_path: Path) -> None:
    model, wider = made(), made(5)
    before = wider.get_weights()
    model.save_weights(tmp_path / "w.weights.npz")
    with pytest.raises(ProblemError, match="must have the shapes"):
        wider.load_weights(tmp_path / "w.weights.npz")
    with pytest.raises(ProblemError, match="skip_mismatch"):
        wider.load_weights(tmp_path / "w.weights.npz", skip_mismatch=True)
    assert same(before, wider.get_weights())
    with pytest.raises(ProblemError, match=r"Save “w\.weights\.npz”"):
        model.save_weights(tmp_path / "w.weights.h5")
    with pytest.raises(ProblemError, match="file"):
        model.save_weights(tmp_path / "w.weights.npz", overwrite=False)
    (tmp_path / "no.weights.npz").write_bytes(b"hello")
    np.save(tmp_path / "one.npy", np.zeros(3))
    for name in ("no.weights.npz", "one.npy"):
        with pytest.raises(ProblemError, match="not an archive of weights"):
            model.load_weights(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        model.load_weights(tmp_path / "nothing.weights.npz")


def test_a_clone_has_the_layers_and_weights_of_its_own() -> None:
    model = made()
    clone = clone_model(model)
    assert [layer.name for layer in clone.layers] == [layer.name for layer in model.layers]
    assert [v.path for v in clone.weights] == [v.path for v in model.weights]
    before = model.get_weights()
    assert not same(before, clone.get_weights())
    with pytest.raises(ProblemError, match="compile"):
        clone.fit(GIVEN, GIVEN[:, 0, :1], verbose=0)
    clone.compile("sgd", "mse")
    clone.fit(GIVEN, GIVEN[:, 0, :1], verbose=0)
    assert same(before, model.get_weights())
    clone.set_weights(before)
    np.testing.assert_array_equal(clone.predict(GIVEN), model.predict(GIVEN))
    with pytest.raises(ProblemError, match="clone_function"):
        clone_model(model, clone_function=lambda layer: layer)


def packed(path: Path, header: str, data: bytes) -> Path:
    """An archive with one packed array that says `header` of itself."""
    text = header.encode()
    member = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data
    with ZipFile(path, "w", ZIP_DEFLATED) as file:
        file.writestr("w.npy", member)
    return path


def test_an_archive_that_unpacks_to_more_than_the_model_is_refused_unread(tmp_path: Path) -> None:
    """It came to whatever it said: a megabyte of file to a gigabyte of memory."""
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (%s,)}\n"
    bomb = packed(tmp_path / "bomb.weights.npz", header % 2**25, bytes(2**27))
    assert bomb.stat().st_size < 2**18
    tracemalloc.start()
    try:
        with pytest.raises(ProblemError, match=r"“bomb\.weights\.npz” holds more than"):
            made().load_weights(bomb)
        lies = packed(tmp_path / "lies.weights.npz", header % 2**40, bytes(4))
        with pytest.raises(ProblemError, match="not an archive of weights"):
            made().load_weights(lies)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()
