"""All of one step of training in a file, to be done again elsewhere, bit for bit.

A ``.step`` file is a zip, written as project files are: nothing in it is executed or names code.

=========================  =======================================================================
``about.json``             which step it is, how it was trained, and what was met in it
``document.json``          the model and its plan, with the learning rate of that step
``weights.safetensors``    the weights before it and, in ``state``, all that is kept beside them
``state.safetensors``      (see `studio.formats.arrays`)
``batch.safetensors``      its samples: ``input/…``, ``target/…``, ``sample_weight/…``
``results.safetensors``    what it gave: the losses and the outputs; of the weights afterwards there
                           is a digest in ``about.json``
=========================  =======================================================================
"""

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
import platformdirs

from studio.document.lowering import inner_input
from studio.document.model import Document
from studio.document.plan import DataPlan
from studio.document.project import Project
from studio.document.store import Store
from studio.engine.program import Array
from studio.engine.threads import available
from studio.formats import archive, arrays, document_json, strict_json
from studio.formats.archive import Archive
from studio.formats.arrays import Tensors
from studio.formats.atomic import not_written, reason, writing
from studio.formats.document_json import file_problem
from studio.formats.runs import numbers, plain_numbers
from studio.formats.strict_json import MalformedError, malformed
from studio.formats.values import member, only, plain, table
from studio.formats.values import read as read_value
from studio.problem import refuse
from studio.train.arrays import Arrays, OneHots, fed
from studio.train.diagnosis import Origin, diagnosed
from studio.train.events import Hit
from studio.train.recorder import changing
from studio.train.step import Step
from studio.train.trainer import Settings, Trainer

FORMAT = 1
SUFFIX = ".step"
KEPT = 10  # files in the folder that trainings write to, the newest
ROOM = 2**31  # bytes of those that were there before, together
_THREADS = 1024  # at most
_STORED = tuple(f"{n}.safetensors" for n in ("weights", "state", "batch", "results"))


@dataclass(frozen=True)
class About:
    """Which step, and how it was trained.

    Attributes:
        hit: what was met in it.
        engine, threads, seed: as in `Settings`.
        norms: whether the gradient's length was asked for; its program differs by that.
        depths: of each input fed as the places of ones, how many there are.
        digests: of what each weight, and what is kept beside it, was afterwards: SHA-256.
    """

    hit: Hit
    engine: str
    threads: int
    seed: int
    norms: bool = False
    depths: Mapping[str, int] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reproduction:
    """One step: what it starts from, what it is trained on, and what it gave."""

    document: Document
    store: Store
    batch: Arrays
    about: About
    results: Mapping[str, Array] = field(default_factory=dict)

    def project(self) -> Project:
        """The model as it was before the step, as a project of its own."""
        return Project(self.document, self.store)


@dataclass(frozen=True)
class Difference:
    """What came out differently.

    Attributes:
        name: of a result, or of a weight or what is kept beside it.
        largest: by how much at most; None where only digests can be compared.
    """

    name: str
    largest: float | None = None


@dataclass(frozen=True)
class Replayed:
    """What doing the step again gave.

    Attributes:
        compared: how many results and weights were compared.
        differences: those that are not the same to the last bit.
        origin: where something not finite arises in it; None where all is finite.
    """

    compared: int
    differences: tuple[Difference, ...]
    origin: Origin | None

    @property
    def equal(self) -> bool:
        """Whether everything is the same to the last bit."""
        return not self.differences


# -- doing it ------------------------------------------------------------------------------------


def taken(trainer: Trainer, batch: Arrays, hit: Hit) -> Reproduction:
    """The step that a trainer would do next on this batch; it does it.

    The Store given is a copy, of what the model needs.
    """
    trainer.save()
    store = _copied(trainer.document, trainer.store)
    settings, choice = trainer.settings, trainer.choice
    step, found = trainer.train_batch(batch)
    about = About(
        hit,
        choice.engine if choice else settings.engine,
        settings.threads or available(),
        settings.seed,
        trainer.norms,
        dict(batch.one_hots),
        _digests(trainer, step),
    )
    plan = replace(trainer.document.plan, data=DataPlan())  # the samples are there already
    document = replace(trainer.document, plan=plan)
    return Reproduction(document, store, _as_fed(step, batch), about, _results(step, found))


