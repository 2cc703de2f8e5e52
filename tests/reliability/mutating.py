"""Damaged files, made from whole ones by what is known of their structure.

Each mutant follows from its kind and its number alone. A change is of the zip (its directory, its
members), of a tree of JSON (values of the wrong type, of another place, out of all bounds; names
twice; what JSON is not), of a table of tensors, or of bytes.
"""

import json
import random
import struct
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from copy import copy
from io import BytesIO
from typing import Any

from studio.formats.journal.lines import lines

Member = tuple[str, bytes, int]  # name, content, compression
Path = list[str | int]  # to a value of a tree of JSON

ODD = (
    *(None, True, False, 0, 1, -1, 2, 7, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 0.5, -0.0, 1e308),
    *(1e-320, "", "x", "a" * 300, "\0", "é" * 50, "\u202e", "c1", "l1", "g1", "output", "nan"),
    *([], {}, [[]], [None], [1, 2], ["c1"], {"kind": "Dense"}, {"kind": ""}, {"a": {}}),
)
RAW = (
    *(b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b'"\\ud800"', b"[" * 2000, b'{"a":' * 500),
    *(b"'x'", b"\xff\xfe", b"nul", b'{"a":1,"a":2}', b"\xef\xbb\xbf{}", b"1.5e", b"", b"{},"),
    *(b"\x00", b'"\t"', b"01", b"1_0", b"0x1F", b"// x\n", b"18446744073709551616"),
)
NUMBERS = (0, 1, 2, 7, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)
NAMES = (
    *("../x", "/x", "C:/x", "a\\b", "x\0y", "", ".", "a/../b", "document.json", "Document.json"),
    *("weights.safetensors", "runs/r1/run.json", "runs/r999999999/run.json", "runs/r1/x", "ﬁ.json"),
    *("thumbnail.png", "runs/r3/document.json", "\u202egnp.exe", "a" * 3000, "best_weights"),
)


