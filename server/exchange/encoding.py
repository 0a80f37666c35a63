"""Telling in which encoding a file was written: by its mark, by its bytes, by its letters."""

import codecs
import re
from pathlib import Path

from server.core.errors import Invalid
from server.core.i18n import gettext as _

BLOCK = 1 << 20
HEAD = 64 * 1024
ENCODINGS = ("utf-8", "utf-16", "windows-1256", "windows-1252")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PACKED = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF", b"\x1f\x8b")
_MIXED = re.compile(r"[A-Za-z][\u0600-\u06ff]|[\u0600-\u06ff][A-Za-z]")
_ARABIC = re.compile(r"[\u0600-\u06ff]")


def encoding_of(path: Path) -> str:
    """Return the encoding of a file of text. Raise Invalid for what is no text."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head.startswith(_PACKED):
        raise Invalid(
            _("This is no text file. Save the table as CSV, then import that."),
            field="file",
            code="no_text",
        )
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    wide = _wide(head)
    if wide:
        return wide
    good, broken = _health(path)
    if not broken or good > 10 * broken:
        return "utf-8"
    return _of_eight_bits(head)


def _wide(head: bytes) -> str | None:
    """Return UTF-16 without a mark: every other byte of Latin letters is zero."""
    half = max(1, len(head) // 2)
    if head[1::2].count(0) > half * 0.3:
        return "utf-16-le"
    return "utf-16-be" if head[0::2].count(0) > half * 0.3 else None


def _health(path: Path) -> tuple[int, int]:
    """Count the letters beyond ASCII that are good UTF-8, and the bytes that are not."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    good = broken = 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            if block.isascii() and not decoder.getstate()[0]:
                continue
            text = decoder.decode(block)
            bad = text.count("\ufffd")
            broken += bad
            good += sum(not letter.isascii() for letter in text) - bad
    return good, broken + decoder.decode(b"", final=True).count("\ufffd")


def _of_eight_bits(head: bytes) -> str:
    # Both read any byte; but in French or German read as Persian, Latin and Arabic letters touch.
    text = head.decode("windows-1256", "replace")
    touching, arabic = len(_MIXED.findall(text)), len(_ARABIC.findall(text))
    return "windows-1252" if touching * 2 > arabic else "windows-1256"
