# Written by Layerloom; yours to change. Needs numpy and onnxruntime.
"""Repeats the proof of an export: python repeat.py

onnxruntime runs the model beside this folder on inputs.npz. What it gives is compared with
outputs.npz, which another engine computed from the project itself. Ends with 0 if all is equal.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime

HERE = Path(__file__).resolve().parent
REPORT = json.loads((HERE / "report.json").read_text(encoding="utf-8"))

model = (HERE.parent / REPORT["model"]).read_bytes()
if hashlib.sha256(model).hexdigest() != REPORT["sha256"]:
    sys.exit(f"{REPORT['model']} is another file than the one this is the proof of")
session = onnxruntime.InferenceSession(model)
inputs, outputs = np.load(HERE / "inputs.npz"), np.load(HERE / "outputs.npz")
equal = True
for batch in REPORT["batch_sizes"]:
    feeds = {i.name: inputs[f"{batch}/{i.name}"] for i in session.get_inputs()}
    results = session.run(list(REPORT["outputs"]), feeds)
    for (name, told), result in zip(REPORT["outputs"].items(), results, strict=True):
        expected = outputs[f"{batch}/{name}"]
        same = result.shape == expected.shape
        gap = float(np.abs(result - expected).max(initial=0)) if same else float("nan")
        verdict = "equal" if gap <= told["allowed"] else "DIFFERENT"
        equal = equal and verdict == "equal"
        sys.stdout.write(f"batch {batch}, {name}: largest difference {gap:.1e}, {verdict}\n")
sys.exit(0 if equal else 1)
