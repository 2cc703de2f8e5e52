"""A step in a file gives again what it gave, and damaged files are refused."""

import io
import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.document.model import Document
from studio.document.plan import DataPlan
from studio.document.store import Store
from studio.engine.program import Array
from studio.problem import ProblemError
from studio.train.arrays import Arrays, OneHots
from studio.train.data import load_data
from studio.train.events import Hit
from studio.train.reproduction import KEPT, Reproduction, keep, read, replay, taken, write
from studio.train.trainer import Settings, Trainer
from tests.train.resuming import headline, numbers

HIT = Hit("not_finite", 2, 7, float("nan"), "forward", ("c1", "c2"), "dense", sample=3, row=9)


def step(document: Document, engine: str = "numpy", before: int = 3, **settings: bool) -> Any:
    """The fourth step of a training, done and kept."""
    data = load_data(document, Path()).train
    trainer = Trainer(document, Store(), Settings(engine, 7, 1))
    trainer.norms = settings.get("norms", False)
    size = document.plan.run.batch_size
    for number in range(before):
        trainer.train_batch(data.take(slice(number * size, (number + 1) * size)).unpacked())
    batch = data.take(slice(before * size, (before + 1) * size)).unpacked()
    return taken(trainer, batch, HIT)


@pytest.mark.parametrize("norms", [False, True])
@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize("kind", ["headline", "numbers"])
def test_it_is_done_again_bit_for_bit(kind: str, engine: str, norms: bool, tmp_path: Path) -> None:
    document = headline() if kind == "headline" else numbers(tmp_path)
    given = step(document, engine, norms=norms)
    write(tmp_path / "it.step", given)
    kept = read(tmp_path / "it.step")
    assert kept.about.engine == engine
    found = replay(kept)
    assert found.equal
    assert found.compared >= len(given.about.digests) + 2
    assert found.origin is None, "nothing in it is not finite"
    assert ("gradient_norm" in kept.results) == norms


def test_what_was_met_is_kept_but_no_paths(tmp_path: Path) -> None:
    given = step(numbers(tmp_path))
    write(tmp_path / "it.step", given)
    kept = read(tmp_path / "it.step")
    assert np.isnan(kept.about.hit.value)
    assert {**vars(kept.about.hit), "value": 0.0} == {**vars(HIT), "value": 0.0}
    assert kept.document.plan.data == DataPlan()
    assert str(tmp_path).encode() not in (tmp_path / "it.step").read_bytes()
    assert kept.project().store.step == given.store.step == 3


def test_what_comes_out_otherwise_is_named(tmp_path: Path) -> None:
    given: Reproduction = step(numbers(tmp_path))
    changed: dict[str, Array] = {**given.results, "loss": given.results["loss"] + np.float32(0.5)}
    digests = dict(given.about.digests)
    name = next(n for n in digests if n.endswith("kernel"))
    digests[name] = "0" * 64
    about = replace(given.about, digests=digests)
    found = replay(replace(given, about=about, results=changed))
    assert not found.equal
    assert [d.name for d in found.differences] == ["loss", name]
    assert found.differences[0].largest == pytest.approx(0.5, rel=1e-5)
    assert found.differences[1].largest is None


def test_places_of_ones_are_kept_as_such(tmp_path: Path) -> None:
    from studio.layers import LSTM, Dense, Input, Masking
    from studio.models import Model

    x = Input((4, 6))
    model = Model(x, Dense(1)(LSTM(3)(Masking()(x))))
    model.compile("adam", "mse")
    (call,), (end,) = model.document.graph.inputs, model.document.graph.outputs
    places = np.random.default_rng(0).integers(0, 7, (5, 4)).astype(np.int32)
    batch = Arrays({call: OneHots(places, 6)}, {end.key: np.ones((5, 1), np.float32)})
    trainer = Trainer(model.document, model.project.store, Settings("numpy", 1, 1))
    write(tmp_path / "it.step", taken(trainer, batch, HIT))
    kept = read(tmp_path / "it.step")
    assert isinstance(kept.batch.inputs[call], OneHots)
    assert replay(kept).equal


def test_the_newest_few_are_kept(tmp_path: Path) -> None:
    given = step(numbers(tmp_path), before=0)
    made = [keep(given, tmp_path / "steps") for _ in range(KEPT)]
    os.utime(made[3], (0, 0))
    made += [keep(given, tmp_path / "steps")]
    left = set((tmp_path / "steps").iterdir())
    assert len(left) == KEPT
    assert made[-1] in left
    assert made[3] not in left
    assert made[-1].name.startswith("model-epoch3-batch8")


