"""Coming in: the password, the second factor, the first sign-in, throttling, proving it again."""

import re
from dataclasses import replace
from datetime import timedelta

import pyotp
import pytest
import time_machine

from licensing.authority.app import make_authority
from licensing.authority.config import ConsoleSettings
from licensing.authority.console.desk import COOKIE
from licensing.authority.staff.rules import Role
from licensing.authority.staff.second_factor import renew_recovery_codes
from licensing.authority.staff.service import StaffDraft, add_member, deactivate_member
from server.core import clock
from tests.licensing.authority.console_pages.conftest import (
    PASSWORD,
    Visit,
    Visitor,
    code_now,
    email_of,
    member_of,
    sealing_of,
)
from tests.licensing.authority.stage import Vendor

NEW = "sam@example.com"


@pytest.fixture
def newcomer(shop: Vendor) -> str:
    """Give the address of somebody who has never signed in."""
    with shop.database.write() as session:
        add_member(session, "Root", StaffDraft(NEW, "Guest", Role.SUPPORT, "en", PASSWORD))
    return NEW


def knock(visitor: Visitor, email: str, password: str = PASSWORD, **more: str) -> str:
    """Send the first form and return where it leads."""
    visitor.get("/console/sign-in")
    answer = visitor.post("/console/sign-in", email=email, password=password, **more)
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return answer.headers["Location"]


def come_in(visitor: Visitor, email: str, code: str) -> int:
    """Go through both forms and return the status of the second."""
    visitor.get(knock(visitor, email))
    return visitor.post("/console/second-factor", code=code).status_code


def test_password_and_code_open_the_console(visit: Visit) -> None:
    visitor = visit()
    assert knock(visitor, email_of("Root")) == "/console/second-factor"
    visitor.read("/console/second-factor")

    answer = visitor.post("/console/second-factor", code=code_now())

    assert "Licences in force" in visitor.follow(answer)


def test_the_password_alone_opens_nothing(visit: Visit) -> None:
    visitor = visit()
    knock(visitor, email_of("Root"))

    for path in ("/console/", "/console/licenses", "/console/account", "/console/confirm"):
        assert visitor.get(path).headers["Location"].startswith("/console/sign-in"), path


@pytest.mark.parametrize(
    ("email", "password"), [(email_of("Root"), "wrong"), ("nobody@example.com", PASSWORD)]
)
def test_a_wrong_password_and_a_stranger_are_told_the_same(
    visit: Visit, email: str, password: str
) -> None:
    visitor = visit()
    visitor.get("/console/sign-in")

    answer = visitor.post("/console/sign-in", email=email, password=password)

    assert answer.status_code == 401
    assert "The address or the password is not right." in answer.get_data(as_text=True)


def test_a_code_works_once(visit: Visit) -> None:
    with time_machine.travel(clock.now(), tick=False):
        code = code_now()
        assert come_in(visit(), email_of("Root"), code) == 302
        assert come_in(visit(), email_of("Root"), code) == 401
        assert come_in(visit(), email_of("Root"), code_now(later=1)) == 302


def test_the_first_sign_in_sets_up_the_second_factor(visit: Visit, newcomer: str) -> None:
    visitor = visit()
    assert knock(visitor, newcomer) == "/console/second-factor/new"
    page = visitor.read("/console/second-factor/new")
    shown = re.search(r'data-copy="([A-Z2-7 ]+)"', page)
    assert shown is not None
    assert "data:image/svg+xml" in page
    secret = shown[1].replace(" ", "")

    wrong = visitor.post("/console/second-factor/new", code="123")
    assert wrong.status_code == 422
    assert "does not fit" in wrong.get_data(as_text=True)
    right = visitor.post("/console/second-factor/new", code=pyotp.TOTP(secret).now())

    pattern = r"(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}"
    assert right.status_code == 200
    assert len(set(re.findall(pattern, right.get_data(as_text=True)))) == 10
    assert visitor.get("/console/").status_code == 200


def test_whoever_saw_the_key_of_a_first_sign_in_cannot_replace_it_later(
    visit: Visit, newcomer: str
) -> None:
    thief, owner = visit(), visit()
    secrets = []
    for one in (thief, owner):
        page = one.read(knock(one, newcomer))
        found = re.search(r'data-copy="([A-Z2-7 ]+)"', page)
        assert found is not None
        secrets.append(found[1].replace(" ", ""))
    owner.post("/console/second-factor/new", code=pyotp.TOTP(secrets[1]).now())

    answer = thief.post("/console/second-factor/new", code=pyotp.TOTP(secrets[0]).now())

    assert answer.status_code == 302
    assert thief.get("/console/").status_code == 302
    assert owner.get("/console/").status_code == 200


