"""ONNX files made to do harm, and tables and pictures in formats that libraries read.

Each is made here, by code, in a folder, as some need other files. `ATTACKS` says what must come of
each: it is refused by a sentence, opens harmlessly, or ends the process that is there for that.
"""

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.reliability.attacks import LEADS_ELSEWHERE
from tests.reliability.onnx_mutants import INT, F, N, dense, file, numbers
from tests.reliability.table_mutants import SHEET, parquet, sheet, workbook

Verdict = Literal["refused", "opens", "ends"]


@dataclass(frozen=True)
class Attack:
    """A file: its kind, what comes of it, what makes it in a folder, how its name ends."""

    kind: str
    verdict: Verdict
    make: Callable[[Path], bytes]
    suffix: str


ATTACKS: dict[str, Attack] = {}


def _add(
    kind: str, suffix: str, verdict: Verdict, made: Mapping[str, Callable[[Path], bytes]]
) -> None:
    ATTACKS.update({f"{kind}: {n}": Attack(kind, verdict, m, suffix) for n, m in made.items()})


# -- arrays in other files -------------------------------------------------------------------------


def outside(
    location: str, about: Mapping[str, str] | None = None, dims: tuple[int, ...] = (3, 4)
) -> bytes:
    """A file of which one array is to lie elsewhere."""
    model = dense()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.dims[:] = dims
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **(about or {})}.items():
        tensor.external_data.add(key=key, value=value)
    return model.SerializeToString()


def beside(
    folder: Path,
    lay: Callable[[Path], object] = lambda path: path.write_bytes(bytes(48)),
    about: Mapping[str, str] | None = None,
    dims: tuple[int, ...] = (3, 4),
    location: str = "x.bin",
) -> bytes:
    """The same, with something of that name beside it."""
    lay(folder / "x.bin")
    return outside(location, about, dims)


def _secret(folder: Path) -> Path:
    path = folder.parent / "secret.bin"
    path.write_bytes(bytes(48))
    return path


def _linked_folder(folder: Path) -> bytes:
    (folder.parent / "other").mkdir(exist_ok=True)
    (folder.parent / "other" / "x.bin").write_bytes(bytes(48))
    (folder / "in").symlink_to(folder.parent / "other")
    return outside("in/x.bin")


def _subfolder(folder: Path) -> bytes:
    (folder / "sub").mkdir()
    (folder / "sub" / "x.bin").write_bytes(bytes(48))
    return outside("sub/x.bin")


def _sparse(path: Path) -> None:
    with path.open("wb") as made:
        made.truncate(2**42)


def _twice(folder: Path) -> bytes:
    model = onnx.ModelProto.FromString(beside(folder))
    model.graph.initializer[0].external_data.add(key="location", value="../secret.bin")
    return model.SerializeToString()


