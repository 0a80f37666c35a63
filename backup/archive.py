"""Sealing and opening: standard zstd inside standard age, streamed. Knows bytes, not backups."""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, cast

import pyrage
import zstandard

from backup.disk import BLOCK, Reader, Writer, create, sync_file
from server.core.errors import Broken, DaftarError, Invalid, Missing
from server.core.i18n import gettext as _

LEVEL = 3  # measured: level 9 takes four times as long for 3 % less
NO_KEY = "No matching keys found"  # what the age library says when no identity opens the header


class Recipient(Protocol):
    """The public half of an age key."""


class Identity(Protocol):
    """The private half of an age key."""

    def to_public(self) -> Recipient:
        """Return the public half."""


@dataclass(frozen=True)
class Sealed:
    """Sizes and SHA-256 of something sealed, before and after."""

    bytes: int
    sha256: str
    plain_bytes: int
    plain_sha256: str


@dataclass(frozen=True)
class SealedBytes:
    """Something small that was sealed in memory."""

    content: bytes
    sha256: str


class Hashing:
    """A reader or writer that counts and hashes what passes, and remembers its own failure.

    The age library turns every foreign exception into its own; the remembered one names the cause.
    """

    def __init__(
        self,
        source: Reader | None = None,
        target: Writer | None = None,
        tell: Callable[[int], None] | None = None,
    ) -> None:
        self._source = source
        self._target = target
        self._tell = tell
        self._hash = hashlib.sha256()
        self.bytes = 0
        self.error: BaseException | None = None

    def read(self, size: int = -1, /) -> bytes:
        """Read from the source."""
        try:
            data = b"" if self._source is None else self._source.read(size)
            self._count(data)
        except BaseException as error:
            self.error = self.error or error
            raise
        return data

    def write(self, data: bytes, /) -> int:
        """Write to the target, if there is one."""
        try:
            if self._target is not None:
                self._target.write(data)
            self._count(data)
        except BaseException as error:
            self.error = self.error or error
            raise
        return len(data)

    def flush(self) -> None:
        """Do nothing: who opened the target flushes it."""

    def _count(self, data: bytes) -> None:
        self.bytes += len(data)
        self._hash.update(data)
        if self._tell is not None:
            self._tell(self.bytes)

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of all that passed, in hex."""
        return self._hash.hexdigest()


def recipient(text: str) -> Recipient:
    """Read an age recipient such as `age1…`."""
    try:
        found: Recipient = pyrage.x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError as error:
        raise Invalid(
            _("%(text)s is no age recipient.", text=text), code="bad_recipient"
        ) from error
    return found


def identities(text: str) -> tuple[Identity, ...]:
    """Read the private keys of an age key file; lines that start with # are notes."""
    lines = [line.strip() for line in text.splitlines()]
    try:
        found = tuple(
            pyrage.x25519.Identity.from_str(line) for line in lines if line and line[0] != "#"
        )
    except pyrage.IdentityError as error:
        raise Invalid(
            _("This is no age key: a line must start with AGE-SECRET-KEY-1."), code="bad_key"
        ) from error
    if not found:
        raise Invalid(_("The key file is empty."), code="bad_key")
    return found


def new_key() -> tuple[str, str]:
    """Make an age key and return its private and its public half."""
    made = pyrage.x25519.Identity.generate()
    return str(made), str(made.to_public())


def public_of(identity: Identity) -> str:
    """Return the public half of a private key as text."""
    return str(identity.to_public())


def armored(content: bytes, to: Recipient) -> bytes:
    """Seal a few bytes as text that survives mail and paper."""
    sealed: bytes = pyrage.encrypt(content, [to], armored=True)
    return sealed


def seal(
    source: Reader,
    path: Path,
    recipients: Sequence[Recipient],
    tell: Callable[[int], None] | None = None,
    *,
    sync: bool = True,
) -> Sealed:
    """Seal all that can be read into a new file and sync it. A file that fails is removed."""
    plain = Hashing(source=source, tell=tell)
    try:
        with create(path) as file:
            sealed = Hashing(target=file)
            compressed = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).stream_reader(
                cast(IO[bytes], plain), read_size=BLOCK, closefd=False
            )
            try:
                pyrage.encrypt_io(_Buffered(compressed), sealed, list(recipients))
            except (pyrage.EncryptError, OSError) as error:
                raise _foreign(error, plain.error or sealed.error) from None
            if sync:
                sync_file(file)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Sealed(sealed.bytes, sealed.sha256, plain.bytes, plain.sha256)


