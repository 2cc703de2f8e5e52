"""Files made to do harm: to run code, to write elsewhere, to exhaust memory, time or patience.

Each is made here, by code, so that nothing dangerous lies about. `ATTACKS` says of what kind each
is and what must come of it: it is refused, or opens harmlessly.
"""

import gzip
import io
import json
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from studio.formats import document_json
from studio.formats.loom import to_bytes
from tests.formats.examples import two_outputs
from tests.reliability.mutating import packed, repeated
from tests.reliability.seeds import GOLDEN, KINDS, full_project

DEFLATED, STORED = zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED
Verdict = Literal["refused", "opens"]


@dataclass(frozen=True)
class Attack:
    """A file: its kind as of `OPENERS`, what comes of it, what makes it, how its name ends."""

    kind: str
    verdict: Verdict
    make: Callable[[], bytes]
    suffix: str


class Evil:
    """What a pickle would run."""

    def __reduce__(self) -> tuple[Any, ...]:
        return eval, ("__import__('os').system('touch /tmp/layerloom-was-here')",)


EVIL = pickle.dumps(Evil())
SOURCE = b"import os\nos.system('touch /tmp/layerloom-was-here')\n"


# -- making projects -------------------------------------------------------------------------------


def members() -> dict[str, tuple[bytes, int]]:
    """Of a whole project, by name: content and compression."""
    with zipfile.ZipFile(GOLDEN / "format_4.loom") as file:
        return {i.filename: (file.read(i), i.compress_type) for i in file.infolist()}


def project(changed: Mapping[str, bytes], how: int = DEFLATED) -> bytes:
    """A project with some of its members changed or added."""
    found = members() | {name: (content, how) for name, content in changed.items()}
    return packed([(name, *member) for name, member in found.items()])


def document(change: Callable[[dict[str, Any]], Any]) -> bytes:
    """A project whose document is changed, or is what `change` gives."""
    value = document_json.to_json(two_outputs().document)
    found = change(value)
    return project({"document.json": json.dumps(value if found is None else found).encode()})


def raw(text: bytes, name: str = "document.json") -> bytes:
    return project({name: text})