_add(
    "onnx",
    ".onnx",
    "refused",
    {
        f"arrays in {what}": lambda folder, name=name: outside(name)
        for what, name in LEADS_ELSEWHERE.items()
    }  # type: ignore[misc]
    | {
        "arrays nowhere": lambda folder: outside(""),
        "arrays in the folder itself": lambda folder: outside("."),
        "arrays above by a detour": lambda folder: outside("a/../../secret.bin"),
        "arrays by a detour": lambda folder: beside(folder, location="sub/../x.bin"),
        "arrays in a symbolic link": lambda f: beside(f, lambda p: p.symlink_to(_secret(f))),
        "arrays in a hard link": lambda f: beside(f, lambda p: p.hardlink_to(_secret(f))),
        "arrays in a folder that is a link": _linked_folder,
        "arrays in a pipe": lambda folder: beside(folder, os.mkfifo),
        "arrays in a device": lambda f: beside(f, lambda p: p.symlink_to("/dev/zero")),
        "arrays in a folder": lambda folder: beside(folder, lambda path: path.mkdir()),
        "arrays in nothing": lambda folder: outside("x.bin"),
        "arrays from 2**62 on": lambda f: beside(f, about={"offset": str(2**62)}),
        "arrays of 2**62": lambda f: beside(f, about={"length": str(2**62)}),
        "arrays from -1 on": lambda f: beside(f, about={"offset": "-1"}),
        "arrays from 1e1 on": lambda f: beside(f, about={"offset": "1e1"}),
        "arrays from ١ on": lambda f: beside(f, about={"offset": "١"}),
        "arrays of another length": lambda f: beside(f, about={"length": "47"}),
        "arrays with a class": lambda f: beside(f, about={"__class__": "os.system"}),
        "arrays in two places": _twice,
        "arrays larger than the file": lambda f: beside(f, dims=(2**20, 2**20)),
        "arrays of 4 TiB that are there": lambda f: beside(f, _sparse, dims=(2**20, 2**20)),
        "arrays of a negative size": lambda f: beside(f, dims=(-3, -4)),
    },
)
_add(
    "onnx",
    ".onnx",
    "opens",
    {
        "arrays beside it": lambda folder: beside(folder),
        "arrays below it": _subfolder,
        "arrays told in full": lambda f: beside(f, about={"offset": "0", "length": "48"}),
    },
)


# -- operators -------------------------------------------------------------------------------------


def _made(*nodes: onnx.NodeProto, **more: object) -> Callable[[Path], bytes]:
    return lambda folder: file(list(nodes), **more).SerializeToString()  # type: ignore[arg-type]


def _of(count: int) -> dict[str, np.ndarray]:
    return {"size": np.array([count])}


def _spread(size: np.ndarray) -> dict[str, np.ndarray]:
    return {"size": size, "one": np.ones(1, np.float32)}


def _doubling(folder: Path) -> bytes:
    names = ["x", *(f"d{i}" for i in range(40))]
    nodes = [N("Concat", [a, a], [b], axis=1) for a, b in pairwise([*names, "y"])]
    return file(nodes).SerializeToString()


def _functions(count: int, uses: int, last: str = "Relu") -> Callable[[Path], bytes]:
    """Each function uses the next one so many times."""

    def make(folder: Path) -> bytes:
        opsets = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]
        found = []
        for i in range(count):
            inner, domain = (f"f{i + 1}", "own") if i + 1 < count else (last, "")
            domain = "own" if inner.startswith("f") else domain
            names = ["a", *(f"b{k}" for k in range(uses - 1)), "z"]
            nodes = [N(inner, [a], [b], domain=domain) for a, b in pairwise(names)]
            found.append(helper.make_function("own", f"f{i}", ["a"], ["z"], nodes, opsets))
        model = file([N("f0", ["x"], ["y"], domain="own")], functions=tuple(found[:1]))
        model.functions.extend(found[1:])
        return model.SerializeToString()

    return make


def _loop(steps: int, inside: int = 1) -> Callable[[Path], bytes]:
    """A loop, and so many within one another."""

    def body(level: int) -> onnx.GraphProto:
        condition = helper.make_tensor_value_info("c", TensorProto.BOOL, [])
        into = [
            helper.make_tensor_value_info(f"i{level}", INT, []),
            helper.make_tensor_value_info(f"c{level}", TensorProto.BOOL, []),
            helper.make_tensor_value_info(f"v{level}", F, [1]),
        ]
        nodes = [N("Identity", [f"c{level}"], [f"o{level}"])]
        if level + 1 < inside:
            names = ["steps", "yes", f"v{level}"]
            nodes.append(N("Loop", names, [f"w{level}"], body=body(level + 1)))
        else:
            nodes.append(N("Add", [f"v{level}", f"v{level}"], [f"w{level}"]))
        condition.name = f"o{level}"
        result = helper.make_tensor_value_info(f"w{level}", F, [1])
        return helper.make_graph(nodes, "body", into, [condition, result])

    nodes = [N("Loop", ["steps", "yes", "one"], ["l"], body=body(0)), N("Mul", ["x", "l"], ["y"])]
    arrays = {"steps": np.array(steps), "yes": np.array(True), "one": np.ones(1, np.float32)}
    return _made(*nodes, arrays=arrays)


