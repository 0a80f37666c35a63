"""What belongs to this installation's backups: the place, the keys, and all that must be saved.

Everything below `secrets/`, the settings and the vendor's root keys are sealed in. The licence's
folder is not: its key is bound to this server, and its state is mirrored in the database.
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
from server.backups.invariants import INVARIANTS
from server.core.config import Settings
from server.core.version import VERSION

CONFIGURATION = "daftar.toml"
ELSEWHERE = Path("elsewhere")  # in a backup, what did not lie below the home


def scratch_folder(settings: Settings) -> Path:
    """Return where plain copies stand while they are sealed or checked."""
    return settings.data / "scratch"


def keyring(settings: Settings) -> Keyring:
    """Return the backup keys of this server, or raise Missing."""
    return keys.load(settings.backup_keys)


def store_of(settings: Settings) -> Store:
    """Return the place of the backups; raise Missing when it is not there or not ours."""
    return Store(settings.backups)


def plan_of(settings: Settings, ring: Keyring, schema_version: str) -> Plan:
    """Return everything that one backup of this installation saves."""
    return Plan(
        database_url=settings.database_url,
        files=settings.files,
        secrets=tuple(_secret_files(settings)),
        scratch=scratch_folder(settings),
        instance=ring.signer_fingerprint,
        product_version=VERSION,
        schema_version=schema_version,
        keys=ring,
    )


def _secret_files(settings: Settings) -> Iterator[SecretFile]:
    """Yield what a new server needs beside the data, named as below the home.

    The drill key stays behind: a buyer who removed it must not get it back by a restore.
    """
    drill_key = settings.backup_keys / keys.DRILL_KEY
    yield SecretFile(CONFIGURATION, settings.home / CONFIGURATION)
    for path in sorted(settings.secrets.rglob("*")):
        if path.is_file() and path != drill_key and not path.name.startswith("."):
            yield SecretFile(f"secrets/{path.relative_to(settings.secrets).as_posix()}", path)
    if settings.trust_root.is_file():
        yield SecretFile(_below_home(settings, settings.trust_root), settings.trust_root)
    bundle = settings.home / settings.license.ca_bundle
    if settings.license.ca_bundle and bundle.is_file():
        yield SecretFile(_below_home(settings, bundle), bundle)


def _below_home(settings: Settings, path: Path) -> str:
    """Return the name below the home, or one of its own for a file that lies elsewhere."""
    if path.is_relative_to(settings.home):
        return path.relative_to(settings.home).as_posix()
    return (ELSEWHERE / path.name).as_posix()


def how_to_verify(
    settings: Settings, ring: Keyring, *, identities: Identities = (), level: Level | None = None
) -> Verification:
    """Return how this installation proves a backup: as deep as the keys at hand allow."""
    opening = identities or ring.drill
    return Verification(
        level=level or (Level.DRILL if opening else Level.STORE),
        trust=ring.trust,
        scratch=scratch_folder(settings),
        identities=opening,
        invariants=INVARIANTS,
        scratch_server=scratch_server(settings.database_url),
    )
