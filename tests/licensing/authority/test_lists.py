"""What the vendor's people page through: customers, licences, flags, activations, serials, the audit trail."""

from pathlib import Path

import pytest
from sqlalchemy import MetaData, event, insert, select

from licensing.authority.activations.lists import list_activations, list_licenses
from licensing.authority.audit.queries import list_entries
from licensing.authority.customers.queries import list_customers
from licensing.authority.customers.service import CustomerDraft, add_customer
from licensing.authority.db import tables
from licensing.authority.licenses.lists import list_flags, list_serials
from licensing.authority.licenses.queries import look_up
from licensing.authority.licenses.rules import LicenseStatus
from licensing.authority.migrations.run import CHAIN
from licensing.document.license import Kind
from server.core.db import Database, make_engine
from server.core.errors import Invalid
from server.core.listing import Filter, ListQuery
from tests.licensing.authority.stage import Vendor


def only(name: str, value: str, operator: str = "eq") -> ListQuery:
    return ListQuery(filters=(Filter(name, operator, value),))


def found(vendor: Vendor, wish: ListQuery) -> list[str]:
    with vendor.database.read() as session:
        return [row.license.license_id for row in list_licenses(session, wish).items]


@pytest.fixture
def branch(vendor: Vendor) -> tuple[str, str]:
    """Give the customer Nasim with a licence for Shiraz."""
    with vendor.database.write() as session:
        draft = CustomerDraft("نسیم بهار", "Asia/Tehran", "it@nasim.example")
        customer = add_customer(session, "Root", draft).customer_id
    sold = vendor.sell(customer_id=customer, site="Shiraz", seats=7)
    return customer, sold.license_id


def test_a_licence_is_found_by_id_site_customer_and_address(
    vendor: Vendor, branch: tuple[str, str]
) -> None:
    _customer, license_id = branch

    for words in (license_id.lower(), "shiraz", "نسيم", "it@nasim.example"):
        assert found(vendor, ListQuery(q=words, filters=only("named", "7").filters)) == [license_id]
    assert found(vendor, ListQuery(q="nobody at all")) == []


def test_a_customer_is_found_by_name_and_address(vendor: Vendor, branch: tuple[str, str]) -> None:
    customer, _license = branch
    with vendor.database.read() as session:
        by_name = list_customers(session, ListQuery(q="نسیم بهار", sort="name"))
        by_id = list_customers(session, ListQuery(q=customer))

    assert customer in [one.customer_id for one in by_name.items]
    assert [one.customer_id for one in by_id.items] == [customer]


def test_licences_are_narrowed_to_what_needs_work(vendor: Vendor) -> None:
    idle, busy = vendor.sell(), vendor.sell(days=3)
    vendor.stranger(fp={"machine_id": "a" * 32}).activate(busy.code)
    vendor.set_status(idle.license_id, LicenseStatus.SUSPENDED)
    with vendor.database.read() as session:
        end = look_up(session, busy.license_id).expires_at or 0

    assert found(vendor, only("status", "suspended"))[0] == idle.license_id
    assert busy.license_id in found(vendor, only("flag", "weak_binding"))
    assert busy.license_id in found(vendor, only("active", "1"))
    assert idle.license_id in found(vendor, only("active", "0"))
    ending = ListQuery(sort="expires_at", limit=200)
    first = found(vendor, ending)
    assert first.index(busy.license_id) < first.index(idle.license_id)
    assert end > 0


def test_a_perpetual_licence_comes_last_by_its_end(vendor: Vendor) -> None:
    for_ever = vendor.sell(kind=Kind.PERPETUAL)

    last = ListQuery(sort="-expires_at", limit=1)
    assert found(vendor, last) == [for_ever.license_id]


def test_pages_follow_each_other_and_show_each_licence_once(vendor: Vendor) -> None:
    sold = [vendor.sell().license_id for _number in range(5)]
    seen, wish = [], ListQuery(limit=2)
    for _page in range(3):
        with vendor.database.read() as session:
            page = list_licenses(session, wish)
        seen += [row.license.license_id for row in page.items]
        wish = ListQuery(limit=2, cursor=page.next_cursor)

    assert seen[:5] == sold[::-1]


