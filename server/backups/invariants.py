"""Truths of the application that a restored backup must show, beyond having the same bytes.

A table that a backup of an earlier release does not have yet is not asked for.
"""

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, create_engine, inspect, text

from backup.plan import Invariant, Restored
from server.core.config import load_settings
from server.core.errors import DaftarError
from server.core.i18n import gettext as _

SHOWN = 5

Question = Callable[[Connection], Sequence[str]]


def _asked(name: str, tables: frozenset[str], question: Question) -> Invariant:
    def check(restored: Restored) -> Sequence[str]:
        engine = create_engine(restored.database_url)
        try:
            with engine.connect() as connection:
                if not tables <= set(inspect(connection).get_table_names()):
                    return ()
                return question(connection)
        finally:
            engine.dispose()

    return Invariant(name, check)


def _somebody_administers(connection: Connection) -> Sequence[str]:
    count = connection.scalar(
        text(
            "SELECT count(*) FROM users WHERE role = 'admin' AND status = 'active'"
            " AND kind = 'human' AND password_hash IS NOT NULL AND deleted_at IS NULL"
        )
    )
    return () if count else (_("Nobody in this backup can sign in as an administrator."),)


def _deals_stand_in_stages(connection: Connection) -> Sequence[str]:
    rows = connection.execute(
        text(
            "SELECT deals.id FROM deals LEFT JOIN stages ON stages.id = deals.stage_id"
            " AND stages.pipeline_id = deals.pipeline_id"
            " WHERE stages.id IS NULL OR stages.type <> deals.status ORDER BY deals.id"
        )
    )
    return [
        _("The deal %(id)s stands in no stage that fits it.", id=row.id)
        for row in rows.fetchmany(SHOWN)
    ]


def _pipelines_can_end(connection: Connection) -> Sequence[str]:
    rows = connection.execute(
        text(
            "SELECT pipelines.name FROM pipelines WHERE pipelines.deleted_at IS NULL AND"
            " (SELECT count(DISTINCT stages.type) FROM stages WHERE stages.pipeline_id = pipelines.id"
            " AND stages.deleted_at IS NULL AND stages.type IN ('won', 'lost')) < 2"
        )
    )
    return [
        _("The pipeline “%(name)s” has no stage for won or for lost.", name=row.name)
        for row in rows.fetchmany(SHOWN)
    ]


def _changes_have_authors(connection: Connection) -> Sequence[str]:
    count = connection.scalar(
        text(
            "SELECT count(*) FROM audit_entries WHERE user_id IS NOT NULL"
            " AND user_id NOT IN (SELECT id FROM users)"
        )
    )
    return (_("%(n)s changes have no author.", n=count),) if count else ()


def _configuration_can_be_read(restored: Restored) -> Sequence[str]:
    try:
        load_settings(restored.secrets)
    except DaftarError as error:
        return (error.message,)
    key = restored.secrets / "secrets" / "web.key"
    return () if key.is_file() else (_("The secret web.key is not in the backup."),)


INVARIANTS = (
    Invariant("configuration", _configuration_can_be_read),
    _asked("administrator", frozenset({"users"}), _somebody_administers),
    _asked("deal_stages", frozenset({"deals", "stages"}), _deals_stand_in_stages),
    _asked("pipelines", frozenset({"pipelines", "stages"}), _pipelines_can_end),
    _asked("authors", frozenset({"audit_entries", "users"}), _changes_have_authors),
)