def _branches(levels: int) -> Callable[[Path], bytes]:
    def make(folder: Path) -> bytes:
        out = helper.make_tensor_value_info("z", F, ["A", "B"])
        graph = helper.make_graph([N("Relu", ["x"], ["z"])], "g", [], [out])
        for _ in range(levels):
            inner = N("If", ["yes"], ["z"], then_branch=graph, else_branch=graph)
            graph = helper.make_graph([inner], "g", [], [out])
        node = N("If", ["yes"], ["y"], then_branch=graph, else_branch=graph)
        return file([node], {"yes": np.array(True)}).SerializeToString()

    return make


def _deep(levels: int) -> bytes:
    """If within If, by hand: copying would double each."""
    graph = b""
    for _ in range(levels):
        attribute = _field(5, _field(1, b"then_branch") + _field(6, graph))
        graph = _field(1, attribute + _field(4, b"If"))
    return _field(7, graph)


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _with_array(**about: object) -> Callable[[Path], bytes]:
    """The dense file with something else said of its first array."""

    def make(folder: Path) -> bytes:
        model = dense()
        for key, value in about.items():
            if key == "dims":
                model.graph.initializer[0].dims[:] = value  # type: ignore[assignment]
            else:
                setattr(model.graph.initializer[0], key, value)
        return model.SerializeToString()

    return make


def _sparse_array(folder: Path) -> bytes:
    model = dense()
    sparse = model.graph.sparse_initializer.add()
    sparse.values.CopyFrom(numpy_helper.from_array(np.ones(1, "f"), "W3"))
    sparse.indices.CopyFrom(numpy_helper.from_array(np.array([0]), "W3/at"))
    sparse.dims[:] = [2**40]
    return model.SerializeToString()


def _training(folder: Path) -> bytes:
    """What it does to train is not looked at, however strange."""
    model = dense()
    model.training_info.add().algorithm.node.append(N("Magic", ["x"], ["y"], domain="evil"))
    return model.SerializeToString()


def _opsets(*versions: int) -> Callable[[Path], bytes]:
    def make(folder: Path) -> bytes:
        model = dense()
        del model.opset_import[:]
        model.opset_import.extend(helper.make_opsetid("", v) for v in versions)
        return model.SerializeToString()

    return make


def _marked(folder: Path) -> bytes:
    """Says of itself what only our own texts say."""
    model = dense()
    model.metadata_props.add(key="layerloom.weights", value='["../x", "x"]')
    model.metadata_props.add(key="layerloom.constants", value="nothing")
    return model.SerializeToString()


