"""The encoding of a text, from its first bytes: by its mark, as UTF-8, or by what it looks like."""

import codecs

BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What a file without a mark may be in; others are read when they are asked for by name.
LEGACY = (
    *("gb18030", "big5", "shift_jis", "euc_jp", "euc_kr"),
    *("cp1252", "cp1251", "cp1250", "cp1253", "koi8_r"),
)
WESTERN = "äöüßéèêëàâáíìîïóòôúùûçñœæøåãõÄÖÜÉÈÀÁÇÑØÅ€£°§«»“”‘’–—…"
CENTRAL = "ěščřžýáíéúůťďňłśźżćąęńóőűăâîşţĚŠČŘŽÝŁŚŹŻĆĄĘŃŐŰ€“”„–"


def encoding_of(data: bytes, whole: bool, later: bytes = b"") -> str:
    """The encoding of a text that starts with these bytes, as Python names it.

    Args:
        data: the start of the text.
        whole: whether that is all; else a character may be cut off at the end.
        later: whole lines from further on, in which there may be letters of other kinds.
    """
    for mark, name in BOMS:
        if data.startswith(mark):
            return name
    wide = _wide(data)
    if wide:
        return wide
    if _utf8(data, whole) and _utf8(later, whole=True):
        return "utf-8"
    return _legacy(data[: data.rfind(b"\n") + 1] + later if later else data)


def not_text(data: bytes, whole: bool) -> bool:
    """Whether these are no letters in any encoding, but numbers of some other format."""
    controls = sum(data.count(byte) for byte in range(9))
    marked = any(data.startswith(mark) for mark, _ in BOMS)
    if marked or _wide(data) or 50 * controls <= len(data):
        return False
    return not _utf8(data, whole) or 3 * controls > len(data)


def codec_of(encoding: str) -> str:
    """What to decode with: in UTF-8 a byte order mark may stand or not."""
    return "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding


def known_encoding(encoding: str) -> bool:
    """Whether Python can decode text with an encoding of this name."""
    try:
        "".encode(encoding)
    except (LookupError, UnicodeError, ValueError):
        return False
    return True


def _utf8(data: bytes, whole: bool) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data, whole)
    except UnicodeDecodeError:
        return False
    return True


def _wide(data: bytes) -> str:
    """UTF-16 without a mark: every other byte of plain letters is zero."""
    half = len(data) // 2
    if half < 4:
        return ""
    even, odd = data[0::2].count(0) / half, data[1::2].count(0) / half
    if odd > 0.3 and even < 0.05:
        return "utf-16-le"
    return "utf-16-be" if even > 0.3 and odd < 0.05 else ""


def _legacy(data: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(data, cp_isolation=list(LEGACY)).best()
    found = str(best.encoding) if best else "cp1252"
    if found in ("big5", "euc_jp", "euc_kr") and _simplified(data, found == "euc_kr"):
        return "gb18030"
    if found in ("cp1250", "cp1252"):
        western, central = (
            sum(letter in letters for letter in data.decode(name, "replace"))
            for name, letters in (("cp1252", WESTERN), ("cp1250", CENTRAL))
        )
        return "cp1252" if western >= central else "cp1250"
    return found


def _simplified(data: bytes, korean: bool) -> bool:
    """Whether nearly all signs are among the 3755 frequent ones of simplified Chinese.

    Those of Korean share their first half; of many Chinese signs some are in the second.
    """
    leads, at = [], 0
    while at < len(data) - 1:
        double = data[at] >= 0x81 and data[at + 1] >= 0x40
        if double and data[at] not in (0xA1, 0xA3):  # punctuation and wide ASCII tell nothing
            leads.append(data[at])
        at += 2 if double else 1
    common = [lead for lead in leads if 0xB0 <= lead <= 0xD7]
    if 10 * len(common) < 9 * len(leads) or not leads:
        return False
    late = sum(lead > 0xC8 for lead in common)
    return not korean or len(common) < 8 or 10 * late >= len(common)
