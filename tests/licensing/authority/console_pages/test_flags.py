"""The queue of what somebody should look at."""

import pytest

from licensing.authority.console.words import FLAG, FLAG_MEANING
from licensing.authority.licenses.flags import raise_flag
from licensing.authority.licenses.queries import get_license, open_flags
from licensing.authority.licenses.rules import FlagKind
from tests.licensing.authority.console_pages.conftest import Visit
from tests.licensing.authority.stage import Vendor


def raised(shop: Vendor, license_id: str, kind: FlagKind = FlagKind.CLONE_REVIEW) -> int:
    """Raise a flag and return its number."""
    with shop.database.write() as session:
        license_ = get_license(session, license_id)
        raise_flag(session, license_, kind, "2 forks")
        session.flush()
        return max(flag.id for flag in open_flags(session, license_))


@pytest.fixture
def license_id(shop: Vendor) -> str:
    return shop.sell().license_id


def test_a_flag_is_settled_with_a_note(visit: Visit, shop: Vendor, license_id: str) -> None:
    flag, ben = raised(shop, license_id), visit("Ben")
    assert "Copies suspected" in ben.read("/console/flags")
    assert "Two copies of one installation" in ben.read(f"/console/flags/{flag}")

    page = ben.follow(ben.post(f"/console/flags/{flag}/settle", note="A test server, now off."))

    assert "Nothing to look at" in page
    settled = ben.read("/console/flags?state=settled")
    assert "ben@example.com" in settled
    assert "A test server, now off." in ben.read(f"/console/flags/{flag}")
    assert "A test server, now off." in ben.read(f"/console/licenses/{license_id}")


def test_nothing_is_settled_without_a_note_or_twice(
    visit: Visit, shop: Vendor, license_id: str
) -> None:
    flag, ben = raised(shop, license_id), visit("Ben")
    ben.read(f"/console/flags/{flag}")

    silent = ben.post(f"/console/flags/{flag}/settle", note="  ")
    ben.post(f"/console/flags/{flag}/settle", note="done")
    twice = ben.post(f"/console/flags/{flag}/settle", note="done")

    assert silent.status_code == 422
    assert "Write down how it was settled" in silent.get_data(as_text=True)
    assert twice.status_code == 409


def test_a_flag_is_raised_again_unless_a_newer_one_is_up(
    visit: Visit, shop: Vendor, license_id: str
) -> None:
    flag, ben = raised(shop, license_id), visit("Ben")
    ben.read(f"/console/flags/{flag}")
    ben.post(f"/console/flags/{flag}/settle", note="done")

    assert "Settle it" in ben.follow(ben.post(f"/console/flags/{flag}/reopen"))
    ben.post(f"/console/flags/{flag}/settle", note="done")
    raised(shop, license_id)
    assert ben.post(f"/console/flags/{flag}/reopen").status_code == 409


def test_a_hold_is_not_settled_but_cleared(visit: Visit, shop: Vendor, license_id: str) -> None:
    flag, ben = raised(shop, license_id, FlagKind.CLONE_HOLD), visit("Ben")
    page = ben.read(f"/console/flags/{flag}")

    answer = ben.post(f"/console/flags/{flag}/settle", note="done")

    assert f"/console/licenses/{license_id}/clear-hold" in page
    assert answer.status_code == 409
    assert "Clear the hold; that settles the flag." in answer.get_data(as_text=True)


def test_every_kind_of_flag_has_a_name_and_a_meaning() -> None:
    assert set(FLAG) == set(FLAG_MEANING) == set(FlagKind)


def test_the_queue_is_filtered_by_kind(visit: Visit, shop: Vendor, license_id: str) -> None:
    raised(shop, license_id)
    guest = visit("Guest")

    assert license_id in guest.read("/console/flags?filter[kind]=clone_review")
    assert license_id not in guest.read("/console/flags?filter[kind]=wrong_codes")
    assert guest.get("/console/flags/999").status_code == 404
