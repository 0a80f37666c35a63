"""Customers, staff, one's own account, keys, the trail, deliveries; lists that cost the same however long."""

import re
from collections.abc import Callable

import pyotp
import pytest

from licensing.authority.audit.service import note
from licensing.authority.console.words import ACTION
from server.core.db import Database
from server.core.outbox import Message, OutgoingMessage, State, enqueue
from tests.client_web.conftest import counted
from tests.licensing.authority.console_pages.conftest import (
    PASSWORD,
    Visit,
    Visitor,
    code_now,
    email_of,
    member_of,
)
from tests.licensing.authority.stage import Vendor
from tests.support.sources import ROOT


def test_a_customer_is_written_down_changed_and_found(visit: Visit) -> None:
    anna = visit("Anna")
    anna.read("/console/customers/new")
    typed = {"name": "Pars Trading", "email": "info@pars.example", "timezone": "Asia/Tehran"}
    answer = anna.post("/console/customers/new", **typed)
    page = anna.follow(answer)
    assert "No licence yet" in page

    answer = anna.post(
        f"{answer.headers['Location']}/edit", **{**typed, "name": "Pars International"}
    )

    assert "Pars International" in anna.follow(answer)
    assert "Pars International" in anna.read("/console/customers?q=international")
    assert "Nothing found" in anna.read("/console/customers?q=nobody")
    options = anna.client.get("/console/customers/options?q=pars").get_json()
    assert [one["text"] for one in options] == ["Pars International"]


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("name", "", "name has 1 to"),
        ("email", "nowhere", "nowhere is no e-mail address."),
        ("timezone", "Tehran", "Tehran is no time zone"),
    ],
)
def test_a_customer_that_does_not_fit_is_refused_beside_the_field(
    visit: Visit, field: str, typed: str, said: str
) -> None:
    anna = visit("Anna")
    anna.read("/console/customers/new")

    answer = anna.post(
        "/console/customers/new", **{"name": "Pars", "timezone": "UTC", "email": "", field: typed}
    )

    assert answer.status_code == 422
    assert said in answer.get_data(as_text=True)


def test_a_colleague_is_invited_and_comes_in(visit: Visit) -> None:
    root, sam = visit("Root"), visit()
    root.read("/console/staff/new")
    typed = {"name": "Guest", "email": "sam@example.com", "role": "support", "locale": "en"}
    page = root.follow(root.post("/console/staff/new", **typed))
    link = re.search(r"http://localhost(/console/choose-password/[\w.-]+)", page)
    assert link is not None

    sam.read(link[1])
    short = sam.post(link[1], password="short")
    chosen = sam.post(link[1], password="several easy words")

    assert short.status_code == 422
    assert chosen.headers["Location"] == "/console/sign-in"
    assert sam.get(link[1]).status_code == 404
    sam.read("/console/sign-in")
    answer = sam.post("/console/sign-in", email="sam@example.com", password="several easy words")
    assert answer.headers["Location"] == "/console/second-factor/new"


def test_an_invitation_is_shown_once(visit: Visit) -> None:
    root = visit("Root")
    root.read("/console/staff/new")
    typed = {"name": "Guest", "email": "sam@example.com", "role": "sales", "locale": "en"}
    answer = root.post("/console/staff/new", **typed)

    assert "choose-password" in root.follow(answer)
    assert "choose-password" not in root.read(answer.headers["Location"])


def test_roles_change_and_the_last_owner_stays(visit: Visit, shop: Vendor) -> None:
    root, anna = visit("Root"), visit("Anna")
    of_anna, of_root = member_of(shop, "Anna").id, member_of(shop, "Root").id
    root.read(f"/console/staff/{of_anna}")

    root.post(f"/console/staff/{of_anna}", name="Anna", role="auditor")
    refused = root.post(f"/console/staff/{of_root}", name="Root", role="sales")
    nonsense = root.post(f"/console/staff/{of_anna}", name="Anna", role="king")

    assert anna.get("/console/licenses/new").status_code == 403
    assert refused.status_code == 409
    assert "is the last owner" in refused.get_data(as_text=True)
    assert nonsense.status_code == 422


