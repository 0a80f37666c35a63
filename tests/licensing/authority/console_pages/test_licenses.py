"""Selling and changing licences in the console; each deed is on record under who did it."""

import re
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import undefer

from licensing.authority.audit.models import AuditEntry
from licensing.authority.licenses.models import LicenseRecord
from licensing.authority.licenses.queries import look_up
from licensing.document.license import Kind
from server.core import clock
from tests.licensing.authority.console_pages.conftest import Visit, Visitor
from tests.licensing.authority.stage import Vendor

ORDER = {
    "kind": "subscription",
    "seats": "25",
    "service_accounts": "5",
    "network_mode": "enforce",
    "networks": "10.0.0.0/8\n192.168.0.0/16",
    "grace_days": "0",
    "lease_days": "14",
    "features": "crm, api",
}


def sold(shop: Vendor, license_id: str) -> LicenseRecord:
    with shop.database.read() as session:
        return look_up(session, license_id)


def entries(shop: Vendor, license_id: str) -> list[tuple[str, str]]:
    with shop.database.read() as session:
        query = select(AuditEntry).where(AuditEntry.subject == license_id).order_by(AuditEntry.id)
        return [(one.operator, one.action) for one in session.scalars(query)]


def step(visitor: Visitor, license_id: str, name: str, **fields: object) -> str:
    """Take a step and return the page it leads to."""
    address = f"/console/licenses/{license_id}/{name}"
    visitor.read(address)
    return visitor.follow(visitor.post(address, **fields))


def shown_code(page: str) -> str:
    found = re.search(r"<code[^>]*>([0-9A-Z*~$=]+(?:-[0-9A-Z*~$=]+)+)</code>", page)
    assert found is not None, page
    return found[1]


def test_a_licence_is_sold_and_its_code_shown_once(visit: Visit, shop: Vendor) -> None:
    anna = visit("Anna")
    customer = shop.customer("info@pars.example")
    assert "Pars Trading" in anna.read(f"/console/licenses/new?customer={customer}")

    answer = anna.post("/console/licenses/new", customer_id=customer, **ORDER)
    page = anna.follow(answer)

    activated = shop.stranger().activate(shown_code(page))
    assert activated.kind == "bundle"
    again = anna.read(answer.headers["Location"])
    assert "activation-code" not in again
    assert "Active" in again
    license_id = answer.headers["Location"].rpartition("/")[2]
    assert ("anna@example.com", "license.issue") in entries(shop, license_id)


def test_the_code_travels_in_no_readable_form(visit: Visit, shop: Vendor) -> None:
    anna = visit("Anna")
    anna.read("/console/licenses/new")
    answer = anna.post("/console/licenses/new", customer_id=shop.customer(), **ORDER)
    kept = "".join(answer.headers.getlist("Set-Cookie"))

    code = shown_code(anna.follow(answer))

    assert code not in kept
    assert code.replace("-", "")[:26] not in kept


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("seats", "", "Say how many users may be active."),
        ("seats", "many", "is no whole number"),
        ("seats", "0", "lies between 1 and"),
        ("days", "-3", "lies between 1 and"),
        ("lease_days", "400", "lies between 1 and 90"),
        ("networks", "10.0.0.0/99", "is no network"),
        ("starts_on", "tomorrow", "is no date"),
        ("kind", "gift", "Choose one of what is offered."),
        ("customer_id", "cus_NOBODY", "There is no customer cus_NOBODY."),
        ("customer_id", "", "Choose who buys."),
    ],
)
def test_what_does_not_fit_is_said_beside_its_field(
    visit: Visit, shop: Vendor, field: str, typed: str, said: str
) -> None:
    anna = visit("Anna")
    anna.read("/console/licenses/new")
    order = {**ORDER, "customer_id": shop.customer(), field: typed}

    answer = anna.post("/console/licenses/new", **order)

    assert answer.status_code in (404, 422)
    assert said in answer.get_data(as_text=True)
    with shop.database.read() as session:
        assert session.scalars(select(LicenseRecord)).all() == []


