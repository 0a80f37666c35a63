"""Foreign bytes: everything two readers could understand differently is refused."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing.document.envelope import load_envelope
from licensing.document.errors import Code, DocumentError
from licensing.document.parser import (
    MAX_BYTES,
    Members,
    decode_base64,
    dump_object,
    encode_base64,
    parse_object,
)

SIG = base64.b64encode(bytes(64)).decode()


def nested(depth: int) -> bytes:
    return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


ATTACKS = {
    "twice": b'{"a":1,"a":2}',
    "twice inside": b'{"b":{"a":1,"a":1}}',
    "twice by escape": b'{"a":1,"\\u0061":2}',
    "float": b'{"a":1.0}',
    "exponent": b'{"a":1e3}',
    "nan": b'{"a":NaN}',
    "infinity": b'{"a":Infinity}',
    "minus infinity": b'{"a":-Infinity}',
    "list": b"[]",
    "text": b'"a"',
    "number": b"1",
    "null": b"null",
    "nothing": b"",
    "half": b'{"a":',
    "two roots": b"{}{}",
    "trailing comma": b'{"a":1,}',
    "comment": b'{"a":1}//',
    "latin-1": b'{"a":"\xe9"}',
    "utf-16": '{"a":1}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "overlong": b'{"a":"\xc0\xaf"}',
    "raw surrogate": b'{"a":"\xed\xa0\x80"}',
    "lone surrogate": b'{"a":"\\ud800"}',
    "lone surrogate as name": b'{"\\udc00":1}',
    "control character": b'{"a":"\x01"}',
    "deep": nested(17),
    "very deep": nested(30_000),
    "very deep objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "open brackets": b"[" * 60_000,
    "huge integer": b'{"a":' + b"9" * 5_000 + b"}",
    "big integer": b'{"a":9007199254740992}',
    "too long": b'{"a":"' + b"x" * MAX_BYTES + b'"}',
}


@pytest.mark.parametrize("raw", ATTACKS.values(), ids=ATTACKS.keys())
def test_ambiguous_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(DocumentError) as refused:
        parse_object(raw)
    assert refused.value.code is Code.E_FORMAT


def test_sixteen_levels_and_64_kib_are_still_read() -> None:
    assert parse_object(nested(16))
    exactly = b'{"a":"' + b"x" * (MAX_BYTES - 8) + b'"}'
    assert len(exactly) == MAX_BYTES
    assert parse_object(exactly)


def test_brackets_inside_strings_are_no_depth() -> None:
    assert parse_object(b'{"a":"' + b"[" * 40 + b'\\"[[[{"}')


def test_the_largest_integer_and_pairs_of_surrogates_are_read() -> None:
    assert parse_object(b'{"a":9007199254740991,"b":"\\ud83d\\ude00"}') == {
        "a": 2**53 - 1,
        "b": "😀",
    }


BASE64_ATTACKS = [
    "AA",
    "AA=",
    "AAA",
    "AB==",
    "AA==\n",
    " AA==",
    "A-A=",
    "A_8=",
    "AA==AA==",
    "=",
    "é",
]


@pytest.mark.parametrize("text", BASE64_ATTACKS)
def test_base64_has_exactly_one_spelling(text: str) -> None:
    with pytest.raises(DocumentError):
        decode_base64(text)


@given(st.binary(max_size=200))
def test_base64_makes_the_round_trip(raw: bytes) -> None:
    assert decode_base64(encode_base64(raw)) == raw


def envelope_with(**changes: object) -> bytes:
    members: dict[str, object] = {
        "payloadType": "t",
        "payload": "e30=",
        "signatures": [{"keyid": "0", "sig": SIG}],
    }
    return json.dumps(members | changes).encode()


ENVELOPES = {
    "no signature": envelope_with(signatures=[]),
    "nine signatures": envelope_with(signatures=[{"keyid": "0", "sig": SIG}] * 9),
    "signature without keyid": envelope_with(signatures=[{"sig": SIG}]),
    "signature without sig": envelope_with(signatures=[{"keyid": "0"}]),
    "signature is text": envelope_with(signatures=["0"]),
    "signatures are an object": envelope_with(signatures={}),
    "sig url-safe": envelope_with(signatures=[{"keyid": "0", "sig": "__8="}]),
    "payload is null": envelope_with(payload=None),
    "payload is a number": envelope_with(payload=1),
    "payload is not base64": envelope_with(payload="e30"),
    "type is missing": b'{"payload":"e30=","signatures":[{"keyid":"0","sig":""}]}',
}


@pytest.mark.parametrize("raw", ENVELOPES.values(), ids=ENVELOPES.keys())
def test_malformed_envelopes_are_refused(raw: bytes) -> None:
    with pytest.raises(DocumentError) as refused:
        load_envelope(raw)
    assert refused.value.code is Code.E_FORMAT


def test_unknown_members_of_an_envelope_are_ignored() -> None:
    assert load_envelope(envelope_with(alg="none")).body == b"{}"


def test_eight_signatures_are_read() -> None:
    raw = envelope_with(signatures=[{"keyid": "0", "sig": SIG}] * 8)
    assert len(load_envelope(raw).signatures) == 8


def test_true_is_no_integer_and_null_is_no_text() -> None:
    members = Members({"a": True, "b": None, "c": "x\x00", "d": -1, "e": 10**12})
    for read in (
        lambda: members.integer("a"),
        lambda: members.text("b"),
        lambda: members.text("c"),
        lambda: members.integer("d"),
        lambda: members.time("e"),
        lambda: members.boolean("e"),
    ):
        with pytest.raises(DocumentError):
            read()


@given(
    st.dictionaries(
        st.text(max_size=10),
        st.recursive(
            st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=20),
            lambda inner: st.lists(inner, max_size=3),
            max_leaves=8,
        ),
        max_size=6,
    )
)
def test_what_is_dumped_is_parsed_back(value: dict[str, object]) -> None:
    assert parse_object(dump_object(value)) == value


@given(st.binary(max_size=300))
def test_no_bytes_break_the_parser(raw: bytes) -> None:
    try:
        parse_object(raw)
    except DocumentError as refused:
        assert refused.code is Code.E_FORMAT  # noqa: PT017 - most examples are refused, some are not
