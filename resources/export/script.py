# Written by Layerloom; yours to change. Needs numpy and onnxruntime; for pictures, pillow.
"""Answers for every row of a table: python THIS_FILE.py TABLE.csv > answers.csv

Columns of arrays are read from TABLE.npz, or from cells that hold numbers with spaces between. The
paths of pictures start where the table lies; a folder of pictures does for a table.
"""

import csv
import gzip
import hashlib
import io
import json
import os
import re
import sys
from datetime import datetime, timedelta
from itertools import dropwhile, islice
from pathlib import Path

import numpy as np
import onnxruntime


def about(model, data):
    """What the .json says; of another model, as an export that was cut off leaves it, the model's.

    Without that, or where the model was changed since and has lost it, the .json counts.
    """
    own = model.get_modelmeta().custom_metadata_map.get("layerloom")
    found = json.loads(HERE.with_suffix(".json").read_text(encoding="utf-8"))
    if own is None or found.get("sha256", "") in ("", hashlib.sha256(data).hexdigest()):
        return found
    sys.stderr.write(f"{HERE.stem}.json is of another model: not read\n")
    return json.loads(own)


HERE = Path(__file__)
COMMA = re.compile(r"\s*[-+]?(?:\d+|\d{1,3}(?:\.\d{3})+),\d+(?:[eE][-+]?\d+)?\s*")
POINT = re.compile(r"\s*[-+]?\d+\.\d+(?:[eE][-+]?\d+)?\s*")
DATA = HERE.with_suffix(".onnx").read_bytes()
MODEL = onnxruntime.InferenceSession(DATA)
ABOUT = about(MODEL, DATA)


def encode_text(cell, how):
    """Each word's number in the vocabulary: 0 fills up, 1 is unknown, words count from 2."""
    index = how.setdefault("index", {w: i for i, w in enumerate(how["vocabulary"], 2)})
    words = re.findall(how["word"], cell.lower() if how["lower"] else cell)
    return one_length([index.get(word, 1) for word in words], how)


def one_length(found, how):
    """A row of numbers, cut or filled up with 0."""
    over = max(0, len(found) - how["length"])
    found = found[over:] if how["truncating"] == "pre" else found[: len(found) - over]
    fill = [0] * (how["length"] - len(found))
    return fill + found if how["padding"] == "pre" else found + fill


def picture(cell, how):
    """The pixels of a picture in a file, 0 … 255, of the size that training used."""
    from PIL import Image, ImageOps

    size = how["width"], how["height"]
    ways = {"stretch": Image.Image.resize, "crop": ImageOps.fit, "pad": ImageOps.pad}
    path = Path(cell.strip())
    path = path if path.exists() else Path(cell.strip().replace("\\", "/"))
    Image.init()  # of its formats all but those for which other programs are run
    formats = sorted(set(Image.OPEN) - {"EPS", "WMF", "BUFR", "FITS", "GRIB", "HDF5", "MPEG"})
    with Image.open(path, formats=formats) as image:
        image.draft("RGB", (4 * max(size), 4 * max(size)))  # a large JPEG is unpacked smaller
        image = ImageOps.exif_transpose(image)
        if image.mode[0] in "IF":  # 16 bits, or floats of 0 … 1
            values = np.asarray(image, float) * (255 if image.mode == "F" else 1 / 257)
            image = Image.fromarray(np.clip(np.round(values), 0, 255).astype(np.uint8))
        image = image.convert("RGB" if how["color"] == "rgb" else "L")
        return np.asarray(ways[how["resize"]](image, size, Image.Resampling.BILINEAR))


def when(cell, how):
    """What the clock of a date says, and where that is: days since 1970 in UTC."""
    found = (re.fullmatch(pattern, cell.strip(), re.IGNORECASE) for pattern in how["patterns"])
    said = {k: v for k, v in next(filter(None, found)).groupdict().items() if v}
    clock = start = datetime(1970, 1, 1)
    if "epoch" in said or "milli" in said:
        seconds = float(said.get("epoch") or 0) + float(said.get("milli") or 0) / 1000
        clock += timedelta(seconds=seconds)
        return clock, (clock - start) / timedelta(days=1)
    if "a" in said:
        said["day"], said["month"] = (said[x] for x in ("ab" if how["day_first"] else "ba"))
    if "name" in said:
        said["month"] = (
            "janfebmaraprmayjunjulaugsepoctnovdec".index(said["name"][:3].lower()) // 3 + 1
        )
    year, hour = int(said["year"]), int(said.get("hour", 0))
    if len(said["year"]) < 4:
        year += 1900 if year >= 69 else 2000
    if "half" in said:
        hour = hour % 12 + 12 * (said["half"].lower() == "p")
    date = (year, int(said.get("month", 1)), int(said.get("day", 1)), hour)
    clock = datetime(*date, int(said.get("minute", 0)), int(said.get("second", 0)))
    zone = re.sub("[^-+0-9]", "", said.get("zone", ""))
    minutes = int(zone[:3]) * 60 + int(zone[0] + (zone[3:] or "0")) if zone else 0
    return clock, (clock - start - timedelta(minutes=minutes)) / timedelta(days=1)


