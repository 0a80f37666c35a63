"""The root and the keyset: which keys there are, what each may sign, and when."""

from dataclasses import dataclass
from typing import ClassVar, Self

from licensing.document.documents import Role, payload_type
from licensing.document.errors import malformed
from licensing.document.keys import decode_public_key, encode_public_key, key_id
from licensing.document.parser import Members, parse_object

_MAX_KEYS = 64


@dataclass(frozen=True)
class Root:
    """The offline keys that vouch for everything else; `threshold` of them must sign."""

    TYPE: ClassVar[str] = payload_type("root")

    version: int
    threshold: int
    keys: tuple[bytes, ...]

    @classmethod
    def read(cls, members: Members) -> Self:
        """Return the root of a payload or of the pinned file."""
        keys = tuple(_public_key(one) for one in members.objects("keys", _MAX_KEYS))
        root = cls(members.integer("version", 1), members.integer("threshold", 1), keys)
        if len(set(keys)) != len(keys):
            raise malformed("The root names a key twice.")
        if root.threshold > len(keys):
            raise malformed("The root asks for more signatures than it has keys.")
        return root

    def to_payload(self) -> dict[str, object]:
        """Return the members as they stand in JSON."""
        return {
            "version": self.version,
            "threshold": self.threshold,
            "keys": [{"keyid": key_id(key), "pub": encode_public_key(key)} for key in self.keys],
        }


def load_root_file(raw: bytes) -> Root:
    """Read the pinned `root.json`; it is trusted because it came with the product."""
    return Root.read(Members(parse_object(raw)))


@dataclass(frozen=True)
class KeyEntry:
    """One key of the keyset; both ends of its window belong to it."""

    public_key: bytes
    roles: tuple[str, ...]
    not_before: int
    not_after: int
    revoked_at: int | None = None

    @property
    def keyid(self) -> str:
        """Return the name of the key."""
        return key_id(self.public_key)

    def may_sign(self, role: Role) -> bool:
        """Tell whether the key has the role and was never revoked, whatever date a document claims."""
        return role.value in self.roles and self.revoked_at is None

    def covers(self, at: int) -> bool:
        """Tell whether a document's own time lies in the window."""
        return self.not_before <= at <= self.not_after


@dataclass(frozen=True)
class Keyset:
    """The working keys, vouched for by the threshold of the root."""

    TYPE: ClassVar[str] = payload_type("keyset")

    version: int
    issued_at: int
    expires_at: int
    keys: tuple[KeyEntry, ...]

    @classmethod
    def read(cls, members: Members) -> Self:
        """Return the keyset of a payload."""
        keys = tuple(_entry(one) for one in members.objects("keys", _MAX_KEYS))
        if len({entry.public_key for entry in keys}) != len(keys):
            raise malformed("The keyset names a key twice.")
        return cls(
            version=members.integer("version", 1),
            issued_at=members.time("issued_at"),
            expires_at=members.time("expires_at"),
            keys=keys,
        )

    def to_payload(self) -> dict[str, object]:
        """Return the members as they stand in JSON."""
        return {
            "version": self.version,
            "issued_at": self.issued_at,
            "expires_at": self.expires_at,
            "keys": [_entry_payload(entry) for entry in self.keys],
        }

    def revoked(self) -> frozenset[bytes]:
        """Return the keys that are dead."""
        return frozenset(one.public_key for one in self.keys if one.revoked_at is not None)


def _public_key(members: Members) -> bytes:
    public_key = decode_public_key(members.text("pub"))
    if members.text("keyid") != key_id(public_key):
        raise malformed("A keyid does not belong to its key.")
    return public_key


def _entry(members: Members) -> KeyEntry:
    return KeyEntry(
        public_key=_public_key(members),
        roles=members.texts("roles", 16),
        not_before=members.time("not_before"),
        not_after=members.time("not_after"),
        revoked_at=members.time("revoked_at") if members.has("revoked_at") else None,
    )


def _entry_payload(entry: KeyEntry) -> dict[str, object]:
    payload: dict[str, object] = {
        "keyid": entry.keyid,
        "pub": encode_public_key(entry.public_key),
        "roles": list(entry.roles),
        "not_before": entry.not_before,
        "not_after": entry.not_after,
    }
    return payload if entry.revoked_at is None else {**payload, "revoked_at": entry.revoked_at}