def replay(given: Reproduction) -> Replayed:
    """Do the step again, and compare.

    Raises:
        ProblemError: what keeps the document from being trained, or the engine from being used.
    """
    about = given.about
    settings = Settings(about.engine, about.seed, about.threads)
    trainer = Trainer(given.document, _copied(given.document, given.store), settings)
    trainer.norms = about.norms
    step, runner = trainer.compiled(True, given.batch.weighted, given.batch.one_hots)
    states = runner.state()
    step, found = trainer.train_batch(given.batch)
    results, digests = _results(step, found), _digests(trainer, step)
    differences = [
        Difference(name, _apart(results.get(name), array))
        for name, array in given.results.items()
        if not _same(results.get(name), array)
    ]
    other = {n for n in digests.keys() | about.digests if digests.get(n) != about.digests.get(n)}
    differences += map(Difference, sorted(other))
    origin = diagnosed(given.document, step, trainer.feeds(step, given.batch), states)
    compared = len(given.results) + len(digests.keys() | about.digests)
    return Replayed(compared, tuple(differences), origin)


def _results(step: Step, found: Mapping[str, Array]) -> dict[str, Array]:
    """The losses and outputs of a step, by names that mean something."""
    names = {"loss": step.total, "gradient_norm": step.norm}
    names |= {f"loss/{key}": name for key, name in step.losses.items()}
    names |= {f"output/{key}": name for key, name in step.outputs.items()}
    return {name: np.asarray(found[value]) for name, value in names.items() if value}


def _digests(trainer: Trainer, step: Step) -> dict[str, str]:
    trainer.save()
    return {
        f"{name}{tail}": hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()
        for name, cell in changing(trainer, step)
        for tail, array in {"": cell.value, **{f":{s}": a for s, a in cell.slots.items()}}.items()
    }


def _as_fed(step: Step, batch: Arrays) -> Arrays:
    """A batch in the types its program takes."""
    specs = step.program.specs

    def typed(kept: Any, name: str) -> Any:
        if isinstance(kept, OneHots):
            return OneHots(np.asarray(kept.places, specs[name].dtype), kept.depth)
        return np.asarray(kept, specs[name].dtype)

    return Arrays(
        {call: typed(kept, step.inputs[call]) for call, kept in batch.inputs.items()},
        {k: typed(kept, step.targets[k]) for k, kept in batch.targets.items() if k in step.targets},
        {k: typed(kept, step.weights[k]) for k, kept in batch.weights.items() if k in step.weights},
    )


def _copied(document: Document, store: Store) -> Store:
    """A Store with copies of what the document needs."""
    found = Store()
    found.step = store.step
    shared = store.shared()
    found.merge({layer: shared[layer] for layer in document.layers if layer in shared})
    return found


def _same(one: Array | None, other: Array) -> bool:
    if one is None or one.shape != other.shape or one.dtype != other.dtype:
        return False
    return one.tobytes() == other.tobytes()


def _apart(one: Array | None, other: Array) -> float | None:
    """The largest difference of two arrays' numbers; None where it cannot be told."""
    if one is None or one.shape != other.shape or not other.size:
        return None
    with np.errstate(all="ignore"):
        return float(np.max(np.abs(one.astype(np.float64) - other)))


# -- writing -------------------------------------------------------------------------------------


def folder() -> Path:
    """Where trainings write what they met: the system's place for the state of programs."""
    return platformdirs.user_state_path("layerloom", appauthor=False) / "steps"


def keep(given: Reproduction, place: Path) -> Path:
    """Write a step into a folder, under a name of its own; the oldest there make room.

    Raises:
        ProblemError: ``file_not_written``.
    """
    hit = given.about.hit
    when = datetime.now().strftime("%Y%m%d-%H%M%S")
    stem = f"{given.document.graph.name}-epoch{hit.epoch + 1}-batch{hit.batch + 1}-{when}"
    stem = "".join(c if c.isalnum() or c in "-_" else "_" for c in stem[-80:])
    number = 1
    while (path := place / f"{stem}{f'-{number}' if number > 1 else ''}{SUFFIX}").exists():
        number += 1
    try:
        place.mkdir(parents=True, exist_ok=True)
        _make_room(place)
    except OSError as error:
        raise not_written(place, error) from error
    write(path, given)
    return path


def _make_room(place: Path) -> None:
    """Remove all but the newest of the files there, of which one less is left than is kept."""
    found = [(path.stat().st_mtime, path.stat().st_size, path) for path in place.glob(f"*{SUFFIX}")]
    left = ROOM
    for number, (_, size, path) in enumerate(sorted(found, reverse=True), 1):
        left -= size
        if number >= KEPT or left < 0:
            path.unlink()


def write(path: Path, given: Reproduction) -> None:
    """Write a step.

    Raises:
        ProblemError: ``file_not_written``.
    """
    with writing(path) as file:
        _write(file, given)