def test_a_recovery_code_opens_the_console_and_says_how_many_are_left(
    visit: Visit, shop: Vendor
) -> None:
    with shop.database.write() as session:
        codes = renew_recovery_codes(session, sealing_of(shop), member_of(shop, "Root"))
    visitor = visit()
    visitor.get(knock(visitor, email_of("Root")))

    answer = visitor.post("/console/second-factor", code=codes[0])

    assert "9 recovery codes are left" in visitor.follow(answer)


def test_guessing_codes_is_stopped(visit: Visit) -> None:
    visitor = visit()
    visitor.get(knock(visitor, email_of("Root")))
    statuses = [visitor.post("/console/second-factor", code="000000").status_code for _ in range(9)]

    answer = visitor.post("/console/second-factor", code=code_now())

    assert statuses[0] == 401
    assert statuses[-1] == 429
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert "Too many attempts" in answer.get_data(as_text=True)


def test_guessing_passwords_is_stopped_and_forgiven_in_time(visit: Visit) -> None:
    visitor = visit()
    visitor.get("/console/sign-in")
    for _guess in range(8):
        visitor.post("/console/sign-in", email=email_of("Root"), password="wrong")
    right = {"email": email_of("Root"), "password": PASSWORD}

    assert visitor.post("/console/sign-in", **right).status_code == 429
    with time_machine.travel(clock.now() + timedelta(minutes=15)):
        assert visitor.post("/console/sign-in", **right).status_code == 302


def test_the_cookie_is_for_the_console_alone(visit: Visit) -> None:
    visitor = visit()
    visitor.get("/console/sign-in")
    answer = visitor.post("/console/sign-in", email=email_of("Root"), password=PASSWORD)

    set_by = {one.partition("=")[0]: one for one in answer.headers.getlist("Set-Cookie")}
    assert set(set_by) >= {COOKIE}
    for one in set_by.values():
        for part in ("HttpOnly", "SameSite=Lax", "Path=/console"):
            assert part in one
        assert "Secure" not in one


def test_behind_tls_the_cookies_travel_over_tls_only(shop: Vendor) -> None:
    settings = replace(shop.settings, console=ConsoleSettings(https=True))
    app = make_authority(settings, shop.database, shop.keys)
    visitor = Visitor(app.test_client())
    visitor.client.get("/console/sign-in", base_url="https://vendor.example")
    page = visitor.client.get("/console/sign-in", base_url="https://vendor.example")
    token = re.search(r'name="csrf-token" content="([^"]+)"', page.get_data(as_text=True))
    assert token is not None

    answer = visitor.client.post(
        "/console/sign-in",
        data={"csrf_token": token[1], "email": email_of("Root"), "password": PASSWORD},
        base_url="https://vendor.example",
        headers={"Referer": "https://vendor.example/console/sign-in"},
    )

    cookies = answer.headers.getlist("Set-Cookie")
    assert cookies
    assert all("Secure" in one for one in cookies)


def test_the_cookie_of_half_a_sign_in_dies_with_the_whole_one(visit: Visit) -> None:
    visitor, thief = visit(), visit()
    visitor.get(knock(visitor, email_of("Root")))
    half = visitor.client.get_cookie(COOKIE, path="/console")
    assert half is not None
    visitor.post("/console/second-factor", code=code_now())

    thief.client.set_cookie(COOKIE, half.value, path="/console")

    assert thief.get("/console/").status_code == 302


def test_signing_out_ends_the_cookie(visit: Visit) -> None:
    root, thief = visit("Root"), visit()
    kept = root.client.get_cookie(COOKIE, path="/console")
    assert kept is not None
    root.read("/console/")
    root.post("/console/sign-out")

    thief.client.set_cookie(COOKIE, kept.value, path="/console")

    assert thief.get("/console/").status_code == 302


def test_a_sign_in_ends_after_its_hours(visit: Visit) -> None:
    root = visit("Root")
    assert root.get("/console/").status_code == 200

    with time_machine.travel(clock.now() + timedelta(hours=8, seconds=1)):
        assert root.get("/console/").status_code == 302


def test_whoever_is_deactivated_is_out_at_once(visit: Visit, shop: Vendor) -> None:
    anna = visit("Anna")
    assert anna.get("/console/").status_code == 200
    with shop.database.write() as session:
        deactivate_member(session, "Root", member_of(shop, "Anna").id)

    assert anna.get("/console/").status_code == 302


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "/\\evil", "/console\\@evil", "/v1/keyset"],
)
def test_no_sign_in_leads_to_another_place(visit: Visit, target: str) -> None:
    visitor = visit()
    visitor.get(knock(visitor, email_of("Root"), next=target))

    answer = visitor.post("/console/second-factor", code=code_now(), next=target)

    assert answer.headers["Location"] == "/console/"


def test_a_sign_in_leads_to_the_page_that_was_asked_for(visit: Visit) -> None:
    visitor = visit()
    asked = visitor.get("/console/licenses?ends=30")
    assert asked.headers["Location"] == "/console/sign-in?next=/console/licenses?ends%3D30"
    target = "/console/licenses?ends=30"
    visitor.get(knock(visitor, email_of("Root"), next=target))

    answer = visitor.post("/console/second-factor", code=code_now(), next=target)

    assert answer.headers["Location"] == target


