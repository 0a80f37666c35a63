"""Truths of the authority that a restored backup must show, beyond having the same bytes."""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, create_engine, text

from backup.plan import Invariant, Restored
from licensing.authority.config import CHALLENGE_SECRET, load_settings
from licensing.authority.keys.store import key_path, read_trust
from licensing.document.documents import Role
from server.core.errors import DaftarError
from server.core.i18n import gettext as _

SHOWN = 5

Question = Callable[[Connection], Sequence[str]]


def _asked(name: str, question: Question) -> Invariant:
    def check(restored: Restored) -> Sequence[str]:
        engine = create_engine(restored.database_url)
        try:
            with engine.connect() as connection:
                return question(connection)
        finally:
            engine.dispose()

    return Invariant(name, check)


def _settings_and_keys(restored: Restored) -> Sequence[str]:
    """Ask for the settings, the trust under its root, a key for each role, and the shared secret."""
    try:
        settings = load_settings(restored.secrets)
        trust = read_trust(settings)
    except DaftarError as error:
        return (error.message,)
    entries = trust.keyset.document.keys if trust.keyset else ()
    held = [entry for entry in entries if key_path(settings, entry.public_key).is_file()]
    problems = [
        _("The backup holds no key of the role “%(role)s”.", role=role.value)
        for role in (Role.LICENSE, Role.LEASE)
        if not any(entry.may_sign(role) for entry in held)
    ]
    if not (settings.secrets_dir / CHALLENGE_SECRET).is_file():
        # Without it the nonces of all customers would be strange to the restored authority.
        problems.append(_("The secret %(name)s is not in the backup.", name=CHALLENGE_SECRET))
    return problems


def _one_server_each(connection: Connection) -> Sequence[str]:
    rows = connection.execute(
        text(
            "SELECT licenses.license_id FROM activations JOIN licenses"
            " ON licenses.id = activations.license_row_id WHERE activations.status = 'active'"
            " GROUP BY licenses.license_id HAVING count(*) > 1"
        )
    )
    return [
        _("The licence %(id)s is active on two servers.", id=row.license_id)
        for row in rows.fetchmany(SHOWN)
    ]


def _documents_are_kept(connection: Connection) -> Sequence[str]:
    rows = connection.execute(
        text(
            "SELECT licenses.license_id FROM licenses LEFT JOIN license_serials"
            " ON license_serials.license_row_id = licenses.id"
            " AND license_serials.serial = licenses.serial"
            " WHERE licenses.serial > 0 AND license_serials.envelope IS NULL"
        )
    )
    return [
        _("The newest document of the licence %(id)s is not kept.", id=row.license_id)
        for row in rows.fetchmany(SHOWN)
    ]


INVARIANTS = (
    Invariant("configuration", _settings_and_keys),
    _asked("one_server_each", _one_server_each),
    _asked("documents", _documents_are_kept),
)
