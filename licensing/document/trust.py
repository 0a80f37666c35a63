"""Who is believed for what: pinned root, keyset, roles, windows, revocations."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from licensing.document.documents import Document, RoleDocument, encode_document, open_body
from licensing.document.envelope import Envelope, load_envelope, seal, verify
from licensing.document.errors import Code, DocumentError
from licensing.document.keys import Signer
from licensing.document.keyset import KeyEntry, Keyset, Root

DocumentT_co = TypeVar("DocumentT_co", bound=Document, covariant=True)
RoleDocumentT = TypeVar("RoleDocumentT", bound=RoleDocument)
AnyDocumentT = TypeVar("AnyDocumentT", bound=Document)


@dataclass(frozen=True)
class Opened(Generic[DocumentT_co]):
    """A document whose signature held, the bytes it came in, and the keys that signed."""

    document: DocumentT_co
    envelope: Envelope
    signed_by: tuple[bytes, ...]


def seal_document(document: Document, signers: Sequence[Signer]) -> Envelope:
    """Encode a document once and sign exactly those bytes."""
    return seal(document.TYPE, encode_document(document), signers)


def verify_and_open(
    raw: bytes, kind: type[AnyDocumentT], public_keys: Sequence[bytes], threshold: int = 1
) -> Opened[AnyDocumentT]:
    """Verify, then check the type, then parse the same bytes. There is no other order."""
    envelope = load_envelope(raw)
    signed_by = verify(envelope, public_keys, threshold)
    return Opened(open_body(envelope, kind), envelope, signed_by)


@dataclass(frozen=True)
class Trust:
    """What is believed: a root and, once it was fetched, the keyset under it."""

    root: Root
    keyset: Opened[Keyset] | None = None

    def with_root(self, raw: bytes) -> "Trust":
        """Step to root N+1, signed by the thresholds of N and of N+1.

        Fetched one by one; the keyset must be taken anew under the new root.
        """
        opened = verify_and_open(raw, Root, self.root.keys, self.root.threshold)
        if opened.document.version != self.root.version + 1:
            raise DocumentError(
                Code.E_ROLLBACK,
                f"Root {opened.document.version} cannot follow root {self.root.version}.",
            )
        verify(opened.envelope, opened.document.keys, opened.document.threshold)
        return Trust(opened.document)

    def with_keyset(self, raw: bytes, now: int) -> "Trust":
        """Take a keyset signed by the root's threshold.

        The one already held is no news and passes even when it has expired; an older one is
        `E_KEYSET_ROLLBACK`, an expired new one `E_KEYSET_EXPIRED`.
        """
        opened = verify_and_open(raw, Keyset, self.root.keys, self.root.threshold)
        if self.keyset is not None:
            if opened.envelope.body == self.keyset.envelope.body:
                return self
            _refuse_rollback(self.keyset.document, opened.document)
        if opened.document.expires_at <= now:
            raise DocumentError(
                Code.E_KEYSET_EXPIRED, f"Keyset {opened.document.version} has expired."
            )
        return replace(self, keyset=opened)

    def with_held_keyset(self, raw: bytes) -> "Trust":
        """Take back a keyset that was accepted earlier: its signatures are checked, its age is not."""
        return replace(
            self, keyset=verify_and_open(raw, Keyset, self.root.keys, self.root.threshold)
        )

    def open(self, raw: bytes, kind: type[RoleDocumentT]) -> Opened[RoleDocumentT]:
        """Open a document signed by a key of the right role, at a time that lies in its window."""
        entries = self._entries(kind)
        opened = verify_and_open(raw, kind, [entry.public_key for entry in entries])
        at = opened.document.own_time
        timely = tuple(
            entry.public_key
            for entry in entries
            if entry.public_key in opened.signed_by and entry.covers(at)
        )
        if not timely:
            raise DocumentError(Code.E_KEY_WINDOW, f"No signing key was valid at {at}.")
        return replace(opened, signed_by=timely)

    def _entries(self, kind: type[RoleDocument]) -> list[KeyEntry]:
        if self.keyset is None:
            raise DocumentError(Code.E_SIGNATURE, "There is no keyset yet, so nothing is believed.")
        return [entry for entry in self.keyset.document.keys if entry.may_sign(kind.ROLE)]


def _refuse_rollback(held: Keyset, offered: Keyset) -> None:
    if offered.version <= held.version:
        raise DocumentError(
            Code.E_KEYSET_ROLLBACK,
            f"Keyset {offered.version} is not newer than {held.version}.",
        )


def answer_kind(raw: bytes, kinds: Sequence[type[AnyDocumentT]]) -> type[AnyDocumentT]:
    """Tell which of the kinds an unverified envelope claims, to open it as that and nothing else."""
    claimed = load_envelope(raw).payload_type
    for kind in kinds:
        if claimed == kind.TYPE:
            return kind
    raise DocumentError(Code.E_TYPE, f"{claimed!r} was not expected here.")