def test_somebody_is_put_out_and_let_in_again(visit: Visit, shop: Vendor) -> None:
    root, anna = visit("Root"), visit("Anna")
    of_anna = member_of(shop, "Anna").id
    root.read(f"/console/staff/{of_anna}")

    root.post(f"/console/staff/{of_anna}/deactivate")
    assert anna.get("/console/").status_code == 302
    assert "Let in again" in root.read(f"/console/staff/{of_anna}")
    root.post(f"/console/staff/{of_anna}/reactivate")

    assert "Deactivate" in root.read(f"/console/staff/{of_anna}")


def test_nobody_does_that_to_themselves(visit: Visit, shop: Vendor) -> None:
    root, of_root = visit("Root"), member_of(shop, "Root").id
    root.read(f"/console/staff/{of_root}")

    for step in ("deactivate", "reset", "invite"):
        assert root.post(f"/console/staff/{of_root}/{step}").status_code == 409


def test_a_lost_second_factor_is_reset_by_an_owner(visit: Visit, shop: Vendor) -> None:
    root, ben, of_ben = visit("Root"), visit("Ben"), member_of(shop, "Ben").id
    root.read(f"/console/staff/{of_ben}")

    root.post(f"/console/staff/{of_ben}/reset")

    assert ben.get("/console/").status_code == 302
    ben.read("/console/sign-in")
    answer = ben.post("/console/sign-in", email=email_of("Ben"), password=PASSWORD)
    assert answer.headers["Location"] == "/console/second-factor/new"


def test_the_own_password_is_changed_by_whoever_knows_it(visit: Visit) -> None:
    here, elsewhere = visit("Ben"), visit("Ben")
    here.read("/console/account")

    wrong = here.post("/console/account/password", current="wrong", password="several easy words")
    weak = here.post("/console/account/password", current=PASSWORD, password="short")
    right = here.post("/console/account/password", current=PASSWORD, password="several easy words")

    assert (wrong.status_code, weak.status_code) == (422, 422)
    assert "Other browsers are signed out." in here.follow(right)
    assert elsewhere.get("/console/").status_code == 302


def test_a_new_telephone_takes_over_once_it_has_shown_a_code(visit: Visit) -> None:
    ben = visit("Ben")
    ben.read("/console/account/second-factor")
    page = ben.follow(ben.post("/console/account/second-factor"))
    found = re.search(r'data-copy="([A-Z2-7 ]+)"', page)
    assert found is not None
    secret = found[1].replace(" ", "")

    done = ben.post("/console/second-factor/new", code=pyotp.TOTP(secret).now())

    assert "Recovery codes" in done.get_data(as_text=True)
    ben.read("/console/confirm")
    assert ben.post("/console/confirm", code=code_now()).status_code == 403
    assert ben.post("/console/confirm", code=code_now(secret, later=1)).status_code == 302


def test_the_language_is_kept_with_the_account(visit: Visit) -> None:
    ben = visit("Ben")
    ben.read("/console/account")

    page = ben.follow(ben.post("/console/account/language", locale="fa"))

    assert '<html lang="fa" dir="rtl"' in page
    assert ben.post("/console/account/language", locale="xx").status_code == 422


def test_the_keys_page_shows_windows_and_the_commands(visit: Visit, shop: Vendor) -> None:
    page = visit("Guest").read("/console/keys")

    for entry in shop.keys.ring().keyset.keys:
        assert entry.keyid in page
    assert page.count("Signs now") == 2
    assert "keys rotate --role lease --root-key" in page
    assert "BEGIN" not in page