class Mutator:
    """Makes one mutant; `others` are whole files of the same kind, to take parts from."""

    def __init__(self, seed: str, others: list[bytes]) -> None:
        self.draw = random.Random(seed)
        self.others = others

    def mutant(self, data: bytes) -> bytes:
        """The file with one change, or a few."""
        for _ in range(self.draw.choice((1, 1, 1, 1, 2, 3))):
            data = self._changed(data)
        return data

    def _changed(self, data: bytes) -> bytes:
        if data[:4] == b"PK\x03\x04":
            if self.draw.random() < 0.15:
                return self._directory(data)
            if self.draw.random() < 0.85:
                return self._zip(data)
        elif data[:6] == b"\x93NUMPY":
            if self.draw.random() < 0.7:
                return self._npy(data)
        elif data[8:9] == b" " and data[41:42] == b" ":
            if self.draw.random() < 0.8:
                return self._journal(data)
        elif data[:1] in b"{[" and self.draw.random() < 0.8:
            return self._json(data)
        elif self.draw.random() < 0.3:
            return self._text(data)
        return self._bytes(data)

    # -- bytes -------------------------------------------------------------------------------------

    def _bytes(self, data: bytes) -> bytes:
        draw, found = self.draw, bytearray(data)
        at = draw.randrange(len(found) + 1)
        length = draw.choice((1, 1, 2, 4, 16, 100))
        match draw.randrange(8):
            case 0 if at < len(found):
                found[at] ^= 1 << draw.randrange(8)
            case 1:
                found[at : at + length] = draw.randbytes(length)
            case 2:
                del found[at:]
            case 3:
                del found[at : at + length]
            case 4:
                found[at:at] = found[: draw.randrange(len(found) + 1)][-length:]
            case 5:
                found[at : at + length] = bytes(length)
            case 6:
                found[at : at + 4] = struct.pack("<I", draw.choice(NUMBERS))
            case _:
                other = draw.choice(self.others)
                start = draw.randrange(len(other) + 1)
                found[at : at + length] = other[start : start + length]
        return bytes(found)

    def _text(self, data: bytes) -> bytes:
        """A table's text: what parts cells and rows, where it should and where it should not."""
        signs = (
            b",",
            b";",
            b"\t",
            b'"',
            b"\n",
            b"\r\n",
            b"\r",
            b"\0",
            b'""',
            b"'",
            b"\xff",
            b"\x1a",
        )
        draw = self.draw
        sign, other = draw.choice(signs), draw.choice(signs)
        match draw.randrange(4):
            case 0:
                return data.replace(sign, other, draw.choice((1, 2, -1)))
            case 1:
                at = draw.randrange(len(data) + 1)
                return data[:at] + sign * draw.choice((1, 2, 500, 20_000)) + data[at:]
            case 2:
                lines = data.split(b"\n")
                draw.shuffle(lines)
                return b"\n".join(lines[: draw.randrange(len(lines) + 1)])
            case _:
                odd = (b"1e999", b"-", b"NaN", b"2024-13-45", b"[1,[2]]", b"9" * 400, b"\xe2\x82")
                cells = data.split(b",")
                cells[draw.randrange(len(cells))] = draw.choice(odd)
                return b",".join(cells)

    # -- zips --------------------------------------------------------------------------------------

    def _zip(self, data: bytes) -> bytes:
        """Another zip: of the same members, but for one."""
        try:
            with zipfile.ZipFile(BytesIO(data)) as file:
                members = [(i.filename, file.read(i), i.compress_type) for i in file.infolist()]
        except Exception:  # an earlier change went too deep
            return self._bytes(data)
        if not members:
            return self._bytes(data)
        self._change_members(members)
        return packed(members)

    def _change_members(self, members: list[Member]) -> None:
        draw = self.draw
        at = draw.randrange(len(members))
        name, content, how = members[at]
        match draw.randrange(14):
            case 0:
                del members[at]
            case 1:
                members[at] = draw.choice((*NAMES, draw.choice(members)[0])), content, how
            case 2:
                members.append((name, draw.choice(members)[1], how))
            case 3:
                members[at] = name, draw.choice(members)[1], how
            case 4:
                members[at] = name, self._bytes(content), how
            case 5:
                members[at] = name, content, draw.choice((0, 8, 12, 14))
            case 6:
                members.insert(at, (draw.choice(NAMES), content, how))
            case _:
                members[at] = name, self._content(name, content), how

    def _content(self, name: str, content: bytes) -> bytes:
        if name.endswith(".safetensors") and len(content) > 8:
            return self._tensors(content)
        if name.endswith(".npy"):
            return self._npy(content)
        return self._json(content) if content[:1] in b"{[" else self._bytes(content)

    def _directory(self, data: bytes) -> bytes:
        """A field of a header or of the directory says something else."""
        found = bytearray(data)
        marks = [i for m in (b"PK\1\2", b"PK\3\4", b"PK\5\6") for i in _places(data, m)]
        if not marks:
            return self._bytes(data)
        at = self.draw.choice(marks) + self.draw.randrange(4, 46)
        size = self.draw.choice((1, 2, 4))
        number = self.draw.choice((*NUMBERS, len(data), len(data) - 1))
        found[at : at + size] = (number % 2 ** (8 * size)).to_bytes(size, "little")
        return bytes(found)

    # -- JSON --------------------------------------------------------------------------------------

    def _json(self, data: bytes) -> bytes:
        draw = self.draw
        try:
            rows = [json.loads(v) for v in data.splitlines()] if b"}\n{" in data else None
            tree = rows or json.loads(data)
        except Exception:
            return self._bytes(data)
        if draw.random() < 0.12:
            return self._raw(data)
        paths = list(_paths(tree))
        if not paths:
            return draw.choice(RAW)
        self._change_tree(tree, paths)
        if rows:
            return "\n".join(map(json.dumps, rows)).encode(errors="replace")
        return json.dumps(tree, ensure_ascii=draw.random() < 0.5).encode(errors="surrogatepass")

    def _raw(self, data: bytes) -> bytes:
        """What is no JSON, or should be none, in the place of a value."""
        at = [i for sign in b":,[" for i in _places(data, bytes([sign]))]
        if not at:
            return self.draw.choice(RAW)
        start = self.draw.choice(at) + 1
        return data[:start] + self.draw.choice(RAW) + data[start + self.draw.randrange(3) :]

    def _change_tree(self, tree: Any, paths: list[Path]) -> None:
        draw = self.draw
        path = draw.choice(paths)
        holder, name = _at(tree, path[:-1]), path[-1]
        value = holder[name]
        match draw.randrange(9):
            case 0:
                del holder[name]
            case 1:
                holder[name] = json.loads(json.dumps(_at(tree, draw.choice(paths))))
            case 2 if isinstance(holder, dict):
                holder[str(draw.choice((*ODD, *holder)))] = holder.pop(name)
            case 3 if isinstance(holder, list):
                holder.insert(draw.randrange(len(holder) + 1), draw.choice(holder))
            case 4 if isinstance(value, int | float):
                holder[name] = draw.choice((value + 1, value - 1, -value, value * 1000, value / 2))
            case 5 if isinstance(value, str):
                texts = [v for p in paths if isinstance(v := _at(tree, p), str)]
                holder[name] = draw.choice(texts)
            case 6:
                if isinstance(holder, list):
                    draw.shuffle(holder)
                else:
                    holder[draw.choice(("kind", "layer", "graph", "x", ""))] = draw.choice(ODD)
            case 7:
                for _ in range(draw.choice((10, 70, 200))):
                    value = [value] if draw.random() < 0.5 else {"a": value}
                holder[name] = value
            case _:
                holder[name] = draw.choice(ODD)

    def _journal(self, data: bytes) -> bytes:
        """Other records, or in another order; each line is as whole as any."""
        draw, records = self.draw, [line[42:] for line in data.splitlines()]
        at = draw.randrange(len(records))
        match draw.randrange(6):
            case 0:
                del records[at]
            case 1:
                records.insert(at, draw.choice(records))
            case 2:
                draw.shuffle(records)
            case _:
                records[at] = self._json(records[at]).replace(b"\n", b" ")
        return lines(records)[0]

    # -- arrays ------------------------------------------------------------------------------------

    def _tensors(self, content: bytes) -> bytes:
        """A safetensors file whose header or whose numbers are others."""
        draw = self.draw
        length = int.from_bytes(content[:8], "little")
        header, body = content[8 : 8 + length], bytearray(content[8 + length :])
        match draw.randrange(5):
            case 0:
                return (
                    draw.choice((*NUMBERS, 2**63, length - 1)).to_bytes(8, "little") + header + body
                )
            case 1 if body:
                at = draw.randrange(len(body))
                odd = (b"\0\0\xc0\x7f", b"\0\0\x80\x7f", b"\xff\xff\xff\xff", b"\1\0\0\0", b"\2")
                some = draw.choice(odd)
                body[at : at + len(some)] = some
            case 2:
                del body[draw.randrange(len(body) + 1) :]
            case _:
                header = self._tensor_header(header)
        return len(header).to_bytes(8, "little") + header + body

    def _tensor_header(self, header: bytes) -> bytes:
        try:
            entries = json.loads(header)
            name = self.draw.choice([n for n in entries if n != "__metadata__"])
            entry = entries[name]
        except Exception:
            return self._json(header)
        numbers = (0, 1, -1, 3, 2**16, 2**32, 2**40, 2**62, 2**63 - 1, 2**64)
        match self.draw.randrange(6):
            case 0:
                entry["dtype"] = self.draw.choice(
                    ("F64", "I8", "BOOL", "F16", "BF16", "I64", "U64", "")
                )
            case 1:
                entry["shape"] = [self.draw.choice(numbers) for _ in range(self.draw.randrange(10))]
            case 2:
                entry["data_offsets"] = [self.draw.choice(numbers), self.draw.choice(numbers)]
            case 3:
                others = ("x", "l1/x:y:z", "/", "step", "l3/embeddings", "l1/", "a" * 400)
                entries[self.draw.choice((*others, *entries))] = entries.pop(name)
            case 4:
                entries[name] = self.draw.choice(list(entries.values()))
            case _:
                return self._json(header)
        return json.dumps(entries).encode()

    def _npy(self, data: bytes) -> bytes:
        """An .npy file whose header says something else."""
        draw = self.draw
        end = data.find(b"\n")
        if end < 0 or draw.random() < 0.2:
            return self._bytes(data)
        header = data[10:end]
        words = (
            *((b"False", b"True"), (b"<f8", b"|O"), (b"<f8", b"<M8[s]"), (b"<f8", b"<f4")),
            *((b"<i8", b"<U99"), (b"<f8", b"V8"), (b"5", b"-5"), (b"5", b"5" * 30), (b"5", b"0")),
            *(
                (b"(", b"(2**9**9,"),
                (b"5", b"10**9"),
                (b"shape", b"shapE"),
                (b"(", b"["),
                (b"'", b'"'),
            ),
            *((b"(", b"(" * 3000), (b"{", b"{" * 300), (b"<f8", b"[('a','<f8')]"), (b",", b"")),
            *((b"5", b"4611686018427387904"), (b"}", b"#}"), (b"(", b"__import__('os').getcwd(")),
        )
        old, new = draw.choice(words)
        header = header.replace(old, new, 1)
        version = draw.choice((data[6:8], data[6:8], b"\1\0", b"\2\0", b"\3\0", b"\4\0"))
        size = 2 if version == b"\1\0" else 4
        length = (len(header) + 1) % 2 ** (8 * size)
        return data[:6] + version + length.to_bytes(size, "little") + header + data[end:]


