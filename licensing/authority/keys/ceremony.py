"""Making keys and keysets: the root at the very first, then rotation and revocation under the root."""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from licensing.authority.config import Settings
from licensing.authority.disk import write_file
from licensing.authority.keys import rules
from licensing.authority.keys.private import PrivateKey, load_key, save_key
from licensing.authority.keys.store import KEYSET_FILE, ROOT_FILE, key_path, root_path
from licensing.document.documents import Role
from licensing.document.envelope import verify
from licensing.document.errors import DocumentError
from licensing.document.keyset import KeyEntry, Keyset, Root
from licensing.document.parser import dump_object
from licensing.document.trust import Trust, seal_document
from server.core.errors import Conflict, Invalid, NotFound
from server.core.i18n import gettext as _

LOCK_FILE = ".ceremony.lock"


def make_root(
    settings: Settings, folder: Path, passphrase: bytes, *, resume: bool = False
) -> list[PrivateKey]:
    """Make the first root keys, put their private halves into `folder` and pin the public ones."""
    keys = make_root_keys(folder, passphrase, resume=resume)
    write_file(settings.trust_dir / ROOT_FILE, dump_object(root_of(keys, 1).to_payload()))
    return keys


def root_key_paths(folder: Path) -> list[Path]:
    """Return the files of the private root keys in a folder."""
    return [folder / f"root-{number}.pem" for number in range(1, rules.ROOT_KEYS + 1)]


def make_root_keys(folder: Path, passphrase: bytes, *, resume: bool) -> list[PrivateKey]:
    """Make root keys in `folder`; `resume` takes up those that an interrupted run has made already."""
    paths = root_key_paths(folder)
    existing = [path for path in paths if path.exists()]
    if existing and not resume:
        raise Conflict(
            _("%(path)s exists already. A root key is never overwritten.", path=existing[0])
        )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return [_root_key(path, passphrase) for path in paths]


def root_of(keys: Sequence[PrivateKey], version: int) -> Root:
    """Return the root that these keys are."""
    return Root(version, rules.ROOT_THRESHOLD, tuple(key.public_key for key in keys))


def publish_root(
    settings: Settings, trust: Trust, root: Root, signers: Sequence[PrivateKey]
) -> None:
    """Publish the root after the present one; both must have signed it."""
    envelope = seal_document(root, signers)
    try:
        trust.with_root(envelope.raw)
    except DocumentError as error:
        raise Invalid(_("The root is not signed by enough root keys."), field="root-key") from error
    write_file(root_path(settings, root.version), envelope.raw)


def _root_key(path: Path, passphrase: bytes) -> PrivateKey:
    if path.exists():
        return load_key(path, passphrase)
    key = PrivateKey.generate()
    save_key(path, key, passphrase)
    return key


def make_entry(settings: Settings, role: Role, passphrase: bytes, now: int) -> KeyEntry:
    """Make a working key of one role and keep its private half."""
    key = PrivateKey.generate()
    save_key(key_path(settings, key.public_key), key, passphrase)
    return rules.new_entry(key.public_key, role, now)


class RootKeys:
    """The root keys of one ceremony, taken in one after another; each medium may go back at once."""

    def __init__(self, trust: Trust) -> None:
        self._root = trust.root
        self._keys: dict[bytes, PrivateKey] = {}

    @property
    def needed(self) -> int:
        """Return how many keys must sign."""
        return self._root.threshold

    @property
    def missing(self) -> int:
        """Return how many keys are still to come."""
        return max(0, self.needed - len(self._keys))

    @property
    def taken(self) -> list[PrivateKey]:
        """Return the keys that were taken in."""
        return list(self._keys.values())

    def take(self, file: Path, passphrase: bytes) -> None:
        """Take in one root key. Raise Invalid for a stranger; the same key again counts once."""
        key = load_key(file, passphrase)
        if key.public_key not in self._root.keys:
            raise Invalid(
                _("The key %(keyid)s is no root key of this authority.", keyid=key.keyid),
                field="root-key",
            )
        self._keys[key.public_key] = key

    def complete(self) -> list[PrivateKey]:
        """Return the keys, or raise Invalid when there are not enough of them."""
        if self.missing:
            raise Invalid(
                _(
                    "%(found)s of %(needed)s needed root keys were given. Name more of them with --root-key.",
                    found=len(self._keys),
                    needed=self.needed,
                ),
                field="root-key",
            )
        return self.taken


def check_root_key(trust: Trust, file: Path, passphrase: bytes) -> tuple[int, str]:
    """Return the number and the name of a root key that opens; raise for a stranger or a damaged one."""
    root = RootKeys(trust)
    root.take(file, passphrase)
    [key] = root.taken
    return trust.root.keys.index(key.public_key) + 1, key.keyid


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """Keep other ceremonies out: two of them would publish two keysets under one number."""
    with (settings.trust_dir / LOCK_FILE).open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Conflict(
                _("Somebody else is changing the keys just now. Wait until they are done.")
            ) from error
        yield


def publish(settings: Settings, keyset: Keyset, roots: Sequence[PrivateKey], root: Root) -> None:
    """Sign a keyset by the root and let every process of this home use it."""
    envelope = seal_document(keyset, roots)
    try:
        verify(envelope, root.keys, root.threshold)
    except DocumentError as error:
        raise Invalid(
            _("The keyset is not signed by enough root keys."), field="root-key"
        ) from error
    write_file(settings.trust_dir / "keysets" / f"{keyset.version}.json", envelope.raw)
    write_file(settings.trust_dir / KEYSET_FILE, envelope.raw)


def find_entry(keyset: Keyset, keyid: str) -> KeyEntry:
    """Return the key of that name, or raise NotFound."""
    for entry in keyset.keys:
        if entry.keyid == keyid:
            return entry
    raise NotFound(_("There is no key %(keyid)s in the keyset.", keyid=keyid))
