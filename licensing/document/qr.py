"""Documents on a screen: a `.dftreq` or `.dftlic` as QR codes, and codes in whatever order back into it.

Nothing is verified here; what comes out of `joined` is read like any other file.
"""

import base64
import binascii
import re
import zlib
from collections.abc import Iterable
from enum import StrEnum

from licensing.document.errors import Code, DocumentError, malformed
from licensing.document.parser import MAX_BYTES

SYMBOLS = 800  # scans well from a screen; a multiple of 4, so that each slice is base64 by itself
MOST_PARTS = 999
MOST_SYMBOLS = 4_296  # more no QR code in the world holds
_MOST_TEXT = 96 * 1024  # what 64 KiB that do not compress take in base64, and some air

_START = re.compile(r"(?=DFT1:)", re.IGNORECASE)
_PART = re.compile(r"DFT1:([1-9][0-9]{0,2})/([1-9][0-9]{0,2}):([A-Za-z0-9_-]+={0,2})")
# Messengers and copying from right-to-left pages add marks that nobody sees.
_UNSEEN = re.compile("[\\s\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")


class QrTrouble(StrEnum):
    """Why codes do not make a document."""

    NOTHING = "nothing"
    FOREIGN = "foreign"
    MISSING = "missing"
    MIXED = "mixed"
    DAMAGED = "damaged"


class QrError(DocumentError):
    """Codes that make no document; `missing` names the places that were not scanned yet."""

    def __init__(
        self, trouble: QrTrouble, message: str, missing: tuple[int, ...] = (), total: int = 0
    ) -> None:
        super().__init__(Code.E_FORMAT, message)
        self.trouble = trouble
        self.missing = missing
        self.total = total


def slices(raw: bytes, size: int = SYMBOLS) -> list[str]:
    """Return the texts of as many QR codes as the file takes, at most `size` base64 symbols in each.

    All are about as large, so that they look and scan alike.
    """
    if size < 4 or size % 4:
        raise ValueError(f"A slice has a multiple of four symbols, not {size}.")
    if len(raw) > MAX_BYTES:
        raise malformed(f"The document has {len(raw)} bytes, more than {MAX_BYTES}.")
    text = base64.urlsafe_b64encode(zlib.compress(raw, 9)).decode("ascii")
    count = -(-len(text) // size)
    even = 4 * -(-len(text) // (4 * count))
    cut = [text[at : at + even] for at in range(0, len(text), even)]
    if len(cut) > MOST_PARTS:
        raise ValueError(f"{len(cut)} codes are more than {MOST_PARTS}; take a larger size.")
    return [f"DFT1:{place}/{len(cut)}:{one}" for place, one in enumerate(cut, start=1)]


def joined(parts: Iterable[str]) -> bytes:
    """Return the file of scanned codes, in whatever order and however often each was scanned.

    A text may hold several codes; blanks, line ends and invisible marks do not count. `QrError`
    says what is wrong: nothing there, a foreign code, parts missing, two files, damage.
    """
    found: dict[int, str] = {}
    totals = set()
    for one in _codes(parts):
        place, total, text = _read(one)
        totals.add(total)
        if len(totals) > 1 or found.setdefault(place, text) != text:
            raise QrError(QrTrouble.MIXED, f"Code {place} belongs to another document.")
    if not totals:
        raise QrError(QrTrouble.NOTHING, "There is no QR code of Daftar in the text.")
    (total,) = totals
    missing = tuple(place for place in range(1, total + 1) if place not in found)
    if missing:
        names = ", ".join(map(str, missing))
        raise QrError(
            QrTrouble.MISSING, f"Of {total} codes these are missing: {names}.", missing, total
        )
    return _inflated([found[place] for place in sorted(found)])


def _codes(parts: Iterable[str]) -> Iterable[str]:
    for part in parts:
        yield from filter(None, _START.split(_UNSEEN.sub("", part)))


def _read(code: str) -> tuple[int, int, str]:
    found = _PART.fullmatch(code)
    if found is None or len(found[3]) > MOST_SYMBOLS:
        raise QrError(QrTrouble.FOREIGN, "A QR code does not belong to Daftar.")
    place, total = int(found[1]), int(found[2])
    if place > total:
        raise QrError(QrTrouble.FOREIGN, f"A QR code says that it is number {place} of {total}.")
    return place, total, found[3]


def _inflated(texts: list[str]) -> bytes:
    damaged = QrError(
        QrTrouble.DAMAGED, "The QR codes are damaged, or parts of different documents."
    )
    if sum(map(len, texts)) > _MOST_TEXT:
        raise damaged
    # Whoever cut the bytes before encoding them has padding at the end of each slice.
    for packed in (_decoded(["".join(text.rstrip("=") for text in texts)]), _decoded(texts)):
        raw = None if packed is None else _unpacked(packed)
        if raw is not None:
            return raw
    raise damaged


def _decoded(texts: list[str]) -> bytes | None:
    try:
        return b"".join(
            base64.b64decode(
                text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), b"-_", validate=True
            )
            for text in texts
        )
    except binascii.Error:
        return None


def _unpacked(packed: bytes) -> bytes | None:
    stream = zlib.decompressobj()
    try:
        # One byte more than allowed shows a bomb without unpacking it.
        raw = stream.decompress(packed, MAX_BYTES + 1)
    except zlib.error:
        return None
    if len(raw) > MAX_BYTES or not stream.eof or stream.unused_data:
        return None
    return raw
