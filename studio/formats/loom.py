"""Project files: a zip of JSON and safetensors, read with suspicion and written atomically.

=====================  ===============================================================
``document.json``      the model and its plan (`document_json`); holds the format number
``weights.safetensors``  the weights the document needs now, ``<layer id>/<weight name>``
``state.safetensors``  optimizer slots, ``<layer id>/<weight name>:<slot>``, and ``step``; for
                       a table updated by rows also ``:clock`` and ``:touched`` (`Lag`)
``preprocess.json``    what preprocessing learnt: vocabularies, statistics, class names
``runs/<id>/run.json``  the settings and the history of each training, oldest first; beside it,
                       of those that keep it, ``document.json``: the model as it was trained,
                       ``weights.safetensors``: the best epoch's, and ``preprocess.json``: what
                       preprocessing had learnt, where that is not what it is now
``thumbnail.png``      a small picture of the graph, where a window saved the file
=====================  ===============================================================

Equal projects give equal bytes. Nothing in a file is executed or names code; every size is bounded
before it is read; nothing is written on reading. The zip's comment says which version wrote it.

A file of a later format is opened as far as it is known (`newer`; `Project.newer`), and never
written over, by whatever project. Such a project that nobody changed is saved elsewhere as its
whole file, byte for byte, so that nothing is lost; `astray` says which data it does not find from
there. With changes it is saved as this version knows it: `lost` says what is not in there.
"""

import hashlib
import os
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from studio import __version__
from studio.document.model import Document
from studio.document.plan import TableSource
from studio.document.preprocess import Fitted
from studio.document.project import Newer, Project, Run
from studio.document.store import Store
from studio.formats import archive, arrays, document_json, newer, run_models, strict_json, upgrades
from studio.formats.archive import Archive
from studio.formats.atomic import not_written, reason, write_bytes
from studio.formats.document_json import file_problem, read_document
from studio.formats.newer_files import spare_newer, writer_of
from studio.formats.runs import plain_run, read_run
from studio.formats.strict_json import MalformedError, malformed
from studio.formats.values import plain, read
from studio.garbage import uncollected
from studio.limits import PROJECT_JSON_BYTES, PROJECT_JSON_VALUES, THUMBNAIL_BYTES
from studio.problem import refuse
from studio.text import text

_JSON = ("document.json", "preprocess.json")
_ARRAYS = ("weights.safetensors", "state.safetensors")
_THUMBNAIL = "thumbnail.png"
_STORED = (*_ARRAYS, _THUMBNAIL)  # everything else is packed JSON
_RUN = re.compile(r"runs/(r[0-9]{1,9})/run\.json")
_BESIDE_RUN = re.compile(r"runs/r[0-9]{1,9}/(document\.json|preprocess\.json|weights\.safetensors)")


def save(path: str | Path, project: Project) -> None:
    """Write the project to `path`; at any moment the file is wholly the old or wholly the new one.

    What is written is read back first, so a file that could not be opened again is never left.
    The path of the data goes in relative to the file's folder where it can; in memory it stays.

    Raises:
        ProblemError: ``file_not_written``, ``file_not_flushed``; ``newer_stays``: at `path` is a
            file of a later version; ``file_unsavable`` where the project cannot be a file.
    """
    path = Path(path)
    spare_newer(path)
    if project.newer is not None and not changed(project):
        write_bytes(path, project.newer.data)
        return
    try:
        folder = path.absolute().parent
        data = to_bytes(project, folder)
        _read(BytesIO(data), folder)
    except MalformedError as error:
        args = {"place": error.place, "reason": error.reason}
        raise refuse("file_unsavable", file=str(path), **args) from error
    except OSError as error:  # a relative path, and the folder one is in is gone
        raise not_written(path, error) from error
    write_bytes(path, data)
    project.newer = None  # it is one of this version now


def changed(project: Project) -> bool:
    """Whether a project from a later version is another than its file says."""
    return project.newer is not None and _digest(project) != project.newer.known


def lost(project: Project) -> tuple[str, ...]:
    """The places in a later version's file of what saving this project would not keep."""
    return project.newer.passed if project.newer is not None and changed(project) else ()


def astray(project: Project, path: Path) -> tuple[tuple[Path, Path], ...]:
    """The files of the data that an unchanged copy of a later version's file would not find again.

    Such a copy is the file byte for byte: a path from its folder goes on from another one.

    Args:
        project: about to be saved.
        path: where.

    Returns:
        For each where it is, and where the copy has it.
    """
    if project.newer is None or changed(project):
        return ()
    there = from_bytes(project.newer.data, path.absolute().parent)
    pairs = zip(_data_files(project.document), _data_files(there.document), strict=True)
    return tuple((here, other) for here, other in pairs if here != other)


