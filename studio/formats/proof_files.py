"""The proof of an export as files beside it, with which anybody repeats it.

``m.onnx`` has them in the folder ``m.proof``:

===============  =================================================================================
``inputs.npz``   what was fed, as ``3/NAME`` for a batch of 3
``outputs.npz``  what the NumPy engine gave, likewise
``repeat.py``    runs onnxruntime on the one, and compares what it gives with the other
``report.json``  what was found, and the SHA-256 of the ONNX file it was found of
``report.txt``   the same for people
===============  =================================================================================

The digest makes whatever mixture of old and new files a crash leaves harmless: ``repeat.py`` says
that the model is another.
"""

import hashlib
import io
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np

import studio
from studio.engine.program import IR_VERSION, OPSET, Array
from studio.formats import strict_json
from studio.formats.atomic import not_written, reason
from studio.formats.exported_files import Whose, script, whose_script
from studio.formats.proof import TOLERANCE, Proof
from studio.problem import refuse
from studio.text import text

_SCRIPT = "repeat.py"
_USED = ("numpy", "onnx", "onnxruntime")


def folder_of(path: Path) -> Path:
    """Where the proof of a file lies."""
    return path.with_suffix(".proof")


def changed_since(path: Path) -> list[Path]:
    """What people changed of the proof that is there, and another would replace: its script.

    Raises:
        ProblemError: ``file_in_the_way``: somebody else's files are there; ``file_unreadable``.
    """
    folder = folder_of(path)
    try:
        whose = _whose(folder) if folder.exists() else "ours"
    except OSError as error:
        raise refuse("file_unreadable", file=str(folder), reason=reason(error)) from error
    if whose == "theirs":
        raise refuse("file_in_the_way", file=str(folder), wanted=path.name)
    return [folder / _SCRIPT] * (whose == "changed")


def _whose(folder: Path) -> Whose:
    if not folder.is_dir():
        return "theirs"
    found = folder / _SCRIPT
    if all(path.suffix == ".tmp" for path in folder.iterdir()):  # of an export that was killed
        return "ours"
    return whose_script(found.read_bytes()) if found.is_file() else "theirs"


def make_folder(path: Path) -> None:
    """Make the folder of a proof, unless it is there.

    Raises:
        ProblemError: ``file_not_written``.
    """
    try:
        folder_of(path).mkdir(exist_ok=True)
    except OSError as error:
        raise not_written(folder_of(path), error) from error


def files(path: Path, data: bytes, proof: Proof) -> dict[Path, bytes]:
    """The files of a proof, in the order they are to be written in: what is ours first.

    Args:
        path: of the ONNX file.
        data: its bytes.
        proof: what was found of them.
    """
    folder = folder_of(path)
    inputs = {f"{s.batch}/{name}": a for s in proof.samples for name, a in s.inputs.items()}
    outputs = {f"{s.batch}/{name}": a for s in proof.samples for name, a in s.outputs.items()}
    return {
        folder / _SCRIPT: script(_SCRIPT),
        folder / "inputs.npz": _packed(inputs),
        folder / "outputs.npz": _packed(outputs),
        folder / "report.json": strict_json.dumps(_report(path, data, proof), "report.json"),
        folder / "report.txt": _words(path, data, proof).encode(),
    }


def _packed(arrays: Mapping[str, Array]) -> bytes:
    file = io.BytesIO()
    # Every name holds a "/": it is never an argument of savez.
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def _report(path: Path, data: bytes, proof: Proof) -> dict[str, object]:
    return {
        "model": path.name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": proof.size,
        "opset": OPSET,
        "ir_version": IR_VERSION,
        "batch_sizes": list(proof.batch_sizes),
        "lengths": list(proof.lengths),
        "tolerance": TOLERANCE,
        "outputs": {
            name: {"difference": d, "allowed": proof.allowed(name), "scale": proof.scales[name]}
            for name, d in proof.outputs.items()
        },
        "operators": dict(sorted(proof.operators.items())),
        "warnings": [str(problem) for problem in proof.warnings],
        "versions": _versions(),
    }


def _words(path: Path, data: bytes, proof: Proof) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in _versions().items())
    about = {"model": path.name, "sha256": hashlib.sha256(data).hexdigest(), "versions": versions}
    return "\n".join([text("export.proof_of", **about), proof.text(), text("export.repeat"), ""])


def _versions() -> dict[str, str]:
    return {"layerloom": studio.__version__, **{name: version(name) for name in _USED}}
