"""Documents that travel on a stick or a screen: `.dftreq`, `.dftlic` and QR codes."""

import base64
import binascii
import re
import zlib
from dataclasses import dataclass

from licensing.document.errors import malformed
from licensing.document.parser import MAX_BYTES, Members, dump_object, parse_object

QR_SYMBOLS = (
    800  # scans well from a screen; a multiple of 4, so that each slice is base64 by itself
)
_QR = re.compile(r"DFT1:([1-9][0-9]{0,2})/([1-9][0-9]{0,2}):([A-Za-z0-9_=-]+)")


@dataclass(frozen=True)
class AnswerFile:
    """What a `.dftlic` carries: two envelopes as bytes. Nothing is verified yet."""

    keyset: bytes
    answer: bytes


def dump_answer_file(file: AnswerFile) -> bytes:
    """Return the bytes of a `.dftlic`."""
    return dump_object({"keyset": file.keyset.decode(), "answer": file.answer.decode()})


def load_answer_file(raw: bytes) -> AnswerFile:
    """Read a `.dftlic`."""
    members = Members(parse_object(raw))
    return AnswerFile(
        members.envelope("keyset").encode(),
        members.envelope("answer").encode(),
    )


def split_qr(raw: bytes) -> list[str]:
    """Return the texts of as many QR codes as the file takes."""
    text = base64.urlsafe_b64encode(zlib.compress(raw, 9)).decode("ascii")
    slices = [text[at : at + QR_SYMBOLS] for at in range(0, len(text), QR_SYMBOLS)]
    return [f"DFT1:{place}/{len(slices)}:{one}" for place, one in enumerate(slices, start=1)]


def join_qr(codes: list[str]) -> bytes:
    """Return the file of scanned codes, in whatever order and however often each was scanned."""
    slices: dict[int, str] = {}
    totals = set()
    for code in codes:
        place, total, text = _read_qr(code)
        totals.add(total)
        if slices.setdefault(place, text) != text:
            raise malformed(f"QR code {place} was scanned with two different contents.")
    if len(totals) != 1 or set(slices) != set(range(1, max(totals) + 1)):
        raise malformed("Some QR codes are missing or belong to another document.")
    return _inflate("".join(slices[place].rstrip("=") for place in sorted(slices)))


def _read_qr(code: str) -> tuple[int, int, str]:
    found = _QR.fullmatch(code.strip())
    if found is None:
        raise malformed("A QR code does not belong to Daftar.")
    return int(found.group(1)), int(found.group(2)), found.group(3)


def _inflate(text: str) -> bytes:
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        stream = zlib.decompressobj()
        # One byte more than allowed shows a bomb without unpacking it.
        raw = stream.decompress(packed, MAX_BYTES + 1)
    except (binascii.Error, zlib.error) as error:
        raise malformed("The QR codes do not hold a document.") from error
    if len(raw) > MAX_BYTES or not stream.eof or stream.unused_data:
        raise malformed("The QR codes do not hold a document.")
    return raw