_CYCLE = (N("Relu", ["b"], ["a"]), N("Relu", ["a"], ["b"]), N("Add", ["x", "a"], ["y"]))
_SPREAD = (
    N("Expand", ["one", "size"], ["a"]),
    N("ReduceSum", ["a"], ["s"]),
    N("Mul", ["x", "s"], ["y"]),
)
_add(
    "onnx",
    ".onnx",
    "refused",
    {
        "nothing": lambda folder: b"",
        "no protobuf": lambda folder: b"MZ\x90\x00" * 40,
        "a script": lambda folder: b"#!/bin/sh\ntouch /tmp/layerloom-was-here\n",
        "cut": lambda folder: dense().SerializeToString()[:-7],
        "a number without an end": lambda folder: b"\x08" + b"\xff" * 40,
        "a group": lambda folder: b"\x0b\x0c",
        "a length of 2**63": lambda folder: _varint(7 << 3 | 2) + _varint(2**63),
        "an operator of somebody": _made(N("Magic", ["x"], ["y"], domain="com.acme")),
        "an operator of nobody": _made(N("Magic", ["x"], ["y"])),
        "an operator of onnxruntime": _made(N("Gelu", ["x"], ["y"], domain="com.microsoft")),
        "an operator of trees": _made(N("Normalizer", ["x"], ["y"], domain="ai.onnx.ml")),
        "an operator of sequences": _made(N("SequenceConstruct", ["x"], ["y"])),
        "an operator that reads pictures": _made(N("ImageDecoder", ["x"], ["y"]), opset=20),
        "an operator that is ours alone": _made(N("CTC", ["x"], ["y"])),
        "a terabyte of zeros": _made(
            N("ConstantOfShape", ["size"], ["a"]), N("Add", ["x", "a"], ["y"]), arrays=_of(10**12)
        ),
        "8 GB by Expand": _made(*_SPREAD, arrays=_spread(np.array([2**31, 3]))),
        "2**62 by Expand": _made(*_SPREAD, arrays=_spread(np.array([2**62, 3]))),
        "2**63 by Expand": _made(*_SPREAD, arrays=_spread(np.array([2**62, 2**62, 3]))),
        "2**62 by Tile": _made(
            N("Tile", ["x", "size"], ["y"]), arrays={"size": np.array([2**31, 2**31])}
        ),
        "2**62 by Range": _made(
            N("Range", ["zero", "end", "one"], ["r"]),
            N("Cast", ["r"], ["f"], to=F),
            N("ReduceSum", ["f"], ["s"]),
            N("Mul", ["x", "s"], ["y"]),
            arrays={"zero": np.array(0), "end": np.array(2**62), "one": np.array(1)},
        ),
        "2**60 by Pad": _made(
            N("Pad", ["x", "p"], ["y"]), arrays={"p": np.array([0, 2**60, 0, 0])}
        ),
        "2**60 by OneHot": _made(
            N("Cast", ["x"], ["i"], to=INT),
            N("OneHot", ["i", "depth", "values"], ["y"]),
            arrays={"depth": np.array(2**60), "values": np.array([0, 1], np.float32)},
            rank=3,
        ),
        "2**60 by Resize": _made(
            N("Resize", ["x", "", "s"], ["y"]), arrays={"s": np.array([1, 1e18], np.float32)}
        ),
        "doubled forty times": _doubling,
        "an input of 2**62": _made(N("Relu", ["x"], ["y"]), sizes=("N", 2**62)),
        "5,000 functions within one another": _functions(5_000, 1),
        "functions of 2**30 operators": _functions(30, 2),
        "a function of itself": _functions(3, 1, "f0"),
        "a loop without an end": _loop(2**62),
        "loops within loops": _loop(9_999, 3),
        "branches within branches": _branches(14),
        "branches 5,000 deep": lambda folder: _deep(5_000),
        "20,000 operators": _made(*[N("Relu", ["x"], ["y"])] * 20_000),
        "a million parts": lambda folder: _field(7, b"\x0a\x00" * 1_000_000),
        "a million numbers": _made(N("Transpose", ["x"], ["y"], perm=[0] * 1_000_000)),
        "values of themselves": _made(*_CYCLE),
        "an array of a negative size": _with_array(dims=[-3, -4]),
        "an array of 2**62": _with_array(dims=[2**31, 2**31]),
        "an array of 2**64": _with_array(dims=[2**32, 2**32]),
        "an array of nothing, 2**62 long": _with_array(dims=[2**62, 0], raw_data=b""),
        "an array shorter than it says": _with_array(raw_data=bytes(20)),
        "an array of texts": _with_array(data_type=TensorProto.STRING),
        "an array of no type": _with_array(data_type=99),
        "an array with gaps": _sparse_array,
        "opset 0": _opsets(0),
        "opset -1": _opsets(-1),
        "opset 2**40": _opsets(2**40),
        "no opset": _opsets(),
    },
)
_add(
    "onnx",
    ".onnx",
    "opens",
    {
        "an index of 2**62": _made(
            N("Gather", ["W", "at"], ["r"]),
            N("MatMul", ["x", "r"], ["y"]),
            arrays={"W": numbers(3, 3), "at": np.array([2**62, 1, 0])},
        ),
        "a training that is strange": _training,
        "words that only we use": _marked,
    },
)


