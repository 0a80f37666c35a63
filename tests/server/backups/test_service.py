"""Backups of a whole installation: made, proved, confirmed and mirrored, on both databases."""

import pytest
from sqlalchemy import select

from backup.confirm import Choice
from backup.plan import Kind, State
from server.audit.models import AuditEntry
from server.backups import queries
from server.core.errors import Broken
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


def test_a_changed_journal_and_a_vanished_backup_are_named(sqlite_home: Home) -> None:
    office, root = sqlite_home.office, sqlite_home.cast.root
    names = [office.run(root, Kind.MANUAL).id for _ in range(3)]
    office.verify(root)
    with sqlite_home.database.write(root) as session:
        office.confirm(session, root, names[-1], Choice.IN_ORDER)
    journal = sqlite_home.store.confirmations
    whole = journal.read_text()

    journal.write_text(whole.replace("Root", "Anna"))
    with pytest.raises(Broken, match=r"Line 1 of verification\.jsonl"):
        office.verify(root)

    journal.write_text(whole)
    assert office.verify(root)[1].ok
    sqlite_home.store.remove(names[0])
    with pytest.raises(Broken, match=names[0]):
        office.verify(root)
