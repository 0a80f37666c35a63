"""An installation with a licence office that asks a vendor over real HTTP, in a time that stands still.

The vendor shares no code with `licensing`: it is written by hand from the page of the protocol.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import time_machine

from server.activation.service import LicenseOffice
from server.core.config import License, Settings
from server.core.db import Database
from server.core.entitlements import EntitlementsBoard
from tests.licensing.client.vendor import NOW, Vendor, VendorServer

if TYPE_CHECKING:
    from time_machine import Traveller


@dataclass
class Stage:
    """A vendor, an installation, and the clock that both go by."""

    vendor: Vendor
    settings: Settings
    database: Database
    time: "Traveller"
    board: EntitlementsBoard = field(default_factory=EntitlementsBoard)

    def open_office(self, board: EntitlementsBoard | None = None) -> LicenseOffice:
        """Start the licence office, as every process of the installation does."""
        return LicenseOffice(self.settings, self.database, board or self.board)

    def pass_time(self, **amount: float) -> None:
        """Let the time pass for both sides."""
        self.time.shift(timedelta(**amount))
        self.vendor.now += int(timedelta(**amount).total_seconds())


@contextmanager
def licensed_stage(settings: Settings, database: Database) -> Iterator[Stage]:
    """Set up the stage on 15 January 2027, when the vendor's keys and licence begin."""
    vendor = Vendor()
    server = VendorServer(vendor)
    settings = replace(settings, license=License(authority_urls=(server.url,)))
    settings.trust_root.parent.mkdir(parents=True, exist_ok=True)
    settings.trust_root.write_bytes(vendor.root_file())
    try:
        with time_machine.travel(datetime.fromtimestamp(NOW, UTC), tick=False) as time:
            yield Stage(vendor, settings, database, time)
    finally:
        server.stop()
