"""The models of runs as bytes of JSON, each made and read once.

Q: Why remember them?
A: A project has the models of many runs, which never change, and is saved often; and whatever is
   saved is read back first.
"""

from functools import lru_cache
from pathlib import Path

from studio.document.model import Document
from studio.formats import document_json, strict_json
from studio.formats.newer import is_tolerant
from studio.limits import RUN_DOCUMENTS

_MOST = 2 * RUN_DOCUMENTS  # remembered, of all projects together
_made: dict[tuple[int, Path], tuple[Document, bytes]] = {}  # by identity: the document is kept


def remembered(document: Document, folder: Path) -> bytes | None:
    """The bytes of a document that was written into this folder, unless it is too long ago."""
    found = _made.get((id(document), folder))
    return found[1] if found is not None else None


def written(document: Document, folder: Path, as_is: Document, place: str) -> bytes:
    """The bytes of a document; `as_is` is the same as it goes into that folder.

    Raises:
        MalformedError: it holds what a file cannot.
    """
    data = strict_json.dumps(document_json.to_json(as_is), place)
    _made[id(document), folder] = document, data
    while len(_made) > _MOST:
        del _made[next(iter(_made))]
    return data


def read_model(data: bytes, place: str) -> Document:
    """The inverse of `written`, paths as they are in the file.

    Raises:
        MalformedError: it is none.
    """
    return (_read if is_tolerant() else _remembered)(data, place)


def _read(data: bytes, place: str) -> Document:
    return document_json.read_document(strict_json.loads(data, place), place)


_remembered = lru_cache(maxsize=_MOST)(_read)
