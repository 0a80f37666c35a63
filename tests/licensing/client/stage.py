"""What every test of the client begins with: a usage, an activated installation, a day later."""

from collections.abc import Callable

from licensing.client.client import LicenseClient
from licensing.client.outcome import Outcome, Result
from licensing.document.requests import Usage
from tests.licensing.client.vendor import (
    DAY,
    SHOWN_CODE,
    Hands,
    Vendor,
)

Start = Callable[[], LicenseClient]
USAGE = Usage(named=3, peak_concurrent=2, service=1)
DONE = Outcome(Result.ACCEPTED)


def activated(client: LicenseClient) -> LicenseClient:
    assert client.activate(SHOWN_CODE) == DONE
    return client


def next_day(vendor: Vendor, hands: Hands, days: int = 1) -> None:
    vendor.now += days * DAY
    hands.pass_time(days * DAY)
