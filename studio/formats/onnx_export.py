"""A project as an ONNX file, proven equal to it, with what is needed to use it on raw data."""

import contextlib
import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path

from studio.document.analysis import analyse
from studio.document.lowering import Lowered, lower, raise_first
from studio.document.model import Document
from studio.document.names import input_names, output_names
from studio.document.project import Project
from studio.engine.onnx_writer import to_onnx
from studio.engine.passes.inference import for_inference
from studio.engine.program import Array
from studio.formats import exported_files, preprocessing, proof_files
from studio.formats.atomic import check_writable, reason, write_all
from studio.formats.exported_files import whose_description, whose_script
from studio.formats.proof import Proof, prove
from studio.formats.strict_json import MalformedError
from studio.problem import Problem, ProblemError, refuse


def export(
    project: Project,
    path: str | Path,
    with_proof: bool = False,
    replacing: Collection[Path] = (),
) -> Proof:
    """Write ``<name>.onnx``, ``<name>.json`` and ``<name>.py`` once the first is proven.

    `with_proof` writes what anybody can repeat the proof with beside them: see
    `studio.formats.proof_files`. What people changed of the files of an earlier export stays, and
    nothing is written; `replacing` names those that may go nevertheless.

    The model is the document lowered for inference, its weights as initializers, its inputs and
    outputs under the names users see, any batch size. Weights never initialized are initialized
    now, by the document's seed, as prediction does; the proof then warns.

    All are on the disk before the first takes its place, the model last. Who is killed in
    between has the old model beside a new script or description: the script is the same for every
    model, and where the description is not of this model, it goes by the model's own metadata.

    Raises:
        ProblemError: what is wrong with the document; ``proof_failed``, ``proof_not_finite``,
            ``onnx_invalid``, ``onnxruntime_refused``; ``export_suffix``,
            ``file_not_written``; what `expect_free` refuses. Nothing is written then.
            ``file_not_flushed``: all is written.
        Cancelled: whoever listens to the progress wants it; nothing is written.
    """
    path = Path(path)
    if path.suffix.lower() != ".onnx":
        raise refuse("export_suffix", file=str(path))
    check_writable(path)  # by its own name, not that of a file beside it
    expect_free(path, with_proof, replacing)
    about, script = path.with_suffix(".json"), path.with_suffix(".py")
    data, proof = exported(project)
    files = [
        (script, exported_files.script("script.py")),
        (about, _about(project, path, data)),
        (path, data),
    ]
    if with_proof:
        files = [*proof_files.files(path, data, proof).items(), *files]
        proof_files.make_folder(path)
    try:
        write_all(files)
    except ProblemError:
        if with_proof:
            with contextlib.suppress(OSError):  # it has something in it
                proof_files.folder_of(path).rmdir()
        raise
    return proof


def exported(project: Project) -> tuple[bytes, Proof]:
    """The bytes of the ONNX file, and their proof; nothing is written.

    Raises:
        ProblemError: as `export`, files aside.
    """
    document = project.document
    analysis = analyse(document)
    raise_first([p for p in analysis.problems if p not in analysis.training])
    lowered = lower(document, training=False)
    warnings = _warnings(project, lowered)
    weights = _weights(project, lowered)
    program = lowered.op.program(list(lowered.outputs.values()))
    names = output_labels(document)
    about = preprocessing.describe(project, names)
    data = to_onnx(
        for_inference(program, weights),
        name=document.graph.name,
        outputs=names,
        metadata={exported_files.KEY: json.dumps(about, ensure_ascii=False, sort_keys=True)},
    )
    return data, prove(data, document, lowered, weights, names, warnings)


def output_labels(document: Document) -> list[str]:
    """The outputs' names in the file: those users see, but never an input's as well."""
    taken = set(input_names(document).values())
    found: list[str] = []
    for name in output_names(document).values():
        label, number = name, 0
        while label in taken:
            number += 1
            label = f"{name}_output_{number}" if number > 1 else f"{name}_output"
        taken.add(label)
        found.append(label)
    return found


def _weights(project: Project, lowered: Lowered) -> Mapping[str, Array]:
    seed = project.document.plan.run.seed
    return {
        name: project.store.ensure(variable.layer, variable.weight, seed).value
        for name, variable in lowered.variables.items()
    }


def _warnings(project: Project, lowered: Lowered) -> tuple[Problem, ...]:
    """Layers whose weights nobody trained; asked before `_weights` makes some up."""
    names = []
    for variable in lowered.variables.values():
        name = project.document.layers[variable.layer].name
        if name not in names and not project.store.trained(variable.layer, [variable.weight]):
            names.append(name)
    if not names:
        return ()
    return (Problem("untrained_export", args={"names": ", ".join(names)}, severity="warning"),)


# -- the files beside it -------------------------------------------------------------------------


def expect_free(path: Path, with_proof: bool = False, replacing: Collection[Path] = ()) -> None:
    """Refuse to export to where somebody's work would be lost; for the arguments see `export`.

    Raises:
        ProblemError: ``file_in_the_way``: a file is not of an export; ``file_changed_since``: one
            is, but was changed; ``file_unreadable``.
    """
    for changed in changed_since(path, with_proof):
        if changed not in replacing:
            raise refuse("file_changed_since", file=str(changed), wanted=path.name)


def changed_since(path: Path, with_proof: bool = False) -> list[Path]:
    """The files of an earlier export to `path` that people changed, and another would replace.

    Raises:
        ProblemError: ``file_in_the_way``, ``file_unreadable``.
    """
    found = []
    beside = ((".json", whose_description), (".py", whose_script))
    for file, whose in ((path.with_suffix(suffix), whose) for suffix, whose in beside):
        try:
            kind = whose(file.read_bytes()) if file.exists() else "ours"
        except OSError as error:
            raise refuse("file_unreadable", file=str(file), reason=reason(error)) from error
        if kind == "theirs":
            raise refuse("file_in_the_way", file=str(file), wanted=path.name)
        found += [file] * (kind == "changed")
    return [*found, *(proof_files.changed_since(path) if with_proof else ())]


def _about(project: Project, path: Path, data: bytes) -> bytes:
    value = preprocessing.describe(project, output_labels(project.document))
    value[preprocessing.OF] = hashlib.sha256(data).hexdigest()
    try:
        return exported_files.stamped(value, path.with_suffix(".json").name)
    except MalformedError as error:
        args = {"place": error.place, "reason": error.reason}
        raise refuse("file_unsavable", file=str(path), **args) from error
