"""Backups of a whole installation: made, proved, confirmed and mirrored, on both databases."""

from sqlalchemy import select

from backup.confirm import Choice
from backup.plan import Kind, State
from server.audit.models import AuditEntry
from server.backups import queries
from tests.server.backups.home import Home


def test_a_backup_is_made_proved_and_confirmed(home: Home) -> None:
    office, root = home.office, home.cast.root

    made = office.run(root, Kind.MANUAL)
    name, found = office.verify(root)
    with home.database.write(root) as session:
        office.confirm(session, root, name, Choice.IN_ORDER, "Looked at it.")

    assert name == made.id
    assert found.ok, found.problems
    assert [check.name for check in found.checks if check.ok] == [
        "signature",
        "chain",
        "store",
        "content",
        "database",
        "configuration",
        "administrator",
        "deal_stages",
        "pipelines",
        "authors",
    ]
    with home.database.read() as session:
        shown = queries.get_set(session, root, name)
        assert shown.state is State.CONFIRMED
        assert shown.said_by == "Root"
        assert shown.files == 3
        assert shown.shown["confirmed_by"] == "Root"
        actions = session.scalars(
            select(AuditEntry.action).where(AuditEntry.kind == "backup").order_by(AuditEntry.id)
        )
        assert list(actions) == ["backup", "verify", "confirm"]
