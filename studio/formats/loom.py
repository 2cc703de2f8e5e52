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
before it is read; nothing is written on reading.
"""

import os
import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

from studio.document.model import Document
from studio.document.plan import TableSource
from studio.document.preprocess import Fitted
from studio.document.project import Project, Run
from studio.document.store import Store
from studio.formats import arrays, document_json, run_models, strict_json, upgrades
from studio.formats.atomic import reason, write_bytes
from studio.formats.document_json import file_problem, read_document
from studio.formats.runs import plain_run, read_run
from studio.formats.strict_json import MalformedError, malformed
from studio.formats.values import plain, read
from studio.garbage import uncollected
from studio.limits import JSON_BYTES, PROJECT_JSON_BYTES, PROJECT_MEMBERS, THUMBNAIL_BYTES
from studio.problem import refuse
from studio.text import text

_JSON = ("document.json", "preprocess.json")
_ARRAYS = ("weights.safetensors", "state.safetensors")
_THUMBNAIL = "thumbnail.png"
_STORED = (*_ARRAYS, _THUMBNAIL)  # everything else is packed JSON
_RUN = re.compile(r"runs/(r[0-9]{1,9})/run\.json")
_BESIDE_RUN = re.compile(r"runs/r[0-9]{1,9}/(document\.json|preprocess\.json|weights\.safetensors)")
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
)


def save(path: str | Path, project: Project) -> None:
    """Write the project to `path`; at any moment the file is wholly the old or wholly the new one.

    What is written is read back first, so a file that could not be opened again is never left.
    The path of the data goes in relative to the file's folder where it can; in memory it stays.

    Raises:
        ProblemError: ``file_not_written``; ``file_unsavable`` where the project cannot be a file.
    """
    path = Path(path)
    try:
        data = to_bytes(project, path.absolute().parent)
        _read(data, path.absolute().parent)
    except MalformedError as error:
        args = {"place": error.place, "reason": error.reason}
        raise refuse("file_unsavable", file=str(path), **args) from error
    write_bytes(path, data)


@uncollected()
def load(path: str | Path) -> Project:
    """The project in the file at `path`. A relative path of its data becomes an absolute one.

    Raises:
        ProblemError: ``file_unreadable``, or ``file_problem`` naming the place and the reason.
    """
    path = Path(path)
    data = _bytes_of(path)
    try:
        return _read(data, path.absolute().parent)
    except MalformedError as error:
        raise file_problem(str(path), error) from error


def thumbnail(path: str | Path) -> bytes:
    """The picture in a project's file, without reading the rest; empty where there is none."""
    try:
        with zipfile.ZipFile(path) as file:
            info = file.getinfo(_THUMBNAIL)
            return file.read(info) if info.file_size <= THUMBNAIL_BYTES else b""
    except (KeyError, OSError, *_DAMAGED):
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
    members |= _beside_runs(project, folder, PROJECT_JSON_BYTES // 2)
    if project.thumbnail:
        members[_THUMBNAIL] = project.thumbnail
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o644 << 16
            packed = not _stored(name)
            file.writestr(info, data, zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED)
    return out.getvalue()


def _beside_runs(project: Project, folder: Path, left: int) -> dict[str, bytes]:
    """What runs keep beside their numbers: of the newest, as far as `left` bytes of JSON go."""
    found: dict[str, bytes] = {}
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
        if left < 0:
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


# -- reading -------------------------------------------------------------------------------------


def _bytes_of(path: Path) -> bytes:
    """What the file holds; a pipe or a device, which may never end, is not opened."""
    try:
        if path.exists() and not path.is_file():
            raise OSError(0, text("problems.reason_not_a_file"))
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        cause = reason(error) if isinstance(error, OSError) else str(error)
        raise refuse("file_unreadable", file=str(path), reason=cause) from error


def _read(data: bytes, folder: Path) -> Project:
    members = _members(data)
    parsed = {n: strict_json.loads(d, n) for n, d in members.items() if _is_small(n)}
    if "document.json" not in members:
        raise malformed("document.json", "missing", name="document.json")
    document = read_document(parsed["document.json"], "document.json")
    document = _with_source(document, lambda s: replace(s, path=str(resolve(s.path, folder))))
    store = arrays.read(*(members.get(name, b"") for name in _ARRAYS))
    learnt = parsed.get("preprocess.json", {})
    learnt = upgrades.fitted(learnt, parsed["document.json"]["format"])
    fitted = read(Mapping[str, Fitted], learnt, "preprocess.json")
    runs = [_run(name, parsed[name]) for name in members if _RUN.fullmatch(name)]
    runs.sort(key=lambda run: int(run.id[1:]))
    runs = [_with_model(run, members, parsed, folder) for run in runs]
    return Project(document, store, dict(fitted), runs, members.get(_THUMBNAIL, b""))


def _run(name: str, value: Any) -> Run:
    run = read_run(value, name)
    if f"runs/{run.id}/run.json" != name:
        raise malformed(f"{name}.id", "expected", expected=name, received=run.id[:40])
    return run


def _with_model(
    run: Run, members: Mapping[str, bytes], parsed: Mapping[str, Any], folder: Path
) -> Run:
    """A run with what lies beside its numbers, if that does."""
    place = f"runs/{run.id}"
    about, known, at = (
        f"{place}/{name}" for name in ("document.json", "preprocess.json", "weights.safetensors")
    )
    if about not in members:
        return run
    document = run_models.read_model(members[about], about)
    document = _with_source(document, lambda s: replace(s, path=str(resolve(s.path, folder))))
    fitted = read(Mapping[str, Fitted], parsed[known], known) if known in parsed else None
    weights = arrays.read_weights(members[at], at).shared() if at in members else None
    return replace(run, document=document, weights=weights, fitted=fitted)


def _members(data: bytes) -> dict[str, bytes]:
    """The members this version knows, by name; every other name must be harmless too."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as file:
            infos = file.infolist()
            if len(infos) > PROJECT_MEMBERS:
                raise malformed("zip", "too_many", received=len(infos), expected=PROJECT_MEMBERS)
            _refuse_members(infos)
            found: dict[str, bytes] = {}
            left = PROJECT_JSON_BYTES
            for info in infos:
                if _known(info.filename):
                    found[info.filename] = content = _content(file, info, left)
                    left -= 0 if _stored(info.filename) else len(content)
            return found
    except _DAMAGED as error:
        raise malformed("zip", "zip", detail=str(error) or type(error).__name__) from error


def _known(name: str) -> bool:
    return name in _JSON or _stored(name) or bool(_RUN.fullmatch(name) or _is_beside(name))


def _is_beside(name: str) -> bool:
    """Whether a member is something a run keeps beside its numbers."""
    return _BESIDE_RUN.fullmatch(name) is not None


def _is_small(name: str) -> bool:
    """Whether a member is JSON that is read at once; the models of runs are read by themselves."""
    return not _stored(name) and not (_is_beside(name) and name.endswith("/document.json"))


def _stored(name: str) -> bool:
    """Whether a member is no JSON, and lies in the file as it is."""
    return name in _STORED or (_is_beside(name) and name.endswith(".safetensors"))


def _refuse_members(infos: list[zipfile.ZipInfo]) -> None:
    names = Counter(info.orig_filename for info in infos)
    for info in infos:
        name = info.orig_filename
        parts = name.split("/")
        odd = any(c in name for c in "\\:\0") or not all(parts) or {".", ".."} & {*parts}
        packed = info.compress_type == zipfile.ZIP_DEFLATED and not _stored(name)
        stored = info.compress_type == zipfile.ZIP_STORED and info.compress_size == info.file_size
        encrypted = info.flag_bits & 1
        if odd or encrypted or (_known(name) and not (packed or stored)):
            raise malformed(repr(name)[:100], "member")
        if names[name] > 1:
            raise malformed("zip", "twice", name=name)


def _content(file: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> bytes:
    """Never more than the limit, whatever size the directory claims; arrays are never packed."""
    if _stored(info.filename) and info.filename != _THUMBNAIL:
        return file.read(info)
    limit = THUMBNAIL_BYTES if info.filename == _THUMBNAIL else min(limit, JSON_BYTES)
    with file.open(info) as member:
        found = member.read(limit + 1)
    if len(found) > limit:
        raise malformed(info.filename, "too_large", expected=limit)
    return found
