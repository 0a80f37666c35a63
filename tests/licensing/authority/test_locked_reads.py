"""Whoever locks a row sees it as it is, although the same request has read it before (PostgreSQL).

SQLite lets the second writer begin only when the first has ended, so nothing is old there.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from licensing.authority.activations.answer_files import answer_file
from licensing.authority.activations.asked import what_is_asked
from licensing.authority.activations.desk import Desk
from licensing.authority.config import CHALLENGE_SECRET
from licensing.authority.customers.models import Customer
from licensing.authority.customers.queries import get_customer
from licensing.authority.licenses.flags import raise_flag, reopen_flag, settle_flag
from licensing.authority.licenses.models import Flag
from licensing.authority.licenses.queries import look_up
from licensing.authority.licenses.rules import FlagKind, LicenseStatus
from licensing.authority.licenses.service import SeatChange, renew_license, set_seats, set_status
from licensing.document.files import load_answer_file
from server.core import clock
from server.core.config import read_secret
from server.core.errors import Conflict
from tests.licensing.authority.conftest import inside
from tests.licensing.authority.stage import Vendor, found_vendor, open_vendor
from tests.licensing.authority.stranger import Reply, sealed
from tests.support.postgres import Cluster


@pytest.fixture(scope="module")
def shop(postgres_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vendor]:
    """Give an authority on PostgreSQL."""
    url = postgres_cluster.url(postgres_cluster.create_database())
    settings = found_vendor(tmp_path_factory.mktemp("locked") / "authority", url)
    opened = open_vendor(settings, lambda *_request: Reply(0, {}, b""))
    opened.send = inside(opened)
    yield opened
    opened.database.dispose()


def test_a_licence_that_was_revoked_meanwhile_is_not_resumed(shop: Vendor) -> None:
    license_id = shop.sell().license_id
    shop.set_status(license_id, LicenseStatus.SUSPENDED)

    with shop.database.write() as session:
        seen = look_up(session, license_id)  # as the page of the step does
        shop.set_status(license_id, LicenseStatus.REVOKED)
        with pytest.raises(Conflict):
            set_status(session, "Anna", license_id, LicenseStatus.OK)
        assert seen.status is LicenseStatus.REVOKED

    with shop.database.read() as session:
        assert look_up(session, license_id).status is LicenseStatus.REVOKED


def test_two_changes_of_one_licence_are_both_kept(shop: Vendor) -> None:
    license_id = shop.sell(seats=5).license_id

    with shop.database.write() as session:
        seen = look_up(session, license_id)
        before = seen.expires_at or 0
        shop.renew(license_id, 30)
        renew_license(session, "Anna", shop.keys, license_id, 30)
        assert (seen.expires_at or 0) - before > 59 * 86_400

    with shop.database.write() as session:
        seen = look_up(session, license_id)
        assert seen.serial == 3
        shop.set_seats(license_id, 9)
        set_seats(session, "Anna", shop.keys, license_id, SeatChange(service_accounts=4))
        assert seen.serial == 5

    with shop.database.read() as session:
        assert look_up(session, license_id).named == 9


def test_a_request_for_refund_answered_at_two_desks_has_one_proof(
    shop: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = shop.stranger()
    stranger.activate(shop.sell().code)
    payload = {**stranger.check_in_payload(), "reason": "refund"}
    raw = sealed("deactivate-req", payload, stranger.key)
    desk = Desk(shop.settings, shop.keys, read_secret(shop.settings.secrets_dir, CHALLENGE_SECRET))

    def answered(session: Session) -> bytes:
        return load_answer_file(answer_file(session, desk, raw).file).answer

    with shop.database.write() as session:
        seen = what_is_asked(session, raw)  # as the page does before it answers
        with shop.database.write() as other:
            first = answered(other)
        monkeypatch.setattr(clock, "now", lambda: datetime.now(UTC) + timedelta(seconds=5))
        assert answered(session) == first
        assert seen.activation is not None


def test_a_customer_changed_at_two_desks_is_judged_as_it_is(shop: Vendor) -> None:
    customer_id = shop.customer("info@alpha.example")

    with shop.database.write() as session:
        seen = get_customer(session, customer_id)
        _rename(shop, customer_id)
        get_customer(session, customer_id, lock=True)
        assert seen.name == "Pars Holding"


def _rename(shop: Vendor, customer_id: str) -> None:
    with shop.database.write() as other:
        found = other.scalars(select(Customer).where(Customer.customer_id == customer_id)).one()
        found.name = "Pars Holding"


@pytest.mark.parametrize("again", [settle_flag, lambda *told: reopen_flag(*told[:3])])
def test_a_flag_that_somebody_settled_is_settled_once(
    shop: Vendor, again: Callable[[Session, str, int, str], Flag]
) -> None:
    license_id = shop.sell().license_id
    with shop.database.write() as session:
        raise_flag(session, look_up(session, license_id), FlagKind.WEAK_BINDING, "1 component")
    with shop.database.write() as session:
        flag = session.scalars(select(Flag).order_by(Flag.id.desc()).limit(1)).one()
        with shop.database.write() as other:
            settle_flag(other, "Root", flag.id, "asked them")
        if again is settle_flag:
            with pytest.raises(Conflict):
                again(session, "Anna", flag.id, "did nothing")
        else:
            assert again(session, "Anna", flag.id, "").resolved_at is None