def test_the_form_says_what_it_would_mean(visit: Visit, shop: Vendor) -> None:
    anna = visit("Anna")
    customer = shop.customer()
    query = {**ORDER, "customer_id": customer, "days": "1", "starts_on": "2027-03-01"}

    said = anna.client.get("/console/licenses/check", query_string=query).get_data(as_text=True)
    trial = {**query, "kind": "trial", "days": ""}
    of_trial = anna.client.get("/console/licenses/check", query_string=trial).get_data(as_text=True)

    assert "The last paid day is Mar 1, 2027" in said
    assert "10 days from the first activation" in of_trial
    assert "told apart by machine only" in of_trial


def test_a_second_trial_is_refused(visit: Visit, shop: Vendor) -> None:
    first = shop.sell(email="a@pars.example", kind=Kind.TRIAL)
    shop.stranger().activate(first.code)
    anna = visit("Anna")
    anna.read("/console/licenses/new")
    order = {**ORDER, "kind": "trial", "customer_id": shop.customer("b@pars.example")}

    answer = anna.post("/console/licenses/new", **order)

    assert answer.status_code == 402
    assert "has had its trial" in answer.get_data(as_text=True)


def test_suspending_and_resuming_are_learnt_at_the_next_check_in(
    visit: Visit, shop: Vendor
) -> None:
    issued, anna = shop.sell(), visit("Anna")
    server = shop.stranger()
    server.activate(issued.code)

    assert "Suspended" in step(anna, issued.license_id, "suspend", reason="unpaid")
    assert server.check_in().payload["status"] == "suspended"
    assert "In force" in step(anna, issued.license_id, "resume")
    assert server.check_in().payload["status"] == "ok"
    assert [one for one in entries(shop, issued.license_id) if one[0] == "anna@example.com"] == [
        ("anna@example.com", "license.suspended"),
        ("anna@example.com", "license.ok"),
    ]


def test_an_owner_revokes_and_then_nothing_more_can_be_done(visit: Visit, shop: Vendor) -> None:
    issued, root = shop.sell(), visit("Root")

    page = step(root, issued.license_id, "revoke", reason="fraud")

    assert "Revoked" in page
    assert f"/console/licenses/{issued.license_id}/seats" not in page
    again = root.post(f"/console/licenses/{issued.license_id}/revoke")
    assert again.status_code in (302, 409)
    refused = root.post(f"/console/licenses/{issued.license_id}/renew", days="30")
    assert refused.status_code == 409
    assert "Issue a new one instead" in refused.get_data(as_text=True)


def test_renewing_and_seats_sign_new_documents(visit: Visit, shop: Vendor) -> None:
    issued, anna = shop.sell(days=30), visit("Anna")
    before = sold(shop, issued.license_id).expires_at or 0

    step(anna, issued.license_id, "renew", days="30")
    page = step(anna, issued.license_id, "seats", named="40", concurrent="", service_accounts="")

    after = sold(shop, issued.license_id)
    assert (after.expires_at or 0) - before == 30 * 86_400
    assert (after.named, after.concurrent, after.serial) == (40, 40, 3)
    assert "Serial 3" in page
    document = anna.read(f"/console/licenses/{issued.license_id}/documents/3")
    assert "&#34;named&#34;: 40" in document
    file = anna.get(f"/console/licenses/{issued.license_id}/documents/3.json")
    with shop.database.read() as session:
        kept = session.scalar(
            select(LicenseRecord)
            .where(LicenseRecord.license_id == issued.license_id)
            .options(undefer(LicenseRecord.envelope))
        )
    assert kept is not None
    assert file.data.decode() == kept.envelope


@pytest.mark.parametrize("days", ["", "x", "0", "99999999"])
def test_a_renewal_that_cannot_be_read_changes_nothing(
    visit: Visit, shop: Vendor, days: str
) -> None:
    issued, anna = shop.sell(), visit("Anna")
    anna.read(f"/console/licenses/{issued.license_id}/renew")

    answer = anna.post(f"/console/licenses/{issued.license_id}/renew", days=days)

    assert answer.status_code == 422
    assert sold(shop, issued.license_id).serial == 1


def test_the_next_term_is_loaded_and_withdrawn(visit: Visit, shop: Vendor) -> None:
    issued, anna = shop.sell(days=30), visit("Anna")

    assert "Next term from" in step(anna, issued.license_id, "next-term", days="365", named="50")
    assert sold(shop, issued.license_id).next_named == 50
    page = step(anna, issued.license_id, "withdraw-next-term")

    assert "Next term from" not in page
    assert sold(shop, issued.license_id).next_starts_at is None


