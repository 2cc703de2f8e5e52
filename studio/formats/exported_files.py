"""Files that an export writes and people change: which of them nobody has changed since.

An export takes the place of what an export wrote, never of anybody's work. So line 1 of a script
has the digest of the script without it, and a description that of its other values.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Literal

from studio.formats import strict_json
from studio.formats.strict_json import MalformedError
from studio.text import resources

KEY = "layerloom"  # what tells our description from somebody else's JSON
WRITTEN = "written"  # in the description: the digest of its other values

Whose = Literal["ours", "changed", "theirs"]  # as it was written; changed since; somebody else's

_MARK = b"# Written by Layerloom"
_STAMP = re.compile(rb"(?<=\A# Written by Layerloom) \[([0-9a-f]{16})\]")


def script(name: str) -> bytes:
    """A script of ``resources/export``, as an export writes it."""
    data = (resources() / "export" / name).read_bytes()
    return data.replace(_MARK, b"%b [%b]" % (_MARK, _digest(data).encode()), 1)


def whose_script(data: bytes) -> Whose:
    """Whether a script is as an export wrote it, to the byte."""
    if not data.startswith(_MARK):
        return "theirs"
    stamp = _STAMP.search(data)
    if stamp is None:  # of a version that put none there
        return "changed"
    return "ours" if _digest(_STAMP.sub(b"", data)).encode() == stamp[1] else "changed"


def stamped(value: Mapping[str, Any], place: str) -> bytes:
    """A description as JSON, its digest in it.

    Raises:
        MalformedError: a file cannot hold these values.
    """
    digest = _digest(strict_json.dumps(value, place))
    return strict_json.dumps({**value, WRITTEN: digest}, place)


def whose_description(data: bytes) -> Whose:
    """Whether a description says what an export wrote, however it is laid out."""
    try:
        value = strict_json.loads(data)
        if not isinstance(value, dict) or KEY not in value:
            return "theirs"
        digest = value.pop(WRITTEN, None)
        return "ours" if _digest(strict_json.dumps(value)) == digest else "changed"
    except MalformedError:
        return "theirs"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