@uncollected()
def load(path: str | Path) -> Project:
    """The project in the file at `path`. A relative path of its data becomes an absolute one.

    Raises:
        ProblemError: ``file_unreadable``, or ``file_problem`` naming the place and the reason.
    """
    path = Path(path)
    try:
        with _open(path) as file:
            return _read_any(file, path.absolute().parent)
    except MalformedError as error:
        raise file_problem(str(path), error) from error
    except OSError as error:
        raise refuse("file_unreadable", file=str(path), reason=reason(error)) from error


@uncollected()
def from_bytes(data: bytes, folder: Path) -> Project:
    """The project that a file of these bytes in `folder` holds.

    Raises:
        MalformedError: naming the place and the reason.
    """
    return _read_any(BytesIO(data), folder)


def thumbnail(path: str | Path) -> bytes:
    """The picture in a project's file, without reading the rest; empty where there is none."""
    try:
        with _open(Path(path)) as file, archive.opened(file) as members:
            return members.stored(_THUMBNAIL, THUMBNAIL_BYTES)
    except (OSError, MalformedError):
        return b""


def resolve(path: str, base: str | Path) -> Path:
    """Where a `TableSource.path` points, `base` being the folder of the project file.

    `path` is absolute, or relative to that folder; `load` gives absolute ones.
    """
    return Path(os.path.normpath(Path(base).absolute() / path))


# -- writing -------------------------------------------------------------------------------------


def to_bytes(project: Project, folder: Path) -> bytes:
    """What `save` writes into `folder`.

    Raises:
        MalformedError: the project holds what a file cannot (a number that is not finite, …).
    """
    document = _with_source(project.document, lambda source: _relative(source, folder))
    values = {"document.json": document_json.to_json(document)}
    values["preprocess.json"] = plain(project.fitted, tagged=True)
    for run in project.runs:
        name = f"runs/{run.id}/run.json"
        if not _RUN.fullmatch(name) or name in values:
            raise malformed(f"runs/{run.id}", "expected", expected="r1, r2 …", received=run.id)
        values[name] = plain_run(run)
    members = {name: strict_json.dumps(value, name) for name, value in values.items()}
    members |= dict(zip(_ARRAYS, arrays.to_bytes(project.document, project.store), strict=True))
    members |= _beside_runs(project, folder)
    if project.thumbnail:
        members[_THUMBNAIL] = project.thumbnail
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.comment = f"Layerloom {__version__}".encode()
        for name, data in members.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o644 << 16
            packed = not _stored(name)
            file.writestr(info, data, zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED)
    return out.getvalue()


def _beside_runs(project: Project, folder: Path) -> dict[str, bytes]:
    """What runs keep beside their numbers: of the newest, as far as half of what is read goes."""
    found: dict[str, bytes] = {}
    left, values = PROJECT_JSON_BYTES // 2, PROJECT_JSON_VALUES // 2
    for run in reversed(project.runs):
        if run.document is None:
            continue
        place, document = f"runs/{run.id}", run.document
        about, known = f"{place}/document.json", f"{place}/preprocess.json"
        data = run_models.remembered(document, folder)
        if data is None:
            as_is = _with_source(document, lambda source: _relative(source, folder))
            data = run_models.written(document, folder, as_is, about)
        texts = {about: data}
        if run.fitted is not None and run.fitted != project.fitted:
            texts[known] = strict_json.dumps(plain(run.fitted, tagged=True), known)
        left -= sum(map(len, texts.values()))
        values -= sum(map(strict_json.weight, texts.values()))
        if left < 0 or values < 0:
            break
        found |= texts
        if run.weights is not None:
            store = Store()
            store.merge(run.weights)
            found[f"{place}/weights.safetensors"] = arrays.to_bytes(document, store)[0]
    return found


def _relative(source: TableSource, folder: Path) -> TableSource:
    """Relative to `folder` where the two have more in common than the root of the disk."""
    target = resolve(source.path, folder)
    try:
        common = Path(os.path.commonpath([target, folder]))
    except ValueError:  # two drives
        return replace(source, path=str(target))
    if common == Path(common.anchor):
        return replace(source, path=str(target))
    return replace(source, path=Path(os.path.relpath(target, folder)).as_posix())


def _with_source(document: Document, change: Callable[[TableSource], TableSource]) -> Document:
    """With the files of the data, training and validation, changed."""
    data = document.plan.data
    if isinstance(data.source, TableSource):
        data = replace(data, source=change(data.source))
    if data.split.file is not None:
        data = replace(data, split=replace(data.split, file=change(data.split.file)))
    return replace(document, plan=replace(document.plan, data=data))


def _data_files(document: Document) -> list[Path]:
    """The files of the data, training and validation."""
    found: list[Path] = []

    def note(source: TableSource) -> TableSource:
        found.append(Path(source.path))
        return source

    _with_source(document, note)
    return found


# -- reading -------------------------------------------------------------------------------------


