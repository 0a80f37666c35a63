"""Files on a stick and codes on a screen."""

import base64
import json
import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing.document.errors import DocumentError
from licensing.document.files import (
    AnswerFile,
    dump_answer_file,
    join_qr,
    load_answer_file,
    split_qr,
)
from licensing.document.nonces import is_offline_challenge, new_nonce, offline_challenge

NOISE = random.Random(2).randbytes(2000)  # noqa: S311 - bytes that do not compress, the same each run


def test_an_answer_file_is_json_with_two_envelopes_as_strings() -> None:
    raw = dump_answer_file(AnswerFile(b'{"k":1}', b'{"a":2}'))
    assert json.loads(raw) == {"keyset": '{"k":1}', "answer": '{"a":2}'}
    assert load_answer_file(raw) == AnswerFile(b'{"k":1}', b'{"a":2}')
    with pytest.raises(DocumentError):
        load_answer_file(b'{"answer":"x"}')


def test_qr_codes_are_slices_of_base64url_of_the_zlib_stream() -> None:
    raw = json.dumps({"a": NOISE.hex()}).encode()
    codes = split_qr(raw)
    assert len(codes) > 1
    assert all(code.startswith(f"DFT1:{n}/{len(codes)}:") for n, code in enumerate(codes, 1))
    stream = base64.urlsafe_b64decode("".join(code.split(":", 2)[2] for code in codes))
    assert zlib.decompress(stream) == raw


@given(st.binary(max_size=4000), st.randoms())
def test_codes_are_scanned_in_any_order_and_more_than_once(raw: bytes, dice: random.Random) -> None:
    codes = split_qr(raw)
    scanned = [*codes, dice.choice(codes)]
    dice.shuffle(scanned)
    assert join_qr(scanned) == raw


def packed(data: bytes) -> str:
    return "DFT1:1/1:" + base64.urlsafe_b64encode(data).decode()


BAD = {
    "none": [],
    "foreign": ["https://example.com"],
    "missing": split_qr(NOISE)[1:],
    "two documents": [split_qr(NOISE)[0], split_qr(b"a" * 9)[0]],
    "contradiction": ["DFT1:1/1:AAAA", "DFT1:1/1:AAAB"],
    "bomb": [packed(zlib.compress(bytes(50_000_000), 9))],
    "cut": [packed(zlib.compress(NOISE)[:-3])],
    "something after": [packed(zlib.compress(b"a") + b"b")],
    "no zlib": [packed(b"hello world")],
    "not base64": ["DFT1:1/1:A"],
    "place beyond the end": ["DFT1:2/1:AAAA"],
}


@pytest.mark.parametrize("codes", BAD.values(), ids=BAD.keys())
def test_codes_that_hold_no_document_are_refused(codes: list[str]) -> None:
    with pytest.raises(DocumentError):
        join_qr(codes)


def test_a_challenge_of_the_client_is_known_by_its_shape() -> None:
    assert is_offline_challenge(offline_challenge())
    assert not is_offline_challenge(new_nonce())
    assert not is_offline_challenge("offline." + "A" * 32)
    assert not is_offline_challenge(offline_challenge() + "\n")