class _Buffered:
    """A reader that always fills the request, as the age library's 8 KiB reads like it."""

    def __init__(self, source: Reader) -> None:
        self._source = source
        self._held = b""
        self._at = 0

    def read(self, size: int = -1, /) -> bytes:
        if self._at >= len(self._held):
            self._held = self._source.read(BLOCK)
            self._at = 0
        data = self._held[self._at : self._at + size]
        self._at += len(data)
        return data


class Press:
    """Seals and opens small pieces in memory, by a dictionary where there is one. For one thread."""

    def __init__(self, dictionary: bytes = b"") -> None:
        by: zstandard.ZstdCompressionDict | None = None
        if dictionary:
            by = zstandard.ZstdCompressionDict(dictionary, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
            by.precompute_compress(level=LEVEL)
        self._compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True, dict_data=by)
        self._decompressor = zstandard.ZstdDecompressor(dict_data=by)

    def seal(self, content: bytes, recipients: Sequence[Recipient]) -> SealedBytes:
        """Seal the content."""
        sealed = pyrage.encrypt(self._compressor.compress(content), list(recipients))
        return SealedBytes(sealed, hashlib.sha256(sealed).hexdigest())

    def open(self, sealed: bytes, most: int, name: str, keys: Sequence[Identity]) -> bytes:
        """Open what was sealed and holds at most so many bytes.

        Raises Missing when no key fits and Broken when it is damaged.
        """
        try:
            packed = pyrage.decrypt(sealed, list(keys))
            return self._decompressor.decompress(packed, max_output_size=most)
        except (pyrage.DecryptError, zstandard.ZstdError) as error:
            raise _reason(Path(name), error, None) from error


def unseal(path: Path, target: Writer, keys: Sequence[Identity]) -> Sealed:
    """Open a sealed file into the target and return what was read and written.

    Raises Missing when no key fits and Broken when the file is damaged. What was written before
    the damage showed must not be used.
    """
    plain = Hashing(target=target)
    with path.open("rb") as file:
        sealed = Hashing(source=file)
        unpacked = zstandard.ZstdDecompressor().stream_writer(cast(IO[bytes], plain), closefd=False)
        try:
            pyrage.decrypt_io(sealed, unpacked, list(keys))
            while sealed.read(BLOCK):
                pass
        except (pyrage.DecryptError, zstandard.ZstdError, OSError) as error:
            raise _reason(path, error, plain.error or sealed.error) from error
    return Sealed(sealed.bytes, sealed.sha256, plain.bytes, plain.sha256)


def _foreign(error: Exception, cause: BaseException | None) -> BaseException:
    """Return what really happened behind an error of the age library.

    A key press or a signal can strike between our own lines, where nothing remembers it.
    """
    if cause is None and str(error).startswith(KeyboardInterrupt.__name__):
        return KeyboardInterrupt()
    return cause or error


def _reason(path: Path, error: Exception, cause: BaseException | None) -> BaseException:
    found = _foreign(error, cause)
    if found is not error:
        return found
    if NO_KEY in str(error):
        return wrong_key(path.name)
    return Broken(_("%(name)s is damaged: it does not open.", name=path.name), code="damaged")


def wrong_key(name: str) -> DaftarError:
    """Return the error for a key that does not fit."""
    return Missing(
        _(
            "The key does not open %(name)s. Use the working or the escrow key from the recovery"
            " sheet that belongs to this backup.",
            name=name,
        ),
        code="wrong_key",
    )


def hash_file(path: Path, tell: Callable[[int], None] | None = None) -> tuple[int, str]:
    """Return size and SHA-256 of a file, read in blocks."""
    passing = Hashing(tell=tell)
    with path.open("rb") as file:
        if hasattr(os, "posix_fadvise"):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
        while block := file.read(BLOCK):
            passing.write(block)
    return passing.bytes, passing.sha256


def missing(name: str) -> str:
    """Return the sentence for a file that is gone."""
    return _("%(name)s is missing.", name=name)


def differs(name: str) -> str:
    """Return the sentence for a file that is not the one that was sealed."""
    return _("%(name)s is not what was sealed: it was cut, changed or swapped.", name=name)
