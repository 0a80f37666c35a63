"""Weak keys: what OpenSSL loads and anybody can sign for is refused at the door."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from licensing.document.errors import Code, DocumentError
from licensing.document.keys import check_public_key, decode_public_key, is_signed_by

PRIME = 2**255 - 19
SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
]
NOT_CANONICAL = [(PRIME + n).to_bytes(32, "little") for n in range(19)]
WRONG_LENGTH = [b"", bytes(31), bytes(33), b"\x02" * 31, b"\x02" * 64]


@pytest.mark.parametrize("public", [bytes.fromhex(one) for one in SMALL_ORDER])
def test_points_of_small_order_are_refused(public: bytes) -> None:
    with pytest.raises(DocumentError) as refused:
        check_public_key(public)
    assert refused.value.code is Code.E_WEAK_KEY


@pytest.mark.parametrize("public", NOT_CANONICAL + WRONG_LENGTH)
def test_other_spellings_and_lengths_are_refused(public: bytes) -> None:
    with pytest.raises(DocumentError) as refused:
        check_public_key(public)
    assert refused.value.code is Code.E_WEAK_KEY


def test_the_danger_is_real_one_signature_fits_every_message_under_the_identity_point() -> None:
    identity = bytes.fromhex(SMALL_ORDER[0])
    constant = identity + bytes(32)
    Ed25519PublicKey.from_public_bytes(identity).verify(constant, b"anything")
    Ed25519PublicKey.from_public_bytes(identity).verify(constant, b"anything else")


def test_the_small_order_points_in_the_table_are_all_there_are() -> None:
    # The curve is -x^2 + y^2 = 1 + d x^2 y^2; doubling three times must give the identity.
    d = -121665 * pow(121666, -1, PRIME) % PRIME
    ys = {int.from_bytes(bytes.fromhex(one), "little") % 2**255 for one in SMALL_ORDER}
    for y in ys:
        x2 = (y * y - 1) * pow(d * y * y + 1, -1, PRIME) % PRIME
        for _ in range(3):  # y' = (y^2 + x^2) / (1 - d x^2 y^2), and x'^2 from the curve again
            y = (y * y + x2) * pow(1 - d * x2 * y * y, -1, PRIME) % PRIME
            x2 = (y * y - 1) * pow(d * y * y + 1, -1, PRIME) % PRIME
        assert (x2, y) == (0, 1)
    assert len(ys) == 5


def test_ordinary_keys_pass() -> None:
    for _ in range(20):
        public = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
        assert check_public_key(public) == public


def test_a_key_that_is_not_base64_is_malformed_rather_than_weak() -> None:
    with pytest.raises(DocumentError) as refused:
        decode_public_key("no key")
    assert refused.value.code is Code.E_FORMAT


def test_a_signature_of_another_length_never_holds() -> None:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    signature = private.sign(b"m")
    assert is_signed_by(public, signature, b"m")
    assert not is_signed_by(public, signature + b"\0", b"m")
    assert not is_signed_by(public, b"", b"m")
