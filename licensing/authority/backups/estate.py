"""What belongs to the authority's own backups: the place, the keys, and all that must be saved.

The root keys are not saved: they belong on media of their own. Neither is the passphrase: whoever finds
a backup and its key must still not be able to sign for the vendor.
"""

from collections.abc import Iterator
from pathlib import Path

from backup import keys
from backup.cluster import scratch_server
from backup.keys import Keyring
from backup.plan import Level, Plan, SecretFile
from backup.restore import Identities
from backup.store import Store
from backup.verify import Verification
from licensing.authority.backups.invariants import INVARIANTS
from licensing.authority.config import FILE, Settings
from licensing.authority.migrations.run import CHAIN
from server.core.errors import Missing
from server.core.i18n import gettext as _
from server.core.version import VERSION


def keys_folder(settings: Settings) -> Path:
    """Return the folder of the keys that sign and open backups."""
    return settings.secrets_dir / "backup"


def scratch_folder(settings: Settings) -> Path:
    """Return where plain copies stand while they are sealed or checked."""
    return settings.home / "run" / "scratch"


def keyring(settings: Settings) -> Keyring:
    """Return the backup keys, or raise Missing with the way out."""
    try:
        return keys.load(keys_folder(settings))
    except Missing as error:
        if error.code != "no_backup_keys":
            raise
        raise Missing(
            _(
                "The authority has no backup keys yet, so nothing is saved. "
                "Make them with “daftar-authority backup keys --to FILE”."
            ),
            code=error.code,
        ) from error


def store_of(settings: Settings) -> Store:
    """Return the place of the backups; raise Missing when it is not there or not ours."""
    return Store(settings.backups_dir)


def plan_of(settings: Settings, ring: Keyring) -> Plan:
    """Return everything that one backup of this authority saves."""
    return Plan(
        database_url=settings.database_url,
        files=None,
        secrets=tuple(_secret_files(settings)),
        scratch=scratch_folder(settings),
        instance=ring.signer_fingerprint,
        product_version=VERSION,
        schema_version=CHAIN.head(),
        keys=ring,
    )


def _secret_files(settings: Settings) -> Iterator[SecretFile]:
    """Yield what a new machine needs beside the database, named as below the home.

    The drill key stays behind: who removed it must not get it back by a restore.
    """
    passphrase = settings.home / settings.keys.passphrase_file
    left_out = {keys_folder(settings) / keys.DRILL_KEY, passphrase}
    yield SecretFile(FILE, settings.home / FILE)
    for folder in (settings.secrets_dir, settings.keys_dir, settings.trust_dir):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path not in left_out and not path.name.startswith("."):
                yield SecretFile(path.relative_to(settings.home).as_posix(), path)


def how_to_verify(
    settings: Settings, ring: Keyring, *, identities: Identities = (), level: Level | None = None
) -> Verification:
    """Return how this authority proves a backup: as deep as the keys at hand allow."""
    opening = identities or ring.drill
    return Verification(
        level=level or (Level.DRILL if opening else Level.STORE),
        trust=ring.trust,
        scratch=scratch_folder(settings),
        identities=opening,
        invariants=INVARIANTS,
        scratch_server=scratch_server(settings.database_url),
    )
