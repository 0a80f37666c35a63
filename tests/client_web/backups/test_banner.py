"""The banner of unchecked days: at once to who answers, on the third day to everybody with the right."""

from datetime import timedelta

import time_machine

from backup.confirm import Choice
from backup.plan import Kind
from server.core import clock
from server.notices.rules import RepresentativeDraft
from server.notices.service import name_representative
from server.users.queries import get_user
from server.users.rules import Role
from server.users.service import ProfileChange, change_user
from tests.client_web.conftest import Visit
from tests.server.backups.home import Home

WORDS = "whose backup nobody checked"


def test_the_banner_comes_by_and_by_and_goes_with_the_check(home: Home, visit: Visit) -> None:
    office, cast = home.office, home.cast
    name = office.run(cast.root, Kind.MANUAL).id
    office.verify(cast.root, name)
    with home.database.write(cast.root) as session:
        anna = get_user(session, cast.root, cast.anna.user_id or 0)
        change_user(session, cast.root, anna.id, ProfileChange(role=Role.MANAGER))
        guest = get_user(session, cast.root, cast.guest.user_id or 0)
        name_representative(
            session, cast.root, RepresentativeDraft("Guest", guest.email or "", "", "en")
        )
    now = clock.now()

    def seen(days: int) -> list[bool]:
        with time_machine.travel(now + timedelta(days=days), tick=False):
            return [WORDS in visit(who).read("/") for who in (cast.root, cast.guest, cast.anna)]

    assert seen(0) == [False, False, False]
    assert seen(1) == [True, True, False]
    assert seen(3) == [True, True, True]
    with time_machine.travel(now + timedelta(days=3), tick=False):
        assert f"/backups/{name}/check" in visit(cast.anna).read("/")
        away = visit(cast.root)
        away.post("/banners/put-away", key="backups.unchecked")
        assert WORDS not in away.read("/")
    with home.database.write(cast.root) as session:
        office.confirm(session, cast.root, name, Choice.IN_ORDER)
    assert seen(3) == [False, False, False]
