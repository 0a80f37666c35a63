"""Codes on a screen: whatever the order, and whatever a stranger holds before the camera."""

import base64
import json
import random
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing.document.errors import DocumentError
from licensing.document.parser import MAX_BYTES
from licensing.document.qr import QrError, QrTrouble, joined, slices

NOISE = random.Random(2).randbytes(2000)  # noqa: S311 - bytes that do not compress, the same each run
OTHER = random.Random(3).randbytes(2000)  # noqa: S311 - likewise


def test_codes_are_slices_of_base64url_of_the_zlib_stream() -> None:
    raw = json.dumps({"a": NOISE.hex()}).encode()
    codes = slices(raw)
    assert len(codes) > 1
    assert all(code.startswith(f"DFT1:{n}/{len(codes)}:") for n, code in enumerate(codes, 1))
    assert all(len(code) < 820 for code in codes)
    stream = base64.urlsafe_b64decode("".join(code.split(":", 2)[2] for code in codes))
    assert zlib.decompress(stream) == raw


@given(
    st.binary(max_size=4000),
    st.integers(min_value=4, max_value=1000).map(lambda quarter: 4 * quarter),
    st.sampled_from(["", " ", "\r\n", "\u200f", "\ufeff\t"]),
    st.randoms(),
)
def test_codes_are_scanned_in_any_order_and_more_than_once(
    raw: bytes, size: int, between: str, dice: random.Random
) -> None:
    codes = slices(raw, size)
    scanned = [*codes, dice.choice(codes)]
    dice.shuffle(scanned)

    assert joined(scanned) == raw
    assert joined([between + between.join(scanned) + between]) == raw


@given(st.text(max_size=300) | st.text("DFT1:/23456789-_=AZaz \n", max_size=300))
def test_no_text_of_a_stranger_is_more_than_refused(text: str) -> None:
    with pytest.raises(QrError):
        joined([text])


@given(st.binary(min_size=1, max_size=3000), st.data())
def test_one_changed_letter_never_gives_another_document(raw: bytes, data: st.DataObject) -> None:
    codes = slices(raw, 400)
    which = data.draw(st.integers(0, len(codes) - 1))
    head, text = codes[which].rsplit(":", 1)
    place = data.draw(st.integers(0, len(text.rstrip("=")) - 1))
    letter = "A" if text[place] != "A" else "B"
    codes[which] = f"{head}:{text[:place]}{letter}{text[place + 1 :]}"

    try:
        found = joined(codes)
    except QrError:
        return
    # Only the unused bits of the last symbol of base64 may differ in vain.
    assert found == raw


def test_a_file_cut_before_it_was_encoded_is_read_too() -> None:
    packed = zlib.compress(NOISE, 9)
    cut = [packed[at : at + 500] for at in range(0, len(packed), 500)]
    codes = [
        f"DFT1:{place}/{len(cut)}:{base64.urlsafe_b64encode(one).decode()}"
        for place, one in enumerate(cut, 1)
    ]

    assert joined(codes) == NOISE


def test_what_is_missing_is_named() -> None:
    codes = slices(NOISE)
    assert len(codes) == 4

    with pytest.raises(QrError) as caught:
        joined([codes[3], codes[0]])

    assert caught.value.trouble is QrTrouble.MISSING
    assert (caught.value.missing, caught.value.total) == ((2, 3), 4)
    assert "2, 3" in caught.value.message


def packed(data: bytes) -> str:
    return "DFT1:1/1:" + base64.urlsafe_b64encode(data).decode()


BAD: dict[str, tuple[list[str], QrTrouble]] = {
    "none": ([], QrTrouble.NOTHING),
    "blank": (["", " \n"], QrTrouble.NOTHING),
    "foreign": (["https://example.com"], QrTrouble.FOREIGN),
    "foreign among ours": ([*slices(NOISE), "https://example.com"], QrTrouble.FOREIGN),
    "another version": (["DFT2:1/1:AAAA"], QrTrouble.FOREIGN),
    "two totals": ([slices(NOISE)[0], slices(b"a" * 9)[0]], QrTrouble.MIXED),
    "one place twice": ([*slices(NOISE)[:2], slices(OTHER)[1]], QrTrouble.MIXED),
    "halves of two": ([*slices(NOISE)[:2], *slices(OTHER)[2:]], QrTrouble.DAMAGED),
    "bomb": ([packed(zlib.compress(bytes(50_000_000), 9))], QrTrouble.FOREIGN),
    "small bomb": ([packed(zlib.compress(bytes(2_000_000), 9))], QrTrouble.DAMAGED),
    "cut": ([packed(zlib.compress(NOISE)[:-3])], QrTrouble.DAMAGED),
    "something after": ([packed(zlib.compress(b"a") + b"b")], QrTrouble.DAMAGED),
    "no zlib": ([packed(b"hello world")], QrTrouble.DAMAGED),
    "not base64": (["DFT1:1/1:A"], QrTrouble.DAMAGED),
    "place beyond the end": (["DFT1:2/1:AAAA"], QrTrouble.FOREIGN),
    "place nought": (["DFT1:0/1:AAAA"], QrTrouble.FOREIGN),
    "negative": (["DFT1:-1/3:AAAA"], QrTrouble.FOREIGN),
    "a milliard of parts": ([f"DFT1:1/{10**9}:AAAA"], QrTrouble.FOREIGN),
    "more digits than a number has": (["DFT1:1/" + "9" * 5000 + ":AAAA"], QrTrouble.FOREIGN),
    "digits of another script": (["DFT1:١/١:AAAA"], QrTrouble.FOREIGN),
    "a part like a book": (["DFT1:1/1:" + "A" * 1_000_000], QrTrouble.FOREIGN),
    "a library": ([f"DFT1:{n}/200:" + "A" * 4000 for n in range(1, 201)], QrTrouble.DAMAGED),
}


@pytest.mark.parametrize(("codes", "trouble"), BAD.values(), ids=BAD.keys())
def test_codes_that_hold_no_document_are_refused(codes: list[str], trouble: QrTrouble) -> None:
    with pytest.raises(QrError) as caught:
        joined(codes)

    assert caught.value.trouble is trouble


def test_a_bomb_is_not_unpacked() -> None:
    # In slices that each look innocent.
    text = base64.urlsafe_b64encode(zlib.compress(bytes(50_000_000), 9)).decode()
    cut = [text[at : at + 4000] for at in range(0, len(text), 4000)]
    codes = [f"DFT1:{place}/{len(cut)}:{one}" for place, one in enumerate(cut, 1)]
    tracemalloc.start()
    try:
        with pytest.raises(QrError):
            joined(codes)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 2_000_000


def test_the_largest_document_makes_the_journey_and_a_larger_one_does_not_begin_it() -> None:
    largest = random.Random(4).randbytes(MAX_BYTES)  # noqa: S311 - does not compress
    assert joined(slices(largest)) == largest

    with pytest.raises(DocumentError):
        slices(largest + b"!")


@pytest.mark.parametrize("size", [-4, 0, 3, 801])
def test_slices_that_would_be_no_base64_are_a_mistake_of_the_caller(size: int) -> None:
    with pytest.raises(ValueError, match="multiple of four"):
        slices(b"a", size)