def test_the_terms_can_be_changed(visit: Visit, shop: Vendor) -> None:
    issued, anna = shop.sell(), visit("Anna")
    fields = {
        "site": "Shiraz branch",
        "edition": "standard",
        "features": "crm",
        "network_mode": "warn",
        "networks": "10.1.0.0/16",
        "lease_days": "60",
        "grace_days": "5",
    }

    page = step(anna, issued.license_id, "terms", **fields)

    after = sold(shop, issued.license_id)
    assert "Shiraz branch" in page
    assert (after.networks, after.lease_ttl_s, after.serial) == (["10.1.0.0/16"], 60 * 86_400, 2)


def test_a_licence_moves_to_another_server_by_a_new_code(visit: Visit, shop: Vendor) -> None:
    issued, ben = shop.sell(), visit("Ben")
    old = shop.stranger()
    old.activate(issued.code)

    code = shown_code(step(ben, issued.license_id, "move"))

    assert shop.stranger().activate(code).kind == "bundle"
    assert old.check_in().code == "E_SUPERSEDED"
    assert "activation-code" not in ben.read(f"/console/licenses/{issued.license_id}")


def test_a_third_move_within_a_year_needs_an_owner(visit: Visit, shop: Vendor) -> None:
    issued, ben, root = shop.sell(), visit("Ben"), visit("Root")
    address, code = f"/console/licenses/{issued.license_id}/move", issued.code
    for _move in range(2):
        shop.stranger().activate(code)
        code = shown_code(step(ben, issued.license_id, "move"))
    shop.stranger().activate(code)

    plain = ben.post(address)
    forged = ben.post(address, approve="1")
    approved = step(root, issued.license_id, "move", approve="1")

    assert plain.status_code == 402
    assert "was moved 2 times within a year" in plain.get_data(as_text=True)
    assert forged.status_code == 403
    assert shown_code(approved)


def test_a_hold_is_cleared(visit: Visit, shop: Vendor) -> None:
    issued, ben = shop.sell(), visit("Ben")
    server = shop.stranger()
    server.activate(issued.code)
    twin = server.twin()
    for _day in range(12):
        server.check_in()
        twin.check_in()
    assert server.check_in().code == "E_CLONE_SUSPECTED"
    page = ben.read(f"/console/licenses/{issued.license_id}")
    assert "held because of copies" in page

    step(ben, issued.license_id, "clear-hold")

    assert server.check_in().kind == "lease"
    assert shop.flags(issued.license_id) == []


def test_a_step_that_does_not_apply_says_so(visit: Visit, shop: Vendor) -> None:
    issued, root = shop.sell(), visit("Root")

    page = root.read(f"/console/licenses/{issued.license_id}/clear-hold")
    answer = root.post(f"/console/licenses/{issued.license_id}/clear-hold")

    assert "This does not apply to the licence as it is now." in page
    assert answer.status_code == 409


def test_the_list_is_searched_and_filtered(visit: Visit, shop: Vendor) -> None:
    soon, later = shop.sell(days=5), shop.sell(days=300)
    shop.stranger().activate(later.code)
    guest = visit("Guest")

    def found(query: str) -> set[str]:
        page = guest.read(f"/console/licenses?{query}")
        return {one for one in (soon.license_id, later.license_id) if one in page}

    assert found("") == {soon.license_id, later.license_id}
    assert found("ends=7") == {soon.license_id}
    assert found("ends=over") == set()
    assert found(f"q={later.license_id}") == {later.license_id}
    assert found("q=Pars") == {soon.license_id, later.license_id}
    assert found("filter[active]=1") == {later.license_id}
    assert found("filter[status]=revoked") == set()
    assert found("sort=expires_at&limit=1") == {soon.license_id}
    with time_machine.travel(clock.now() + timedelta(days=7)):
        guest = visit("Guest")
        assert found("ends=over") == {soon.license_id}


@pytest.mark.parametrize(
    "query", ["ends=never", "filter[flag]=nonsense", "cursor=x", "sort=secret", "limit=x", "q=%00"]
)
def test_an_address_that_makes_no_sense_is_no_fault(visit: Visit, query: str) -> None:
    assert visit("Guest").get(f"/console/licenses?{query}").status_code in (200, 422)
