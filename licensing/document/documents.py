"""What all documents share: a payload type, who may sign it, and the way to bytes and back."""

from enum import StrEnum
from typing import ClassVar, Protocol, Self, TypeVar

from licensing.document.envelope import Envelope
from licensing.document.errors import Code, DocumentError
from licensing.document.parser import Members, dump_object, parse_object


class Role(StrEnum):
    """What a key of the keyset may sign; worth nothing for another role."""

    LICENSE = "license"
    LEASE = "lease"
    RELEASE = "release"


def payload_type(name: str) -> str:
    """Return the media type of a document; its version fixes the suite of algorithms."""
    return f"application/vnd.daftar.{name}.v1+json"


class Document(Protocol):
    """A frozen record that can be read from a payload and written into one."""

    TYPE: ClassVar[str]

    @classmethod
    def read(cls, members: Members) -> Self:
        """Return the document, or `E_FORMAT` for a member that is missing or wrong."""

    def to_payload(self) -> dict[str, object]:
        """Return the members as they stand in JSON."""


DocumentT = TypeVar("DocumentT", bound=Document)


class RoleDocument(Document, Protocol):
    """A document that a key of one role signs, with the time it claims for itself."""

    ROLE: ClassVar[Role]

    @property
    def own_time(self) -> int:
        """Return the time that must lie in the window of the signing key."""


def encode_document(document: Document) -> bytes:
    """Return the payload bytes to sign."""
    return dump_object(document.to_payload())


def open_body(envelope: Envelope, kind: type[DocumentT]) -> DocumentT:
    """Check the type and parse the verified bytes. Call it only after the signature held."""
    if envelope.payload_type != kind.TYPE:
        raise DocumentError(
            Code.E_TYPE,
            f"A {kind.TYPE} was expected, the envelope carries {envelope.payload_type!r}.",
        )
    return kind.read(Members(parse_object(envelope.body)))