def test_the_older_take_no_more_than_their_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = step(numbers(tmp_path), before=0)
    size = keep(given, tmp_path / "steps").stat().st_size
    monkeypatch.setattr("studio.train.reproduction.ROOM", 2 * size + 10)
    for _ in range(4):
        keep(given, tmp_path / "steps")
    assert len(list((tmp_path / "steps").iterdir())) == 3


# -- files that are none -------------------------------------------------------------------------


def rewritten(path: Path, **members: bytes | None) -> None:
    """The same zip with members replaced, or left out."""
    with zipfile.ZipFile(path) as file:
        found = {info.filename: file.read(info) for info in file.infolist()}
    for name, data in members.items():
        full = next(n for n in found if n.startswith(name))
        if data is None:
            del found[full]
        else:
            found[full] = data
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, data in found.items():
            file.writestr(name, data)
    path.write_bytes(out.getvalue())


@pytest.mark.parametrize("member", ["about", "document", "weights", "state", "batch", "results"])
@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff" * 100])
def test_a_damaged_file_is_refused(member: str, content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "it.step"
    write(path, step(numbers(tmp_path), before=0))
    rewritten(path, **{member: content})
    empty_is_fine = content == b"" and member in ("weights", "state", "results")
    if empty_is_fine:
        read(path)
        return
    with pytest.raises(ProblemError) as caught:
        read(path)
    assert caught.value.problems[0].code == "file_problem"


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "it.step"
    write(path, step(numbers(tmp_path), before=0))
    whole = path.read_bytes()
    for data in (b"", b"hello", whole[: len(whole) // 2], whole[100:]):
        path.write_bytes(data)
        with pytest.raises(ProblemError):
            read(path)
    with pytest.raises(ProblemError, match="not a regular file"):
        read(tmp_path)
    with pytest.raises(ProblemError):
        read(tmp_path / "nowhere.step")


def test_members_are_never_packed(tmp_path: Path) -> None:
    path = tmp_path / "it.step"
    write(path, step(numbers(tmp_path), before=0))
    with zipfile.ZipFile(path) as file:
        found = {info.filename: file.read(info) for info in file.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in found.items():
            file.writestr(name, data)
    with pytest.raises(ProblemError) as caught:
        read(path)
    assert caught.value.problems[0].code == "file_problem"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("format", 2),
        ("seed", "x"),
        ("threads", None),
        ("threads", 10**9),
        ("threads", 0),
        ("strange", 1),
        ("hit", {}),
        ("norms", 3),
        ("depths", {"c2": 10**9}),
        ("hit", {"kind": "not_finite", "epoch": 0, "batch": 0, "value": "much"}),
        ("hit", 3),
    ],
)
def test_strange_values_are_refused(name: str, value: Any, tmp_path: Path) -> None:
    path = tmp_path / "it.step"
    write(path, step(numbers(tmp_path), before=0))
    with zipfile.ZipFile(path) as file:
        about = json.loads(file.read("about.json"))
    rewritten(path, about=json.dumps({**about, name: value}).encode())
    with pytest.raises(ProblemError):
        read(path)


@pytest.mark.parametrize("fault", ["no target", "floats for integers", "too narrow", "a flat one"])
def test_a_batch_that_does_not_fit_the_model_is_refused(fault: str, tmp_path: Path) -> None:
    given: Reproduction = step(headline(), before=0)
    inputs, targets = dict(given.batch.inputs), dict(given.batch.targets)
    call = next(c for c, a in inputs.items() if np.asarray(a).dtype.kind == "i")
    other = next(c for c in inputs if c != call)
    if fault == "no target":
        targets.pop(next(iter(targets)))
    elif fault == "floats for integers":
        inputs[call] = np.asarray(inputs[call]).astype(np.float32)
    elif fault == "too narrow":
        inputs[other] = np.asarray(inputs[other])[:, 1:]
    else:
        inputs[other] = np.asarray(inputs[other])[:, 0]
    path = tmp_path / "it.step"
    write(path, replace(given, batch=Arrays(inputs, targets)))
    with pytest.raises(ProblemError) as caught:
        read(path)
    assert caught.value.problems[0].code == "file_problem"


def test_an_engine_that_is_not_there_is_told(tmp_path: Path) -> None:
    given: Reproduction = step(numbers(tmp_path), before=0)
    with pytest.raises(ProblemError, match="strange"):
        replay(replace(given, about=replace(given.about, engine="strange")))
