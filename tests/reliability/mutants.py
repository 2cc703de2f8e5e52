"""Has a process of its own try damaged files, and another go on where one ended it."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
Ended = Callable[[str, int], str]


def asked(module: str, folder: Path, *words: str) -> tuple[list[Any], int, str]:
    """The lines of JSON that a module says, run with these words; how it ended, and its errors."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", f"tests.reliability.{module}", str(folder), *words]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    return list(map(json.loads, done.stdout.splitlines())), done.returncode, done.stderr[-3000:]


def tried(
    module: str, folder: Path, parts: list[str], ended: Ended | None = None
) -> tuple[Counter[str], list[str]]:
    """How many mutants opened, were refused, ended the process; and what was wrong with others.

    Args:
        module: tries them, by `opening.try_all`.
        parts: ``KIND:FIRST:LAST`` each.
        ended: what is wrong with one of this kind and number that ended the process; empty where
            that is what such a process is there for.
    """
    counts: Counter[str] = Counter()
    wrong = []
    while parts:
        lines, code, errors = asked(module, folder, *parts)
        for found in lines:
            if "mutant" in found:
                wrong.append(f"{found['mutant']}: {found['found']}")
            else:
                counts.update(found)
        if code == 0:
            break
        kind, number, last = (folder / "progress").read_text().split()[0].split(":")
        why = ended(kind, int(number)) if ended else "not to be"
        if why:
            wrong.append(f"{kind}:{number}: the process ended by {code}: {why}\n{errors}")
        else:
            counts["ended"] += 1
        rest = [part.split(":")[0] for part in parts].index(kind) + 1
        parts = [f"{kind}:{int(number) + 1}:{last}", *parts[rest:]]
    return counts, wrong