def _write(file: IO[bytes], given: Reproduction) -> None:
    about = {"format": FORMAT, **plain_numbers(plain(given.about))}
    hit = replace(given.about.hit, reproduction="")
    about["hit"] = plain_numbers({**plain(hit), "value": float(hit.value)})
    texts = {"about.json": about, "document.json": document_json.to_json(given.document)}
    weights, state = arrays.tensors_of(given.document, given.store)
    members = (weights, state, Tensors(_batch(given.batch)), Tensors(given.results))
    with zipfile.ZipFile(file, "w") as packed:
        for name, value in texts.items():
            packed.writestr(name, strict_json.dumps(value, name))
        for name, tensors in zip(_STORED, members, strict=True):
            with packed.open(zipfile.ZipInfo(name), "w", force_zip64=True) as member:
                arrays.write(member, tensors)


def _batch(batch: Arrays) -> dict[str, Array]:
    found = {f"input/{call}": fed(kept) for call, kept in batch.inputs.items()}
    found |= {f"target/{key}": array for key, array in batch.targets.items()}
    return found | {f"sample_weight/{key}": array for key, array in batch.weights.items()}


# -- reading -------------------------------------------------------------------------------------


def read(path: str | Path) -> Reproduction:
    """The step in a file.

    Raises:
        ProblemError: ``file_unreadable``, or ``file_problem`` naming the place and the reason.
    """
    path = Path(path)
    try:
        with archive.opened(path) as file:
            return _read(file)
    except OSError as error:
        raise refuse("file_unreadable", file=str(path), reason=reason(error)) from error
    except MalformedError as error:
        raise file_problem(str(path), error) from error


def _read(file: Archive) -> Reproduction:
    about = _about(file.json("about.json"))
    document = document_json.read_document(file.json("document.json"))
    weights, state, batch, results = (file.stored(name) for name in _STORED)
    store = arrays.read(weights, state)
    given, _ = arrays.read_tensors(batch, "batch.safetensors")
    found, _ = arrays.read_tensors(results, "results.safetensors")
    return Reproduction(document, store, _arrays(given, about, document), about, found)


def _about(value: Any) -> About:
    place = "about.json"
    names = ("format", "hit", "engine", "threads", "seed", "norms", "depths", "digests")
    found = only(value, names, place)
    if found.pop("format", None) != FORMAT:
        raise malformed(place, "expected", expected=str(FORMAT), received=value.get("format"))
    hit = dict(table(member(found, "hit", place), f"{place}.hit"))
    hit["value"] = numbers(member(hit, "value", f"{place}.hit"))
    read: About = read_value(About, {**found, "hit": hit}, place)
    if not 1 <= read.threads <= _THREADS:
        raise malformed(f"{place}.threads", "expected", expected="1, 2, 3 …", received=read.threads)
    return read


def _arrays(given: Mapping[str, Array], about: About, document: Document) -> Arrays:
    """A batch of samples, all of the same number; every input there, and what each loss needs."""
    kinds: dict[Literal["input", "target", "sample_weight"], dict[str, Any]]
    kinds = {"input": {}, "target": {}, "sample_weight": {}}
    for name, array in given.items():
        kind, _, key = name.partition("/")
        if kind not in kinds or not key or not array.ndim:
            raise malformed("batch.safetensors", "tensors", detail=name[:100])
        depth = about.depths.get(key) if kind == "input" else None
        if depth is not None and depth != _last_size(document, key):
            raise malformed("about.json.depths", "tensors", detail=f"{key[:100]}: {depth}")
        if kind == "input" and not _is_fed(document, key, array, depth):
            detail = f"{name[:100]}: {array.dtype} {array.shape}"
            raise malformed("batch.safetensors", "tensors", detail=detail)
        kinds[kind][key] = array if depth is None else OneHots(array, depth)
    rows = {len(array) for array in given.values()}
    if len(rows) != 1 or set(document.graph.inputs) != set(kinds["input"]):
        raise malformed("batch.safetensors", "tensors", detail="input/…")
    plans = {key: p for key, p in document.plan.outputs.items() if p.loss is not None}
    if not plans.keys() & {end.key for end in document.graph.outputs} <= kinds["target"].keys():
        raise malformed("batch.safetensors", "tensors", detail="target/…")
    return Arrays(kinds["input"], kinds["target"], kinds["sample_weight"])


def _is_fed(document: Document, call: str, array: Array, depth: int | None) -> bool:
    """Whether an Input takes an array; there are no others in a batch."""
    if call not in document.graph.inputs:
        return False
    spec = inner_input(document, call).spec()
    shape = spec.shape if depth is None else spec.shape[:-1]
    if array.ndim != len(shape):
        return False
    sizes = zip(shape[1:], array.shape[1:], strict=True)
    places = depth is not None and array.dtype.kind in "iu"
    typed = places or (depth is None and array.dtype.name == spec.dtype)
    return typed and all(size == given for size, given in sizes if isinstance(size, int))


def _last_size(document: Document, call: str) -> int | None:
    """The size of the last axis of what an Input takes."""
    if call not in document.graph.inputs:
        return None
    shape = inner_input(document, call).shape
    return shape[-1] if shape else None
