"""The console on PostgreSQL: one walk through everything that asks its database in a way of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.licensing.authority.console_pages.conftest import Visit, code_now, email_of, opened_shop
from tests.licensing.authority.console_pages.test_flags import raised
from tests.licensing.authority.console_pages.test_licenses import ORDER, shown_code, step
from tests.licensing.authority.console_pages.test_sign_in import come_in, knock
from tests.licensing.authority.stage import Vendor, found_vendor
from tests.support.postgres import Cluster


@pytest.fixture
def shop(postgres_cluster: Cluster, tmp_path: Path) -> Iterator[Vendor]:
    """Give an authority on PostgreSQL with its cast on the staff."""
    url = postgres_cluster.url(postgres_cluster.create_database())
    yield from opened_shop(found_vendor(tmp_path / "authority", url))


def test_a_day_at_the_console(visit: Visit, shop: Vendor) -> None:
    stranger = visit()
    assert come_in(stranger, email_of("Root"), code_now()) == 302
    knock(stranger, email_of("Anna"))
    root = visit("Root")
    customer = shop.customer("info@pars.example")
    root.read("/console/licenses/new")

    answer = root.post("/console/licenses/new", customer_id=customer, **ORDER)
    page, license_id = root.follow(answer), answer.headers["Location"].rpartition("/")[2]
    shop.stranger().activate(shown_code(page))
    assert "Suspended" in step(root, license_id, "suspend", reason="unpaid")
    assert "In force" in step(root, license_id, "resume")
    assert "Serial 2" in step(root, license_id, "renew", days="30")
    flag = raised(shop, license_id)
    root.read(f"/console/flags/{flag}")
    assert root.post(f"/console/flags/{flag}/settle", note="done").status_code == 302
    assert root.post(f"/console/flags/{flag}/reopen").status_code == 302
    assert shown_code(step(root, license_id, "move"))

    for path in (
        *("/", "/customers?q=pars", f"/customers/{customer}", "/activations?sort=last_seen_at"),
        *("/licenses?q=pars&filter[kind]=subscription&ends=over", f"/licenses/{license_id}"),
        *("/flags?state=settled", "/keys", "/deliveries?filter[state]=sent", "/staff", "/staff/2"),
        *("/audit?from=2020-01-01&until=2100-01-01", "/account", "/refunds"),
    ):
        root.read(f"/console{path}")
