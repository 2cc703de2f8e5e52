"""A small model with two losses, and Pythons that only pretend to have Keras."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from studio.document import edits
from studio.document.plan import GeneratedSource
from studio.document.project import Project
from studio.document.store import Store
from studio.examples import EXAMPLES
from studio.train.arrays import Arrays
from studio.train.parity.compare import compare, pairs_of
from studio.train.parity.describe import quiet
from studio.train.parity.keras import Answer, Python
from studio.train.parity.ours import computed

FOUND = {"keras": True, "jax": True, "tensorflow": False, "torch": True, "version": "3.15.1"}
FACTS = {"keras": "3.15.1", "backend": "jax"}
PYTHON = Python("python-of-a-test", "3.15.1", ("jax", "torch"))


def digits() -> Project:
    """The digits example with few rows."""
    document = edits.set_data(EXAMPLES["digits"](), source=GeneratedSource("digits", 90))
    return Project(document)


def answering(
    monkeypatch: Any,
    project: Project,
    change: Callable[[dict[str, np.ndarray]], None] = lambda arrays: None,
    facts: Any = FACTS,
) -> dict[str, np.ndarray]:
    """Let Keras answer what this engine computes, in float32, of the weights and batches it is
    given; `change` may do something to that. What it was given is what this returns, once it is.
    """
    received: dict[str, np.ndarray] = {}

    def ask(python: Python, said: Any, given: Any) -> Answer:
        received.update(given)
        document, _ = quiet(project.document)
        store = Store()
        for name, array in given.items():
            what, layer, *rest = name.split("/")
            if what == "weight":
                store.put(layer, "/".join(rest), array)
        batches = [batch_of(given, number) for number in range(max(1, said["steps"]))]
        found = computed(document, store, batches, "float32")
        arrays = {key: pair.single for key, pair in pairs_of(document, found, found).items()}
        change(arrays)
        return Answer(arrays, facts)

    monkeypatch.setattr("studio.train.parity.compare.ask", ask)
    return received


def batch_of(given: Any, number: int) -> Arrays:
    parts: dict[str, dict[str, np.ndarray]] = {"input": {}, "target": {}, "sample_weight": {}}
    for name, array in given.items():
        if name.startswith(f"batch/{number}/"):
            _, _, what, key = name.split("/")
            parts[what][key] = array
    return Arrays(parts["input"], parts["target"], parts["sample_weight"])


def pretender(folder: Path, says: Any = FOUND, does: str = "") -> str:
    """A program that says it is a Python with this and that, and then does as it is told.

    `does` is Python, with `folder` as a Path; by default it answers with an output of zeros.
    """
    path = folder / "python"
    does = does or (
        "import numpy\n"
        "numpy.savez(folder / 'found.npz', **{'output/0': numpy.zeros((2, 3))})\n"
        f"(folder / 'found.json').write_text({json.dumps(FACTS)!r})\n"
    )
    path.write_text(
        f"#!{sys.executable}\n"
        "import sys\n"
        "from pathlib import Path\n"
        "if sys.argv[1] == '-c':\n"
        f"    print({json.dumps(says)!r})\n"
        "    sys.exit()\n"
        "folder = Path(sys.argv[2])\n"
        f"{does}",
        encoding="utf-8",
    )
    path.chmod(0o755)
    return str(path)


def knower(folder: Path, monkeypatch: Any, project: Project, steps: int) -> str:
    """A pretender that knows all the answers about a project."""
    arrays: dict[str, np.ndarray] = {}
    with monkeypatch.context() as within:
        answering(within, project, arrays.update)
        compare(project, Path(), "known", PYTHON, steps)
    np.savez(folder / "known.npz", **arrays)
    does = (
        "import shutil\n"
        f"shutil.copy({str(folder / 'known.npz')!r}, folder / 'found.npz')\n"
        f"(folder / 'found.json').write_text({json.dumps(FACTS)!r})\n"
    )
    return pretender(folder, does=does)