def encode_dates(cells, how):
    """The parts of dates, side by side; those that come again as sine and cosine."""
    gaps, columns = how.get("gaps", ()), []
    cells = [how["fill"] if cell.strip().casefold() in gaps else cell for cell in cells]
    moments = [when(cell, how) for cell in cells]
    for part in how["parts"]:
        if part == "elapsed":
            values = np.array([days - how["first"] for _, days in moments])
        else:
            clocks = [clock for clock, _ in moments]
            values = [c.weekday() if part == "weekday" else getattr(c, part) for c in clocks]
        if part in how["turns"]:
            turn, first = how["turns"][part]
            angles = 2 * np.pi * (np.array(values) - first) / turn
            columns += [np.sin(angles), np.cos(angles)]
        else:
            columns.append(values)
    return scaled(np.array(columns, float).T, how)


def scaled(values, how):
    """As training scaled them."""
    return (values - np.array(how["offset"])) / np.array(how["scale"])


def number(row, column, how):
    """The number in a cell, or what stands for a cell that has none."""
    if row[column].strip().casefold() in how.get("gaps", ()):
        return how["fill"][how["columns"].index(column)]
    return float(row[column])


def encode(rows, how):
    """The numbers of an input or one of its steps, from rows of cells by column name."""
    if how["kind"] == "features":
        return np.concatenate([encode(rows, part) for part in how["steps"]], axis=1)
    if how["kind"] == "numbers":
        values = [[number(row, column, how) for column in how["columns"]] for row in rows]
        return scaled(np.array(values), how)
    cells = [row[how["column"]] for row in rows]
    if how["kind"] == "text":
        values = np.array([encode_text(cell, how) for cell in cells])
        if how["one_hot"]:  # padding, 0, becomes zeros
            values = values[..., None]
            values = (values == np.arange(how["one_hot"])) & (values > 0)
        return values
    if how["kind"] == "classes":
        names, cells = how["classes"], [cell.strip() for cell in cells]
        if how["one_hot"]:  # a class that was never seen becomes zeros
            return np.array([[cell == name for name in names] for cell in cells])
        return np.array([names.index(cell) for cell in cells])
    if how["kind"] == "dates":
        return encode_dates(cells, how)
    if how["kind"] == "image":
        return np.array([picture(cell, how) for cell in cells], np.float32) / how["divisor"]
    if how["kind"] == "sequence":
        parts = [re.split(r"[\s,;|()\[\]]+", cell) for cell in cells]
        return np.array([one_length([float(n) for n in row if n], how) for row in parts])
    # An array, or its numbers in one cell with spaces between.
    cells = [cell.split() if isinstance(cell, str) else cell for cell in cells]
    return np.array(cells, float) / how.get("divisor", 1)


def predict(samples):
    """Every output by name, for samples, each a list of rows, in the units of its column."""
    feeds = {}
    for name, how in ABOUT["inputs"].items():
        rows = [row for sample in samples for row in (sample if how.get("window") else sample[-1:])]
        values = encode(rows, how).reshape(len(samples), *how["shape"])
        feeds[name] = values.astype(how["dtype"])
    names = list(ABOUT["outputs"])
    found = dict(zip(names, MODEL.run(names, feeds), strict=True))
    for name, means in ABOUT["outputs"].items():
        if "offset" in means:
            found[name] = found[name] * np.array(means["scale"]) + np.array(means["offset"])
    return found