def parameter(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Sets a parameter of the first Dense layer."""

    def change(d: dict[str, Any]) -> None:
        next(v for v in d["layers"] if v["kind"] == "Dense")["config"][name] = value

    return change


def kind(name: str, config: Any = None) -> Callable[[dict[str, Any]], None]:
    """Makes the second layer one of another kind."""

    def change(d: dict[str, Any]) -> None:
        d["layers"][1]["kind"] = name
        if config is not None:
            d["layers"][1]["config"] = config

    return change


def layers(d: dict[str, Any], new: list[Any], graphs: list[Any]) -> None:
    d["layers"] += new
    d["graphs"] += graphs
    d["next_id"] = 10**9
    d["positions"] |= {graph["id"]: {} for graph in graphs}


def graph(number: int, calls: list[list[str]]) -> dict[str, Any]:
    about = {"name": "model", "wires": [], "muted": [], "inputs": [], "outputs": []}
    return {"id": f"g{number}", "calls": calls, **about}


def nested(depth: int, twice: bool) -> Callable[[dict[str, Any]], None]:
    """Models within models: each holds the next, once or twice; called from the main one."""

    def change(d: dict[str, Any]) -> None:
        new = [
            {"id": f"l{1000 + i}", "name": f"m{i}", "trainable": True, "graph": f"g{1000 + i}"}
            for i in range(depth)
        ]
        graphs = []
        for i in range(depth):
            calls = [[f"c{10_000 + 2 * i + k}", f"l{1001 + i}"] for k in range(1 + twice)]
            graphs.append(graph(1000 + i, calls if i < depth - 1 else []))
        layers(d, new, graphs)
        d["graphs"][0]["calls"].append(["c999", "l1000"])

    return change


def wrapped(depth: int) -> Callable[[dict[str, Any]], None]:
    """Wrappers within wrappers."""

    def change(d: dict[str, Any]) -> None:
        about = {"name": "w", "trainable": True, "kind": "TimeDistributed", "config": {}}
        layers(d, [{"id": f"l{99 + i}", "layer": f"l{100 + i}", **about} for i in range(depth)], [])
        d["layers"].append(
            {"id": f"l{99 + depth}", "name": "e", "trainable": True, "kind": "ReLU", "config": {}}
        )

    return change


def many_layers(count: int) -> Callable[[dict[str, Any]], None]:
    about = {"name": "x", "trainable": True, "kind": "ReLU", "config": {}}
    return lambda d: layers(d, [{"id": f"l{1000 + i}", **about} for i in range(count)], [])


def many_calls(count: int) -> Callable[[dict[str, Any]], None]:
    def change(d: dict[str, Any]) -> None:
        d["next_id"] = 10**9
        d["graphs"][0]["calls"] += [[f"c{1000 + i}", "l7"] for i in range(count)]

    return change


def source(path: str) -> Callable[[dict[str, Any]], None]:
    def change(d: dict[str, Any]) -> None:
        d["plan"]["data"]["source"] = {"kind": "TableSource", "path": path}

    return change


def tensors(header: Any, body: bytes = b"", length: int | None = None) -> bytes:
    """A project whose weights are a safetensors file of this header."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    size = len(text) if length is None else length
    return project({"weights.safetensors": struct.pack("<Q", size) + text + body}, STORED)


def entry(shape: list[int], start: int, end: int, dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def overlapping(count: int) -> bytes:
    """Many runs whose weights are one and the same stretch of the file."""
    data = to_bytes(full_project(), GOLDEN)
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        found = {i.filename: (file.read(i), i.compress_type) for i in file.infolist()}
    document_, body = found["document.json"][0], bytes(2**20)
    weights = struct.pack("<Q", 2) + b"{}" + body
    run = lambda i: json.dumps({"id": f"r{i}"}).encode()  # noqa: E731
    for i in range(100, 100 + count):
        found[f"runs/r{i}/run.json"] = run(i), DEFLATED
        found[f"runs/r{i}/document.json"] = document_, DEFLATED
        found[f"runs/r{i}/weights.safetensors"] = b"", STORED
    found["runs/r100/weights.safetensors"] = weights, STORED
    data = packed([(name, *member) for name, member in found.items()])
    return _all_point_to(bytearray(data), b"runs/r100/weights.safetensors")


def _all_point_to(data: bytearray, name: bytes) -> bytes:
    """The directory, with every entry of weights of a run pointing where `name` lies."""
    directory = data.rindex(b"PK\5\6")
    at = struct.unpack("<I", data[directory + 16 : directory + 20])[0]
    entries = []
    while data[at : at + 4] == b"PK\1\2":
        size = struct.unpack("<H", data[at + 28 : at + 30])[0]
        entries.append((at, bytes(data[at + 46 : at + 46 + size])))
        extra, comment = struct.unpack("<HH", data[at + 30 : at + 34])
        at += 46 + size + extra + comment
    first = next(at for at, found in entries if found == name)
    for at, found in entries:
        if found.startswith(b"runs/r1") and found.endswith(b"weights.safetensors"):
            for part in (slice(16, 28), slice(42, 46)):
                data[at + part.start : at + part.stop] = data[
                    first + part.start : first + part.stop
                ]
    return bytes(data)


def lying(name: bytes, size: int) -> bytes:
    """The directory says another unpacked size of a member."""
    data = bytearray(project({}))
    at = data.rindex(name) - 46
    data[at + 24 : at + 28] = struct.pack("<I", size)
    return bytes(data)


def locked() -> bytes:
    """All members say that they are encrypted."""
    data = bytearray(project({}))
    at = data.find(b"PK\1\2")
    while at >= 0:
        data[at + 8] |= 1
        at = data.find(b"PK\1\2", at + 4)
    return bytes(data)


def other_zip(data: bytes) -> bytes:
    """A file as the only member of another."""
    return packed([("document.json", data, DEFLATED)])


# -- making arrays and tables ----------------------------------------------------------------------


def npy(
    header: str, body: bytes = b"", version: bytes = b"\1\0", length: int | None = None
) -> bytes:
    text = header.encode("latin-1") + b"\n"
    size = len(text) if length is None else length
    return (
        b"\x93NUMPY"
        + version
        + size.to_bytes(2 if version == b"\1\0" else 4, "little")
        + text
        + body
    )


def described(descr: str, shape: str, body: bytes = b"") -> bytes:
    return npy(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}", body)


def npz(found: Mapping[str, bytes], how: int = DEFLATED) -> bytes:
    return packed([(name, content, how) for name, content in found.items()])


def zeros(count: int) -> bytes:
    out = io.BytesIO()
    np.save(out, np.zeros(count, np.uint8))
    return out.getvalue()


def bomb(byte: bytes, size: int) -> bytes:
    """A gzip file of so many equal bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = byte * 2**20
    first = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)  # it knows nothing before it
    whole, check = size // 2**20, 0
    for _ in range(whole):
        check = zlib.crc32(block, check)
    return first + again * (whole - 1) + b"\x03\0" + struct.pack("<II", check, whole * 2**20)


def checkpoint(changed: Mapping[str, bytes], how: int) -> bytes:
    ((_, data),) = KINDS["checkpoint"]()
    return _changed(data, changed, how)


def step(changed: Mapping[str, bytes], how: int) -> bytes:
    ((_, data),) = KINDS["step"]()
    return _changed(data, changed, how)


def _changed(data: bytes, changed: Mapping[str, bytes], how: int) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        found = {i.filename: (file.read(i), i.compress_type) for i in file.infolist()}
    found |= {name: (content, how) for name, content in changed.items()}
    return packed([(name, *member) for name, member in found.items()])


# -- the table -------------------------------------------------------------------------------------

BLANK = b" " * (16 * 2**20)
GIB = bytes(2**30)
LEADS_ELSEWHERE = {
    "parent": "../escape",
    "parents": "runs/../../../x",
    "absolute": "/etc/passwd",
    "drive": "C:/x",
    "drive, relative": "C:x",
    "backslash": "..\\x",
    "network": "\\\\server\\share\\x",
    "itself": "./document.json",
    "empty part": "runs//x",
    "folder": "a/",
    "NUL": "document.json\0.png",
    "right to left": "\u202egnp.exe",
    "line": "a\nb",
    "stream": "document.json:hidden",
}
ATTACKS: dict[str, Attack] = {}


def _add(
    kind_: str, suffix: str, verdict: Verdict, made: Mapping[str, Callable[[], bytes]]
) -> None:
    ATTACKS.update({f"{kind_}: {n}": Attack(kind_, verdict, m, suffix) for n, m in made.items()})


_add(
    "project",
    ".loom",
    "refused",
    {
        f"member {what}": lambda name=name: project({name: b"x"})
        for what, name in LEADS_ELSEWHERE.items()
    }  # type: ignore[misc]
    | {
        "case twins": lambda: project({"Document.json": b"{}"}),
        "names twice": lambda: packed([("document.json", b"{}", 0), ("document.json", b"{}", 0)]),
        "bomb": lambda: raw(b'"' + BLANK + b'"'),
        "bombs": lambda: project({f"runs/r{i}/run.json": BLANK[:-2] + b"{}" for i in range(5)}),
        "bomb of arrays": lambda: project({"weights.safetensors": bytes(2**27)}),
        "65,535 members": lambda: repeated((f"x{i}" for i in range(65_535)), b""),
        "members over one another": lambda: overlapping(300),
        "size too small": lambda: lying(b"document.json", 7),
        "size too large": lambda: lying(b"weights.safetensors", 2**31),
        "locked": locked,
        "bzip2": lambda: project({"document.json": b"{}"}, zipfile.ZIP_BZIP2),
        "lzma": lambda: project({"document.json": b"{}"}, zipfile.ZIP_LZMA),
        "zip within a zip": lambda: other_zip(project({})),
        "empty": lambda: b"",
        "no zip": lambda: SOURCE,
        "pickle": lambda: EVIL,
        "pickle as document": lambda: raw(EVIL),
        "pickle as weights": lambda: project({"weights.safetensors": EVIL}, STORED),
        "source as document": lambda: raw(SOURCE),
        "YAML as document": lambda: raw(b"!!python/object/apply:os.system ['true']"),
        "UTF-16": lambda: raw('{"format": 4}'.encode("utf-16")),
        "deep": lambda: raw(b"[" * 100_000),
        "deep, closed": lambda: raw(b"[" * 5_000 + b"]" * 5_000),
        "many values": lambda: raw(b"[" + b"{}," * 700_000 + b"1]"),
        "many names, one twice": lambda: raw(
            b"{" + b",".join(b'"%d":1' % i for i in range(100_000)) + b',"99999":1}'
        ),
        "long name of many": lambda: raw(
            b'{"' + b"a" * 2**20 + b'":[' + b"1," * 200_000 + b"1e999]}"
        ),
        "long name of many numbers": lambda: raw(
            b'{"id": "r2", "history": {"' + b"a" * 2**20 + b'": [' + b"1," * 200_000 + b'"x"]}}',
            "runs/r2/run.json",
        ),
        "long number": lambda: raw(b"9" * 100_000),
        "NaN": lambda: raw(b'{"format": NaN}'),
        "lone surrogate": lambda: raw(b'{"format": "\\ud800"}'),
        "another class": lambda: document(lambda d: {**d, "__class__": "os._wrap_close"}),
        "module": lambda: document(lambda d: {**d, "module": "os", "class_name": "system"}),
        "optimizer that is code": lambda: document(
            lambda d: d["plan"].update(optimizer={"kind": "subprocess.Popen", "args": "true"})
        ),
        "model of itself": lambda: document(
            lambda d: layers(
                d,
                [{"id": "l50", "name": "m", "trainable": True, "graph": "g50"}],
                [graph(50, [["c50", "l50"]])],
            )
        ),
        "wrapper of itself": lambda: document(
            lambda d: layers(
                d,
                [
                    {
                        "id": "l50",
                        "name": "w",
                        "trainable": True,
                        "kind": "TimeDistributed",
                        "config": {},
                        "layer": "l50",
                    }
                ],
                [],
            )
        ),
        "models 3,000 deep": lambda: document(nested(3_000, False)),
        "models, twice each, 30 deep": lambda: document(nested(30, True)),
        "wrappers 3,000 deep": lambda: document(wrapped(3_000)),
        "100,000 layers": lambda: document(many_layers(100_000)),
        "10,001 nodes": lambda: document(many_calls(10_001)),
        "later version, a million names": lambda: document(
            lambda d: d.update(format=99, **{f"x{i}": 0 for i in range(500_000)}, graphs=0)
        ),
        "counter at its end": lambda: document(lambda d: d.update(next_id=2**63)),
        "path with NUL": lambda: document(source("a\0b")),
        "tensor of 2^80 numbers": lambda: tensors({"l1/k": entry([2**40, 2**40], 0, 0)}),
        "tensor beyond the file": lambda: tensors({"l1/k": entry([2**30], 0, 2**32)}),
        "tensors over one another": lambda: tensors(
            {f"l1/k{i}": entry([2], 0, 8) for i in range(9)}, bytes(8)
        ),
        "hole between tensors": lambda: tensors(
            {"l1/a": entry([1], 0, 4), "l1/b": entry([1], 8, 12)}, bytes(12)
        ),
        "what nobody claims behind tensors": lambda: tensors({}, EVIL),
        "header of 2^63 bytes": lambda: tensors(b"{}", length=2**63),
        "offsets that wrap": lambda: tensors({"l1/k": entry([2], 2**64 - 4, 4)}, bytes(8)),
        "20,001 tensors": lambda: tensors({f"l1/{i}": entry([0], 0, 0) for i in range(20_001)}),
        "nine axes": lambda: tensors({"l1/k": entry([1] * 9, 0, 4)}, bytes(4)),
        "object array": lambda: tensors({"l1/k": entry([1], 0, 8, "OBJ")}, bytes(8)),
        "thumbnail of 1 MB": lambda: project({"thumbnail.png": bytes(2**20)}, STORED),
    },
)
_add(
    "project",
    ".loom",
    "opens",
    {
        "parameter __class__": lambda: document(parameter("__class__", "os.system")),
        "activation that is code": lambda: document(
            parameter("kernel_initializer", {"kind": "os.system", "command": "true"})
        ),
        "layer called os.system": lambda: document(kind("os.system", {"command": "true"})),
        "Lambda": lambda: document(
            kind(
                "Lambda", {"function": {"class_name": "__lambda__", "config": {"code": "4wEAAA=="}}}
            )
        ),
        "layer of a path": lambda: document(kind("../../../../etc/passwd", {})),
        "layer __init__": lambda: document(kind("__init__", {})),
        "template": lambda: document(
            lambda d: d["layers"][0].update(name="{0.__class__.__init__.__globals__}")
        ),
        "mark-up": lambda: document(
            lambda d: d["layers"][0].update(name="<img src='file:///dev/zero'><script>1</script>")
        ),
        "units of 2^62": lambda: document(parameter("units", 2**62)),
        "nothing as a parameter": lambda: document(parameter("units", None)),
        "text as a parameter": lambda: document(parameter("use_bias", None)),
        "data in /dev/zero": lambda: document(source("/dev/zero")),
        "data in /etc": lambda: document(source("/etc/passwd")),
        "data elsewhere": lambda: document(source("../../../../../etc/passwd")),
        "data on the network": lambda: document(source("\\\\server\\share\\x.csv")),
        "data of an address": lambda: document(source("http://localhost:9/x.csv")),
        "2^62 rows": lambda: document(
            lambda d: d["plan"]["data"].update(
                source={"kind": "GeneratedSource", "name": "headline", "rows": 2**62}
            )
        ),
        "generator that is code": lambda: document(
            lambda d: d["plan"]["data"].update(
                source={"kind": "GeneratedSource", "name": "os.system"}
            )
        ),
        "member nobody knows": lambda: project({"hook.py": SOURCE, "data.pkl": EVIL}),
    },
)
_add(
    "step",
    ".step",
    "refused",
    {
        "bomb": lambda: step({"about.json": b'"' + BLANK + b'"'}, DEFLATED),
        "bomb of arrays": lambda: step({"batch.safetensors": bytes(2**27)}, DEFLATED),
        "pickle": lambda: step({"batch.safetensors": EVIL}, STORED),
        "engine that is code": lambda: step({"about.json": b'{"format": 1, "hit": {}}'}, STORED),
        "no zip": lambda: EVIL,
    },
)
_add(
    "checkpoint",
    ".zip",
    "refused",
    {
        "bomb": lambda: checkpoint({"course.json": b'"' + BLANK + b'"'}, DEFLATED),
        "bomb of arrays": lambda: checkpoint({"weights.safetensors": bytes(2**28)}, DEFLATED),
        "bomb of sums": lambda: checkpoint({"sums.safetensors": bytes(2**28)}, DEFLATED),
        "pickle": lambda: checkpoint({"sums.safetensors": EVIL}, STORED),
        "no zip": lambda: EVIL,
    },
)
_add(
    "nodes",
    ".json",
    "refused",
    {
        "deep": lambda: b'{"layerloom": "nodes", "document": ' + b"[" * 100_000,
        "code": lambda: b'{"layerloom": "nodes", "document": {"__reduce__": ["os.system", "x"]}}',
        "nothing": lambda: b"",
    },
)
_add(
    "arrays",
    ".npy",
    "refused",
    {
        "pickle": lambda: described("'|O'", "(1,)", EVIL),
        "8 TB": lambda: described("'<f8'", f"({2**40},)"),
        "2^80": lambda: described("'<f8'", f"({2**40}, {2**40})"),
        "nothing of 2^62": lambda: described("'<f8'", f"(0, {2**62})"),
        "less than nothing": lambda: described("'<f8'", "(-1, -8)", bytes(64)),
        "header that is code": lambda: npy("__import__('os').system('true')"),
        "header of 4 GiB": lambda: npy("{}", version=b"\2\0", length=2**32 - 1),
        "deep header": lambda: npy("(" * 60_000),
        "power": lambda: described("'<f8'", "(9**9**9,)"),
        "blank header": lambda: npy("{" + " " * 60_000),
        "structure": lambda: described("[('a', '|O')]", "(1,)", EVIL),
        "letters that are none": lambda: described("'<U1'", "(1,)", b"\xff" * 4),
        "lone surrogate": lambda: described("'<U1'", "(1,)", struct.pack("<I", 0xD800)),
        "65 axes": lambda: described("'<f8'", "(" + "1," * 65 + ")", bytes(8)),
        "unknown version": lambda: npy("{}", version=b"\x09\0"),
    },
)
_add(
    "arrays",
    ".npz",
    "refused",
    {
        "pickle": lambda: npz({"x.npy": described("'|O'", "(1,)", EVIL)}),
        "65,535 arrays": lambda: repeated((f"x{i}.npy" for i in range(65_535)), b""),
        "bomb": lambda: repeated([f"x{i}.npy" for i in range(40)], zeros(2**26 - 200)),
        "no zip": lambda: EVIL,
        "nothing within": lambda: npz({}),
        "other things within": lambda: npz({"x.py": SOURCE}),
    },
)
_add(
    "arrays",
    ".npz",
    "opens",
    {
        "names that lead elsewhere": lambda: npz({"../../x.npy": zeros(5), "/etc/x.npy": zeros(5)}),
        "150 MB of nothing": lambda: repeated(["x.npy", "y.npy", "z.npy"], zeros(50 * 2**20)),
    },
)
_add(
    "text",
    ".csv",
    "refused",
    {
        "nothing": lambda: b"",
        "NULs": lambda: bytes(100_000),
        "open quote": lambda: b'a,b\n"' + b"x\n" * 500_000,
        "cell of 20 MB": lambda: b"a,b\n" + b"x" * (20 * 2**20) + b",1\n",
        "a million columns": lambda: b",".join(b"c%d" % i for i in range(10**6)) + b"\n1\n",
        "pickle": lambda: EVIL * 50,
    },
)
_add(
    "text",
    ".csv",
    "opens",
    {
        "formulas": lambda: b"a,b\n=cmd|'/C calc'!A0,1\n@SUM(1),2\n",
        "digits": lambda: b"a,b\n" + b"1" * 2**20 + b"x,2\n" + b"3" * 2**20 + b"y,4\n",
        "blanks": lambda: b"a,b\n" + b" " * 2**20 + b"x,2\n" + b" " * 2**20 + b"y,4\n",
        "terminal": lambda: b"a,b\n\x1b[2J\x1b]0;x\x07,1\n2,3\n",
    },
)
_add(
    "text",
    ".csv.gz",
    "refused",
    {
        "bomb": lambda: bomb(b"a", 300 * 2**20),
        "bomb of lines": lambda: bomb(b"\n", 100 * 2**20),
        "torn": lambda: gzip.compress(b"a,b\n1,2\n" * 1000)[:-30],
    },
)
_add(
    "records",
    ".json",
    "refused",
    {
        "deep": lambda: b"[" * 100_000,
        "no rows": lambda: b"[]",
        "numbers": lambda: b"[1, 2, 3]",
        "code": lambda: SOURCE,
        "pickle": lambda: EVIL,
        "a name each": lambda: json.dumps([{f"c{i}": 1} for i in range(20_000)]).encode(),
    },
)
_add(
    "records",
    ".json",
    "opens",
    {
        "NaN and more": lambda: b'[{"a": NaN, "b": 1e999}, {"a": Infinity, "b": 2}]',
        "a name twice": lambda: b'[{"a": 1, "a": 2}, {"a": 3}]',
        "objects within": lambda: b'[{"a": {"__class__": "os"}}, {"a": [[1, [2]]]}]',
    },
)
