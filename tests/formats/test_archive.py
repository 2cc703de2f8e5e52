"""Zips are read as strangers' are; what lies in the files themselves is in tests/reliability."""

import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from studio.formats import archive
from studio.formats.strict_json import MalformedError
from studio.limits import JSON_BYTES
from tests.reliability.mutating import packed

JSON, BYTES = ("a.json", b"[1, 2]", zipfile.ZIP_DEFLATED), ("b.bin", b"123", zipfile.ZIP_STORED)


def refused(data: bytes, name: str = "a.json") -> str:
    """Why a member cannot be read."""
    with pytest.raises(MalformedError) as caught, archive.opened(BytesIO(data)) as file:
        file.json(name)
    return caught.value.reason.code


def test_members_are_read_by_name() -> None:
    with archive.opened(BytesIO(packed([JSON, BYTES]))) as file:
        assert file.names == ("a.json", "b.bin")
        assert "b.bin" in file
        assert "c" not in file
        assert file.json("a.json") == [1, 2]
        assert file.stored("b.bin") == b"123"


def test_what_is_packed_is_no_array_and_what_is_missing_is_told() -> None:
    with archive.opened(BytesIO(packed([JSON, BYTES]))) as file:
        for name, most, code in (
            ("a.json", None, "reason_member"),
            ("b.bin", 2, "reason_too_large"),
            ("c", None, "reason_missing"),
        ):
            with pytest.raises(MalformedError) as caught:
                file.stored(name, most)
            assert caught.value.reason.code == code


def test_all_json_together_is_bounded() -> None:
    blank = b" " * (JSON_BYTES - 2) + b"{}"
    names = [f"{i}.json" for i in range(5)]
    data = packed([(name, blank, zipfile.ZIP_DEFLATED) for name in names])
    with archive.opened(BytesIO(data)) as file:
        for name in names[:4]:
            file.text(name)
        with pytest.raises(MalformedError):
            file.text(names[4])


@pytest.mark.parametrize("name", ["../x", "a//b", "a\\b", "C:x", "x\u202ey", "a\nb", "/x", "./x"])
def test_names_that_lead_elsewhere(name: str) -> None:
    assert refused(packed([JSON, (name, b"", zipfile.ZIP_STORED)])) == "reason_member"


@pytest.mark.parametrize("twin", ["a.json", "A.JSON"])
def test_names_that_are_one_on_some_system(twin: str) -> None:
    assert refused(packed([JSON, (twin, b"", zipfile.ZIP_STORED)])) == "reason_twice"


def test_a_member_within_another(tmp_path: Path) -> None:
    data = bytearray(packed([("x.bin", bytes(500), zipfile.ZIP_STORED), BYTES, JSON]))
    second = data.index(b"PK\1\2", data.index(b"PK\1\2") + 1)
    data[second + 42 : second + 46] = bytes(4)  # it begins where the first one does
    assert refused(bytes(data)) == "reason_overlap"


def test_no_zip_and_no_file(tmp_path: Path) -> None:
    assert refused(b"no zip") == refused(b"") == "reason_not_whole"
    assert refused(packed([JSON])[:-8]) == "reason_not_whole"
    with pytest.raises(OSError, match="regular"), archive.opened(tmp_path):
        pass