def windows(rows):
    """The samples of a table: each row, or each window over successive rows of a series."""
    series = ABOUT.get("series")
    if not series:
        return [[row] for row in rows]
    groups, length = {}, series["length"]
    for row, place in zip(rows, places(rows, series), strict=True):
        group = row[series["group"]].strip() if series["group"] else ""
        groups.setdefault(group, []).append((place, row))
    ordered = [sorted(group, key=lambda pair: pair[0]) for group in groups.values()]
    return [
        [row for _, row in group[end - length : end]]
        for group in ordered
        for end in range(length, len(group) + 1)
    ]


def places(rows, series):
    """What rows are put in order by: a column's numbers or dates."""
    if not series["order"]:
        return range(len(rows))
    cells = [row[series["order"]].strip() for row in rows]
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        pairs = [found for c in cells if (found := re.match(r"(\d\d?)([-/.])(\d\d?)\2", c))]
        pairs = [pair for pair in pairs if pair[1] != pair[3]]
        first, second = (sum(int(pair[part]) > 12 for pair in pairs) for part in (1, 3))
        dotted = bool(pairs) and pairs[0][2] in ".-"
        how = {**series, "day_first": first >= second if first or second else dotted}
        return [when(cell, how)[1] for cell in cells]


def answers(sample):
    """What is written for a sample: the values of each output, and the likeliest class."""
    for column in ("group", "order"):
        if title := ABOUT.get("series", {}).get(column):
            yield title, sample[-1][title]
    for name, values in predict([sample]).items():
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
    if path.is_dir():
        kinds = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
        files = sorted(file for file in path.rglob("*.*") if file.suffix.lower() in kinds)
        return [{"image": str(file)} for file in files]
    steps = [step for how in ABOUT["inputs"].values() for step in how.get("steps", [how])]
    wanted = {name for how in steps for name in how.get("columns", [how.get("column")])}
    return rows_of(text_of(path), wanted)


def text_of(path):
    """What stands in a file of text."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    known = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    encoding = ABOUT.get("reading", {}).get("encoding", known)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        sys.exit(f'{path.name} is not {encoding}: name its "encoding" in "reading" of the .json')


def rows_of(text, wanted):
    """The rows of a table of text, parted by what gives the wanted columns and even rows."""

    def records(delimiter):
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, **quotes)
        lines = dropwhile(lambda line: not any(map(str.strip, line)), lines)
        return (line for line in lines if line)

    def names(delimiter):
        first = next(records(delimiter), [])
        header = [f"column {number}" for number in range(1, len(first) + 1)]
        found = own_names(first)
        return (header, 0) if len(wanted & {*header}) > len(wanted & {*found}) else (found, 1)

    def suits(delimiter):
        found = names(delimiter)[0]
        some = [len(line) == len(found) for line in islice(records(delimiter), 200)]
        return len(wanted & {*found}), sum(some) / max(1, len(some)), len(found)

    csv.field_size_limit(2**24)  # characters in one cell
    said = ABOUT.get("reading", {})
    quote = said.get("quote", '"')
    quotes = {"quoting": csv.QUOTE_NONE} if quote == "none" else {"quotechar": quote[-1]}
    delimiter = max([said["delimiter"]] if "delimiter" in said else ",;\t|", key=suits)
    header, above = names(delimiter)
    lines = list(records(delimiter))
    if delimiter != ",":  # then a comma may part decimals
        cells = [cell for line in lines for cell in line]
        commas, points = (sum(map(bool, map(p.fullmatch, cells))) for p in (COMMA, POINT))
        if commas > points:
            lines = [[with_point(cell) for cell in line] for line in lines]
    return [dict(zip(header, line, strict=False)) for line in lines[above:]]


def own_names(first):
    """The names in a first row, each made one of its own."""
    names = {}
    for number, cell in enumerate(first, 1):
        name = plain = cell.strip() or f"column {number}"
        while name in names:
            names[plain] += 1
            name = f"{plain} ({names[plain]})"
        names[name] = 1
    return list(names)


def with_point(cell):
    """A number with a decimal comma as one with a decimal point; any other cell as it is."""
    return cell.replace(".", "").replace(",", ".") if COMMA.fullmatch(cell) else cell


if __name__ == "__main__":
    table = Path(sys.argv[1]).resolve()
    os.chdir(table if table.is_dir() else table.parent)  # where the paths of pictures start
    lines = [dict(answers(sample)) for sample in windows(read(table))]
    sys.stdout.reconfigure(encoding="utf-8", newline="")
    writer = csv.DictWriter(sys.stdout, list(lines[0]) if lines else [])
    writer.writeheader()
    writer.writerows(lines)