def _open(path: Path) -> IO[bytes]:
    """A file to be read; a pipe or a device, which may never end, is not opened."""
    try:
        if path.exists() and not path.is_file():
            raise OSError(0, text("problems.reason_not_a_file"))
        return path.open("rb")
    except ValueError as error:  # a NUL in the name
        raise OSError(0, str(error)) from error


def _found(document: Document, folder: Path, place: str) -> Document:
    """With the paths of its data as absolute ones."""

    def absolute(source: TableSource) -> TableSource:
        if "\0" in source.path:
            raise malformed(f"{place}.plan.data.source.path", "text")
        return replace(source, path=str(resolve(source.path, folder)))

    return _with_source(document, absolute)


def _read_any(file: IO[bytes], folder: Path) -> Project:
    """A project; of a later version, as far as it is known."""
    try:
        return _read(file, folder)
    except MalformedError as error:
        if error.reason.code != "reason_too_new":
            raise
        found = _read_newer(file, folder)
        if found is None:
            raise
        return found


def _read(file: IO[bytes], folder: Path) -> Project:
    with archive.opened(file) as members:
        parsed = {name: members.json(name) for name in members.names if _is_small(name)}
        if "document.json" not in members:
            raise malformed("document.json", "missing", name="document.json")
        document = _found(read_document(parsed["document.json"]), folder, "document.json")
        learnt = parsed.get("preprocess.json", {})
        learnt = upgrades.fitted(learnt, parsed["document.json"]["format"])
        fitted: Mapping[str, Fitted] = read(Mapping[str, Fitted], learnt, "preprocess.json")
        names = [name for name in parsed if _RUN.fullmatch(name)]
        found = [newer.known(partial(_run, name, parsed[name]), None) for name in names]
        runs = sorted((run for run in found if run is not None), key=lambda run: int(run.id[1:]))
        beside = partial(_with_model, members=members, parsed=parsed, folder=folder)
        runs = [newer.known(partial(beside, run), run) for run in runs]
        store = newer.known(partial(_store, members), Store())
        picture = b""
        if _THUMBNAIL in members:
            picture = members.stored(_THUMBNAIL, THUMBNAIL_BYTES)
    return Project(document, store, dict(fitted), runs, picture)


def _store(members: Archive) -> Store:
    return arrays.read(*(members.stored(n) if n in members else b"" for n in _ARRAYS))


def _read_newer(file: IO[bytes], folder: Path) -> Project | None:
    """What is known here of a later version's file; None where that is not even a document."""
    try:
        with newer.tolerant() as noted:
            project = _read(file, folder)
        with archive.opened(file) as members:
            noted.passed |= {name: None for name in members.names if not _is_known(name)}
            number, writer = members.json("document.json")["format"], writer_of(members.comment)
        file.seek(0)
        kept, passed = tuple(noted.kept), tuple(noted.passed)
        found = Newer(number, writer, kept, passed, file.read(), _digest(project))
    except MalformedError:
        return None
    project.newer = found
    return project


def _digest(project: Project) -> str:
    """Tells one project from another; what a window last saw of it aside.

    So is the counter of ids, which an edit moves on and taking that back does not.
    """
    document = replace(project.document, next_id=0)
    as_is = replace(project, document=document, thumbnail=b"", newer=None)
    folder = Path(Path.cwd().anchor)  # paths stay whole
    return hashlib.sha256(to_bytes(as_is, folder)).hexdigest()


def _run(name: str, value: Any) -> Run:
    run = read_run(value, name)
    if f"runs/{run.id}/run.json" != name:
        raise malformed(f"{name}.id", "expected", expected=name, received=run.id[:40])
    return run


def _with_model(run: Run, members: Archive, parsed: Mapping[str, Any], folder: Path) -> Run:
    """A run with what lies beside its numbers, if that does."""
    place = f"runs/{run.id}"
    about, known, at = (
        f"{place}/{name}" for name in ("document.json", "preprocess.json", "weights.safetensors")
    )
    if about not in members:
        return run
    document = _found(run_models.read_model(members.text(about), about), folder, about)
    fitted = read(Mapping[str, Fitted], parsed[known], known) if known in parsed else None
    weights = arrays.read_weights(members.stored(at), at).shared() if at in members else None
    return replace(run, document=document, weights=weights, fitted=fitted)


def _is_beside(name: str) -> bool:
    """Whether a member is something a run keeps beside its numbers."""
    return _BESIDE_RUN.fullmatch(name) is not None


def _is_small(name: str) -> bool:
    """Whether a member is JSON that is read at once; the models of runs are read by themselves."""
    if _is_beside(name):
        return name.endswith("/preprocess.json")
    return name in _JSON or _RUN.fullmatch(name) is not None


def _is_known(name: str) -> bool:
    """Whether a member is one of this version's."""
    return _is_small(name) or name in _STORED or _is_beside(name)


def _stored(name: str) -> bool:
    """Whether a member is no JSON, and lies in the file as it is."""
    return name in _STORED or (_is_beside(name) and name.endswith(".safetensors"))