def test_the_trail_is_filtered_by_who_what_and_when(visit: Visit, shop: Vendor) -> None:
    guest = visit("Guest")
    with shop.database.write() as session:
        note(session, "ben@example.com", "license.rehost", "lic_MOVED", {"superseded": "act_1"})
        note(session, "anna@example.com", "license.renew", "lic_RENEWED")

    def found(query: str) -> set[str]:
        page = guest.read(f"/console/audit?{query}")
        return {one for one in ("lic_MOVED", "lic_RENEWED") if f">{one}</a>" in page}

    assert found("") == {"lic_MOVED", "lic_RENEWED"}
    assert found("filter[operator]=ben@example.com") == {"lic_MOVED"}
    assert found("filter[action]=license.renew") == {"lic_RENEWED"}
    assert found("filter[subject]=lic_MOVED") == {"lic_MOVED"}
    assert found("until=2020-01-01") == set()
    assert found("from=2020-01-01") == {"lic_MOVED", "lic_RENEWED"}
    assert guest.get("/console/audit?from=yesterday").status_code == 422


def test_what_was_sent_is_shown_with_its_text(visit: Visit, shop: Vendor) -> None:
    with shop.database.write() as session:
        message = Message(
            channel="email",
            to="info@pars.example",
            subject="Your licence ends in 10 days",
            body="It ends on 4 December.",
            purpose="term_ending",
            once_key="x",
        )
        enqueue(session, message)
    guest = visit("Guest")

    assert "Your licence ends in 10 days" in guest.read("/console/deliveries")
    assert "It ends on 4 December." in guest.read("/console/deliveries/1")
    assert "Nothing found" in guest.read("/console/deliveries?filter[state]=failed")
    assert guest.get("/console/deliveries/99").status_code == 404


def test_every_deed_on_record_has_a_name() -> None:
    deeds = re.compile(r'note\(\s*session,\s*[\w.]+,\s*"([a-z_.]+)"')
    sources = (ROOT / "licensing" / "authority").rglob("*.py")
    written = {name for path in sources for name in deeds.findall(path.read_text("utf8"))}

    assert len(written) > 15
    assert written - set(ACTION) == set()


LISTS = ("/console/", "/console/customers", "/console/licenses", "/console/activations")


def statements(database: Database, visitor: Visitor, address: str) -> int:
    visitor.read(address)
    with counted(database) as seen:
        visitor.read(address)
    return len(seen)


def fill(shop: Vendor, count: int) -> None:
    for _number in range(count):
        shop.stranger().activate(shop.sell(days=10).code)


@pytest.mark.parametrize("address", LISTS)
def test_a_longer_list_costs_no_more_questions(visit: Visit, shop: Vendor, address: str) -> None:
    guest, ask = visit("Guest"), _asking(shop)
    fill(shop, 1)
    before = ask(guest, address)

    fill(shop, 4)

    assert ask(guest, address) == before


def _asking(shop: Vendor) -> Callable[[Visitor, str], int]:
    return lambda visitor, address: statements(shop.database, visitor, address)


def test_a_list_is_turned_page_by_page(visit: Visit, shop: Vendor) -> None:
    for _number in range(3):
        shop.customer()
    guest = visit("Guest")
    first = guest.read("/console/customers?limit=2")
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older is not None

    second = guest.read(older[1].replace("&amp;", "&"))

    ids = [re.findall(r">(cus_\w+)<", page) for page in (first, second)]
    assert [len(set(one)) for one in ids] == [2, 1]
    assert not set(ids[0]) & set(ids[1])


@pytest.mark.parametrize(
    "path", ["customers", "licenses", "activations", "flags", "deliveries", "offline", "audit"]
)
def test_a_house_without_anything_in_it_says_what_comes_here(visit: Visit, path: str) -> None:
    page = visit("Root").read(f"/console/{path}")

    assert "k-empty" in page or path in {"offline", "audit"}


def test_a_message_that_did_not_arrive_is_sent_again(visit: Visit, shop: Vendor) -> None:
    with shop.database.write() as session:
        message = Message(
            channel="email",
            to="info@pars.example",
            subject="Your licence ends",
            body="Soon.",
            purpose="term_ending",
            once_key="x",
        )
        enqueue(session, message)
        session.query(OutgoingMessage).one().state = State.FAILED
    ben = visit("Ben")
    assert "Send again" in ben.read("/console/deliveries/1")

    page = ben.follow(ben.post("/console/deliveries/1/again"))

    assert "Waiting" in page
    assert "Try now" in page
