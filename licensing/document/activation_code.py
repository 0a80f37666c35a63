"""The activation code: made, written for people, read forgivingly, proved without travelling."""

import hashlib
import hmac
import secrets
import unicodedata

from licensing.document.errors import malformed

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHECK_ALPHABET = ALPHABET + "*~$=U"
LENGTH = 26
_GROUP = 4
_SAME = str.maketrans({"I": "1", "L": "1", "O": "0"})
_KEPT = frozenset("*~$=")


def generate_code() -> str:
    """Return 26 random Crockford symbols (130 bits)."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def check_symbol(code: str) -> str:
    """Return Crockford's check symbol: the code as a number, modulo 37."""
    number = 0
    for symbol in code:
        number = number * 32 + ALPHABET.index(symbol)
    return CHECK_ALPHABET[number % 37]


def format_code(code: str) -> str:
    """Return the code as it is shown: groups of four, the check symbol last."""
    symbols = code + check_symbol(code)
    return "-".join(symbols[at : at + _GROUP] for at in range(0, len(symbols), _GROUP))


def parse_code(text: str) -> str:
    """Return the 26 symbols of what a person typed; a mistake is `E_FORMAT`.

    Case, I/L for 1, O for 0, Persian and Arabic digits and any separators are forgiven.
    """
    symbols = "".join(_symbols(text)).translate(_SAME)
    code, check = symbols[:LENGTH], symbols[LENGTH:]
    if len(code) != LENGTH or any(symbol not in ALPHABET for symbol in code):
        raise malformed(f"An activation code has {LENGTH} symbols and a check symbol.")
    if check != check_symbol(code):
        raise malformed("The check symbol of the activation code does not fit.")
    return code


def _symbols(text: str) -> list[str]:
    ascii_digits = [
        str(unicodedata.digit(char)) if char.isdigit() else char
        for char in unicodedata.normalize("NFKC", text[:400])
    ]
    return [
        char.upper()
        for char in ascii_digits
        if (char.isascii() and char.isalnum()) or char in _KEPT
    ]


def code_id(code: str) -> str:
    """Return the public name of a code: first 8 hex digits of a hash of it."""
    return hashlib.sha256(b"daftar-code-id-v1\x00" + code.encode()).hexdigest()[:8]


def code_key(code: str) -> bytes:
    """Return the key of the proof; the authority keeps this instead of the code."""
    return hashlib.sha256(b"daftar-code-v1\x00" + code.encode()).digest()


def code_proof(key: bytes, challenge: str, instance_pub: str) -> str:
    """Return the proof that who holds `code_key` answers this challenge for this instance.

    `instance_pub` is the base64 text of the public key.
    """
    return hmac.new(key, (challenge + instance_pub).encode(), hashlib.sha256).hexdigest()


def is_code_proof(key: bytes, challenge: str, instance_pub: str, proof: str) -> bool:
    """Compare a proof in constant time."""
    expected = code_proof(key, challenge, instance_pub)
    return hmac.compare_digest(expected.encode(), proof.encode())
