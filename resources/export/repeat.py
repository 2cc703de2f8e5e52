# Written by Layerloom; yours to change. Needs numpy and onnxruntime.
"""Repeats the proof of an export: python repeat.py

onnxruntime runs the model beside this folder on inputs.npz. What it gives is compared with
outputs.npz, which another engine computed from the project itself. Ends with 0 if all is equal,
and all that report.json tells of was compared.
"""

import hashlib
import json
import math
import sys
from pathlib import Path

import numpy as np
import onnxruntime

HERE = Path(__file__).resolve().parent
REPORT = json.loads((HERE / "report.json").read_text(encoding="utf-8"))
TOLERANCE = 1e-5  # of the largest number that an output gives, which counts as 1 at least


def expect_all(what, found, promised):
    """End where other things are there than there must be."""
    if set(found) != set(promised):
        there, wanted = (", ".join(map(repr, sorted(names))) for names in (found, promised))
        sys.exit(f"{what}: there are [{there}], there should be [{wanted}]")


def difference(result, expected):
    """The largest between two arrays, of truths, integers or floats; NaN if their shapes differ."""
    if result.shape != expected.shape:
        return float("nan")
    return float(np.abs(result.astype(float) - expected.astype(float)).max(initial=0))


model = (HERE.parent / REPORT["model"]).read_bytes()
if hashlib.sha256(model).hexdigest() != REPORT["sha256"]:
    sys.exit(f"{REPORT['model']} is another file than the one this is the proof of")
session = onnxruntime.InferenceSession(model)
inputs, outputs = (dict(np.load(HERE / f"{name}.npz")) for name in ("inputs", "outputs"))
batches = REPORT["batch_sizes"]
if not batches:
    sys.exit("report.json: there are no batch sizes, so nothing to compare")
fed, given = ([v.name for v in vs] for vs in (session.get_inputs(), session.get_outputs()))
expect_all("outputs in report.json", REPORT["outputs"], given)
expect_all("inputs.npz", inputs, [f"{batch}/{name}" for batch in batches for name in fed])
expect_all("outputs.npz", outputs, [f"{batch}/{name}" for batch in batches for name in given])
largest = dict.fromkeys(given, 1.0)
for place, array in outputs.items():
    name = place.partition("/")[2]
    largest[name] = float(np.abs(array.astype(float)).max(initial=largest[name]))
for name, told in REPORT["outputs"].items():
    allowed = TOLERANCE * largest[name]
    if not (math.isclose(told["allowed"], allowed) and told["difference"] <= allowed < np.inf):
        sys.exit(f"report.json: what it tells of {name!r} does not show that it is equal")
equal, compared = True, 0
for batch in batches:
    feeds = {name: inputs[f"{batch}/{name}"] for name in fed}
    if any(array.shape[:1] != (batch,) for array in feeds.values()):
        sys.exit(f"inputs.npz: of batch {batch} there are not {batch} samples")
    for name, result in zip(given, session.run(given, feeds), strict=True):
        gap = difference(result, outputs[f"{batch}/{name}"])
        verdict = "equal" if gap <= TOLERANCE * largest[name] else "DIFFERENT"
        equal, compared = equal and verdict == "equal", compared + result.size
        sys.stdout.write(f"batch {batch}, {name}: largest difference {gap:.1e}, {verdict}\n")
if not compared:
    sys.exit("no number was compared: the outputs have none")
sys.exit(0 if equal else 1)
