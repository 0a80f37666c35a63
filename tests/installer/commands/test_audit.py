"""The audit trail from the command line."""

import json

from sqlalchemy import update

from server.audit.models import AuditEntry
from server.core.config import load_settings
from server.core.db import Database
from tests.installer.place import Place


def test_a_whole_trail_is_sealed_and_verified(installed: Place) -> None:
    before = installed.run("audit", "verify", "--json")
    sealed = installed.run("audit", "seal")
    after = installed.run("audit", "verify", "--json")

    waiting = json.loads(before.stdout)
    found = json.loads(after.stdout)
    assert (before.exit_code, sealed.exit_code, after.exit_code) == (0, 0, 0)
    assert waiting["ok"]
    assert waiting["unsealed"] > 0
    assert (found["ok"], found["unsealed"]) == (True, 0)
    assert found["sealed"] == waiting["sealed"] + waiting["unsealed"]


def test_a_change_past_daftar_has_an_exit_code_of_its_own(installed: Place) -> None:
    installed.run("audit", "seal")
    database = Database(load_settings(installed.home).database_url)
    with database.write() as session:
        session.execute(update(AuditEntry).where(AuditEntry.position == 1).values(action="nothing"))
    database.dispose()

    result = installed.run("audit", "verify", "--json")

    assert result.exit_code == 6
    assert json.loads(result.stdout)["broken"] == {"position": 1, "fault": "moved"}
    assert "broken at entry 1" in result.stderr