def test_a_page_costs_the_same_number_of_queries_however_long_it_is(vendor: Vendor) -> None:
    for _number in range(4):
        vendor.stranger().activate(vendor.sell().code)

    assert counted(vendor.database, ListQuery(limit=1)) == counted(
        vendor.database, ListQuery(limit=200)
    )


def counted(database: Database, wish: ListQuery) -> int:
    statements: list[str] = []

    def hear(*words: object) -> None:
        statements.append(str(words[2]))

    event.listen(database.engine, "before_cursor_execute", hear)
    try:
        with database.read() as session:
            list_licenses(session, wish)
            list_activations(session, wish)
            list_flags(session, wish)
    finally:
        event.remove(database.engine, "before_cursor_execute", hear)
    return len([one for one in statements if one.startswith("SELECT")])


@pytest.mark.parametrize("wish", [only("flag", "sadness"), only("price", "1"), ListQuery(sort="x")])
def test_an_unknown_wish_is_named(vendor: Vendor, wish: ListQuery) -> None:
    with vendor.database.read() as session, pytest.raises(Invalid):
        list_licenses(session, wish)


def test_serials_tell_what_each_document_said_and_who_signed_it(vendor: Vendor) -> None:
    sold = vendor.sell(seats=5)
    vendor.set_seats(sold.license_id, 9)
    with vendor.database.read() as session:
        page = list_serials(session, look_up(session, sold.license_id), ListQuery())

    assert [(row.serial, row.document.seats.named) for row in page.items] == [(2, 9), (1, 5)]
    keys = {entry.keyid for entry in vendor.keys.ring().keyset.keys if "license" in entry.roles}
    assert {row.signed_by for row in page.items} <= keys


def test_flags_and_servers_are_listed_with_whose_they_are(vendor: Vendor) -> None:
    sold = vendor.sell()
    vendor.stranger(fp={"machine_id": "b" * 32}).activate(sold.code)
    with vendor.database.read() as session:
        [flag] = list_flags(session, only("open", "1")).items[:1]
        [server] = list_activations(session, only("license", sold.license_id)).items

    assert (flag.license.license_id, flag.customer.name) == (sold.license_id, "Pars Trading")
    assert (server.license.license_id, server.activation.status.value) == (
        sold.license_id,
        "active",
    )


def test_the_trail_of_one_licence_is_told_apart(vendor: Vendor) -> None:
    sold = vendor.sell()
    vendor.set_status(sold.license_id, LicenseStatus.SUSPENDED)
    with vendor.database.read() as session:
        page = list_entries(session, only("subject", sold.license_id))

    assert [one.action for one in page.items] == ["license.suspended", "license.issue"]


# What was there before lists could search


@pytest.fixture
def old_house(sqlite_vendor: Vendor, tmp_path: Path) -> str:
    """Give a database of the step before, with a customer and a licence of two documents."""
    url = f"sqlite:///{tmp_path}/old.sqlite3"
    CHAIN.upgrade(url, "0004")
    sold = sqlite_vendor.sell()
    sqlite_vendor.set_seats(sold.license_id, 3)
    old, engine = MetaData(), make_engine(url)
    old.reflect(engine)
    new = tables.metadata.tables
    with sqlite_vendor.database.engine.connect() as here, engine.begin() as there:
        [row] = here.execute(
            select(new["licenses"]).where(new["licenses"].c.license_id == sold.license_id)
        ).mappings()
        for name, column, value in (
            ("customers", "id", row["customer_row_id"]),
            ("licenses", "id", row["id"]),
            ("license_serials", "license_row_id", row["id"]),
        ):
            query = select(*(new[name].c[one.name] for one in old.tables[name].columns))
            for kept in here.execute(query.where(new[name].c[column] == value)).mappings():
                there.execute(insert(old.tables[name]).values(dict(kept)))
    engine.dispose()
    return url


def test_licences_that_were_there_before_are_found_too(old_house: str) -> None:
    CHAIN.upgrade(old_house)

    database = Database(old_house)
    with database.read() as session:
        [row] = list_licenses(session, ListQuery(q="pars")).items
        serials = list_serials(session, row.license, ListQuery()).items
        [customer] = list_customers(session, ListQuery(q="trading")).items
    database.dispose()
    assert (row.license.signed_by, customer.name_key) == (serials[0].signed_by, "parstrading")
    assert [one.signed_by is not None for one in serials] == [True, True]