def packed(members: list[Member]) -> bytes:
    """A zip of these members, also where names come twice."""
    out = BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w") as file:
        warnings.simplefilter("ignore")
        for name, content, how in members:
            info = zipfile.ZipInfo("x", (1980, 1, 1, 0, 0, 0))
            info.filename = info.orig_filename = name  # the constructor would make it harmless
            level = 1 if len(content) >= 2**24 else None  # those who open it wait no less
            file.writestr(info, content, how, level)
    return out.getvalue()


def repeated(names: Iterable[str], content: bytes) -> bytes:
    """A zip whose members all hold the same, which is packed once: large ones take no time."""
    once = packed([("x", content, zipfile.ZIP_DEFLATED)])
    with zipfile.ZipFile(BytesIO(once)) as file:
        (about,) = file.infolist()
    start = about.header_offset + len(about.FileHeader())
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in names:
            info = copy(about)
            info.filename, info.header_offset = name, out.tell()
            out.write(info.FileHeader() + once[start : start + about.compress_size])
            file.filelist.append(info)
        file.start_dir, file._didModify = out.tell(), True
    return out.getvalue()


def _places(data: bytes, mark: bytes) -> Iterator[int]:
    at = data.find(mark)
    while at >= 0:
        yield at
        at = data.find(mark, at + 1)


def _paths(tree: Any, way: tuple[str | int, ...] = ()) -> Iterator[Path]:
    items = (
        tree.items()
        if isinstance(tree, dict)
        else enumerate(tree)
        if isinstance(tree, list)
        else ()
    )
    for name, value in items:
        yield [*way, name]
        yield from _paths(value, (*way, name))


def _at(tree: Any, path: Path) -> Any:
    for name in path:
        tree = tree[name]
    return tree
