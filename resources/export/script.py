# Written by Layerloom; yours to change. Needs numpy and onnxruntime.
"""Answers for every row of a table: python THIS_FILE.py TABLE.csv > answers.csv

Columns of arrays are read from TABLE.npz, or from cells that hold numbers with spaces between.
"""

import csv
import json
import re
import sys
from pathlib import Path

import numpy as np
import onnxruntime

HERE = Path(__file__)
ABOUT = json.loads(HERE.with_suffix(".json").read_text(encoding="utf-8"))
MODEL = onnxruntime.InferenceSession(str(HERE.with_suffix(".onnx")))


def encode_text(cell, how):
    """Each word's number in the vocabulary: 0 fills up, 1 is unknown, words count from 2."""
    index = how.setdefault("index", {w: i for i, w in enumerate(how["vocabulary"], 2)})
    words = re.findall(how["word"], cell.lower() if how["lower"] else cell)
    found = [index.get(word, 1) for word in words]
    over = max(0, len(found) - how["length"])
    found = found[over:] if how["truncating"] == "pre" else found[: len(found) - over]
    fill = [0] * (how["length"] - len(found))
    return fill + found if how["padding"] == "pre" else found + fill


def encode(rows, how):
    """An input of the model, from rows of cells by column name."""
    if how["kind"] == "text":
        values = np.array([encode_text(row[how["column"]], how) for row in rows])
        if how["one_hot"]:  # padding, 0, becomes zeros
            values = values[..., None]
            values = (values == np.arange(how["one_hot"])) & (values > 0)
    elif how["kind"] == "classes":
        values = np.array([how["classes"].index(row[how["column"]].strip()) for row in rows])
        values = np.eye(len(how["classes"]))[values] if how["one_hot"] else values
    elif how["kind"] == "numbers":
        values = np.array([[float(row[column]) for column in how["columns"]] for row in rows])
        values = (values - np.array(how["mean"])) / np.array(how["deviation"])
    else:  # an array, or its numbers in one cell with spaces between
        cells = [row[how["column"]] for row in rows]
        cells = [cell.split() if isinstance(cell, str) else cell for cell in cells]
        values = np.array(cells, float) / how.get("divisor", 1)
    return values.reshape(len(rows), *how["shape"]).astype(how["dtype"])


def predict(rows):
    """Every output by name, for rows of cells by column name, in the units of its column."""
    feeds = {name: encode(rows, how) for name, how in ABOUT["inputs"].items()}
    names = list(ABOUT["outputs"])
    found = dict(zip(names, MODEL.run(names, feeds), strict=True))
    for name, means in ABOUT["outputs"].items():
        if "mean" in means:
            found[name] = found[name] * np.array(means["deviation"]) + np.array(means["mean"])
    return found


def answers(row):
    """What is written for one row: the values of each output, and the likeliest class."""
    for name, values in predict([row]).items():
        flat, classes = values.reshape(-1), ABOUT["outputs"][name].get("classes")
        yield name, " ".join(f"{value:.7g}" for value in flat)
        if classes:
            likeliest = flat.argmax() if flat.size > 1 else int(flat[0] > 0.5)
            yield f"{name}_class", classes[likeliest]


def read(path):
    """The rows of a table, cells by column name."""
    if path.suffix == ".npz":
        with np.load(path) as arrays:
            found = {name: arrays[name] for name in arrays.files if arrays[name].ndim}
        most = max(map(len, found.values()))
        found = {name: array for name, array in found.items() if len(array) == most}
        columns = [a if a.ndim > 1 else [str(cell) for cell in a.tolist()] for a in found.values()]
        return [dict(zip(found, row, strict=True)) for row in zip(*columns, strict=True)]
    csv.field_size_limit(2**24)  # characters in one cell
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    lines = [dict(answers(row)) for row in read(Path(sys.argv[1]))]
    writer = csv.DictWriter(sys.stdout, list(lines[0]) if lines else [])
    writer.writeheader()
    writer.writerows(lines)