# -- Parquet, workbooks, pictures ------------------------------------------------------------------


def _parquet(change: Callable[[bytes], bytes]) -> Callable[[Path], bytes]:
    return lambda folder: change(parquet())


_add(
    "parquet",
    ".parquet",
    "refused",
    {
        "nothing": lambda folder: b"",
        "its marks alone": lambda folder: b"PAR1PAR1",
        "an end of 2**32": _parquet(lambda data: data[:-8] + b"\xff\xff\xff\xffPAR1"),
        "an end of nothing": _parquet(lambda data: data[:-8] + bytes(4) + b"PAR1"),
        "cut": _parquet(lambda data: data[: len(data) // 2]),
        "a pickle": lambda folder: b"\x80\x04cos\nsystem\n(S'touch /tmp/x'\ntR.PAR1",
    },
)


def _bomb() -> bytes:
    """Says so; that it is so would take longer to make than to refuse."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for i in range(5):
            made.writestr(f"xl/worksheets/sheet{i}.xml", bytes(2**16))
            made.infolist()[i].file_size = 2**29
    return packed.getvalue()


ENTITIES = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]>"
)
_add(
    "workbook",
    ".xlsx",
    "refused",
    {
        "nothing": lambda folder: b"",
        "no zip": lambda folder: b"PK\x03\x04" + bytes(60),
        "without sheets": lambda folder: workbook({"xl/worksheets/sheet1.xml": None}),
        "2.5 GiB unpacked": lambda folder: _bomb(),
        "no XML": lambda folder: workbook({"xl/workbook.xml": b"\0" * 100}),
    },
)
_add(
    "workbook",
    ".xlsx",
    "ends",
    {"two cells at the corners": lambda f: workbook(sheet([("A1", "1"), ("XFD1048576", "2")]))},
)
_add(
    "workbook",
    ".xlsx",
    "opens",
    {
        "a formula": lambda f: workbook(
            {SHEET: sheet([("A1", "1")])[SHEET].replace(b"<v>", b"<f>HYPERLINK(1)</f><v>")}
        ),
        "a picture from the network": lambda f: workbook(
            {
                "xl/worksheets/_rels/sheet1.xml.rels": b'<Relationships><Relationship Id="a" '
                b'Target="http://127.0.0.1:9/x" TargetMode="External"/></Relationships>'
            }
        ),
        "entities": lambda f: workbook(
            {SHEET: sheet([("A1", "1")])[SHEET].replace(b"?>", b"?>" + ENTITIES.encode(), 1)}
        ),
    },
)


def png(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG that says it is so large."""

    def part(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [part(b"IHDR", header), part(b"IDAT", zlib.compress(data)), part(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


_EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n(x) (w) file\nshowpage\n"
_add(
    "picture",
    ".png",
    "refused",
    {
        "nothing": lambda folder: b"",
        "10,000 Mpx": lambda folder: png(100_000, 100_000),
        "2**62 px": lambda folder: png(2**31 - 1, 2**31 - 1),
        "no pixel": lambda folder: png(0, 10),
        "PostScript": lambda folder: _EPS,
        "a Windows metafile": lambda f: b"\xd7\xcd\xc6\x9a\0\0" + bytes(60),
        "HDF5": lambda folder: b"\x89HDF\r\n\x1a\n" + bytes(60),
        "SVG": lambda f: b'<svg xmlns="http://www.w3.org/2000/svg"><script>x</script></svg>',
        "fewer pixels than it says": lambda folder: png(64, 64, bytes(30)),
    },
)