def test_a_form_from_another_site_is_refused(visit: Visit) -> None:
    root = visit("Root")

    answer = root.client.post("/console/customers/new", data={"name": "X", "timezone": "UTC"})

    assert answer.status_code == 400
    assert "This form is no longer valid" in answer.get_data(as_text=True)


def test_the_protocol_neither_reads_nor_sets_cookies(visit: Visit) -> None:
    root = visit("Root")
    for path in ("/v1/challenge", "/v1/keyset", "/healthz", "/v1/nothing"):
        assert "Set-Cookie" not in root.client.get(path).headers, path
    assert root.client.post("/v1/check-ins", data=b"{}").status_code == 400


@pytest.fixture
def sold(shop: Vendor) -> str:
    return shop.sell().license_id


def test_what_is_grave_asks_again_after_a_quarter_of_an_hour(visit: Visit, sold: str) -> None:
    root, page = visit("Root"), f"/console/licenses/{sold}/revoke"
    assert root.get(page).status_code == 200

    with time_machine.travel(clock.now() + timedelta(minutes=15, seconds=1)):
        asked = root.get(page)
        assert asked.headers["Location"] == f"/console/confirm?next={page}"
        root.read(asked.headers["Location"])
        wrong = root.post("/console/confirm", next=page, password="wrong")
        assert wrong.status_code == 403
        assert "This is not your password." in wrong.get_data(as_text=True)

        right = root.post("/console/confirm", next=page, password=PASSWORD)

        assert "Revoke the licence for good" in root.follow(right)


def test_a_code_confirms_as_well_but_not_the_one_of_the_sign_in(visit: Visit) -> None:
    with time_machine.travel(clock.now(), tick=False):
        root = visit()
        root.get(knock(root, email_of("Root")))
        root.post("/console/second-factor", code=code_now())
        root.read("/console/confirm")

        assert root.post("/console/confirm", code=code_now()).status_code == 403
        assert root.post("/console/confirm", code=code_now(later=1)).status_code == 302


def test_a_stale_form_changes_nothing(visit: Visit, sold: str) -> None:
    root, page = visit("Root"), f"/console/licenses/{sold}/revoke"
    root.read(page)

    with time_machine.travel(clock.now() + timedelta(minutes=16)):
        answer = root.client.post(
            page, data={"csrf_token": root.token}, headers={"Referer": f"http://localhost{page}"}
        )

    assert answer.headers["Location"] == f"/console/confirm?next={page}"
    assert "In force" in root.read(f"/console/licenses/{sold}")


def test_the_language_of_the_sign_in_page_is_a_choice(visit: Visit) -> None:
    visitor = visit()

    assert '<html lang="fa" dir="rtl"' in visitor.read("/console/sign-in?lang=fa")
    assert '<html lang="fa" dir="rtl"' in visitor.read("/console/sign-in")
    assert '<html lang="en" dir="ltr"' in visitor.read("/console/sign-in?lang=en")


def test_nothing_runs_or_is_kept_that_is_not_ours(visit: Visit) -> None:
    answer = visit("Root").get("/console/")

    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cache-Control"] == "no-store"


def key_shown(page: str) -> str:
    """Return the key of a second factor that a page shows."""
    found = re.search(r'data-copy="([A-Z2-7 ]+)"', page)
    assert found is not None
    return found[1].replace(" ", "")


def test_a_new_second_factor_that_was_begun_long_ago_asks_again_who_is_there(visit: Visit) -> None:
    root = visit("Root")
    begun = root.post("/console/account/second-factor")
    secret = key_shown(root.follow(begun))

    with time_machine.travel(clock.now() + timedelta(minutes=16)):
        seen = root.get("/console/second-factor/new")
        kept = root.post("/console/second-factor/new", code=pyotp.TOTP(secret).now())

        for answer in (seen, kept):
            assert answer.headers["Location"].startswith("/console/confirm?next=")
        assert root.post("/console/confirm", code=code_now()).status_code == 302


def test_strangers_who_guess_keep_nobody_from_proving_who_they_are(visit: Visit) -> None:
    root, stranger = visit("Root"), visit()
    stranger.get("/console/sign-in")
    for _guess in range(9):
        last = stranger.post("/console/sign-in", email=email_of("Root"), password="wrong")
    assert last.status_code == 429
    root.read("/console/confirm")

    assert root.post("/console/confirm", code=code_now()).status_code == 302


def test_guessing_at_the_proof_is_stopped_in_every_browser(visit: Visit) -> None:
    root, other = visit("Root"), visit("Root")
    for one in (root, other):
        one.read("/console/confirm")
    for _guess in range(8):
        assert root.post("/console/confirm", code="000000").status_code == 403

    assert other.post("/console/confirm", code=code_now()).status_code == 429
