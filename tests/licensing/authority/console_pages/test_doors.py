"""Every route of the console says who may come in, and every role finds the doors that are its own."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from licensing.authority.console.door import is_ours
from licensing.authority.staff.rules import ALL_PERMISSIONS, PERMISSIONS
from server.http.access import Access, access_of
from server.http.app import DaftarFlask
from tests.licensing.authority.console_pages.conftest import ROLES, Visit
from tests.licensing.authority.stage import Vendor

SAMPLES = {"license_id": "lic_0", "customer_id": "cus_0", "token": "x", "step": "invite"}
# What everybody does about their own account.
OWN = {"entry", "confirm", "account"}


@dataclass(frozen=True)
class Door:
    """One method of one address."""

    method: str
    address: str
    endpoint: str
    access: Access | None


def doors(app: DaftarFlask) -> Iterator[Door]:
    for rule in app.url_map.iter_rules():
        if not is_ours(rule.rule):
            continue
        address = re.sub(
            r"<(?:[\w()., ]+:)?(\w+)>", lambda found: SAMPLES.get(found[1], "999"), rule.rule
        )
        access = access_of(app.view_functions[rule.endpoint])
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            yield Door(method, address, rule.endpoint, access)


def test_every_route_says_who_may_come_in(app: DaftarFlask) -> None:
    found = list(doors(app))

    assert len(found) > 50
    assert [door for door in found if door.access is None] == []
    asked = {door.access.permission for door in found if door.access}
    assert {name for name in asked if name} <= ALL_PERMISSIONS


def test_every_permission_opens_something(app: DaftarFlask) -> None:
    asked = {door.access.permission for door in doors(app) if door.access}

    assert ALL_PERMISSIONS - asked == {"licenses.approve"}  # asked inside the move


def test_a_stranger_is_led_to_the_sign_in(app: DaftarFlask, visit: Visit) -> None:
    stranger = visit()
    stranger.get("/console/sign-in")
    for door in doors(app):
        if door.access is None or door.access.public:
            continue
        data = {"csrf_token": stranger.token} if door.method == "POST" else None
        answer = stranger.client.open(door.address, method=door.method, data=data)
        assert answer.status_code == 302, door
        assert answer.headers["Location"].startswith("/console/sign-in"), door


@pytest.mark.parametrize("name", ROLES)
def test_each_role_finds_its_own_doors_open_and_the_others_shut(
    app: DaftarFlask, visit: Visit, name: str
) -> None:
    visitor, held = visit(name), PERMISSIONS[ROLES[name]]
    visitor.read("/console/account")
    for door in doors(app):
        if door.access is None or door.access.permission is None:
            continue
        data = {"csrf_token": visitor.token} if door.method == "POST" else None
        answer = visitor.client.open(door.address, method=door.method, data=data)
        is_shut = answer.status_code == 403
        assert is_shut is (door.access.permission not in held), (door, answer.status_code)
        assert answer.status_code < 500, door


def test_an_auditor_can_send_nothing_but_what_is_about_the_own_account(
    app: DaftarFlask, shop: Vendor
) -> None:
    held = PERMISSIONS[ROLES["Guest"]]
    open_to_guest = [
        door
        for door in doors(app)
        if door.method == "POST"
        if door.access and not door.access.public
        if door.access.permission is None or door.access.permission in held
    ]

    assert {door.endpoint.split(".")[0] for door in open_to_guest} == OWN


def test_a_refusal_names_the_permission_in_words(visit: Visit) -> None:
    page = visit("Guest").get("/console/licenses/new").get_data(as_text=True)

    assert "it needs the permission “sell, renew and change licences”" in page


def test_the_menu_shows_only_what_may_be_opened(visit: Visit) -> None:
    menu = r'<a href="(/console[^"]*)" class="k-nav-item"'
    for name in ROLES:
        visitor = visit(name)
        for address in re.findall(menu, visitor.read("/console/")):
            assert visitor.get(address).status_code == 200, (name, address)


def test_a_page_that_is_not_there_says_so_in_the_console(visit: Visit) -> None:
    answer = visit("Root").get("/console/nowhere")

    assert answer.status_code == 404
    assert "There is no page at this address." in answer.get_data(as_text=True)
