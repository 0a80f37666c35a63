"""Reading foreign bytes: strict JSON, strict base64 and typed members. No signatures, no meanings."""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import NoReturn, TypeVar

from licensing.document.errors import malformed

MAX_BYTES = 64 * 1024
MAX_DEPTH = 16
MAX_INTEGER = 2**53 - 1  # what every JSON reader in the world keeps exactly
MAX_TIME = 253_402_300_799  # the last second of the year 9999: later ones no calendar can show

HEX_32 = re.compile(r"[0-9a-f]{32}")
HEX_64 = re.compile(r"[0-9a-f]{64}")

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")

Word = TypeVar("Word", bound=StrEnum)
Item = TypeVar("Item")


def parse_object(raw: bytes) -> dict[str, object]:
    """Return the JSON object in `raw`, or refuse whatever two readers could understand differently."""
    if len(raw) > MAX_BYTES:
        raise malformed(f"The document has {len(raw)} bytes, more than {MAX_BYTES}.")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise malformed("The document is not UTF-8.") from error
    _check_depth(text)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_pairs,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
            parse_int=_integer,
        )
    except (ValueError, RecursionError) as error:
        raise malformed("The document is not JSON.") from error
    if not isinstance(value, dict):
        raise malformed("The root of the document is not an object.")
    if _SURROGATE.search(text):
        _check_characters(value)
    return value


def dump_object(value: Mapping[str, object]) -> bytes:
    """Return `value` as compact UTF-8 JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def encode_base64(raw: bytes) -> str:
    """Return standard, padded base64."""
    return base64.b64encode(raw).decode("ascii")


def decode_base64(text: str) -> bytes:
    """Return the bytes of standard, padded, canonical base64; anything else is refused."""
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise malformed("A member is not base64.") from error
    # Python ignores the unused bits of the last symbol, so that four texts would mean the same bytes.
    if encode_base64(raw) != text:
        raise malformed("A member is not canonical base64.")
    return raw


def _check_depth(text: str) -> None:
    # Before json sees it: the C scanner recurses for each bracket.
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub("", text)):
        depth += 1 if bracket.group() in "[{" else -1
        if depth > MAX_DEPTH:
            raise malformed(f"The document is nested deeper than {MAX_DEPTH}.")


def _check_characters(value: dict[str, object]) -> None:
    try:
        dump_object(value)
    except UnicodeEncodeError as error:
        raise malformed("The document contains half a character.") from error


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise malformed("The document names a member twice.")
    return members


def _refuse_number(text: str) -> NoReturn:
    raise malformed(f"The document contains the number {text[:40]}; only integers are allowed.")


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > MAX_INTEGER:
        raise malformed("The document contains an integer beyond 2^53.")
    return int(text)


class Members:
    """The members of one JSON object, read by name and type; a missing one is `E_FORMAT`."""

    def __init__(self, members: Mapping[str, object], path: str = "") -> None:
        self._members = members
        self._path = path

    def _take(self, name: str) -> object:
        if name not in self._members:
            raise malformed(f"The member {self._path}{name} is missing.")
        return self._members[name]

    def _wrong(self, name: str) -> NoReturn:
        raise malformed(f"The member {self._path}{name} is not what it should be.")

    def has(self, name: str) -> bool:
        """Tell whether the member is there and not null."""
        return self._members.get(name) is not None

    def text(self, name: str, limit: int = 200) -> str:
        """Return a string of at most `limit` characters without NUL (no database keeps it)."""
        value = self._take(name)
        if not isinstance(value, str) or len(value) > limit or "\x00" in value:
            self._wrong(name)
        return value

    def filled(self, name: str, limit: int = 200) -> str:
        """Return a string that is not empty."""
        return self.text(name, limit) or self._wrong(name)

    def matching(self, name: str, pattern: re.Pattern[str]) -> str:
        """Return a string that the whole pattern matches."""
        value = self.text(name)
        if not pattern.fullmatch(value):
            self._wrong(name)
        return value

    def envelope(self, name: str) -> str:
        """Return an envelope embedded as a string."""
        return self.filled(name, MAX_BYTES)

    def word(self, name: str, words: type[Word]) -> Word:
        """Return one of the words of an enumeration."""
        value = self.text(name)
        try:
            return words(value)
        except ValueError:
            self._wrong(name)

    def integer(self, name: str, least: int = 0) -> int:
        """Return an integer that is at least `least`."""
        value = self._take(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            self._wrong(name)
        return value

    def time(self, name: str) -> int:
        """Return a time in Unix seconds UTC."""
        value = self.integer(name)
        if value > MAX_TIME:
            self._wrong(name)
        return value

    def boolean(self, name: str) -> bool:
        """Return true or false."""
        value = self._take(name)
        if not isinstance(value, bool):
            self._wrong(name)
        return value

    def optional(self, name: str, read: Callable[[str], Item]) -> Item | None:
        """Return null as None, else what `read` makes of the member; it must be there."""
        return None if self._take(name) is None else read(name)

    def base64(self, name: str) -> bytes:
        """Return the bytes of a base64 member."""
        return decode_base64(self.text(name, MAX_BYTES))

    def nested(self, name: str) -> "Members":
        """Return a nested object."""
        value = self._take(name)
        if not isinstance(value, dict):
            self._wrong(name)
        return Members(value, f"{self._path}{name}.")

    def objects(self, name: str, limit: int) -> list["Members"]:
        """Return a list of at most `limit` nested objects."""
        return [
            Members(item, f"{self._path}{name}[{place}].")
            if isinstance(item, dict)
            else self._wrong(name)
            for place, item in enumerate(self._list(name, limit))
        ]

    def texts(self, name: str, limit: int) -> tuple[str, ...]:
        """Return a list of at most `limit` short strings."""
        return tuple(
            item if isinstance(item, str) and len(item) <= 200 else self._wrong(name)
            for item in self._list(name, limit)
        )

    def components(self, name: str) -> dict[str, str]:
        """Return a map from short words to short words, as a fingerprint is one."""
        nested = self.nested(name)
        if len(nested._members) > MAX_DEPTH or any(len(key) > 40 for key in nested._members):
            self._wrong(name)
        return {key: nested.text(key) for key in nested._members}

    def _list(self, name: str, limit: int) -> list[object]:
        value = self._take(name)
        if not isinstance(value, list) or len(value) > limit:
            self._wrong(name)
        return value
